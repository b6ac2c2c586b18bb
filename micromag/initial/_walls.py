"""The profile that walls share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from micromag.errors import ConfigError
from micromag.initial.base import Field, assemble
from micromag.mesh import Mesh
from micromag.parameters import Vector

DEFAULT_WIDTH_CELLS = 2.0
"""The wall parameter Delta in cells, where none is given: the wall is pi Delta wide."""


def check_wall(mesh: Mesh, normal: Vector, position: float, where: str) -> None:
    """Raise ConfigError if a wall lies outside the mesh, or the mesh is one cell thick across it."""
    reach = sum(abs(n) * s for n, s in zip(normal, mesh.size, strict=True)) / 2
    if abs(position) > reach:
        raise ConfigError(
            "the wall lies outside the mesh",
            where=f"{where}.position",
            value=f"{position * 1e9:.6g} nm",
            allowed=f"{-reach * 1e9:.6g} nm to {reach * 1e9:.6g} nm along the normal",
        )
    if all(n == 1 or c == 0 for n, c in zip(mesh.cells, normal, strict=True)):
        raise ConfigError(
            "the mesh has only one cell along the normal of the wall",
            where=f"{where}.normal",
            value=list(normal),
            allowed="a direction with at least two cells",
        )


def distance(mesh: Mesh, normal: Vector, position: float) -> NDArray[np.float64]:
    """Return how far each cell lies beyond the wall along its normal [m]."""
    x, y, z = mesh.grid()
    return normal[0] * x + normal[1] * y + normal[2] * z - position


def default_width(mesh: Mesh, normal: Vector) -> float:
    """Return the wall parameter [m] of a wall that says none: two cells along its normal."""
    cell = sum(abs(n) * a for n, a in zip(normal, mesh.cell_size, strict=True))
    return DEFAULT_WIDTH_CELLS * cell


def wall_profile(
    mesh: Mesh, s: NDArray[np.float64], width: float, before: Vector, middle: Vector, after: Vector
) -> Field:
    r"""Return a wall between two domains at :math:`s = 0`.

    .. math:: \mathbf{m} \propto \mathbf{a} \frac{1 - \tanh(s/\Delta)}{2}
              + \mathbf{w} \operatorname{sech}(s/\Delta)
              + \mathbf{b} \frac{1 + \tanh(s/\Delta)}{2}

    For b = -a and w across it this is the exact wall, the angle from a being
    :math:`\theta = 2 \arctan e^{s/\Delta}` (L. Landau and E. Lifshitz, Phys. Z. Sowjetunion 8, 153
    (1935)). Two components of it must not cancel: see ``two_domain``.
    """
    with np.errstate(over="ignore"):
        sech = 1 / np.cosh(s / width)
    tanh = np.tanh(s / width)
    return assemble(
        mesh,
        *(
            a * (1 - tanh) / 2 + w * sech + b * (1 + tanh) / 2
            for a, w, b in zip(before, middle, after, strict=True)
        ),
    )
