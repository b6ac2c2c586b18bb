// What the equation of spin diffusion sees of a cell and of the faces between cells.
//
// Lengths are in nm, conductivities sigma in units of sigma_0 and currents in units of J_0; the unknown
// W [1] is the spin potential in units of 2 nm J_0/sigma_0, so that the flux of moments is
// j = -P J m - sigma grad W + theta J x n. See micromag/transport/conductors.py, which makes
//   data     per cell of the mesh, the planes of ConductorPlane, one after the other
//   layers   per layer of sub-cells the columns of LayerColumn
// MIXING: some faces between magnets and metals have a spin-mixing conductance.
#pragma once

#ifndef MIXING
#define MIXING 0
#endif

enum ConductorPlane {
  SIGMA,       // conductivity, 0 in insulators
  FLIP,        // sigma/lambda_sf^2
  PRECESSION,  // sigma/lambda_J^2, with the sign of J_sd
  DEPHASING,   // sigma/lambda_phi^2
  LINK,        // conductance to the next cell along x, y, z; 0 without one
  // What flows into a cell from its sides, per length: multiples of m here and in the neighbours, and
  // the spin Hall current.
  IN_OWN = LINK + 3,
  IN_XM, IN_XP, IN_YM, IN_YP,
  IN_HALL,
  // Through its upper face: multiples of m here and above, and the spin Hall current.
  UP_OWN = IN_HALL + 3,
  UP_NEXT,
  UP_HALL,
  BOTTOM = UP_HALL + 3,  // through a lower face without a link: a multiple of m
  // Within: -P J_z at the bottom and at the top, between which it is linear, and theta J x z.
  DRIFT_LOW,
  DRIFT_HIGH,
  INNER_HALL,
  CONTINUOUS_PLANES = INNER_HALL + 3,
  // For faces that split.
  POLARISATION = CONTINUOUS_PLANES,
  HALL,                               // theta J
  LOWER_CURRENT = HALL + 3,           // J along x, y, z through the lower faces
  UPPER_CURRENT = LOWER_CURRENT + 3,  // and through the upper ones
  MIXING_RE = UPPER_CURRENT + 3,      // spin-mixing conductance to the next cell: 2 nm Gr/sigma_0
  MIXING_IM = MIXING_RE + 3,          // and 2 nm Gi/sigma_0
  MIXING_PLANES = MIXING_IM + 3
};

enum LayerColumn {
  LAYER_WIDTH,   // thickness [nm]
  LAYER_LOWER,   // height of its lower and upper face in its layer of the mesh, from 0 to 1
  LAYER_UPPER,
  LAYER_COLUMNS
};

INLINE V along(V m, V a) { return dot(m, a) * m; }
INLINE V across(V m, V a) { return a - dot(m, a) * m; }

// ------------------------------------------------------------------------------- 3 x 3 matrices

struct M3 {
  V x, y, z;  // columns
};

INLINE V operator*(const M3& A, V v) { return v.x * A.x + v.y * A.y + v.z * A.z; }
INLINE M3 operator+(const M3& A, const M3& B) { return M3{A.x + B.x, A.y + B.y, A.z + B.z}; }
INLINE M3 operator-(const M3& A, const M3& B) { return M3{A.x - B.x, A.y - B.y, A.z - B.z}; }
INLINE M3 operator*(real s, const M3& A) { return M3{s * A.x, s * A.y, s * A.z}; }

// s + t m m^T + r [m]x
INLINE M3 uniaxial(real s, real t, real r, V m) {
  return M3{V{s + t * m.x * m.x, t * m.x * m.y + r * m.z, t * m.x * m.z - r * m.y},
            V{t * m.x * m.y - r * m.z, s + t * m.y * m.y, t * m.y * m.z + r * m.x},
            V{t * m.x * m.z + r * m.y, t * m.y * m.z - r * m.x, s + t * m.z * m.z}};
}

INLINE M3 inverse(const M3& A) {
  const V yz = cross(A.y, A.z), zx = cross(A.z, A.x), xy = cross(A.x, A.y);  // rows, but for scale
  const real scale = real(1) / dot(A.x, yz);
  return M3{scale * V{yz.x, zx.x, xy.x}, scale * V{yz.y, zx.y, xy.y}, scale * V{yz.z, zx.z, xy.z}};
}

INLINE M3 load_matrix(const real* a, long n, long i) {
  return M3{load(a, n, i), load(a + 3 * n, n, i), load(a + 6 * n, n, i)};
}
INLINE void store_matrix(real* a, long n, long i, const M3& A) {
  store(a, n, i, A.x);
  store(a + 3 * n, n, i, A.y);
  store(a + 6 * n, n, i, A.z);
}

// ---------------------------------------------------------------------------------------- links

// What couples the potentials on both sides of a face: j.n = g (W - W'). Where the face has a mixing
// conductance, only the part along the magnet's m passes.
struct Link {
  real g;
#if MIXING
  V m;         // of the magnet beside a metal, else 0
  real whole;  // 1: everything passes, 0: what is along m
#endif
};

// `i` and `j` are the cells on both sides and `low` the one on the lower side, which has the face's data.
INLINE Link make_link(const real* data, const real* m, long n, int axis, long i, long j, long low,
                      real g) {
  Link l;
  l.g = g;
#if MIXING
  const V a = load(m, n, i), b = load(m, n, j);
  const bool magnet_a = dot(a, a) > real(0), magnet_b = dot(b, b) > real(0);
  const bool split = data[(MIXING_RE + axis) * n + low] > real(0) && magnet_a != magnet_b;
  l.whole = split ? real(0) : real(1);
  l.m = V{split ? a.x + b.x : real(0), split ? a.y + b.y : real(0), split ? a.z + b.z : real(0)};
#else
  (void)data; (void)m; (void)n; (void)axis; (void)i; (void)j; (void)low;
#endif
  return l;
}

// The part of a vector that passes.
INLINE V passed(const Link& l, V a) {
#if MIXING
  return l.whole * a + along(l.m, a);
#else
  (void)l;
  return a;
#endif
}

INLINE M3 passed(const Link& l) {
#if MIXING
  return uniaxial(l.whole, real(1), real(0), l.m);
#else
  (void)l;
  return uniaxial(real(1), real(0), real(0), V{0, 0, 0});
#endif
}

// ---------------------------------------------------------------------------------------- faces

#if MIXING
// A face between a magnet and a metal, seen from one of both: what does not pass of the flux out of the
// cell that depends on neither W, and what the magnet takes up, which is (take + turn m x) of the W
// across m and `taken` besides.
struct Split {
  V stopped;
  real take, turn;
  V taken;
};

// n is the normal out of cell i, d and dj are the lengths of the cells along it, J is the current
// density along n, and the face has the data of cell `low`.
INLINE Split make_split(const real* data, const real* m, long n, int axis, long i, long j, long low,
                        real d, real dj, V normal, real J, const Link& link) {
  Split f;
  f.stopped = f.taken = V{0, 0, 0};
  f.take = f.turn = real(0);
  if (link.whole == real(0)) {
    const real sigma = data[SIGMA * n + i], there = data[SIGMA * n + j];
    const V mi = load(m, n, i), hall = cross(load(data + HALL * n, n, i), normal);
    if (link.g > real(0)) {
      const real ri = d * there, rj = dj * sigma, share = ri / (ri + rj), rest = real(1) - share;
      const V source = (-J * share * data[POLARISATION * n + i]) * mi +
                       (-J * rest * data[POLARISATION * n + j]) * load(m, n, j) + share * hall +
                       rest * cross(load(data + HALL * n, n, j), normal);
      f.stopped = across(link.m, source);
    }
    if (dot(mi, mi) == real(0) && sigma > real(0)) {
      // Flux g (W - W_face) + hall = G W_face with G = re - im [m]x: what leaves is G/(g + G) times
      // (g W + hall). On vectors across m, [m]x acts as the imaginary unit.
      const real re = data[(MIXING_RE + axis) * n + low], im = data[(MIXING_IM + axis) * n + low];
      const real g = real(2) * sigma / d, p = g + re, scale = real(1) / (p * p + im * im);
      const real x = (re * p + im * im) * scale, y = -im * g * scale;
      const V free = across(link.m, hall);
      f.take = g * x;
      f.turn = g * y;
      f.taken = x * free + y * cross(link.m, free);
    }
  }
  return f;
}

// What the magnet takes out of a cell with the potential W.
INLINE V uptake(const Split& f, V m, V W) {
  const V free = across(m, W);
  return f.take * free + f.turn * cross(m, free) + f.taken;
}
#endif
