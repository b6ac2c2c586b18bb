"""A trapezoidal pulse or a train of them."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import model_validator

from micromag.excitation.base import Emitter, Waveform
from micromag.parameters import Quantity, custom_error


class Pulse(Waveform):
    r"""A pulse with linear flanks, once or repeated.

    .. math::

        w = \begin{cases} l & s < 0 \\ l + (h - l) s / r & s < r \\ h & s < r + d \\
        h - (h - l) (s - r - d) / f & s < r + d + f \\ l & \text{later} \end{cases}

    with :math:`s = t - t_0`, modulo the period if there is one.

    ========  ====  =======  ======================================
    name      unit  default  meaning
    ========  ====  =======  ======================================
    duration  s              d, time at the high level
    start     s     0        :math:`t_0`, begin of the rising flank
    rise      s     0        r, length of the rising flank
    fall      s     0        f, length of the falling flank
    low       1     0        l, level outside the pulse
    high      1     1        h, level within the pulse
    period    s     none     distance of the pulses of a train
    ========  ====  =======  ======================================

    Raises
    ------
    pydantic.ValidationError
        If the pulse is longer than its period.
    """

    duration: Annotated[float, Quantity("s", gt=0)]
    start: Annotated[float, Quantity("s")] = 0.0
    rise: Annotated[float, Quantity("s", ge=0)] = 0.0
    fall: Annotated[float, Quantity("s", ge=0)] = 0.0
    low: Annotated[float, Quantity("1")] = 0.0
    high: Annotated[float, Quantity("1")] = 1.0
    period: Annotated[float, Quantity("s", gt=0)] | None = None

    @model_validator(mode="after")
    def _fits_period(self) -> Pulse:
        length = self.rise + self.duration + self.fall
        if self.period is not None and length > self.period * (1 + 1e-12):
            what = f"the pulse of {length:g} s (rise, duration, fall) exceeds its period"
            raise custom_error("period", what, f"period >= {length:g} s")
        return self

    def __call__(self, t: float) -> float:
        s = t - self.start
        if s < 0:
            return self.low
        if self.period is not None:
            s -= self.period * math.floor(s / self.period)
        top, end = self.rise + self.duration, self.rise + self.duration + self.fall
        step = self.high - self.low
        if s < self.rise:
            return self.low + step * s / self.rise
        if s < top:
            return self.high
        return self.high - step * (s - top) / self.fall if s < end else self.low

    def emit(self, c: Emitter) -> str:
        start, rise = c.constant(self.start), c.constant(self.rise)
        top, end = (
            c.constant(self.rise + self.duration),
            c.constant(self.rise + self.duration + self.fall),
        )
        fall, low, high = c.constant(self.fall), c.constant(self.low), c.constant(self.high)
        step = c.constant(self.high - self.low)
        s = f"(t - {start})"
        if self.period is not None:
            period = c.constant(self.period)
            s = f"({s} - {period} * floor({s} / {period}))"
        # A flank of length zero is never chosen, so its division by zero never happens.
        rising, falling = f"{step} * {s} / {rise}", f"{step} * ({s} - {top}) / {fall}"
        return (
            f"(t < {start} ? {low} : {s} < {rise} ? {low} + {rising} : "
            f"{s} < {top} ? {high} : {s} < {end} ? {high} - {falling} : {low})"
        )

    def corners(self, c: Emitter) -> str:
        top = self.start + self.rise + self.duration
        times = (self.start, self.start + self.rise, top, top + self.fall)
        return c.times(times, self.period or math.inf)
