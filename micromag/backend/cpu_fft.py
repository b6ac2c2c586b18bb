"""Pruned transforms on the CPU with scipy.fft (pocketfft).

A field of (nz, ny, nx) cells in a grid padded to (Lz, Ly, Lx) is mostly zeros. The x transform runs
over the lines that hold cells, the y transform over the nz planes that hold rows, only the z
transform over everything; the inverse goes back the same way and drops what nobody reads. That is a
third to a half of the work of the full transform. pocketfft does the same operations on a line
whether it runs in a vector with others or alone, so neither the batch nor the number of workers
changes a bit of the result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micromag.backend.base import ConvolutionFFT

if TYPE_CHECKING:
    from micromag.backend.cpu import CpuBackend

_BLOCK_BYTES = 2**20
"""Rows are transformed along x in blocks whose temporaries stay in the cache."""
_WORKERS_FROM = 100_000
"""Padded points per field from which more than one thread pays."""

Complex = NDArray[np.complexfloating[Any, Any]]


class CpuConvolutionFFT(ConvolutionFFT):
    """The transforms of ``batch`` real fields; see the base class for layout and normalisation."""

    def __init__(
        self,
        backend: CpuBackend,
        cells: tuple[int, int, int],
        lengths: tuple[int, int, int],
        batch: int,
        dtype: np.dtype[Any],
    ) -> None:
        nx, ny, nz = self.cells = cells
        lx, ly, lz = self.lengths = lengths
        self.batch = batch
        self.workers = backend.threads if lx * ly * lz >= _WORKERS_FROM else 1
        complex_dtype = np.result_type(dtype, np.complex64)
        self.real_in = backend.zeros((nz, ny, batch, nx), dtype)
        self.spectrum = backend.zeros((lz, ly, batch, lx // 2 + 1), complex_dtype)
        self.real_out = backend.zeros((nz, ny, batch, nx), dtype)
        rows = max(1, _BLOCK_BYTES // (batch * lx * dtype.itemsize))
        self.blocks = [
            (z, slice(y, min(y + rows, ny))) for z in range(nz) for y in range(0, ny, rows)
        ]

    def forward(self) -> None:
        from scipy.fft import fft, rfft

        _, ny, nz = self.cells
        lx, ly, lz = self.lengths
        for block in self.blocks:
            self.spectrum[block] = rfft(self.real_in[block], lx, axis=-1, workers=self.workers)
        if ly > 1:
            self.spectrum[:nz, ny:] = 0
            self._in_place(fft, self.spectrum[:nz], axis=1)
        if lz > 1:
            self.spectrum[nz:] = 0
            self._in_place(fft, self.spectrum, axis=0)

    def inverse(self) -> None:
        from scipy.fft import ifft, irfft

        nx, _, nz = self.cells
        lx, ly, lz = self.lengths
        if lz > 1:
            self._in_place(ifft, self.spectrum, axis=0, norm="forward")
        if ly > 1:
            self._in_place(ifft, self.spectrum[:nz], axis=1, norm="forward")
        for block in self.blocks:
            field = irfft(self.spectrum[block], lx, axis=-1, norm="forward", workers=self.workers)
            self.real_out[block] = field[..., :nx]

    def _in_place(
        self, transform: Callable[..., Complex], array: Complex, **options: object
    ) -> None:
        result = transform(array, overwrite_x=True, workers=self.workers, **options)
        if not np.may_share_memory(result, array):  # scipy is allowed to, it does not have to
            array[...] = result
