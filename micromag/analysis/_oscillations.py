"""Oscillations of every run of a sweep, sorted into curves, each with the macrospin's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from micromag.analysis._macrospin import direction_of, path
from micromag.analysis._rows import column_of, last_stage, late_rows, rows_of_stage
from micromag.analysis._spectra import Line, line_of, spectrum
from micromag.analysis._sweep_curves import (
    SweptPoint,
    abscissa,
    by_number,
    measured_points,
    name_of,
)
from micromag.errors import AnalysisError
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
class Point(SweptPoint):
    """One replica of a sweep: its spectrum, and the strongest lines.

    Attributes
    ----------
    frequencies, amplitudes
        The spectrum [Hz], [unit of the column]; None where nothing is known.
    line, model
        What oscillates most in the run and in its macrospin; None where nothing does.
    model_note
        Why there is no macrospin.
    """

    frequencies: FloatArray | None = None
    amplitudes: FloatArray | None = None
    line: Line | None = None
    model: Line | None = None
    model_note: str = ""


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
        return by_number(p for curve in self.curves for p in curve.points)


def series_of(
    run: RunFile, column: str, stage: int, after: float | None
) -> tuple[FloatArray, FloatArray]:
    """Return times [s] and values of the rows that count; raises AnalysisError.

    There must be rows enough, at even steps, all of them numbers.
    """
    values = column_of(run, column, WHERE)
    rows, t = late_rows(run, stage, after, FEWEST_ROWS, WHERE)
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

    def measured(point: Point, run: RunFile) -> Point:
        number = last_stage(run, stage)
        t, y = series_of(run, column, number, after)
        frequencies, amplitudes = spectrum(t, y)
        point = replace(point, frequencies=frequencies, amplitudes=amplitudes, line=line_of(t, y))
        try:
            return replace(point, model=model_line(run, column, number, after))
        except AnalysisError as error:
            return replace(point, model_note=error.what)

    key = abscissa(sweep, against, WHERE)
    groups, _ = measured_points(sweep, key, WHERE, Point, measured)
    curves = tuple(
        Curve(label, points, next((p.model_note for p in points if p.model_note), ""))
        for label, points in groups.items()
    )
    return Oscillations(key, *name_of(sweep, key), column, curves)


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
