"""Relaxation and minimisation until m stands still, by torque or by energy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from micromag.engine import Engine, Measurement
from micromag.health import describe_failure, failed_replicas
from micromag.integrators.clock import Status
from micromag.integrators.minimizer import Minimizer
from micromag.integrators.runge_kutta import RungeKutta

CHECK_EVERY = 20
"""Steps between two looks at energy and torque."""
PATIENCE = 25
"""Looks without progress after which the state counts as still, or the error limit is tightened."""
ENERGY_PROGRESS = 1e-9
"""Fall of the energy, relative to the sum of the terms' magnitudes, that counts as progress."""
TORQUE_PROGRESS = 0.999
"""Factor by which the torque has to fall to count as progress."""
TIGHTEN = 0.25
"""Factor of the error limit when there is no progress at the present one."""
STILL_TORQUE = 1e-3
"""Without progress, a state with a larger torque than this [T] has not arrived but is stuck."""


@dataclass
class Progress:
    """How far a relaxation has come.

    Attributes
    ----------
    iterations, energies, torques
        History: steps so far, total energy [J] and largest torque [T] of the first replica.
    reason
        ``"torque"`` or ``"energy"`` once it is done, ``"limit"`` or ``"stopped"`` when it ended before.
    """

    iterations: list[int] = field(default_factory=list)
    energies: list[float] = field(default_factory=list)
    torques: list[float] = field(default_factory=list)
    reason: str = ""

    @property
    def converged(self) -> bool:
        """Whether the state stands still."""
        return self.reason in ("torque", "energy")


class _Plateau:
    """Notices when neither energy nor torque falls any more."""

    def __init__(self) -> None:
        self.lowest_energy: NDArray[np.float64] | None = None
        self.lowest_torque: NDArray[np.float64] | None = None
        self.idle = 0

    def reached(self, energies: NDArray[np.float64], torque: NDArray[np.float64]) -> bool:
        """Take note of energies (replica, terms) and torques (replica,); True after some idle looks."""
        energy, scale = energies.sum(axis=1), np.abs(energies).sum(axis=1)
        if self.lowest_energy is None or self.lowest_torque is None:
            self.lowest_energy, self.lowest_torque = energy, torque
            return False
        falls = energy < self.lowest_energy - ENERGY_PROGRESS * scale
        falls |= torque < TORQUE_PROGRESS * self.lowest_torque
        self.idle = 0 if falls.any() else self.idle + 1
        self.lowest_energy = np.minimum(energy, self.lowest_energy)
        self.lowest_torque = np.minimum(torque, self.lowest_torque)
        return self.idle >= PATIENCE

    def restart(self) -> None:
        """Be patient again."""
        self.idle = 0


def relax(
    stepper: RungeKutta,
    max_torque: float,
    max_iterations: int,
    least_error: float,
    notify: Callable[[Progress], bool],
) -> Progress:
    """Step without precession until the largest torque is below ``max_torque`` [T].

    Where neither torque nor energy falls any more, the solver's error is what keeps m moving: its
    limit is tightened down to ``least_error``. If that does not help either, m stands as still as the
    precision allows, and the state is taken.

    Parameters
    ----------
    stepper
        Made with ``relax=True``.
    notify
        Called at every look; True stops.

    Raises
    ------
    NumericalError
        NaN, or a collapsed step.
    """
    engine = stepper.engine
    progress, plateau = Progress(), _Plateau()
    stepper.start()
    error = float(engine.column("max_error")[0])

    def look(iterations: int) -> bool:
        nonlocal error
        found = _note(progress, engine, iterations)
        if failed_replicas(engine):
            raise describe_failure(engine, failed_replicas(engine)[0])
        if (found.max_torque < max_torque).all():
            progress.reason = "torque"
        elif plateau.reached(found.energies, found.max_torque):
            if error > least_error:
                error = max(error * TIGHTEN, least_error)
                engine.write_clock(max_error=error)
                plateau.restart()
            else:
                progress.reason = "energy" if (found.max_torque < STILL_TORQUE).all() else "limit"
        return bool(progress.reason)

    return _iterate(look, stepper.steps, max_iterations, progress, notify)


def minimize(
    minimizer: Minimizer, max_iterations: int, notify: Callable[[Progress], bool]
) -> Progress:
    """Descend until the largest torque is below the minimiser's limit, or energy falls no more.

    Parameters as in `relax`. Raises NumericalError on NaN.
    """
    engine = minimizer.engine
    progress, plateau = Progress(), _Plateau()
    minimizer.start()

    def look(iterations: int) -> bool:
        found = _note(progress, engine, iterations)
        if failed_replicas(engine):
            raise describe_failure(engine, failed_replicas(engine)[0])
        if all(status == Status.WAITING for status in engine.status()):
            progress.reason = "torque"
        elif plateau.reached(found.energies, found.max_torque):
            progress.reason = "energy" if (found.max_torque < STILL_TORQUE).all() else "limit"
        return bool(progress.reason)

    return _iterate(look, minimizer.steps, max_iterations, progress, notify)


def _iterate(
    look: Callable[[int], bool],
    steps: Callable[[int], None],
    max_iterations: int,
    progress: Progress,
    notify: Callable[[Progress], bool],
) -> Progress:
    iterations = 0
    while not look(iterations):
        if notify(progress):
            progress.reason = "stopped"
        elif iterations >= max_iterations:
            progress.reason = "limit"
        if progress.reason:
            break
        count = min(CHECK_EVERY, max_iterations - iterations)
        steps(count)
        iterations += count
    return progress


def _note(progress: Progress, engine: Engine, iterations: int) -> Measurement:
    found = engine.measure()
    progress.iterations.append(iterations)
    progress.energies.append(float(found.energies[0].sum()))
    progress.torques.append(float(found.max_torque[0]))
    return found


