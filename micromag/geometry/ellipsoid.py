"""An ellipsoid with its axes along x, y and z."""

from __future__ import annotations

from typing import Annotated

from micromag.geometry.base import ROUNDING, Bounds, Coordinates, Mask, Shape, around
from micromag.mesh import Mesh
from micromag.parameters import Quantity, Vector


class Ellipsoid(Shape):
    r"""An ellipsoid, :math:`\sum_i (2 (x_i - c_i)/s_i)^2 \le 1`; with three equal sizes a sphere.

    ==========  ====  =====  =============================================
    name        unit  shape  default
    ==========  ====  =====  =============================================
    size        m     (3,)   required: the full widths along x, y and z
    center      m     (3,)   the centre of the mesh
    ==========  ====  =====  =============================================
    """

    size: Annotated[Vector, Quantity("m", gt=0)]
    center: Annotated[Vector, Quantity("m")] = (0.0, 0.0, 0.0)

    def contains(self, x: Coordinates, y: Coordinates, z: Coordinates, mesh: Mesh) -> Mask:
        """Return which points lie inside; see ``Shape.contains``."""
        (cx, cy, cz), (sx, sy, sz) = self.center, self.size
        squares = ((x - cx) * 2 / sx) ** 2 + ((y - cy) * 2 / sy) ** 2 + ((z - cz) * 2 / sz) ** 2
        return squares <= 1 + ROUNDING

    def bounds(self, mesh: Mesh) -> Bounds:
        """Return the ends of the axes; see ``Shape.bounds``."""
        return around(self.center, self.size)
