// Step control on the device: one item is one replica.
//
//   ORDER      exponent of the error estimate is 1/ORDER (embedded methods)
//   ADAPTIVE   1: the step follows the error; 0: it is fixed
//   CORNERS    1: steps also end where a waveform bends or jumps
//   NOISY      1: noise acts, see `draw_noise`
#include "portable.h"
#include "vec3.h"
#include "clock.h"
#if CORNERS
#include "waveforms.h"
#include "corners.cuh"
#endif

// Largest entry of `error` within each chunk. Non-negative floats order like their bit patterns, and
// NaN lies above infinity: an integer maximum is exact, vectorises, and cannot lose a NaN.
KERNEL largest_error(CHUNKS, const real* RESTRICT error, real* partial) {
  BLOCK_SCRATCH
  EACH_CHUNK(chunk, rep)
    const long n = (long)nx * ny * nz;
    const long a = n * chunk / nchunk, b = n * (chunk + 1) / nchunk;
    const real* mine = error + rep * n;
#if ON_GPU
    double largest = 0;
    for (long i = a + threadIdx.x; i < b; i += blockDim.x) largest = larger(largest, mine[i]);
    largest = FOLD_MAX(largest);
#else
    real_bits bits = 0;
    for (long i = a; i < b; ++i) {
      const real_bits v = bits_of(mine[i]);
      bits = v > bits ? v : bits;
    }
    const real largest = from_bits(bits);
#endif
    ONE_THREAD partial[(long)rep * nchunk + chunk] = (real)largest;
  END_CHUNK
}

// Where the next steps lead: to t_stop, or to a corner of a waveform before it. A step ends exactly
// there, or one grown long at rest would leap over a pulse without noticing.
INLINE double next_target(const double* now, const double* constants, long rep) {
  double target = now[CLOCK_T_STOP];
#if CORNERS
  const double t = now[CLOCK_T];
  const double corner = next_corner(t + same_time(t), constants + rep * CORNER_CONSTANTS);
  if (corner < target) target = corner;
#else
  (void)constants; (void)rep;
#endif
#if NOISY
  if (now[CLOCK_T] < now[CLOCK_NOISE_END] && now[CLOCK_NOISE_END] < target)
    target = now[CLOCK_NOISE_END];
#endif
  return target;
}

#if NOISY
// A step that begins where no noise acts any more opens an interval as long as itself, over which the
// noise is constant. If it is rejected, shorter steps see the same noise, as strong as it was, to the
// end of that interval. So no noise is ever dropped or weakened because a step disliked it, which is
// what drawing anew does, and scaling by sqrt(dt_old/dt_new): both keep strong noise for a shorter
// time than weak, and the magnet too cold. The length is chosen before the noise is known.
INLINE void draw_noise(double* now, double target) {
  if (now[CLOCK_T] < now[CLOCK_NOISE_END]) return;
  const double t = now[CLOCK_T], dt = now[CLOCK_DT];
  now[CLOCK_NOISE_STEP] = now[CLOCK_STEPS];
  now[CLOCK_NOISE_DT] = dt;
  now[CLOCK_NOISE_END] = dt == target - t ? target : t + dt;
}
#endif

// The step to try next: the free one, shortened so that the target is hit exactly and without a
// sliver of a step before it.
INLINE void choose_step(double* now, const double* constants, long rep) {
  const double target = next_target(now, constants, rep), left = target - now[CLOCK_T];
  double dt = now[CLOCK_FREE_DT];
  if (left <= dt * (1.0 + 1e-9)) dt = left;
#if ADAPTIVE
  else if (left < 2.0 * dt) dt = 0.5 * left;
#endif
  now[CLOCK_DT] = dt;
#if NOISY
  draw_noise(now, target);
#endif
}

INLINE bool is_finite(double v) { return v - v == 0.0; }

// Negated, so that a step that is itself no number has collapsed as well.
INLINE bool collapsed(const double* now, double free_dt) {
  const double t = now[CLOCK_T];
  return !(free_dt >= now[CLOCK_MIN_DT]) || t + free_dt == t;
}

INLINE void accept_or_reject(double* now, const double* constants, long rep, double error) {
  now[CLOCK_ERROR] = error;
  const double dt = now[CLOCK_DT];
  const bool usable = is_finite(error);
#if ADAPTIVE
  const double ratio = now[CLOCK_MAX_ERROR] / error;
  const bool accepted = usable && error <= now[CLOCK_MAX_ERROR];
  const double longest = now[CLOCK_RETRY] > 0 ? 1.0 : 4.0;
  double factor = 0.1;
  if (usable) factor = error > 0 ? 0.9 * pow(ratio, 1.0 / ORDER) : longest;
  factor = factor < 0.1 ? 0.1 : factor > longest ? longest : factor;
  double free_dt = factor * dt;
  // A step cut short by an output says little about longer ones: keep the step that was interrupted.
  if (accepted && dt < now[CLOCK_FREE_DT] && (factor == longest || free_dt > now[CLOCK_FREE_DT]))
    free_dt = free_dt > now[CLOCK_FREE_DT] ? free_dt : now[CLOCK_FREE_DT];
  now[CLOCK_FREE_DT] = free_dt > now[CLOCK_MAX_DT] ? now[CLOCK_MAX_DT] : free_dt;
  if (!accepted) {
    now[CLOCK_REJECTED] += 1;
    now[CLOCK_RETRY] += 1;
    if (collapsed(now, free_dt)) now[CLOCK_STATUS] = usable ? FAILED_STEP : FAILED_NAN;
    choose_step(now, constants, rep);
    return;
  }
#else
  if (!usable) {
    now[CLOCK_STATUS] = FAILED_NAN;
    return;
  }
#endif
  now[CLOCK_RETRY] = 0;
  now[CLOCK_STEPS] += 1;
  now[CLOCK_PARITY] = 1 - now[CLOCK_PARITY];
  const double target = next_target(now, constants, rep);
  now[CLOCK_T] = dt == target - now[CLOCK_T] ? target : now[CLOCK_T] + dt;
  if (now[CLOCK_T] == now[CLOCK_T_STOP]) now[CLOCK_STATUS] = WAITING;
#if ADAPTIVE
  else if (collapsed(now, now[CLOCK_FREE_DT])) now[CLOCK_STATUS] = FAILED_STEP;
#endif
  choose_step(now, constants, rep);
}

KERNEL control(ITEMS, int nchunk, const real* RESTRICT partial, const double* RESTRICT constants,
               double* clock) {
  EACH_ITEM(rep)
    double* now = clock + (long)rep * CLOCK_COLUMNS;
    if (now[CLOCK_STATUS] == RUNNING) {
      double error = 0;
      for (int j = 0; j < nchunk; ++j) error = larger(error, partial[(long)rep * nchunk + j]);
      accept_or_reject(now, constants, rep, error);
    }
  END_ITEM
}

// After the host has set a new t_stop.
KERNEL arm(ITEMS, const double* RESTRICT constants, double* clock) {
  EACH_ITEM(rep)
    double* now = clock + (long)rep * CLOCK_COLUMNS;
    if (now[CLOCK_STATUS] == RUNNING) choose_step(now, constants, rep);
  END_ITEM
}
