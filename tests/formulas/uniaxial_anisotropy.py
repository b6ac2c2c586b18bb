"""e = -Ku1 (m.u)^2 - Ku2 (m.u)^4."""

from __future__ import annotations

from formulas import dot


def energy_density(m, p, magnet):
    cosine = dot(m, p.axis)
    return -p.Ku1 * cosine**2 - (0 if p.Ku2 is None else p.Ku2) * cosine**4


def field(m, p, magnet):
    cosine = dot(m, p.axis)
    slope = 2 * p.Ku1 * cosine + 4 * (0 if p.Ku2 is None else p.Ku2) * cosine**3
    return magnet.inverse_Ms() * slope * p.axis
