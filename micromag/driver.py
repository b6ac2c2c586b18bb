"""The time loop: works through the schedule and records rows and snapshots at their times."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from micromag.backend.builds import BuildMonitor
from micromag.column import Column
from micromag.config_sections import Minimize, Relax, Run, Stage
from micromag.errors import Interrupted, NumericalError
from micromag.geometry import Regions
from micromag.health import describe_failure, failed_replicas, stable_step
from micromag.initial import initial_magnetization
from micromag.integrators import clock as clk
from micromag.integrators.clock import Status
from micromag.integrators.minimizer import Minimizer
from micromag.integrators.relaxation import Progress, minimize, relax
from micromag.integrators.runge_kutta import RungeKutta
from micromag.integrators.tableaus import TABLEAUS
from micromag.model import Model
from micromag.observables import Observable, Sample, observable_of, table_columns
from micromag.terms import unique_names
from micromag.timetable import Timetable

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


class Recorder(Protocol):
    """Takes what one replica leaves behind."""

    def rows(self, rows: NDArray[np.float64]) -> None:
        """Take rows of the table, shape ``(rows, columns)``."""

    def snapshot(self, t: float, fields: Mapping[str, NDArray[Any]]) -> None:
        """Take fields of shape ``(3, nz, ny, nx)`` or ``(nz, ny, nx)`` at time t [s]."""

    def relaxation(self, stage: int, progress: Progress) -> None:
        """Take the history of a relax or minimize stage."""


class Reporter(Protocol):
    """Is told how far the run has come."""

    def stage(self, number: int, total: int, text: str) -> None:
        """A stage begins."""

    def running(
        self, t: float, t_end: float, dt: float, steps: int, row: Mapping[str, float]
    ) -> None:
        """A run stage has come to time t; ``row`` is the last row of the table."""

    def relaxing(self, progress: Progress) -> None:
        """A relax or minimize stage goes on."""

    def message(self, text: str) -> None:
        """Something worth a line."""

    def warning(self, text: str) -> None:
        """Something that is likely to be wrong."""

    def compiling(self, files: int) -> None:
        """Kernels are compiled, which no earlier run has left in the cache."""

    def compiled(self, seconds: float) -> None:
        """They are, after so long."""


class Driver:
    """Works through the schedule of one or more replicas of the same structure.

    Parameters
    ----------
    configs
        Resolved run files, one per replica.
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
        Time [s], counted over the run stages.
    m
        State after the last stage, shape ``(replica, 3, nz, ny, nx)``; None before the first one.
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
        self.recorders = tuple(recorders)
        self.reporter = reporter
        self.stop = stop
        backend.monitor = BuildMonitor(reporter.compiling, reporter.compiled, stop)
        self.t = 0.0
        self.m: NDArray[Any] | None = None
        self._number = 0
        self._steps = np.zeros(len(configs))
        self._free_dt = np.zeros(len(configs))
        names = configs[0].output.table.columns
        self._observables: dict[str, Observable] = {n: observable_of(n)() for n in names}
        self._last_row: dict[str, float] = {}

    @property
    def columns(self) -> list[Column]:
        """Columns of the table."""
        first = self.configs[0]
        terms = unique_names([key for key, _ in first.energy])
        return table_columns(first.output.table.columns, self._observables, terms)

    def run(self) -> None:
        """Work through the schedule.

        Raises
        ------
        NumericalError
            NaN, a collapsed step, or a relaxation that does not converge.
        Interrupted
            ``stop`` became true; everything up to the step in hand is recorded.
        """
        schedules = zip(*(config.schedule for config in self.configs), strict=True)
        total = len(self.configs[0].schedule)
        for stages in schedules:
            self.reporter.stage(self._number, total, describe_stage(stages[0]))
            self.execute(stages)

    def execute(self, stages: Sequence[Stage]) -> None:
        """Do one stage, given for each replica; raises as `run`."""
        configs = [
            config.with_overrides(stage.overrides) if stage.overrides else config
            for config, stage in zip(self.configs, stages, strict=True)
        ]
        number, stage = self._number, stages[0]
        self._number += 1
        if isinstance(stage, Run):
            self._run(number, stage, configs)
        elif isinstance(stage, Relax):
            self._relax(number, stage, configs)
        elif isinstance(stage, Minimize):
            self._minimize(number, stage, configs)

    # ---------------------------------------------------------------- stages

    def _run(self, number: int, stage: Run, configs: Sequence[RunConfig]) -> None:
        solver = configs[0].solver
        stepper = RungeKutta(
            Model(configs),
            self.backend,
            TABLEAUS[solver.method],
            dt=solver.dt,
            max_error=solver.max_error,
            min_dt=solver.min_dt,
            max_dt=solver.max_dt or np.inf,
        )
        engine = self._enter(stepper.engine, number)
        if stepper.adaptive:
            engine.write_clock(free_dt=self._free_dt)
        engine.write_clock(steps=self._steps)
        stepper.start(self.t)
        self._warn_of_long_step(engine, solver.dt)
        timetable = Timetable(self.t, self.t + stage.duration, configs[0].output)
        for event in timetable:
            stepper.aim(event.t)
            self._advance(stepper, event.t, timetable.end, number)
            self.t = event.t
            if event.row:
                self._record_rows(engine, number)
            if event.snapshot:
                self._record_snapshot(engine)
        self._leave(engine)
        self._steps, self._free_dt = engine.column("steps"), engine.column("free_dt")

    def _warn_of_long_step(self, engine: Engine, dt: float | None) -> None:
        """Say so when a fixed step is unstable: m is renormalised, so nothing blows up to show it."""
        limit = stable_step(engine) if dt is not None else np.inf
        if dt is not None and dt > limit:
            self.reporter.warning(
                f"the fixed step of {dt:.3g} s is longer than about {limit:.2g} s, beyond "
                "which the fastest spin waves of this mesh are unstable; shorten or remove solver.dt"
            )

    def _advance(self, stepper: RungeKutta, t_stop: float, t_end: float, number: int) -> None:
        """Step until every replica stands at ``t_stop``."""
        engine = stepper.engine
        seconds_per_step = 0.0
        while any(status == Status.RUNNING for status in engine.status()):
            count = min(stepper.steps_to_stop(), MOST_STEPS)
            if seconds_per_step > 0:
                count = max(1, min(count, int(LOOK_SECONDS / seconds_per_step)))
            before = time.perf_counter()
            stepper.steps(count)
            clock = engine.read_clock()[0]
            seconds_per_step = (time.perf_counter() - before) / count
            t, dt = float(clock[clk.column("t")]), float(clock[clk.column("free_dt")])
            failed = failed_replicas(engine)
            if failed:
                self.t = float(engine.column("t")[failed[0]])
                self._record_failure(engine, number)
                raise describe_failure(engine, failed[0])
            steps = int(clock[clk.column("steps")])
            self.reporter.running(t, t_end, dt, steps, self._last_row)
            if self.stop():
                self.t = t
                self._record_rows(engine, number)
                self._record_snapshot(engine)
                raise Interrupted(f"stopped at t = {t * 1e9:.6g} ns of {t_end * 1e9:.6g} ns")

    def _relax(self, number: int, stage: Relax, configs: Sequence[RunConfig]) -> None:
        stepper = RungeKutta(
            Model(configs, currents=stage.currents),
            self.backend,
            TABLEAUS[stage.method],
            max_error=stage.max_error,
            relax=True,
            frozen_time=self.t,
        )
        engine = self._enter(stepper.engine, number)
        least = min(LEAST_ERROR[configs[0].precision], stage.max_error)
        replicas = relax(
            stepper, stage.max_torque, stage.max_iterations, least, self._note_relaxation
        )
        self._finish_relaxation(number, stage, engine, replicas)

    def _minimize(self, number: int, stage: Minimize, configs: Sequence[RunConfig]) -> None:
        model = Model(configs, currents=False)
        minimizer = Minimizer(model, self.backend, stage.max_torque, self.t)
        engine = self._enter(minimizer.engine, number)
        replicas = minimize(minimizer, stage.max_iterations, self._note_relaxation)
        self._finish_relaxation(number, stage, engine, replicas)

    def _note_relaxation(self, progress: Progress) -> bool:
        self.reporter.relaxing(progress)
        return bool(self.stop())

    def _finish_relaxation(
        self, number: int, stage: Relax | Minimize, engine: Engine, replicas: Sequence[Progress]
    ) -> None:
        for recorder, progress in zip(self.recorders, replicas, strict=True):
            recorder.relaxation(number, progress)
        self._leave(engine)
        self._record_rows(engine, number)
        self._record_snapshot(engine)
        worst = next((progress for progress in replicas if not progress.converged), replicas[0])
        torque, count = worst.torques[-1], worst.iterations[-1]
        if worst.reason == "stopped":
            raise Interrupted(f"stopped after {count} iterations of stage {number}")
        if not worst.converged:
            raise NumericalError(
                f"{describe_stage(stage)} did not converge",
                where=f"schedule[{number}]",
                value=f"largest torque {torque:.3g} T after {count} iterations",
                allowed=f"below {stage.max_torque:.3g} T within {stage.max_iterations} iterations",
                next_step="raise max_iterations or max_torque, or start from a better initial state; "
                "the state reached is the last snapshot of the output file",
            )
        self.reporter.message(
            f"  converged by {worst.reason}: largest torque {torque:.3g} T, "
            f"energy {worst.energies[-1]:.6g} J, {count} iterations"
        )

    # ---------------------------------------------------------------- state and records

    def _enter(self, engine: Engine, number: int) -> Engine:
        """Put the present state on the device; the first time that is the initial state."""
        if self.m is None:
            self.m = np.stack([initial_state(c, engine.model) for c in self.configs])
        for replica, m in enumerate(self.m):
            engine.set_m(m, replica)
        if number == 0:
            self._record_rows(engine, number)
            self._record_snapshot(engine)
        return engine

    def _leave(self, engine: Engine) -> None:
        self.m = np.stack([engine.m(i) for i in range(len(self.configs))])

    def _record_rows(self, engine: Engine, number: int) -> None:
        engine_clock = engine.read_clock()
        sample = Sample(engine)
        names = [column.name for column in self.columns]
        steps = engine_clock[:, clk.column("steps")]
        values = {"t": np.full(len(self.configs), self.t), "step": self._steps}
        if engine_clock[0, clk.column("relax")] == 0 and steps.any():
            values["step"] = steps
        values["dt"] = engine_clock[:, clk.column("free_dt")]
        values["stage"] = np.full(len(self.configs), float(number))
        for name, observable in self._observables.items():
            found = observable.values(name, sample)
            columns = observable.columns(name, engine.model.energy_names)
            values |= {c.name: found[:, i] for i, c in enumerate(columns)}
        table = np.stack([values[name] for name in names], axis=1)
        self._last_row = dict(zip(names, table[0], strict=True))
        for recorder, row in zip(self.recorders, table, strict=True):
            recorder.rows(row[None])

    def _record_snapshot(self, engine: Engine) -> None:
        for replica, recorder in enumerate(self.recorders):
            fields = {}
            for quantity in self.configs[replica].output.snapshots.quantities:
                fields[quantity] = snapshot_field(engine, quantity, replica)
            recorder.snapshot(self.t, fields)

    def _record_failure(self, engine: Engine, number: int) -> None:
        """Keep the last good state, so that the cause can be looked at."""
        if np.isfinite(engine.m()).all():
            self._record_rows(engine, number)
            self._record_snapshot(engine)


def snapshot_field(engine: Engine, quantity: str, replica: int) -> NDArray[Any]:
    """Return the field of a snapshot: ``m``, ``B_<term>`` [T] or ``e_<term>`` [J/m^3]."""
    if quantity == "m":
        return engine.m(replica)
    kind, _, term = quantity.partition("_")
    field, density = engine.term_field(term, replica)
    return field if kind == "B" else density


def initial_state(config: RunConfig, model: Model) -> NDArray[np.float64]:
    """Return the initial magnetization, shape ``(3, nz, ny, nx)``, 0 in empty cells."""
    rng = np.random.default_rng(config.seed)
    regions = Regions(model.region, model.region_names)
    return initial_magnetization(
        config.initial, model.mesh, rng, regions=regions, filled=model.magnetic
    )


def describe_stage(stage: Stage) -> str:
    """Return a stage in words: ``run for 5 ns``."""
    if isinstance(stage, Run):
        return f"run for {stage.duration * 1e9:.6g} ns"
    return type(stage).__name__.lower()
