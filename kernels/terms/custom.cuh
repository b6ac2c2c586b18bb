// A term of the run file: its expressions take the places of FIELD [T] and ENERGY_DENSITY [J/m^3].
#ifndef VECTORS_OF_EXPRESSIONS
#define VECTORS_OF_EXPRESSIONS
INLINE V vec(real x, real y, real z) { return V{x, y, z}; }
INLINE V as_vector(V a) { return a; }
INLINE real as_number(real a) { return a; }
INLINE V operator*(V a, real s) { return s * a; }
INLINE V operator/(V a, real s) { return V{a.x / s, a.y / s, a.z / s}; }
#endif
INLINE V custom(const Site& s, const Custom& p, real& energy) {
  const V B = FIELD;
  (void)p;
  energy = ENERGY_DENSITY;
  (void)s;
  return B;
}
