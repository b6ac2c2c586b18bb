"""T = -gamma B_DL m x (m x sigma) - gamma B_FL m x sigma, sigma the direction of a moment."""

from __future__ import annotations

from formulas import cross


def torque(m, p, magnet):
    damping_like = 0 if p.B_DL is None else p.B_DL
    field_like = 0 if p.B_FL is None else p.B_FL
    across = cross(m, p.sigma)
    return -magnet.gamma * (damping_like * cross(m, across) + field_like * across)
