// Demagnetizing field, convolved beforehand. e = -(1/2) Ms m.B. With a moving window also the field of
// the strip beyond both of its ends, which does not depend on this m: e = -Ms m.B_ends.
INLINE V demag(const Site& s, const Demag& p, real& energy) {
#if WINDOW_ENDS
  energy = real(-0.5) * s.Ms * dot(s.m, p.field + real(2) * p.ends);
  return p.field + p.ends;
#else
  energy = real(-0.5) * s.Ms * dot(s.m, p.field);
  return p.field;
#endif
}
