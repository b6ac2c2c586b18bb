"""e = A |grad m|^2, each face shared by its two cells; B = (2/Ms) sum A_in (m_n - m_i)/a^2."""

from __future__ import annotations

import numpy as np

from formulas import Array, Magnet, dot


def _faces(m: Array, A: Array, magnet: Magnet):
    for axis in range(3):
        for side in (1, -1):
            A_there, exists = magnet.beside(A, axis, side)
            total = A + A_there
            stiffness = np.divide(2 * A * A_there, total, out=np.zeros_like(A), where=total > 0)
            region_there, _ = magnet.beside(magnet.region, axis, side)
            for (a, b), value in magnet.pairs.get("A", {}).items():
                here = ((magnet.region == a) & (region_there == b)) | (
                    (magnet.region == b) & (region_there == a)
                )
                stiffness = np.where(here, value, stiffness)
            m_there, _ = magnet.beside(m, axis, side)
            difference = np.where(exists, m_there - m, 0)
            yield stiffness / magnet.cell_size[axis] ** 2, difference


def energy_density(m, p, magnet):
    return sum(0.5 * weight * dot(d, d) for weight, d in _faces(m, p.A, magnet))


def field(m, p, magnet):
    return 2 * magnet.inverse_Ms() * sum(weight * d for weight, d in _faces(m, p.A, magnet))
