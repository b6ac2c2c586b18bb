"""Computes the batches of a sweep on a device of this machine, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from micromag.backend import Backend
from micromag.errors import Interrupted
from micromag.estimate import check_memory
from micromag.output.provenance import collect
from micromag.output.sweep_file import Replica
from micromag.reporting import SweepReporter
from micromag.sweep.batch import run_batch
from micromag.sweep.batching import fits
from micromag.sweep.progress import SweepProgress
from micromag.sweep_points import SweepPoint, batches

if TYPE_CHECKING:
    from micromag.config import RunConfig


@dataclass(frozen=True)
class Work:
    """What is left of a sweep, and whom to tell of it.

    Attributes
    ----------
    points
        The replicas to compute.
    replicas
        All of them, as they stand.
    folder
        Of the sweep; locked by this process.
    provenance
        What is the same for all.
    argv
        Command line for the record.
    reporter
        Told about the progress.
    stop
        Becomes true when the computation shall end.
    collect
        Is called with replicas whose files are in their place.
    """

    points: Sequence[SweepPoint]
    replicas: Sequence[Replica]
    folder: Path
    provenance: Mapping[str, Any]
    argv: Sequence[str] | None
    reporter: SweepReporter
    stop: Callable[[], bool]
    collect: Callable[[Sequence[SweepPoint]], None]


class Devices(Protocol):
    """Where a sweep is computed."""

    @property
    def description(self) -> str:
        """Where that is, in words."""

    def info(self) -> Mapping[str, Any]:
        """Return what the provenance of the sweep says of it, as known by now."""

    def compute(self, work: Work) -> None:
        """Compute replicas in batches; raises Interrupted, MicromagError."""


class LocalDevice:
    """One device of this machine.

    Parameters
    ----------
    backend
        The device.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    @property
    def description(self) -> str:
        """Which device, and why."""
        return self.backend.choice

    def info(self) -> Mapping[str, Any]:
        """Return what the backend says of itself."""
        return self.backend.info()

    def compute(self, work: Work) -> None:
        """Compute replicas batch by batch.

        Raises
        ------
        DeviceError
            A replica does not fit the memory.
        Interrupted
            ``work.stop`` became true.
        """
        parts = batches(work.points, fits(self.backend))
        for part in parts:
            check_memory(part[0].config, self.backend)
        progress = SweepProgress(work.reporter, work.replicas, parts)
        for part in parts:
            progress.batch(part)
            provenance = {**work.provenance, "started": now()}
            try:
                run_batch(
                    part,
                    work.folder,
                    self.backend,
                    provenance,
                    progress,
                    work.stop,
                    progress.ended,
                )
            except Interrupted:
                work.collect(part)
                raise
            work.collect(part)
        progress.close()


def now() -> str:
    """Return the time as files say it."""
    return datetime.now(UTC).isoformat("T", "seconds")


def collect_for(
    config: RunConfig, info: Mapping[str, Any], argv: Sequence[str] | None
) -> dict[str, Any]:
    """Return the provenance of everything that a run writes; ``info`` is what its device says."""
    return collect({**info, "precision": config.precision}, argv, config.seed)
