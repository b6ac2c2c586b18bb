// What every term and torque does per unit time, summed over the magnet; see
// micromag/observables/power.py.
//   TORQUES             how many there are
//   TORQUE_CASES        case q: return <torque>(s, p.t<i>);
//   REVERSE_PARAMETERS  p.t<i>.<name> = -p.t<i>.<name>; of what changes sign under time reversal
//   WAVES               1: some parameter depends on time
//   FIRST_TORQUE, DAMPING, EXPLICIT, POWERS   places in the sums, see the end of the kernel
#include "portable.h"
#include "vec3.h"
#include "clock.h"
#include "site.h"
#include "model.cuh"
#include "rhs.h"

INLINE V one_torque(int torque, const Site& s, const Params& p) {
  (void)s;
  (void)p;
  switch (torque) {
    TORQUE_CASES
    default: return V{0, 0, 0};
  }
}

INLINE Params reversed(Params p) {
  REVERSE_PARAMETERS
  return p;
}

INLINE Site reversed(Site s) {
  s.m = -s.m;
  s.xm = -s.xm;
  s.xp = -s.xp;
  s.ym = -s.ym;
  s.yp = -s.yp;
  s.zm = -s.zm;
  s.zp = -s.zp;
#if TWISTS
  s.bonds = VectorFaces{-s.bonds.xm, -s.bonds.xp, -s.bonds.ym,
                        -s.bonds.yp, -s.bonds.zm, -s.bonds.zp};
#endif
  return s;
}

// `later` and `earlier` are the parameters a little after and before the present ones.
KERNEL power(CHUNKS, MODEL_ARGUMENTS, const double* RESTRICT clock, const real* RESTRICT work,
             const real* RESTRICT later, const real* RESTRICT earlier, double* partial) {
  BLOCK_SCRATCH
  const Arrays arrays = ARRAYS;
#if WAVES
  Arrays after = arrays, before = arrays;
  after.par = later;
  before.par = earlier;
#else
  (void)later;
  (void)earlier;
#endif
  EACH_CHUNK(chunk, rep)
    const int parity = (int)clock[(long)rep * CLOCK_COLUMNS + CLOCK_PARITY];
    double sums[POWERS];
    for (int q = 0; q < POWERS; ++q) sums[q] = 0;
    EACH_CELL_OF(chunk, rep, row, c)
      const real* m = work + slot_offset(CURRENT, parity, rep, nrep, row.n);
      const Site cell = make_site(m, row.n, c);
      if (!is_empty(cell.m)) {
        const Params p = cell_params(arrays, row_params(arrays, row), row, c);
        const Site s = complete(cell, p);
        real e[ENERGIES + 1];
        const V X = drive(s, p, e);
        const real alpha = damping(s, p);
        const V rate = (real(1) / (real(1) + alpha * alpha)) * (X + alpha * cross(s.m, X));
        for (int q = 0; q < ENERGIES; ++q)
          sums[q] -= (double)(p.Ms * dot(one_term(q, s, p, e[q]), rate));
        // (m x T).v = T.(v x m)
        const V lever = (p.Ms / p.gamma) * cross(rate, s.m);
        const Site back = reversed(s);
        const Params back_p = reversed(p);
        for (int q = 0; q < TORQUES; ++q) {
          const V T = one_torque(q, s, p), T_back = one_torque(q, back, back_p);
          sums[FIRST_TORQUE + 2 * q] += (double)(real(0.5) * dot(T + T_back, lever));
          sums[FIRST_TORQUE + 2 * q + 1] += (double)(real(0.5) * dot(T - T_back, lever));
        }
        sums[DAMPING] -= (double)(alpha * p.Ms / p.gamma * dot(rate, rate));
#if WAVES
        const Params p_after = cell_params(after, row_params(after, row), row, c);
        const Params p_before = cell_params(before, row_params(before, row), row, c);
        for (int q = 0; q < ENERGIES; ++q) {
          real e_after, e_before;
          one_term(q, complete(cell, p_after), p_after, e_after);
          one_term(q, complete(cell, p_before), p_before, e_before);
          sums[EXPLICIT] += (double)(e_after - e_before);
        }
#endif
      }
    END_CELL_OF
    for (int q = 0; q < POWERS; ++q) {
      const double total = FOLD_SUM(sums[q]);
      ONE_THREAD partial[((long)rep * nchunk + chunk) * POWERS + q] = total;
    }
  END_CHUNK
}
