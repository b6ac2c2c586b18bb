// Zhang-Li torque. T = -(u.grad) m + beta m x (u.grad) m, gradient by central differences, with
// u = -J P mu_B/(e Ms), times 1/(1 + beta^2) in the form of Zhang and Li (2004).
INLINE V zhang_li(const Site& s, const ZhangLi& p) {
  V u = p.u;
  if (!p.given_u) {
    const real mu_B_over_e = real(5.7883818060e-5);  // [A m^2/C]; g = 2
    u = (-mu_B_over_e * p.P * s.inv_Ms) * p.J;
    if (p.zhang_li_2004) u = (real(1) / (real(1) + p.beta * p.beta)) * u;
  }
  const V change = (real(0.5) * u.x * s.inv_dx) * (s.xp - s.xm) +
                   (real(0.5) * u.y * s.inv_dy) * (s.yp - s.ym) +
                   (real(0.5) * u.z * s.inv_dz) * (s.zp - s.zm);
  const V T = p.beta * cross(s.m, change) - change;
  return T - dot(T, s.m) * s.m;
}
