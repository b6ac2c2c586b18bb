"""Append-only tables in HDF5: one dataset per column, and a number that says how many rows count.

No flush is atomic over several datasets. So the columns are written first and the attribute
``rows`` of their group last: whoever reads takes the first ``rows`` entries and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from micromag.column import Column

CHUNK_ROWS = 1024


class ColumnGroup:
    """The columns of one HDF5 group, buffered in memory until :meth:`stage` and :meth:`commit`.

    Parameters
    ----------
    group
        An empty group (or an anonymous one, to be linked once it is complete).
    columns
        The columns in the order of the rows that :meth:`append` takes.
    index
        Name of the column that labels the rows in xarray, if it is among the columns.
    """

    def __init__(
        self, group: h5py.Group, columns: Sequence[Column], index: str | None = None
    ) -> None:
        names = [column.name for column in columns]
        if len(set(names)) != len(names):
            raise ValueError(f"column names repeat: {names}")
        self.group = group
        self.columns = tuple(columns)
        self.rows = 0
        self._buffer: list[NDArray[np.float64]] = []
        self._datasets = [self._create(column) for column in columns]
        group.attrs.create("rows", np.int64(0))
        group.attrs["column_order"] = names
        if index in names:
            self._label(names.index(index))

    def _create(self, column: Column) -> h5py.Dataset:
        data = self.group.create_dataset(
            column.name,
            shape=(0,),
            maxshape=(None,),
            chunks=(CHUNK_ROWS,),
            dtype="i8" if column.integer else "f8",
        )
        data.attrs["unit"] = column.unit
        if column.description:
            data.attrs["description"] = column.description
        return data

    def _label(self, index: int) -> None:
        scale = self._datasets[index]
        scale.make_scale(self.columns[index].name)
        for data in self._datasets:
            if data is not scale:
                data.dims[0].attach_scale(scale)

    @property
    def pending(self) -> int:
        """Number of rows that are not committed yet."""
        return sum(len(block) for block in self._buffer)

    def append(self, rows: ArrayLike) -> None:
        """Buffer rows of shape ``(rows, columns)`` or one row of shape ``(columns,)``."""
        block = np.atleast_2d(np.array(rows, dtype=np.float64))
        if block.ndim != 2 or block.shape[1] != len(self.columns):
            raise ValueError(f"rows of {len(self.columns)} columns expected, not {block.shape}")
        if len(block):
            self._buffer.append(block)

    def stage(self) -> bool:
        """Write the buffered rows, which do not count before :meth:`commit`; False if none."""
        if not self._buffer:
            return False
        block = np.concatenate(self._buffer)
        start, stop = self.rows, self.rows + len(block)
        for values, data in zip(block.T, self._datasets, strict=True):
            data.resize(stop, axis=0)
            data[start:stop] = np.rint(values) if data.dtype.kind == "i" else values
        return True

    def commit(self) -> None:
        """Let the rows written by :meth:`stage` count; a flush must lie between the two."""
        self.rows += self.pending
        self._buffer.clear()
        self.group.attrs.modify("rows", np.int64(self.rows))
