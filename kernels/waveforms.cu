// Parameters that depend on time: live = base * w(t), evaluated per replica and region at
// t + fraction * dt before the kernels that read them.
#include "portable.h"
#include "clock.h"
#include "waveforms.h"
#include "waves.cuh"

KERNEL update_parameters(ITEMS, int regions, double fraction, const double* RESTRICT clock,
                         const double* RESTRICT constants, const real* RESTRICT base, real* live) {
  EACH_ITEM(item)
    const int rep = item / regions;
    const double* now = clock + (long)rep * CLOCK_COLUMNS;
    const double t = now[CLOCK_T] + fraction * now[CLOCK_DT];
    const double* w = constants + (long)rep * WAVE_CONSTANTS;
    apply_waves(t, w, base + (long)item * PARAMETERS, live + (long)item * PARAMETERS);
  END_ITEM
}
