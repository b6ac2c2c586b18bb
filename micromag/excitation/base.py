"""What a waveform is: a dimensionless function of time, in Python and as C text."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict


class Emitter(Protocol):
    """Takes the numbers of a waveform as data, so that only its structure is code."""

    def constant(self, value: float) -> str:
        """Store a number and return the C text that reads it, such as ``"w[3]"``."""

    def table(self, times: Sequence[float], values: Sequence[float]) -> str:
        """Store a table and return the C text of its linear interpolation at ``t``."""


class Waveform(BaseModel):
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

    def keyed_dump(self) -> dict[str, Any]:
        """Return ``{key: parameters}`` as the run file has it."""
        from micromag.excitation import WAVEFORMS
        from micromag.keyed import dump_keyed

        return dump_keyed(WAVEFORMS, self)
