"""The workers of a Dask scheduler: connecting, looking at every worker, batches for all of them."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import logging
import os
from asyncio import CancelledError
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from micromag.errors import DeviceError
from micromag.reporting import SweepReporter
from micromag.sweep.attempts import Attempts
from micromag.sweep.batching import Room, fits_everywhere, spread
from micromag.sweep.dispatch import Dispatcher
from micromag.sweep.local import Work
from micromag.sweep.worker import look, same_program

CONNECT_SECONDS = 5.0
"""How long to wait for a scheduler's answer."""


@dataclass(frozen=True)
class Worker:
    """A worker that can compute batches.

    Attributes
    ----------
    address
        By which the scheduler knows it.
    host
        Its machine.
    choice
        Its device, in words.
    room
        What its device has room for.
    """

    address: str
    host: str
    choice: str
    room: Room


class Cluster:
    """All workers of a scheduler that can compute.

    Parameters
    ----------
    address
        Of the scheduler: ``tcp://host:8786``.
    device
        The run file's; ``auto`` is every worker's own.
    threads
        CPU threads of a worker; all by default.

    Attributes
    ----------
    client
        The connection to the scheduler.
    workers
        Those that can compute, by address.

    Raises
    ------
    DeviceError
        dask.distributed is not installed, or no scheduler answers.
    """

    def __init__(self, address: str, device: str, threads: int | None) -> None:
        self.address = address
        self.threads = threads
        self._device = device
        self._done: list[dict[str, Any]] = []
        distributed = _import(address)
        with contextlib.ExitStack() as resources:
            resources.enter_context(_quiet_logs())
            self.client = _connect(distributed, address)
            resources.callback(self._disconnect)
            self._resources = resources.pop_all()
        self._refused: set[str] = set()
        self.workers: dict[str, Worker] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._resources.close()

    def _disconnect(self) -> None:
        with contextlib.suppress(Exception):  # the scheduler may be gone
            self.client.close(timeout=CONNECT_SECONDS)

    @property
    def description(self) -> str:
        """Where the sweep is computed."""
        return f"the workers of {self.address}"

    def info(self) -> Mapping[str, Any]:
        """Return the scheduler, and which worker computed which batch since this one was connected."""
        return {
            "device": self.description,
            "scheduler": self.address,
            "batches": json.dumps(self._done),
        }

    def compute(self, work: Work) -> None:
        """Compute replicas, as many batches at a time as there are workers.

        Raises
        ------
        DeviceError
            No worker can compute, the scheduler is gone, or batches could not be computed.
        Interrupted
            ``work.stop`` became true.
        """
        if not work.points:
            return
        attempts = Attempts(work.folder)
        try:
            self.look_around(attempts, work.reporter)
            if not self.workers:
                raise self._nobody()
            fit = fits_everywhere([worker.room for worker in self.workers.values()])
            parts = spread(work.points, fit, len(self.workers))
            Dispatcher(self, work, attempts, parts, self._done).run()
        finally:
            attempts.remove()

    def look_around(self, attempts: Attempts, reporter: SweepReporter) -> None:
        """Find out which workers there are, and look at those that are new.

        One that cannot compute is told, once, and left alone. Raises DeviceError if the scheduler is
        gone.
        """
        there = self._addresses()
        self.workers = {a: worker for a, worker in self.workers.items() if a in there}
        new = sorted(there - self.workers.keys() - self._refused)
        if not new:
            return
        request = {
            "session": str(attempts.path),
            "device": self._device,
            "threads": self.threads,
        }
        with self._scheduler():
            answers = self.client.run(look, request, workers=new, on_error="return")
        for address in new:
            answer = answers.get(address)
            problem = _problem(answer)
            if problem:
                self._refused.add(address)
                text = problem.replace("\n", "\n    ")
                reporter.warning(f"worker {address} takes no part: {text}")
            else:
                room = Room(**answer["room"])
                self.workers[address] = Worker(address, answer["host"], answer["choice"], room)
                reporter.message(f"  worker {address} on {answer['host']}: {answer['choice']}")

    def _addresses(self) -> set[str]:
        with self._scheduler():
            return set(self.client.nthreads())

    @contextlib.contextmanager
    def _scheduler(self) -> Iterator[None]:
        """Turn what goes wrong with the scheduler into an error that says so."""
        if not self.alive:
            raise self.lost()
        try:
            yield
        except (OSError, TimeoutError, CancelledError) as error:
            raise self.lost() from error

    @property
    def alive(self) -> bool:
        """Whether the scheduler has been heard of."""
        return bool(self.client.status == "running")

    def lost(self) -> DeviceError:
        """Return the error that says that the scheduler is gone."""
        return DeviceError(
            "the scheduler does not answer any more",
            where=self.address,
            next_step="start it and its workers again; the same command goes on: replicas that are "
            "done are kept, the others start anew",
        )

    def _nobody(self) -> DeviceError:
        if self._refused:
            return DeviceError(
                "none of the workers can compute",
                where=self.address,
                value=", ".join(sorted(self._refused)),
                next_step="see the warnings above; without --scheduler this machine computes",
            )
        return DeviceError(
            "the scheduler has no workers",
            where=self.address,
            next_step=f"start one per GPU: dask worker {self.address} --nthreads 1",
        )


def _problem(answer: Any) -> str:
    """Return why a worker cannot compute, from what `look` has found there; empty if it can."""
    if isinstance(answer, ModuleNotFoundError):
        return f"{answer}: install this version of micromag there"
    if not isinstance(answer, Mapping):
        return f"it cannot be looked at: {answer!r}"
    for name, here in same_program().items():
        there = answer["program"].get(name, "")
        if here and there and here != there:
            return f"{name} is {there} there and {here} here"
    return str(answer["problem"])


def _import(address: str) -> Any:
    try:
        return importlib.import_module("distributed")
    except ImportError as error:
        raise DeviceError(
            "dask.distributed, which talks to a scheduler, is not installed",
            where="--scheduler",
            value=address,
            next_step="pip install 'micromag[cluster]'",
        ) from error


def _connect(distributed: Any, address: str) -> Any:
    try:
        # A client that finds nobody leaves threads behind that complain: greet with less first.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, _greet(distributed, address)).result()
        return distributed.Client(
            address, timeout=CONNECT_SECONDS, set_as_default=False, name=f"micromag-{os.getpid()}"
        )
    except Exception as error:  # a server of another kind is answered by any nonsense
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise DeviceError(
            f"no Dask scheduler answers: {reason}",
            where="--scheduler",
            value=address,
            allowed="an address as `dask scheduler` prints it: tcp://host:8786",
            next_step="start one with  dask scheduler ; without --scheduler this machine computes",
        ) from error


async def _greet(distributed: Any, address: str) -> None:
    comm = await distributed.comm.connect(address, timeout=CONNECT_SECONDS)
    await comm.close()


@contextlib.contextmanager
def _quiet_logs() -> Iterator[None]:
    """Keep dask's own log lines off the screen: what they say of is told in our words."""
    names = [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    loud = [log for log in map(logging.getLogger, names) if not log.disabled]
    for log in loud:
        log.disabled = True
    try:
        yield
    finally:
        for log in loud:
            log.disabled = False
