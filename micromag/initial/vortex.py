"""A magnetic vortex."""

from __future__ import annotations

import numpy as np

from micromag.initial._cores import _Core
from micromag.initial.base import Field
from micromag.mesh import Mesh


class Vortex(_Core):
    r"""A vortex, :math:`\mathbf{m} = C m_\phi(r)\,\mathbf{e}_\phi + p\, m_z(r)\,\mathbf{e}_z`.

    The core of radius b has :math:`m_z = p (b^2 - r^2)/(b^2 + r^2)`; outside it m lies in the plane
    (N. A. Usov and S. E. Peschany, J. Magn. Magn. Mater. 118, L290 (1993)).

    ============  ====  =====  =========================================================
    name          unit  shape  default
    ============  ====  =====  =========================================================
    circulation   1     ()     1: counterclockwise seen from +z; -1: clockwise
    polarity      1     ()     1: the core points along +z; -1: along -z
    center        m     (3,)   the centre of the mesh; z has no effect
    core_radius   m     ()     3 cells (the larger edge in the plane)
    ============  ====  =====  =========================================================

    Raises
    ------
    ConfigError
        If the centre lies outside the mesh.
    """

    def magnetization(self, mesh: Mesh, rng: np.random.Generator) -> Field:
        """Return unit vectors, shape ``(3, nz, ny, nx)``; see ``InitialState.magnetization``."""
        return self._swirl(mesh, *self._around(mesh))
