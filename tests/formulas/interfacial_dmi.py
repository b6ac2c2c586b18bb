"""e = sum_k d_k.(m x dm/dk) with d_x = D y, d_y = -D x."""

from __future__ import annotations

import numpy as np

from formulas import _dmi

MIRRORS = "xy"  # the two interfaces differ


def _vectors(p):
    return [0 * p.D, p.D, 0 * p.D], [-p.D, 0 * p.D, 0 * p.D], [0 * p.D] * 3


def energy_density(m, p, magnet):
    return _dmi.energy_density(m, np.array(_vectors(p)), magnet)


def field(m, p, magnet):
    return _dmi.field(m, np.array(_vectors(p)), magnet)
