// Demagnetizing field, convolved beforehand. e = -(1/2) Ms m.B.
INLINE V demag(const Site& s, const Demag& p, real& energy) {
  energy = real(-0.5) * s.Ms * dot(s.m, p.field);
  return p.field;
}
