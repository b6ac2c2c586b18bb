// Spin torque of a given moment polarisation sigma with amplitudes in tesla:
// T = -gamma B_DL m x (m x sigma) - gamma B_FL m x sigma.
INLINE V spin_torque(const Site& s, const SpinTorque& p) {
  const V across = cross(s.m, p.sigma);
  return -s.gamma * (p.B_DL * cross(s.m, across) + p.B_FL * across);
}
