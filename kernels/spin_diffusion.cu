// The spin accumulation in magnets and metals, in steady state: div j + sigma K W = 0 with the flux j and
// the units of conductor.h, and (S. Zhang, P. M. Levy and A. Fert, Phys. Rev. Lett. 88, 236601 (2002))
//   K W = W/lambda_sf^2 + W x m/lambda_J^2 + m x (W x m)/lambda_phi^2.
//
// It is solved by the stabilised biconjugate gradients (H. A. van der Vorst, SIAM J. Sci. Stat. Comput. 13,
// 631 (1992)) of  W - M^-1 L W = M^-1 b.  M couples the sub-cells of a column along z, which are thin and
// strongly coupled, and is inverted exactly; L couples the columns. A replica that has converged does
// nothing more. Arrays of vectors are [replica][component][layer][y][x].
#include "portable.h"
#include "vec3.h"
#include "clock.h"
#include "conductor.h"

enum SolverColumn {
  SOLVER_ACTIVE,      // 1: still to be solved
  SOLVER_SOLVED_AT,   // accepted steps when it was begun
  SOLVER_RHO, SOLVER_ALPHA, SOLVER_BETA, SOLVER_OMEGA,
  SOLVER_RESTART,     // 1: the search begins anew from the residual
  SOLVER_SHADOW,      // squared length of the residual from which it began
  SOLVER_RESIDUAL,    // squared length of M^-1 (b + L W) - W, which is about the error of W
  SOLVER_SIZE,        // squared length of W
  SOLVER_ITERATIONS,
  SOLVER_FAILURE,     // relative residual with which a replica failed, or 0
  SOLVER_COLUMNS
};

INLINE bool is_active(const double* solver, int rep) {
  return solver[(long)rep * SOLVER_COLUMNS + SOLVER_ACTIVE] != 0;
}

enum Choice { DUE, RUN, ALL };

// Picks the replicas to solve: of those that step the ones whose W is `every` steps old (DUE) or all of
// them (RUN), or all there are.
KERNEL begin_solution(ITEMS, const double* RESTRICT clock, int choice, int every, double* solver) {
  EACH_ITEM(rep)
    const double* now = clock + (long)rep * CLOCK_COLUMNS;
    double* mine = solver + (long)rep * SOLVER_COLUMNS;
    const double age = now[CLOCK_STEPS] - mine[SOLVER_SOLVED_AT];
    const bool due = choice == RUN || !(age >= 0 && age < every);
    const bool steps = now[CLOCK_STATUS] == RUNNING && due;
    mine[SOLVER_ACTIVE] = choice == ALL || steps ? 1 : 0;
    if (choice != ALL && steps) mine[SOLVER_SOLVED_AT] = now[CLOCK_STEPS];
    mine[SOLVER_ITERATIONS] = 0;
    mine[SOLVER_RESTART] = 1;
  END_ITEM
}

// ------------------------------------------------------------------------------- one sub-cell

// Where a column kernel is: the plane of columns has `row.n` cells, the mesh n.
#define BEGIN_COLUMNS(row)                                                                           \
  EACH_ROW(row)                                                                                      \
    if (!is_active(solver, row.rep)) return;                                                         \
    const long n = (long)(parent[count - 1] + 1) * row.n, size = (long)count * row.n;                \
    const real* mine = data + (long)row.rep * data_stride;                                           \
    const int parity = (int)clock[(long)row.rep * CLOCK_COLUMNS + CLOCK_PARITY];                     \
    const real* m = work + slot_offset(source, parity, row.rep, nrep, n);                            \
    const real has_ym = row.ym == row.first ? real(0) : real(1);                                     \
    const real has_yp = row.yp == row.first ? real(0) : real(1);
#define END_COLUMNS END_ROW

// The layers below and above a layer of sub-cells; itself where there is none.
struct Neighbours {
  int below, above;
  long i, ib, ia;  // cells of the mesh that they are part of: first of the plane
};

INLINE Neighbours beside(const int* parent, int z, int count, long plane) {
  Neighbours b;
  b.below = z > 0 ? z - 1 : (PERIODIC_Z ? count - 1 : 0);
  b.above = z < count - 1 ? z + 1 : (PERIODIC_Z ? 0 : count - 1);
  b.i = (long)parent[z] * plane;
  b.ib = (long)parent[b.below] * plane;
  b.ia = (long)parent[b.above] * plane;
  return b;
}

struct Links {
  Link xm, xp, ym, yp, zm, zp;
};

// The links of a sub-cell, those along x and y multiplied by thickness over length of the cell: all
// are counted per area of the plane.
INLINE Links make_links(const real* data, const real* layers, const real* m, long n, int z,
                        const Neighbours& b, real dx, real dy, real has_ym, real has_yp,
                        const Cell& c) {
  const long i = b.i + c.i, xm = b.i + c.xm, ym = b.i + c.ym, zm = b.ib + c.i;
  const real d = layers[(long)z * LAYER_COLUMNS + LAYER_WIDTH], inside = data[SIGMA * n + i] / d;
  const real* link = data + (long)LINK * n;
  const real has_xm = c.xm == c.i ? real(0) : real(1), has_xp = c.xp == c.i ? real(0) : real(1);
  // Neighbours in the same layer of the mesh are one conductor; around a periodic end lies another layer.
  const real below = b.below == z ? real(0) : b.below < z && b.ib == b.i ? inside : link[2 * n + zm];
  const real above = b.above == z ? real(0) : b.above > z && b.ia == b.i ? inside : link[2 * n + i];
  Links l;
  l.xm = make_link(data, m, n, 0, i, xm, xm, has_xm * link[xm] * d / dx);
  l.xp = make_link(data, m, n, 0, i, b.i + c.xp, i, has_xp * link[i] * d / dx);
  l.ym = make_link(data, m, n, 1, i, ym, ym, has_ym * link[n + ym] * d / dy);
  l.yp = make_link(data, m, n, 1, i, b.i + c.yp, i, has_yp * link[n + i] * d / dy);
  l.zm = make_link(data, m, n, 2, i, zm, zm, below);
  l.zp = make_link(data, m, n, 2, i, b.ia + c.i, i, above);
  return l;
}

// Weights, as the same choice for a whole row would not be vectorised: 1 where a sub-cell is inside its layer
// of the mesh below and above, and where there is another layer below.
struct Weights {
  real inner_below, inner_above, other_below;
};

INLINE Weights make_weights(const real* layers, int z, const Neighbours& b) {
  const real* here = layers + (long)z * LAYER_COLUMNS;
  return Weights{here[LAYER_LOWER] > real(0) ? real(1) : real(0),
                 here[LAYER_UPPER] < real(1) ? real(1) : real(0),
                 b.below != z || b.ib != b.i ? real(1) : real(0)};
}

// The source of a sub-cell: what flows into it for W = 0, per area of the plane.
INLINE V source_of(const real* data, const real* layers, const real* m, long n, int z,
                   const Neighbours& b, const Weights& w, const Cell& c) {
  const long i = b.i + c.i, j = b.ib + c.i;
  const real* here = layers + (long)z * LAYER_COLUMNS;
  const V mi = load(m, n, i);
  const V sides = data[IN_OWN * n + i] * mi + data[IN_XM * n + i] * load(m, n, b.i + c.xm) +
                  data[IN_XP * n + i] * load(m, n, b.i + c.xp) +
                  data[IN_YM * n + i] * load(m, n, b.i + c.ym) +
                  data[IN_YP * n + i] * load(m, n, b.i + c.yp) + load(data + IN_HALL * n, n, i);
  const real low = data[DRIFT_LOW * n + i], rise = data[DRIFT_HIGH * n + i] - low;
  const V hall = load(data + INNER_HALL * n, n, i);
  const V from_below =
      w.inner_below * ((low + here[LAYER_LOWER] * rise) * mi + hall) +
      (real(1) - w.inner_below) *
          (data[BOTTOM * n + i] * mi +
           w.other_below * (data[UP_OWN * n + j] * load(m, n, j) + data[UP_NEXT * n + j] * mi +
                            load(data + UP_HALL * n, n, j)));
  const V upwards =
      w.inner_above * ((low + here[LAYER_UPPER] * rise) * mi + hall) +
      (real(1) - w.inner_above) *
          (data[UP_OWN * n + i] * mi + data[UP_NEXT * n + i] * load(m, n, b.ia + c.i) +
           load(data + UP_HALL * n, n, i));
  return here[LAYER_WIDTH] * sides + from_below - upwards;
}

// The part of the equation's matrix that couples a sub-cell with itself.
INLINE M3 own_part(const real* data, const real* m, long n, long i, real d, const Links& l) {
  const real sigma = data[SIGMA * n + i], dephasing = data[DEPHASING * n + i];
  const real insulates = sigma > real(0) ? real(0) : real(1);  // W = 0 there
  const M3 A = uniaxial(insulates + d * (data[FLIP * n + i] + dephasing), -d * dephasing,
                        -d * data[PRECESSION * n + i], load(m, n, i));
  return A + l.xm.g * passed(l.xm) + l.xp.g * passed(l.xp) + l.ym.g * passed(l.ym) +
         l.yp.g * passed(l.yp) + l.zm.g * passed(l.zm) + l.zp.g * passed(l.zp);
}

#if MIXING
// What faces that split change in the matrix and the source of a sub-cell.
INLINE void split_faces(const real* data, const real* layers, const real* m, long n, int z,
                        const Neighbours& b, real dx, real dy, const Links& l, const Cell& c, M3& A,
                        V& source) {
  const long i = b.i + c.i, xm = b.i + c.xm, xp = b.i + c.xp, ym = b.i + c.ym, yp = b.i + c.yp;
  const long zm = b.ib + c.i, zp = b.ia + c.i;
  const real *lower = data + (long)LOWER_CURRENT * n, *upper = data + (long)UPPER_CURRENT * n;
  const real d = layers[(long)z * LAYER_COLUMNS + LAYER_WIDTH];
  const real db = layers[(long)b.below * LAYER_COLUMNS + LAYER_WIDTH];
  const real da = layers[(long)b.above * LAYER_COLUMNS + LAYER_WIDTH];
#define SPLIT(link, axis, j, low, d_here, d_there, normal, J, area)                                 \
  if (link.whole == real(0)) {                                                                      \
    const Split f = make_split(data, m, n, axis, i, j, low, d_here, d_there, normal, J, link);      \
    A = A + (area) * uniaxial(f.take, -f.take, f.turn, link.m);                                     \
    source = source + (area) * (f.stopped - f.taken);                                               \
  }
  const V x = V{1, 0, 0}, y = V{0, 1, 0}, up = V{0, 0, 1};
  SPLIT(l.xm, 0, xm, xm, dx, dx, -x, -lower[i], d / dx)
  SPLIT(l.xp, 0, xp, i, dx, dx, x, upper[i], d / dx)
  SPLIT(l.ym, 1, ym, ym, dy, dy, -y, -lower[n + i], d / dy)
  SPLIT(l.yp, 1, yp, i, dy, dy, y, upper[n + i], d / dy)
  SPLIT(l.zm, 2, zm, zm, d, db, -up, -lower[2 * n + i], real(1))
  SPLIT(l.zp, 2, zp, i, d, da, up, upper[2 * n + i], real(1))
#undef SPLIT
}
#endif

// L a: what the neighbouring columns give, and the layer around a periodic end.
INLINE V beside_columns(const Links& l, const Neighbours& b, const real* a, long size, long plane,
                        int z, const Cell& c) {
  const long first = (long)z * plane;
  V sum = l.xm.g * passed(l.xm, load(a, size, first + c.xm)) +
          l.xp.g * passed(l.xp, load(a, size, first + c.xp)) +
          l.ym.g * passed(l.ym, load(a, size, first + c.ym)) +
          l.yp.g * passed(l.yp, load(a, size, first + c.yp));
#if PERIODIC_Z
  if (b.below > z) sum = sum + l.zm.g * passed(l.zm, load(a, size, (long)b.below * plane + c.i));
  if (b.above < z) sum = sum + l.zp.g * passed(l.zp, load(a, size, (long)b.above * plane + c.i));
#else
  (void)b;
#endif
  return sum;
}

// The matrix and the right-hand side of a sub-cell in its column, the neighbouring columns as they are.
INLINE void own_equation(const real* data, const real* layers, const real* m, long n, int z,
                         const Neighbours& b, const Weights& w, real dx, real dy, real has_ym,
                         real has_yp, const real* W, long size, long plane, const Cell& c, M3& A,
                         V& q) {
  const Links l = make_links(data, layers, m, n, z, b, dx, dy, has_ym, has_yp, c);
  A = own_part(data, m, n, b.i + c.i, layers[(long)z * LAYER_COLUMNS + LAYER_WIDTH], l);
  V source = source_of(data, layers, m, n, z, b, w, c);
#if MIXING
  split_faces(data, layers, m, n, z, b, dx, dy, l, c, A, source);
#endif
  const real conducts = data[SIGMA * n + b.i + c.i] > real(0) ? real(1) : real(0);
  q = beside_columns(l, b, W, size, plane, z, c) + conducts * source;
}

// The link along z of a sub-cell to the one above in its column.
INLINE Link upper_link(const real* data, const real* layers, const int* parent, const real* m, long n,
                       long plane, int z, long place) {
  const long i = (long)parent[z] * plane + place, ia = (long)parent[z + 1] * plane + place;
  const real inside = data[SIGMA * n + i] / layers[(long)z * LAYER_COLUMNS + LAYER_WIDTH];
  const real g = ia == i ? inside : data[(LINK + 2) * n + i];
  return make_link(data, m, n, 2, i, ia, i, g);
}

// g P A P g with the part P that passes.
INLINE M3 enclosed(const Link& l, const M3& A) {
#if MIXING
  const V x = passed(l, V{1, 0, 0}), y = passed(l, V{0, 1, 0}), z = passed(l, V{0, 0, 1});
  return l.g * l.g * M3{passed(l, A * x), passed(l, A * y), passed(l, A * z)};
#else
  return l.g * l.g * A;
#endif
}

// ------------------------------------------------------------------------------- columns

// Factorises M for the present m, D_z = (A_z - B D_{z-1} B)^-1, and sets residual = M^-1 (b + L W) - W.
KERNEL prepare_solution(CELLS, const real* RESTRICT data, int data_stride,
                        const real* RESTRICT layers, const int* RESTRICT parent, int count, real dx,
                        real dy, const double* RESTRICT clock, const real* RESTRICT work, int source, const double* RESTRICT solver,
                        const real* RESTRICT potential, real* factors, real* residual) {
  BEGIN_COLUMNS(row)
    const real* W = potential + (long)row.rep * 3 * size;
    real* D = factors + (long)row.rep * 9 * size;
    real* r = residual + (long)row.rep * 3 * size;
    for (int z = 0; z < count; ++z) {
      const Neighbours b = beside(parent, z, count, row.n);
      const Weights w = make_weights(layers, z, b);
      EACH_CELL(row, c)
        M3 A;
        V q;
        own_equation(mine, layers, m, n, z, b, w, dx, dy, has_ym, has_yp, W, size, row.n, c, A, q);
        const long k = (long)z * row.n + c.i;
        if (z > 0) {
          const Link lower = upper_link(mine, layers, parent, m, n, row.n, z - 1, c.i);
          A = A - enclosed(lower, load_matrix(D, size, k - row.n));
          q = q + lower.g * passed(lower, load(r, size, k - row.n));
        }
        const M3 inverted = inverse(A);
        store_matrix(D, size, k, inverted);
        store(r, size, k, inverted * q);
      END_CELL
    }
    for (int z = count - 2; z >= 0; --z) {
      EACH_CELL(row, c)
        const long k = (long)z * row.n + c.i;
        const Link up = upper_link(mine, layers, parent, m, n, row.n, z, c.i);
        const V above = up.g * passed(up, load(r, size, k + row.n));
        store(r, size, k, load(r, size, k) + load_matrix(D, size, k) * above);
      END_CELL
    }
    for (int z = 0; z < count; ++z) {
      EACH_CELL(row, c)
        const long k = (long)z * row.n + c.i;
        store(r, size, k, load(r, size, k) - load(W, size, k));
      END_CELL
    }
  END_COLUMNS
}

// out = in - M^-1 L in
KERNEL apply_matrix(CELLS, const real* RESTRICT data, int data_stride,
                        const real* RESTRICT layers, const int* RESTRICT parent, int count, real dx,
                        real dy, const double* RESTRICT clock, const real* RESTRICT work, int source, const double* RESTRICT solver,
                    const real* RESTRICT factors, const real* RESTRICT in, real* out) {
  BEGIN_COLUMNS(row)
    const real* p = in + (long)row.rep * 3 * size;
    const real* D = factors + (long)row.rep * 9 * size;
    real* v = out + (long)row.rep * 3 * size;
    for (int z = 0; z < count; ++z) {
      const Neighbours b = beside(parent, z, count, row.n);
      EACH_CELL(row, c)
        const Links l = make_links(mine, layers, m, n, z, b, dx, dy, has_ym, has_yp, c);
        const long k = (long)z * row.n + c.i;
        V q = beside_columns(l, b, p, size, row.n, z, c);
        if (z > 0) {
          const Link down = upper_link(mine, layers, parent, m, n, row.n, z - 1, c.i);
          q = q + down.g * passed(down, load(v, size, k - row.n));
        }
        store(v, size, k, load_matrix(D, size, k) * q);
      END_CELL
    }
    for (int z = count - 2; z >= 0; --z) {
      EACH_CELL(row, c)
        const long k = (long)z * row.n + c.i;
        const Link up = upper_link(mine, layers, parent, m, n, row.n, z, c.i);
        const V above = up.g * passed(up, load(v, size, k + row.n));
        store(v, size, k, load(v, size, k) + load_matrix(D, size, k) * above);
      END_CELL
    }
    for (int z = 0; z < count; ++z) {
      EACH_CELL(row, c)
        const long k = (long)z * row.n + c.i;
        store(v, size, k, load(p, size, k) - load(v, size, k));
      END_CELL
    }
  END_COLUMNS
}

// ------------------------------------------------------------------------------- vectors

#define BEGIN_VECTORS(row)                                                                           \
  EACH_ROW(row)                                                                                      \
    if (!is_active(solver, row.rep)) return;                                                         \
    const double* now = solver + (long)row.rep * SOLVER_COLUMNS;                                     \
    const long first = (long)row.rep * 3 * row.n + row.first;
#define END_VECTORS END_ROW

// The next direction p = r + beta (p - omega v), or r where the search begins.
KERNEL choose_direction(CELLS, const double* RESTRICT solver, const real* RESTRICT residual,
                        const real* RESTRICT image, real* direction, real* shadow) {
  BEGIN_VECTORS(row)
    if (now[SOLVER_RESTART] != 0) {
      EACH_POINT(row, x)
        const V r = load(residual, row.n, first + x);
        store(direction, row.n, first + x, r);
        store(shadow, row.n, first + x, r);
      END_POINT
    } else {
      const real beta = (real)now[SOLVER_BETA], omega = (real)now[SOLVER_OMEGA];
      EACH_POINT(row, x)
        const long i = first + x;
        const V p = load(direction, row.n, i) - omega * load(image, row.n, i);
        store(direction, row.n, i, load(residual, row.n, i) + beta * p);
      END_POINT
    }
  END_VECTORS
}

// r = r - alpha v
KERNEL step_halfway(CELLS, const double* RESTRICT solver, const real* RESTRICT image, real* residual) {
  BEGIN_VECTORS(row)
    const real alpha = (real)now[SOLVER_ALPHA];
    EACH_POINT(row, x)
      const long i = first + x;
      store(residual, row.n, i, load(residual, row.n, i) - alpha * load(image, row.n, i));
    END_POINT
  END_VECTORS
}

// W = W + alpha p + omega r, r = r - omega t
KERNEL step_on(CELLS, const double* RESTRICT solver, const real* RESTRICT direction,
               const real* RESTRICT image, real* residual, real* potential) {
  BEGIN_VECTORS(row)
    const real alpha = (real)now[SOLVER_ALPHA], omega = (real)now[SOLVER_OMEGA];
    EACH_POINT(row, x)
      const long i = first + x;
      const V r = load(residual, row.n, i);
      const V step = alpha * load(direction, row.n, i) + omega * r;
      store(potential, row.n, i, load(potential, row.n, i) + step);
      store(residual, row.n, i, r - omega * load(image, row.n, i));
    END_POINT
  END_VECTORS
}

// Sums over all numbers of a replica: a.b, c.c and d.d.
#define PRODUCTS 3
KERNEL products(CHUNKS, const double* RESTRICT solver, const real* RESTRICT a, const real* RESTRICT b,
                const real* RESTRICT c, const real* RESTRICT d, double* partial) {
  BLOCK_SCRATCH
  EACH_CHUNK(chunk, rep)
    if (is_active(solver, rep)) {
      const long all = 3 * (long)nx * ny * nz, first = rep * all;
      const long begin = first + all * chunk / nchunk, end = first + all * (chunk + 1) / nchunk;
      double ab = 0, cc = 0, dd = 0;
#if ON_GPU
      for (long i = begin + threadIdx.x; i < end; i += blockDim.x) {
#else
      for (long i = begin; i < end; ++i) {
#endif
        ab += (double)a[i] * (double)b[i];
        cc += (double)c[i] * (double)c[i];
        dd += (double)d[i] * (double)d[i];
      }
      ab = FOLD_SUM(ab);
      cc = FOLD_SUM(cc);
      dd = FOLD_SUM(dd);
      double* out = partial + ((long)rep * nchunk + chunk) * PRODUCTS;
      ONE_THREAD {
        out[0] = ab;
        out[1] = cc;
        out[2] = dd;
      }
    }
  END_CHUNK
}

KERNEL copy_potential(CELLS, const real* RESTRICT from, real* to) {
  EACH_ROW(row)
    const long first = (long)row.rep * 3 * row.n + row.first;
    EACH_POINT(row, x)
      store(to, row.n, first + x, load(from, row.n, first + x));
    END_POINT
  END_ROW
}

// ------------------------------------------------------------------------------- numbers

struct Sums {
  double ab, cc, dd;
};

INLINE Sums fold(const double* partial, int nchunk, long rep) {
  Sums s = {0, 0, 0};
  for (int j = 0; j < nchunk; ++j) {
    const double* part = partial + (rep * nchunk + j) * PRODUCTS;
    s.ab += part[0];
    s.cc += part[1];
    s.dd += part[2];
  }
  return s;
}

#define EACH_ACTIVE(rep)                                                    \
  EACH_ITEM(rep)                                                            \
    double* now = solver + (long)rep * SOLVER_COLUMNS;                      \
    if (now[SOLVER_ACTIVE] != 0) {                                          \
      const Sums s = fold(partial, nchunk, rep);
#define END_ACTIVE } END_ITEM

// Takes the residual r = a = b = c and the potential W = d.
INLINE void judge(double* now, double residual, double size, double tolerance) {
  now[SOLVER_RESIDUAL] = residual;
  now[SOLVER_SIZE] = size;
  // Without a source W = 0 is the solution; a NaN does not go away either.
  if (!(residual > tolerance * tolerance * size)) now[SOLVER_ACTIVE] = 0;
}

KERNEL judge_start(ITEMS, int nchunk, double tolerance, const double* RESTRICT partial, double* solver) {
  EACH_ACTIVE(rep)
    judge(now, s.cc, s.dd, tolerance);
    now[SOLVER_RHO] = s.cc;
    now[SOLVER_SHADOW] = s.cc;
  END_ACTIVE
}

// alpha = rho/(shadow.v), with a.b = shadow.v
KERNEL set_alpha(ITEMS, int nchunk, const double* RESTRICT partial, double* solver) {
  EACH_ACTIVE(rep)
    now[SOLVER_ALPHA] = s.ab != 0 ? now[SOLVER_RHO] / s.ab : 0;
  END_ACTIVE
}

// omega = (t.r)/(t.t)
KERNEL set_omega(ITEMS, int nchunk, const double* RESTRICT partial, double* solver) {
  EACH_ACTIVE(rep)
    now[SOLVER_OMEGA] = s.cc > 0 ? s.ab / s.cc : 0;
  END_ACTIVE
}

// After a step: shadow.r = a.b, r.r = c.c, W.W = d.d.
KERNEL judge_step(ITEMS, int nchunk, double tolerance, const double* RESTRICT partial, double* solver) {
  EACH_ACTIVE(rep)
    now[SOLVER_ITERATIONS] += 1;
    judge(now, s.cc, s.dd, tolerance);
    // A residual that is almost perpendicular to the shadow would throw the search off: start again.
    const bool lost = !(s.ab * s.ab > 1e-10 * s.cc * now[SOLVER_SHADOW]);
    const double beta = (s.ab / now[SOLVER_RHO]) * (now[SOLVER_ALPHA] / now[SOLVER_OMEGA]);
    const bool restart = lost || beta - beta != 0;
    now[SOLVER_RESTART] = restart ? 1 : 0;
    now[SOLVER_BETA] = restart ? 0 : beta;
    now[SOLVER_RHO] = restart ? s.cc : s.ab;
    if (restart) now[SOLVER_SHADOW] = s.cc;
  END_ACTIVE
}

// A replica that steps on an unsolved equation would follow a wrong torque.
KERNEL end_solution(ITEMS, double slack, double* solver, double* clock) {
  EACH_ITEM(rep)
    double* mine = solver + (long)rep * SOLVER_COLUMNS;
    double* now = clock + (long)rep * CLOCK_COLUMNS;
    const bool unsolved = mine[SOLVER_ACTIVE] != 0 &&
                          !(mine[SOLVER_RESIDUAL] <= slack * slack * mine[SOLVER_SIZE]);
    if (unsolved && now[CLOCK_STATUS] == RUNNING) {
      now[CLOCK_STATUS] = FAILED_FIELD;
      mine[SOLVER_FAILURE] = sqrt(mine[SOLVER_RESIDUAL] / mine[SOLVER_SIZE]);
    }
  END_ITEM
}

// ------------------------------------------------------------------------------- torque

// The factor of a waveform: how the parameters of a table differ from those without it. `column` is the
// first of three that it multiplies; negative without a waveform.
INLINE real wave_factor(const real* table, const real* base, int rows, int width, int column) {
  if (column < 0) return real(1);
  real largest = real(0), factor = real(0);
  for (int row = 0; row < rows; ++row)
    for (int k = column; k < column + 3; ++k) {
      const real there = base[row * width + k], size = there < real(0) ? -there : there;
      if (size > largest) {
        largest = size;
        factor = table[row * width + k] / there;
      }
    }
  return factor;
}

#if MIXING
// What a magnet in cell i takes up through its face towards a metal in cell j, whose potential is W; 0 if
// that is not what they are. n is the normal from j to i, d the length of cell j along it.
INLINE V absorbed(const real* data, const real* m, long n, int axis, long i, long j, long low, real d,
                  V normal, V W) {
  const Link link = make_link(data, m, n, axis, j, i, low, real(0));
  const Split f = make_split(data, m, n, axis, j, i, low, d, d, normal, real(0), link);
  return uptake(f, link.m, W);
}
#endif

// What the moments of a cell lose to m by precession, dephasing and at mixing faces is the torque per
// volume, in units of mu_B J_0/(e nm); the field X is such that it is m x X.
KERNEL spin_field(CELLS, const real* RESTRICT data, int data_stride,
                        const real* RESTRICT layers, const int* RESTRICT parent, int count, real dx,
                        real dy, const double* RESTRICT clock, const real* RESTRICT work, int source, const int* RESTRICT first_layer,
                  const real* RESTRICT potential, const real* RESTRICT table,
                  const real* RESTRICT base, int rows, int width, int column, real* field) {
  EACH_ROW(row)
    const long plane = (long)row.nx * ny, n = row.n, size = (long)count * plane;
    const real* mine = data + (long)row.rep * data_stride;
    const int parity = (int)clock[(long)row.rep * CLOCK_COLUMNS + CLOCK_PARITY];
    const real* m = work + slot_offset(source, parity, row.rep, nrep, n);
    const real* W = potential + (long)row.rep * 3 * size;
    real* out = field + (long)row.rep * 3 * n;
    const long offset = (long)row.rep * rows * width;
    const real wave = wave_factor(table + offset, base + offset, rows, width, column);
    const int from = first_layer[row.z], to = first_layer[row.z + 1];
    const long behind = (long)row.z * plane;
    const real part = real(1) / (real)(to - from);
    EACH_CELL(row, c)
      const V mi = load(m, n, c.i);
      V sum = V{0, 0, 0};
      for (int z = from; z < to; ++z) sum = sum + load(W, size, (long)z * plane + c.i - behind);
      const V mean = part * sum;
      V X = -mine[PRECESSION * n + c.i] * mean - mine[DEPHASING * n + c.i] * cross(mi, mean);
#if MIXING
      V Q = V{0, 0, 0};
      for (int z = from; z < to; ++z) {
        const long first = (long)z * plane - behind;
        const V xm = load(W, size, first + c.xm), xp = load(W, size, first + c.xp);
        const V ym = load(W, size, first + c.ym), yp = load(W, size, first + c.yp);
        Q = Q + (part / dx) * (absorbed(mine, m, n, 0, c.i, c.xm, c.xm, dx, V{1, 0, 0}, xm) +
                               absorbed(mine, m, n, 0, c.i, c.xp, c.i, dx, V{-1, 0, 0}, xp)) +
            (part / dy) * (absorbed(mine, m, n, 1, c.i, c.ym, c.ym, dy, V{0, 1, 0}, ym) +
                           absorbed(mine, m, n, 1, c.i, c.yp, c.i, dy, V{0, -1, 0}, yp));
      }
      const int below = from > 0 ? from - 1 : (PERIODIC_Z ? count - 1 : from);
      const int above = to < count ? to : (PERIODIC_Z ? 0 : to - 1);
      const real* lower = layers + (long)below * LAYER_COLUMNS;
      const real* upper = layers + (long)above * LAYER_COLUMNS;
      const long place = c.i - behind;
      const V zm = load(W, size, (long)below * plane + place);
      const V zp = load(W, size, (long)above * plane + place);
      const real thickness = layers[(long)from * LAYER_COLUMNS] * (real)(to - from);
      Q = Q + (real(1) / thickness) *
                  (absorbed(mine, m, n, 2, c.i, c.zm, c.zm, lower[LAYER_WIDTH], V{0, 0, 1}, zm) +
                   absorbed(mine, m, n, 2, c.i, c.zp, c.i, upper[LAYER_WIDTH], V{0, 0, -1}, zp));
      X = X - cross(mi, Q);
#else
      (void)layers; (void)parent; (void)dx; (void)dy;
#endif
      store(out, n, c.i, wave * X);
    END_CELL
  END_ROW
}
