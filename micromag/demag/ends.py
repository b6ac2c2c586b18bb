"""The field of what a moving window has cut off: the strip that continues beyond the mesh."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..constants import MU_0
from ..mesh import Mesh
from .components import ODD_AXES
from .tensor import column_tensor, padded_lengths

Array = NDArray[np.float64]

_NODES = 24
_REACH = 2.0
_LEAST = 64
_ROWS = ((0, 3, 4), (3, 1, 5), (4, 5, 2))
"""Places of the components of the symmetric tensor in the order of this package."""


class StripEnds:
    r"""Field of two half-infinite strips, one on each side of the mesh along its window's axis.

    Each has the cross-section, the saturation magnetization and the magnetization of the outermost
    plane of cells, repeated without end:

    .. math:: B(r_i) = -\mu_0 \sum_{j \in plane} \sum_{p \ge 1} N(r_i - r_j \pm p\,a\,e)\, M_s m_j

    The sum over p is taken cell by cell as far as the mesh reaches (and twice the cross-section's
    diagonal, and 64 cells); beyond, the tensor is smooth and the sum is its integral with the first
    correction of Euler and Maclaurin. In the plane the sum is a convolution. The error is below
    1e-8 of mu0 Ms.

    Parameters
    ----------
    mesh
        A mesh with a window.

    Source: A. J. Newell, W. Williams and D. J. Dunlop, J. Geophys. Res. 98, 9551 (1993), whose
    tensor is added up.
    """

    def __init__(self, mesh: Mesh) -> None:
        assert mesh.window is not None
        self._axes = (0, 1, 2) if mesh.window.number == 0 else (1, 0, 2)
        nx, ny, nz = (mesh.cells[a] for a in self._axes)
        dx, dy, dz = (mesh.cell_size[a] for a in self._axes)
        px, py, pz = (mesh.periodic[a] for a in self._axes)
        chains = _half_chains((nx, ny, nz), (dx, dy, dz), (px, py, pz))
        _, ly, lz = padded_lengths((nx, ny, nz), (px, py, pz))
        self._lengths = (lz, ly)
        spectra = []
        for values, odd in zip(chains, ODD_AXES, strict=True):
            plane = _mirrored(_mirrored(values, 1, ly, 1 in odd), 0, lz, 2 in odd)
            spectra.append(np.fft.rfft2(plane, axes=(0, 1))[:, : ly // 2 + 1])
        self._spectra = np.stack(spectra)  # (6, kz, ky, distance)

    def field(self, m: NDArray[np.floating], Ms: Array) -> Array:
        """Return B [T], shape ``(3, nz, ny, nx)``.

        Parameters
        ----------
        m
            Magnetization, shape ``(3, nz, ny, nx)``, 0 in empty cells.
        Ms
            Saturation magnetization [A/m], shape ``(nz, ny, nx)``.
        """
        moment = self._turned(m * Ms)
        nz, ny = moment.shape[1:3]
        total = np.zeros((3, *self._spectra.shape[1:]), dtype=np.complex128)
        for plane, sign in ((moment[..., 0], 1.0), (moment[..., -1], -1.0)):
            source = np.fft.fft2(plane, s=self._lengths, axes=(1, 2))
            source = source[:, :, : self._spectra.shape[2], None]
            spectra = self._spectra[..., ::-1] if sign < 0 else self._spectra
            for i, row in enumerate(_ROWS):
                for j, place in enumerate(row):
                    # Components with one index along the axis change sign from one side to the other.
                    along = sign if 0 in ODD_AXES[place] else 1.0
                    total[i] += along * spectra[place] * source[j]
        field = np.fft.irfft(np.fft.ifft(total, axis=1), n=self._lengths[1], axis=2)
        return self._turned(-MU_0 * field[:, :nz, :ny])

    def _turned(self, vectors: NDArray[np.floating]) -> Array:
        """Return a field with x and y exchanged where the window moves along y."""
        values = np.asarray(vectors, dtype=np.float64)
        return values if self._axes[0] == 0 else values[[1, 0, 2]].swapaxes(2, 3)


def _half_chains(
    cells: tuple[int, int, int],
    cell_size: tuple[float, float, float],
    periodic: tuple[int, int, int],
) -> Array:
    """Return the tensor added up from a distance of 1, 2, ... nx cells to infinity along x.

    Shape (6, mz, my, nx), as :func:`column_tensor`.
    """
    nx = cells[0]
    across = math.hypot(
        *(
            (2 * p + 1) * n * d
            for n, d, p in zip(cells[1:], cell_size[1:], periodic[1:], strict=True)
        )
    )
    last = max(nx, _LEAST, math.ceil(_REACH * across / cell_size[0]))
    start = last + 0.5
    points, weights = np.polynomial.legendre.leggauss(_NODES)
    u = (points + 1) / (2 * start)  # u = 1 / distance makes the tail a polynomial
    exact = column_tensor(np.arange(1.0, last + 2), cells, cell_size, periodic)
    far = column_tensor(1 / u, cells, cell_size, periodic)
    tail = far @ (weights / (2 * start) / u**2)
    tail += (exact[..., last] - exact[..., last - 1]) / 24
    sums = np.cumsum(exact[..., last - 1 :: -1], axis=-1)[..., ::-1] + tail[..., None]
    return np.asarray(sums[..., :nx])


def _mirrored(values: Array, axis: int, length: int, odd: bool) -> Array:
    """Return entries 0, 1, ... of an even or odd sequence as one period, the negative ones last."""
    values = np.moveaxis(values, axis, -1)
    given = values.shape[-1]
    mirrored = min(given - 1, (length - 1) // 2)
    sequence = np.zeros((*values.shape[:-1], length))
    sequence[..., :given] = values
    tail = values[..., mirrored:0:-1]
    sequence[..., length - mirrored :] = -tail if odd else tail
    return np.moveaxis(sequence, -1, axis)
