// Spin-orbit torque of a current density J in a heavy metal, whose normal n leads to the magnet.
// With sigma = J x n, T = -gamma a m x (m x sigma) - gamma b m x sigma; a = hbar theta_DL/(2 e Ms t)
// and b = hbar theta_FL/(2 e Ms t) - m_e rashba/(hbar e Ms) + field_per_current, all in T m^2/A.
INLINE V spin_orbit(const Site& s, const SpinOrbit& p) {
  const real hbar_2e = real(3.2910597847545e-16);      // [V s]
  const real m_e_hbar_e = real(5.3914110053275e22);    // [kg/(J s C)]
  const V sigma = cross(p.J, p.normal);
  const real per_theta = hbar_2e * s.inv_Ms / p.thickness;
  const real a = per_theta * p.theta_DL;
  const real b = per_theta * p.theta_FL - m_e_hbar_e * s.inv_Ms * p.rashba + p.field_per_current;
  const V across = cross(s.m, sigma);
  return -s.gamma * (a * cross(s.m, across) + b * across);
}
