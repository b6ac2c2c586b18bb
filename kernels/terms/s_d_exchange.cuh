// Torque of a spin accumulation S (a moment density) through s-d exchange: T = J_sd/(hbar Ms) S x m.
INLINE V s_d_exchange(const Site& s, const SDExchange& p) {
  const real per_hbar = real(9.482521562467288e33);  // [1/(J s)]
  return (per_hbar * p.J_sd * s.inv_Ms) * cross(p.S, s.m);
}
