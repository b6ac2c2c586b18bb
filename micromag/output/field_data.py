"""A field as it comes out of a file of any kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class FieldData:
    """A field on a regular grid as read from a file.

    Attributes
    ----------
    values
        Shape (components, nz, ny, nx), float64.
    cell_size
        Edges of a cell (x, y, z) in m, None where the file does not say.
    origin
        Lower corner of the grid (x, y, z) in m, None where the file does not say.
    unit
        Unit of the values as the file gives it, ``""`` for pure numbers or where it does not say.
    """

    values: NDArray[np.float64]
    cell_size: tuple[float, float, float] | None = None
    origin: tuple[float, float, float] | None = None
    unit: str = ""

    @property
    def m(self) -> NDArray[np.float64]:
        """The values of a magnetization, shape (3, nz, ny, nx)."""
        return self.values

    @property
    def cells(self) -> tuple[int, int, int]:
        """Number of cells (nx, ny, nz)."""
        _, nz, ny, nx = self.values.shape
        return (nx, ny, nz)
