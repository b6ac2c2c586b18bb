"""The times of a run stage at which a row or a snapshot is due."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from micromag.config_sections import Output

_SAME = 1e-9
"""Fraction of a period within which two times are the same."""


@dataclass(frozen=True)
class Event:
    """A time [s] at which the run stops to record."""

    t: float
    row: bool
    snapshot: bool


class Timetable:
    """Iterates over the events of a stage from ``start`` (excluded) to ``end`` (included).

    Periodic times are k * every for whole k, not a running sum, and are the same numbers whichever
    stage they fall into. The end of a stage always has a row and a snapshot.
    """

    def __init__(self, start: float, end: float, output: Output) -> None:
        self.start = start
        self.end = end
        self._row = _Times(output.table.every, ())
        self._snapshot = _Times(output.snapshots.every, output.snapshots.at)

    def __iter__(self) -> Iterator[Event]:
        t = self.start
        while True:
            row, snapshot = self._row.after(t), self._snapshot.after(t)
            t = min(row, snapshot)
            if t >= self.end - _SAME * (self.end - self.start):
                yield Event(self.end, True, True)
                return
            # Two periods may meet in a time that rounds differently in each.
            close = _SAME * t
            yield Event(t, row - t <= close, snapshot - t <= close)


class _Times:
    def __init__(self, every: float | None, at: tuple[float, ...]) -> None:
        self.every = every
        self.at = at

    def after(self, t: float) -> float:
        """Return the first time after ``t``; inf when there is none."""
        if self.every is not None:
            return (math.floor(t / self.every + _SAME) + 1) * self.every
        return min((x for x in self.at if x > t * (1 + _SAME)), default=math.inf)
