"""A magnetic antivortex."""

from __future__ import annotations

import numpy as np

from micromag.initial._cores import _Core
from micromag.initial.base import Field
from micromag.mesh import Mesh


class Antivortex(_Core):
    r"""An antivortex, the saddle :math:`\mathbf{m}_\parallel = C\, m_\phi(r)\,(-x, y)/r`.

    Going once around the core turns m once the other way round. The core is that of the vortex
    (N. A. Usov and S. E. Peschany, J. Magn. Magn. Mater. 118, L290 (1993)), the in-plane part that of
    mumax3 (A. Vansteenkiste et al., AIP Adv. 4, 107133 (2014)).

    ============  ====  =====  =========================================================
    name          unit  shape  default
    ============  ====  =====  =========================================================
    circulation   1     ()     1: m points in along x and out along y; -1: the reverse
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
        x, y = self._around(mesh)
        # The saddle (-x, y) is the swirl (-v, u) of the swapped axes u = y, v = x.
        return self._swirl(mesh, y, x)
