"""A linear ramp between two levels."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from micromag.excitation.base import Emitter, Waveform
from micromag.parameters import Quantity


class Ramp(Waveform):
    r"""A linear change from one level to another, constant before and after.

    .. math:: w(t) = a + (b - a) \min(\max((t - t_0) / d, 0), 1)

    ========  ====  =======  =====================================
    name      unit  default  meaning
    ========  ====  =======  =====================================
    duration  s              d, greater than 0
    start     s     0        :math:`t_0`
    from      1     0        level a before (``from_`` in Python)
    to        1     1        level b after
    ========  ====  =======  =====================================
    """

    duration: Annotated[float, Quantity("s", gt=0)]
    start: Annotated[float, Quantity("s")] = 0.0
    from_: Annotated[float, Quantity("1")] = Field(default=0.0, alias="from")
    to: Annotated[float, Quantity("1")] = 1.0

    def __call__(self, t: float) -> float:
        fraction = min(max((t - self.start) / self.duration, 0.0), 1.0)
        return self.from_ + (self.to - self.from_) * fraction

    def emit(self, c: Emitter) -> str:
        start, duration = c.constant(self.start), c.constant(self.duration)
        level, change = c.constant(self.from_), c.constant(self.to - self.from_)
        return f"({level} + {change} * fmin(fmax((t - {start}) / {duration}, 0.0), 1.0))"

    def corners(self, c: Emitter) -> str:
        return c.times((self.start, self.start + self.duration))
