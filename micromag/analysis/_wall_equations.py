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
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

GRID = 2048
"""Angles of a full turn at which the rates are taken."""
NARROW = 1e-3
"""Where the turning rate falls below this part of its largest value there is a narrow place."""
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
class Push:
    """What drives a wall, all proportional to one function of time.

    Attributes
    ----------
    field
        Applied field and field-like torques [T], shape (3,).
    damping_like
        a sigma of the damping-like torques [T], shape (3,).
    u, beta_u
        Drift velocity along x and its non-adiabatic part beta u [m/s].
    waveform
        The function of time [s]; None is 1.
    """

    field: FloatArray
    damping_like: FloatArray
    u: float = 0.0
    beta_u: float = 0.0
    waveform: Callable[[float], float] | None = None


@dataclass(frozen=True)
class Drive:
    """Material and currents of one run, as the wall feels them."""

    Ms: float
    alpha: float
    gamma: float
    pushes: tuple[Push, ...] = ()

    @property
    def is_constant(self) -> bool:
        """Whether nothing depends on time."""
        return all(push.waveform is None for push in self.pushes)

    def at(self, t: float) -> Push:
        """Return the sum of all that pushes at a time [s]."""
        field, damping_like, u, beta_u = np.zeros(3), np.zeros(3), 0.0, 0.0
        for push in self.pushes:
            w = 1.0 if push.waveform is None else push.waveform(t)
            field += w * push.field
            damping_like += w * push.damping_like
            u += w * push.u
            beta_u += w * push.beta_u
        return Push(field, damping_like, u, beta_u)

    def between(self, other: Drive, part: float) -> Drive:
        """Return a drive on the straight line from this (0) to another (1) of the same build."""

        def mix(a: float, b: float) -> float:
            return a + part * (b - a)

        a, b = self.at(0.0), other.at(0.0)
        push = Push(
            a.field + part * (b.field - a.field),
            a.damping_like + part * (b.damping_like - a.damping_like),
            mix(a.u, b.u),
            mix(a.beta_u, b.beta_u),
        )
        return Drive(
            mix(self.Ms, other.Ms), mix(self.alpha, other.alpha), mix(self.gamma, other.gamma),
            (push,),
        )  # fmt: skip

    def on_mesh(self, factor: float) -> Drive:
        """Return the drive whose gradients are lower by a factor, as central differences take them."""
        pushes = tuple(
            Push(p.field, p.damping_like, factor * p.u, factor * p.beta_u, p.waveform)
            for p in self.pushes
        )
        return Drive(self.Ms, self.alpha, self.gamma, pushes)


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


def width_at(wall: Wall, drive: Drive, push: Push, phi: FloatArray) -> FloatArray:
    r"""Return the wall parameter Delta at an angle [m].

    .. math:: \frac{A}{\Delta^2} = \frac{A}{\Delta_0^2} + k(\phi) - k(\phi_0), \qquad
              k = \frac{\sigma_{even}}{2 \Delta_0} - \frac{\pi}{2} M_s B \cdot n

    Raises
    ------
    ValueError
        The field is so large that no wall is left.
    """

    def pressure(angle: FloatArray, field: FloatArray) -> FloatArray:
        held = wall.energy(angle, 2, 2) / (2 * wall.width)
        return held - np.pi / 2 * drive.Ms * (wall.normal(angle) @ field)

    at_rest = pressure(np.asarray(wall.angle), wall.field)
    anisotropy = wall.stiffness / wall.width**2 + pressure(phi, push.field) - at_rest
    if np.any(anisotropy <= 0):
        raise ValueError("the field across the easy axis leaves no wall")
    return np.sqrt(wall.stiffness / anisotropy)


def rates(wall: Wall, drive: Drive, push: Push, phi: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return dq/dt [m/s] and dphi/dt [rad/s] at angles phi."""
    p, gamma, alpha = wall.polarity, drive.gamma, drive.alpha
    delta = width_at(wall, drive, push, phi)
    onwards = wall.normal(phi + np.pi / 2)
    f_q = (
        gamma * (push.field @ wall.e)
        + p * push.beta_u / delta
        + np.pi / 2 * gamma * (onwards @ push.damping_like)
    )
    held = wall.slope(phi, 1, 2) / delta + wall.slope(phi, 2, 2) / wall.width
    f_phi = (
        np.pi / 2 * gamma * (onwards @ push.field)
        - gamma / (2 * drive.Ms) * held
        - p * push.u / delta
        - gamma * (push.damping_like @ wall.e)
    )
    turning = (f_q + alpha * f_phi) / (1 + alpha**2)
    return p * delta * (alpha * f_q - f_phi) / (1 + alpha**2), turning


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
    push = drive.at(0.0)

    def rate(angle: float) -> tuple[float, float]:
        v, turning = rates(wall, drive, push, np.asarray(angle))
        return float(v), float(turning)

    begun = rate(wall.angle)[1]
    phi = wall.angle + math.copysign(2 * np.pi, begun) * np.linspace(0, 1, GRID + 1)
    v, turning = rates(wall, drive, push, phi)
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
        v, turning = rates(wall, drive, push, phi)
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
