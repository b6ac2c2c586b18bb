"""A rectangular block with faces along the axes."""

from __future__ import annotations

from typing import Annotated

from micromag.geometry.base import Bounds, Coordinates, Mask, Shape, around, between
from micromag.mesh import Mesh
from micromag.parameters import Quantity, Vector


class Box(Shape):
    r"""A rectangular block, :math:`-s_i/2 \le x_i - c_i < s_i/2` for each axis.

    ==========  ====  =====  ==============================================================
    name        unit  shape  default
    ==========  ====  =====  ==============================================================
    center      m     (3,)   the centre of the mesh
    size        m     (3,)   the whole mesh (without end along the axis of a moving window)
    ==========  ====  =====  ==============================================================
    """

    center: Annotated[Vector, Quantity("m")] = (0.0, 0.0, 0.0)
    size: Annotated[Vector, Quantity("m", gt=0)] | None = None

    def contains(self, x: Coordinates, y: Coordinates, z: Coordinates, mesh: Mesh) -> Mask:
        """Return which points lie inside; see ``Shape.contains``."""
        (cx, cy, cz), (sx, sy, sz) = self.center, self.size or mesh.extent
        return (
            between(x, cx - sx / 2, cx + sx / 2, mesh)
            & between(y, cy - sy / 2, cy + sy / 2, mesh)
            & between(z, cz - sz / 2, cz + sz / 2, mesh)
        )

    def bounds(self, mesh: Mesh) -> Bounds:
        """Return the faces; see ``Shape.bounds``."""
        return around(self.center, self.size or mesh.extent)
