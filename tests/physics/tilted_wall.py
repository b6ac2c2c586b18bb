"""A straight wall at an angle in a film with interfacial DMI and a field in the plane, by SciPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar


def equilibrium(A: float, K: float, D: float, Ms: float, By: float) -> tuple[float, float]:
    """Return the tilt chi of the wall's normal from x and the angle phi of m in its middle [rad].

    Along a track of width w the wall is w/cos(chi) long, so that sigma(chi)/cos(chi) is smallest,
    where sigma belongs to the best profile m(xi) along the normal. The model of O. Boulle et al.,
    Phys. Rev. Lett. 111, 217203 (2013) takes the same energy for a profile of one angle phi.
    """
    found = minimize_scalar(
        lambda chi: _wall(chi, A, K, D, Ms, By)[0] / np.cos(chi),
        bounds=(-0.3, 0.3),
        method="bounded",
        options={"xatol": 1e-4},
    )
    chi = float(found.x)
    m = _wall(chi, A, K, D, Ms, By)[1]
    return chi, float(np.interp(0, -m[2], np.arctan2(m[1], -m[0])))


def _wall(
    chi: float, A: float, K: float, D: float, Ms: float, By: float
) -> tuple[float, NDArray[np.float64]]:
    """Return the energy [J/m^2] of the wall from +z to -z, and its profile."""
    width, n = np.sqrt(A / K), 200
    h = 16 * width / n
    xi = (np.arange(n) - (n - 1) / 2) * h
    d = D * np.array([-np.sin(chi), np.cos(chi), 0.0])[:, None]  # z x normal
    tilt = np.arcsin(Ms * By / (2 * K))  # of the domains
    ends = np.array([[0, 0], [np.sin(tilt)] * 2, [np.cos(tilt), -np.cos(tilt)]])

    def energy(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        length = np.linalg.norm(values.reshape(3, n), axis=0)
        m = values.reshape(3, n) / length
        chain = np.concatenate([ends[:, :1], m, ends[:, 1:]], axis=1)
        left, right = chain[:, :-1], chain[:, 1:]
        sigma = A * ((right - left) ** 2).sum() / h + (d * np.cross(left, right, axis=0)).sum()
        sigma -= h * (K * m[2] ** 2 + Ms * By * m[1]).sum()
        slope = 2 * A / h * (2 * m - chain[:, :-2] - chain[:, 2:])
        slope += np.cross(chain[:, 2:] - chain[:, :-2], d, axis=0)
        slope -= h * np.array([0 * xi, Ms * By + 0 * xi, 2 * K * m[2]])
        slope -= (slope * m).sum(axis=0) * m
        return 1e3 * sigma, 1e3 * (slope / length).ravel()

    start = np.array([-1 / np.cosh(xi / width), np.full(n, np.sin(tilt)), -np.tanh(xi / width)])
    found = minimize(energy, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 5000})
    domains = h * n * (K * np.cos(tilt) ** 2 + Ms * By * np.sin(tilt))
    m = found.x.reshape(3, n)
    return found.fun / 1e3 + domains, m / np.linalg.norm(m, axis=0)
