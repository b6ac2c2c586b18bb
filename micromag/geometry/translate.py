"""A shape moved to another place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from micromag.geometry.base import Bounds, Coordinates, Mask, Shape, ShapePart
from micromag.mesh import Mesh
from micromag.parameters import Quantity, Vector


class Translate(Shape):
    r"""A shape moved by a vector: it contains :math:`\mathbf{r}` if the shape contains
    :math:`\mathbf{r} - \mathbf{d}`.

    ==========  ====  =====  ==========================
    name        unit  shape  default
    ==========  ====  =====  ==========================
    shape       1     ()     required: the shape to move
    by          m     (3,)   required
    ==========  ====  =====  ==========================
    """

    shape: ShapePart
    by: Annotated[Vector, Quantity("m")]

    def contains(self, x: Coordinates, y: Coordinates, z: Coordinates, mesh: Mesh) -> Mask:
        """Return which points lie inside; see ``Shape.contains``."""
        dx, dy, dz = self.by
        return self.shape.contains(x - dx, y - dy, z - dz, mesh)

    def bounds(self, mesh: Mesh) -> Bounds:
        """Return the bounds of the shape, moved; see ``Shape.bounds``."""
        (x, y, z), (dx, dy, dz) = self.shape.bounds(mesh), self.by
        return (x[0] + dx, x[1] + dx), (y[0] + dy, y[1] + dy), (z[0] + dz, z[1] + dz)

    def input_files(self) -> tuple[Path, ...]:
        """Return the files that the shape reads."""
        return self.shape.input_files()
