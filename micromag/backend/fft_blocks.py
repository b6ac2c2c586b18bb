"""How the pruned transforms are cut into pieces that stay in a processor's cache.

Fields of a few replicas go through at a time. Their spectrum after all axes but the last lies in
``rows``, complex (nz, Ly or ny, fields, nkx) with nkx = Lx // 2 + 1. The last axis, z where the grid
has one and y otherwise, is padded, transformed, multiplied and transformed back block by block, in
``block``: the padded spectrum as a whole never exists, unless it is a single block; then the rows
lie in it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

BLOCK_BYTES = 2**20
"""Size of ``block``: what a core's second-level cache holds with room to spare."""
ONE_BLOCK_BYTES = 2**21
"""Up to this size the padded spectrum stays whole, which saves copies between rows and block."""
ROW_BYTES = 2**19
"""Padded rows are transformed along x in pieces of this size."""
THREADS_FROM = 100_000
"""Padded points of a field from which more than one thread pays."""
_COLUMNS = 16
"""Blocks have a multiple of so many columns: whole vectors for the transforms, whole cache lines."""


def cut(length: int, size: int) -> tuple[slice, ...]:
    """Return slices of ``size``, the last one shorter if need be, that cover ``length``."""
    return tuple(slice(a, min(a + size, length)) for a in range(0, length, size))


@dataclass(frozen=True)
class BlockedLayout:
    """The pieces of a convolution.

    Attributes
    ----------
    cells, lengths
        Cells (nx, ny, nz) and padded grid (Lx, Ly, Lz).
    replicas, components
        Replicas, and fields of each; those of one replica are multiplied together.
    itemsize
        Bytes of a real number.
    threads
        Threads that there are to work.
    """

    cells: tuple[int, int, int]
    lengths: tuple[int, int, int]
    replicas: int
    components: int
    itemsize: int
    threads: int

    @property
    def points(self) -> int:
        """Points of a padded field."""
        lx, ly, lz = self.lengths
        return lx * ly * lz

    @property
    def threads_inside(self) -> int:
        """Threads that share the work on one group."""
        return self.threads if self.points >= THREADS_FROM else 1

    @property
    def threads_across(self) -> int:
        """Threads that each work on a group of their own."""
        if self.threads_inside > 1 or self.points * self.replicas < THREADS_FROM:
            return 1
        return min(self.threads, self.replicas)

    @property
    def together(self) -> int:
        """Replicas of a group."""
        _, ly, lz = self.lengths
        one = 2 * self.itemsize * self.components * self.frequencies * ly * lz
        most = max(1, BLOCK_BYTES // one)
        across = self.threads_across
        groups = -(-self.replicas // (most * across)) * across
        return -(-self.replicas // groups)

    @property
    def groups(self) -> tuple[int, ...]:
        """First replica of each group. The last group may repeat replicas of the one before."""
        last = self.replicas - self.together
        return tuple(min(r, last) for r in range(0, self.replicas, self.together))

    @property
    def fields(self) -> int:
        """Fields of a group."""
        return self.components * self.together

    @property
    def frequencies(self) -> int:
        """Frequencies along x."""
        return self.lengths[0] // 2 + 1

    @property
    def last_axis(self) -> int:
        """The axis that goes block by block, in arrays (z, y, field, x)."""
        return 0 if self.lengths[2] > 1 else 1

    @property
    def rows_shape(self) -> tuple[int, int, int, int]:
        """Shape of ``rows``."""
        _, ny, nz = self.cells
        return nz, self.lengths[1] if self.last_axis == 0 else ny, self.fields, self.frequencies

    @property
    def block_shape(self) -> tuple[int, int, int, int]:
        """Shape of the largest ``block``: some columns of every length along the last axis."""
        _, ly, lz = self.lengths
        column = 2 * self.itemsize * self.fields * (lz if self.last_axis == 0 else ly)
        if column * self.frequencies * (ly if self.last_axis == 0 else 1) <= ONE_BLOCK_BYTES:
            return lz, ly, self.fields, self.frequencies
        columns = max(_COLUMNS, BLOCK_BYTES // column // _COLUMNS * _COLUMNS)
        width = min(columns, self.frequencies)
        rows = ly if self.last_axis == 1 else min(max(1, columns // self.frequencies), ly)
        return lz, rows, self.fields, width

    @property
    def blocks(self) -> tuple[tuple[slice, slice], ...]:
        """Places of the blocks in the spectrum, along y and x."""
        _, rows, _, width = self.block_shape
        along_x = cut(self.frequencies, width)
        return tuple((y, x) for y in cut(self.lengths[1], rows) for x in along_x)

    @property
    def is_one_block(self) -> bool:
        """Whether the whole padded spectrum is a single block."""
        _, rows, _, width = self.block_shape
        return rows == self.lengths[1] and width == self.frequencies

    @property
    def depth(self) -> int:
        """Planes of cells that are transformed along x, and then y, at a time."""
        plane = self.itemsize * self.fields * self.lengths[0] * self.cells[1]
        share = -(-self.cells[2] // self.threads_inside)
        return max(1, min(ROW_BYTES // plane, share))

    @property
    def pieces(self) -> tuple[slice, ...]:
        """Rows of cells of these planes that are transformed along x at a time."""
        return cut(self.cells[1], self.padded_shape[1])

    @property
    def padded_shape(self) -> tuple[int, int, int, int]:
        """Shape of the padded rows of a piece."""
        row = self.itemsize * self.fields * self.lengths[0]
        rows = min(self.cells[1], max(1, ROW_BYTES // row))
        return self.depth, rows, self.fields, self.lengths[0]

    @property
    def size(self) -> int:
        """Bytes of all arrays: in, out, and the workspaces of all threads."""
        nx, ny, nz = self.cells
        whole = 2 * nx * ny * nz * self.replicas * self.components
        rows, block, padded = (
            math.prod(shape) for shape in (self.rows_shape, self.block_shape, self.padded_shape)
        )
        if self.is_one_block:
            workspace = 2 * block + self.threads_inside * padded
        else:
            workspace = 2 * rows + self.threads_inside * (2 * block + padded)
        return (whole + self.threads_across * workspace) * self.itemsize
