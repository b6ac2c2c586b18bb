"""An elliptic column along z."""

from __future__ import annotations

from typing import Annotated

from micromag.geometry.base import ENDLESS, ROUNDING, Bounds, Coordinates, Mask, Shape, around
from micromag.mesh import Mesh
from micromag.parameters import Quantity, Vector

Length = Annotated[float, Quantity("m", gt=0)]


class Ellipse(Shape):
    r"""An elliptic column along z, :math:`(2x/s_x)^2 + (2y/s_y)^2 \le 1` about its centre.

    ==========  ====  =====  =============================================
    name        unit  shape  default
    ==========  ====  =====  =============================================
    size        m     (2,)   required: the full widths along x and y
    center      m     (3,)   the centre of the mesh; z has no effect
    ==========  ====  =====  =============================================
    """

    size: tuple[Length, Length]
    center: Annotated[Vector, Quantity("m")] = (0.0, 0.0, 0.0)

    def contains(self, x: Coordinates, y: Coordinates, z: Coordinates, mesh: Mesh) -> Mask:
        """Return which points lie inside; see ``Shape.contains``."""
        (cx, cy, _), (sx, sy) = self.center, self.size
        return ((x - cx) * 2 / sx) ** 2 + ((y - cy) * 2 / sy) ** 2 <= 1 + ROUNDING

    def bounds(self, mesh: Mesh) -> Bounds:
        """Return the ends of the axes; see ``Shape.bounds``."""
        x, y, _ = around(self.center, (*self.size, 0))
        return x, y, ENDLESS
