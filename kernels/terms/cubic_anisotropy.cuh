// Cubic anisotropy. With a_i = m.c_i along the three cubic axes,
// e = Kc1 (a1^2 a2^2 + a2^2 a3^2 + a3^2 a1^2) + Kc2 a1^2 a2^2 a3^2, B = -(1/Ms) sum_i (de/da_i) c_i.
INLINE V cubic_anisotropy(const Site& s, const CubicAnisotropy& p, real& energy) {
  const V c1 = p.axis1, c2 = p.axis2, c3 = cross(p.axis1, p.axis2);
  const real a1 = dot(s.m, c1), a2 = dot(s.m, c2), a3 = dot(s.m, c3);
  const real q1 = a1 * a1, q2 = a2 * a2, q3 = a3 * a3;
  energy = p.Kc1 * (q1 * q2 + q2 * q3 + q3 * q1) + p.Kc2 * q1 * q2 * q3;
  const real d1 = real(2) * a1 * (p.Kc1 * (q2 + q3) + p.Kc2 * q2 * q3);
  const real d2 = real(2) * a2 * (p.Kc1 * (q1 + q3) + p.Kc2 * q1 * q3);
  const real d3 = real(2) * a3 * (p.Kc1 * (q1 + q2) + p.Kc2 * q1 * q2);
  return -s.inv_Ms * (d1 * c1 + d2 * c2 + d3 * c3);
}
