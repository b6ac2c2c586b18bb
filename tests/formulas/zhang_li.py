"""T = -(u.grad) m + beta m x (u.grad) m, u = -P mu_B J/(e Ms); central differences.

Where a neighbour is missing the cell itself stands in for it. The part along m that a difference of
unit vectors leaves is taken out.
"""

from __future__ import annotations

import numpy as np

from formulas import cross, dot

MU_B = 9.2740100783e-24  # J/T, CODATA 2018
E_CHARGE = 1.602176634e-19  # C

POLAR = ("J", "u")


def torque(m, p, magnet):
    u = p.u
    if u is None:
        u = -p.P * MU_B / E_CHARGE * magnet.inverse_Ms() * p.J
        if p.prefactor == "zhang_li":
            u = u / (1 + p.beta**2)
    along_u = 0
    for axis in range(3):
        sides = []
        for side in (1, -1):
            there, exists = magnet.beside(m, axis, side)
            sides.append(np.where(exists, there, m))
        along_u = along_u + u[axis] * (sides[0] - sides[1]) / (2 * magnet.cell_size[axis])
    torque = -along_u + p.beta * cross(m, along_u)
    return torque - dot(torque, m) * m
