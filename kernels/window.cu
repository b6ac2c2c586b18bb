// How far the texture that a moving window follows is from the middle of the mesh.
//
//   AXIS       0 or 1: the window moves along x or y
//   FOLLOW     0 wall, 1 skyrmion, 2 core
//   TOLERATED  displacement that is left alone [cells]
//   LEAST_CONTRAST, LEAST_MOMENTS   below these there is nothing to follow
#include "portable.h"
#include "vec3.h"
#include "clock.h"

#define SUMS 12

// Whether a replica's texture is looked for now: a matter of its own steps, never of the batch's.
INLINE bool looks(const double* now, int every) {
  return now[CLOCK_STATUS] == RUNNING && (long)now[CLOCK_STEPS] % every == 0;
}

// Sums over the magnet, by FOLLOW:
//   wall      m and number of moments: of all 0-3, of the first plane 4-7, of the last plane 8-11
//   skyrmion  m_z > 0 and its moment 0-1, m_z < 0 and its moment 2-3, m_z of both end planes 4
//   core      m_z^2 where |m_z| > 1/2 and its moment 0-1
KERNEL look(CHUNKS, int every, const double* RESTRICT clock, const real* RESTRICT work,
            double* partial) {
  BLOCK_SCRATCH
  EACH_CHUNK(chunk, rep)
    const double* now = clock + (long)rep * CLOCK_COLUMNS;
    if (looks(now, every)) {
      const int parity = (int)now[CLOCK_PARITY];
      double sums[SUMS];
      for (int q = 0; q < SUMS; ++q) sums[q] = 0;
      EACH_CELL_OF(chunk, rep, row, c)
        const V m = load(work + slot_offset(CURRENT, parity, rep, nrep, row.n), row.n, c.i);
        const int place = AXIS == 0 ? c.x : row.y, last = (AXIS == 0 ? nx : ny) - 1;
        const bool is_end = place == 0 || place == last;
#if FOLLOW == 0
        const double moment = m.x == real(0) && m.y == real(0) && m.z == real(0) ? 0.0 : 1.0;
        const double values[4] = {(double)m.x, (double)m.y, (double)m.z, moment};
        for (int q = 0; q < 4; ++q) sums[q] += values[q];
        if (is_end)
          for (int q = 0; q < 4; ++q) sums[(place == 0 ? 4 : 8) + q] += values[q];
#else
        const double z = (double)m.z, from_centre = place - 0.5 * last;
#if FOLLOW == 1
        const double up = z > 0 ? z : 0.0, down = z < 0 ? -z : 0.0;
        sums[0] += up;
        sums[1] += up * from_centre;
        sums[2] += down;
        sums[3] += down * from_centre;
        sums[4] += is_end ? z : 0.0;
#else
        const double weight = z > 0.5 || z < -0.5 ? z * z : 0.0;
        sums[0] += weight;
        sums[1] += weight * from_centre;
        (void)is_end;
#endif
#endif
      END_CELL_OF
      for (int q = 0; q < SUMS; ++q) {
        const double total = FOLD_SUM(sums[q]);
        ONE_THREAD partial[((long)rep * nchunk + chunk) * SUMS + q] = total;
      }
    }
  END_CHUNK
}

// Displacement from the middle [cells]; `found` tells whether there is a texture at all.
INLINE double displacement(const double* s, int length, bool* found) {
#if FOLLOW == 0
  int q = 0;
  double first = 0, last = 0, contrast = -1;
  for (int k = 0; k < 3; ++k) {
    const double a = s[7] > 0 ? s[4 + k] / s[7] : 0.0, b = s[11] > 0 ? s[8 + k] / s[11] : 0.0;
    const double difference = b > a ? b - a : a - b;
    if (difference > contrast) {
      contrast = difference;
      first = a;
      last = b;
      q = k;
    }
  }
  *found = contrast > LEAST_CONTRAST;
  return *found ? length * ((s[q] / s[3] - last) / (first - last) - 0.5) : 0.0;
#elif FOLLOW == 1
  (void)length;
  const int against = s[4] > 0 ? 2 : 0;
  *found = s[4] != 0 && s[against] > LEAST_MOMENTS;
  return *found ? s[against + 1] / s[against] : 0.0;
#else
  (void)length;
  *found = s[0] > LEAST_MOMENTS;
  return *found ? s[1] / s[0] : 0.0;
#endif
}

KERNEL decide(ITEMS, int nchunk, int length, int every, const double* RESTRICT partial,
              double* clock) {
  EACH_ITEM(rep)
    double* now = clock + (long)rep * CLOCK_COLUMNS;
    if (looks(now, every)) {
      double sums[SUMS];
      for (int q = 0; q < SUMS; ++q) sums[q] = 0;
      for (int j = 0; j < nchunk; ++j)
        for (int q = 0; q < SUMS; ++q) sums[q] += partial[((long)rep * nchunk + j) * SUMS + q];
      bool found = false;
      const double off = displacement(sums, length, &found);
      now[CLOCK_OFF_CENTRE] = rint(off);
      if (!found) now[CLOCK_STATUS] = FAILED_LOST;
      else if (off >= TOLERATED || off <= -TOLERATED) now[CLOCK_STATUS] = OFF_CENTRE;
    }
  END_ITEM
}
