"""A 180 degree domain wall."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from pydantic import Field as ModelField
from pydantic import model_validator

from micromag.directions import Direction, combine, cross, dot
from micromag.errors import ConfigError
from micromag.initial._cores import core_profile, default_core_radius
from micromag.initial._walls import check_wall, default_width, distance, wall_profile
from micromag.initial.base import Field, InitialState, Sign, assemble
from micromag.mesh import Mesh
from micromag.parameters import Quantity, Vector, custom_error

ALONG = 1e-3
"""Sine of the angle within which two directions count as parallel."""


class DomainWall(InitialState):
    r"""A wall between opposite domains a (``from``) and b = -a (``to``), normal to n.

    With s the distance from the wall along n and w the direction in its middle

    .. math:: \mathbf{m} = -\tanh(s/\Delta)\,\mathbf{a} + \operatorname{sech}(s/\Delta)\,\mathbf{w},
              \qquad \theta = 2 \arctan e^{s/\Delta},
              \qquad \mathbf{w} = \cos\psi\,\mathbf{e} + \sin\psi\,\mathbf{f}

    (L. Landau and E. Lifshitz, Phys. Z. Sowjetunion 8, 153 (1935)). The kind says what e and f are;
    :math:`\psi` is ``angle``:

    ===========  ===========================  ============  ============
    kind         domains                      e             f
    ===========  ===========================  ============  ============
    neel         across n                     n             a x n
    bloch        across n                     a x n         -n
    transverse   along n: head to head or     z x n (y for  n x e (z for
                 tail to tail                 n = x)        n = x)
    vortex       along n, n in the plane      a vortex, below
    ===========  ===========================  ============  ============

    So a Neel wall with angle 0 points along +n in its middle, and an up-down wall (a = +z, n = x) of
    an interfacial DMI with D > 0 (left-handed, as Pt below Co) is the one with ``angle: 180 deg``. The
    Bloch wall of a = +z, n = x points along +y.

    A vortex wall is the domains with a vortex between them in a square of side ``width`` across the
    strip (R. D. McMichael and M. J. Donahue, IEEE Trans. Magn. 33, 4167 (1997)), its core halfway.

    ============  ====  =====  ================================================================
    name          unit  shape  default
    ============  ====  =====  ================================================================
    kind          1     ()     required: ``bloch``, ``neel``, ``transverse`` or ``vortex``
    from          1     (3,)   required: direction where s is negative
    to            1     (3,)   required: its opposite
    normal        1     (3,)   ``x``
    position      m     ()     0: the centre of the mesh, along the normal
    width         m     ()     :math:`\Delta`: 2 cells; vortex: the mesh's width across the normal
    angle         rad   ()     0 (not for vortex)
    circulation   1     ()     vortex only: 1 (counterclockwise seen from +z) or -1
    polarity      1     ()     vortex only: 1 (core along +z) or -1
    ============  ====  =====  ================================================================

    Raises
    ------
    pydantic.ValidationError
        If the domains are not opposite or do not suit the kind, or a key belongs to another kind.
    ConfigError
        If the wall lies outside the mesh.
    """

    kind: Literal["bloch", "neel", "transverse", "vortex"]
    from_: Direction = ModelField(alias="from")
    to: Direction
    normal: Direction = (1.0, 0.0, 0.0)
    position: Annotated[float, Quantity("m")] = 0.0
    width: Annotated[float, Quantity("m", gt=0)] | None = None
    angle: Annotated[float, Quantity("rad")] | None = None
    circulation: Sign | None = None
    polarity: Sign | None = None

    @model_validator(mode="after")
    def _consistent(self) -> DomainWall:
        if self.from_ == self.to:
            raise _error("from and to are the same direction", "opposite directions")
        if math.dist(self.from_, (-self.to[0], -self.to[1], -self.to[2])) > ALONG:
            raise _error(
                "from and to are not opposite",
                "opposite directions; for other domains the recipe two_domain",
            )
        along = dot(self.from_, self.normal)
        if self.kind in ("bloch", "neel") and abs(along) > ALONG:
            raise _error(
                f"the domains of a {self.kind} wall lie across its normal, these do not",
                "from and to perpendicular to normal; for head-to-head walls transverse or vortex",
            )
        if self.kind in ("transverse", "vortex") and abs(along) < 1 - ALONG:
            raise _error(
                f"the domains of a {self.kind} wall lie along its normal, these do not",
                "from and to along normal; for others bloch or neel",
            )
        if self.kind == "vortex" and max(abs(self.normal[0]), abs(self.normal[1])) < 1 - ALONG:
            raise _error("a vortex wall needs a normal along x or y", "x, -x, y or -y")
        foreign = ("angle",) if self.kind == "vortex" else ("circulation", "polarity")
        for name in foreign:
            if getattr(self, name) is not None:
                raise _error(f"a {self.kind} wall has no {name}", f"no {name}")
        return self

    @property
    def middle(self) -> Vector:
        """The direction w in the middle of a Bloch, Neel or transverse wall."""
        n = self.normal
        if self.kind == "transverse":
            z = (0.0, 0.0, 1.0)
            e = cross(z, n) if abs(n[2]) < 1 - ALONG else (1.0, 0.0, 0.0)
            e = combine(1 / math.hypot(*e), e, 0, e)
            f = cross(n, e)
        else:
            e, f = n, cross(self.from_, n)
            if self.kind == "bloch":
                e, f = f, (-n[0], -n[1], -n[2])
        angle = self.angle or 0.0
        return combine(math.cos(angle), e, math.sin(angle), f)

    def check(self, mesh: Mesh) -> None:
        """Raise ConfigError unless the wall lies in the mesh, and its vortex in the wall."""
        check_wall(mesh, self.normal, self.position, "initial.domain_wall")
        core = 2 * default_core_radius(mesh)
        if self.kind == "vortex" and self._side(mesh) < core:
            raise ConfigError(
                "the vortex wall is narrower than the core of its vortex",
                where="initial.domain_wall.width",
                value=f"{self._side(mesh) * 1e9:.6g} nm",
                allowed=f"at least {core * 1e9:.6g} nm, six cells",
            )

    def magnetization(self, mesh: Mesh, rng: np.random.Generator) -> Field:
        """Return unit vectors, shape ``(3, nz, ny, nx)``; see ``InitialState.magnetization``."""
        self.check(mesh)
        s = distance(mesh, self.normal, self.position)
        if self.kind == "vortex":
            return self._vortex_wall(mesh, s)
        width = self.width or default_width(mesh, self.normal)
        return wall_profile(mesh, s, width, self.from_, self.middle, self.to)

    def _side(self, mesh: Mesh) -> float:
        """Return the side [m] of the square of a vortex wall."""
        nx, ny, _ = self.normal
        return self.width or abs(ny) * mesh.size[0] + abs(nx) * mesh.size[1]

    def _vortex_wall(self, mesh: Mesh, s: np.ndarray) -> Field:
        """Return the domains with a vortex in a square between them."""
        n = self.normal
        across = cross((0.0, 0.0, 1.0), n)
        x, y, _ = mesh.grid()
        t = across[0] * x + across[1] * y
        side = self._side(mesh)
        mz, swirl = core_profile(np.hypot(s, t), default_core_radius(mesh))
        c, p = self.circulation or 1, self.polarity or 1
        vortex = [-c * t * swirl * n[i] + c * s * swirl * across[i] for i in range(3)]
        vortex[2] = vortex[2] + p * mz
        components = (
            np.where(s < -side / 2, a, np.where(s >= side / 2, b, v))
            for a, b, v in zip(self.from_, self.to, vortex, strict=True)
        )
        return assemble(mesh, *components)


def _error(what: str, allowed: str) -> Exception:
    return custom_error("domain_wall", what, allowed)
