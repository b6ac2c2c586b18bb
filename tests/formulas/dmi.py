"""e = sum_k D_k.(m x dm/dk)."""

from __future__ import annotations

from formulas import _dmi

MIRRORS = ""  # a mirror across k changes D_k like an arrow and the other two like moments


def energy_density(m, p, magnet):
    return _dmi.energy_density(m, (p.Dx, p.Dy, p.Dz), magnet)


def field(m, p, magnet):
    return _dmi.field(m, (p.Dx, p.Dy, p.Dz), magnet)
