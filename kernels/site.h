// What a term sees of the magnet: the cell, its six neighbours, and the mesh.
#pragma once

// Whether any term is linear in the gradient of m, see twist.h.
#ifndef TWISTS
#define TWISTS 0
#endif

// A number or a vector on the six faces of a cell.
struct Faces {
  real xm, xp, ym, yp, zm, zp;
};
struct VectorFaces {
  V xm, xp, ym, yp, zm, zp;
};

// Axes along which a moving window has cut the magnet: its ends there are no surfaces, m goes on.
#ifndef CUT_X
#define CUT_X 0
#endif
#ifndef CUT_Y
#define CUT_Y 0
#endif

// DIMENSIONS (2 or 3), HAS_EMPTY and the mesh constants come from the generated model text.
struct Site {
  V m;                       // unit vector of the magnetic moment
  V xm, xp, ym, yp, zm, zp;  // its neighbours; where there is none, the cell itself
  real Ms, inv_Ms;           // saturation magnetization [A/m] and its inverse (0 in empty cells)
  real gamma;                // gyromagnetic ratio [rad/(s T)]
  real inv_dx, inv_dy, inv_dz;  // 1 / cell size [1/m]
#if CUT_X || CUT_Y
  real absorbs;                 // damping on top of alpha, see `absorption`
#endif
#if TWISTS
  Faces ends;         // 1 on a surface of the magnet with a neighbour on the other side, else 0
  VectorFaces bonds;  // where the bonds lead: the neighbours, on a surface m on the face, or 0
#endif
};

INLINE bool is_empty(V m) { return m.x == real(0) && m.y == real(0) && m.z == real(0); }

// A missing neighbour is replaced by the cell itself, so that differences across a free surface
// vanish: dm/dn = 0.
INLINE V neighbour(const real* m, long n, long i, V self) {
  const V v = load(m, n, i);
#if HAS_EMPTY
  const bool gone = is_empty(v);
  return V{gone ? self.x : v.x, gone ? self.y : v.y, gone ? self.z : v.z};
#else
  (void)self;
  return v;
#endif
}

#if CUT_X || CUT_Y
// Waves that reach a cut end would run on into the strip beyond. The outermost cells take them up by a
// damping that is larger by 1. Without it they come back, and where a Zhang-Li current enters they
// grow: the torque -(u.grad)m carries a power u e per area in, with the waves' energy e at that end.
INLINE real absorption(const Cell& c) {
  const bool x = CUT_X && (c.xm == c.i || c.xp == c.i), y = CUT_Y && (c.ym == c.i || c.yp == c.i);
  return x || y ? real(1) : real(0);
}
#endif

// Gilbert's alpha of a cell.
template <class Parameters>
INLINE real damping(const Site& s, const Parameters& p) {
#if CUT_X || CUT_Y
  return p.alpha + s.absorbs;
#else
  (void)s;
  return p.alpha;
#endif
}

#if TWISTS
// weight * a. Surfaces have weights, not conditions: g++ vectorises no choice whose condition is the
// same for a whole row. A weight that is known to be 0, as inside a row along x, costs nothing.
INLINE V weighted(real weight, V a) {
#if !ON_GPU
  if (__builtin_constant_p(weight) && weight == real(0)) return V{0, 0, 0};
#endif
  return weight * a;
}

// The two neighbours along an axis. If there is only one, the other face is a surface; if there is
// none, m does not change along that axis, as in a film of one cell.
INLINE void neighbours(const real* m, long n, long i, long below, long above, bool open, V self,
                       V& lower, V& upper, V& lower_bond, V& upper_bond, real& lower_end,
                       real& upper_end) {
  const V a = load(m, n, below), b = load(m, n, above);
  real has_a = open && below == i ? real(0) : real(1);
  real has_b = open && above == i ? real(0) : real(1);
#if HAS_EMPTY
  const bool no_a = is_empty(a), no_b = is_empty(b);
  has_a = no_a ? real(0) : has_a;
  has_b = no_b ? real(0) : has_b;
  lower = V{no_a ? self.x : a.x, no_a ? self.y : a.y, no_a ? self.z : a.z};
  upper = V{no_b ? self.x : b.x, no_b ? self.y : b.y, no_b ? self.z : b.z};
#else
  (void)self;  // which is what was loaded at an open end
  lower = a;
  upper = b;
#endif
  lower_bond = weighted(has_a, a);
  upper_bond = weighted(has_b, b);
  lower_end = (real(1) - has_a) * has_b;
  upper_end = (real(1) - has_b) * has_a;
}

INLINE Site make_site(const real* m, long n, const Cell& c) {
  Site s;
#if CUT_X || CUT_Y
  s.absorbs = absorption(c);
#endif
  s.m = load(m, n, c.i);
  neighbours(m, n, c.i, c.xm, c.xp, !PERIODIC_X && !CUT_X, s.m, s.xm, s.xp, s.bonds.xm, s.bonds.xp,
             s.ends.xm, s.ends.xp);
  neighbours(m, n, c.i, c.ym, c.yp, !PERIODIC_Y && !CUT_Y, s.m, s.ym, s.yp, s.bonds.ym, s.bonds.yp,
             s.ends.ym, s.ends.yp);
#if DIMENSIONS == 3
  neighbours(m, n, c.i, c.zm, c.zp, !PERIODIC_Z, s.m, s.zm, s.zp, s.bonds.zm, s.bonds.zp,
             s.ends.zm, s.ends.zp);
#else
  s.zm = s.zp = s.m;
  s.bonds.zm = s.bonds.zp = V{0, 0, 0};
  s.ends.zm = s.ends.zp = real(0);
#endif
  return s;
}
#else
INLINE Site make_site(const real* m, long n, const Cell& c) {
  Site s;
#if CUT_X || CUT_Y
  s.absorbs = absorption(c);
#endif
  s.m = load(m, n, c.i);
  s.xm = neighbour(m, n, c.xm, s.m);
  s.xp = neighbour(m, n, c.xp, s.m);
  s.ym = neighbour(m, n, c.ym, s.m);
  s.yp = neighbour(m, n, c.yp, s.m);
#if DIMENSIONS == 3
  s.zm = neighbour(m, n, c.zm, s.m);
  s.zp = neighbour(m, n, c.zp, s.m);
#else
  s.zm = s.m;
  s.zp = s.m;
#endif
  return s;
}
#endif

// `a` holds one value per face towards the next cell, [axis][cell]. At an open end c.xm is the cell
// itself and so is its neighbour s.xm: whatever is read there multiplies a zero difference, unless
// the surface is twisted, see `at_surfaces`.
INLINE Faces load_faces(const real* a, long n, const Cell& c) {
  return Faces{a[c.xm], a[c.i], a[n + c.ym], a[n + c.i], a[2 * n + c.zm], a[2 * n + c.i]};
}

INLINE VectorFaces load_vector_faces(const real* a, long n, const Cell& c) {
  const real *y = a + 3 * n, *z = a + 6 * n;
  return VectorFaces{load(a, n, c.xm), load(a, n, c.i),  load(y, n, c.ym),
                     load(y, n, c.i),  load(z, n, c.zm), load(z, n, c.i)};
}

// Values on the faces, on those at a surface the cell's own.
template <class Value, class OnFaces>
INLINE OnFaces at_surfaces(const Site& s, Value own, OnFaces f) {
#if TWISTS
  f.xm = f.xm + s.ends.xm * (own - f.xm);
  f.xp = f.xp + s.ends.xp * (own - f.xp);
  f.ym = f.ym + s.ends.ym * (own - f.ym);
  f.yp = f.yp + s.ends.yp * (own - f.yp);
  f.zm = f.zm + s.ends.zm * (own - f.zm);
  f.zp = f.zp + s.ends.zp * (own - f.zp);
#else
  (void)s;
  (void)own;
#endif
  return f;
}
