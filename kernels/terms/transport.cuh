// Torque of the spin accumulation that `field` was made of, see spin_diffusion.cu: what the moments of a
// cell take up per volume is mu_B J_0/(e nm) m x field, with J_0 = 1e12 A/m^2.
INLINE V transport(const Site& s, const Transport& p) {
  const real unit = real(5.788381806035e16);  // [A/(m s)]
  return (unit * s.inv_Ms) * cross(s.m, p.field);
}
