// Interfacial DMI. e = D (m_z div m - (m.grad) m_z), d_x = D y, d_y = -D x;
// B = (2 D/Ms) (dm_z/dx, dm_z/dy, -dm_x/dx - dm_y/dy).
INLINE V interfacial_dmi_twist(const InterfacialDmi& p, V axis) {
  return (p.open ? real(0) : p.D) * V{-axis.y, axis.x, real(0)};
}

INLINE V interfacial_dmi(const Site& s, const InterfacialDmi& p, real& energy) {
  const Faces D = on_faces(s, p.D, p.D_varies, p.D_face);
  const Differences e = differences(s, D, energy_ends(s, p.open));
  const Differences b = differences(s, D, field_ends(s, p.open));
  energy = real(0.5) * (s.m.z * (e.x.x + e.y.y) - s.m.x * e.x.z - s.m.y * e.y.z);
  return s.inv_Ms * V{b.x.z, b.y.z, -b.x.x - b.y.y};
}
