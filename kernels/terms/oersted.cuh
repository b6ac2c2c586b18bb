// Zeeman energy in the field B [T] of a current. e = -Ms m.B.
INLINE V oersted(const Site& s, const Oersted& p, real& energy) {
  energy = -s.Ms * dot(s.m, p.B);
  return p.B;
}
