"""T = (J_sd / hbar) (S / Ms) x m, S a moment density."""

from __future__ import annotations

from formulas import cross

HBAR = 1.054571817646e-34


def torque(m, p, magnet):
    return p.J_sd / HBAR * magnet.inverse_Ms() * cross(p.S, m)
