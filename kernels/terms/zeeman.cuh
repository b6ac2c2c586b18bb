// Zeeman energy in an applied field B [T]. e = -Ms m.B.
INLINE V zeeman(const Site& s, const Zeeman& p, real& energy) {
  energy = -s.Ms * dot(s.m, p.B);
  return p.B;
}
