"""e = -(xi E/t) (m.u)^2, B = 2 (xi E/t) (m.u) u/Ms."""

from __future__ import annotations

from formulas import dot


def energy_density(m, p, magnet):
    return -p.xi * p.E / p.t * dot(m, p.axis) ** 2


def field(m, p, magnet):
    return 2 * p.xi * p.E / p.t * dot(m, p.axis) * magnet.inverse_Ms() * p.axis
