// Steepest descent with Barzilai-Borwein steps (J. Barzilai, J. M. Borwein, IMA J. Numer. Anal. 8,
// 141 (1988)) on the sphere; L. Exl et al., J. Appl. Phys. 115, 17D118 (2014). With H = m x B the
// update solves m' = m - tau (m + m')/2 x H exactly, which keeps |m| = 1.
#include "portable.h"
#include "vec3.h"
#include "clock.h"
#include "site.h"
#include "model.cuh"
#include "rhs.h"

#define SLOT(slot) (work + slot_offset(slot, parity, row.rep, nrep, row.n))

KERNEL descend(CELLS, const double* RESTRICT clock, real* work) {
  EACH_ROW(row)
    const double* now = clock + (long)row.rep * CLOCK_COLUMNS;
    if (now[CLOCK_STATUS] != RUNNING) return;
    const int parity = (int)now[CLOCK_PARITY];
    const real tau = (real)now[CLOCK_STEP_SIZE];
    const real* m_in = SLOT(CURRENT);
    const real* g_in = SLOT(K_FIRST);
    real* m_out = SLOT(NEXT);
    EACH_CELL(row, c)
      const V m = load(m_in, row.n, c.i), g = load(g_in, row.n, c.i);
      const real square = real(0.25) * tau * tau * dot(g, g);
      const V moved = (real(1) / (real(1) + square)) * ((real(1) - square) * m - tau * g);
      const real length = norm(moved);
      store(m_out, row.n, c.i, (length > real(0) ? real(1) / length : real(0)) * moved);
    END_CELL
  END_ROW
}

// g = m x (m x B) [T] of slot `source` into slot `target`; per chunk s.s, s.y, y.y (s = change of m,
// y = change of g) and the largest |m x B|.
KERNEL gradient(CHUNKS, MODEL_ARGUMENTS, const double* RESTRICT clock, int source, int target,
                real* work, double* partial) {
  BLOCK_SCRATCH
  const Arrays arrays = ARRAYS;
  EACH_CHUNK(chunk, rep)
    const double* now = clock + (long)rep * CLOCK_COLUMNS;
    const int parity = (int)now[CLOCK_PARITY];
    double ss = 0, sy = 0, yy = 0, largest = 0;
    EACH_CELL_OF(chunk, rep, row, c)
      const real* m_new = SLOT(source);
      const real* m_old = SLOT(CURRENT);
      const real* g_old = SLOT(K_FIRST);
      real* g_new = SLOT(target);
      const Params p = cell_params(arrays, row_params(arrays, row), row, c);
      const Site site = complete(make_site(m_new, row.n, c), p);
      real e[ENERGIES + 1];
      V H = cross(site.m, fields(site, p, e));
      if (is_empty(site.m)) H = V{0, 0, 0};
      const V g = cross(site.m, H);
      const V s = site.m - load(m_old, row.n, c.i), y = g - load(g_old, row.n, c.i);
      store(g_new, row.n, c.i, g);
      ss += (double)dot(s, s);
      sy += (double)dot(s, y);
      yy += (double)dot(y, y);
      largest = larger(largest, (double)norm(H));
    END_CELL_OF
    double* out = partial + ((long)rep * nchunk + chunk) * 4;
    ss = FOLD_SUM(ss);
    ONE_THREAD out[0] = ss;
    sy = FOLD_SUM(sy);
    ONE_THREAD out[1] = sy;
    yy = FOLD_SUM(yy);
    ONE_THREAD out[2] = yy;
    largest = FOLD_MAX(largest);
    ONE_THREAD out[3] = largest;
  END_CHUNK
}

// The next step, alternately s.s/s.y and s.y/y.y; `first` takes one of a tenth of a radian instead.
KERNEL choose_descent(ITEMS, int nchunk, int first, const double* RESTRICT partial, double* clock) {
  EACH_ITEM(rep)
    double* now = clock + (long)rep * CLOCK_COLUMNS;
    if (now[CLOCK_STATUS] == RUNNING) {
      double ss = 0, sy = 0, yy = 0, largest = 0;
      for (int j = 0; j < nchunk; ++j) {
        const double* sums = partial + ((long)rep * nchunk + j) * 4;
        ss += sums[0];
        sy += sums[1];
        yy += sums[2];
        largest = larger(largest, sums[3]);
      }
      now[CLOCK_TORQUE] = largest;
      const double safe = largest > 0 ? 0.1 / largest : 1.0;
      if (!(largest - largest == 0.0)) {
        now[CLOCK_STATUS] = FAILED_NAN;  // not accepted: the state before it is the last good one
      } else if (first) {
        now[CLOCK_STEP_SIZE] = safe;
      } else {
        const bool odd = (long long)now[CLOCK_STEPS] % 2 == 1;
        double tau = odd ? ss / sy : sy / yy;
        if (!(sy > 0) || !(tau - tau == 0.0)) tau = safe;
        now[CLOCK_STEP_SIZE] = tau;
        now[CLOCK_STEPS] += 1;
        now[CLOCK_PARITY] = 1 - now[CLOCK_PARITY];
      }
      if (largest < now[CLOCK_MAX_TORQUE]) now[CLOCK_STATUS] = WAITING;
    }
  END_ITEM
}
