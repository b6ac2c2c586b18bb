"""Relaxation and minimisation until m stands still, by torque or by energy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from micromag.engine import Engine
from micromag.health import describe_failure, failed_replicas
from micromag.integrators.clock import Status
from micromag.integrators.minimizer import Minimizer
from micromag.integrators.runge_kutta import RungeKutta

CHECK_EVERY = 20
"""Steps between two looks at energy and torque."""
PATIENCE = 25
"""Looks without progress after which the state counts as still."""
ENERGY_PROGRESS = 1e-9
"""Fall of the energy, relative to the sum of the terms' magnitudes, that counts as progress."""
TORQUE_PROGRESS = 0.999
"""Factor by which the torque has to fall to count as progress."""
ERROR_SHARE = 0.1
"""Error allowed in a step of a relaxation, as a share of what the fastest moment moves in it."""
STILL_TORQUE = 1e-3
"""Without progress, a state with a larger torque than this [T] has not arrived but is stuck."""


@dataclass
class Progress:
    """How far the relaxation of one replica has come.

    Attributes
    ----------
    iterations, energies, torques
        History: steps so far, total energy [J] and largest torque [T].
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
    """Notices when neither energy nor torque of a replica falls any more."""

    def __init__(self) -> None:
        self.lowest_energy = self.lowest_torque = np.inf
        self.idle = 0

    def reached(self, energies: NDArray[np.float64], torque: float) -> bool:
        """Take note of the energy of each term and the torque; True after some idle looks."""
        energy, scale = float(energies.sum()), float(np.abs(energies).sum())
        falls = not energy >= self.lowest_energy - ENERGY_PROGRESS * scale
        falls |= torque < TORQUE_PROGRESS * self.lowest_torque
        self.idle = 0 if falls else self.idle + 1
        self.lowest_energy = min(energy, self.lowest_energy)
        self.lowest_torque = min(torque, self.lowest_torque)
        return self.idle >= PATIENCE


def relax(
    stepper: RungeKutta,
    max_torque: float,
    max_iterations: int,
    least_error: float,
    notify: Callable[[Progress], bool],
) -> list[Progress]:
    """Step without precession until the largest torque is below ``max_torque`` [T].

    Near the minimum it is the error of the steps that keeps m moving: an error e in a step of dt looks
    like a torque e/(gamma dt). So its limit follows the torque, between ``least_error`` and the
    stepper's own. Where neither torque nor energy falls any more, m stands as still as the precision
    allows, and the state is taken. Every replica ends by itself, as it would alone.

    Parameters
    ----------
    stepper
        Made with ``relax=True``.
    notify
        Called at every look with the first replica that is not done; True stops.

    Raises
    ------
    NumericalError
        NaN, or a collapsed step.
    """
    engine = stepper.engine
    stepper.start()
    most = engine.column("max_error")
    gamma = np.array([config.material.gamma for config in engine.model.configs])

    def limit_error(torque: NDArray[np.float64]) -> None:
        moved = gamma * engine.column("free_dt") * torque
        error = np.clip(ERROR_SHARE * moved, np.minimum(least_error, most), most)
        engine.write_clock(max_error=error)

    return _iterate(engine, stepper.steps, max_torque, max_iterations, notify, limit_error)


def minimize(
    minimizer: Minimizer, max_iterations: int, notify: Callable[[Progress], bool]
) -> list[Progress]:
    """Descend until the largest torque is below the minimiser's limit, or energy falls no more.

    Parameters as in `relax`. Raises NumericalError on NaN.
    """
    engine = minimizer.engine
    minimizer.start()
    max_torque = float(engine.column("max_torque")[0])
    return _iterate(
        engine, minimizer.steps, max_torque, max_iterations, notify, lambda torque: None
    )


def _iterate(
    engine: Engine,
    steps: Callable[[int], None],
    max_torque: float,
    max_iterations: int,
    notify: Callable[[Progress], bool],
    after_look: Callable[[NDArray[np.float64]], None],
) -> list[Progress]:
    """Step and look until every replica is done; those that are wait for the others."""
    replicas = [Progress() for _ in range(engine.model.replicas)]
    plateaus = [_Plateau() for _ in replicas]
    iterations = 0
    while True:
        found, status = engine.measure(), engine.status()
        if failed := failed_replicas(engine):
            raise describe_failure(engine, failed[0])
        for i, progress in enumerate(replicas):
            if not progress.reason:
                torque = float(found.max_torque[i])
                _note(progress, iterations, float(found.energies[i].sum()), torque)
                if torque < max_torque or status[i] == Status.WAITING:
                    progress.reason = "torque"
                elif plateaus[i].reached(found.energies[i], torque):
                    progress.reason = "energy" if torque < STILL_TORQUE else "limit"
        left = [progress for progress in replicas if not progress.reason]
        stopped = bool(left) and notify(left[0])
        if stopped or iterations >= max_iterations:
            for progress in left:
                progress.reason = "stopped" if stopped else "limit"
        _hold(engine, [bool(progress.reason) for progress in replicas])
        if all(progress.reason for progress in replicas):
            return replicas
        after_look(found.max_torque)
        count = min(CHECK_EVERY, max_iterations - iterations)
        steps(count)
        iterations += count


def _note(progress: Progress, iterations: int, energy: float, torque: float) -> None:
    progress.iterations.append(iterations)
    progress.energies.append(energy)
    progress.torques.append(torque)


def _hold(engine: Engine, done: list[bool]) -> None:
    """Let replicas that are done wait."""
    status = engine.column("status")
    held = np.where(done, float(Status.WAITING), status)
    if (held != status).any():
        engine.write_clock(status=held)
