// Functions that waveforms may call.
#pragma once

#define NEVER 1e300  // [s]

// Times [s] closer than this are the same: the corners' and the waveforms' own sums round differently.
INLINE double same_time(double t) { return 1e-14 * fabs(t); }

// The first time after t in a table laid out n, period, t_0 .. t_{n-1}, ascending; with a finite
// period they repeat for ever.
INLINE double next_time(const double* table, double t) {
  const int n = (int)table[0];
  const double period = table[1], *times = table + 2;
  double shift = 0.0;
  if (period < NEVER && t > times[0]) shift = period * floor((t - times[0]) / period);
  int low = -1, high = n;  // times[low] + shift <= t < times[high] + shift
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    if (times[middle] + shift <= t) low = middle;
    else high = middle;
  }
  if (high < n) return times[high] + shift;
  return period < NEVER ? times[0] + shift + period : NEVER;
}

// Linear interpolation in a table laid out n, t_0 .. t_{n-1}, y_0 .. y_{n-1}; constant outside.
INLINE double interpolate(const double* table, double t) {
  const int n = (int)table[0];
  const double *ts = table + 1, *ys = ts + n;
  if (t <= ts[0]) return ys[0];
  if (t >= ts[n - 1]) return ys[n - 1];
  int low = 0, high = n - 1;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    if (ts[middle] <= t) low = middle;
    else high = middle;
  }
  return ys[low] + (ys[high] - ys[low]) * (t - ts[low]) / (ts[high] - ts[low]);
}
