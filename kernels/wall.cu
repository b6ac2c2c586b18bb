// Where a domain wall that lies across x stands, row by row, and the angle inside it. Rows are the
// x-rows of the mesh, numbered z ny + y. See micromag/observables/_walls.py.
#include "portable.h"
#include "vec3.h"
#include "clock.h"
#include "site.h"
#include "chosen.h"
#include "wall.h"

#define PROFILE_SUMS 4  // m_x, m_y, m_z and the number of cells
#define ROW_CENTRE 0    // cell before the zero of s
#define ROW_W 1         // sums over the wall, x counted from there: w, w x, w a, w x x, w x a
#define ROW_P 6         // sums of the two components across the domains, over the wall
#define ROW_Q 7
#define ROW_SUMS 8
#define FIT_RANGE 0.9
#define LARGEST_S 0.9999

INLINE void add_place(const Chosen& s, long i, int x, int nx, double* out) {
  if (!is_chosen(s, i)) return;
  for (int q = 0; q < 3; ++q) out[q * nx + x] += (double)s.m[i + q * s.n];
  out[3 * nx + x] += 1;
}

// The same row by row where all cells count; empty cells add nothing to m.
INLINE void add_row(const Chosen& s, long first, int nx, double* out) {
  for (int q = 0; q < 3; ++q)
    for (int x = 0; x < nx; ++x) out[q * nx + x] += (double)s.m[first + x + q * s.n];
  for (int x = 0; x < nx; ++x) {
#if HAS_EMPTY
    out[3 * nx + x] += is_empty(load(s.m, s.n, first + x)) ? 0.0 : 1.0;
#else
    out[3 * nx + x] += 1;
#endif
  }
}

// Sums over y and z at every x: of each chunk of `rows` rows from `first_row` on.
KERNEL wall_profile(CHUNKS, int first_row, int rows, const double* RESTRICT clock,
                    const real* RESTRICT work, const unsigned* RESTRICT region, int wanted,
                    int stride, double* partial) {
  EACH_CHUNK(chunk, rep)
    const Chosen s = chosen_cells(clock, work, region, wanted, stride, rep, nrep, (long)nx * ny * nz);
    const int a = first_row + (int)((long)rows * chunk / nchunk);
    const int b = first_row + (int)((long)rows * (chunk + 1) / nchunk);
    double* out = partial + ((long)rep * nchunk + chunk) * PROFILE_SUMS * nx;
#if ON_GPU
    for (int x = threadIdx.x; x < nx; x += blockDim.x) {
      for (int q = 0; q < PROFILE_SUMS; ++q) out[q * nx + x] = 0;
      for (int row = a; row < b; ++row) add_place(s, (long)row * nx + x, x, nx, out);
    }
#else
    for (int x = 0; x < PROFILE_SUMS * nx; ++x) out[x] = 0;
    for (int row = a; row < b; ++row) {
      if (s.wanted < 0) add_row(s, (long)row * nx, nx, out);
      else
        for (int x = 0; x < nx; ++x) add_place(s, (long)row * nx + x, x, nx, out);
    }
#endif
  END_CHUNK
}

// item = (replica, sum, x)
KERNEL fold_profile(ITEMS, int length, int pieces, const double* RESTRICT partial, double* result) {
  EACH_ITEM(item)
    const int per_piece = PROFILE_SUMS * length, rep = item / per_piece;
    const double* mine = partial + (long)rep * pieces * per_piece + item % per_piece;
    double total = 0;
    for (int piece = 0; piece < pieces; ++piece) total += mine[(long)piece * per_piece];
    result[item] = total;
  END_ITEM
}

// One row: s = scale m_c + shift is -1 .. 1 across the wall, 0 in its middle.
struct WallRow {
  Chosen cells;
  const real* m_c;
  long first;  // first cell of the row
  double scale, shift;
};

INLINE double wall_s(const WallRow& r, int x) { return r.scale * (double)r.m_c[r.first + x] + r.shift; }

INLINE bool in_row(const WallRow& r, int x) { return is_chosen(r.cells, r.first + x); }

INLINE bool zero_after(const WallRow& r, int x) {
  return wall_s(r, x) < 0 && wall_s(r, x + 1) >= 0 && in_row(r, x) && in_row(r, x + 1);
}

// The cell before the zero of s that lies nearest to `middle`, or -1.
INLINE int zero_of_s(const WallRow& r, int low, int high, double middle) {
  int found = -1;
  double nearest = 0;
  for (int x = low; x < high; ++x) {
    const double away = fabs(x + 0.5 - middle);
    if (zero_after(r, x) && (found < 0 || away < nearest)) {
      found = x;
      nearest = away;
    }
  }
  return found;
}

// Sums of the straight line artanh s = (x - x_0)/Delta over the cells around the zero. The weight
// (1 - s^2)^2 undoes the stretching by artanh, and lets cells come and go without a jump.
INLINE void fit_sums(const WallRow& r, int low, int high, int zero, double* sums) {
  int a = zero, b = zero + 1;
  while (a > low && in_row(r, a - 1) && wall_s(r, a - 1) > -FIT_RANGE &&
         wall_s(r, a - 1) < wall_s(r, a))
    --a;
  while (b < high && in_row(r, b + 1) && wall_s(r, b + 1) < FIT_RANGE &&
         wall_s(r, b + 1) > wall_s(r, b))
    ++b;
  for (int x = a; x <= b; ++x) {
    double s = wall_s(r, x);
    s = s < -LARGEST_S ? -LARGEST_S : s > LARGEST_S ? LARGEST_S : s;
    const double w = (1 - s * s) * (1 - s * s), line = 0.5 * log((1 + s) / (1 - s)), u = x - zero;
    sums[ROW_W] += w;
    sums[ROW_W + 1] += w * u;
    sums[ROW_W + 2] += w * line;
    sums[ROW_W + 3] += w * u * u;
    sums[ROW_W + 4] += w * u * line;
  }
}

// item = (replica, row). `spec` holds WALL_SPEC numbers per replica.
KERNEL wall_rows(ITEMS, int length, int cells, int first_row, int rows, int nrep,
                 const double* RESTRICT clock, const real* RESTRICT work,
                 const unsigned* RESTRICT region, int wanted, int stride,
                 const double* RESTRICT spec, double* result) {
  EACH_ITEM(item)
    const int row = item % rows, rep = item / rows;
    const double* wall = spec + (long)rep * WALL_SPEC;
    const int low = (int)wall[WALL_LOW], high = (int)wall[WALL_HIGH];
    double* sums = result + (long)item * ROW_SUMS;
    for (int q = 0; q < ROW_SUMS; ++q) sums[q] = 0;
    const int component = (int)wall[WALL_COMPONENT];
    const double span = wall[WALL_RIGHT] - wall[WALL_LEFT];
    const Chosen cells_of = chosen_cells(clock, work, region, wanted, stride, rep, nrep, cells);
    const WallRow r = {cells_of, cells_of.m + component * cells_of.n,
                       (long)(first_row + row) * length, 2 / span,
                       -(wall[WALL_RIGHT] + wall[WALL_LEFT]) / span};
    // The two components across the domains, in the order of the angle: x y, x z or y z.
    const real* m_p = cells_of.m + (component == 0 ? 1 : 0) * cells_of.n + r.first;
    const real* m_q = cells_of.m + (component == 2 ? 1 : 2) * cells_of.n + r.first;
    double weights = 0, moment = 0;
    for (int x = low; x <= high; ++x) {
      if (!in_row(r, x)) continue;
      const double s = wall_s(r, x), w = 1 - s * s;
      sums[ROW_P] += w * (double)m_p[x];
      sums[ROW_Q] += w * (double)m_q[x];
      const double positive = (w > 0 ? w : 0) + 1e-12;  // a wall of no width counts evenly
      weights += positive;
      moment += positive * x;
    }
    const int zero = weights > 0 ? zero_of_s(r, low, high, moment / weights) : -1;
    sums[ROW_CENTRE] = zero;
    if (zero >= 0) fit_sums(r, low, high, zero, sums);
  END_ITEM
}
