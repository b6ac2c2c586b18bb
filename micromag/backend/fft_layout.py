"""Where the lines of a pruned transform lie in memory, in the terms of cuFFT's advanced layout.

Buffers, sizes in elements: ``padded`` real (nz, ny, batch, Lx) and ``spectrum`` complex
(Lz, Ly, batch, nkx) with nkx = Lx // 2 + 1, both contiguous. Element k of line b of a group that
starts at s is at ``s + b * distance + k * stride``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Lines:
    """Groups of ``count`` equal one-dimensional transforms of ``length`` points.

    ``source`` and ``target`` are (stride, distance); ``starts`` has one (source, target) per group.
    """

    length: int
    count: int
    source: tuple[int, int]
    target: tuple[int, int]
    starts: tuple[tuple[int, int], ...]

    @property
    def reversed(self) -> Lines:
        """The same lines with source and target exchanged."""
        starts = tuple((t, s) for s, t in self.starts)
        return Lines(self.length, self.count, self.target, self.source, starts)


@dataclass(frozen=True)
class ConvolutionLayout:
    """The transforms and the padding of (nx, ny, nz) cells in a grid of (Lx, Ly, Lz) points."""

    cells: tuple[int, int, int]
    lengths: tuple[int, int, int]
    batch: int

    @property
    def row(self) -> int:
        """Complex elements from one row of the spectrum to the next in y."""
        return self.batch * (self.lengths[0] // 2 + 1)

    @property
    def plane(self) -> int:
        """Complex elements from one plane of the spectrum to the next in z."""
        return self.lengths[1] * self.row

    @property
    def padded_size(self) -> int:
        """Real numbers in ``padded``."""
        return self.lengths[0] * self.cells[1] * self.cells[2] * self.batch

    @property
    def spectrum_size(self) -> int:
        """Complex numbers in ``spectrum``."""
        return self.plane * self.lengths[2]

    @property
    def array_size(self) -> int:
        """Real numbers in the arrays that every backend has: in, out and spectrum."""
        nx, ny, nz = self.cells
        return 2 * nx * ny * nz * self.batch + 2 * self.spectrum_size

    @property
    def x(self) -> Lines:
        """Real to complex, ``padded`` to ``spectrum``, for the rows that hold cells."""
        (_, ny, nz), (lx, ly, _) = self.cells, self.lengths
        real, rows = (1, lx), (1, lx // 2 + 1)
        if ly == ny:  # no padding rows between the planes: one group
            return Lines(lx, nz * ny * self.batch, real, rows, ((0, 0),))
        starts = tuple((z * ny * self.batch * lx, z * self.plane) for z in range(nz))
        return Lines(lx, ny * self.batch, real, rows, starts)

    @property
    def y(self) -> Lines | None:
        """Complex in place along y, for the planes that hold rows; None where Ly = 1."""
        if self.lengths[1] == 1:
            return None
        starts = tuple((z * self.plane, z * self.plane) for z in range(self.cells[2]))
        across = (self.row, 1)
        return Lines(self.lengths[1], self.row, across, across, starts)

    @property
    def z(self) -> Lines | None:
        """Complex in place along z, for everything; None where Lz = 1."""
        if self.lengths[2] == 1:
            return None
        across = (self.plane, 1)
        return Lines(self.lengths[2], self.plane, across, across, ((0, 0),))

    @property
    def padding_y(self) -> tuple[tuple[int, int], ...]:
        """(start, size) of the spectrum's padding rows in the planes that hold cells."""
        size = (self.lengths[1] - self.cells[1]) * self.row
        first = self.cells[1] * self.row
        planes = range(self.cells[2]) if size else ()
        return tuple((z * self.plane + first, size) for z in planes)

    @property
    def padding_z(self) -> tuple[tuple[int, int], ...]:
        """(start, size) of the spectrum's padding planes."""
        size = (self.lengths[2] - self.cells[2]) * self.plane
        return ((self.cells[2] * self.plane, size),) if size else ()
