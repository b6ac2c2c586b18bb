"""Demagnetizing tensor between two equal cells at any distance: which formula is used where."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .asymptotic import MAX_TERMS, FarField
from .components import ODD_AXES
from .newell import newell_tensor
from .quadrature import LADDER, nodes_needed, on_ladder, quadrature_tensor

Array = NDArray[np.float64]

_SERIES_TOLERANCE = 1e-11
_QUADRATURE_TOLERANCE = 1e-13
_NEWELL_TOLERANCE = 1e-12
_SERIES_TERMS = (MAX_TERMS, 6, 5, 4, 3, 2)
_CHUNK = 8192


class CellPair:
    """Demagnetizing tensor N between two equal cells as a function of their offset.

    The field in a cell is H = -sum N(r) M over all cells, averaged over the cell. Three formulas
    share the work, by error estimates relative to the dipole V / (4 pi r^3):

    - far, r > 4.9 |cell|: the multipole series, with as many terms as the distance asks for;
    - near, where rounding, 3e-16 (r + |cell|)^3 / (4 pi V), is harmless: Newell's differences;
    - between: Gauss quadrature of the dipole kernel; and where its nodes do not suffice, because
      the cells touch or almost do, Newell again.

    Against 60-digit arithmetic the error of every component, relative to |N| at the same offset, is
    below 6e-12 for edges up to 20 to 1, below 2e-10 up to 50 to 1, below 1e-8 for plates of 1000 to
    1; needles of 1000 to 1 lose digits beside each other, to 1e-5.

    Parameters
    ----------
    cell_size
        Edges (dx, dy, dz) of a cell [m]; only their ratios matter.
    """

    def __init__(self, cell_size: tuple[float, float, float]) -> None:
        edge = math.prod(edge ** (1 / 3) for edge in cell_size)
        self._cell = (cell_size[0] / edge, cell_size[1] / edge, cell_size[2] / edge)
        self._far = FarField(self._cell)
        reach = [self._far.reach(terms, _SERIES_TOLERANCE) for terms in _SERIES_TERMS]
        self._reach2 = np.array(reach) ** 2

    def __call__(self, i: Array, j: Array, k: Array) -> Array:
        """Return the tensor at the offsets (i dx, j dy, k dz), i, j, k >= 0 in cells.

        Parameters
        ----------
        i, j, k
            Broadcastable arrays [cells].

        Returns
        -------
        Array of shape (6, *broadcast shape), order xx, yy, zz, xy, xz, yz [1].
        """
        shape = np.broadcast_shapes(i.shape, j.shape, k.shape)
        offset = [
            np.broadcast_to(o * edge, shape).reshape(-1)
            for o, edge in zip((i, j, k), self._cell, strict=True)
        ]
        tensor = np.empty((6, math.prod(shape)))
        for start in range(0, tensor.shape[1], _CHUNK):
            part = slice(start, start + _CHUNK)
            tensor[:, part] = self._evaluate(offset[0][part], offset[1][part], offset[2][part])
        return tensor.reshape(6, *shape)

    def _evaluate(self, x: Array, y: Array, z: Array) -> Array:
        """Return the tensor at a chunk of scaled offsets, each range of distance by its formula."""
        tier = np.searchsorted(self._reach2, x * x + y * y + z * z)
        present = np.unique(tier)
        if len(present) == 1 and present[0]:
            return self._far(x, y, z, _SERIES_TERMS[present[0] - 1])
        tensor = np.empty((6, len(x)))
        for t in present:
            at = np.flatnonzero(tier == t)
            if t:
                tensor[:, at] = self._far(x[at], y[at], z[at], _SERIES_TERMS[t - 1])
            else:
                tensor[:, at] = self._near_and_middle(x[at], y[at], z[at])
        return tensor

    def _near_and_middle(self, x: Array, y: Array, z: Array) -> Array:
        """Return the tensor where the multipole series is not good enough."""
        r = np.sqrt(x * x + y * y + z * z)
        # The volume is 1 here; see newell_tensor for the rounding error of its differences.
        rounding = 3 * np.finfo(np.float64).eps * (r + self._far.radius) ** 3 * r**3
        needed = nodes_needed(x, y, z, self._cell, _QUADRATURE_TOLERANCE)
        newell = (rounding < _NEWELL_TOLERANCE) | (needed.max(axis=0) > LADDER[-1])
        tensor = np.empty((6, len(x)))
        tensor[:, newell] = newell_tensor(x[newell], y[newell], z[newell], self._cell)
        nodes = np.where(newell, 0, on_ladder(needed))
        for rule in np.unique(nodes, axis=1).T:
            if rule[0]:
                at = np.flatnonzero((nodes == rule[:, None]).all(axis=0))
                count = (int(rule[0]), int(rule[1]), int(rule[2]))
                tensor[:, at] = quadrature_tensor(x[at], y[at], z[at], self._cell, count)
        for row, axes in enumerate(ODD_AXES):
            for axis in axes:
                tensor[row, (x, y, z)[axis] == 0] = 0.0
        return tensor
