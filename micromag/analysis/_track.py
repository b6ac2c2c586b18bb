"""Velocity of a wall from rows of its position: slope, honest error, steadiness, whole periods.

Rows of one run are not independent: what is left after a straight line is taken away is an
oscillation, a transient or the lattice of cells, and it stays the same over many rows. The error of
the slope is therefore that of least squares times the square root of the integrated autocorrelation
time of the residuals, and what the halves of the window differ beyond that noise is added.

Source: A. D. Sokal, in Functional Integration, NATO ASI B 361 (Plenum, 1997), for the
autocorrelation time and its window; M. G. Kendall, Biometrika 41, 403 (1954), for its correction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Kind = Literal["steady", "oscillating", "unsettled", "pinned", "lost"]

STEADY = 0.05
"""Halves of a window may differ by this part of the velocity in a steady motion."""
LEAST_VELOCITY = 0.1
"""A velocity below this [m/s] has no relative error worth the name."""
UNEVEN = 0.3
"""Quarters of a window may differ by this part of the velocity in a steady motion."""
SIGNIFICANT = 2.0
"""Standard errors by which they must differ as well, to count as different."""
RESTING = 0.1
"""A wall that moves less than this part of its width in the window may be at rest in it."""
STOPPING = 3.0
"""A wall that is slower in the second half by this factor, and moves less than its width, stops."""
STOPPED = 10.0
"""A wall that was faster by this factor before the window may be at rest in it."""
TURNING = 0.05
"""An angle that changes by more than this [rad], and not less in the second half, still turns."""
STILL = 1e-3
"""A wall that moves less than this part of its width in the window is at rest."""
SLOWED = 8.0
"""A wall that moves over less than this part of its way in the last quarter has slowed down."""
DRIFTING = 0.1
"""Periods whose velocities differ by this part of it, early and late, are those of a transient."""
JITTER = 0.02
"""Part of the swing by which the displacement in a period is uncertain from its ends alone."""
SECOND_LOOK = 0.1
"""Part of a single period that must follow or precede it, to see that it repeats itself."""
LEAST_ROWS = 4
LEAST_SWING = 0.05
"""Peak to peak of the position about its line, in wall widths, that counts as an oscillation."""
WINDOW = 5.0
"""The autocorrelation is summed up to this many autocorrelation times (Sokal)."""
ROWS_PER_PERIOD = 8
"""Fewer rows do not resolve a period."""
ECHO = 0.5
"""Autocorrelation that an oscillation comes back to after a period."""
PERIODIC = 0.7
"""Part of the variance about the line that a period and its half have to explain."""
HYSTERESIS = 0.3
"""Part of its standard deviation by which the velocity must have been below its mean."""
UNEQUAL = 0.05
"""Half turns of the angle that last so differently are not each a period."""


@dataclass(frozen=True)
class Motion:
    """How a wall moves in a window of time.

    Attributes
    ----------
    kind
        ``steady``; ``oscillating`` (velocity averaged over whole periods); ``unsettled`` (it still
        changes, or turns without completing a period); ``pinned`` (at rest); ``lost`` (the wall
        left the magnet; the velocity is that before).
    velocity, error
        Mean velocity and its standard error [m/s].
    lowest, highest
        Bounds of the velocity [m/s]: of its mean over quarters of the window.
    early, late
        Velocity in the two halves [m/s].
    begin, end
        Time over which the velocity was taken [s].
    displacement
        From the start of the stage to the end of the window [m].
    period, periods
        Of an oscillating wall: period [s] and their number in the average; NaN and 0 else.
    period_from
        What the period was found from: ``wall_angle`` or ``wall_position``, ``""`` without one.
    """

    kind: Kind
    velocity: float
    error: float
    lowest: float
    highest: float
    early: float
    late: float
    begin: float
    end: float
    displacement: float
    period: float = math.nan
    periods: int = 0
    period_from: str = ""


def fit_line(t: FloatArray, x: FloatArray) -> tuple[float, float]:
    r"""Return slope and standard error of the straight line through x(t).

    .. math:: \sigma_v^2 = \tau \frac{\sum_i r_i^2}{(n - 2) \sum_i (t_i - \bar t)^2}, \qquad
              \tau = 1 + 2 \sum_{k=1}^{W} \rho_k

    with residuals r, their autocorrelation rho_k and W the least number of rows above 5 tau.
    Both are NaN for fewer than 3 rows.
    """
    if len(t) < 3:
        return math.nan, math.nan
    s = t - t.mean()
    spread = float((s * s).sum())
    slope = float((s * x).sum()) / spread
    rest = x - x.mean() - slope * s
    variance = float((rest**2).sum()) / (len(t) - 2) / spread
    return slope, math.sqrt(variance * correlation_time(rest))


def correlation_time(rest: FloatArray) -> float:
    """Return the integrated autocorrelation time of residuals, in rows; 1 if they are independent.

    The larger of the sum in the equation above and (1 + rho_1)/(1 - rho_1), that of a first-order
    autoregressive process with rho_1 corrected for the length n of the series by (1 + 4 rho_1)/n.
    Never below 1.
    """
    n = len(rest)
    scale = float((rest**2).sum())
    if n < LEAST_ROWS or scale == 0:
        return 1.0
    spectrum = np.abs(np.fft.rfft(rest, 2 * n)) ** 2
    rho = np.fft.irfft(spectrum)[:n] / scale
    times = 1 + 2 * np.cumsum(rho[1:])
    closed = np.flatnonzero(np.arange(1, n) >= WINDOW * times)
    summed = float(times[closed[0] if len(closed) else n // 2])
    # In a short series the sum is too low; a first-order process of the same rho_1 is not.
    first = min(rho[1] + (1 + 4 * rho[1]) / n, 1 - 2 / n)
    return max(1.0, summed, (1 + first) / (1 - first))


def follow(
    t: FloatArray, x: FloatArray, angle: FloatArray | None, *, after: float, width: float
) -> Motion:
    """Return how a wall moves from ``after`` on.

    Parameters
    ----------
    t, x
        Time [s] and position [m] of every row of the stage; NaN where there is no wall.
    angle
        Angle of the moment in the wall [rad], where the table has it.
    after
        Start of the window [s], in the same count as t.
    width
        Wall parameter Delta [m]: the scale on which a displacement is large or small.
    """
    known = np.isfinite(x)
    count = len(x) if known.all() else int(np.argmin(known))
    # A wall that comes back after it was lost is another one.
    lost, t, x = count < len(x), t[:count], x[:count]
    inside = t >= after
    moved = float(x[-1] - x[0]) if count else math.nan
    if inside.sum() < LEAST_ROWS:
        end = float(t[-1]) if count else math.nan
        nan = math.nan
        kind: Kind = "lost" if lost else "unsettled"
        return Motion(kind, nan, nan, nan, nan, nan, nan, after, end, moved)
    turned = None
    if angle is not None and np.isfinite(angle[:count]).all():
        turned = np.unwrap(angle[:count])[inside]
    first = int(np.argmax(inside))
    came = abs(x[first] - x[0]) / (t[first] - t[0]) if first else 0.0
    motion = _classified(t[inside], x[inside], turned, width, float(came))
    return replace(motion, kind="lost" if lost else motion.kind, displacement=moved)


def _classified(
    t: FloatArray, x: FloatArray, angle: FloatArray | None, width: float, came: float
) -> Motion:
    """Return how a wall moves in its window; ``came`` is its speed before that [m/s]."""
    last = slice(3 * len(t) // 4, None)
    way = float(np.ptp(x[last]))
    # Its angle may turn for ever in a place that holds it.
    if len(t[last]) >= LEAST_ROWS and way < STILL * width and SLOWED * way < np.ptp(x):
        return _at_rest(t[last], x[last])
    half = len(t) // 2
    (early, error_early), (late, error_late) = (
        fit_line(t[part], x[part]) for part in (slice(0, half + 1), slice(half, None))
    )
    quarters = [fit_line(*part)[0] for part in _quarters(t, x)]
    base = Motion(
        "steady", *fit_line(t, x), min(quarters), max(quarters), early, late,
        float(t[0]), float(t[-1]), math.nan,
    )  # fmt: skip
    turn = abs(angle[-1] - angle[0]) if angle is not None else 0.0
    source, passages = "", np.empty(0)
    if angle is not None and turn >= np.pi:
        source, passages = "wall_angle", _turns(t, angle)
    elif (swings := _swings(t, x, width)) is not None:
        source, passages = "wall_position", swings
    if len(passages) > (1 if source == "wall_angle" else 2):
        return _over_periods(base, t, x, passages, source)
    difference, noise = late - early, math.hypot(error_early, error_late)
    drifts = abs(difference) > SIGNIFICANT * noise
    if drifts:
        base = replace(base, error=math.hypot(base.error, difference / 2))
    scale = max(abs(base.velocity), LEAST_VELOCITY)
    changed = drifts and abs(difference) > STEADY * scale
    # An oscillation that is symmetric about the middle of the window leaves the halves equal.
    changed = changed or base.highest - base.lowest > max(UNEVEN * scale, 8 * base.error)
    way = abs(base.velocity) * (base.end - base.begin)
    slows = changed and abs(late) < abs(early)
    stops = slows and STOPPING * abs(late) < abs(early)
    rests = slows or abs(base.velocity) <= max(2 * base.error, came / STOPPED)
    if way < STILL * width or (way < RESTING * width and rests) or (way < width and stops):
        return replace(base, kind="pinned")
    if angle is not None:
        first, second = abs(angle[half] - angle[0]), abs(angle[-1] - angle[half])
        changed = changed or turn > np.pi / 2 or (turn > TURNING and second > first / 2)
    return replace(base, kind="unsettled") if changed else base


def _at_rest(t: FloatArray, x: FloatArray) -> Motion:
    """Return the motion of a wall that rests in these last rows of its window."""
    v, error = fit_line(t, x)
    quarters = [fit_line(*part)[0] for part in _quarters(t, x)]
    return Motion(
        "pinned", v, error, min(quarters), max(quarters), v, v, float(t[0]), float(t[-1]), math.nan
    )


def _quarters(t: FloatArray, x: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
    edges = np.linspace(0, len(t) - 1, 5).astype(int)
    parts = [slice(i, max(j, i + 2) + 1) for i, j in pairwise(edges)]
    return [(t[part], x[part]) for part in parts if len(t[part]) >= 3] or [(t, x)]


def _turns(t: FloatArray, angle: FloatArray) -> FloatArray:
    """Return the times between which the angle turns by whole periods, from the first row on.

    The period is half a turn where the hard axis alone decides; where the two halves of a turn
    last differently (an in-plane field, an interfacial Dzyaloshinskii-Moriya interaction) a turn.
    """
    way = np.maximum.accumulate(np.sign(angle[-1] - angle[0]) * (angle - angle[0]))
    rising = np.concatenate([[True], np.diff(way) > 0])

    def passages(first: float) -> FloatArray:
        turns = first + np.pi * np.arange(int((way[-1] - first) / np.pi) + 1)
        return np.interp(turns, way[rising], t[rising])

    # Halves that mirror each other last equally long; begun a quarter of a turn later they do not.
    for first in (0.0, np.pi / 2):
        lasting = np.diff(passages(first))
        if len(lasting) > 1:
            even, odd = lasting[::2].mean(), lasting[1::2].mean()
            if abs(even - odd) > UNEQUAL * (even + odd) / 2:
                return passages(0.0)[::2]
    return passages(0.0)


def _swings(t: FloatArray, x: FloatArray, width: float) -> FloatArray | None:
    """Return the times at which the velocity rises through its mean, once a period.

    The period is the first high maximum of the autocorrelation of x about its straight line. None
    where there is none, or where x stays too close to the line.
    """
    even = np.linspace(t[0], t[-1], len(t))
    x = np.interp(even, t, x)
    rest = x - np.polyval(np.polyfit(even, x, 1), even)
    if np.ptp(rest) < LEAST_SWING * width:
        return None
    rho = np.fft.irfft(np.abs(np.fft.rfft(rest, 2 * len(rest))) ** 2)[: len(rest)]
    # Fewer rows overlap at larger lags.
    rho = rho / rho[0] * len(rest) / (len(rest) - np.arange(len(rest)))
    low = np.flatnonzero(rho < -ECHO)
    high = np.flatnonzero(rho[: 3 * len(rho) // 4] > ECHO)
    if not len(low) or not (high > low[0]).any():
        return None
    first = int(high[high > low[0]][0])
    back = np.flatnonzero(rho[first:] < ECHO)
    last = first + int(back[0]) if len(back) else len(rho) - 1
    rows = first + int(rho[first:last].argmax())
    if rows < ROWS_PER_PERIOD:
        return None
    if _explained(even, rest, (even[1] - even[0]) * rows) < PERIODIC:
        return None
    # The velocity over a sixth of a period around each row: noise is taken out, the period is not.
    reach = max(1, rows // 12)
    v = (x[2 * reach :] - x[: -2 * reach]) / (even[2 * reach :] - even[: -2 * reach])
    even, v = even[reach:-reach], v - v.mean()
    passages: list[float] = []
    armed = False
    for i in range(1, len(v)):
        armed = armed or v[i - 1] < -HYSTERESIS * v.std()
        if armed and v[i - 1] < 0 <= v[i]:
            passages.append(even[i - 1] - v[i - 1] / (v[i] - v[i - 1]) * (even[i] - even[i - 1]))
            armed = False
    return np.array(passages)


def _explained(t: FloatArray, rest: FloatArray, period: float) -> float:
    """Return which part of the variance an oscillation of this period explains, with its double."""
    phase = 2 * np.pi / period * np.outer(t - t[0], [1, 2])
    waves = np.concatenate([np.cos(phase), np.sin(phase)], axis=1)
    left = rest - waves @ np.linalg.lstsq(waves, rest, rcond=None)[0]
    return 1 - float((left**2).sum() / (rest**2).sum())


def _over_periods(
    base: Motion, t: FloatArray, x: FloatArray, passages: FloatArray, source: str
) -> Motion:
    r"""Return the mean over whole periods.

    Its error is the standard error of the mean of the single periods, and the spread of the means
    that begin elsewhere in the first period (which a motion that has not settled changes). Periods
    that do not agree with each other are none: the motion is unsettled.
    """
    count = len(passages) - 1
    places = np.interp(passages, t, x)
    single = np.diff(places) / np.diff(passages)
    span = passages[-1] - passages[0]
    errors = []
    if count > 1:
        errors.append(float(single.std(ddof=1)) / math.sqrt(count))
    slack = t[-1] - passages[-1]
    if passages[0] - t[0] > slack:
        starts = np.linspace(t[0], passages[0], 9)
    else:
        starts = np.linspace(passages[0], passages[0] + slack, 9)
    shifted = (np.interp(starts + span, t, x) - np.interp(starts, t, x)) / span
    reach = max(slack, passages[0] - t[0])
    if reach > span / count / 4:
        errors.append(float(np.ptp(shifted)) / 2)
    rest = x - np.polyval(np.polyfit(t - t[0], x, 1), t - t[0])
    velocity = float(places[-1] - places[0]) / span
    allowed = max(
        DRIFTING * max(abs(velocity), LEAST_VELOCITY), JITTER * float(np.ptp(rest)) * count / span
    )
    if count == 1:
        # The velocity where it begins again, against that at its beginning: is it the same motion?
        drifts = reach < SECOND_LOOK * span or float(np.ptp(shifted)) * span / reach > allowed
    else:
        drifts = _drifts(single, allowed)
    if drifts:
        low, high = min(base.lowest, *single), max(base.highest, *single)
        return replace(
            base, kind="unsettled", lowest=float(low), highest=float(high),
            error=math.hypot(base.error, (base.late - base.early) / 2),
        )  # fmt: skip
    return replace(
        base, kind="oscillating", velocity=velocity,
        error=math.hypot(*errors) if errors else math.nan,
        begin=float(passages[0]), end=float(passages[-1]),
        period=float(span / count), periods=count, period_from=source,
    )  # fmt: skip


def _drifts(single: FloatArray, allowed: float) -> bool:
    """Return whether the velocities of single periods change for good in the window.

    Early and late ones must differ by more than they scatter from one to the next; a transient, which
    changes them in one sense, is its own scatter.
    """
    half = len(single) // 2
    early, late = single[:half], single[-half:]
    difference = abs(float(late.mean() - early.mean()))
    if difference <= allowed:
        return False
    steps = np.diff(single)
    noise = math.sqrt(float((steps**2).mean()) / half)
    monotonic = bool((steps > 0).all() or (steps < 0).all())
    return monotonic or difference > SIGNIFICANT * noise
