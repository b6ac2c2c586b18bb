r"""A magnet whose moments are all parallel: its equation of motion, its stability, its way.

.. math:: \dot m = \frac{X + \alpha\, m \times X}{1 + \alpha^2}, \qquad
          X = -\gamma\, m \times \left(N m + B\right)
              - \gamma \sum \frac{m \times (m \times a)}{1 + \kappa \cdot m}

N m is the magnet's own field (anisotropies, demagnetizing field), B the applied field with all
field-like torques, a of every damping-like one.

Source: J. Z. Sun, Phys. Rev. B 62, 570 (2000); G. Bertotti, I. D. Mayergoyz and C. Serpico, Nonlinear
Magnetization Dynamics in Nanosystems (2009).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micromag.analysis._wall_pushes import Drive, Push
from micromag.errors import AnalysisError

FloatArray = NDArray[np.float64]

STEPS = 400
"""Steps in which a drive is raised while the equilibrium is followed."""
BISECTIONS = 30
JUMP = 0.1
"""An equilibrium that moves by more than this in a step is another one."""
PARALLEL = 0.8
"""The least length of the mean magnetization of a magnet whose moments count as parallel."""
TURNS = 50.0
"""An overdamped magnet has come to rest after so many 1/(gamma B)."""


@dataclass(frozen=True)
class Macrospin:
    """Own field and drive of a magnet with parallel moments.

    Attributes
    ----------
    tensor
        N [T], shape (3, 3): the field of the magnet's own energy is N m.
    drive
        Ms, alpha, gamma and all fields and torques, against the time of the run [s].
    """

    tensor: FloatArray
    drive: Drive

    def held(self, t: float) -> Macrospin:
        """Return the same with the fields and torques that act at a time [s], for ever."""
        return replace(self, drive=replace(self.drive, pushes=self.drive.at(t)))

    def between(self, other: Macrospin, part: float) -> Macrospin:
        """Return what lies on the straight line from this (0) to another (1), both constant."""
        tensor = self.tensor + part * (other.tensor - self.tensor)
        return Macrospin(tensor, self.drive.between(other.drive, part))

    def rate(
        self, m: Sequence[float] | FloatArray, pushes: Sequence[Push]
    ) -> tuple[float, float, float]:
        """Return dm/dt [1/s] under what `Drive.at` returns."""
        # Plain floats: some 10^5 evaluations of a path take seconds with arrays of three.
        x, y, z = (float(c) for c in m)
        bx, by, bz = (
            r[0] * x + r[1] * y + r[2] * z + b
            for r, b in zip(self.tensor.tolist(), pushes[0].field.tolist(), strict=True)
        )
        for push in pushes:
            if push is not pushes[0]:
                fx, fy, fz = push.field.tolist()
                bx, by, bz = bx + fx, by + fy, bz + fz
            ax, ay, az = push.damping_like.tolist()
            if ax or ay or az:
                kx, ky, kz = push.asymmetry.tolist()
                share = 1 + kx * x + ky * y + kz * z
                # m x (m x a) is m x of the field m x a.
                bx += (y * az - z * ay) / share
                by += (z * ax - x * az) / share
                bz += (x * ay - y * ax) / share
        alpha, scale = self.drive.alpha, -self.drive.gamma / (1 + self.drive.alpha**2)
        tx, ty, tz = y * bz - z * by, z * bx - x * bz, x * by - y * bx
        return (
            scale * (tx + alpha * (y * tz - z * ty)),
            scale * (ty + alpha * (z * tx - x * tz)),
            scale * (tz + alpha * (x * ty - y * tx)),
        )

    @property
    def field_scale(self) -> float:
        """Size of the fields that act at t = 0 [T]."""
        fields = [p.field for p in self.drive.at(0.0)] + [
            p.damping_like for p in self.drive.at(0.0)
        ]
        own = float(np.ptp(np.linalg.eigvalsh(self.tensor)))
        return own + sum(float(np.linalg.norm(field)) for field in fields)

    # ---------------------------------------------------------------- equilibrium

    def at_rest(self, m: FloatArray) -> FloatArray | None:
        """Return the equilibrium that a strongly damped magnet comes to from m, None without one."""
        from scipy.integrate import solve_ivp

        damped = replace(self, drive=replace(self.drive, alpha=1.0))
        pushes = damped.drive.at(0.0)
        duration = TURNS / (self.drive.gamma * max(self.field_scale, 1e-12))
        way = solve_ivp(
            lambda t, m: damped.rate(m / np.linalg.norm(m), pushes), (0, duration), m, rtol=1e-6
        )
        return self.equilibrium(way.y[:, -1])

    def equilibrium(self, m: FloatArray) -> FloatArray | None:
        """Return the equilibrium near m, stable or not; None where Newton's method finds none."""
        m = m / np.linalg.norm(m)
        pushes = self.drive.at(0.0)
        small = 1e-13 * self.drive.gamma * max(self.field_scale, 1e-12)
        for _ in range(30):
            basis = _tangent(m)
            rate = basis @ np.array(self.rate(m, pushes))
            if np.abs(rate).max() < small:
                return m
            jacobian = self._jacobian(m, basis, pushes)
            try:
                step = np.linalg.solve(jacobian, -rate)
            except np.linalg.LinAlgError:
                return None
            step *= min(1.0, 0.3 / float(np.linalg.norm(step)))
            m = m + step @ basis
            m = m / np.linalg.norm(m)
        return m if np.abs(rate).max() < 1e4 * small else None

    def growth(self, m: FloatArray) -> float:
        """Return the larger rate [1/s] at which deviations from an equilibrium grow."""
        jacobian = self._jacobian(m, _tangent(m), self.drive.at(0.0))
        return float(np.linalg.eigvals(jacobian).real.max())

    def _jacobian(self, m: FloatArray, basis: FloatArray, pushes: Sequence[Push]) -> FloatArray:
        """Return the derivative of the rate in the tangent plane [1/s], shape (2, 2)."""
        h = 1e-5
        columns = []
        for e in basis:
            ahead, behind = (
                np.array(self.rate(v / np.linalg.norm(v), pushes)) for v in (m + h * e, m - h * e)
            )
            columns.append(basis @ (ahead - behind) / (2 * h))
        return np.stack(columns, axis=1)


def direction_of(mean: FloatArray, where: str) -> FloatArray:
    """Return the direction of a mean magnetization; raises AnalysisError where moments are not parallel."""
    length = float(np.linalg.norm(mean))
    if not length >= PARALLEL:
        raise AnalysisError(
            "the moments are not parallel", where=where, value=f"|<m>| = {length:.3g}"
        )
    return mean / length


def _tangent(m: FloatArray) -> FloatArray:
    """Return two unit vectors across m and each other, shape (2, 3)."""
    other = np.eye(3)[np.abs(m).argmin()]
    first = np.cross(m, other)
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(m, first)])


def threshold(
    at: Callable[[float], Macrospin], m: FloatArray, begin: float, end: float
) -> float | None:
    """Return at which value of a slowly raised drive an equilibrium is lost.

    From the state in which the magnet comes to rest from m at ``begin``, the equilibrium is followed
    to ``end``; it is lost where it ceases to exist or deviations from it grow.

    Parameters
    ----------
    at
        The magnet under a value of the drive.
    m
        Unit vector, shape (3,).
    begin, end
        Values of the drive.

    Returns
    -------
    float or None
        None where the equilibrium lasts, or is none to begin with.
    """
    state = at(begin).at_rest(m)
    if state is None or not _holds(at(begin), state):
        return None
    low = begin
    for value in np.linspace(begin, end, STEPS + 1)[1:]:
        ahead = _followed(at(float(value)), state)
        if ahead is None:
            return _bisected(at, state, low, float(value))
        low, state = float(value), ahead
    return None


def _holds(spin: Macrospin, m: FloatArray) -> bool:
    return spin.growth(m) <= 1e-9 * spin.drive.gamma * spin.field_scale


def _followed(spin: Macrospin, m: FloatArray) -> FloatArray | None:
    """Return the stable equilibrium next to m; None where there is none."""
    found = spin.equilibrium(m)
    if found is None or np.linalg.norm(found - m) > JUMP or not _holds(spin, found):
        return None
    return found


def _bisected(at: Callable[[float], Macrospin], m: FloatArray, low: float, high: float) -> float:
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        found = _followed(at(middle), m)
        if found is None:
            high = middle
        else:
            low, m = middle, found
    return (low + high) / 2


# ------------------------------------------------------------------------------------ the way


@dataclass(frozen=True)
class Part:
    """A stage: the magnet in it, and its times in the run [s]."""

    spin: Macrospin
    begin: float
    end: float


def passage(parts: Sequence[Part], m: FloatArray, axis: int) -> tuple[float, float]:
    """Return when a component of m first passes 0 [s], and its value at the end.

    The time counts from the start of the first stage and is NaN if the component does not.
    """
    first = math.nan

    def component(t: float, m: FloatArray) -> float:
        return float(m[axis])

    for part in parts:
        way = _way(part, m, events=component)
        times = way.t_events[0]
        if math.isnan(first) and len(times):
            first = float(times[0]) - parts[0].begin
        m = way.y[:, -1] / np.linalg.norm(way.y[:, -1])
    return first, float(m[axis])


def path(part: Part, m: FloatArray, t: FloatArray) -> FloatArray:
    """Return m at times of a stage [s], from m at its start on, shape ``(times, 3)``."""
    inside = np.clip(t, part.begin, part.end)  # times in a table are rounded
    return np.asarray(_way(part, m, t_eval=inside).y.T)


def parting(spin: Macrospin, m: FloatArray, begin: float, every: float, count: int) -> FloatArray:
    """Return by how much a small deviation from a path grows in every interval: ln of the ratio.

    The deviation follows the equation linearised about the path, from m at the time ``begin`` [s] on.
    """
    from scipy.integrate import solve_ivp

    h = 1e-6

    def both(t: float, y: FloatArray) -> FloatArray:
        pushes, m, e = spin.drive.at(t), y[:3], y[3:]
        now, ahead, behind = (np.array(spin.rate(v, pushes)) for v in (m, m + h * e, m - h * e))
        return np.concatenate([now, (ahead - behind) / (2 * h)])

    grown, e = [], _tangent(m).sum(axis=0) / np.sqrt(2)
    for k in range(count):
        span = (begin + k * every, begin + (k + 1) * every)
        way = solve_ivp(both, span, np.concatenate([m, e]), method="DOP853", rtol=1e-6, atol=1e-9)
        m, e = way.y[:3, -1], way.y[3:, -1]
        m = m / np.linalg.norm(m)
        e = e - m * (m @ e)
        length = float(np.linalg.norm(e))
        grown.append(math.log(length))
        e = e / length
    return np.array(grown)


def _way(part: Part, m: FloatArray, **options: Any) -> Any:
    """Return the solution of a stage, as SciPy gives it."""
    from scipy.integrate import solve_ivp

    spin = part.spin
    constant = spin.drive.at(part.begin) if spin.drive.is_constant else None
    # A pulse must not be stepped over.
    longest = math.inf if constant else (part.end - part.begin) / 200
    return solve_ivp(
        lambda t, m: spin.rate(m, constant or spin.drive.at(t)), (part.begin, part.end), m,
        method="DOP853", rtol=1e-7, atol=1e-9, max_step=longest, **options,
    )  # fmt: skip
