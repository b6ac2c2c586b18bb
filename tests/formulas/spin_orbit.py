"""B along sigma = j x n: hbar theta J/(2 e Ms t), Rashba -m_e r J/(hbar e Ms), given b J."""

from __future__ import annotations

from formulas import cross

HBAR, E, M_E = 1.054571817646e-34, 1.602176634e-19, 9.1093837015e-31

POLAR = ("J", "normal")


def torque(m, p, magnet):
    def given(x):
        return 0 if x is None else x

    spin_current = HBAR / (2 * E) * magnet.inverse_Ms() / p.thickness
    damping_like = spin_current * given(p.theta_DL)
    field_like = spin_current * given(p.theta_FL) + given(p.field_per_current)
    field_like = field_like - M_E / (HBAR * E) * magnet.inverse_Ms() * given(p.rashba)
    sigma = cross(p.J, p.normal)
    across = cross(m, sigma)
    return -magnet.gamma * (damping_like * cross(m, across) + field_like * across)
