// Slonczewski torque of a current J across the layer, from a polariser of direction p (of its moment):
// T = -gamma a m x (m x p) - gamma b m x p with a = hbar J eps(m.p)/(e Ms t), b = hbar J eps'/(e Ms t)
// and eps = P L^2/((L^2 + 1) + (L^2 - 1) m.p). Both signs turn with the side of the polariser.
// With from_layer p is that of the facing cell of another layer, 0 where there is none.
INLINE V slonczewski(const Site& s, const Slonczewski& p) {
  const real hbar_e = real(6.582119569509067e-16);  // [V s]
  const real J = p.bottom ? -p.J : p.J;
  const real per_eps = hbar_e * J * s.inv_Ms / p.thickness;
  const V polariser = p.from_layer ? p.field : p.p;
  const real L2 = p.Lambda * p.Lambda;
  const real eps = p.P * L2 / ((L2 + real(1)) + (L2 - real(1)) * dot(s.m, polariser));
  const V across = cross(s.m, polariser);
  return (-s.gamma * per_eps) * (eps * cross(s.m, across) + p.epsilon_prime * across);
}
