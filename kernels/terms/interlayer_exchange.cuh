// Interlayer exchange. With c = m_i.m_j of two cells that share a face of area S,
// E = S (J1 (1 - c) + J2 (1 - c^2)), half of it in each cell; the field is (J1 + 2 J2 c) m_j/(Ms a),
// here without its part along m_i, so that a missing neighbour, which is the cell itself, gives none.
INLINE void interlayer_bond(V m, V other, real J1, real J2, real inv_da, V& B, real& energy) {
  const real c = dot(m, other);
  energy = energy + real(0.5) * inv_da * (real(1) - c) * (J1 + J2 * (real(1) + c));
  B = B + (inv_da * (J1 + real(2) * J2 * c)) * (other - c * m);
}

INLINE V interlayer_exchange(const Site& s, const InterlayerExchange& p, real& energy) {
  const Faces same = Faces{p.J1, p.J1, p.J1, p.J1, p.J1, p.J1};
  const Faces same_square = Faces{p.J2, p.J2, p.J2, p.J2, p.J2, p.J2};
  const Faces linear = at_surfaces(s, real(0), p.J1_varies ? p.J1_face : same);
  const Faces square = at_surfaces(s, real(0), p.J2_varies ? p.J2_face : same_square);
  V B = V{0, 0, 0};
  energy = real(0);
  interlayer_bond(s.m, s.xm, linear.xm, square.xm, s.inv_dx, B, energy);
  interlayer_bond(s.m, s.xp, linear.xp, square.xp, s.inv_dx, B, energy);
  interlayer_bond(s.m, s.ym, linear.ym, square.ym, s.inv_dy, B, energy);
  interlayer_bond(s.m, s.yp, linear.yp, square.yp, s.inv_dy, B, energy);
  interlayer_bond(s.m, s.zm, linear.zm, square.zm, s.inv_dz, B, energy);
  interlayer_bond(s.m, s.zp, linear.zp, square.zp, s.inv_dz, B, energy);
  return s.inv_Ms * B;
}
