"""What several shapes have in common."""

from __future__ import annotations

from functools import reduce
from pathlib import Path

from pydantic import ConfigDict, RootModel

from micromag.geometry.base import Bounds, Coordinates, Mask, Shape, ShapeParts
from micromag.mesh import Mesh


class Intersection(Shape, RootModel[ShapeParts]):
    r"""The intersection :math:`A \cap B \cap \dots` of a list of shapes.

    ``{intersection: [{box: {...}}, {ellipse: {...}}]}`` is what lies in all of them.
    """

    model_config = ConfigDict(extra=None)

    def contains(self, x: Coordinates, y: Coordinates, z: Coordinates, mesh: Mesh) -> Mask:
        """Return which points lie inside; see ``Shape.contains``."""
        return reduce(lambda a, b: a & b, (part.contains(x, y, z, mesh) for part in self.root))

    def bounds(self, mesh: Mesh) -> Bounds:
        """Return what the bounds of the parts have in common; see ``Shape.bounds``."""
        (x, y, z) = (
            (max(lower for lower, _ in axis), min(upper for _, upper in axis))
            for axis in zip(*(part.bounds(mesh) for part in self.root), strict=True)
        )
        return x, y, z

    def input_files(self) -> tuple[Path, ...]:
        """Return the files that the parts read."""
        return tuple(path for part in self.root for path in part.input_files())
