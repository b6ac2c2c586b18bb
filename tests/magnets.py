"""Small magnets for the tests: configurations, the engine behind them, the rate of change of m."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micromag.backend import Backend
from micromag.config import RunConfig
from micromag.engine import Engine
from micromag.integrators.runge_kutta import RungeKutta
from micromag.integrators.tableaus import TABLEAUS
from micromag.model import Model

GAMMA = 1.76085963e11
"""Gyromagnetic ratio of the default material [rad/(s T)]."""
DEFAULTS: dict[str, Any] = {
    "device": "cpu",
    "precision": "double",
    "mesh": {"cells": [1, 1, 1], "cell_size": [5e-9, 5e-9, 5e-9]},
    "material": {"Ms": 8e5, "alpha": 0.1},
    "initial": {"uniform": {"direction": [1, 0, 0]}},
    "schedule": ["relax"],
}


def config(**sections: Any) -> RunConfig:
    """Return a configuration: one cell in double precision, but for what is given."""
    return RunConfig.model_validate({**DEFAULTS, **sections}).allowing_custom_code()


def random_m(shape: Sequence[int], seed: int = 0) -> NDArray[np.float64]:
    """Return random unit vectors, shape ``(3, *shape)``."""
    m = np.random.default_rng(seed).normal(size=(3, *shape))
    return m / np.sqrt((m**2).sum(axis=0))


def measuring_engine(
    configs: RunConfig | Sequence[RunConfig], backend: Backend, m: NDArray[Any]
) -> Engine:
    """Return an engine that holds m in every replica and is ready to measure."""
    several = [configs] if isinstance(configs, RunConfig) else list(configs)
    engine = Engine(Model(several), backend, slots=2)
    engine.compile([])
    for replica in range(len(several)):
        engine.set_m(m, replica)
    return engine


def rate(config: RunConfig, backend: Backend, m: NDArray[Any]) -> NDArray[np.float64]:
    """Return dm/dt [1/s] of the state m, as the first stage of a step computes it."""
    stepper = RungeKutta(Model([config]), backend, TABLEAUS["euler"], dt=1e-18)
    stepper.engine.set_m(m)
    stepper.start()
    stepper.steps(1)
    k = backend.download(stepper.engine.work[stepper._slots.k(0), 0])
    return k.astype(np.float64)


def stepper(
    configs: RunConfig | Sequence[RunConfig],
    backend: Backend,
    m: NDArray[Any] | None = None,
    method: str = "rk45",
    **options: Any,
) -> RungeKutta:
    """Return a stepper at t = 0 with m (of all replicas, or one for each) on the device."""
    several = [configs] if isinstance(configs, RunConfig) else list(configs)
    made = RungeKutta(Model(several), backend, TABLEAUS[method], **options)
    if m is not None:
        for replica in range(len(several)):
            made.engine.set_m(m if m.ndim == 4 else m[replica], replica)
    made.start()
    return made


def advance(made: RungeKutta, t_stop: Any, most: int = 200_000) -> None:
    """Step until every replica stands at ``t_stop`` or has failed."""
    made.aim(t_stop)
    for _ in range(most // 50):
        if not made.steps_to_stop():
            return
        made.steps(50)
    raise AssertionError("the steps do not come to an end")


def macrospin(
    field: Any,
    m0: Sequence[float],
    times: Sequence[float],
    *,
    alpha: float = 0.1,
    gamma: float = GAMMA,
    torque: Any = None,
    breaks: Sequence[float] = (),
) -> NDArray[np.float64]:
    """Return m of one moment at the times, shape ``(times, 3)``, integrated by SciPy to 1e-12.

    ``field(t)`` is B [T], ``torque(t, m)`` is T [1/s]; the integration restarts at the ``breaks``.
    """
    from scipy.integrate import solve_ivp

    def right_hand_side(t: float, m: NDArray[np.float64]) -> NDArray[np.float64]:
        X = -gamma * np.cross(m, field(t)) + (0 if torque is None else torque(t, m))
        return (X + alpha * np.cross(m, X)) / (1 + alpha**2)

    m, found, t = np.array(m0, dtype=float), [], 0.0
    ends = sorted({b for b in breaks if 0 < b < times[-1]} | {times[-1]})
    for end in ends:
        inside = [x for x in times if t < x <= end]
        # The step just before a jump must not see what comes after it.
        inner = np.nextafter(end, 0) if end in breaks else end
        solution = solve_ivp(
            lambda t, m, last=inner: right_hand_side(min(t, last), m),
            (t, end),
            m,
            method="DOP853",
            rtol=1e-12,
            atol=1e-13,
            dense_output=True,
            max_step=(end - t) / 20,
        )
        found += [solution.sol(x) for x in inside]
        m, t = solution.y[:, -1], end
    return np.array(([m0] if times[0] == 0 else []) + found)


def merged(*parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return mappings laid over each other."""
    out: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            both = isinstance(value, Mapping) and isinstance(out.get(key), Mapping)
            out[key] = merged(out[key], value) if both else value
    return out
