"""e = -K m_z^4 with K = 400 kJ/m^3, the example of the class."""

from __future__ import annotations

import numpy as np

K = 4e5


def energy_density(m, p, magnet):
    return -K * m[2] ** 4


def field(m, p, magnet):
    zero = np.zeros_like(m[0])
    return np.stack([zero, zero, 4 * K * magnet.inverse_Ms() * m[2] ** 3])
