r"""The one-dimensional model of a domain wall: two equations for its position q and angle phi.

Between domains along +e and -e (the easy axis) the wall is :math:`\theta = 2 \arctan \exp[p (x - q)
/ \Delta]`, measured from e, with one angle phi about e for all of it. The equation of Landau,
Lifshitz and Gilbert, with every torque written as a field B, is projected on the two motions that
the ansatz allows, that is, its theta and phi components are multiplied by sin(theta) and integrated:

.. math::

    \dot\phi + \alpha p \frac{\dot q}{\Delta} = f_q, \qquad
    p \frac{\dot q}{\Delta} - \alpha \dot\phi = -f_\phi, \qquad
    \langle X \rangle = \frac{1}{2 \Delta} \int X \sin\theta \, dx

============================  ==========================================  ==========================
cause                         f_q = <-gamma B_theta>                      f_phi = <gamma B_phi>
============================  ==========================================  ==========================
field B                       gamma B_e                                   (pi/2) gamma B_perp . n'
wall energy sigma(phi)        --                                          -gamma sigma' / (2 Delta Ms)
Zhang-Li, u and beta          p beta u / Delta                            -p u / Delta
damping-like, a sigma         (pi/2) gamma a sigma . n'                   -gamma a sigma_e
field-like, b sigma           as a field b sigma                          as a field b sigma
============================  ==========================================  ==========================

A damping-like torque whose amplitude :math:`a/(1 + \kappa \cdot m)` changes through the wall, as that
of a spin valve does, is integrated over theta instead:

.. math::

    f_q = \frac{\gamma}{2} \int_0^\pi \frac{a\, \sigma \cdot n'}{1 + \kappa \cdot m}\, d\theta,
    \qquad
    f_\phi = \frac{\gamma}{2} \int_0^\pi
    \frac{a\, \sigma \cdot (n \cos\theta - e \sin\theta)}{1 + \kappa \cdot m}\, d\theta

n(phi) is the direction of the moment in the middle of the wall, n' = dn/dphi. sigma(phi) [J/m^2] holds
the hard axis (2 Delta Kp sin^2 phi, even harmonics, proportional to Delta) and an interfacial or bulk
Dzyaloshinskii-Moriya interaction (pi D cos phi, odd harmonics, not depending on Delta). Delta
follows phi at once: :math:`A / \Delta^2` is the anisotropy that the wall feels at that angle.

Source: N. L. Schryer and L. R. Walker, J. Appl. Phys. 45, 5406 (1974); A. P. Malozemoff and
J. C. Slonczewski, Magnetic Domain Walls in Bubble Materials (1979); A. Thiaville et al., Europhys.
Lett. 69, 990 (2005) for the torques of Zhang and Li; A. Thiaville et al., Europhys. Lett. 100, 57002
(2012), and O. Boulle et al., Phys. Rev. Lett. 111, 217203 (2013), for spin-orbit torques.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from micromag.analysis._wall_pushes import Drive, Push, no_field

FloatArray = NDArray[np.float64]

GRID = 2048
"""Angles of a full turn at which the rates are taken."""
NARROW = 1e-3
"""Where the turning rate falls below this part of its largest value there is a narrow place."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)
THETA, THETA_WEIGHTS = np.pi / 2 * (1 + _NODES), np.pi / 2 * _WEIGHTS
"""Angles from one domain to the other, and the weights of a sum that is the integral over them."""
AT_REST = 1e-12
"""A turning rate below this part of the largest one, or of alpha v / Delta, is rounding noise."""


@dataclass(frozen=True)
class Wall:
    """A wall at rest, as it is measured.

    Attributes
    ----------
    e, n1, n2
        Easy axis, and two directions across it with n1 x n2 = e; phi counts from n1 to n2.
    polarity
        p: 1 if the domain on the left lies along +e, else -1.
    width
        Wall parameter Delta at rest [m].
    angle
        phi at rest [rad].
    stiffness
        Exchange stiffness A [J/m] that the wall's exchange energy 2 A / Delta stands for.
    cosines, sines
        Harmonics n = 0, 1, ... of the wall's energy sigma(phi) at that width [J/m^2], without that
        in applied fields.
    field
        Field that acted at rest [T].
    """

    e: FloatArray
    n1: FloatArray
    n2: FloatArray
    polarity: int
    width: float
    angle: float
    stiffness: float
    cosines: FloatArray
    sines: FloatArray
    field: FloatArray

    def normal(self, phi: FloatArray) -> FloatArray:
        """Return the direction of the moment in the middle of the wall, shape (..., 3)."""
        return np.cos(phi)[..., None] * self.n1 + np.sin(phi)[..., None] * self.n2

    def energy(self, phi: FloatArray, first: int = 0, step: int = 1) -> FloatArray:
        """Return sigma(phi), or its harmonics from ``first`` on in steps [J/m^2]."""
        n = np.arange(len(self.cosines))[first::step]
        turns = np.multiply.outer(phi, n)
        return np.cos(turns) @ self.cosines[first::step] + np.sin(turns) @ self.sines[first::step]

    def slope(self, phi: FloatArray, first: int, step: int) -> FloatArray:
        """Return the derivative by phi of what `energy` returns [J/m^2]."""
        n = np.arange(len(self.cosines))[first::step]
        turns = np.multiply.outer(phi, n)
        return np.cos(turns) @ (n * self.sines[first::step]) - np.sin(turns) @ (
            n * self.cosines[first::step]
        )

    @property
    def hard_axis(self) -> float:
        """Kp [J/m^3]: amplitude of the second harmonic, 2 Delta Kp sin^2(phi - phi_easy)."""
        return float(np.hypot(self.cosines[2], self.sines[2])) / self.width

    @property
    def dmi(self) -> float:
        """|D| [J/m^2]: amplitude of the first harmonic, pi D cos(phi - phi_D)."""
        return float(np.hypot(self.cosines[1], self.sines[1])) / np.pi


@dataclass(frozen=True)
class Course:
    """Where a wall goes under a constant drive.

    Attributes
    ----------
    velocity
        Final velocity, or its mean over whole turns of the angle [m/s].
    turning
        Whether the angle turns for ever.
    period
        Of a full turn [s]; NaN where it does not turn.
    angle
        Final angle [rad]; NaN where it turns.
    """

    velocity: float
    turning: bool
    period: float
    angle: float


def width_at(wall: Wall, Ms: float, field: FloatArray, phi: FloatArray) -> FloatArray:
    r"""Return the wall parameter Delta in a field at an angle [m].

    .. math:: \frac{A}{\Delta^2} = \frac{A}{\Delta_0^2} + k(\phi) - k(\phi_0), \qquad
              k = \frac{\sigma_{even}}{2 \Delta_0} - \frac{\pi}{2} M_s B \cdot n

    Raises
    ------
    ValueError
        The field is so large that no wall is left.
    """

    def pressure(angle: FloatArray, field: FloatArray) -> FloatArray:
        held = wall.energy(angle, 2, 2) / (2 * wall.width)
        return held - np.pi / 2 * Ms * (wall.normal(angle) @ field)

    at_rest = pressure(np.asarray(wall.angle), wall.field)
    anisotropy = wall.stiffness / wall.width**2 + pressure(phi, field) - at_rest
    if np.any(anisotropy <= 0):
        raise ValueError("the field across the easy axis leaves no wall")
    return np.sqrt(wall.stiffness / anisotropy)


def rates(
    wall: Wall, drive: Drive, pushes: Sequence[Push], phi: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return dq/dt [m/s] and dphi/dt [rad/s] at angles phi."""
    p, gamma, alpha = wall.polarity, drive.gamma, drive.alpha
    field = sum((push.field for push in pushes), no_field())
    delta = width_at(wall, drive.Ms, field, phi)
    held = wall.slope(phi, 1, 2) / delta + wall.slope(phi, 2, 2) / wall.width
    f_q = gamma * (field @ wall.e)
    f_phi = np.pi / 2 * gamma * (wall.normal(phi + np.pi / 2) @ field)
    f_phi = f_phi - gamma / (2 * drive.Ms) * held
    for push in pushes:
        along, across = _damping_like(wall, push, phi)
        f_q = f_q + gamma * along + p * push.beta_u / delta
        f_phi = f_phi + gamma * across - p * push.u / delta
    turning = (f_q + alpha * f_phi) / (1 + alpha**2)
    return p * delta * (alpha * f_q - f_phi) / (1 + alpha**2), turning


def _damping_like(wall: Wall, push: Push, phi: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return f_q/gamma and f_phi/gamma of a damping-like torque [T]."""
    onwards = wall.normal(phi + np.pi / 2) @ push.damping_like
    if not push.asymmetry.any():
        return np.pi / 2 * onwards, -(push.damping_like @ wall.e)
    across = wall.normal(phi)
    cos, sin = np.cos(THETA), np.sin(THETA)
    share = 1 + cos * (wall.e @ push.asymmetry) + sin * (across @ push.asymmetry)[..., None]
    even, with_cos, with_sin = (
        (weight / share) @ THETA_WEIGHTS / 2 for weight in (np.ones_like(cos), cos, sin)
    )
    inwards = (across @ push.damping_like) * with_cos - (push.damping_like @ wall.e) * with_sin
    return onwards * even, inwards


@dataclass(frozen=True)
class _Turn:
    """One turn of the angle from its value at rest, in the sense in which a constant drive pulls it.

    ``rate`` returns dq/dt and dphi/dt at an angle; ``phi``, ``v`` and ``turning`` are samples.
    ``stop`` is the number of the sample before the first angle at which it stands still, -1 if it
    begins at rest, None if there is none. ``narrow`` means that it nearly stands still somewhere.
    """

    rate: Callable[[float], tuple[float, float]]
    phi: FloatArray
    v: FloatArray
    turning: FloatArray
    stop: int | None
    narrow: bool


def _one_turn(wall: Wall, drive: Drive) -> _Turn:
    if not drive.is_constant:
        raise ValueError("the drive depends on time")
    pushes = drive.at(0.0)

    def rate(angle: float) -> tuple[float, float]:
        v, turning = rates(wall, drive, pushes, np.asarray(angle))
        return float(v), float(turning)

    begun = rate(wall.angle)[1]
    phi = wall.angle + math.copysign(2 * np.pi, begun) * np.linspace(0, 1, GRID + 1)
    v, turning = rates(wall, drive, pushes, phi)
    fastest = float(np.abs(turning).max())
    # With beta = alpha, and nothing that holds the angle, what turns it cancels: alpha v / Delta is
    # the size of what did.
    cancelled = drive.alpha * float(np.abs(v).max()) / wall.width
    if abs(begun) <= AT_REST * max(fastest, cancelled):
        return _Turn(rate, phi, v, turning, -1, False)
    slowest = int(np.abs(turning[1:-1]).argmin()) + 1
    narrow = bool(abs(turning[slowest]) < NARROW * fastest)
    if narrow:  # close to a threshold: does it pass?
        closer = np.linspace(phi[slowest - 1], phi[slowest + 1], GRID)
        phi = np.concatenate([phi[: slowest - 1], closer, phi[slowest + 2 :]])
        v, turning = rates(wall, drive, pushes, phi)
    stops = np.flatnonzero(turning[:-1] * turning[1:] <= 0)
    return _Turn(rate, phi, v, turning, int(stops[0]) if len(stops) else None, narrow)


def turns(wall: Wall, drive: Drive) -> bool:
    """Return whether the angle turns for ever under a constant drive; raises as `course`."""
    return _one_turn(wall, drive).stop is None


def course(wall: Wall, drive: Drive) -> Course:
    r"""Return where a wall ends that starts at rest under a constant drive.

    The angle follows :math:`\dot\phi = F(\phi)` from its value at rest: it stops at the first zero of F
    on its way, or there is none and it turns for ever with

    .. math:: \langle v \rangle = \oint \frac{\dot q}{F} d\phi \Big/ \oint \frac{d\phi}{F}

    Raises
    ------
    ValueError
        The drive depends on time, or leaves no wall.
    """
    from scipy.optimize import brentq

    turn = _one_turn(wall, drive)
    phi, turning, k = turn.phi, turn.turning, turn.stop
    if k is not None:
        angle = wall.angle
        if k >= 0:
            angle = float(brentq(lambda a: turn.rate(a)[1], phi[k], phi[k + 1], xtol=1e-12))
        return Course(turn.rate(angle)[0], False, math.nan, angle)
    if turn.narrow:
        hardest = float(phi[np.abs(turning).argmin()])
        period = _over_turn(lambda a: 1 / turn.rate(a)[1], phi, hardest)
        way = _over_turn(lambda a: turn.rate(a)[0] / turn.rate(a)[1], phi, hardest)
    else:  # evenly spaced values of a periodic function sum up to its integral
        period = 2 * np.pi * float((1 / np.abs(turning[:-1])).mean())
        way = 2 * np.pi * float((turn.v[:-1] / np.abs(turning[:-1])).mean())
    return Course(way / period, True, period, math.nan)


def _over_turn(f: Callable[[float], float], phi: FloatArray, peak: float) -> float:
    """Return the integral of a function with a narrow peak over a whole turn."""
    from scipy.integrate import quad

    value, _ = quad(f, phi[0], phi[-1], points=[peak], limit=200, epsrel=1e-6)
    return float(value)


def trajectory(
    wall: Wall, drive: Drive, t: FloatArray, start: float = 0.0
) -> tuple[FloatArray, FloatArray]:
    """Return q [m], 0 at the first time, and phi [rad] at ascending times t [s].

    Parameters
    ----------
    wall, drive
        The wall, and what drives it.
    t
        Times in the stage, the first one its start.
    start
        Time of the run at t = 0: what waveforms count.

    Raises
    ------
    ValueError
        The integration fails, or the drive leaves no wall.
    """
    from scipy.integrate import solve_ivp

    def change(now: float, y: FloatArray) -> tuple[float, float]:
        v, turning = rates(wall, drive, drive.at(start + now), np.asarray(y[1]))
        return float(v) / wall.width, float(turning)

    longest = (t[-1] - t[0]) / 200 if not drive.is_constant else np.inf
    found = solve_ivp(
        change, (t[0], t[-1]), [0.0, wall.angle], t_eval=t, method="DOP853",
        rtol=1e-9, atol=1e-10, max_step=longest,
    )  # fmt: skip
    if not found.success:
        raise ValueError(f"the equations of the wall cannot be integrated: {found.message}")
    return wall.width * found.y[0], found.y[1]
