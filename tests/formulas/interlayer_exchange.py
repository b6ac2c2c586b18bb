"""E/S = J1 (1 - c) + J2 (1 - c^2) on every face, c = m_i.m_j; B = (J1 + 2 J2 c)(m_j - c m_i)/(Ms a)."""

from __future__ import annotations

import numpy as np

from formulas import dot


def _faces(m, p, magnet):
    for axis in range(3):
        for side in (1, -1):
            m_there, exists = magnet.beside(m, axis, side)
            constants = []
            for J in (p.J1, p.J2 if p.J2 is not None else 0 * p.J1):
                J_there, _ = magnet.beside(J, axis, side)
                with np.errstate(divide="ignore", invalid="ignore"):
                    mean = np.where(J * J_there > 0, 2 / (1 / J + 1 / J_there), 0)
                constants.append(np.where(exists, mean, 0) / magnet.cell_size[axis])
            yield m_there, dot(m, m_there), *constants


def energy_density(m, p, magnet):
    return sum(0.5 * (J1 * (1 - c) + J2 * (1 - c**2)) for _, c, J1, J2 in _faces(m, p, magnet))


def field(m, p, magnet):
    return magnet.inverse_Ms() * sum(
        (J1 + 2 * J2 * c) * (there - c * m) for there, c, J1, J2 in _faces(m, p, magnet)
    )
