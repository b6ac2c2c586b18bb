"""Pruned convolutions on the CPU with scipy.fft (pocketfft), in pieces that stay in the cache.

A field of (nz, ny, nx) cells in a grid padded to (Lz, Ly, Lx) is mostly zeros. The x transform runs
over the lines that hold cells, the y transform over the nz planes that hold rows, only the z
transform over everything; the inverse goes back the same way and drops what nobody reads. That is a
third to a half of the work of the full transform. pocketfft does the same operations on a line
whether it runs in a vector with others or alone, so neither the batch, nor the pieces, nor the
number of threads changes a bit of the result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.fft import fft, ifft, irfft, rfft

from micromag.backend.base import ConvolutionFFT, Multiply, SpectrumBlock, Step
from micromag.backend.fft_blocks import BlockedLayout
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
        self.layout = layout
        self.real_in, self.real_out = fft.real_in, fft.real_out
        self.padded = [
            backend.zeros(layout.padded_shape, fft.dtype) for _ in range(layout.threads_inside)
        ]
        _, ny, nz = layout.cells
        buffers = [
            backend.zeros(layout.block_shape, complex_dtype) for _ in range(layout.threads_inside)
        ]
        if layout.is_one_block:  # then the block has place for the rows as well
            buffers = buffers[:1]
            self.rows = buffers[0][:nz] if layout.last_axis == 0 else buffers[0][:, :ny]
        else:
            self.rows = backend.zeros(layout.rows_shape, complex_dtype)
        self.blocks = [
            [_Block(self, buffer.reshape(-1), place, multiply) for place in layout.blocks]
            for buffer in buffers
        ]
        # The y transform of the rows needs its plane complete.
        self.by_plane = layout.last_axis == 0
        self.inner = max(1, layout.threads_inside // nz) if self.by_plane else 1
        self.nx, self.ny, self.nz = layout.cells
        self.lx, self.ly, _ = layout.lengths
        self.pieces = layout.pieces

    def run(self, group: slice, team: Team) -> None:
        """Convolve the fields ``group``."""
        pieces = self.pieces

        def forward(worker: int, number: int) -> None:
            if self.by_plane:
                for piece in pieces:
                    self._along_x(worker, number, piece, group)
                self._along_y(number)
            else:
                self._along_x(worker, 0, pieces[number], group)

        def inverse(worker: int, number: int) -> None:
            if self.by_plane:
                self._back_along_y(number)
                for piece in pieces:
                    self._back_along_x(number, piece, group)
            else:
                self._back_along_x(0, pieces[number], group)

        def middle(worker: int, number: int) -> None:
            self.blocks[worker][number].run()

        count = self.nz if self.by_plane else len(pieces)
        team.run(count, forward)
        team.run(len(self.blocks[0]), middle)
        team.run(count, inverse)

    def _along_x(self, worker: int, z: int, rows: slice, group: slice) -> None:
        padded = self.padded[worker][: rows.stop - rows.start]
        padded[..., : self.nx] = self.real_in[z, rows, group]
        self.rows[z, rows] = rfft(padded, axis=-1)

    def _back_along_x(self, z: int, rows: slice, group: slice) -> None:
        field = irfft(self.rows[z, rows], self.lx, axis=-1, norm="forward", overwrite_x=True)
        self.real_out[z, rows, group] = field[..., : self.nx]

    def _along_y(self, z: int) -> None:
        if self.ly > 1:
            self.rows[z, self.ny :] = 0
            _in_place(fft, self.rows[z], axis=0, workers=self.inner)

    def _back_along_y(self, z: int) -> None:
        if self.ly > 1:
            _in_place(ifft, self.rows[z], axis=0, workers=self.inner, norm="forward")


class _Block:
    """One place of the spectrum: padded, transformed along the last axis, multiplied, and back."""

    def __init__(
        self, space: _Workspace, buffer: Complex, place: tuple[slice, slice], multiply: Multiply
    ) -> None:
        layout = space.layout
        y, x = place
        shape = (layout.lengths[2], y.stop - y.start, layout.fields, x.stop - x.start)
        self.axis = axis = layout.last_axis
        self.values = buffer[: int(np.prod(shape))].reshape(shape)
        known = layout.cells[2] if axis == 0 else layout.cells[1]
        self.known = self.values[:known] if axis == 0 else self.values[:, :known]
        self.padding = self.values[known:] if axis == 0 else self.values[:, known:]
        self.rows = space.rows[:, y, :, x] if axis == 0 else space.rows[..., x]
        self.is_view = np.may_share_memory(self.rows, self.known)
        self.is_transformed = self.values.shape[axis] > 1
        command = multiply(SpectrumBlock(self.values, x.start, y.start))
        self.multiply = cast("CpuCommand", command).alone()

    def run(self) -> None:
        if not self.is_view:
            self.known[...] = self.rows
        if self.is_transformed:
            self.padding[...] = 0
            _in_place(fft, self.values, axis=self.axis)
        self.multiply()
        if self.is_transformed:
            _in_place(ifft, self.values, axis=self.axis, norm="forward")
        if not self.is_view:
            self.rows[...] = self.known


def _in_place(transform: Callable[..., Complex], array: Complex, **options: object) -> None:
    result = transform(array, overwrite_x=True, **options)
    if result is not array and not np.may_share_memory(
        result, array
    ):  # scipy is allowed to, it does not have to
        array[...] = result
