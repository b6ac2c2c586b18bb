// Exchange. e = A |grad m|^2, B = (2/Ms) div(A grad m); over a face a distance a apart
// B_i += (2 A/Ms) (m_n - m_i)/a^2, and half of the face's A |m_n - m_i|^2/a^2 counts for each side.
INLINE V exchange(const Site& s, const Exchange& p, real& energy) {
  const real wx = s.inv_dx * s.inv_dx, wy = s.inv_dy * s.inv_dy, wz = s.inv_dz * s.inv_dz;
  const V xm = s.xm - s.m, xp = s.xp - s.m, ym = s.ym - s.m, yp = s.yp - s.m;
  const V zm = s.zm - s.m, zp = s.zp - s.m;
  if (p.A_varies) {
    const Faces f = at_surfaces(s, p.A, p.A_face);
    energy = real(0.5) * (wx * (f.xm * dot(xm, xm) + f.xp * dot(xp, xp)) +
                          wy * (f.ym * dot(ym, ym) + f.yp * dot(yp, yp)) +
                          wz * (f.zm * dot(zm, zm) + f.zp * dot(zp, zp)));
    return real(2) * s.inv_Ms *
           (wx * (f.xm * xm + f.xp * xp) + wy * (f.ym * ym + f.yp * yp) +
            wz * (f.zm * zm + f.zp * zp));
  }
  energy = real(0.5) * p.A * (wx * (dot(xm, xm) + dot(xp, xp)) +
                              wy * (dot(ym, ym) + dot(yp, yp)) +
                              wz * (dot(zm, zm) + dot(zp, zp)));
  return (real(2) * p.A * s.inv_Ms) * (wx * (xm + xp) + wy * (ym + yp) + wz * (zm + zp));
}
