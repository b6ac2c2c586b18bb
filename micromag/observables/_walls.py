"""Finds the walls in a profile of the magnetization along x, follows one, and measures it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from micromag.backend.base import Chunks, DeviceArray, Items, Program
from micromag.observables.base import Part, Sample

FloatArray = NDArray[np.float64]

_ROWS_PER_PIECE = 16
_MOST_PIECES = 256
_SPEC = 5
"""Numbers about a wall that the kernels are given; see ``kernels/wall.h``."""
_ROW_SUMS = 8
_LEAST_CONTRAST = 0.5
"""Domains whose mean m differs by less are none."""
_UNDECIDED = 0.25
"""Cells with less than this share of the largest value belong to no domain."""
_REACH = 0.99
"""The profile's range, -1 to 1 from domain to domain, that certainly belongs to the wall."""
_LEAST_MARGIN = 4
_PLATEAU = 0.9
"""The quantile of m in a domain that stands for the domain: its walls and its ends lie below."""


@dataclass(frozen=True)
class Wall:
    """A wall in the profile of one replica.

    Attributes
    ----------
    place
        Where the profile is zero, as a fractional number of cells along x.
    component
        Component of m that changes sign, 0 to 2.
    left, right
        Its values in the domains on either side.
    low, high
        First and last cell of the wall, with a margin.
    """

    place: float
    component: int
    left: float
    right: float
    low: int
    high: int

    @property
    def rising(self) -> bool:
        """Whether the component grows with x."""
        return self.right > self.left

    @property
    def spec(self) -> list[float]:
        """What ``kernels/wall.h`` calls WallSpec."""
        return [self.low, self.high, self.component, self.left, self.right]


@dataclass(frozen=True)
class Trail:
    """What is remembered of a wall that is followed: all walls of its kind, and which one it is.

    A kind is the component that changes sign and the sense in which it does; walls of one kind have
    one of another kind between them. Places [m] are in the laboratory.
    """

    component: int
    rising: bool
    places: tuple[float, ...]
    followed: float


@dataclass(frozen=True)
class Walls:
    """The walls that are followed, one entry per replica, NaN where there is none.

    Attributes
    ----------
    position, width, tilt, angle
        See `micromag.observables.domain_wall.DomainWall`; positions in the laboratory.
    spec
        What the kernels are told of each, shape ``(replica, 5)``.
    """

    position: FloatArray
    width: FloatArray
    tilt: FloatArray
    angle: FloatArray
    spec: FloatArray


def followed_walls(sample: Sample, part: Part) -> Walls:
    """Return the walls that are followed in a part of the magnet."""
    return sample.once(("walls", part), lambda: _measure(sample, part))


def velocity(sample: Sample, part: Part) -> FloatArray:
    """Return the velocity of the walls that are followed [m/s], shape ``(replica,)``."""
    engine = sample.engine
    program, spec, result = engine.prepared(
        ("wall motion", part.region), lambda: _motion(sample, part)
    )
    engine.backend.write(spec, followed_walls(sample, part).spec)
    engine.refresh()
    program.run()
    first, count = _rows(sample, part)
    sums = engine.backend.download(result)[:, first : first + count]
    rates, changes = np.ascontiguousarray(np.moveaxis(sums, 2, 0)).sum(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = -engine.model.mesh.cell_size[0] * rates / changes
    return np.where(changes != 0, found, np.nan)


def _motion(sample: Sample, part: Part) -> tuple[Program, DeviceArray, DeviceArray]:
    """Return what sums up dm/dt in every row, where it reads about the walls, and its result."""
    engine, backend = sample.engine, sample.engine.backend
    (nx, ny, nz), replicas = engine.model.mesh.cells, engine.model.replicas
    spec = backend.zeros((replicas, _SPEC), np.float64)
    result = backend.zeros((replicas, ny * nz, 2), np.float64)
    command = (
        engine.module("wall_motion.cu")
        .kernel("wall_motion")
        .bind(
            Chunks(nx, ny, nz, replicas, ny * nz),
            *engine.arguments(),
            *engine.chosen(sample.region_number(part)),
            spec,
            result,
        )
    )
    return backend.program([command]), spec, result


def _rows(sample: Sample, part: Part) -> tuple[int, int]:
    """Return the first x-row of a part and how many there are."""
    _, ny, nz = sample.engine.model.mesh.cells
    return (0, ny * nz) if part.layer is None else (part.layer * ny, ny)


def _measure(sample: Sample, part: Part) -> Walls:
    spec = np.tile([0.0, -1.0, 0.0, 0.0, 0.0], (sample.engine.model.replicas, 1))
    for replica, sums in enumerate(profiles(sample, part)):
        wall = _follow(sample, part, replica, sums) if sample.due[replica] else None
        if wall is not None:
            spec[replica] = wall.spec
    return _fit(sample, spec, _row_sums(sample, part, spec))


# -------------------------------------------------------------------- from the device


def profiles(sample: Sample, part: Part) -> FloatArray:
    """Return the sums of m and the number of cells at every x, shape ``(replica, 4, nx)``."""
    engine, backend = sample.engine, sample.engine.backend
    (nx, ny, nz), replicas = engine.model.mesh.cells, engine.model.replicas
    first, rows = _rows(sample, part)

    def prepare() -> tuple[Program, DeviceArray]:
        pieces = min(-(-rows // _ROWS_PER_PIECE), _MOST_PIECES)
        partial = backend.zeros((replicas, pieces, 4, nx), np.float64)
        result = backend.zeros((replicas, 4, nx), np.float64)
        module = engine.module("wall.cu")
        chunks = Chunks(nx, ny, nz, replicas, pieces)
        chosen = engine.chosen(sample.region_number(part))
        items = Items(replicas * 4 * nx)
        commands = [
            module.kernel("wall_profile").bind(chunks, first, rows, *chosen, partial),
            module.kernel("fold_profile").bind(items, nx, pieces, partial, result),
        ]
        return backend.program(commands), result

    program, result = engine.prepared(("wall profile", part), prepare)
    program.run()
    return backend.download(result)


def _row_sums(sample: Sample, part: Part, walls: FloatArray) -> FloatArray:
    """Return the sums over the wall in every row, shape ``(replica, row, 8)``."""
    engine, backend = sample.engine, sample.engine.backend
    mesh, replicas = engine.model.mesh, engine.model.replicas
    first, rows = _rows(sample, part)

    def prepare() -> tuple[Program, DeviceArray, DeviceArray]:
        spec = backend.zeros((replicas, _SPEC), np.float64)
        result = backend.zeros((replicas, rows, _ROW_SUMS), np.float64)
        command = (
            engine.module("wall.cu")
            .kernel("wall_rows")
            .bind(
                Items(replicas * rows),
                mesh.cells[0],
                mesh.count,
                first,
                rows,
                replicas,
                *engine.chosen(sample.region_number(part)),
                spec,
                result,
            )
        )
        return backend.program([command]), spec, result

    program, spec, result = engine.prepared(("wall rows", part), prepare)
    backend.write(spec, walls)
    program.run()
    return backend.download(result)


# -------------------------------------------------------------------- which wall


def _follow(sample: Sample, part: Part, replica: int, sums: FloatArray) -> Wall | None:
    """Return the wall to measure: the one of the last row, or at first the one in the middle.

    While a state relaxes a wall may come and go between two rows: then it is chosen anew.
    """
    present = np.flatnonzero(sums[3])
    if len(present) < 4:
        return None
    profile = sums[:3, present] / sums[3, present]
    mesh = sample.engine.model.mesh
    offset = float(sample.engine.window_offset[replica, 0] + mesh.centres(0)[0])
    key = ("wall", part, replica)
    trail: Trail | None = sample.memory.get(key)
    wall = None
    if trail is not None:
        walls = find_walls(profile[trail.component], trail.component, present)
        walls = [w for w in walls if w.rising == trail.rising]
        chosen = match(trail, [offset + w.place * mesh.cell_size[0] for w in walls])
        wall = None if chosen is None else walls[chosen]
    if trail is None or (wall is None and sample.engine.frozen_time is not None):
        component = int((profile.max(axis=1) - profile.min(axis=1)).argmax())
        walls = find_walls(profile[component], component, present)
        middle = (present[0] + present[-1]) / 2
        wall = min(walls, key=lambda w: abs(w.place - middle), default=None)
    if wall is not None:
        places = [offset + w.place * mesh.cell_size[0] for w in walls if w.rising == wall.rising]
        here = offset + wall.place * mesh.cell_size[0]
        sample.memory[key] = Trail(wall.component, wall.rising, tuple(places), here)
    return wall


def match(trail: Trail, places: list[float]) -> int | None:
    """Return which of the walls of its kind is the one that was followed; None if it has gone.

    It is the nearest to where the wall was, unless another wall was nearer to that place before:
    then the followed wall has left or been annihilated, and its neighbour is not taken for it.
    """
    if not places:
        return None
    nearest = min(range(len(places)), key=lambda k: abs(places[k] - trail.followed))
    before = min(trail.places, key=lambda x: abs(x - places[nearest]))
    return nearest if before == trail.followed else None


def find_walls(profile: FloatArray, component: int, cells: NDArray[np.intp]) -> list[Wall]:
    """Return the walls in the profile of one component of m, from left to right.

    Parameters
    ----------
    profile
        Mean of the component at each place along x, shape ``(n,)``.
    component
        Which it is.
    cells
        Number of the cell at each place.
    """
    zeros = _zeros(profile)
    ends = [-0.5, *zeros, len(profile) - 0.5]
    levels = [_level(profile, a, b) for a, b in pairwise(ends)]
    walls = []
    for k, zero in enumerate(zeros):
        left, right = levels[k], levels[k + 1]
        if left * right > 0 or abs(right - left) < _LEAST_CONTRAST:
            continue
        # Half way to the next wall, or to the end of the strip.
        least = 0 if k == 0 else int(np.ceil((zero + ends[k]) / 2))
        most = len(profile) - 1
        if k + 1 < len(zeros):
            most = int((zero + ends[k + 2]) / 2)
        s = (2 * profile - left - right) / (right - left)
        low, high = _extent(s, zero, least, most)
        before = int(cells[int(zero)])
        place = before + (zero - int(zero)) * (int(cells[int(zero) + 1]) - before)
        walls.append(Wall(place, component, left, right, int(cells[low]), int(cells[high])))
    return walls


def _zeros(profile: FloatArray) -> list[float]:
    """Return where the profile changes from one sign to the other for good."""
    size = np.abs(profile)
    decided = np.flatnonzero(size > _UNDECIDED * size.max())
    up = profile[decided] > 0
    turns = np.flatnonzero(up[1:] != up[:-1])
    zeros = []
    for a, b in zip(decided[turns].tolist(), decided[turns + 1].tolist(), strict=True):
        between = profile[a : b + 1] if profile[b] > 0 else -profile[a : b + 1]
        crossings = np.flatnonzero((between[:-1] < 0) & (between[1:] >= 0))
        i = int(crossings[len(crossings) // 2])
        zeros.append(float(a + i + between[i] / (between[i] - between[i + 1])))
    return zeros


def _level(profile: FloatArray, start: float, end: float) -> float:
    """Return the value that stands for the domain between two walls."""
    inside = profile[int(np.ceil(start)) : int(np.floor(end)) + 1]
    sign = 1.0 if inside.sum() > 0 else -1.0
    return float(sign * np.sort(sign * inside)[int(_PLATEAU * (len(inside) - 1))])


def _extent(s: FloatArray, zero: float, least: int, most: int) -> tuple[int, int]:
    """Return the first and last place of a wall with a margin, s rising from -1 to 1 in it."""
    left = np.flatnonzero(s[least : int(zero) + 1] <= -_REACH)
    right = np.flatnonzero(s[int(zero) + 1 : most + 1] >= _REACH)
    low = least + int(left[-1]) if len(left) else least
    high = int(zero) + 1 + int(right[0]) if len(right) else most
    margin = max(_LEAST_MARGIN, (high - low) // 4)
    return max(least, low - margin), min(most, high + margin)


# -------------------------------------------------------------------- the fit


def _fit(sample: Sample, spec: FloatArray, sums: FloatArray) -> Walls:
    """Return the walls from the sums over every row.

    One slope 1/Delta for all rows of a wall, and a zero of its own for each: neither a tilt nor a
    bend of the wall widens it.
    """
    mesh = sample.engine.model.mesh
    h, y = mesh.cell_size[0], np.resize(mesh.centres(1), sums.shape[1])
    zero, w, wx, wa, wxx, wxa, p, q = np.ascontiguousarray(np.moveaxis(sums, 2, 0))
    used = w > 0
    count = used.sum(axis=1)
    w = np.where(used, w, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = (wxa - wx * wa / w).sum(axis=1) / (wxx - wx * wx / w).sum(axis=1)
        slope = np.where(slope > 0, slope, np.nan)
        x = (zero + wx / w - wa / w / slope[:, None]) * h + mesh.centres(0)[0]
        position = np.where(used, x, 0).sum(axis=1) / count
        away = np.where(used, y - (used * y).sum(axis=1, keepdims=True) / count[:, None], 0)
        along = (away * np.where(used, x, 0)).sum(axis=1) / (away * away).sum(axis=1)
    tilt = np.arctan(np.where(np.isfinite(along), along, np.nan))
    width = h / slope * np.where(np.isnan(tilt), 1, np.cos(tilt))
    across, along_next = p.sum(axis=1), q.sum(axis=1)
    angle = np.where((across != 0) | (along_next != 0), np.arctan2(along_next, across), np.nan)
    nowhere = np.isnan(slope)
    angle[nowhere] = np.nan
    return Walls(position + sample.engine.window_offset[:, 0], width, tilt, angle, spec)
