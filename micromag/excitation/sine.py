"""A harmonic waveform."""

from __future__ import annotations

import math
from typing import Annotated

from micromag.excitation.base import Emitter, Waveform
from micromag.parameters import Quantity


class Sine(Waveform):
    r"""A harmonic oscillation.

    .. math:: w(t) = o + a \sin(2 \pi f t + \varphi)

    =========  ====  =======  =====================
    name       unit  default  meaning
    =========  ====  =======  =====================
    frequency  Hz             f, greater than 0
    amplitude  1     1        a
    phase      rad   0        :math:`\varphi`
    offset     1     0        o
    =========  ====  =======  =====================
    """

    frequency: Annotated[float, Quantity("Hz", gt=0)]
    amplitude: Annotated[float, Quantity("1")] = 1.0
    phase: Annotated[float, Quantity("rad")] = 0.0
    offset: Annotated[float, Quantity("1")] = 0.0

    def __call__(self, t: float) -> float:
        omega = 2 * math.pi * self.frequency
        return self.offset + self.amplitude * math.sin(omega * t + self.phase)

    def emit(self, c: Emitter) -> str:
        omega = c.constant(2 * math.pi * self.frequency)
        amplitude, phase, offset = map(c.constant, (self.amplitude, self.phase, self.offset))
        return f"({offset} + {amplitude} * sin({omega} * t + {phase}))"

    def longest_step(self) -> float:
        return 1 / (4 * self.frequency)
