"""A circular cylinder along one axis."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from micromag.geometry.base import ROUNDING, Bounds, Coordinates, Mask, Shape, around, between
from micromag.mesh import AXES, Mesh
from micromag.parameters import Quantity, Vector


class Cylinder(Shape):
    r"""A circular cylinder, :math:`\rho \le d/2` and :math:`-h/2 \le s < h/2` along its axis.

    ==========  ====  =====  =====================================
    name        unit  shape  default
    ==========  ====  =====  =====================================
    diameter    m     ()     required
    height      m     ()     endless
    axis        1     ()     ``z``; or ``x``, ``y``
    center      m     (3,)   the centre of the mesh
    ==========  ====  =====  =====================================
    """

    diameter: Annotated[float, Quantity("m", gt=0)]
    height: Annotated[float, Quantity("m", gt=0)] | None = None
    axis: Literal["x", "y", "z"] = "z"
    center: Annotated[Vector, Quantity("m")] = (0.0, 0.0, 0.0)

    def contains(self, x: Coordinates, y: Coordinates, z: Coordinates, mesh: Mesh) -> Mask:
        """Return which points lie inside; see ``Shape.contains``."""
        offsets = [s - c for s, c in zip((x, y, z), self.center, strict=True)]
        along = offsets.pop(AXES.index(self.axis))
        u, v = offsets
        inside = u**2 + v**2 <= (self.diameter / 2) ** 2 * (1 + ROUNDING)
        if self.height is None:
            return inside
        return inside & between(along, -self.height / 2, self.height / 2, mesh)

    def bounds(self, mesh: Mesh) -> Bounds:
        """Return the block around it; see ``Shape.bounds``."""
        size = [self.diameter] * 3
        size[AXES.index(self.axis)] = math.inf if self.height is None else self.height
        return around(self.center, size)
