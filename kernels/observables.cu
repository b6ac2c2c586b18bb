// Sums over the magnet that make a row of the table.
//   SUMS = 3 + ENERGIES + 1: sum of m, sum of each energy density [J/m^3], largest |X|/gamma [T]
#include "portable.h"
#include "vec3.h"
#include "clock.h"
#include "site.h"
#include "model.cuh"
#include "rhs.h"

#define SUMS (3 + ENERGIES + 1)

KERNEL measure(CHUNKS, MODEL_ARGUMENTS, const double* RESTRICT clock, const real* RESTRICT work,
               double* partial) {
  BLOCK_SCRATCH
  const Arrays arrays = ARRAYS;
  EACH_CHUNK(chunk, rep)
    const int parity = (int)clock[(long)rep * CLOCK_COLUMNS + CLOCK_PARITY];
    double sums[SUMS];
    for (int q = 0; q < SUMS; ++q) sums[q] = 0;
    EACH_CELL_OF(chunk, rep, row, c)
      const real* m = work + slot_offset(CURRENT, parity, rep, nrep, row.n);
      const Params p = cell_params(arrays, row_params(arrays, row), row, c);
      const Site s = complete(make_site(m, row.n, c), p);
      real e[ENERGIES + 1];
      const V X = drive(s, p, e);
      sums[0] += (double)s.m.x;
      sums[1] += (double)s.m.y;
      sums[2] += (double)s.m.z;
      for (int q = 0; q < ENERGIES; ++q) sums[3 + q] += (double)e[q];
      sums[SUMS - 1] = larger(sums[SUMS - 1], (double)(norm(X) / p.gamma));
    END_CELL_OF
    for (int q = 0; q < SUMS; ++q) {
      const double total = q < SUMS - 1 ? FOLD_SUM(sums[q]) : FOLD_MAX(sums[q]);
      ONE_THREAD partial[((long)rep * nchunk + chunk) * SUMS + q] = total;
    }
  END_CHUNK
}

// Chunks are added up in their order, whatever the number of threads.
KERNEL fold_chunks(ITEMS, int nchunk, const double* RESTRICT partial, double* result) {
  EACH_ITEM(item)
    const int rep = item / SUMS, q = item % SUMS;
    double total = 0;
    for (int j = 0; j < nchunk; ++j) {
      const double v = partial[((long)rep * nchunk + j) * SUMS + q];
      total = q < SUMS - 1 ? total + v : larger(total, v);
    }
    result[item] = total;
  END_ITEM
}

// The field B [T] of one energy term and its energy density [J/m^3], for snapshots and tests.
KERNEL term_field(CELLS, MODEL_ARGUMENTS, const double* RESTRICT clock, const real* RESTRICT work,
                  int term, real* field, real* density) {
  const Arrays arrays = ARRAYS;
  EACH_ROW(row)
    const int parity = (int)clock[(long)row.rep * CLOCK_COLUMNS + CLOCK_PARITY];
    const real* m = work + slot_offset(CURRENT, parity, row.rep, nrep, row.n);
    real* field_out = field + row.rep * 3 * row.n;
    real* density_out = density + row.rep * row.n;
    const Params uniform = row_params(arrays, row);
    EACH_CELL(row, c)
      const Params p = cell_params(arrays, uniform, row, c);
      Site s = complete(make_site(m, row.n, c), p);
      real e = real(0);
      // Empty cells have no energy and no moment to act on, but applied and stray fields pass there.
      const bool empty = is_empty(s.m);
      if (empty) s.Ms = s.inv_Ms = real(0);
      const V B = one_term(term, s, p, e);
      if (empty) e = real(0);
      store(field_out, row.n, c.i, B);
      density_out[c.i] = e;
    END_CELL
  END_ROW
}

// X/gamma = -m x B_eff [T] with every field and torque, without damping.
KERNEL torque_field(CELLS, MODEL_ARGUMENTS, const double* RESTRICT clock,
                    const real* RESTRICT work, real* field) {
  const Arrays arrays = ARRAYS;
  EACH_ROW(row)
    const int parity = (int)clock[(long)row.rep * CLOCK_COLUMNS + CLOCK_PARITY];
    const real* m = work + slot_offset(CURRENT, parity, row.rep, nrep, row.n);
    real* field_out = field + (long)row.rep * 3 * row.n;
    const Params uniform = row_params(arrays, row);
    EACH_CELL(row, c)
      const Params p = cell_params(arrays, uniform, row, c);
      const Site s = complete(make_site(m, row.n, c), p);
      real e[ENERGIES + 1];
      store(field_out, row.n, c.i, (real(1) / p.gamma) * drive(s, p, e));
    END_CELL
  END_ROW
}
