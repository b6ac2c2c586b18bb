"""Two domains and the wall between them, in any three directions."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field as ModelField
from pydantic import model_validator

from micromag.directions import Direction
from micromag.initial._walls import check_wall, default_width, distance, wall_profile
from micromag.initial.base import Field, InitialState
from micromag.mesh import Mesh
from micromag.parameters import Quantity, custom_error


class TwoDomain(InitialState):
    r"""Domains along a and b with the direction w in the wall between them.

    .. math:: \mathbf{m} \propto \mathbf{a} \frac{1 - \tanh(s/\Delta)}{2}
              + \mathbf{w} \operatorname{sech}(s/\Delta)
              + \mathbf{b} \frac{1 + \tanh(s/\Delta)}{2}

    with s the distance from the wall along its normal. Domains need not be opposite, as they are in
    ``domain_wall`` (after TwoDomain of mumax3, A. Vansteenkiste et al., AIP Adv. 4, 107133 (2014)).

    ==========  ====  =====  ===========================================================
    name        unit  shape  default
    ==========  ====  =====  ===========================================================
    from        1     (3,)   required: direction where s is negative
    wall        1     (3,)   required: direction in the wall
    to          1     (3,)   required: direction where s is positive
    normal      1     (3,)   ``x``
    position    m     ()     0: the centre of the mesh, along the normal
    width       m     ()     2 cells: the wall parameter :math:`\Delta`
    ==========  ====  =====  ===========================================================

    Raises
    ------
    pydantic.ValidationError
        If the three directions cancel somewhere in the wall.
    ConfigError
        If the wall lies outside the mesh.
    """

    from_: Direction = ModelField(alias="from")
    wall: Direction
    to: Direction
    normal: Direction = (1.0, 0.0, 0.0)
    position: Annotated[float, Quantity("m")] = 0.0
    width: Annotated[float, Quantity("m", gt=0)] | None = None

    @model_validator(mode="after")
    def _never_zero(self) -> TwoDomain:
        t = np.linspace(-1, 1, 2001)[:, None]
        a, w, b = map(np.array, (self.from_, self.wall, self.to))
        m = a * (1 - t) / 2 + w * np.sqrt(1 - t * t) + b * (1 + t) / 2
        if np.linalg.norm(m, axis=1).min() < 0.01:
            raise custom_error(
                "two_domain",
                "the directions from, wall and to cancel somewhere in the wall",
                "a direction of the wall that does not point against the domains",
            )
        return self

    def check(self, mesh: Mesh) -> None:
        """Raise ConfigError unless the wall lies in the mesh."""
        check_wall(mesh, self.normal, self.position, "initial.two_domain")

    def magnetization(self, mesh: Mesh, rng: np.random.Generator) -> Field:
        """Return unit vectors, shape ``(3, nz, ny, nx)``; see ``InitialState.magnetization``."""
        self.check(mesh)
        s = distance(mesh, self.normal, self.position)
        width = self.width or default_width(mesh, self.normal)
        return wall_profile(mesh, s, width, self.from_, self.wall, self.to)
