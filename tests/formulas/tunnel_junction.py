"""a = (a1 V + a2 V^2)/(Ms t), b = (b0 + b1 V + b2 V^2)/(Ms t); V counts up to the fixed layer."""

from __future__ import annotations

from formulas import cross

# V counts along +z, up to the fixed layer: mirrored along z the layer were below.
MIRRORS = "xy"


def torque(m, p, magnet):
    def given(x):
        return 0 if x is None else x

    V = p.voltage if p.fixed_layer == "top" else -p.voltage
    per_area = magnet.inverse_Ms() / p.thickness
    damping_like = per_area * (p.a1 * V + given(p.a2) * V**2)
    field_like = per_area * (given(p.b0) + given(p.b1) * V + given(p.b2) * V**2)
    across = cross(m, p.p)
    return -magnet.gamma * (damping_like * cross(m, across) + field_like * across)
