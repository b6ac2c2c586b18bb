"""A shape repeated without end along the axes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import field_validator

from micromag.geometry.base import Coordinates, Mask, Shape, ShapePart, margin
from micromag.mesh import Mesh
from micromag.parameters import Quantity, Vector, custom_error


class Repeat(Shape):
    """A shape repeated with a period along one or more axes.

    What lies within half a period of the origin is repeated; parts farther out are cut off.

    ==========  ====  =====  ==============================================
    name        unit  shape  default
    ==========  ====  =====  ==============================================
    shape       1     ()     required: the shape to repeat
    period      m     (3,)   required; 0 = not repeated along this axis
    ==========  ====  =====  ==============================================

    Raises
    ------
    pydantic.ValidationError
        If a period is negative or all are zero.
    """

    shape: ShapePart
    period: Annotated[Vector, Quantity("m", ge=0)]

    @field_validator("period")
    @classmethod
    def _repeats(cls, period: Vector) -> Vector:
        if not any(period):
            raise custom_error("shape", "all periods are 0", "a period > 0 along some axis")
        return period

    def contains(self, x: Coordinates, y: Coordinates, z: Coordinates, mesh: Mesh) -> Mask:
        """Return which points lie inside; see ``Shape.contains``."""
        tolerance = margin(mesh)
        x, y, z = (
            s - p * np.floor((s + tolerance) / p + 0.5) if p > 0 else s
            for s, p in zip((x, y, z), self.period, strict=True)
        )
        return self.shape.contains(x, y, z, mesh)

    def input_files(self) -> tuple[Path, ...]:
        """Return the files that the shape reads."""
        return self.shape.input_files()
