"""A shape without what lies in others."""

from __future__ import annotations

from functools import reduce
from pathlib import Path

from pydantic import ConfigDict, RootModel

from micromag.geometry.base import Bounds, Coordinates, Mask, Shape, ShapeParts
from micromag.mesh import Mesh


class Difference(Shape, RootModel[ShapeParts]):
    r"""The first shape of a list without the others, :math:`A \setminus B \setminus \dots`.

    ``{difference: [{box: {}}, {ellipse: {...}}]}`` is the mesh with a hole.
    """

    model_config = ConfigDict(extra=None)

    def contains(self, x: Coordinates, y: Coordinates, z: Coordinates, mesh: Mesh) -> Mask:
        """Return which points lie inside; see ``Shape.contains``."""
        return reduce(lambda a, b: a & ~b, (part.contains(x, y, z, mesh) for part in self.root))

    def bounds(self, mesh: Mesh) -> Bounds:
        """Return the bounds of the first part; see ``Shape.bounds``."""
        return self.root[0].bounds(mesh)

    def input_files(self) -> tuple[Path, ...]:
        """Return the files that the parts read."""
        return tuple(path for part in self.root for path in part.input_files())
