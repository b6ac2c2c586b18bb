"""a = hbar J eps/(e Ms t), eps = P L^2/((L^2+1) + (L^2-1) m.p); b the same of epsilon'; + on top."""

from __future__ import annotations

from formulas import cross, dot

HBAR, E = 1.054571817646e-34, 1.602176634e-19

# J counts along +z, up to the fixed layer: mirrored along z the layer were below.
MIRRORS = "xy"


def torque(m, p, magnet):
    Lambda = 1 if p.Lambda is None else p.Lambda
    prime = 0 if p.epsilon_prime is None else p.epsilon_prime
    side = 1 if p.fixed_layer == "top" else -1
    eps = p.P * Lambda**2 / ((Lambda**2 + 1) + (Lambda**2 - 1) * dot(m, p.p))
    field = side * HBAR * p.J / E * magnet.inverse_Ms() / p.thickness
    across = cross(m, p.p)
    return -magnet.gamma * field * (eps * cross(m, across) + prime * across)
