// Uniaxial anisotropy. e = -Ku1 (m.u)^2 - Ku2 (m.u)^4, B = (2 Ku1 (m.u) + 4 Ku2 (m.u)^3) u/Ms.
INLINE V uniaxial_anisotropy(const Site& s, const UniaxialAnisotropy& p, real& energy) {
  const real mu = dot(s.m, p.axis);
  const real square = mu * mu;
  energy = -square * (p.Ku1 + p.Ku2 * square);
  return (s.inv_Ms * mu * (real(2) * p.Ku1 + real(4) * p.Ku2 * square)) * p.axis;
}
