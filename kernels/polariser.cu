// The moments that polarise a current: for every cell those of another one, in the other layer.
#include "portable.h"
#include "vec3.h"
#include "clock.h"

// `from` is the number of that cell, -1 where there is none: no torque then.
KERNEL gather_moments(CELLS, const double* RESTRICT clock, const real* RESTRICT work, int source,
                      const int* RESTRICT from, real* field) {
  EACH_ROW(row)
    const int parity = (int)clock[(long)row.rep * CLOCK_COLUMNS + CLOCK_PARITY];
    const real* m = work + slot_offset(source, parity, row.rep, nrep, row.n);
    real* mine = field + (long)row.rep * 3 * row.n;
    EACH_POINT(row, x)
      const int other = from[row.first + x];
      const real there = other < 0 ? real(0) : real(1);
      store(mine, row.n, row.first + x, there * load(m, row.n, other < 0 ? 0 : other));
    END_POINT
  END_ROW
}
