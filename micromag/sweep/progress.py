"""How far a sweep has come: batches, replicas done, running and failed, and what is left."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from micromag.config_sections import Run
from micromag.output.sweep_file import Replica
from micromag.reporting import SweepReporter
from micromag.si_text import duration_text

if TYPE_CHECKING:
    from micromag.integrators.relaxation import Progress
    from micromag.sweep_points import SweepPoint


RELAXATION_SHARE = 0.2
"""Guess of what a relaxation takes, as a share of all run stages: nobody knows before."""


class SweepProgress:
    """Listens to the driver of every batch and tells one reporter about the sweep as a whole.

    Parameters
    ----------
    reporter
        Who is told.
    replicas
        All replicas of the sweep, as they stand before the first batch.
    batches
        What is to be computed.
    clock
        Seconds of wall time.
    """

    def __init__(
        self,
        reporter: SweepReporter,
        replicas: Sequence[Replica],
        batches: Sequence[Sequence[SweepPoint]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reporter = reporter
        self._clock = clock
        self._total = len(replicas)
        self._batches = len(batches)
        self._to_compute = sum(map(len, batches))
        self._done = sum(replica.done for replica in replicas)
        self._failed = sum(replica.status == "failed" for replica in replicas)
        self._number = 0
        self._running = 0
        self._before = 0
        self._size = 0
        self._weights: list[float] = []
        self._stage = 0
        self._stage_start = 0.0
        self._last_t_end = 0.0
        self._began = clock()

    def batch(self, points: Sequence[SweepPoint]) -> None:
        """A batch begins."""
        self._before += self._size
        self._number += 1
        self._running = self._size = len(points)
        self._weights = _weights(points[0])
        self._stage, self._last_t_end = 0, 0.0
        if self._number == 1:
            self._began = self._clock()
        numbers = [point.number for point in points]
        which = f"replica {numbers[0]}"
        if len(numbers) > 1:
            which = f"{len(numbers)} replicas, {numbers[0]} to {numbers[-1]}"
        self._reporter.message(f"batch {self._number} of {self._batches}: {which}")

    def ended(self, point: SweepPoint, status: str, message: str) -> None:
        """A replica has ended, with that word and for that reason."""
        self._running -= 1
        self._done += status in ("finished", "ended")
        self._failed += status == "failed"
        if status in ("failed", "ended"):
            text = message.replace("\n", "\n    ")
            self._reporter.message(f"  replica {point.number} ({point.label}) {status}: {text}")

    def close(self) -> None:
        """All batches are done."""
        if self._batches:
            taken = duration_text(self._clock() - self._began)
            self._reporter.message(f"{self._counts()}, {taken}")

    # ---------------------------------------------------------------- of the driver

    def stage(self, number: int, total: int, text: str) -> None:
        """A stage of the batch begins."""
        self._stage = number
        self._stage_start = self._last_t_end
        self._tell(0.0)

    def running(
        self, t: float, t_end: float, dt: float, steps: int, row: Mapping[str, float]
    ) -> None:
        """The slowest replica of the batch has come to time t."""
        self._last_t_end = t_end
        length = t_end - self._stage_start
        self._tell(min(max((t - self._stage_start) / length, 0.0), 1.0) if length > 0 else 0.0)

    def relaxing(self, progress: Progress) -> None:
        """A relax or minimize stage goes on."""
        self._tell(0.0)

    def message(self, text: str) -> None:
        """Something of the batch worth a line."""
        self._reporter.message(text)

    def warning(self, text: str) -> None:
        """Something that is likely to be wrong."""
        self._reporter.warning(text)

    def compiling(self, files: int) -> None:
        """Kernels are compiled."""
        self._reporter.compiling(files)

    def compiled(self, seconds: float) -> None:
        """They are."""
        self._began += seconds
        self._reporter.compiled(seconds)

    # ---------------------------------------------------------------- the whole

    def _tell(self, stage_fraction: float) -> None:
        within = sum(self._weights[: self._stage]) + self._weights[self._stage] * stage_fraction
        fraction = (self._before + within * self._size) / self._to_compute
        taken = self._clock() - self._began
        # What matters most comes first: a narrow terminal cuts the rest off.
        parts = [self._counts()]
        if fraction > 0 and math.isfinite(remaining := taken * (1 - fraction) / fraction):
            parts.append(f"ETA {duration_text(remaining)}")
        parts += [f"batch {self._number} of {self._batches}", f"{duration_text(taken)} so far"]
        self._reporter.overall(", ".join(parts), fraction)

    def _counts(self) -> str:
        text = f"{self._done} of {self._total} replicas done"
        text += f", {self._running} running" if self._running else ""
        return text + (f", {self._failed} failed" if self._failed else "")


def _weights(point: SweepPoint) -> list[float]:
    """Return the share of every stage in the work of a replica, as far as can be told."""
    schedule = point.config.schedule
    whole = sum(stage.duration for stage in schedule if isinstance(stage, Run))
    guess = RELAXATION_SHARE * whole or 1.0
    work = [stage.duration if isinstance(stage, Run) else guess for stage in schedule]
    return [part / sum(work) for part in work]
