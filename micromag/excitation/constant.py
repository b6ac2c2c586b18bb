"""A constant waveform."""

from __future__ import annotations

from typing import Annotated

from micromag.excitation.base import Emitter, Waveform
from micromag.parameters import Quantity


class Constant(Waveform):
    r"""A constant factor.

    .. math:: w(t) = c

    =====  ====  =======  ==========
    name   unit  default  meaning
    =====  ====  =======  ==========
    value  1     1        the factor
    =====  ====  =======  ==========
    """

    value: Annotated[float, Quantity("1")] = 1.0

    def __call__(self, t: float) -> float:
        return self.value

    def emit(self, c: Emitter) -> str:
        return c.constant(self.value)
