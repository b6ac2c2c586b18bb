"""How far a sweep on a cluster has come: batches and replicas by status, and what is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from micromag.output.sweep_file import Replica
from micromag.reporting import SweepReporter
from micromag.si_text import duration_text

if TYPE_CHECKING:
    from micromag.sweep_points import SweepPoint


class ClusterProgress:
    """Counts what workers do at the same time, and tells one reporter.

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
        self._sizes = {number: len(batch) for number, batch in enumerate(batches, 1)}
        self._running: dict[int, float] = {}
        self._batches_done: set[int] = set()
        self._done = sum(replica.done for replica in replicas)
        self._failed = sum(replica.status == "failed" for replica in replicas)
        self._began = clock()

    def started(self, number: int, points: Sequence[SweepPoint], worker: str) -> None:
        """A batch begins, perhaps not for the first time."""
        self._running[number] = 0.0
        numbers = [point.number for point in points]
        which = f"replica {numbers[0]}"
        if len(numbers) > 1:
            which = f"{len(numbers)} replicas, {numbers[0]} to {numbers[-1]}"
        self._reporter.message(f"batch {number} of {len(self._sizes)} on {worker}: {which}")

    def fraction(self, number: int, fraction: float) -> None:
        """A running batch has come so far, 0 to 1."""
        self._running[number] = fraction

    def ended(self, point: SweepPoint, status: str, message: str) -> None:
        """A replica has ended, with that word and for that reason."""
        self._done += status in ("finished", "ended")
        self._failed += status == "failed"
        if status in ("failed", "ended"):
            text = message.replace("\n", "\n    ")
            self._reporter.message(f"  replica {point.number} ({point.label}) {status}: {text}")

    def finished(self, number: int) -> None:
        """A batch is done."""
        self._running.pop(number, None)
        self._batches_done.add(number)

    def lost(self, number: int, problem: str, *, again: bool) -> None:
        """A batch was not computed, for that reason."""
        self._running.pop(number, None)
        text = problem.replace("\n", "\n    ")
        what = "starts anew" if again else "is given up"
        self._reporter.warning(f"batch {number} {what}: {text}")

    def tell(self) -> None:
        """Say how far it is."""
        computed = sum(self._sizes[number] for number in self._batches_done)
        under_way = sum(self._sizes[n] * fraction for n, fraction in self._running.items())
        fraction = (computed + under_way) / sum(self._sizes.values())
        taken = self._clock() - self._began
        parts = [self._counts(), duration_text(taken)]
        if fraction > 0:
            parts.append(f"ETA {duration_text(taken * (1 - fraction) / fraction)}")
        self._reporter.overall(", ".join(parts), fraction)

    def close(self) -> None:
        """All batches are done."""
        self._reporter.message(f"{self._counts()}, {duration_text(self._clock() - self._began)}")

    def _counts(self) -> str:
        batches = f"{len(self._batches_done)} of {len(self._sizes)} batches"
        batches += f" ({len(self._running)} running)" if self._running else ""
        running = sum(self._sizes[number] for number in self._running)
        text = f"{batches} and {self._done} of {self._total} replicas done"
        text += f", {running} running" if running else ""
        return text + (f", {self._failed} failed" if self._failed else "")
