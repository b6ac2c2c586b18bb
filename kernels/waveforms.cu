// Parameters that depend on time: live = base * w(t), evaluated per replica and region at
// t + fraction * dt before the kernels that read them.
#include "portable.h"
#include "clock.h"
#include "waveforms.h"
#include "waves.cuh"
#include "corners.cuh"

// The time at which a stage of the step from t0 to t0 + dt sees the waveforms. Where they jump at its
// end it sees them from the left, where they jump at its begin from the right: so a jump lies between
// two steps, and each of them integrates something smooth.
INLINE double time_of_stage(double t0, double dt, double fraction, const double* constants) {
  const double slack = same_time(t0), corner = next_corner(t0 + slack, constants);
  double t = t0 + fraction * dt;
  if (t0 + dt <= corner + slack && t > corner - slack) t = corner - slack;
  return t < t0 + slack ? t0 + slack : t;
}

KERNEL update_parameters(ITEMS, int regions, double fraction, const double* RESTRICT clock,
                         const double* RESTRICT constants, const real* RESTRICT base, real* live) {
  EACH_ITEM(item)
    const int rep = item / regions;
    const double* now = clock + (long)rep * CLOCK_COLUMNS;
    const double* w = constants + (long)rep * WAVE_CONSTANTS;
    const double t = time_of_stage(now[CLOCK_T], now[CLOCK_DT], fraction, w);
    apply_waves(t, w, base + (long)item * PARAMETERS, live + (long)item * PARAMETERS);
  END_ITEM
}
