// Bulk DMI. e = D m.(curl m), d_k = -D e_k; B = -(2 D/Ms) curl m.
INLINE V bulk_dmi_twist(const BulkDmi& p, V axis) { return (p.open ? real(0) : -p.D) * axis; }

INLINE V bulk_dmi(const Site& s, const BulkDmi& p, real& energy) {
  const Faces D = on_faces(s, p.D, p.D_varies, p.D_face);
  const Differences e = differences(s, D, energy_ends(s, p.open));
  const Differences b = differences(s, D, field_ends(s, p.open));
  energy = real(0.5) * dot(s.m, V{e.y.z - e.z.y, e.z.x - e.x.z, e.x.y - e.y.x});
  return -s.inv_Ms * V{b.y.z - b.z.y, b.z.x - b.x.z, b.x.y - b.y.x};
}
