// Terms that are linear in the gradient of m, e = sum_k d_k.(m x dm/dk) with a vector d_k per axis:
// the Dzyaloshinskii-Moriya interaction and its relatives (Lifshitz invariants).
//
// A bond of length a between two cells has the energy d.(m_i x m_j) per area, half of it counted in
// each cell, and the field -(m_j x d)/(Ms a), the sign of d reversed towards the lower neighbour. In
// the bulk that is the central difference B = -(2/Ms) sum_k dm/dk x d_k.
//
// At a surface with outward normal n, 2 A dm/dn + d_n x m = 0 (S. Rohart, A. Thiaville, Phys. Rev. B
// 88, 184422 (2013)). There m goes on to a ghost m + a dm/dn, which exchange sees as a neighbour, and
// the twist has half a bond, from m to the face, where m is m + (a/2) dm/dn. With both, the field is
// exactly the derivative of the energy, in which the half cell up to the face counts -(a/8A) |m x d_n|^2 per
// area, and both are of second order in a. Without exchange nothing holds m at a surface; there, and
// in terms with the boundary `open`, the bond is absent, which is of first order.
#pragma once

// Puts ghosts and half bonds on the surfaces of a site; d_x, d_y, d_z are the sums over all terms.
INLINE void twist_axis(V m, real inv_da, real A, V d, real lower_end, real upper_end, V& lower,
                       V& upper, V& lower_bond, V& upper_bond) {
  const real held = A > real(0) ? real(1) : real(0);
  const real scale = A > real(0) ? real(0.25) / (A * inv_da) : real(0);
  const V half = scale * cross(m, d);  // (a/2) dm/da
  lower = lower - weighted(lower_end, real(2) * half);
  upper = upper - weighted(upper_end, real(-2) * half);
  lower_bond = lower_bond - weighted(lower_end, half - held * m);
  upper_bond = upper_bond - weighted(upper_end, -half - held * m);
}

INLINE void twist_surfaces(Site& s, real A, V d_x, V d_y, V d_z) {
  twist_axis(s.m, s.inv_dx, A, d_x, s.ends.xm, s.ends.xp, s.xm, s.xp, s.bonds.xm, s.bonds.xp);
  twist_axis(s.m, s.inv_dy, A, d_y, s.ends.ym, s.ends.yp, s.ym, s.yp, s.bonds.ym, s.bonds.yp);
#if DIMENSIONS == 3
  twist_axis(s.m, s.inv_dz, A, d_z, s.ends.zm, s.ends.zp, s.zm, s.zp, s.bonds.zm, s.bonds.zp);
#else
  (void)d_z;
#endif
}

// What the field and what the energy of a term see at the six ends of its bonds; a term with the
// boundary `open` has no bonds to surfaces.
INLINE VectorFaces field_ends(const Site& s, int open) {
  return open ? at_surfaces(s, V{0, 0, 0}, s.bonds) : s.bonds;
}
INLINE VectorFaces energy_ends(const Site& s, int open) {
  const VectorFaces m = VectorFaces{s.xm, s.xp, s.ym, s.yp, s.zm, s.zp};
  return open ? at_surfaces(s, s.m, m) : m;
}

// D on the faces where it varies, the same on all where it does not.
template <class Value, class OnFaces>
INLINE OnFaces on_faces(const Site& s, Value own, int varies, OnFaces f) {
  return varies ? at_surfaces(s, own, f) : OnFaces{own, own, own, own, own, own};
}

// (D_+ m_+ - D_- m_-)/a along each axis: twice D dm/dk.
struct Differences {
  V x, y, z;
};
INLINE Differences differences(const Site& s, Faces D, const VectorFaces& m) {
  return Differences{s.inv_dx * (D.xp * m.xp - D.xm * m.xm),
                     s.inv_dy * (D.yp * m.yp - D.ym * m.ym),
                     s.inv_dz * (D.zp * m.zp - D.zm * m.zm)};
}
