"""A sweep from beginning to end: what is done already, batches, the collected table, analyses."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from micromag.backend import get_backend
from micromag.errors import AnalysisError, Interrupted, NumericalError
from micromag.output.folder import RunFolder, prepare
from micromag.output.runfile import RunFile
from micromag.output.sweep_file import SWEEP_RESULT, Replica, SweepFile
from micromag.output.sweep_writer import file_axes, write_sweep
from micromag.recording import columns_of
from micromag.reporting import SweepReporter
from micromag.stopping import StopRequest
from micromag.sweep.attempts import rescue_all
from micromag.sweep.cluster import Cluster
from micromag.sweep.local import Devices, LocalDevice, Work, collect_for
from micromag.sweep.standing import goes_on, replica_of, replica_path, standing
from micromag.sweep_points import SweepPoint, axes_of, sweep_points

if TYPE_CHECKING:
    from micromag.config import RunConfig

Tables = dict[int, dict[str, NDArray[Any]]]


@dataclass(frozen=True)
class SweepResult:
    """What a sweep left.

    Attributes
    ----------
    path
        The collected table; None when an existing result was kept (``skip_existing``).
    sentences
        What the analyses found.
    error
        Which replicas failed, and why; None if none has.
    """

    path: Path | None
    sentences: list[str] = field(default_factory=list)
    error: NumericalError | None = None


def run_sweep(
    config: RunConfig,
    *,
    overwrite: bool = False,
    skip_existing: bool = False,
    retry_failed: bool = False,
    threads: int | None = None,
    scheduler: str | None = None,
    reporter: SweepReporter,
    argv: Sequence[str] | None = None,
    stop: StopRequest,
) -> SweepResult:
    """Compute all replicas of a sweep, a file for each, and collect their tables in ``sweep.h5``.

    A sweep of the same run file that was stopped goes on: replicas that are done are kept,
    unfinished ones start anew.

    Parameters
    ----------
    config
        The resolved run file, with its sweep.
    overwrite, skip_existing
        What to do with a finished sweep, or with another result: move it aside, or keep it and do
        nothing.
    retry_failed
        Whether replicas that failed are computed again.
    threads
        CPU threads; all by default.
    scheduler
        Address of a Dask scheduler whose workers compute; by default a device of this machine does.
    reporter
        Told about the progress.
    argv
        Command line for the record.
    stop
        Ends the sweep after the step in hand once it is true.

    Raises
    ------
    OutputExistsError
        There is a finished sweep or another result and no option says what to do with it, or
        another process is writing there.
    DeviceError
        No such device or compiler, or a replica does not fit its memory; no scheduler there, or no
        worker that can compute.
    Interrupted
        ``stop`` became true; the same call goes on.
    """
    with _devices(config, threads, scheduler) as devices:
        folder = prepare(
            config.output.directory,
            overwrite=overwrite,
            skip_existing=skip_existing,
            goes_on=lambda there: goes_on(there, config, retry_failed=retry_failed),
        )
        if folder is None:
            reporter.message(f"There is a result in {config.output.directory}; nothing to do.")
            return SweepResult(None)
        with folder:
            sweep = _Sweep(config, folder, devices, reporter, argv)
            sweep.take_stock(retry_failed=retry_failed)
            sweep.compute(stop)
            return SweepResult(sweep.path, _analyse(config, sweep.path), sweep.error())


@contextmanager
def _devices(config: RunConfig, threads: int | None, scheduler: str | None) -> Iterator[Devices]:
    if scheduler is None:
        with get_backend(config.device, threads) as backend:
            yield LocalDevice(backend)
    else:
        with Cluster(scheduler, config.device, threads) as cluster:
            yield cluster


class _Sweep:
    """The replicas of a sweep in its folder.

    Attributes
    ----------
    path
        The collected table.
    """

    def __init__(
        self,
        config: RunConfig,
        folder: RunFolder,
        devices: Devices,
        reporter: SweepReporter,
        argv: Sequence[str] | None,
    ) -> None:
        self.config = config
        self.folder = folder
        self.devices = devices
        self.path = folder.path / SWEEP_RESULT
        self.points = sweep_points(config)
        self._argv = argv
        self._provenance = collect_for(config, devices.info(), argv)
        self._reporter = reporter
        self._columns = columns_of(config)
        self._axes = file_axes(axes_of(config), self._columns)
        self._tables: Tables = {}
        self._replicas: list[Replica] = [
            replica_of(point, replica_path(folder.path, point.number)) for point in self.points
        ]

    def take_stock(self, *, retry_failed: bool) -> None:
        """Find out what is done already, say what is left, and write the table as it stands."""
        folder = self.folder.path
        rescue_all(folder, self.points)
        for replica in standing(folder, self.points, retry_failed=retry_failed).values():
            self._take_in(replica, RunFile(replica.path))
        self._introduce()
        self._write()

    def _take_in(self, replica: Replica, run: RunFile) -> None:
        self._replicas[replica.number] = replica
        self._tables[replica.number] = run.table

    def _introduce(self) -> None:
        tell, config = self._reporter.message, self.config
        if self.folder.moved_aside is not None:
            tell(f"The result that was here is now in {os.path.relpath(self.folder.moved_aside)}.")
        nx, ny, nz = config.mesh.cells
        axes = " x ".join(f"{len(axis)} {axis.dimension}" for axis in self._axes)
        tell(config.title or Path(config.output.directory).name)
        tell(f"  sweep of {len(self.points)} replicas ({axes}), {nx} x {ny} x {nz} cells")
        tell(f"  on {self.devices.description}")
        tell(f"  into {os.path.relpath(self.path)}")
        if self.folder.resumed:
            done = sum(replica.done for replica in self._replicas)
            tell(f"  goes on with what is there: {done} replicas are done")
        for replica in self._replicas:
            if replica.status == "failed":
                tell(f"  replica {replica.number} failed before; --retry-failed computes it again")

    def compute(self, stop: StopRequest) -> None:
        """Compute what is left; raises Interrupted."""
        left = [point for point in self.points if self._replicas[point.number].status == "waiting"]
        work = Work(
            points=left,
            replicas=tuple(self._replicas),
            folder=self.folder.path,
            provenance=self._provenance,
            argv=self._argv,
            reporter=self._reporter,
            stop=lambda: bool(stop),
            collect=self._collect,
        )
        try:
            self.devices.compute(work)
        except Interrupted as stopped:
            raise self._interrupted(stopped, stop) from None

    def _collect(self, part: Sequence[SweepPoint]) -> None:
        for point in part:
            path = replica_path(self.folder.path, point.number)
            if path.exists():
                run = RunFile(path)
                self._take_in(replica_of(point, path, run), run)
        self._write()

    def _write(self) -> None:
        write_sweep(
            self.path,
            self._axes,
            self._replicas,
            self._columns,
            self._tables,
            self.config.resolved_yaml(),
            {**self._provenance, **self.devices.info()},
            self.config.title or "",
        )

    def _interrupted(self, stopped: Interrupted, stop: StopRequest) -> Interrupted:
        done = sum(replica.done or replica.status == "failed" for replica in self._replicas)
        return Interrupted(
            f"{stopped.what} ({stop.signal_name}); {done} of {len(self.points)} replicas are done",
            next_step="the same command goes on: those are kept, the others start anew",
        )

    def error(self) -> NumericalError | None:
        """Return which replicas failed, and why; None if none has."""
        failed = [replica for replica in self._replicas if replica.status == "failed"]
        if not failed:
            return None
        causes = [
            f"{replica.number} ({replica.label}): {first_line(replica)}" for replica in failed
        ]
        shown = "\n           ".join([*causes[:10], *(["..."] if len(causes) > 10 else [])])
        return NumericalError(
            f"{len(failed)} of {len(self.points)} replicas failed; all others are finished",
            where=os.path.relpath(self.folder.path),
            value=shown,
            next_step="micromag info shows each; --retry-failed computes them again",
        )


def first_line(replica: Replica) -> str:
    """Return the first line of a replica's message."""
    return replica.message.partition("\n")[0]


def _analyse(config: RunConfig, path: Path) -> list[str]:
    sentences: list[str] = []
    for key, analysis in config.analysis.items():
        try:
            sentences += analysis.report_sweep(SweepFile(path), path.parent)
        except AnalysisError as error:
            sentences.append(f"{key}: {error}")
    return sentences
