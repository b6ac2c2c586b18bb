"""Sum over bonds: e = d.(m_i x m_j) per area of a bond from i to j along +k, half to each cell.

The bonds are those between two magnetic cells; without exchange there is none at a surface.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from formulas import Array, Magnet, cross, dot


def bonds(m: Array, vectors: Sequence[Array], magnet: Magnet):
    """Yield outward d/a and m at the other end, 0 where there is no bond, for the six faces.

    ``vectors`` are d_x, d_y, d_z over the cells, each ``(3, nz, ny, nx)``.
    """
    for axis, d in enumerate(vectors):
        for side in (1, -1):
            d_there, exists = magnet.beside(d, axis, side)
            with np.errstate(divide="ignore", invalid="ignore"):
                mean = np.where(d * d_there > 0, 2 / (1 / d + 1 / d_there), 0)
            m_there, _ = magnet.beside(m, axis, side)
            yield side * mean / magnet.cell_size[axis], np.where(exists, m_there, 0)


def energy_density(m: Array, vectors: Sequence[Array], magnet: Magnet) -> Array:
    return sum(0.5 * dot(d, cross(m, there)) for d, there in bonds(m, vectors, magnet))


def field(m: Array, vectors: Sequence[Array], magnet: Magnet) -> Array:
    return -magnet.inverse_Ms() * sum(cross(there, d) for d, there in bonds(m, vectors, magnet))
