"""What vortices and antivortices share: a core that points out of the plane."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from micromag.initial.base import RECIPES, Field, InitialState, Sign, assemble, check_inside
from micromag.mesh import Mesh
from micromag.parameters import Quantity, Vector

DEFAULT_RADIUS_CELLS = 3.0
"""Radius of a core in cells (the larger edge in the plane), where none is given."""


class _Core(InitialState):
    """The fields of a magnetization with a core; not a recipe itself."""

    circulation: Sign = 1
    polarity: Sign = 1
    center: Annotated[Vector, Quantity("m")] = (0.0, 0.0, 0.0)
    core_radius: Annotated[float, Quantity("m", gt=0)] | None = None

    def check(self, mesh: Mesh) -> None:
        """Raise ConfigError unless the centre lies in the mesh."""
        check_inside(mesh, self.center, f"initial.{RECIPES.key_of(type(self))}.center")

    def _around(self, mesh: Mesh) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return x and y from the centre of the core [m], which must lie in the mesh."""
        self.check(mesh)
        x, y, _ = mesh.grid()
        return x - self.center[0], y - self.center[1]

    def _swirl(self, mesh: Mesh, u: NDArray[np.float64], v: NDArray[np.float64]) -> Field:
        """Return the core with the in-plane direction ``circulation (-v, u)/r``."""
        radius = self.core_radius or default_core_radius(mesh)
        mz, in_plane = core_profile(np.hypot(u, v), radius)
        c = self.circulation
        return assemble(mesh, -c * v * in_plane, c * u * in_plane, self.polarity * mz)


def default_core_radius(mesh: Mesh) -> float:
    """Return the core radius [m] of a vortex that says none: three cells."""
    return DEFAULT_RADIUS_CELLS * max(mesh.cell_size[:2])


def core_profile(
    r: NDArray[np.float64], radius: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Return :math:`m_z` of a core of polarity +1 and the in-plane part divided by r [1/m].

    .. math:: m_z = \frac{b^2 - r^2}{b^2 + r^2}, \quad \frac{m_\phi}{r} = \frac{2b}{b^2 + r^2}
              \quad (r < b); \qquad m_z = 0, \quad \frac{m_\phi}{r} = \frac{1}{r} \quad (r \ge b)

    (N. A. Usov and S. E. Peschany, J. Magn. Magn. Mater. 118, L290 (1993)).
    """
    inner = np.minimum(r, radius)
    squares = radius**2 + inner**2
    mz = (radius**2 - inner**2) / squares
    return mz, np.where(r < radius, 2 * radius / squares, 1 / np.maximum(r, radius))
