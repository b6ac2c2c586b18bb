// White noise of every cell, constant over an interval of time: normal deviates of variance 1/interval
// [1/s], three independent ones per cell. The key is the replica's own seed, the counter (cell, number
// of the interval, stream), so that a replica sees the same noise alone and in any batch.
#include "portable.h"
#include "vec3.h"
#include "clock.h"
#include "random.h"

KERNEL draw(CELLS, int stream, const unsigned* RESTRICT seeds, const double* RESTRICT clock,
            real* noise) {
  EACH_ROW(row)
    const double* now = clock + (long)row.rep * CLOCK_COLUMNS;
    if (now[CLOCK_STATUS] != RUNNING) return;
    const unsigned long long number = (unsigned long long)now[CLOCK_NOISE_STEP];
    const unsigned low = (unsigned)number, high = (unsigned)(number >> 32);
    const unsigned key_a = seeds[2 * row.rep], key_b = seeds[2 * row.rep + 1];
    const double interval = now[CLOCK_NOISE_DT];  // 0 as long as no step has been chosen
    const real scale = interval > 0 ? (real)(1.0 / sqrt(interval)) : real(0);
    const unsigned first = (unsigned)row.first;
    real* out = noise + (long)row.rep * 3 * row.n + row.first;
    EACH_POINT(row, x)
      const Words w = philox(Words{first + (unsigned)x, low, high, (unsigned)stream}, key_a, key_b);
      const Pair p = normal_pair(w.a, w.b), q = normal_pair(w.c, w.d);
      store(out, row.n, x, scale * V{(real)p.x, (real)p.y, (real)q.x});
    END_POINT
  END_ROW
}
