"""What a waveform is: a dimensionless function of time, in Python and as C text."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

from pydantic import ConfigDict

from micromag.arguments import Checked


class Emitter(Protocol):
    """Takes the numbers of a waveform as data, so that only its structure is code."""

    def constant(self, value: float) -> str:
        """Store a number and return the C text that reads it, such as ``"w[3]"``."""

    def table(self, times: Sequence[float], values: Sequence[float]) -> str:
        """Store a table and return the C text of its linear interpolation at ``t``."""

    def times(self, times: Sequence[float], period: float = math.inf) -> str:
        """Store ascending times and return the C text of the first one after ``t``.

        With a period they repeat for ever. The last one lies within a period of the first.
        """


class Waveform(Checked):
    """A dimensionless function w(t) that multiplies a parameter; t [s] counts run stages."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @abstractmethod
    def __call__(self, t: float) -> float:
        """Return w at the time ``t`` [s]."""

    @abstractmethod
    def emit(self, c: Emitter) -> str:
        """Return a C expression in double precision of the variable ``t`` that equals w(t).

        Its text must depend on the waveform's structure only; numbers go through ``c``.
        """

    def corners(self, c: Emitter) -> str | None:
        """Return a C expression of the first time after ``t`` [s] where w may bend or jump.

        Time steps end there, so that none, however long it has become while m was at rest, leaps
        over a pulse. None where there are no such times.
        """
        return None

    def longest_step(self) -> float:
        """Return the longest time step [s] that does not miss what w does between its corners."""
        return math.inf

    def keyed_dump(self) -> dict[str, Any]:
        """Return ``{key: parameters}`` as the run file has it."""
        from micromag.excitation import WAVEFORMS
        from micromag.keyed import dump_keyed

        return dump_keyed(WAVEFORMS, self)
