// Torque of a tunnel junction under a voltage V, from a polariser of direction p (of its moment):
// T = -gamma a m x (m x p) - gamma b m x p with a = (a1 V + a2 V^2)/(Ms t) and
// b = (b0 + b1 V + b2 V^2)/(Ms t); V turns with the side of the polariser. With from_layer p is that of
// the facing cell of another layer, 0 where there is none.
INLINE V tunnel_junction(const Site& s, const TunnelJunction& p) {
  const V polariser = p.from_layer ? p.field : p.p;
  const real U = p.bottom ? -p.voltage : p.voltage;
  const real per_area = s.inv_Ms / p.thickness;
  const real a = per_area * U * (p.a1 + U * p.a2);
  const real b = per_area * (p.b0 + U * (p.b1 + U * p.b2));
  const V across = cross(s.m, polariser);
  return -s.gamma * (a * cross(s.m, across) + b * across);
}
