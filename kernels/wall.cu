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

// Sums over pieces of `rows_per_piece` rows: item = (replica, piece, x). A piece is small enough for
// the cache, which the items of neighbouring x share.
KERNEL wall_profile(ITEMS, int length, int cells, int first_row, int rows, int rows_per_piece,
                    int nrep, const double* RESTRICT clock, const real* RESTRICT work,
                    const unsigned* RESTRICT region, int wanted, int stride, double* partial) {
  const int pieces = (rows + rows_per_piece - 1) / rows_per_piece;
  EACH_ITEM(item)
    const int x = item % length, piece = item / length % pieces, rep = item / length / pieces;
    const Chosen s = chosen_cells(clock, work, region, wanted, stride, rep, nrep, cells);
    const int first = piece * rows_per_piece;
    const int last = first + rows_per_piece < rows ? first + rows_per_piece : rows;
    double sums[PROFILE_SUMS] = {0, 0, 0, 0};
    for (int row = first; row < last; ++row) {
      const long i = (long)(first_row + row) * length + x;
      if (is_chosen(s, i)) {
        for (int q = 0; q < 3; ++q) sums[q] += (double)s.m[i + q * s.n];
        sums[3] += 1;
      }
    }
    double* out = partial + ((long)rep * pieces + piece) * PROFILE_SUMS * length + x;
    for (int q = 0; q < PROFILE_SUMS; ++q) out[(long)q * length] = sums[q];
  END_ITEM
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

// One row: s = -1 .. 1 across the wall, 0 in its middle.
struct WallRow {
  Chosen cells;
  long first;       // first cell of the row
  int component;
  double left, right;
};

INLINE double wall_s(const WallRow& r, int x) {
  const double v = (double)r.cells.m[r.first + x + (long)r.component * r.cells.n];
  return (2 * v - r.left - r.right) / (r.right - r.left);
}

INLINE bool in_row(const WallRow& r, int x) { return is_chosen(r.cells, r.first + x); }

// The cell before the zero of s that lies nearest to `middle`, or -1.
INLINE int zero_of_s(const WallRow& r, int low, int high, double middle) {
  int found = -1;
  double nearest = 0;
  for (int x = low; x < high; ++x) {
    if (!in_row(r, x) || !in_row(r, x + 1)) continue;
    if (wall_s(r, x) < 0 && wall_s(r, x + 1) >= 0) {
      const double away = fabs(x + 0.5 - middle);
      if (found < 0 || away < nearest) {
        found = x;
        nearest = away;
      }
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
    const WallRow r = {chosen_cells(clock, work, region, wanted, stride, rep, nrep, cells),
                       (long)(first_row + row) * length, (int)wall[WALL_COMPONENT], wall[WALL_LEFT],
                       wall[WALL_RIGHT]};
    // The two components across the domains, in the order of the angle: x y, x z or y z.
    const int p = r.component == 0 ? 1 : 0, q = r.component == 2 ? 1 : 2;
    double weights = 0, moment = 0;
    for (int x = low; x <= high; ++x) {
      if (!in_row(r, x)) continue;
      const double s = wall_s(r, x), w = 1 - s * s;
      const long i = r.first + x;
      sums[ROW_P] += w * (double)r.cells.m[i + p * r.cells.n];
      sums[ROW_Q] += w * (double)r.cells.m[i + q * r.cells.n];
      const double positive = (w > 0 ? w : 0) + 1e-12;  // a wall of no width counts evenly
      weights += positive;
      moment += positive * x;
    }
    const int zero = weights > 0 ? zero_of_s(r, low, high, moment / weights) : -1;
    sums[ROW_CENTRE] = zero;
    if (zero >= 0) fit_sums(r, low, high, zero, sums);
  END_ITEM
}
