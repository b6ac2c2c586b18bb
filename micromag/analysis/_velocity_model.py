"""The one-dimensional model beside measured velocities: at the points, and as a curve between them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from micromag.analysis._track import follow
from micromag.analysis._wall_equations import Course, Wall, course, trajectory, turns
from micromag.analysis._wall_pushes import Drive
from micromag.errors import MicromagError

if TYPE_CHECKING:
    from micromag.analysis._velocities import Curve, Point, Track
    from micromag.output.runfile import RunFile

FloatArray = NDArray[np.float64]

SAMPLES = 80
"""Points of a model curve, beside those where it is measured."""
NEAR = (-0.3, -0.03, -1e-3, 1e-2, 0.05, 0.2, 0.5)
"""Further points about a breakdown, where the velocity has a kink, in spacings of the others."""
BISECTIONS = 24
"""Halvings that find where the model's wall begins to turn."""
NOTABLE = 0.99
"""A mesh that leaves less than this of the gradients gets a line of its own."""
MOST_BREAKDOWNS = 2
"""A wall begins to turn once in each sense of what drives it."""
AT_ONCE = 1e-6
"""A wall that turns from this part of the largest abscissa on turns at any."""
FROM_REST = 0.5
"""A sweep whose smallest value is not above this part of its largest is shown from 0 on."""


def with_model(curve: Curve, runs: Mapping[int, RunFile], after: float) -> Curve:
    """Return a curve with what the one-dimensional model says of it, or with why there is none."""
    # The engine's side of the program lies above this one: see ignore_imports in pyproject.toml.
    from micromag.wall_model import drive_of, is_relaxed, texture_of, wall_of

    usable = [(p, p.track) for p in curve.points if p.track is not None and math.isfinite(p.value)]
    if not usable:
        return curve
    try:
        drives = {p.number: drive_of(runs[p.number], track.stage) for p, track in usable}
        walls: dict[str, Wall] = {}
        model: dict[int, float] = {}
        # The wall under the weakest drive is the one that says least of the drive.
        for p, track in sorted(usable, key=lambda pair: abs(pair[0].value)):
            run = runs[p.number]
            texture = texture_of(run, track.stage)
            if texture not in walls:
                walls[texture] = wall_of(run, track.stage)
            model[p.number] = _velocity(walls[texture], drives[p.number], run, track, after)
        points = tuple(replace(p, model=model.get(p.number, math.nan)) for p in curve.points)
        relaxed = all(is_relaxed(runs[p.number], track.stage) for p, track in usable)
        curve = replace(curve, points=points, relaxed=relaxed)
        wall = next(iter(walls.values()))
        if len(walls) > 1 or not all(drive.is_constant for drive in drives.values()):
            return replace(curve, line=_joined(points))
        curve = replace(curve, width=wall.width, hard_axis=wall.hard_axis, dmi=wall.dmi)
        along = {p.value: drives[p.number] for p, _ in usable}
        h = runs[usable[0][0].number].mesh.cell_size[0]
        return _with_lines(curve, wall, along, 1 - h**2 / (6 * wall.width**2))
    except MicromagError as error:
        return replace(curve, note=error.what)
    except ValueError as error:
        return replace(curve, note=str(error))


def _velocity(wall: Wall, drive: Drive, run: RunFile, track: Track, after: float) -> float:
    """Return the model's final velocity; of a drive in time, what the same fit finds of its x(t)."""
    from micromag.wall_model import start_of

    if drive.is_constant:
        return course(wall, drive).velocity
    x, angle = trajectory(wall, drive, track.t, start_of(run, track.stage))
    return follow(track.t, x, angle, after=after, width=wall.width).velocity


def _joined(points: tuple[Point, ...]) -> FloatArray:
    pairs = [(p.value, p.model) for p in points if math.isfinite(p.model)]
    return np.array(pairs).reshape(-1, 2).T


def _with_lines(curve: Curve, wall: Wall, drives: Mapping[float, Drive], factor: float) -> Curve:
    line, breakdowns = _line(wall, drives)
    curve = replace(curve, line=line, breakdowns=breakdowns)
    if factor < NOTABLE and any(push.u for drive in drives.values() for push in drive.at(0.0)):
        coarse = {value: drive.on_mesh(factor) for value, drive in drives.items()}
        curve = replace(curve, mesh_line=_line(wall, coarse)[0])
    return curve


def _line(wall: Wall, drives: Mapping[float, Drive]) -> tuple[FloatArray, tuple[float, ...]]:
    """Return the curve through the drives of the points, and where its wall begins to turn.

    Between two points everything that drives the wall is taken as linear in the abscissa.
    """
    values = sorted(drives)

    def between(value: float) -> Drive:
        k = int(np.clip(np.searchsorted(values, value) - 1, 0, max(len(values) - 2, 0)))
        a, b = values[k], values[min(k + 1, len(values) - 1)]
        return drives[a].between(drives[b], (value - a) / (b - a) if b > a else 0.0)

    def at(value: float) -> Course:
        return course(wall, between(value))

    low, high = values[0], values[-1]
    if len(values) > 1:
        low = 0.0 if 0 < low <= FROM_REST * high else low
        high = 0.0 if 0 > high >= FROM_REST * low else high
    zero = [0.0] if low < 0 < high else []
    asked = [float(v) for v in np.unique([*np.linspace(low, high, SAMPLES), *values, *zero])]
    found = {value: at(value) for value in asked}
    breakdowns = []
    for a, b in pairwise(asked):
        if found[a].turning != found[b].turning:
            edge = _edge(lambda value: turns(wall, between(value)), a, b, found[a].turning)
            if abs(edge) < AT_ONCE * max(abs(low), abs(high)):
                edge = 0.0
            breakdowns.append(edge)
            around = [edge + part * (b - a) for part in NEAR]
            found |= {value: at(value) for value in around if low <= value <= high}
    nearest = sorted(set(breakdowns), key=abs)[:MOST_BREAKDOWNS]
    line = np.array([[v, found[v].velocity] for v in sorted(found)]).T
    return line, tuple(sorted(nearest))


def _edge(turning: Callable[[float], bool], a: float, b: float, at_a: bool) -> float:
    """Return where the wall begins, or ceases, to turn between two abscissas."""
    for _ in range(BISECTIONS):
        middle = (a + b) / 2
        a, b = (middle, b) if turning(middle) == at_a else (a, middle)
    return (a + b) / 2
