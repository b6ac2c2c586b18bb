"""The time loop: works through the schedule and records rows and snapshots at their times."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from micromag.backend.builds import BuildMonitor
from micromag.column import Column
from micromag.config_checks import STEP_OF_NOISE, missing_step
from micromag.config_sections import Minimize, Relax, Run, Stage
from micromag.errors import ConfigError, Interrupted, NumericalError
from micromag.geometry import Regions
from micromag.health import (
    UNSTABLE,
    describe_failure,
    failed_replicas,
    long_step,
    not_converged,
    stable_steps,
    unstable_step,
)
from micromag.initial import initial_magnetization
from micromag.integrators import clock as clk
from micromag.integrators.minimizer import Minimizer
from micromag.integrators.relaxation import Progress, minimize, relax
from micromag.integrators.runge_kutta import RungeKutta
from micromag.integrators.tableaus import TABLEAUS
from micromag.model import Model
from micromag.recording import FloatArray, Mask, Recorder, Recording
from micromag.reporting import Reporter, describe_relaxation, describe_stages
from micromag.timetable import Event, Timetable
from micromag.window import check_textures

if TYPE_CHECKING:
    from micromag.backend import Backend
    from micromag.config import RunConfig
    from micromag.engine import Engine

LOOK_SECONDS = 0.2
"""The host looks at the device about this often."""
MOST_STEPS = 50
"""Steps between two looks, at most: a NaN is noticed before the hundredth step after it."""
LEAST_ERROR = {"single": 1e-7, "double": 1e-9}
"""Error limit below which a relaxation gains nothing, by precision."""


@dataclass(frozen=True)
class Outcome:
    """Why a replica takes part no longer.

    Attributes
    ----------
    status
        ``failed``, or ``ended`` before its time.
    message
        Why.
    error
        Of a failure.
    """

    status: str
    message: str
    error: NumericalError | None = None


class Driver:
    """Works through the schedule of one or more replicas of the same structure.

    Every replica has its own steps, times and end. Between two events (rows, snapshots, the end of a
    stage) the replicas wait for each other; those that have failed or ended stay as they are, and the
    others go on bit for bit as they would alone.

    Parameters
    ----------
    configs
        Resolved run files, one per replica. They may differ in values only.
    backend
        Device to compute on.
    recorders
        One per replica.
    reporter
        Told about the progress.
    stop
        Looked at between steps; true ends the run after the step in hand.

    Attributes
    ----------
    t
        Time of every replica [s], counted over the run stages.
    m
        State after the last stage, shape ``(replica, 3, nz, ny, nx)``; None before the first one.
    shifts
        How far the window of each replica has moved along x and y [cells], shape ``(replica, 2)``.
    outcomes
        Why replicas take part no longer, by number.
    """

    def __init__(
        self,
        configs: Sequence[RunConfig],
        backend: Backend,
        recorders: Sequence[Recorder],
        reporter: Reporter,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.configs = tuple(configs)
        self.backend = backend
        self.reporter = reporter
        self.stop = stop
        backend.monitor = BuildMonitor(reporter.compiling, reporter.compiled, stop)
        self.t = np.zeros(len(configs))
        self.m: NDArray[Any] | None = None
        self.shifts = np.zeros((len(configs), 2), np.int64)
        self.outcomes: dict[int, Outcome] = {}
        self._recording = Recording(configs, recorders)
        self._remarks: dict[int, str] = {}
        self._number = 0
        self._steps = np.zeros(len(configs))
        self._free_dt = np.zeros(len(configs))

    @property
    def columns(self) -> list[Column]:
        """Columns of the table."""
        return self._recording.columns

    @property
    def active(self) -> Mask:
        """Which replicas still take part."""
        return np.array([i not in self.outcomes for i in range(len(self.configs))])

    def run(self) -> None:
        """Work through the schedule, and tell every recorder how its replica ended.

        Raises
        ------
        NumericalError
            Every replica has failed (NaN, a collapsed step, no convergence); the first one's error.
        Interrupted
            ``stop`` became true; everything up to the step in hand is recorded.
        """
        total = len(self.configs[0].schedule)
        self.outcomes.clear()
        try:
            for stages in zip(*(config.schedule for config in self.configs), strict=True):
                if self.active.any():
                    self.reporter.stage(self._number, total, describe_stages(stages))
                    self._stage(stages)
        except Interrupted as stopped:
            self._close("interrupted", stopped.what)
            raise
        self._close("finished", "")
        self._raise_if_all_failed()

    def execute(self, stages: Sequence[Stage]) -> None:
        """Do one stage, given for each replica, also those that failed before; raises as `run`."""
        self.outcomes.clear()
        self._stage(stages)
        self._raise_if_all_failed()

    def _stage(self, stages: Sequence[Stage]) -> None:
        configs = [
            config.with_overrides(stage.overrides) if stage.overrides else config
            for config, stage in zip(self.configs, stages, strict=True)
        ]
        number = self._number
        self._number += 1
        _check_alike("the kinds of stages", [type(stage).__name__.lower() for stage in stages])
        if isinstance(stages[0], Run):
            self._run(number, cast(Sequence[Run], stages), configs)
        elif isinstance(stages[0], Relax):
            self._relax(number, cast(Sequence[Relax], stages), configs)
        elif isinstance(stages[0], Minimize):
            self._minimize(number, cast(Sequence[Minimize], stages), configs)

    # ---------------------------------------------------------------- how replicas end

    def _drop(self, replica: int, outcome: Outcome) -> None:
        self.outcomes[replica] = outcome
        message = "\n".join(filter(None, (outcome.message, self._remarks.get(replica))))
        self._recording.recorders[replica].ended(outcome.status, message)

    def _fail(self, replica: int, error: NumericalError) -> None:
        self._drop(replica, Outcome("failed", str(error), error))

    def _close(self, status: str, message: str) -> None:
        left: list[int] = np.flatnonzero(self.active).tolist()
        for i in left:
            said = "\n".join(filter(None, (message, self._remarks.get(i))))
            self._recording.recorders[i].ended(status, said)

    def _raise_if_all_failed(self) -> None:
        errors = [outcome.error for _, outcome in sorted(self.outcomes.items())]
        if len(errors) == len(self.configs) and errors[0] is not None and all(errors):
            raise errors[0]

    # ---------------------------------------------------------------- stages

    def _run(self, number: int, stages: Sequence[Run], configs: Sequence[RunConfig]) -> None:
        stepper = self._stepper(configs)
        engine = self._enter(stepper.engine, number)
        if stepper.adaptive:
            engine.write_clock(free_dt=self._free_dt)
        engine.write_clock(steps=self._steps)
        stepper.start(self.t, self.active)
        self._drop_failed(engine, engine.read_clock(), number)
        if not stepper.adaptive:
            self._check_steps(engine)
        starts = self.t.copy()
        ends = starts + np.array([stage.duration for stage in stages])
        timetables = [
            iter(Timetable(float(start), float(end), config.output))
            for start, end, config in zip(starts, ends, configs, strict=True)
        ]
        while True:
            events = [
                next(timetable, None) if active else None
                for timetable, active in zip(timetables, self.active, strict=True)
            ]
            due = np.array([event is not None for event in events])
            if not due.any():
                break
            # The others are told to stop where they stand, and wait.
            stepper.aim(
                np.array([t if e is None else e.t for e, t in zip(events, self.t, strict=True)])
            )
            self._advance(stepper, due, starts, ends, number)
            self._at_events(engine, events, number)
        self._leave(engine)
        self._steps, self._free_dt = engine.column("steps"), engine.column("free_dt")

    def _stepper(self, configs: Sequence[RunConfig]) -> RungeKutta:
        solvers = [config.solver for config in configs]
        _check_alike("solver.method", [solver.method for solver in solvers])
        _check_alike("solver.dt: given or not", [solver.dt is not None for solver in solvers])
        fixed = solvers[0].dt is not None
        model = Model(configs, shifts=self.shifts)
        if model.layout.noises and (what := next(filter(None, map(missing_step, solvers)), None)):
            raise ConfigError(what, where="solver", allowed=STEP_OF_NOISE)
        return RungeKutta(
            model,
            self.backend,
            TABLEAUS[solvers[0].method],
            dt=np.array([solver.dt for solver in solvers]) if fixed else None,
            max_error=np.array([solver.max_error for solver in solvers]),
            min_dt=np.array([solver.min_dt for solver in solvers]),
            max_dt=np.array([solver.max_dt or np.inf for solver in solvers]),
        )

    def _check_steps(self, engine: Engine) -> None:
        """Refuse unstable fixed steps: m is renormalised, so nothing blows up to show them.

        Those that are only a little too long are told, and noted in the file.
        """
        replicas: list[int] = np.flatnonzero(self.active).tolist()
        steps, limits = engine.column("free_dt")[replicas], stable_steps(engine, replicas)
        told: dict[int, str] = {}
        for i, step, limit in zip(replicas, map(float, steps), map(float, limits), strict=True):
            if step > UNSTABLE * limit:
                self._fail(i, unstable_step(step, limit))
            elif step > limit:
                told[i] = long_step(step, limit)
        self._remarks |= told
        if told:
            of = f"in {len(told)} of {len(steps)} replicas " if len(steps) > 1 else ""
            self.reporter.warning(f"{of}{next(iter(told.values()))}")

    def _advance(
        self, stepper: RungeKutta, due: Mask, starts: FloatArray, ends: FloatArray, number: int
    ) -> None:
        """Step until every replica stands at its next event or has failed."""
        engine = stepper.engine
        seconds_per_step = 0.0
        while left := stepper.steps_to_stop():
            count = min(left, MOST_STEPS)
            if seconds_per_step > 0:
                count = max(1, min(count, int(LOOK_SECONDS / seconds_per_step)))
            before = time.perf_counter()
            stepper.steps(count)
            clock = engine.read_clock()
            seconds_per_step = (time.perf_counter() - before) / count
            self._drop_failed(engine, clock, number)
            going = np.flatnonzero(due & self.active)
            if not len(going):
                return
            t = clock[:, clk.column("t")]
            slowest = int(going[np.argmin(((t - starts) / (ends - starts))[going])])
            dt, steps = (float(clock[slowest, clk.column(n)]) for n in ("free_dt", "steps"))
            row = self._recording.last_row(slowest)
            self.reporter.running(float(t[slowest]), float(ends[slowest]), dt, int(steps), row)
            if self.stop():
                self.t[going] = t[going]
                self._record(engine, due & self.active, number)
                at, end = (1e9 * x[slowest] for x in (t, ends))
                raise Interrupted(f"stopped at t = {at:.6g} ns of {end:.6g} ns")

    def _drop_failed(self, engine: Engine, clock: FloatArray, number: int) -> None:
        """Keep the last good state of replicas that failed, so that the cause can be looked at."""
        for i in failed_replicas(clock):
            if i in self.outcomes:
                continue
            self.t[i] = clock[i, clk.column("t")]
            if np.isfinite(engine.m(i)).all():
                self._record(engine, np.arange(len(self.t)) == i, number)
            self._fail(i, describe_failure(engine, i))

    def _at_events(self, engine: Engine, events: Sequence[Event | None], number: int) -> None:
        """Record what is due, and let replicas end that have lost what they are about."""
        clock = engine.read_clock()
        due = self.active & np.array([event is not None for event in events])
        self.t[due] = clock[due, clk.column("t")]
        row = due & np.array([e is not None and e.row for e in events])
        snapshot = due & np.array([e is not None and e.snapshot for e in events])
        self._record(engine, row, number, snapshot)
        without = row & self._recording.without_wall()
        quantities = self.configs[0].output.snapshots.quantities
        self._recording.snapshots(engine, without & ~snapshot, self.t, quantities)
        lost: list[int] = np.flatnonzero(without).tolist()
        for i in lost:
            t = f"t = {1e9 * self.t[i]:.6g} ns"
            gone, how = "there is no wall any more", "it has left the mesh or is destroyed"
            if len(self.t) == 1:  # of several, their recorders tell
                self.reporter.warning(f"the run ends at {t}: {gone}, {how}")
            self._drop(i, Outcome("ended", f"{gone}, from {t} on: {how}"))

    def _relax(self, number: int, stages: Sequence[Relax], configs: Sequence[RunConfig]) -> None:
        _check_alike("relax.method", [stage.method for stage in stages])
        _check_alike("relax.currents", [stage.currents for stage in stages])
        stepper = RungeKutta(
            Model(configs, currents=stages[0].currents, noise=False, shifts=self.shifts),
            self.backend,
            TABLEAUS[stages[0].method],
            max_error=np.array([stage.max_error for stage in stages]),
            relax=True,
            frozen_time=self.t.copy(),
        )
        self._enter(stepper.engine, number)
        replicas = relax(
            stepper,
            np.array([stage.max_torque for stage in stages]),
            np.array([stage.max_iterations for stage in stages]),
            LEAST_ERROR[configs[0].precision],
            self._note_relaxation,
            self.active,
        )
        self._finish_relaxation(number, stages, stepper.engine, replicas)

    def _minimize(
        self, number: int, stages: Sequence[Minimize], configs: Sequence[RunConfig]
    ) -> None:
        model = Model(configs, currents=False, noise=False, shifts=self.shifts)
        max_torque = np.array([stage.max_torque for stage in stages])
        minimizer = Minimizer(model, self.backend, max_torque, self.t.copy())
        self._enter(minimizer.engine, number)
        limits = np.array([stage.max_iterations for stage in stages])
        replicas = minimize(minimizer, limits, self._note_relaxation, self.active)
        self._finish_relaxation(number, stages, minimizer.engine, replicas)

    def _note_relaxation(self, progress: Progress) -> bool:
        self.reporter.relaxing(progress)
        return bool(self.stop())

    def _finish_relaxation(
        self,
        number: int,
        stages: Sequence[Relax | Minimize],
        engine: Engine,
        replicas: Sequence[Progress],
    ) -> None:
        took_part: list[int] = np.flatnonzero(self.active).tolist()
        for i in took_part:
            if replicas[i].iterations:
                self._recording.recorders[i].relaxation(number, replicas[i])
        usable = self._leave(engine)
        self._record(engine, usable & self.active, number, steps=self._steps)
        done = [replicas[i] for i in took_part]
        if any(progress.reason == "stopped" for progress in done):
            count = max(progress.iterations[-1] for progress in done if progress.iterations)
            raise Interrupted(f"stopped after {count} iterations of stage {number}")
        for i in took_part:
            if (error := replicas[i].error) is not None:
                self._fail(i, error)
            elif not replicas[i].converged:
                reached = replicas[i].iterations[-1], replicas[i].torques[-1]
                self._fail(i, not_converged(stages[i], number, *reached))
        if converged := [progress for progress in done if progress.converged]:
            self.reporter.message(f"  {describe_relaxation(converged, len(done))}")

    # ---------------------------------------------------------------- state and records

    def _enter(self, engine: Engine, number: int) -> Engine:
        """Put the present state on the device; the first time that is the initial state."""
        if self.m is None:
            self.m = np.stack([initial_state(c, engine.model) for c in self.configs])
        for replica, m in enumerate(self.m):
            engine.set_m(m, replica)
        if number == 0:
            check_textures(self.m, engine.model.mesh)
            self._record(engine, self.active, number, steps=self._steps)
        return engine

    def _leave(self, engine: Engine) -> Mask:
        """Take over the states that hold numbers; return which replicas have such a one."""
        assert self.m is not None, "no stage was entered"
        found = np.stack([engine.m(i) for i in range(len(self.configs))])
        usable = np.isfinite(found).all(axis=(1, 2, 3, 4))
        self.m = np.where(usable[:, None, None, None, None], found, self.m)
        self.shifts = engine.model.shifts.copy()
        return usable

    def _record(
        self,
        engine: Engine,
        row: Mask,
        number: int,
        snapshot: Mask | None = None,
        steps: FloatArray | None = None,
    ) -> None:
        """Record rows, and snapshots of the same replicas unless others are given.

        ``steps`` are those of the run stages so far, by default what the engine counts.
        """
        counted = engine.column("steps") if steps is None else steps
        self._recording.rows(engine, row, self.t, counted, number)
        quantities = self.configs[0].output.snapshots.quantities
        chosen = row if snapshot is None else snapshot
        self._recording.snapshots(engine, chosen, self.t, quantities)


def initial_state(config: RunConfig, model: Model) -> NDArray[np.float64]:
    """Return the initial magnetization, shape ``(3, nz, ny, nx)``, 0 in empty cells."""
    rng = np.random.default_rng(config.seed)
    regions = Regions(model.region, model.region_names)
    return initial_magnetization(
        config.initial, model.mesh, rng, regions=regions, filled=model.magnetic
    )


def _check_alike(what: str, values: Sequence[object]) -> None:
    different = next((value for value in values if value != values[0]), values[0])
    if different != values[0]:
        raise ConfigError(
            "the replicas of a batch differ in more than values",
            where=what,
            value=f"{values[0]} and {different}",
            allowed="the same in all of them",
        )
