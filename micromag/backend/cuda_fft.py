"""The transforms of the convolution on a GPU, with cuFFT on the layout of `ConvolutionLayout`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cupy
import numpy as np
from cupy.cuda import runtime

from micromag.backend.base import ConvolutionFFT, DeviceArray, Multiply, SpectrumBlock, Step
from micromag.backend.fft_layout import ConvolutionLayout, Lines
from micromag.errors import DeviceError

if TYPE_CHECKING:
    from micromag.backend.cuda import CudaBackend


class CudaConvolutionFFT(ConvolutionFFT):
    """The transforms with cuFFT; see the base class for layout and normalisation."""

    def __init__(
        self,
        backend: CudaBackend,
        cells: tuple[int, int, int],
        lengths: tuple[int, int, int],
        batch: int,
        dtype: np.dtype[Any],
    ) -> None:
        nx, ny, nz = self.cells = cells
        lx, ly, lz = self.lengths = lengths
        self.backend = backend
        self.batch = batch
        self.layout = layout = ConvolutionLayout(cells, lengths, batch)
        complex_dtype = np.result_type(dtype, np.complex64)
        self.real_in = backend.zeros((nz, ny, batch, nx), dtype)
        self.spectrum = backend.zeros((lz, ly, batch, lx // 2 + 1), complex_dtype)
        self.real_out = backend.zeros((nz, ny, batch, nx), dtype)
        # cuFFT reads and writes whole lines of Lx points.
        self.is_padded = lx > nx
        shape = (nz, ny, batch, lx)
        padded = backend.zeros(shape, dtype) if self.is_padded else None
        self.line_in = self.real_in if padded is None else padded
        self.line_out = self.real_out if padded is None else padded

        double = dtype == np.float64
        along_x = _Plan if lx > 1 else _RealParts
        self.x = along_x(layout.x, "D2Z" if double else "R2C", self.line_in, self.spectrum)
        self.x_back = along_x(
            layout.x.reversed, "Z2D" if double else "C2R", self.spectrum, self.line_out
        )
        self.across = [
            (_Plan(lines, "Z2Z" if double else "C2C", self.spectrum, self.spectrum), padding)
            for lines, padding in ((layout.y, layout.padding_y), (layout.z, layout.padding_z))
            if lines is not None
        ]

    def steps(self, multiply: Multiply) -> list[Step]:
        whole = SpectrumBlock(self.spectrum, 0, self.backend.zeros(1, np.int32))
        return [self.forward, multiply(whole), self.inverse]

    def forward(self) -> None:
        """Transform ``real_in``, padded with zeros, into ``spectrum``."""
        with self.backend.active():
            if self.is_padded:
                _zero(self.line_in, 0, self.line_in.size)
                self._copy_cells(self.line_in, self.real_in)
            self.x.run(-1)
            for plan, padding in self.across:
                for start, size in padding:
                    _zero(self.spectrum, start, size)
                plan.run(-1)

    def inverse(self) -> None:
        """Transform ``spectrum`` back, which destroys it, into ``real_out``."""
        with self.backend.active():
            for plan, _ in reversed(self.across):
                plan.run(+1)
            self.x_back.run(+1)
            if self.is_padded:
                self._copy_cells(self.real_out, self.line_out)

    def _copy_cells(self, target: DeviceArray, source: DeviceArray) -> None:
        """Copy the first nx elements of every x line."""
        item = target.dtype.itemsize
        pitches = (target.shape[-1] * item, source.shape[-1] * item)
        _copy_rows(target, source, pitches, self.cells[0] * item, target.size // target.shape[-1])


class _Plan:
    """A cuFFT plan and the places that it is applied to, one after the other."""

    def __init__(self, lines: Lines, kind: str, source: DeviceArray, target: DeviceArray) -> None:
        cufft = cufft_module()
        embed = (lines.length,)  # of a one-dimensional transform only "not None" matters
        layout = (embed, embed, *lines.source, embed, *lines.target)
        kind_number = getattr(cufft, f"CUFFT_{kind}")
        try:
            # The plan keeps its work area.
            self.plan = cufft.PlanNd(*layout, kind_number, lines.count, "C", 0, None)
        except cufft.CuFFTError as error:
            raise DeviceError(
                "cuFFT cannot plan the transforms of the convolution",
                value=f"{error}: {lines.count} of {lines.length} points",
                next_step="if memory is short, use fewer cells or replicas, or precision: single",
            ) from error
        self.places = _places(lines, source, target)

    def run(self, direction: int) -> None:
        """Enqueue on the current stream; the direction matters between complex numbers only."""
        for source, target in self.places:
            self.plan.fft(source, target, direction)


class _RealParts:
    """What is left of a transform along x where that axis has one point: a change of type."""

    def __init__(self, lines: Lines, kind: str, source: DeviceArray, target: DeviceArray) -> None:
        self.count = lines.count
        self.source, self.target = source, target
        self.places = _places(lines, source, target)

    def run(self, direction: int) -> None:
        """Enqueue on the current stream."""
        if direction < 0:
            _zero(self.target, 0, self.target.size)
        pitches = (self.target.dtype.itemsize, self.source.dtype.itemsize)
        for source, target in self.places:
            _copy_rows(target, source, pitches, min(pitches), self.count)


def _places(
    lines: Lines, source: DeviceArray, target: DeviceArray
) -> list[tuple[DeviceArray, DeviceArray]]:
    flat_source, flat_target = source.ravel(), target.ravel()
    return [(flat_source[s:], flat_target[t:]) for s, t in lines.starts]


def _copy_rows(
    target: DeviceArray, source: DeviceArray, pitches: tuple[int, int], width: int, rows: int
) -> None:
    """Enqueue a copy of ``rows`` pieces of ``width`` bytes that lie ``pitches`` bytes apart."""
    to, origin = (target.data.ptr, pitches[0]), (source.data.ptr, pitches[1])
    stream = cupy.cuda.get_current_stream().ptr
    runtime.memcpy2DAsync(*to, *origin, width, rows, runtime.memcpyDeviceToDevice, stream)


def _zero(array: DeviceArray, start: int, size: int) -> None:
    """Enqueue zeros for ``size`` elements of a contiguous array."""
    item = array.dtype.itemsize
    pointer = array.data.ptr + start * item
    runtime.memsetAsync(pointer, 0, size * item, cupy.cuda.get_current_stream().ptr)


def cufft_module() -> Any:
    """Return CuPy's cuFFT; raises DeviceError where it is not installed."""
    try:
        from cupy.cuda import cufft
    except ImportError as error:
        raise DeviceError(
            "cuFFT is not installed",
            value=error,
            next_step="pip install 'cupy-cuda13x[ctk]' (or cupy-cuda12x[ctk])",
        ) from error
    return cufft
