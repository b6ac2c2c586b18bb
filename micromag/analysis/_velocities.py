"""Velocities of the walls of a sweep, sorted into curves, each with the one-dimensional model's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micromag.analysis._rows import column_of, last_stage, rows_of_stage
from micromag.analysis._sweep_curves import SweptPoint, abscissa, by_number, measured_points
from micromag.analysis._track import Motion, follow
from micromag.errors import AnalysisError, MicromagError
from micromag.plot.writing import write_rows

if TYPE_CHECKING:
    from micromag.output.runfile import RunFile
    from micromag.output.sweep_file import SweepFile

FloatArray = NDArray[np.float64]

WHERE = "analysis.wall_velocity"


@dataclass(frozen=True)
class Track:
    """Rows of a wall in one stage: time from its start [s], position [m], width Delta [m]."""

    t: FloatArray
    x: FloatArray
    angle: FloatArray | None
    width: float
    stage: int


@dataclass(frozen=True)
class Point(SweptPoint):
    """One replica: what was swept, how its wall moves, and what the model says of it.

    Attributes
    ----------
    number, label, status, coordinates
        Of the replica.
    value
        Of the abscissa.
    J, u
        Current density along x [A/m^2] and drift velocity [m/s]; NaN without.
    track, motion
        The wall's way and its velocity; None where there is no wall to follow.
    model
        Velocity [m/s] of the one-dimensional model, NaN without one.
    note
        Why something is missing; else what the replica's own message says.
    """

    J: float = math.nan
    u: float = math.nan
    track: Track | None = None
    motion: Motion | None = None
    model: float = math.nan


@dataclass(frozen=True)
class Curve:
    """Points that differ in the abscissa alone (or in the seed).

    Attributes
    ----------
    label
        What sets it apart from the others; empty for a single one.
    points
        By ascending abscissa.
    line
        Abscissa and velocity [m/s] of the model, shape (2, n); n = 0 without one.
    mesh_line
        The same with gradients as the mesh takes them, where that makes a difference.
    breakdowns
        Abscissas from which on the model's wall turns for ever (or until which, if negative), two
        at most; 0 where nothing holds the angle.
    width, hard_axis, dmi
        Of the wall at rest: Delta [m], Kp [J/m^3] and |D| [J/m^2]; NaN without.
    relaxed
        Whether every run had a stage of relaxation before, so that these are those of a wall at rest.
    note
        Why there is no model.
    """

    label: str
    points: tuple[Point, ...]
    line: FloatArray = field(default_factory=lambda: np.empty((2, 0)))
    mesh_line: FloatArray = field(default_factory=lambda: np.empty((2, 0)))
    breakdowns: tuple[float, ...] = ()
    width: float = math.nan
    hard_axis: float = math.nan
    dmi: float = math.nan
    relaxed: bool = True
    note: str = ""

    def bracket(self, before: Iterable[str], beyond: Iterable[str]) -> list[tuple[float, float]]:
        """Return between which abscissas one kind of motion gives way to another, for each sign."""
        found = []
        for sign in (1, -1):
            side = [p for p in self.points if p.motion and sign * p.value > 0]
            low = [abs(p.value) for p in side if p.motion and p.motion.kind in before]
            high = [abs(p.value) for p in side if p.motion and p.motion.kind in beyond]
            above = [value for value in high if not low or value > max(low)]
            if low and above and min(high) > max(low):
                found.append((sign * max(low), sign * min(above)))
        return found


@dataclass(frozen=True)
class Velocities:
    """All curves of a sweep.

    Attributes
    ----------
    against
        Key path of the abscissa; empty where nothing that was swept is a number.
    name
        Its short name.
    units
        Of every swept key.
    curves
        In the order of the sweep.
    u_per_J
        Drift velocity per current density [m^3/C], where all runs share it; else NaN.
    """

    against: str
    name: str
    units: Mapping[str, str]
    curves: tuple[Curve, ...]
    u_per_J: float

    @property
    def unit(self) -> str:
        """Unit of the abscissa."""
        return self.units.get(self.against, "")

    @property
    def points(self) -> list[Point]:
        """All points by the number of their replica."""
        return by_number(p for curve in self.curves for p in curve.points)


def track_of(run: RunFile, stage: int | None, part: str | None = None) -> Track:
    """Return the way of a wall in a stage; raises AnalysisError without its position."""
    suffix = f"@{part}" if part else ""
    position = column_of(run, f"wall_position{suffix}", WHERE)
    number = last_stage(run, stage)
    rows, begin = rows_of_stage(run, number)
    widths = run.table.get(f"wall_width{suffix}")
    width = math.nan
    if widths is not None and np.isfinite(widths[rows]).any():
        width = float(np.nanmedian(widths[rows]))
    angle = run.table.get(f"wall_angle{suffix}")
    return Track(
        np.asarray(run.table["t"][rows] - begin, dtype=np.float64),
        position[rows],
        None if angle is None else np.asarray(angle[rows], dtype=np.float64),
        width,
        number,
    )


def motion_of(run: RunFile, track: Track, after: float) -> Motion:
    """Return how the wall moves from ``after`` on; raises AnalysisError if it cannot be said."""
    # Without the width a cell is the scale: walls are resolved by a few of them.
    scale = track.width if math.isfinite(track.width) else 3 * run.mesh.cell_size[0]
    motion = follow(track.t, track.x, track.angle, after=after, width=scale)
    if math.isfinite(motion.velocity):
        return motion
    if motion.kind == "lost":
        raise AnalysisError(
            "there is no wall in the magnet any more",
            where=WHERE,
            value=f"from t = {motion.end * 1e9:.4g} ns of the stage on"
            if math.isfinite(motion.end)
            else "from the start of the stage on",
            next_step="shorten the run, lower the current or lengthen the mesh",
        )
    raise AnalysisError(
        "too few rows to fit a velocity",
        where=WHERE,
        value=f"{int((track.t >= after).sum())} rows of stage {track.stage}, "
        f"{after * 1e9:.4g} ns after its start",
        allowed="at least 4",
        next_step="shorten output.table.every or analysis.wall_velocity.after",
    )


def measure_sweep(
    sweep: SweepFile, *, stage: int | None, after: float, against: str | None, part: str | None
) -> Velocities:
    """Return the velocities of all replicas, sorted into curves.

    Raises AnalysisError when ``against`` was not swept, or is no number.
    """
    from micromag.analysis._velocity_model import with_model

    key = abscissa(sweep, against, WHERE)
    names = {k: name for axis in sweep.axes for k, name in axis.variables.items()}
    units = {k: unit for axis in sweep.axes for k, unit in axis.units.items()}
    groups, runs = measured_points(
        sweep, key, WHERE, Point, lambda point, run: _measured(point, run, stage, after, part)
    )
    curves = []
    for label, points in groups.items():
        curve = Curve(label, points)
        if part is None:
            curve = with_model(curve, runs, after)
        curves.append(curve if part is None else replace(curve, note="it is of the whole magnet"))
    name = names.get(key, "replica")
    return Velocities(key, name, units, tuple(curves), _u_per_J(curves))


def _u_per_J(curves: Sequence[Curve]) -> float:
    points = [p for c in curves for p in c.points]
    ratios = np.array([p.u / p.J for p in points if p.J])
    ratios = ratios[np.isfinite(ratios)]
    return float(ratios[0]) if len(ratios) and np.allclose(ratios, ratios[0]) else math.nan


# ---------------------------------------------------------------------------------- measuring


def _measured(
    point: Point, run: RunFile, stage: int | None, after: float, part: str | None
) -> Point:
    """Return a replica's point with the motion of its wall, or a note why there is none."""
    # The engine's side of the program lies above this one: see ignore_imports in pyproject.toml.
    from micromag.wall_model import current_of

    try:
        track = track_of(run, stage, part)
        J, u = current_of(run, track.stage)
        point = replace(point, track=track, J=J, u=u)
        return replace(point, motion=motion_of(run, track, after))
    except MicromagError as error:
        return replace(point, note=point.note or error.what)


# ---------------------------------------------------------------------------------- velocity.csv


def remark(motion: Motion | None) -> str:
    """Return why a velocity is not that of a steady state, "" where it is."""
    if motion is None:
        return ""
    return {"unsettled": "not a steady state", "lost": "the wall left the magnet"}.get(
        motion.kind, ""
    )


def write_csv(velocities: Velocities, path: Path) -> None:
    """Write one row per replica, by number; raises MicromagError if the disk refuses."""
    keys = list(dict.fromkeys(key for p in velocities.points for key in p.coordinates))
    units = velocities.units
    titles = [
        f"{key} ({units[key]})" if units.get(key) not in ("", "1", None) else key for key in keys
    ]
    head = [
        "replica", "status", *titles, "J_x (A/m^2)", "u_x (m/s)", "velocity (m/s)",
        "standard_error (m/s)", "motion", "period (s)", "periods", "lowest (m/s)", "highest (m/s)",
        "from (s)", "until (s)", "displacement (m)", "model_velocity (m/s)", "note",
    ]  # fmt: skip
    rows = []
    for p in velocities.points:
        motion = p.motion
        measured: list[Any] = [""] * 10
        if motion is not None:
            measured = [
                motion.velocity, motion.error, motion.kind, motion.period, motion.periods,
                motion.lowest, motion.highest, motion.begin, motion.end, motion.displacement,
            ]  # fmt: skip
        given = [p.coordinates.get(key, "") for key in keys]
        rows.append(
            [p.number, p.status, *given, p.J, p.u, *measured, p.model, p.note or remark(motion)]
        )
    write_rows(path, head, rows)
