// What the equation of spin diffusion sees of a cell and of the faces between cells.
//
// Lengths are in nm, conductivities sigma in units of sigma_0 and currents in units of J_0; the unknown
// W [1] is the spin potential in units of 2 nm J_0/sigma_0, so that the flux of moments is
// j = -P J m - sigma grad W + theta J x n. See micromag/spin_diffusion/conductors.py, which makes
//   data     per cell of the mesh, the planes of ConductorPlane, one after the other
//   layers   per layer of sub-cells the columns of LayerColumn
// MIXING: some faces between magnets and metals have a spin-mixing conductance.
#pragma once

#ifndef MIXING
#define MIXING 0
#endif

enum ConductorPlane {
  SIGMA,          // conductivity, 0 in insulators
  FLIP,           // sigma/lambda_sf^2
  PRECESSION,     // sigma/lambda_J^2, with the sign of J_sd
  DEPHASING,      // sigma/lambda_phi^2
  POLARISATION,   // P
  HALL,           // theta J: three planes
  LOWER_CURRENT = HALL + 3,           // J along x, y, z through the lower faces
  UPPER_CURRENT = LOWER_CURRENT + 3,  // and through the upper ones
  LINK = UPPER_CURRENT + 3,           // conductance to the next cell along x, y, z; 0 without one
  CONTINUOUS_PLANES = LINK + 3,
  MIXING_RE = LINK + 3,      // spin-mixing conductance of these faces: 2 nm Gr/sigma_0
  MIXING_IM = MIXING_RE + 3, // and 2 nm Gi/sigma_0
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

struct Conductor {
  real sigma, P;
  V hall, m;
};

INLINE Conductor load_conductor(const real* data, const real* m, long n, long i) {
  return Conductor{data[SIGMA * n + i], data[POLARISATION * n + i], load(data + HALL * n, n, i),
                   load(m, n, i)};
}

// The flux out of a cell through a face that does not depend on its W or the neighbour's, and what a
// magnet beyond the face takes up: (take + turn m x) of the W across m, and a source of its own.
struct Face {
  V source;
  real take, turn;
  V taken;
};

// The face of a cell towards another one; n is its normal out of the cell, J the current density
// along n, and d are the lengths of the cells along n. The flux is the same on both sides, so that of
// two sources the one in the larger resistance counts more. Where nothing conducts beyond, the drift
// goes on and the spin Hall current ends.
INLINE Face make_face(const Conductor& a, const Conductor& b, real da, real db, V n, real J,
                      const Link& link, real re, real im) {
  const real ra = da * b.sigma, rb = db * a.sigma;
  const bool ends = !(link.g > real(0));
  const real share = ends ? real(1) : ra / (ra + rb), rest = real(1) - share;
  const V hall = cross(a.hall, n);
  Face f;
  f.source = (-J * share * a.P) * a.m + (-J * rest * b.P) * b.m + rest * cross(b.hall, n) +
             (ends ? real(0) : share) * hall;
  f.source = passed(link, f.source);
  f.take = f.turn = real(0);
  f.taken = V{0, 0, 0};
#if MIXING
  if (link.whole == real(0) && dot(a.m, a.m) == real(0) && a.sigma > real(0)) {
    // Flux g (W - W_face) + hall = G W_face with G = re - im [m]x: what leaves is G/(g + G) times
    // (g W + hall). On vectors across m, [m]x acts as the imaginary unit.
    const real g = real(2) * a.sigma / da, p = g + re, scale = real(1) / (p * p + im * im);
    const real x = (re * p + im * im) * scale, y = -im * g * scale;
    const V free = across(link.m, hall);
    f.take = g * x;
    f.turn = g * y;
    f.taken = x * free + y * cross(link.m, free);
  }
#else
  (void)re;
  (void)im;
#endif
  return f;
}

// What the magnet takes out of a cell with the potential W.
INLINE V uptake(const Face& f, V m, V W) {
  const V free = across(m, W);
  return f.take * free + f.turn * cross(m, free) + f.taken;
}
