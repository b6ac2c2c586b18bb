"""e = sum_k d_k.(m x dm/dk) with d_x = D x, d_y = -D y."""

from __future__ import annotations

import numpy as np

from formulas import _dmi

ODD = ("D",)


def _vectors(p):
    return [p.D, 0 * p.D, 0 * p.D], [0 * p.D, -p.D, 0 * p.D], [0 * p.D] * 3


def energy_density(m, p, magnet):
    return _dmi.energy_density(m, np.array(_vectors(p)), magnet)


def field(m, p, magnet):
    return _dmi.field(m, np.array(_vectors(p)), magnet)
