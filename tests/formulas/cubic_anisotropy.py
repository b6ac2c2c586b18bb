"""e = Kc1 (a1^2 a2^2 + a2^2 a3^2 + a3^2 a1^2) + Kc2 a1^2 a2^2 a3^2 with c3 = c1 x c2."""

from __future__ import annotations

from formulas import cross, dot


def _axes(p):
    return p.axis1, p.axis2, cross(p.axis1, p.axis2)


def energy_density(m, p, magnet):
    x, y, z = (dot(m, c) ** 2 for c in _axes(p))
    second = 0 if p.Kc2 is None else p.Kc2
    return p.Kc1 * (x * y + y * z + z * x) + second * x * y * z


def field(m, p, magnet):
    axes = _axes(p)
    a = [dot(m, c) for c in axes]
    second = 0 if p.Kc2 is None else p.Kc2
    gradient = 0
    for i in range(3):
        q, r = a[(i + 1) % 3] ** 2, a[(i + 2) % 3] ** 2
        gradient = gradient + 2 * a[i] * (p.Kc1 * (q + r) + second * q * r) * axes[i]
    return -magnet.inverse_Ms() * gradient
