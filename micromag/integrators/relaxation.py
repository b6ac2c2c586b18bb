"""Relaxation and minimisation until m stands still, by torque or by energy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from micromag.engine import Engine
from micromag.errors import NumericalError
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
        ``"torque"`` or ``"energy"`` once it is done; ``"limit"``, ``"stopped"`` or ``"failed"`` when
        it ended before; ``"idle"`` of a replica that takes no part.
    error
        What went wrong, of one that failed.
    """

    iterations: list[int] = field(default_factory=list)
    energies: list[float] = field(default_factory=list)
    torques: list[float] = field(default_factory=list)
    reason: str = ""
    error: NumericalError | None = None

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
    max_torque: ArrayLike,
    max_iterations: ArrayLike,
    least_error: float,
    notify: Callable[[Progress], bool],
    active: ArrayLike = True,
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
    max_torque, max_iterations
        One number, or one per replica.
    notify
        Called at every look with the first replica that is not done; True stops.
    active
        False, or False for some replicas: they take no part.
    """
    engine = stepper.engine
    stepper.start(active=active)
    most = engine.column("max_error")
    gamma = np.array([config.material.gamma for config in engine.model.configs])

    def limit_error(torque: NDArray[np.float64], due: NDArray[np.bool_]) -> None:
        error = engine.column("max_error")
        moved = gamma[due] * engine.column("free_dt")[due] * torque[due]
        least = np.minimum(least_error, most[due])
        error[due] = np.clip(ERROR_SHARE * moved, least, most[due])
        engine.write_clock(max_error=error)

    return _iterate(engine, stepper.steps, max_torque, max_iterations, notify, limit_error)


def minimize(
    minimizer: Minimizer,
    max_iterations: ArrayLike,
    notify: Callable[[Progress], bool],
    active: ArrayLike = True,
) -> list[Progress]:
    """Descend until the largest torque is below the minimiser's limit, or energy falls no more.

    Parameters as in `relax`.
    """
    engine = minimizer.engine
    minimizer.start(active)
    max_torque = engine.column("max_torque")
    return _iterate(
        engine, minimizer.steps, max_torque, max_iterations, notify, lambda torque, due: None
    )


def _iterate(
    engine: Engine,
    steps: Callable[[int], None],
    max_torque: ArrayLike,
    max_iterations: ArrayLike,
    notify: Callable[[Progress], bool],
    after_look: Callable[[NDArray[np.float64], NDArray[np.bool_]], None],
) -> list[Progress]:
    """Step and look until every replica is done; those that are wait for the others.

    A replica is looked at after whole multiples of `CHECK_EVERY` iterations and after its last one:
    at the same iterations as if it were alone, whatever the limits of the others are.
    """
    count = engine.model.replicas
    torque_limits = np.broadcast_to(max_torque, count)
    limits = np.broadcast_to(max_iterations, count)
    idle = [status == Status.IDLE for status in engine.status()]
    replicas = [Progress(reason="idle" if absent else "") for absent in idle]
    plateaus = [_Plateau() for _ in replicas]
    iterations = 0
    while True:
        found, status = engine.measure(), engine.status()
        for i in failed_replicas(engine.read_clock()):
            if not replicas[i].reason:
                replicas[i].error = describe_failure(engine, i)
                replicas[i].reason = "failed"
        left = np.array([not progress.reason for progress in replicas])
        due = left & ((iterations % CHECK_EVERY == 0) | (iterations >= limits))
        for i in np.flatnonzero(due).tolist():
            progress, torque = replicas[i], float(found.max_torque[i])
            _note(progress, iterations, float(found.energies[i].sum()), torque)
            if torque < torque_limits[i] or status[i] == Status.WAITING:
                progress.reason = "torque"
            elif plateaus[i].reached(found.energies[i], torque):
                progress.reason = "energy" if torque < STILL_TORQUE else "limit"
        _end_the_rest(replicas, iterations, limits, notify)
        left = np.array([not progress.reason for progress in replicas])
        _hold(engine, left)
        if not left.any():
            return replicas
        after_look(found.max_torque, due & left)
        to_look = CHECK_EVERY - iterations % CHECK_EVERY
        ahead = min(to_look, int(limits[left].min()) - iterations)
        steps(ahead)
        iterations += ahead


def _end_the_rest(
    replicas: list[Progress],
    iterations: int,
    limits: NDArray[np.int64],
    notify: Callable[[Progress], bool],
) -> None:
    """End the replicas that have reached their limit, or all of them if ``notify`` says so."""
    left = [i for i, progress in enumerate(replicas) if not progress.reason]
    stopped = bool(left) and notify(replicas[left[0]])
    for i in left:
        if stopped or iterations >= limits[i]:
            replicas[i].reason = "stopped" if stopped else "limit"


def _note(progress: Progress, iterations: int, energy: float, torque: float) -> None:
    progress.iterations.append(iterations)
    progress.energies.append(energy)
    progress.torques.append(torque)


def _hold(engine: Engine, left: NDArray[np.bool_]) -> None:
    """Let replicas that are done wait."""
    status = engine.column("status")
    held = np.where((status == Status.RUNNING) & ~left, float(Status.WAITING), status)
    if (held != status).any():
        engine.write_clock(status=held)
