"""Oscillations of every run of a sweep, sorted into curves, each with the macrospin's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micromag.analysis._macrospin import direction_of, path
from micromag.analysis._rows import column_of, last_stage, rows_of_stage
from micromag.analysis._spectra import Line, line_of, spectrum
from micromag.analysis._sweep_curves import abscissa, component, label_of, name_of, value_of
from micromag.errors import AnalysisError, MicromagError
from micromag.plot.writing import write_rows

if TYPE_CHECKING:
    from micromag.output.runfile import RunFile
    from micromag.output.sweep_file import SweepFile

FloatArray = NDArray[np.float64]

WHERE = "analysis.spectrum"
AXES = {"m_x": 0, "m_y": 1, "m_z": 2}
FEWEST_ROWS = 16
UNEVEN = 1e-3
"""Part of a step of the table by which steps may differ."""


@dataclass(frozen=True)
class Point:
    """One replica of a sweep: what was swept, its spectrum, and the strongest lines.

    Attributes
    ----------
    frequencies, amplitudes
        The spectrum [Hz], [unit of the column]; None where nothing is known.
    line, model
        What oscillates most in the run and in its macrospin; None where nothing does.
    """

    number: int
    label: str
    status: str
    coordinates: Mapping[str, Any]
    value: float
    frequencies: FloatArray | None = None
    amplitudes: FloatArray | None = None
    line: Line | None = None
    model: Line | None = None
    note: str = ""


@dataclass(frozen=True)
class Curve:
    """Points that differ in the abscissa alone, ascending; ``note`` says why there is no model."""

    label: str
    points: tuple[Point, ...]
    note: str = ""


@dataclass(frozen=True)
class Oscillations:
    """All curves of a sweep against one key: its path, short name and unit."""

    against: str
    name: str
    unit: str
    column: str
    curves: tuple[Curve, ...]

    @property
    def points(self) -> list[Point]:
        """All points by the number of their replica."""
        return sorted((p for c in self.curves for p in c.points), key=lambda p: p.number)


def series_of(
    run: RunFile, column: str, stage: int, after: float | None
) -> tuple[FloatArray, FloatArray]:
    """Return times [s] and values of the rows that count; raises AnalysisError.

    There must be rows enough, at even steps, all of them numbers.
    """
    values = column_of(run, column, WHERE)
    rows, begin = rows_of_stage(run, stage)
    t = np.asarray(run.table["t"][rows], dtype=np.float64)
    skip = (t[-1] - begin) / 2 if after is None and len(t) else after or 0.0
    rows, t = rows[t >= begin + skip], t[t >= begin + skip]
    if len(t) < FEWEST_ROWS:
        raise AnalysisError(
            f"too few rows of stage {stage} for a spectrum",
            where=WHERE,
            value=f"{len(t)} rows",
            allowed=f"at least {FEWEST_ROWS}",
            next_step="shorten output.table.every, lengthen the run or lower 'after'",
        )
    steps = np.diff(t)
    if np.ptp(steps) > UNEVEN * steps.mean():
        raise AnalysisError(
            "the rows of the table are not at even steps of time",
            where=WHERE,
            value=f"{steps.min() * 1e12:.4g} to {steps.max() * 1e12:.4g} ps",
            next_step="let output.table.every divide the time of the stage",
        )
    if not np.isfinite(values[rows]).all():
        raise AnalysisError(f"{column} is not known in all rows", where=WHERE)
    return t, values[rows]


def model_line(run: RunFile, column: str, stage: int, after: float | None) -> Line | None:
    """Return the strongest line of the run's macrospin, from the mean magnetization at the start on.

    Raises AnalysisError (NoModelError) where there is no macrospin of the run.
    """
    # The engine's side of the program lies above this one: see ignore_imports in pyproject.toml.
    from micromag.macrospin_model import parts_from

    if column not in AXES:
        raise AnalysisError(f"{column} is no component of the mean magnetization", where=WHERE)
    [part, *_] = parts_from(run, stage)
    first = rows_of_stage(run, stage)[0][0]
    m = np.array([column_of(run, name, WHERE)[first] for name in AXES])
    t, _ = series_of(run, column, stage, after)
    y = path(part, direction_of(m, WHERE), t)[:, AXES[column]]
    return line_of(t, y)


def measure_sweep(
    sweep: SweepFile, column: str, stage: int | None, after: float | None, against: str | None
) -> Oscillations:
    """Return the oscillations of all replicas; raises AnalysisError where ``against`` was not swept."""
    key = abscissa(sweep, against, WHERE)
    which = component(sweep, key)
    groups: dict[str, list[Point]] = {}
    notes: dict[str, str] = {}
    for replica in sweep.replicas:
        label = label_of(sweep, replica, key)
        point = Point(
            replica.number, replica.label, replica.status, replica.coordinates,
            value_of(replica, key, which, WHERE), note=replica.message,
        )  # fmt: skip
        try:
            run = sweep.run(replica.number)
            number = last_stage(run, stage)
            t, y = series_of(run, column, number, after)
            frequencies, amplitudes = spectrum(t, y)
            point = replace(
                point, frequencies=frequencies, amplitudes=amplitudes, line=line_of(t, y)
            )
            point = replace(point, model=model_line(run, column, number, after))
        except MicromagError as error:
            if point.amplitudes is None:
                point = replace(point, note=point.note or error.what)
            else:
                notes.setdefault(label, error.what)
        groups.setdefault(label, []).append(point)
    curves = tuple(
        Curve(label, tuple(sorted(points, key=lambda p: (p.value, p.number))), notes.get(label, ""))
        for label, points in groups.items()
    )
    name, unit = name_of(sweep, key)
    return Oscillations(key, name, unit, column, curves)


# ------------------------------------------------------------------------------------ spectrum.csv


def write_csv(found: Oscillations, path: Path) -> None:
    """Write one row per replica, by number; raises MicromagError if the disk refuses."""
    keys = list(dict.fromkeys(key for p in found.points for key in p.coordinates))
    head = [
        "replica", "status", *keys, "frequency (Hz)", "amplitude", "growth (1/s)", "model_frequency (Hz)",
        "model_amplitude", "model_growth (1/s)", "note",
    ]  # fmt: skip
    rows = []
    for curve in found.curves:
        for p in curve.points:
            own, model = (
                ["", "", ""] if line is None else [line.frequency, line.amplitude, line.growth]
                for line in (p.line, p.model)
            )
            given = [p.coordinates.get(key, "") for key in keys]
            rows.append([p.number, p.status, *given, *own, *model, p.note or curve.note])
    write_rows(path, head, sorted(rows, key=lambda row: row[0]))
