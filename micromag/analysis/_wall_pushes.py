"""What pushes a wall in the one-dimensional model: fields, currents and torques, as numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from dataclasses import field as default
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def no_field() -> FloatArray:
    """Return a field of zero [T], shape (3,)."""
    return np.zeros(3)


@dataclass(frozen=True)
class Push:
    """What one term does to a wall, all of it proportional to one function of time.

    Attributes
    ----------
    field
        Applied field and field-like torques [T], shape (3,).
    damping_like
        a sigma of a damping-like torque [T], shape (3,).
    asymmetry
        kappa, shape (3,): where the moment is m, damping_like is divided by 1 + kappa . m.
    u, beta_u
        Drift velocity along x and its non-adiabatic part beta u [m/s].
    waveform
        The function of time [s]; None is 1.
    """

    field: FloatArray = default(default_factory=no_field)
    damping_like: FloatArray = default(default_factory=no_field)
    asymmetry: FloatArray = default(default_factory=no_field)
    u: float = 0.0
    beta_u: float = 0.0
    waveform: Callable[[float], float] | None = None

    def at(self, t: float) -> Push:
        """Return the same at a time [s]."""
        if self.waveform is None:
            return self
        w = self.waveform(t)
        return Push(
            w * self.field, w * self.damping_like, self.asymmetry, w * self.u, w * self.beta_u
        )

    def between(self, other: Push, part: float) -> Push:
        """Return a push on the straight line from this (0) to another (1), both without waveform."""
        return Push(
            self.field + part * (other.field - self.field),
            self.damping_like + part * (other.damping_like - self.damping_like),
            self.asymmetry + part * (other.asymmetry - self.asymmetry),
            self.u + part * (other.u - self.u),
            self.beta_u + part * (other.beta_u - self.beta_u),
        )


@dataclass(frozen=True)
class Drive:
    """Material and all pushes of one run, as the wall feels them."""

    Ms: float
    alpha: float
    gamma: float
    pushes: tuple[Push, ...] = ()

    @property
    def is_constant(self) -> bool:
        """Whether nothing depends on time."""
        return all(push.waveform is None for push in self.pushes)

    def at(self, t: float) -> tuple[Push, ...]:
        """Return all that pushes at a time [s]: the sum of what has no asymmetry, then what has."""
        now = [push.at(t) for push in self.pushes]
        even = [push for push in now if not push.asymmetry.any()]
        total = Push(
            sum((push.field for push in even), no_field()),
            sum((push.damping_like for push in even), no_field()),
            u=sum(push.u for push in even),
            beta_u=sum(push.beta_u for push in even),
        )
        return (total, *(push for push in now if push.asymmetry.any()))

    def field_at(self, t: float) -> FloatArray:
        """Return the applied field and all field-like torques at a time [T]."""
        return sum((push.field for push in self.at(t)), no_field())

    def between(self, other: Drive, part: float) -> Drive:
        """Return a drive on the straight line from this (0) to another (1), both constant."""

        def mix(a: float, b: float) -> float:
            return a + part * (b - a)

        pairs = zip_longest(self.at(0.0), other.at(0.0), fillvalue=Push())
        return Drive(
            mix(self.Ms, other.Ms), mix(self.alpha, other.alpha), mix(self.gamma, other.gamma),
            tuple(a.between(b, part) for a, b in pairs),
        )  # fmt: skip

    def on_mesh(self, factor: float) -> Drive:
        """Return the drive whose gradients are lower by a factor, as central differences take them."""
        pushes = tuple(
            replace(push, u=factor * push.u, beta_u=factor * push.beta_u) for push in self.pushes
        )
        return Drive(self.Ms, self.alpha, self.gamma, pushes)
