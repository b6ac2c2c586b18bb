// DMI of the crystal class D2d. e = D m.(dm/dx cross x - dm/dy cross y), d_x = D x, d_y = -D y;
// B = -(2 D/Ms) (dm/dx cross x - dm/dy cross y).
INLINE V d2d_dmi_twist(const D2dDmi& p, V axis) {
  return (p.open ? real(0) : p.D) * V{axis.x, -axis.y, real(0)};
}

INLINE V d2d_dmi(const Site& s, const D2dDmi& p, real& energy) {
  const Faces D = on_faces(s, p.D, p.D_varies, p.D_face);
  const Differences e = differences(s, D, energy_ends(s, p.open));
  const Differences b = differences(s, D, field_ends(s, p.open));
  energy = real(0.5) * dot(s.m, V{e.y.z, e.x.z, -e.x.y - e.y.x});
  return -s.inv_Ms * V{b.y.z, b.x.z, -b.x.y - b.y.x};
}
