"""A sinc pulse: equal power at all frequencies up to a cutoff."""

from __future__ import annotations

import math
from typing import Annotated

from micromag.excitation.base import Emitter, Waveform
from micromag.parameters import Quantity


class Sinc(Waveform):
    r"""A sinc pulse, which excites all frequencies below f equally and none above.

    .. math:: w(t) = \frac{\sin(2 \pi f (t - t_0))}{2 \pi f (t - t_0)}, \quad w(t_0) = 1

    =========  ====  =======  ============================
    name       unit  default  meaning
    =========  ====  =======  ============================
    frequency  Hz             cutoff f, greater than 0
    center     s              time :math:`t_0` of the peak
    =========  ====  =======  ============================
    """

    frequency: Annotated[float, Quantity("Hz", gt=0)]
    center: Annotated[float, Quantity("s")]

    def __call__(self, t: float) -> float:
        x = 2 * math.pi * self.frequency * (t - self.center)
        return math.sin(x) / x if x != 0 else 1.0

    def emit(self, c: Emitter) -> str:
        omega, center = c.constant(2 * math.pi * self.frequency), c.constant(self.center)
        # sinc is even, and sin(x) / x is 1 to the last bit long before x reaches the least number.
        x = f"fmax(fabs({omega} * (t - {center})), {c.constant(1e-300)})"
        return f"(sin({x}) / {x})"

    def longest_step(self) -> float:
        return 1 / (4 * self.frequency)
