// The right-hand side dm/dt: every field and torque of the model, and the LLG equation.
#pragma once

// How many terms are noise.
#ifndef NOISES
#define NOISES 0
#endif

INLINE Site complete(Site s, const Params& p) {
  s.Ms = p.Ms;
  s.inv_Ms = p.inv_Ms;
  s.gamma = p.gamma;
  s.inv_dx = p.inv_dx;
  s.inv_dy = p.inv_dy;
  s.inv_dz = p.inv_dz;
#if TWISTS
  twist_surfaces(s, stiffness(p), twist_along(p, V{1, 0, 0}), twist_along(p, V{0, 1, 0}),
                 twist_along(p, V{0, 0, 1}));
#endif
  return s;
}

// X = -gamma m x B + T [1/s], everything that turns m but the damping; energies e [J/m^3] per term.
INLINE V drive(const Site& s, const Params& p, real* e) {
  const V X = torques(s, p) - p.gamma * cross(s.m, fields(s, p, e));
#if HAS_EMPTY
  const bool gone = is_empty(s.m);  // choices instead of a branch, which would not be vectorised
  for (int q = 0; q < ENERGIES; ++q) e[q] = gone ? real(0) : e[q];
  return V{gone ? real(0) : X.x, gone ? real(0) : X.y, gone ? real(0) : X.z};
#else
  return X;
#endif
}

// dm/dt = (X + alpha m x X) / (1 + alpha^2): the Gilbert form solved for dm/dt, so that damping acts
// on the spin torques as well (T. L. Gilbert, IEEE Trans. Magn. 40, 3443 (2004)). With relax = 1
// precession is left out, dm/dt = m x X, which has the same fixed points.
//
// Noise acts here alone: what is measured, such as the largest torque, is without it.
INLINE V llg(const Site& s, const Params& p, real relax) {
  real e[ENERGIES + 1];
#if NOISES
  const V X = drive(s, p, e) - p.gamma * cross(s.m, noise_field(s, p));
#else
  const V X = drive(s, p, e);
#endif
  const real alpha = damping(s, p);
  const real scale = (real(1) - relax) / (real(1) + alpha * alpha);
  return scale * X + (scale * alpha + relax) * cross(s.m, X);
}
