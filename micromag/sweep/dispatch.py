"""Gives batches to workers one at a time, and starts those anew whose worker is lost."""

from __future__ import annotations

import os
import pickle
import queue
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from micromag.errors import DeviceError, Interrupted
from micromag.sweep.attempts import Attempts
from micromag.sweep.cluster_progress import ClusterProgress
from micromag.sweep.local import Work
from micromag.sweep.worker import compute

if TYPE_CHECKING:
    from micromag.sweep.cluster import Cluster, Worker
    from micromag.sweep_points import SweepPoint

ATTEMPTS = 3
"""Times that a batch is tried before it is given up: one that kills its workers must come to an end."""
PAUSE = 0.05
"""Seconds between two looks at what is running."""
LOOK_EVERY = 1.0
"""Seconds between two looks at which workers there are."""
PATIENCE = 30.0
"""Seconds without any worker before the sweep is stopped: a lost one may be started again."""
GRACE = 30.0
"""Seconds for the steps in hand after a request to stop."""


@dataclass
class Batch:
    """Replicas that run together.

    Attributes
    ----------
    number
        From 1.
    points
        Those that are left to compute.
    tries
        Attempts so far.
    refused
        Workers on which an attempt has failed.
    problem
        Why the last attempt failed.
    """

    number: int
    points: list[SweepPoint]
    tries: int = 0
    refused: set[str] = field(default_factory=set)
    problem: str = ""


@dataclass(frozen=True)
class Attempt:
    """A batch on a worker.

    Attributes
    ----------
    name
        Of its folder.
    batch, worker
        What is computed, and where.
    future
        What the worker will answer.
    """

    name: str
    batch: Batch
    worker: Worker
    future: Any


class Dispatcher:
    """Has the batches of a sweep computed by the workers of a cluster.

    A worker is given one batch at a time, by this process and not by the scheduler, which knows
    nothing of devices. Whoever joins is given work; of who leaves the batches start anew elsewhere.

    Parameters
    ----------
    cluster
        The workers.
    work
        The sweep.
    attempts
        Where they write.
    parts
        The batches.
    done
        Takes an entry for every batch that was computed.
    """

    def __init__(
        self,
        cluster: Cluster,
        work: Work,
        attempts: Attempts,
        parts: Sequence[list[SweepPoint]],
        done: list[dict[str, Any]],
    ) -> None:
        self._cluster = cluster
        self._work = work
        self._attempts = attempts
        self._waiting = [Batch(number, part) for number, part in enumerate(parts, 1)]
        self._running: list[Attempt] = []
        self._hopeless: list[Batch] = []
        self._done = done
        self._progress = ClusterProgress(work.reporter, work.replicas, parts)
        self._topic = attempts.path.name
        self._messages: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def run(self) -> None:
        """Compute all batches; raises as `Cluster.compute`."""
        self._cluster.client.subscribe_topic(self._topic, self._messages.put)
        looked = seen = time.monotonic()
        try:
            while self._waiting or self._running:
                if self._work.stop():
                    self._stop()
                for attempt in [a for a in self._running if a.future.done()]:
                    self._ended(attempt)
                if (now := time.monotonic()) - looked > LOOK_EVERY or not self._cluster.alive:
                    self._cluster.look_around(self._attempts, self._work.reporter)
                    self._check_workers()
                    looked = now
                    seen = now if self._cluster.workers else seen
                    if now - seen > PATIENCE:
                        raise self._deserted()
                self._hand_out()
                self._tell()
                time.sleep(PAUSE)
        except BaseException:
            self._give_up_all()
            raise
        self._progress.close()
        if self._hopeless:
            raise self._failed()

    def _hand_out(self) -> None:
        busy = {attempt.worker.address for attempt in self._running}
        for address, worker in self._cluster.workers.items():
            if address in busy:
                continue
            for batch in self._waiting:
                # One that has failed here is tried elsewhere, if there is such a worker.
                if address not in batch.refused or not self._cluster.workers.keys() - batch.refused:
                    self._waiting.remove(batch)
                    self._start(batch, worker)
                    break

    def _start(self, batch: Batch, worker: Worker) -> None:
        batch.tries += 1
        name = f"batch_{batch.number:04d}_try_{batch.tries}"
        request = {
            "session": str(self._attempts.path),
            "attempt": name,
            "points": pickle.dumps(batch.points),
            "threads": self._cluster.threads,
            "argv": self._work.argv,
            "topic": self._topic,
            "provenance": {
                **{key: self._work.provenance[key] for key in ("command", "directory")},
                "scheduler": self._cluster.address,
                "worker": worker.address,
                "batch": batch.number,
            },
        }
        # The scheduler must not move it elsewhere: whether a worker is lost is judged here.
        future = self._cluster.client.submit(
            compute,
            request,
            key=f"{self._topic}-{name}",
            workers=[worker.address],
            allow_other_workers=False,
            pure=False,
        )
        self._running.append(Attempt(name, batch, worker, future))
        self._progress.started(batch.number, batch.points, worker.address)

    def _ended(self, attempt: Attempt) -> None:
        """Take in what an attempt has left."""
        if not self._cluster.alive:
            raise self._cluster.lost()
        status, batch = attempt.future.status, attempt.batch
        if status == "finished":
            outcome = attempt.future.result()
            problem = outcome["error"]
        elif status == "error":
            error = attempt.future.exception()
            problem = f"{type(error).__name__}: {error}"
        else:
            problem = "the scheduler has dropped it"
        self._running.remove(attempt)
        if problem:
            self._try_again(attempt, problem)
            return
        points = {point.number: point for point in batch.points}
        self._take(attempt)
        for number, *how in outcome["ended"]:
            self._progress.ended(points[number], *how)
        self._progress.finished(batch.number)

    def _take(self, attempt: Attempt) -> None:
        """Move the files of an attempt to their place, and into the collected table."""
        points = attempt.batch.points
        self._attempts.take(attempt.name, points)
        self._record(attempt, [point.number for point in points])
        self._work.collect(points)

    def _record(self, attempt: Attempt, numbers: Sequence[int]) -> None:
        self._done.append(
            {
                "batch": attempt.batch.number,
                "worker": attempt.worker.address,
                "host": attempt.worker.host,
                "replicas": list(numbers),
            }
        )

    # ---------------------------------------------------------------- what goes wrong

    def _check_workers(self) -> None:
        """Start the batches anew whose workers are gone."""
        for attempt in list(self._running):
            if attempt.worker.address not in self._cluster.workers and not attempt.future.done():
                self._running.remove(attempt)
                self._give_up(attempt)
                self._try_again(attempt, "the worker is gone")

    def _try_again(self, attempt: Attempt, problem: str) -> None:
        batch = attempt.batch
        self._give_up(attempt)
        self._rescue(attempt)
        batch.problem = f"{attempt.worker.address}: {problem}"
        batch.refused.add(attempt.worker.address)
        if not batch.points:
            self._progress.finished(batch.number)
            return
        again = batch.tries < ATTEMPTS
        self._progress.lost(batch.number, batch.problem, again=again)
        if again:
            self._waiting.insert(0, batch)
        else:
            self._hopeless.append(batch)

    def _rescue(self, attempt: Attempt) -> None:
        """Keep the replicas that an attempt has finished although its batch is not."""
        batch = attempt.batch
        rescued = self._attempts.rescue(attempt.name, batch.points)
        if not rescued:
            return
        kept = [point for point in batch.points if point.number in rescued]
        batch.points = [point for point in batch.points if point.number not in rescued]
        self._record(attempt, sorted(rescued))
        self._work.collect(kept)
        for point in kept:
            replica = rescued[point.number]
            self._progress.ended(point, replica.status, replica.message)

    def _give_up(self, attempt: Attempt) -> None:
        self._attempts.give_up(attempt.name)
        attempt.future.cancel()

    def _give_up_all(self) -> None:
        """End what still runs; what is finished of it is kept."""
        for attempt in self._running:
            self._attempts.give_up(attempt.name)
            if self._cluster.alive:
                attempt.future.cancel()
        for attempt in self._running:
            self._rescue(attempt)

    def _stop(self) -> None:
        """Wait for the steps in hand, and take what there is; raises Interrupted if more is left."""
        left = bool(self._waiting)
        for attempt in self._running:
            self._attempts.give_up(attempt.name)
        until = time.monotonic() + GRACE
        while self._running and time.monotonic() < until and self._cluster.alive:
            for attempt in [a for a in self._running if a.future.done()]:
                self._running.remove(attempt)
                if attempt.future.status == "finished":
                    self._take(attempt)
                    outcome = attempt.future.result()
                    left = left or outcome["interrupted"] or bool(outcome["error"])
                else:
                    left = True
            time.sleep(PAUSE)
        if left or self._running:
            raise Interrupted("stopped")

    def _deserted(self) -> DeviceError:
        return DeviceError(
            "all workers are gone",
            where=self._cluster.address,
            value=f"none for {PATIENCE:.0f} s",
            next_step="start workers again; the same command goes on: replicas that are done are "
            "kept, the others start anew",
        )

    def _failed(self) -> DeviceError:
        shown = [
            f"batch {batch.number} ({len(batch.points)} replicas): {batch.problem}"
            for batch in self._hopeless[:10]
        ]
        count = len(self._hopeless)
        return DeviceError(
            f"{count} batch{'es' if count > 1 else ''} could not be computed in {ATTEMPTS} attempts; "
            "all others are done",
            where=os.path.relpath(self._work.folder),
            value="\n           ".join(shown),
            next_step="the same command computes what is missing",
        )

    # ---------------------------------------------------------------- progress

    def _tell(self) -> None:
        names = {attempt.name: attempt.batch.number for attempt in self._running}
        while not self._messages.empty():
            _, message = self._messages.get()
            number = names.get(message["attempt"])
            if number is None:
                continue  # of an attempt that nobody waits for
            if "warning" in message:
                self._work.reporter.warning(message["warning"])
            else:
                self._progress.fraction(number, message["fraction"])
        self._progress.tell()
