// DMI of any symmetry. e = sum_k D_k.(m x dm/dk) with a vector D_k per axis k;
// B = -(2/Ms) sum_k dm/dk x D_k.
INLINE V dmi_twist(const Dmi& p, V axis) {
  return (p.open ? real(0) : real(1)) * (axis.x * p.Dx + axis.y * p.Dy + axis.z * p.Dz);
}

INLINE V dmi(const Site& s, const Dmi& p, real& energy) {
  const VectorFaces Dx = on_faces(s, p.Dx, p.Dx_varies, p.Dx_face);
  const VectorFaces Dy = on_faces(s, p.Dy, p.Dy_varies, p.Dy_face);
  const VectorFaces Dz = on_faces(s, p.Dz, p.Dz_varies, p.Dz_face);
  const VectorFaces e = energy_ends(s, p.open), b = field_ends(s, p.open);
  const V sum = s.inv_dx * (cross(e.xp, Dx.xp) - cross(e.xm, Dx.xm)) +
                s.inv_dy * (cross(e.yp, Dy.yp) - cross(e.ym, Dy.ym)) +
                s.inv_dz * (cross(e.zp, Dz.zp) - cross(e.zm, Dz.zm));
  energy = real(0.5) * dot(s.m, sum);
  return -s.inv_Ms * (s.inv_dx * (cross(b.xp, Dx.xp) - cross(b.xm, Dx.xm)) +
                      s.inv_dy * (cross(b.yp, Dy.yp) - cross(b.ym, Dy.ym)) +
                      s.inv_dz * (cross(b.zp, Dz.zp) - cross(b.zm, Dz.zm)));
}
