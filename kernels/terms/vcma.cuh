// Voltage-controlled magnetic anisotropy. e = -dK (m.u)^2 with dK = xi E/t, B = 2 dK (m.u) u/Ms.
INLINE V vcma(const Site& s, const Vcma& p, real& energy) {
  const real dK = p.xi * p.E / p.t;
  const real mu = dot(s.m, p.axis);
  energy = -dK * mu * mu;
  return (real(2) * s.inv_Ms * dK * mu) * p.axis;
}
