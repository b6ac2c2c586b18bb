// Functions that waveforms may call.
#pragma once

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
