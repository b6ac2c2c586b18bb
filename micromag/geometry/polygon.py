"""A polygonal column along z."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import field_validator

from micromag.geometry.base import ENDLESS, Bounds, Coordinates, Mask, Shape, margin
from micromag.mesh import Mesh
from micromag.parameters import Quantity, custom_error

Length = Annotated[float, Quantity("m")]
Point = tuple[Length, Length]


class Polygon(Shape):
    """A column along z over a polygon, closed from the last point to the first.

    A point is inside if a ray from it crosses the edges an odd number of times, so an outline that
    crosses itself leaves holes (M. Shimrat, Commun. ACM 5, 434 (1962)).

    ==========  ====  ======  ==========================================
    name        unit  shape   default
    ==========  ====  ======  ==========================================
    points      m     (n, 2)  required: x and y of at least three points
    ==========  ====  ======  ==========================================

    Raises
    ------
    pydantic.ValidationError
        If there are fewer than three points or all lie on one line.
    """

    points: tuple[Point, ...]

    @field_validator("points")
    @classmethod
    def _spread(cls, points: tuple[Point, ...]) -> tuple[Point, ...]:
        if len(points) < 3:
            raise custom_error("shape", f"{len(points)} points make no polygon", "3 or more")
        offsets = np.array(points) - np.array(points[0])
        across = np.linalg.svd(offsets, compute_uv=False)
        if across[1] <= 1e-9 * across[0]:
            raise custom_error("shape", "all points lie on one line", "points that span an area")
        return points

    def contains(self, x: Coordinates, y: Coordinates, z: Coordinates, mesh: Mesh) -> Mask:
        """Return which points lie inside; see ``Shape.contains``."""
        tolerance = margin(mesh)
        x, y = np.broadcast_arrays(x + tolerance, y + tolerance)
        inside = np.zeros(x.shape, dtype=bool)
        for (x1, y1), (x2, y2) in zip(self.points, self.points[1:] + self.points[:1], strict=True):
            if y1 == y2:
                continue
            crossing = x1 + (y - y1) * ((x2 - x1) / (y2 - y1))
            inside ^= ((y1 > y) != (y2 > y)) & (x < crossing)
        return inside

    def bounds(self, mesh: Mesh) -> Bounds:
        """Return the outermost points; see ``Shape.bounds``."""
        xs, ys = zip(*self.points, strict=True)
        return (min(xs), max(xs)), (min(ys), max(ys)), ENDLESS
