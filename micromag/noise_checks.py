"""What a physicist would ask about a run with thermal noise: does it act, and is its step short enough."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from micromag.config_sections import Run
from micromag.constants import K_B
from micromag.estimate import stages
from micromag.integrators.tableaus import TABLEAUS, Tableau
from micromag.magnets import all_values, fastest_mode, value_in
from micromag.si_text import si

if TYPE_CHECKING:
    from micromag.config import RunConfig
    from micromag.terms.base import Term

LARGEST_ENERGY_ERROR = 0.05
"""Error of the mean energy of the fastest spin wave that goes without a word."""
LARGEST_TURN = 0.2
"""The noise of one step may turn m by this much [rad]."""


def noise_warnings(config: RunConfig) -> Iterator[str]:
    """Return what looks wrong about the noise of a run, as sentences."""
    keys = [key for key, term in config.energy if term.kind == "noise"]
    if not keys:
        return
    runs = [staged for staged, stage in stages(config) if isinstance(stage, Run)]
    if not runs:
        yield f"{keys[0]} never acts: relax and minimize leave noise out; add a run stage"
        return
    hot = [staged for staged in runs if max(_largest(staged), default=0.0) > 0]
    if not hot:
        yield f"{keys[0]} does nothing: its temperature is 0 in every stage"
    for staged in hot:
        if max(_dampings(staged)) == 0:
            yield (
                f"{keys[0]} does nothing: alpha is 0, and noise is as strong as the damping that "
                "balances it"
            )
            return
        yield from _step(staged)


def _step(config: RunConfig) -> Iterator[str]:
    """The longest step against the fastest spin wave, and against the noise itself."""
    solver = config.solver
    step, name = (solver.max_dt, "max_dt") if solver.dt is None else (solver.dt, "dt")
    if step is None:
        return  # refused elsewhere
    tableau, mode = TABLEAUS[solver.method], fastest_mode(config)
    alpha = min(a for a in _dampings(config) if a > 0)
    error = energy_error(tableau, mode * step, alpha)
    if not abs(error) <= LARGEST_ENERGY_ERROR:
        how = "makes the fastest spin wave unstable"
        if math.isfinite(error):
            much = "much" if error > 0 else "little"
            how = f"gives the fastest spin wave {abs(error):.0%} too {much} energy"
        shorter = step
        while not abs(energy_error(tableau, mode * shorter, alpha)) <= LARGEST_ENERGY_ERROR:
            shorter *= 0.9
        yield (
            f"solver.{name} = {si(step, 's')} with {tableau.name} {how}: "
            f"{si(shorter, 's')} would give {LARGEST_ENERGY_ERROR:.0%}"
        )
    turn = _turn(config, step)
    if turn > LARGEST_TURN:
        shorter = step * (LARGEST_TURN / turn) ** 2
        yield (
            f"the noise turns m by {turn:.2g} rad in a step of {si(step, 's')}; take solver.{name} of "
            f"at most {si(shorter, 's')}"
        )


def energy_error(tableau: Tableau, phase: float, alpha: float) -> float:
    r"""Return the relative error of the mean energy of a spin wave under noise frozen over steps.

    For a wave that turns by ``phase`` = omega dt [rad] per step, with R the method's stability
    polynomial,

    .. math::

        \frac{\langle E \rangle}{k_B T} = \frac{2 \alpha \phi}{1 + \alpha^2}
        \frac{|(R(z) - 1)/z|^2}{1 - |R(z)|^2}, \qquad z = \frac{(i - \alpha) \phi}{1 + \alpha^2}

    Infinite where the method is unstable, 0 where nothing turns.
    """
    if phase == 0:
        return 0.0
    z = (1j - alpha) * phase / (1 + alpha**2)
    k: list[Any] = []
    for row in tableau.a:
        k.append(z * (1 + sum(float(a) * kj for a, kj in zip(row, k, strict=True))))
    growth = sum(float(b) * kj for b, kj in zip(tableau.b, k, strict=True))
    decay = 1 - abs(1 + growth) ** 2
    if decay <= 0:
        return math.inf
    return float(2 * alpha * phase / (1 + alpha**2) * abs(growth / z) ** 2 / decay - 1)


def _turn(config: RunConfig, step: float) -> float:
    """Return the largest standard deviation of the angle that the noise of one step turns m by [rad]."""
    material, largest = config.material, 0.0
    for region in ("default", *config.regions):
        Ms, alpha = value_in(material.Ms, region), value_in(material.alpha, region)
        for term in _noises(config):
            temperature = term.parameters().get("temperature")
            T = None if temperature is None else value_in(temperature, region)
            if Ms and alpha and T:
                strength = 2 * alpha * K_B * T / (Ms * config.mesh.cell_volume)
                largest = max(largest, math.sqrt(strength * material.gamma * step))
    return largest


def _noises(config: RunConfig) -> list[Term]:
    return [term for _, term in config.energy if term.kind == "noise"]


def _largest(config: RunConfig) -> list[float]:
    """Return the size of every value of the parameters of noise; infinite of those given by cell."""
    parameters = [p for term in _noises(config) for p in term.parameters().values()]
    return [math.inf if p.is_per_cell else float(np.max(np.abs(all_values(p)))) for p in parameters]


def _dampings(config: RunConfig) -> list[float]:
    """Return the values of alpha; one that stands for many where every cell has its own."""
    alpha = config.material.alpha
    return [1.0] if alpha.is_per_cell else [float(a) for a in all_values(alpha)]
