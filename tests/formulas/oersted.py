"""e = -Ms m.B."""

from __future__ import annotations

from formulas import dot


def energy_density(m, p, magnet):
    return -magnet.Ms * dot(m, p.B)


def field(m, p, magnet):
    return p.B
