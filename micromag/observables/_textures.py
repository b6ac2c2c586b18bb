"""Finds reversed areas, cores and topological charges in the layers of the mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from micromag.backend.base import Chunks, DeviceArray, Items, Program
from micromag.observables.base import Part, Sample

FloatArray = NDArray[np.float64]

_MOST_CHUNKS = 256
_KEY_STEPS = 2.0**26
"""See ``place_key`` in ``kernels/texture.cu``."""
_LEAST_CORE = 0.5
"""A core has a larger m_z than this."""
_NO_CELL = 2.0
"""What ``patches`` puts where there is no cell."""


@dataclass(frozen=True)
class Survey:
    """What one pass over every layer finds, shape ``(replica, layer)`` each.

    Attributes
    ----------
    count, m_z
        Number of cells and the sum of m_z over them.
    rim_count, rim_m_z
        The same over cells without a neighbour on one of the four sides in the plane.
    up, down
        Largest m_z and largest -m_z, 0 where there is none.
    up_cell, down_cell
        The cells that have them, as numbers in their layer.
    """

    count: FloatArray
    m_z: FloatArray
    rim_count: FloatArray
    rim_m_z: FloatArray
    up: FloatArray
    up_cell: NDArray[np.int64]
    down: FloatArray
    down_cell: NDArray[np.int64]


@dataclass(frozen=True)
class Places:
    """Points in the plane [m, laboratory] and a number that belongs to them, one per replica."""

    x: FloatArray
    y: FloatArray
    value: FloatArray


def charge(sample: Sample, part: Part, kernel: str) -> FloatArray:
    """Return the topological charge, the mean over the layers of a part, shape ``(replica,)``.

    ``kernel`` is ``lattice_charge`` or ``gradient_charge``.
    """
    nx, ny, _ = sample.engine.model.mesh.cells
    region = sample.region_number(part)
    if min(nx, ny) == 1:
        return np.full(sample.engine.model.replicas, np.nan)
    key = (kernel, region)
    sums = sample.once(key, lambda: _layer_sums(sample, kernel, region, 1))[:, _layers(part), 0]
    scale = 2 * np.pi if kernel == "lattice_charge" else 4 * np.pi
    return _mean(sums / scale, _filled_layers(sample, region)[:, _layers(part)])


def survey(sample: Sample, part: Part) -> Survey:
    """Return what a pass over every layer finds in the part's region."""
    region = sample.region_number(part)
    return sample.once(("survey", region), lambda: _survey(sample, region))


def reversed_area(sample: Sample, part: Part) -> Places:
    """Return centre and radius of the area that is magnetized against its surroundings along z."""
    return sample.once(("reversed area", part), lambda: _reversed_area(sample, part))


def core(sample: Sample, part: Part) -> Places:
    """Return place and polarity of the core, the mean over the layers of a part."""
    return sample.once(("core", part), lambda: _core(sample, part))


# -------------------------------------------------------------------- sums over layers


def _chunks(sample: Sample) -> Chunks:
    """Return chunks of which none reaches over two layers."""
    nx, ny, nz = sample.engine.model.mesh.cells
    per_layer = min(ny, max(1, _MOST_CHUNKS // nz))
    return Chunks(nx, ny, nz, sample.engine.model.replicas, nz * per_layer)


def _partial_sums(
    sample: Sample, kernel: str, region: int | None, count: int, spec: FloatArray | None = None
) -> FloatArray:
    """Run a kernel of ``texture.cu``; return shape ``(count, replica, layer, chunk of the layer)``."""
    engine, backend, chunks = sample.engine, sample.engine.backend, _chunks(sample)

    def prepare() -> tuple[Program, DeviceArray, DeviceArray]:
        result = backend.zeros((chunks.nrep, chunks.nchunk, count), np.float64)
        inputs = [] if spec is None else [backend.zeros(spec.shape, np.float64)]
        arguments = [*engine.chosen(region), *inputs, result]
        command = engine.module("texture.cu").kernel(kernel).bind(chunks, *arguments)
        return backend.program([command]), inputs[0] if inputs else None, result

    program, given, result = engine.prepared((kernel, region), prepare)
    if spec is not None:
        backend.write(given, spec)
    program.run()
    sums = np.moveaxis(backend.download(result), 2, 0)
    return np.ascontiguousarray(sums).reshape(count, chunks.nrep, chunks.nz, -1)


def _layer_sums(
    sample: Sample, kernel: str, region: int | None, count: int, spec: FloatArray | None = None
) -> FloatArray:
    """Return the sums over every layer, shape ``(replica, layer, count)``."""
    sums = _partial_sums(sample, kernel, region, count, spec).sum(axis=3)
    return np.moveaxis(sums, 0, 2)


def _survey(sample: Sample, region: int | None) -> Survey:
    partial = _partial_sums(sample, "survey", region, 6)
    count, m_z, rim_count, rim_m_z = partial[:4].sum(axis=3)
    (up, up_cell), (down, down_cell) = (_decode(keys.max(axis=2)) for keys in partial[4:])
    return Survey(count, m_z, rim_count, rim_m_z, up, up_cell, down, down_cell)


def _decode(key: FloatArray) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return the value and the cell that ``place_key`` packed."""
    steps = np.floor(key / _KEY_STEPS)
    cell = _KEY_STEPS - 1 - (key - steps * _KEY_STEPS)
    return steps / _KEY_STEPS, cell.astype(np.int64)


def _filled_layers(sample: Sample, region: int | None) -> NDArray[np.bool_]:
    """Return which layers hold a cell of the region, shape ``(replica, layer)``."""

    def find() -> NDArray[np.bool_]:
        model = sample.engine.model
        regions = np.broadcast_to(model.region_here, (model.replicas, *model.mesh.shape))
        return np.stack(
            [
                (model.filled(i) & (region is None or regions[i] == region)).any(axis=(1, 2))
                for i in range(model.replicas)
            ]
        )

    return sample.once(("filled layers", region), find)


def _layers(part: Part) -> slice:
    return slice(None) if part.layer is None else slice(part.layer, part.layer + 1)


def _mean(values: FloatArray, present: NDArray[np.bool_]) -> FloatArray:
    """Return the mean over the layers that are present, NaN where none is."""
    number = present.sum(axis=1)
    total = np.where(present, values, 0).sum(axis=1)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


# -------------------------------------------------------------------- places


def _mean_place(sample: Sample, axis: int, cells: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the weighted mean over the layers of places given in cells [m], in the laboratory.

    Along a periodic axis the layers are brought to the side of the first that counts, and the mean
    into the mesh.
    """
    mesh = sample.engine.model.mesh
    length = mesh.cells[axis]
    first = np.take_along_axis(cells, (weights > 0).argmax(axis=1)[:, None], axis=1)
    away = cells - first
    if mesh.periodic[axis]:
        away -= length * np.rint(away / length)
    total = weights.sum(axis=1)
    shift = np.where(weights > 0, away * weights, 0).sum(axis=1)
    mean = first[:, 0] + shift / np.where(total > 0, total, 1)
    if mesh.periodic[axis]:
        mean = (mean + 0.5) % length - 0.5
    place = mesh.centres(axis)[0] + mean * mesh.cell_size[axis]
    place = place + sample.engine.window_offset[:, axis]
    return np.where(total > 0, place, np.nan)


def _reversed_area(sample: Sample, part: Part) -> Places:
    model = sample.engine.model
    nx = model.mesh.cells[0]
    found, layers = survey(sample, part), _layers(part)
    rim = found.rim_count[:, layers].sum(axis=1) > 0
    background = np.where(
        rim, found.rim_m_z[:, layers].sum(axis=1), found.m_z[:, layers].sum(axis=1)
    )
    sign = np.broadcast_to(-np.sign(background)[:, None], found.count.shape)
    cell = np.where(sign > 0, found.up_cell, found.down_cell)
    spec = np.stack([sign, cell % nx, cell // nx], axis=2).astype(np.float64)
    sums = _layer_sums(sample, "reversed_area", sample.region_number(part), 3, spec)
    spec, sums = spec[:, layers], sums[:, layers]
    area = sums[..., 0]
    centre = spec[..., 1:] + sums[..., 1:] / np.where(area > 0, area, 1)[..., None]
    x, y = (_mean_place(sample, axis, centre[..., axis], area) for axis in (0, 1))
    hx, hy, _ = model.mesh.cell_size
    mean = _mean(area, found.count[:, layers] > 0)
    radius = np.where(mean > 0, np.sqrt(mean * hx * hy / np.pi), np.nan)
    return Places(x, y, radius)


def _core(sample: Sample, part: Part) -> Places:
    nx = sample.engine.model.mesh.cells[0]
    found, layers = survey(sample, part), _layers(part)
    upwards = found.up >= found.down
    defined = np.maximum(found.up, found.down) > _LEAST_CORE
    cell = np.where(defined, np.where(upwards, found.up_cell, found.down_cell), -1)
    m_z = _patches(sample, sample.region_number(part), cell)
    places = np.zeros((*cell.shape, 2))
    for index in np.argwhere(defined):
        k = tuple(index)
        places[k] = peak(m_z[k])
        places[k] += cell[k] % nx, cell[k] // nx
    weights = defined[:, layers].astype(np.float64)
    x, y = (_mean_place(sample, axis, places[:, layers, axis], weights) for axis in (0, 1))
    polarity = _mean(np.where(upwards, 1.0, -1.0)[:, layers], defined[:, layers])
    return Places(x, y, polarity)


def _patches(sample: Sample, region: int | None, cell: NDArray[np.int64]) -> FloatArray:
    """Return m_z around one cell of every layer, shape ``(replica, layer, 3, 3)``."""
    engine, backend = sample.engine, sample.engine.backend

    def prepare() -> tuple[Program, DeviceArray, DeviceArray]:
        centres = backend.zeros(cell.shape, np.int32)
        result = backend.zeros((*cell.shape, 3, 3), np.float64)
        numbers = [*engine.model.mesh.cells, engine.model.replicas]
        arguments = [*numbers, centres, *engine.chosen(region), result]
        command = engine.module("texture.cu").kernel("patches").bind(Items(cell.size), *arguments)
        return backend.program([command]), centres, result

    program, centres, result = engine.prepared(("patches", region), prepare)
    backend.write(centres, cell.astype(np.int32))
    program.run()
    return backend.download(result)


def peak(m_z: FloatArray) -> tuple[float, float]:
    r"""Return where among 3 x 3 cells \|m_z\| is largest, x and y in cells from the middle one.

    It is the minimum of a parabola fitted to :math:`\tan^2(\theta/2) = (1 - |m_z|)/(1 + |m_z|)`, which
    around a core is quadratic to fourth order; along an axis on which a neighbour is missing the
    middle cell counts. A core that is no minimum of the parabola lies in the middle cell as well.
    """
    there = m_z != _NO_CELL
    value = np.abs(m_z)
    f = (1 - value) / (1 + value)
    if there.all():
        rows, columns = f.sum(axis=1), f.sum(axis=0)
        slope = np.array([columns[2] - columns[0], rows[2] - rows[0]]) / 6
        a = (columns[0] - 2 * columns[1] + columns[2]) / 3
        b = (rows[0] - 2 * rows[1] + rows[2]) / 3
        c = (f[0, 0] + f[2, 2] - f[0, 2] - f[2, 0]) / 4
        determinant = a * b - c * c
        if a > 0 and determinant > 0:
            x = (c * slope[1] - b * slope[0]) / determinant
            y = (c * slope[0] - a * slope[1]) / determinant
            return float(np.clip(x, -1, 1)), float(np.clip(y, -1, 1))
        return 0.0, 0.0
    x = _peak_of_three(f[1]) if there[1].all() else 0.0
    y = _peak_of_three(f[:, 1]) if there[:, 1].all() else 0.0
    return x, y


def _peak_of_three(f: FloatArray) -> float:
    """Return where the parabola through f(-1), f(0), f(1) has its minimum, 0 where it has none."""
    bend = f[0] - 2 * f[1] + f[2]
    return float(np.clip(0.5 * (f[0] - f[2]) / bend, -1, 1)) if bend > 0 else 0.0
