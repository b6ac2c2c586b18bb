"""Demagnetizing tensor of a mesh, with periodic images, and its spectrum for the convolution."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from .cell_pair import CellPair
from .components import ODD_AXES

Array = NDArray[np.float64]
Triple = tuple[int, int, int]

_CHUNK = 1 << 16


@dataclass(frozen=True)
class TensorSpectrum:
    """Discrete Fourier transform of the demagnetizing tensor: one real octant.

    The field is a cyclic convolution on the padded mesh,

        B_i(k) = -mu0 sum_j s_ij(k) N_ij(|k|) M_j(k).

    The transform of the tensor is real, because N(-r) = N(r); along the axes of its indices an
    off-diagonal component is odd, so that its octant of non-negative frequencies is enough:

    - frequency index k <= L/2 stands for itself, index k > L/2 for the octant entry L - k;
    - the octant entry **is** the transform there: it multiplies M(k) with the sign +;
    - s_ij(k) = -1 for each axis of an off-diagonal component (x and y for xy) with k > L/2, which
      makes +1 again where both are; s_ij = +1 for the diagonal components always;
    - at k = 0 and, for even L, k = L/2 of an odd axis the entry is 0.

    Attributes
    ----------
    lengths
        Transform length (Lx, Ly, Lz) of each axis [cells]: 1 or n or the padded length.
    octant
        Array (6, Lz // 2 + 1, Ly // 2 + 1, Lx // 2 + 1) of float64 [1], order xx, yy, zz, xy, xz,
        yz, for a forward transform without factor (the inverse divides by Lx Ly Lz).
    """

    lengths: Triple
    octant: Array


@dataclass(frozen=True)
class _Axis:
    """Offsets along an axis that add up to each entry of the octant: the cell and its images.

    ``offset`` is in cells and not negative, sorted by ``index``, the entry it belongs to;
    ``even`` and ``odd`` are its weights in components that are even or odd along the axis.
    """

    count: int
    index: NDArray[np.int64]
    offset: Array
    even: Array
    odd: Array


def padded_lengths(cells: Triple, periodic: Triple) -> Triple:
    """Return the transform length of each axis: 1 for one open cell, n where periodic, else >= 2 n.

    The padded length is the smallest even number >= 2 n - 1 whose prime factors are 2, 3, 5 and 7,
    which every FFT library transforms fast.
    """
    lengths = [
        n if images or n == 1 else _fast_even(2 * n - 1)
        for n, images in zip(cells, periodic, strict=True)
    ]
    return lengths[0], lengths[1], lengths[2]


def _fast_even(least: int) -> int:
    """Return the smallest even number not below ``least`` that has no prime factor above 7."""
    candidate = least + least % 2
    while True:
        rest = candidate
        for prime in (2, 3, 5, 7):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return candidate
        candidate += 2


def demag_tensor(
    cells: Triple, cell_size: tuple[float, float, float], periodic: Triple = (0, 0, 0)
) -> Array:
    """Return the demagnetizing tensor of a mesh in real space, for offsets >= 0.

    H_i = -sum_j N(r_i - r_j) M_j with the average of the field over the cell. Along a periodic axis
    the tensor is summed over the cells in a window of 2 p + 1 periods centred on the cell itself,
    so p images on each side; an offset of exactly half the window counts half at both of its ends,
    which keeps the sum symmetric and exactly periodic.

    Parameters
    ----------
    cells
        Numbers of cells (nx, ny, nz).
    cell_size
        Edges (dx, dy, dz) of a cell [m].
    periodic
        Images on each side (px, py, pz); 0 = open.

    Returns
    -------
    Array (6, mz, my, mx) of float64 [1], order xx, yy, zz, xy, xz, yz, with m = n along an open
    axis and n // 2 + 1 along a periodic one; negative offsets follow from the parities, ODD_AXES.

    Raises
    ------
    ConfigError
        A number of cells below 1, an edge that is not a positive number, or a negative number of
        images.

    Sources: Newell, Williams and Dunlop, J. Geophys. Res. 98, 9551 (1993) for near cells; for far
    ones the multipole series derived in :mod:`micromag.demag.asymptotic`.
    """
    _check(cells, cell_size, periodic)
    axes = [_axis(n, images) for n, images in zip(cells, periodic, strict=True)]
    tensor = np.zeros((6, axes[2].count, axes[1].count, axes[0].count))
    _accumulate(tensor, axes, cell_size)
    return tensor


def tensor_spectrum(
    cells: Triple, cell_size: tuple[float, float, float], periodic: Triple = (0, 0, 0)
) -> TensorSpectrum:
    """Return the transform of the demagnetizing tensor of a mesh, without looking into the cache.

    Parameters and errors as for :func:`demag_tensor`; the lengths are :func:`padded_lengths`; signs
    and storage are described in :class:`TensorSpectrum`. Memory: the octant and a few planes.
    """
    _check(cells, cell_size, periodic)
    lengths = padded_lengths(cells, periodic)
    axes = [_axis(n, images) for n, images in zip(cells, periodic, strict=True)]
    octant = np.zeros((6, *(length // 2 + 1 for length in reversed(lengths))))
    # Real space lives in the corner of the array that its transform will fill.
    corner = octant[:, : axes[2].count, : axes[1].count, : axes[0].count]
    _accumulate(corner, axes, cell_size)
    for row, odd in enumerate(ODD_AXES):
        _transform(octant[row], corner[row].shape, lengths, odd)
    return TensorSpectrum(lengths, octant)


def column_tensor(
    offsets: Array,
    cells: Triple,
    cell_size: tuple[float, float, float],
    periodic: Triple = (0, 0, 0),
) -> Array:
    """Return the tensor at any positive offsets along x [cells] and those of the mesh along y and z.

    ``offsets`` may have fractions. The array has the shape (6, mz, my, len(offsets)); all else is
    as for :func:`demag_tensor`.
    """
    _check(cells, cell_size, periodic)
    ones = np.ones(len(offsets))
    along_x = _Axis(len(offsets), np.arange(len(offsets)), offsets, ones, ones)
    axes = [along_x, _axis(cells[1], periodic[1]), _axis(cells[2], periodic[2])]
    tensor = np.zeros((6, axes[2].count, axes[1].count, len(offsets)))
    _accumulate(tensor, axes, cell_size)
    return tensor


def _check(cells: Triple, cell_size: tuple[float, float, float], periodic: Triple) -> None:
    """Raise ConfigError unless the mesh makes sense."""
    if min(cells) < 1:
        raise ConfigError(
            "a mesh needs at least one cell along each axis", where="mesh.cells", value=cells
        )
    if not all(math.isfinite(edge) and edge > 0 for edge in cell_size):
        raise ConfigError(
            "the edges of a cell must be positive",
            where="mesh.cell_size",
            value=cell_size,
            allowed="> 0 m",
        )
    if min(periodic) < 0:
        raise ConfigError(
            "the number of periodic images must not be negative",
            where="mesh.periodic",
            value=periodic,
            allowed="0 (open) or a number of images on each side",
        )


def _axis(n: int, images: int) -> _Axis:
    """Return the offsets along an axis of n cells with so many images on each side."""
    if images == 0:
        index = np.arange(n)
        return _Axis(n, index, index.astype(np.float64), np.ones(n), np.ones(n))
    count = n // 2 + 1
    entry, shift = np.meshgrid(np.arange(count), np.arange(-images - 1, images + 1), indexing="ij")
    offset = entry + n * shift
    # 2 |offset| against the window (2 p + 1) n, in integers: inside, on its edge, outside.
    window = np.sign((2 * images + 1) * n - 2 * np.abs(offset))
    weight = (window + 1) / 2
    kept = weight > 0
    even = weight[kept]
    return _Axis(
        count,
        entry[kept],
        np.abs(offset[kept]).astype(np.float64),
        even,
        even * np.sign(offset[kept]),
    )


def _accumulate(tensor: Array, axes: list[_Axis], cell_size: tuple[float, float, float]) -> None:
    """Add the tensor of all cells and images to the array (6, mz, my, mx), in chunks of rows."""
    along_x, along_y, along_z = axes
    pair = CellPair(cell_size)
    rows = max(1, _CHUNK // len(along_x.offset))
    for layer in range(len(along_z.offset)):
        k = along_z.offset[layer].reshape(1, 1)
        for start in range(0, len(along_y.offset), rows):
            part = slice(start, start + rows)
            values = pair(along_x.offset[None, :], along_y.offset[part, None], k)
            for row, odd in enumerate(ODD_AXES):
                values[row] *= along_x.odd if 0 in odd else along_x.even
                values[row] *= (along_y.odd if 1 in odd else along_y.even)[part, None]
                values[row] *= (along_z.odd if 2 in odd else along_z.even)[layer]
            values = _sum_images(values, 2, along_x.index)
            index = along_y.index[part]
            values = _sum_images(values, 1, index)
            tensor[:, along_z.index[layer], index[0] : index[-1] + 1] += values


def _sum_images(values: Array, axis: int, index: NDArray[np.int64]) -> Array:
    """Return the values with runs of equal index along the axis added up."""
    starts = np.flatnonzero(np.diff(index, prepend=-1))
    return values if len(starts) == len(index) else np.add.reduceat(values, starts, axis=axis)


def _transform(
    octant: Array, corner: tuple[int, ...], lengths: Triple, odd: tuple[int, ...]
) -> None:
    """Replace a component in the corner of its octant (z, y, x) by its transform, in place.

    Along an even axis the transform of the mirrored sequence is its real part; along an odd one it
    is i times its imaginary part. An off-diagonal component has two odd axes, and i i = -1.
    """
    nz, ny, nx = corner
    for layer in range(nz):
        plane = _transform_axis(octant[layer, :ny, :nx], 1, lengths[0], 0 in odd)
        octant[layer] = _transform_axis(plane, 0, lengths[1], 1 in odd)
    rows = max(1, _CHUNK // (lengths[2] * octant.shape[2]))
    for start in range(0, octant.shape[1], rows):
        part = octant[:, start : start + rows]
        part[...] = _transform_axis(part[:nz], 0, lengths[2], 2 in odd)
    if odd:
        np.negative(octant, out=octant)


def _transform_axis(values: Array, axis: int, length: int, odd: bool) -> Array:
    """Return the real (even) or imaginary (odd) part of the transform along one axis.

    ``values`` holds the entries 0, 1, ... of such a sequence, which is even or odd about 0.
    """
    if length == 1:
        return values * (0.0 if odd else 1.0)
    values = np.moveaxis(values, axis, -1)
    given = values.shape[-1]
    mirrored = min(given - 1, (length - 1) // 2)
    sequence = np.zeros((*values.shape[:-1], length))
    sequence[..., :given] = values
    tail = values[..., mirrored:0:-1]
    sequence[..., length - mirrored :] = -tail if odd else tail
    spectrum = np.fft.rfft(sequence, axis=-1)
    return np.moveaxis(spectrum.imag if odd else spectrum.real, -1, axis)
