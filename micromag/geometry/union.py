"""What lies in at least one of several shapes."""

from __future__ import annotations

from functools import reduce
from pathlib import Path

from pydantic import ConfigDict, RootModel

from micromag.geometry.base import Bounds, Coordinates, Mask, Shape, ShapeParts
from micromag.mesh import Mesh


class Union(Shape, RootModel[ShapeParts]):
    r"""The union :math:`A \cup B \cup \dots` of a list of shapes: ``{union: [{box: {}}, ...]}``."""

    model_config = ConfigDict(extra=None)

    def contains(self, x: Coordinates, y: Coordinates, z: Coordinates, mesh: Mesh) -> Mask:
        """Return which points lie inside; see ``Shape.contains``."""
        return reduce(lambda a, b: a | b, (part.contains(x, y, z, mesh) for part in self.root))

    def bounds(self, mesh: Mesh) -> Bounds:
        """Return bounds around those of the parts; see ``Shape.bounds``."""
        (x, y, z) = (
            (min(lower for lower, _ in axis), max(upper for _, upper in axis))
            for axis in zip(*(part.bounds(mesh) for part in self.root), strict=True)
        )
        return x, y, z

    def input_files(self) -> tuple[Path, ...]:
        """Return the files that the parts read."""
        return tuple(path for part in self.root for path in part.input_files())
