// One stage of a Runge-Kutta method on the Landau-Lifshitz-Gilbert equation, in one pass.
//
//   k_i = f(t + c_i dt, y_i),   y_{i+1} = y_0 + dt sum_j a_{i+1,j} k_j, normalised
//
// Compiled once per stage; the method's tableau arrives as these macros:
//   EVALUATES   1: compute k here; 0: the first stage of a first-same-as-last method, k is known
//   SOURCE      slot of y_i             K_SLOT     slot that takes k_i
//   LOAD_ROWS   pointers k_<slot> to the earlier k       NEXT_SLOT, NEXT_SUM   the next y
//   HAS_NEXT, HAS_ERROR, ERROR_SUM  sum_j e_j k_j with e = b - b_embedded
#include "portable.h"
#include "vec3.h"
#include "clock.h"
#include "site.h"
#include "model.cuh"
#include "rhs.h"

INLINE V normalised(V a) {
  const real square = dot(a, a);
#if HAS_EMPTY
  const real inverse = square > real(0) ? real(1) / (real)sqrt(square) : real(0);
#else
  const real inverse = real(1) / (real)sqrt(square);
#endif
  return inverse * a;
}

#define SLOT(slot) (work + slot_offset(slot, parity, row.rep, nrep, row.n))
#define K(slot) load(k_##slot, row.n, c.i)

KERNEL stage(CELLS, MODEL_ARGUMENTS, const double* RESTRICT clock, real* work, real* error) {
  const Arrays arrays = ARRAYS;
  EACH_ROW(row)
    const double* now = clock + (long)row.rep * CLOCK_COLUMNS;
    if (now[CLOCK_STATUS] != RUNNING) return;
    const int parity = (int)now[CLOCK_PARITY];
    const real dt = (real)now[CLOCK_DT];
    const real relax = (real)now[CLOCK_RELAX];
    const real* start = SLOT(CURRENT);
    const real* y = SLOT(SOURCE);
    real* k_out = SLOT(K_SLOT);
#if HAS_NEXT
    real* next = SLOT(NEXT_SLOT);
#endif
    real* error_out = error + row.rep * row.n;
    const Params uniform = row_params(arrays, row);
    LOAD_ROWS
    EACH_CELL(row, c)
#if EVALUATES
      const Params p = cell_params(arrays, uniform, row, c);
      const Site s = complete(make_site(y, row.n, c), p);
      const V k = llg(s, p, relax);
      store(k_out, row.n, c.i, k);
#else
      const V k = load(k_out, row.n, c.i);
#endif
#if HAS_NEXT
      store(next, row.n, c.i, normalised(load(start, row.n, c.i) + dt * (NEXT_SUM)));
#endif
#if HAS_ERROR
      error_out[c.i] = dt * norm(ERROR_SUM);
#endif
    END_CELL
  END_ROW
}
