"""Position and width of a domain wall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micromag.column import Column
from micromag.observables.base import Observable, Sample

_FIT_RANGE = 0.9
_MIN_CONTRAST = 0.5


class DomainWall(Observable):
    r"""Where a wall stands along x and how wide it is, from the profile averaged over y and z.

    The component of m that differs most between the two ends is scaled to s = -1 .. 1. In a wall
    :math:`s = \pm\tanh((x - x_0)/\Delta)`, so artanh s is a straight line; it is fitted over the
    cells around the zero with \|s\| < 0.9. Both columns are NaN where the ends do not differ.

    ==============  =====  ==============================================
    column          unit   meaning
    ==============  =====  ==============================================
    wall_position   m      x_0; the origin is the centre of the mesh
    wall_width      m      Delta (the wall's full width is pi Delta)
    ==============  =====  ==============================================

    Source: L. D. Landau and E. M. Lifshitz, Phys. Z. Sowjetunion 8, 153 (1935).
    """

    names: ClassVar[tuple[str, ...]] = ("wall_position", "wall_width")

    def columns(self, name: str, energy_terms: Sequence[str]) -> list[Column]:
        """Return the column of that name."""
        meaning = {
            "wall_position": "position of the wall along x, from the centre of the mesh",
            "wall_width": "wall parameter Delta",
        }
        return [Column(name, "m", meaning[name])]

    def values(self, name: str, sample: Sample) -> NDArray[np.float64]:
        """Return position or width of every replica's wall."""
        x = sample.engine.model.mesh.centres(0)
        fits = np.array([fit_wall(x, profile) for profile in sample.profile(0)])
        return fits[:, [self.names.index(name)]]


def fit_wall(x: NDArray[np.float64], profile: NDArray[np.float64]) -> tuple[float, float]:
    """Return position and width of the wall in a profile; NaN where there is none.

    Parameters
    ----------
    x
        Coordinates [m], shape ``(n,)``.
    profile
        Mean of m at each, shape ``(3, n)``.
    """
    nothing = (float("nan"), float("nan"))
    if len(x) < 4:
        return nothing
    change = profile[:, -1] - profile[:, 0]
    component = int(np.abs(change).argmax())
    left, right = profile[component, [0, -1]]
    if abs(right - left) < _MIN_CONTRAST or left * right > 0:
        return nothing
    s = (2 * profile[component] - left - right) / (right - left)
    crossings = np.flatnonzero((s[:-1] < 0) & (s[1:] >= 0))
    if len(crossings) == 0:
        return nothing
    # With several crossings (spin waves, a second wall pair) the one nearest to the middle counts.
    first = int(crossings[np.abs(x[crossings]).argmin()])
    low, high = first, first + 1
    while low > 0 and -_FIT_RANGE < s[low - 1] < s[low]:
        low -= 1
    while high < len(x) - 1 and s[high] < s[high + 1] < _FIT_RANGE:
        high += 1
    inside = slice(low, high + 1)
    y = np.arctanh(np.clip(s[inside], -0.999999, 0.999999))
    slope, offset = np.polyfit(x[inside] - x[first], y, 1)
    return float(x[first] - offset / slope), float(1 / slope)
