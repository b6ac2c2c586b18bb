"""A shape turned about an axis."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

from micromag.directions import Direction
from micromag.geometry.base import Coordinates, Mask, Shape, ShapePart
from micromag.mesh import Mesh
from micromag.parameters import Quantity, Vector


class Rotate(Shape):
    r"""A shape turned counterclockwise about an axis through a point, seen against the axis.

    Points are turned back before the shape is asked (O. Rodrigues, J. Math. Pures Appl. 5, 380
    (1840)): :math:`\mathbf{r}' = \mathbf{r}\cos\phi - (\mathbf{n} \times \mathbf{r})\sin\phi
    + \mathbf{n} (\mathbf{n} \cdot \mathbf{r})(1 - \cos\phi)`.

    ==========  ====  =====  ==================================
    name        unit  shape  default
    ==========  ====  =====  ==================================
    shape       1     ()     required: the shape to turn
    angle       rad   ()     required
    axis        1     (3,)   ``z``
    center      m     (3,)   the centre of the mesh
    ==========  ====  =====  ==================================
    """

    shape: ShapePart
    angle: Annotated[float, Quantity("rad")]
    axis: Direction = (0.0, 0.0, 1.0)
    center: Annotated[Vector, Quantity("m")] = (0.0, 0.0, 0.0)

    def contains(self, x: Coordinates, y: Coordinates, z: Coordinates, mesh: Mesh) -> Mask:
        """Return which points lie inside; see ``Shape.contains``."""
        (cx, cy, cz), (nx, ny, nz) = self.center, self.axis
        c, s = math.cos(self.angle), math.sin(self.angle)
        x, y, z = x - cx, y - cy, z - cz
        along = (nx * x + ny * y + nz * z) * (1 - c)
        return self.shape.contains(
            x * c - (ny * z - nz * y) * s + nx * along + cx,
            y * c - (nz * x - nx * z) * s + ny * along + cy,
            z * c - (nx * y - ny * x) * s + nz * along + cz,
            mesh,
        )

    def input_files(self) -> tuple[Path, ...]:
        """Return the files that the shape reads."""
        return self.shape.input_files()
