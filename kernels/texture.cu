// Skyrmions, cores and topological charges, layer by layer. No chunk reaches over two layers.
#include "portable.h"
#include "vec3.h"
#include "clock.h"
#include "site.h"
#include "chosen.h"

// Order of the sums of `survey`.
#define SURVEY_COUNT 0  // chosen cells, and the sum of m_z over them
#define SURVEY_RIM 2    // the same over cells without a chosen neighbour in the plane
#define SURVEY_UP 4     // largest m_z, largest -m_z: see place_key
#define SURVEY_DOWN 5
#define SURVEY_SUMS 6

// The four cells of a plaquette, counterclockwise from c: c, c + x, c + x + y, c + y.
struct Plaquette {
  long a, b, c, d;
};

// Whether there is a plaquette up and right of a cell, all of whose cells are chosen.
INLINE bool plaquette_at(const Chosen& s, const Cell& c, Plaquette& p) {
  if (c.xp == c.i || c.yp == c.i) return false;
  p = Plaquette{c.i, c.xp, c.yp + (c.xp - c.i), c.yp};
  return is_chosen(s, p.a) && is_chosen(s, p.b) && is_chosen(s, p.c) && is_chosen(s, p.d);
}

// A value of 0 .. 1, in steps of 2^-26, and the cell of a layer it belongs to as one double: the
// larger value wins, among equal ones the first cell.
INLINE double place_key(double value, long cell) {
  const double steps = 67108864.0;
  return floor(value * steps) * steps + (steps - 1 - (double)cell);
}

KERNEL survey(CHUNKS, const double* RESTRICT clock, const real* RESTRICT work,
              const unsigned* RESTRICT region, int wanted, int stride, double* partial) {
  BLOCK_SCRATCH
  EACH_CHUNK(chunk, rep)
    const Chosen s = chosen_cells(clock, work, region, wanted, stride, rep, nrep, (long)nx * ny * nz);
    double sums[SURVEY_SUMS] = {0, 0, 0, 0, 0, 0}, most[2] = {0, 0};
    EACH_CELL_OF(chunk, rep, row, c)
      if (is_chosen(s, c.i)) {
        const double m_z = (double)s.m[c.i + 2 * row.n];
        const bool inside = c.xm != c.i && c.xp != c.i && c.ym != c.i && c.yp != c.i &&
                            is_chosen(s, c.xm) && is_chosen(s, c.xp) && is_chosen(s, c.ym) &&
                            is_chosen(s, c.yp);
        sums[SURVEY_COUNT] += 1;
        sums[SURVEY_COUNT + 1] += m_z;
        if (!inside) {
          sums[SURVEY_RIM] += 1;
          sums[SURVEY_RIM + 1] += m_z;
        }
        const int side = m_z < 0 ? 1 : 0;
        if (fabs(m_z) > most[side]) {
          most[side] = fabs(m_z);
          sums[SURVEY_UP + side] = place_key(most[side], c.i - (long)row.z * nx * ny);
        }
      }
    END_CELL_OF
    for (int q = 0; q < SURVEY_SUMS; ++q) {
      const double total = q < SURVEY_UP ? FOLD_SUM(sums[q]) : FOLD_MAX(sums[q]);
      ONE_THREAD partial[((long)rep * nchunk + chunk) * SURVEY_SUMS + q] = total;
    }
  END_CHUNK
}

// m_z of the 3 x 3 cells around one cell of every layer, rows of y; 2 where there is none. item =
// (replica, layer); `centres` holds the cells' numbers in their layers, negative for none.
KERNEL patches(ITEMS, int nx, int ny, int nz, int nrep, const int* RESTRICT centres,
               const double* RESTRICT clock, const real* RESTRICT work,
               const unsigned* RESTRICT region, int wanted, int stride, double* result) {
  EACH_ITEM(item)
    const int rep = item / nz, z = item % nz;
    const Chosen s = chosen_cells(clock, work, region, wanted, stride, rep, nrep, (long)nx * ny * nz);
    const int centre = centres[item];
    for (int q = 0; q < 9; ++q) {
      int x = centre % nx + q % 3 - 1, y = centre / nx + q / 3 - 1;
      if (PERIODIC_X) x = (x + nx) % nx;
      if (PERIODIC_Y) y = (y + ny) % ny;
      const bool within = centre >= 0 && x >= 0 && x < nx && y >= 0 && y < ny;
      const long i = within ? ((long)z * ny + y) * nx + x : 0;
      result[(long)item * 9 + q] = within && is_chosen(s, i) ? (double)s.m[i + 2 * s.n] : 2.0;
    }
  END_ITEM
}

// A sum of angles given as complex numbers: up to eight small ones are multiplied before the angle
// of their product is taken, because an arctangent costs more than all the rest.
struct Angles {
  double total, re, im;
  int held;
};

INLINE void flush(Angles& sum) {
  sum.total += atan2(sum.im, sum.re);
  sum.re = 1;
  sum.im = 0;
  sum.held = 0;
}

INLINE void add_angle(Angles& sum, double re, double im) {
  if (fabs(im) > 0.19 * re) {  // 8 x 0.19 < pi / 2
    sum.total += atan2(im, re);
    return;
  }
  const double product = sum.re * re - sum.im * im;
  sum.im = sum.re * im + sum.im * re;
  sum.re = product;
  if (++sum.held == 8) flush(sum);
}

struct D3 {
  double x, y, z;
};
INLINE D3 load3(const real* m, long n, long i) {
  return D3{(double)m[i], (double)m[i + n], (double)m[i + 2 * n]};
}
INLINE double dot3(D3 a, D3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
INLINE D3 cross3(D3 a, D3 b) {
  return D3{a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

// Signed solid angles of the two spherical triangles of every plaquette, halved:
// tan(Omega/2) = m1.(m2 x m3) / (1 + m1.m2 + m2.m3 + m3.m1).
KERNEL lattice_charge(CHUNKS, const double* RESTRICT clock, const real* RESTRICT work,
                      const unsigned* RESTRICT region, int wanted, int stride, double* partial) {
  BLOCK_SCRATCH
  EACH_CHUNK(chunk, rep)
    const Chosen s = chosen_cells(clock, work, region, wanted, stride, rep, nrep, (long)nx * ny * nz);
    Angles sum = {0, 1, 0, 0};
    EACH_CELL_OF(chunk, rep, row, c)
      Plaquette p;
      if (plaquette_at(s, c, p)) {
        const D3 a = load3(s.m, s.n, p.a), b = load3(s.m, s.n, p.b);
        const D3 e = load3(s.m, s.n, p.c), d = load3(s.m, s.n, p.d);
        const D3 ae = cross3(a, e);
        const double ae_1 = 1 + dot3(a, e);
        add_angle(sum, ae_1 + dot3(a, b) + dot3(b, e), -dot3(b, ae));
        add_angle(sum, ae_1 + dot3(a, d) + dot3(d, e), dot3(d, ae));
      }
    END_CELL_OF
    flush(sum);
    const double total = FOLD_SUM(sum.total);
    ONE_THREAD partial[(long)rep * nchunk + chunk] = total;
  END_CHUNK
}

// Change of m per cell along one axis: centred, one-sided at an edge.
INLINE D3 change(const Chosen& s, long i, long before, long after) {
  const bool has_before = before != i && is_chosen(s, before);
  const bool has_after = after != i && is_chosen(s, after);
  const D3 a = load3(s.m, s.n, has_before ? before : i);
  const D3 b = load3(s.m, s.n, has_after ? after : i);
  const double scale = has_before && has_after ? 0.5 : 1.0;
  return D3{scale * (b.x - a.x), scale * (b.y - a.y), scale * (b.z - a.z)};
}

// m.(dm/dx x dm/dy), per cell.
KERNEL gradient_charge(CHUNKS, const double* RESTRICT clock, const real* RESTRICT work,
                       const unsigned* RESTRICT region, int wanted, int stride, double* partial) {
  BLOCK_SCRATCH
  EACH_CHUNK(chunk, rep)
    const Chosen s = chosen_cells(clock, work, region, wanted, stride, rep, nrep, (long)nx * ny * nz);
    double sum = 0;
    EACH_CELL_OF(chunk, rep, row, c)
      if (is_chosen(s, c.i))
        sum += dot3(load3(s.m, s.n, c.i),
                    cross3(change(s, c.i, c.xm, c.xp), change(s, c.i, c.ym, c.yp)));
    END_CELL_OF
    const double total = FOLD_SUM(sum);
    ONE_THREAD partial[(long)rep * nchunk + chunk] = total;
  END_CHUNK
}

// Area where f > 0 and its first moments, in cells.
struct Area {
  double area, x, y;
};

// A corner of a triangle: the value there and the place.
struct Corner {
  double f, x, y;
};

INLINE void add_piece(Area& sum, double area, double x, double y) {
  sum.area += area;
  sum.x += area * x;
  sum.y += area * y;
}

// The corner triangle at a, cut off where f, linear in the triangle, is zero; `a` alone has its sign.
INLINE void add_corner(Area& sum, double sign, Corner a, Corner b, Corner c) {
  const double t = a.f / (a.f - b.f), u = a.f / (a.f - c.f);
  add_piece(sum, sign * 0.5 * t * u, a.x + (t * (b.x - a.x) + u * (c.x - a.x)) / 3,
            a.y + (t * (b.y - a.y) + u * (c.y - a.y)) / 3);
}

INLINE void add_triangle(Area& sum, Corner a, Corner b, Corner c) {
  const int inside = (a.f > 0) + (b.f > 0) + (c.f > 0);
  if (inside == 0) return;
  if (inside >= 2) add_piece(sum, 0.5, (a.x + b.x + c.x) / 3, (a.y + b.y + c.y) / 3);
  if (inside == 3) return;
  const bool odd = inside == 1;  // the sign of f > 0 that only one corner has
  const double sign = odd ? 1 : -1;
  if ((a.f > 0) == odd) add_corner(sum, sign, a, b, c);
  else if ((b.f > 0) == odd) add_corner(sum, sign, b, c, a);
  else add_corner(sum, sign, c, a, b);
}

// From a reference, the short way round where the axis is periodic.
INLINE double from_reference(double x, double reference, int length, bool periodic) {
  const double away = x - reference;
  return periodic ? away - length * floor(away / length + 0.5) : away;
}

// The area in which sign * m_z > 0, triangle by triangle with m_z linear in each; x and y from a
// reference cell. `spec` holds sign, x and y per (replica, layer).
KERNEL reversed_area(CHUNKS, const double* RESTRICT clock, const real* RESTRICT work,
                     const unsigned* RESTRICT region, int wanted, int stride,
                     const double* RESTRICT spec, double* partial) {
  BLOCK_SCRATCH
  EACH_CHUNK(chunk, rep)
    const Chosen s = chosen_cells(clock, work, region, wanted, stride, rep, nrep, (long)nx * ny * nz);
    Area sum = {0, 0, 0};
    EACH_CELL_OF(chunk, rep, row, c)
      const double* mine = spec + ((long)rep * nz + row.z) * 3;
      Plaquette p;
      if (plaquette_at(s, c, p)) {
        const real* m_z = s.m + 2 * s.n;
        const double fa = mine[0] * (double)m_z[p.a], fb = mine[0] * (double)m_z[p.b];
        const double fc = mine[0] * (double)m_z[p.c], fd = mine[0] * (double)m_z[p.d];
        if (fa > 0 || fb > 0 || fc > 0 || fd > 0) {
          const double x = from_reference(c.x, mine[1], nx, PERIODIC_X);
          const double y = from_reference(row.y, mine[2], ny, PERIODIC_Y);
          const Corner a = {fa, x, y}, b = {fb, x + 1, y}, e = {fc, x + 1, y + 1}, d = {fd, x, y + 1};
          add_triangle(sum, a, b, e);
          add_triangle(sum, a, e, d);
        }
      }
    END_CELL_OF
    const double parts[3] = {sum.area, sum.x, sum.y};
    for (int q = 0; q < 3; ++q) {
      const double total = FOLD_SUM(parts[q]);
      ONE_THREAD partial[((long)rep * nchunk + chunk) * 3 + q] = total;
    }
  END_CHUNK
}
