// Brown's thermal field [T]: sqrt(2 alpha kB T/(gamma Ms V)) times white noise [1/sqrt s]. A waveform
// that goes below zero is no temperature: there is no field then.
INLINE V thermal(const Site& s, const Thermal& p, real alpha, V noise) {
  const real positive = real(0.5) * (p.temperature + (real)fabs(p.temperature));
  const real kT = real(1.380649e-23) * positive;  // [J]
  const real per_moment = s.inv_Ms * s.inv_dx * s.inv_dy * s.inv_dz;  // 1/(Ms V) [T/J]
  return (real)sqrt(real(2) * alpha * kT * per_moment / s.gamma) * noise;
}
