"""A slab between two parallel planes."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field, model_validator

from micromag.directions import Direction
from micromag.geometry.base import Coordinates, Mask, Shape, between
from micromag.mesh import Mesh
from micromag.parameters import Quantity, custom_error


class Strip(Shape):
    r"""The slab :math:`a \le \mathbf{n} \cdot \mathbf{r} < b` between two planes, endless otherwise.

    ==========  ====  =====  ==========================================================
    name        unit  shape  default
    ==========  ====  =====  ==========================================================
    normal      1     (3,)   required: ``x``, ``y``, ``z`` or any vector
    from        m     ()     no lower plane (distance from the origin along the normal)
    to          m     ()     no upper plane
    ==========  ====  =====  ==========================================================

    Raises
    ------
    pydantic.ValidationError
        If neither plane is given, or ``from`` is not below ``to``.
    """

    normal: Direction
    from_: Annotated[float, Quantity("m")] | None = Field(default=None, alias="from")
    to: Annotated[float, Quantity("m")] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Strip:
        if self.from_ is None and self.to is None:
            raise custom_error("shape", "neither from nor to is given", "from, to, or both")
        if self.from_ is not None and self.to is not None and self.from_ >= self.to:
            raise custom_error(
                "shape", f"from, {self.from_:g} m, is not below to, {self.to:g} m", "from < to"
            )
        return self

    def contains(self, x: Coordinates, y: Coordinates, z: Coordinates, mesh: Mesh) -> Mask:
        """Return which points lie inside; see ``Shape.contains``."""
        nx, ny, nz = self.normal
        lower = -math.inf if self.from_ is None else self.from_
        upper = math.inf if self.to is None else self.to
        return between(nx * x + ny * y + nz * z, lower, upper, mesh)
