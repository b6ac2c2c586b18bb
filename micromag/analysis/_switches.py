"""Switching of every run of a sweep, sorted into curves, each with the macrospin's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from micromag.analysis._macrospin import Macrospin, direction_of, passage, threshold
from micromag.analysis._rows import column_of, rows_of_stage
from micromag.analysis._sweep_curves import (
    DRIVES,
    SweptPoint,
    abscissa,
    by_number,
    measured_points,
    name_of,
)
from micromag.errors import AnalysisError, MicromagError
from micromag.observables.base import MARK
from micromag.plot.writing import write_rows

if TYPE_CHECKING:
    from micromag.output.runfile import RunFile
    from micromag.output.sweep_file import SweepFile

FloatArray = NDArray[np.float64]

WHERE = "analysis.switching"
AXES = {"m_x": 0, "m_y": 1, "m_z": 2}
LEAST = 0.1
"""A magnet with a smaller component than this is on neither side."""


@dataclass(frozen=True)
class Switch:
    """What a component of the mean magnetization does from the start of a stage on.

    Attributes
    ----------
    begin, end
        Its value at the start of the stage, and in the last row of the run.
    time
        When it first passes 0, from the start of the stage [s]; NaN if it does not.
    """

    begin: float
    end: float
    time: float

    @property
    def switched(self) -> bool:
        """Whether it ends on the other side."""
        return self.begin * self.end < 0


@dataclass(frozen=True)
class Point(SweptPoint):
    """One replica of a sweep: what it does, and what its macrospin does."""

    found: Switch | None = None
    model: Switch | None = None


@dataclass(frozen=True)
class Curve:
    """Points that differ in the abscissa alone (or in the seed).

    Attributes
    ----------
    label
        What sets it apart from the others; empty for a single one.
    points
        By ascending abscissa.
    thresholds
        Abscissas at which a slowly driven macrospin becomes unstable, at most one of each sign.
    note
        Why there is no model.
    """

    label: str
    points: tuple[Point, ...]
    thresholds: tuple[float, ...] = ()
    note: str = ""

    def side(self, sign: int) -> list[Point]:
        """Return the points of one sign of the abscissa that are known, outwards."""
        there = [p for p in self.points if p.found is not None and sign * p.value > 0]
        return sorted(there, key=lambda p: abs(p.value))

    def threshold(self, sign: int) -> float | None:
        """Return the threshold of one sign."""
        return next((value for value in self.thresholds if sign * value > 0), None)


@dataclass(frozen=True)
class Switches:
    """All curves of a sweep against one key: its path, short name and unit."""

    against: str
    name: str
    unit: str
    column: str
    curves: tuple[Curve, ...]

    @property
    def points(self) -> list[Point]:
        """All points by the number of their replica."""
        return by_number(p for curve in self.curves for p in curve.points)


def switch_of(run: RunFile, column: str, stage: int) -> Switch:
    """Return what a run's column does from a stage on; raises AnalysisError where it cannot be said."""
    y = column_of(run, column, WHERE)
    rows, begin = rows_of_stage(run, stage)
    if not len(rows) or not (run.table["stage"] == stage).any():
        raise AnalysisError(f"the table has no row of stage {stage}", where=WHERE)
    y, t = y[rows[0] :], run.table["t"][rows[0] :] - begin
    if abs(y[0]) < LEAST:
        raise AnalysisError(
            f"{column} is on neither side of 0 at the start of stage {stage}",
            where=WHERE,
            value=f"{y[0]:.3g}",
            next_step="name another column or stage, or start from another state",
        )
    other = np.flatnonzero(y * np.sign(y[0]) <= 0)
    time = math.nan
    if len(other):
        k = int(other[0])
        time = float(t[k - 1] + (t[k] - t[k - 1]) * y[k - 1] / (y[k - 1] - y[k]))
    return Switch(float(y[0]), float(y[-1]), time)


def model_of(run: RunFile, column: str, stage: int) -> Switch:
    """Return what the run's macrospin does from its mean magnetization on.

    Raises AnalysisError (NoModelError) where there is no macrospin of the run.
    """
    # The engine's side of the program lies above this one: see ignore_imports in pyproject.toml.
    from micromag.macrospin_model import parts_from

    if MARK in column:
        raise AnalysisError(f"{column} is of a part of the magnet", where=WHERE)
    m = start_of(run, stage)
    time, end = passage(parts_from(run, stage), m, AXES[column])
    return Switch(float(m[AXES[column]]), end, time)


def components_of(column: str) -> tuple[str, ...]:
    """Return all components of the mean that a column belongs to: of ``m_z@free`` in the region free."""
    part = column.partition(MARK)[2]
    return tuple(f"{name}{MARK}{part}" if part else name for name in AXES)


def start_of(run: RunFile, stage: int) -> FloatArray:
    """Return the direction of the mean magnetization at the start of a stage, shape (3,)."""
    first = rows_of_stage(run, stage)[0][0]
    m = np.array([column_of(run, name, WHERE)[first] for name in AXES])
    return direction_of(m, WHERE)


def measure_sweep(
    sweep: SweepFile, *, column: str, stage: int | None, against: str | None
) -> Switches:
    """Return the switching of all replicas; raises AnalysisError where ``against`` was not swept."""

    def measured(point: Point, run: RunFile) -> Point:
        return replace(point, found=switch_of(run, column, first_run(run, stage)))

    key = abscissa(sweep, against, WHERE)
    name, unit = name_of(sweep, key)
    groups, runs = measured_points(sweep, key, WHERE, Point, measured)
    curves = [
        _with_model(Curve(label, points), runs, column, stage, unit)
        for label, points in groups.items()
    ]
    return Switches(key, name, unit, column, tuple(curves))


def first_run(run: RunFile, stage: int | None) -> int:
    """Return the number of the stage that was asked for, by default the first in which time goes on."""
    if stage is not None:
        return stage
    stages, t = run.table["stage"], run.table["t"]
    going = np.flatnonzero(t > t.min(initial=np.inf))
    return int(stages[going[0]]) if len(going) else int(stages.max(initial=0))


# --------------------------------------------------------------------------------------- model


def _with_model(
    curve: Curve, runs: Mapping[int, RunFile], column: str, stage: int | None, unit: str
) -> Curve:
    known = [p for p in curve.points if p.found is not None]
    try:
        models = {
            p.number: model_of(r := runs[p.number], column, first_run(r, stage)) for p in known
        }
        lost = _thresholds(known, runs, stage) if unit in DRIVES else ()
    except MicromagError as error:
        return replace(curve, note=error.what)
    points = tuple(replace(p, model=models.get(p.number)) for p in curve.points)
    return replace(curve, points=points, thresholds=lost)


def _thresholds(
    known: Sequence[Point], runs: Mapping[int, RunFile], stage: int | None
) -> tuple[float, ...]:
    """Return at which values the macrospin becomes unstable that rests in the start's state."""
    from micromag.macrospin_model import macrospin_of, parts_from

    values = sorted({p.value for p in known if math.isfinite(p.value)})
    if len(values) < 2:
        return ()
    spins = {}
    for value in values:
        run = runs[next(p.number for p in known if p.value == value)]
        number = first_run(run, stage)
        spins[value] = macrospin_of(run, number).held(parts_from(run, number)[0].end)
    start = start_of(run, number)

    def at(value: float) -> Macrospin:
        k = int(np.clip(np.searchsorted(values, value), 1, len(values) - 1))
        low, high = values[k - 1], values[k]
        return spins[low].between(spins[high], (value - low) / (high - low))

    ends = [end for end in (values[0], values[-1]) if end != 0]
    if len(ends) == 2 and ends[0] * ends[1] > 0:
        ends = [max(ends, key=abs)]
    found = [threshold(at, start, 0.0, end) for end in ends]
    return tuple(value for value in found if value is not None)


# ------------------------------------------------------------------------------------ switching.csv


def write_csv(found: Switches, path: Path) -> None:
    """Write one row per replica, by number; raises MicromagError if the disk refuses."""
    keys = list(dict.fromkeys(key for p in found.points for key in p.coordinates))
    column = found.column
    head = [
        "replica", "status", *keys, "switched", "time (s)", f"{column} before", f"{column} at the end",
        "model_switched", "model_time (s)", f"model_{column} at the end", "model_threshold", "note",
    ]  # fmt: skip
    rows = []
    for curve in found.curves:
        for p in curve.points:
            s, model = p.found, p.model
            limit = curve.threshold(1 if p.value > 0 else -1)
            rows.append(
                [
                    p.number, p.status, *(p.coordinates.get(key, "") for key in keys),
                    *(["", "", "", ""] if s is None else [_word(s), s.time, s.begin, s.end]),
                    *(["", "", ""] if model is None else [_word(model), model.time, model.end]),
                    "" if limit is None else limit, p.note or curve.note,
                ]
            )  # fmt: skip
    write_rows(path, head, sorted(rows, key=lambda row: row[0]))


def _word(switch: Switch) -> str:
    return "yes" if switch.switched else "no"
