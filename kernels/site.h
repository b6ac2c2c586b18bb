// What a term sees of the magnet: the cell, its six neighbours, and the mesh.
#pragma once

// DIMENSIONS (2 or 3), HAS_EMPTY and the mesh constants come from the generated model text.
struct Site {
  V m;                       // unit vector of the magnetic moment
  V xm, xp, ym, yp, zm, zp;  // its neighbours; where there is none, the cell itself
  real Ms, inv_Ms;           // saturation magnetization [A/m] and its inverse (0 in empty cells)
  real gamma;                // gyromagnetic ratio [rad/(s T)]
  real inv_dx, inv_dy, inv_dz;  // 1 / cell size [1/m]
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

INLINE Site make_site(const real* m, long n, const Cell& c) {
  Site s;
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

// A parameter on the six faces of a cell.
struct Faces {
  real xm, xp, ym, yp, zm, zp;
};

// `a` holds one value per face towards the next cell, [axis][cell]. At an open end c.xm is the cell
// itself and so is its neighbour s.xm: whatever is read there multiplies a zero difference.
INLINE Faces load_faces(const real* a, long n, const Cell& c) {
  return Faces{a[c.xm], a[c.i], a[n + c.ym], a[n + c.i], a[2 * n + c.zm], a[2 * n + c.i]};
}
