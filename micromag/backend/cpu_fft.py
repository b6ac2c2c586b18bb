"""Pruned convolutions on the CPU with scipy.fft (pocketfft), in pieces that stay in the cache.

A field of (nz, ny, nx) cells in a grid padded to (Lz, Ly, Lx) is mostly zeros. The x transform runs
over the lines that hold cells, the y transform over the nz planes that hold rows, only the z
transform over everything; the inverse goes back the same way and drops what nobody reads. That is a
third to a half of the work of the full transform. pocketfft does the same operations on a line
whether it runs in a vector with others or alone, so neither the batch, nor the pieces, nor the
number of threads changes a bit of the result.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.fft import fft, ifft, irfft, rfft

from micromag.backend.base import ConvolutionFFT, Multiply, SpectrumBlock, Step
from micromag.backend.fft_blocks import BlockedLayout, cut
from micromag.backend.team import Team

if TYPE_CHECKING:
    from micromag.backend.cpu import CpuBackend, CpuCommand

Complex = NDArray[np.complexfloating[Any, Any]]


class CpuConvolutionFFT(ConvolutionFFT):
    """The transforms of all replicas; see the base class for layout and normalisation."""

    def __init__(self, backend: CpuBackend, layout: BlockedLayout, dtype: np.dtype[Any]) -> None:
        nx, ny, nz = layout.cells
        self.backend = backend
        self.layout = layout
        self.dtype = dtype
        self.real_in = backend.zeros((nz, ny, layout.replicas * layout.components, nx), dtype)
        self.real_out = backend.zeros(self.real_in.shape, dtype)
        self.team = Team(max(layout.threads_inside, layout.threads_across))

    def steps(self, multiply: Multiply) -> list[Step]:
        spaces = [_Workspace(self, multiply) for _ in range(self.layout.threads_across)]
        fields = self.layout.fields
        starts = [first * self.layout.components for first in self.layout.groups]
        groups = [slice(start, start + fields) for start in starts]
        if len(spaces) > 1:
            alone = Team(1)

            def one_group(worker: int, number: int) -> None:
                spaces[worker].run(groups[number], alone)

            return [lambda: self.team.run(len(groups), one_group)]

        def all_groups() -> None:
            for group in groups:
                spaces[0].run(group, self.team)

        return [all_groups]


class _Workspace:
    """What a group passes through: ``rows``, and for every thread a block and padded rows."""

    def __init__(self, fft: CpuConvolutionFFT, multiply: Multiply) -> None:
        layout, backend = fft.layout, fft.backend
        complex_dtype = np.result_type(fft.dtype, np.complex64)
        threads = range(layout.threads_inside)
        self.nx, self.ny, self.nz = layout.cells
        self.lx, self.ly, _ = layout.lengths
        self.real_in, self.real_out = fft.real_in, fft.real_out
        self.padded = [backend.zeros(layout.padded_shape, fft.dtype) for _ in threads]
        self.planes, self.pieces = cut(self.nz, layout.depth), layout.pieces
        self.blocks = layout.blocks
        # The transform along y needs its plane complete.
        self.by_plane = layout.last_axis == 0
        self.inner = max(1, layout.threads_inside // len(self.planes)) if self.by_plane else 1
        if layout.is_one_block:  # it has place for the rows as well
            buffer = backend.zeros(layout.block_shape, complex_dtype)
            self.rows = buffer[: self.nz, : self.ly if self.by_plane else self.ny]
            buffers = [buffer]
        else:
            self.rows = backend.zeros(layout.rows_shape, complex_dtype)
            buffers = [backend.zeros(layout.block_shape, complex_dtype) for _ in threads]
        self.last_axis = [_LastAxis(self.rows, buffer, layout, multiply) for buffer in buffers]

    def run(self, group: slice, team: Team) -> None:
        """Convolve the fields ``group``."""
        planes, pieces = self.planes, self.pieces

        def forward(worker: int, number: int) -> None:
            if self.by_plane:
                for piece in pieces:
                    self._along_x(worker, planes[number], piece, group)
                self._along_y(planes[number])
            else:
                self._along_x(worker, planes[0], pieces[number], group)

        def inverse(worker: int, number: int) -> None:
            if self.by_plane:
                self._back_along_y(planes[number])
                for piece in pieces:
                    self._back_along_x(planes[number], piece, group)
            else:
                self._back_along_x(planes[0], pieces[number], group)

        def middle(worker: int, number: int) -> None:
            self.last_axis[worker].run(*self.blocks[number])

        count = len(planes) if self.by_plane else len(pieces)
        team.run(count, forward)
        team.run(len(self.blocks), middle)
        team.run(count, inverse)

    def _along_x(self, worker: int, z: slice, y: slice, group: slice) -> None:
        padded = self.padded[worker][: z.stop - z.start, : y.stop - y.start]
        padded[..., : self.nx] = self.real_in[z, y, group]
        self.rows[z, y] = rfft(padded, axis=-1)

    def _back_along_x(self, z: slice, y: slice, group: slice) -> None:
        field = irfft(self.rows[z, y], self.lx, axis=-1, norm="forward", overwrite_x=True)
        self.real_out[z, y, group] = field[..., : self.nx]

    def _along_y(self, z: slice) -> None:
        if self.ly > 1:
            self.rows[z, self.ny :] = 0
            _in_place(fft, self.rows[z], axis=1, workers=self.inner)

    def _back_along_y(self, z: slice) -> None:
        if self.ly > 1:
            _in_place(ifft, self.rows[z], axis=1, workers=self.inner, norm="forward")


class _LastAxis:
    """One thread's block: padded, transformed along the last axis, multiplied, and back."""

    def __init__(
        self, rows: Complex, buffer: Complex, layout: BlockedLayout, multiply: Multiply
    ) -> None:
        self.rows = rows
        self.axis = layout.last_axis
        self.known = layout.cells[2 - self.axis]
        self.is_transformed = layout.lengths[2 - self.axis] > 1
        self.is_in_place = layout.is_one_block
        self.first_row = np.zeros(1, np.int32)
        # One launch for every shape and every set of columns: a large grid has many more blocks.
        self.shapes: dict[tuple[int, int], tuple[Complex, Callable[[], None]]] = {}
        flat = buffer.reshape(-1)
        for y, x in layout.blocks:
            key = (y.stop - y.start, x.start)
            if key not in self.shapes:
                shape = (layout.lengths[2], key[0], layout.fields, x.stop - x.start)
                values = flat[: math.prod(shape)].reshape(shape)
                command = multiply(SpectrumBlock(values, x.start, self.first_row))
                self.shapes[key] = values, cast("CpuCommand", command).alone()

    def run(self, y: slice, x: slice) -> None:
        """Take the block at rows ``y`` and columns ``x`` of the spectrum there and back."""
        values, multiply = self.shapes[y.stop - y.start, x.start]
        self.first_row[0] = y.start
        if self.axis == 0:
            rows, known, padding = self.rows[:, y, :, x], values[: self.known], values[self.known :]
        else:
            rows, known, padding = (
                self.rows[..., x], values[:, : self.known], values[:, self.known :]
            )  # fmt: skip
        if not self.is_in_place:
            known[...] = rows
        if self.is_transformed:
            padding[...] = 0
            _in_place(fft, values, axis=self.axis)
        multiply()
        if self.is_transformed:
            _in_place(ifft, values, axis=self.axis, norm="forward")
        if not self.is_in_place:
            rows[...] = known


def _in_place(transform: Callable[..., Complex], array: Complex, **options: object) -> None:
    result = transform(array, overwrite_x=True, **options)
    if result is not array and not np.may_share_memory(
        result, array
    ):  # scipy is allowed to, it does not have to
        array[...] = result
