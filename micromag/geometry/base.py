"""The base of all shapes, and the field type that reads one from the run file."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, ConfigDict, TypeAdapter

from micromag.arguments import Checked
from micromag.keyed import Keyed
from micromag.mesh import Mesh
from micromag.parameters import custom_error
from micromag.registry import Registry

if TYPE_CHECKING:
    from micromag.geometry.difference import Difference
    from micromag.geometry.intersection import Intersection
    from micromag.geometry.union import Union

Coordinates = NDArray[np.float64]
Mask = NDArray[np.bool_]
Bounds = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
"""Lower and upper bound [m] of x, y and z."""

ENDLESS = (-math.inf, math.inf)

ROUNDING = 1e-6
"""Rounding allowed for in positions, in units of the smallest cell edge."""


class Shape(Checked, ABC):
    """A part of space that can be asked which points it contains.

    A cell belongs to a shape if its centre does. Faces are half open, ``lower <= x < upper``, so
    shapes that touch share no cell and leave none out, and a box of 20 nm on 4 nm cells is 5 cells
    wide wherever it lies.

    Shapes combine with ``|`` (union), ``&`` (intersection) and ``-`` (difference).
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )

    @abstractmethod
    def contains(self, x: Coordinates, y: Coordinates, z: Coordinates, mesh: Mesh) -> Mask:
        """Return which points lie inside.

        Parameters
        ----------
        x, y, z
            Coordinates [m] that broadcast together; the origin is the centre of the mesh.
        mesh
            What shapes without a size of their own spread over.

        Returns
        -------
        Array of bool that broadcasts to the common shape of ``x``, ``y`` and ``z``.
        """

    def bounds(self, mesh: Mesh) -> Bounds:
        """Return bounds [m] beyond which no point lies inside; they only save time.

        The default, everywhere, is right for every shape.
        """
        return ENDLESS, ENDLESS, ENDLESS

    def mask(self, mesh: Mesh, shift: tuple[int, int] = (0, 0)) -> Mask:
        """Return which cells of the mesh lie inside, shape ``(nz, ny, nx)``.

        ``shift`` is how far a window has moved along x and y [cells].
        """
        return np.broadcast_to(self.contains(*mesh.grid(shift), mesh), mesh.shape).copy()

    def input_files(self) -> tuple[Path, ...]:
        """Return the files that this shape reads, those of its parts included."""
        return ()

    def __or__(self, other: Shape) -> Union:
        from micromag.geometry.union import Union

        return Union((self, other))

    def __and__(self, other: Shape) -> Intersection:
        from micromag.geometry.intersection import Intersection

        return Intersection((self, other))

    def __sub__(self, other: Shape) -> Difference:
        from micromag.geometry.difference import Difference

        return Difference((self, other))


SHAPES: Registry[Shape] = Registry("micromag.geometry", Shape)
"""All shapes by their key in the run file."""

ShapeField = Annotated[Shape, Keyed(SHAPES, "shape")]
"""A shape as a field of the run file: ``{box: {size: [...]}}``."""

ShapePart = Annotated[Shape, Keyed(SHAPES, "shape", nested=True)]
"""A shape inside another shape."""


def _not_empty(parts: tuple[Shape, ...]) -> tuple[Shape, ...]:
    if not parts:
        raise custom_error("shape", "the list of shapes is empty", "one shape or more")
    return parts


ShapeParts = Annotated[tuple[ShapePart, ...], AfterValidator(_not_empty)]
"""The list of shapes that a set operation combines."""


def parse_shape(data: Any) -> Shape:
    """Return the shape that a one-key mapping describes; raises pydantic.ValidationError."""
    adapter: TypeAdapter[Shape] = TypeAdapter(ShapeField)
    return adapter.validate_python(data)


def around(center: Sequence[float], size: Sequence[float]) -> Bounds:
    """Return the bounds of a block of this size [m] about this centre [m]."""
    (cx, cy, cz), (sx, sy, sz) = center, size
    return (cx - sx / 2, cx + sx / 2), (cy - sy / 2, cy + sy / 2), (cz - sz / 2, cz + sz / 2)


def margin(mesh: Mesh) -> float:
    """Return the length [m] within which two positions on this mesh count as the same."""
    return ROUNDING * min(mesh.cell_size)


def between(s: Coordinates, lower: float, upper: float, mesh: Mesh) -> Mask:
    """Return where ``lower <= s < upper``, both bounds moved down by the rounding margin."""
    tolerance = margin(mesh)
    return (s >= lower - tolerance) & (s < upper - tolerance)
