"""A Neel or Bloch skyrmion."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np

from micromag.initial.base import Field, InitialState, Sign, assemble, check_inside
from micromag.mesh import Mesh
from micromag.parameters import Quantity, Vector


class Skyrmion(InitialState):
    r"""A skyrmion of a closed wall with radius R and wall parameter :math:`\Delta`.

    .. math:: \theta(r) = 2 \arctan \frac{\sinh(R/\Delta)}{\sinh(r/\Delta)}, \quad
              \mathbf{m} = (\sin\theta \cos(\varphi + \gamma),\ \sin\theta \sin(\varphi + \gamma),\
              -p \cos\theta)

    (X. S. Wang, H. Y. Yuan and X. R. Wang, Commun. Phys. 1, 31 (2018)): :math:`m_z = p` in the core,
    0 at r = R and -p far outside. The topological charge is
    :math:`Q = \frac{1}{4\pi}\int \mathbf{m}\cdot(\partial_x\mathbf{m}\times\partial_y\mathbf{m}) = p`.

    The helicity :math:`\gamma` follows from kind and handedness:

    =====  ==========  ============================  ========================================
    kind   handedness  in-plane part                 who prefers it
    =====  ==========  ============================  ========================================
    neel   left        :math:`m_r = -p \sin\theta`   interfacial DMI, D > 0 (as Pt below Co)
    neel   right       :math:`m_r = +p \sin\theta`   interfacial DMI, D < 0
    bloch  right       :math:`m_\varphi = -p \sin\theta`  bulk DMI, D > 0
    bloch  left        :math:`m_\varphi = +p \sin\theta`  bulk DMI, D < 0
    =====  ==========  ============================  ========================================

    ============  ====  =====  ===================================================================
    name          unit  shape  default
    ============  ====  =====  ===================================================================
    kind          1     ()     required: ``neel`` or ``bloch``
    polarity      1     ()     -1: the core points along -z in a +z background; 1: the reverse
    handedness    1     ()     ``left`` for neel, ``right`` for bloch (what D > 0 prefers)
    radius        m     ()     1/8 of the shorter edge of the mesh in the plane
    width         m     ()     a third of the radius: the wall parameter :math:`\Delta`
    center        m     (3,)   the centre of the mesh; z has no effect
    ============  ====  =====  ===================================================================

    Raises
    ------
    ConfigError
        If the centre lies outside the mesh.
    """

    kind: Literal["neel", "bloch"]
    polarity: Sign = -1
    handedness: Literal["left", "right"] | None = None
    radius: Annotated[float, Quantity("m", gt=0)] | None = None
    width: Annotated[float, Quantity("m", gt=0)] | None = None
    center: Annotated[Vector, Quantity("m")] = (0.0, 0.0, 0.0)

    @property
    def helicity(self) -> float:
        r"""The angle :math:`\gamma` [rad] from the radial to the in-plane direction of m."""
        left = (self.handedness or ("left" if self.kind == "neel" else "right")) == "left"
        if self.kind == "neel":
            return math.pi if (self.polarity > 0) == left else 0.0
        return math.pi / 2 if (self.polarity > 0) == left else -math.pi / 2

    def check(self, mesh: Mesh) -> None:
        """Raise ConfigError unless the centre lies in the mesh."""
        check_inside(mesh, self.center, "initial.skyrmion.center")

    def magnetization(self, mesh: Mesh, rng: np.random.Generator) -> Field:
        """Return unit vectors, shape ``(3, nz, ny, nx)``; see ``InitialState.magnetization``."""
        self.check(mesh)
        radius = self.radius or min(mesh.size[:2]) / 8
        width = self.width or radius / 3
        x, y, _ = mesh.grid()
        x, y = x - self.center[0], y - self.center[1]
        r, phi = np.hypot(x, y) / width, np.arctan2(y, x) + self.helicity
        # sinh(R)/sinh(r) written with decaying exponentials only, which cannot overflow.
        with np.errstate(divide="ignore"):
            ratio = np.exp(radius / width - r) * np.expm1(-2 * radius / width) / np.expm1(-2 * r)
        theta = 2 * np.arctan(ratio)
        sin = np.sin(theta)
        return assemble(mesh, sin * np.cos(phi), sin * np.sin(phi), -self.polarity * np.cos(theta))
