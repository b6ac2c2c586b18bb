"""The same direction everywhere."""

from __future__ import annotations

import numpy as np

from micromag.directions import Direction
from micromag.initial.base import Field, InitialState, assemble
from micromag.mesh import Mesh


class Uniform(InitialState):
    r"""The same direction in every cell, :math:`\mathbf{m} = \mathbf{d}/|\mathbf{d}|`.

    ==========  ====  =====  ==============================================
    name        unit  shape  default
    ==========  ====  =====  ==============================================
    direction   1     (3,)   required: a vector of any length, or ``+z`` ...
    ==========  ====  =====  ==============================================
    """

    direction: Direction

    def magnetization(self, mesh: Mesh, rng: np.random.Generator) -> Field:
        """Return unit vectors, shape ``(3, nz, ny, nx)``; see ``InitialState.magnetization``."""
        return assemble(mesh, *self.direction)
