"""One run file from beginning to end: device, output folder, schedule, analyses."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from micromag.backend import Backend, get_backend
from micromag.config import RunConfig, load_config
from micromag.custom_check import check_custom_code, compile_and_check
from micromag.derived import derived_notes
from micromag.driver import Driver
from micromag.errors import AnalysisError, ConfigError, Interrupted, MicromagError
from micromag.estimate import check_memory
from micromag.model import Model
from micromag.output.folder import RunFolder, prepare
from micromag.output.recorder import FileRecorder
from micromag.output.runfile import RunFile
from micromag.output.sweep_file import SweepFile
from micromag.permission import require_permission
from micromag.progress import reporter_for
from micromag.reporting import SweepReporter
from micromag.result_file import open_result
from micromag.stopping import StopRequest
from micromag.sweep.local import collect_for
from micromag.sweep.run import run_sweep

RESULT = "run.vtkhdf"
"""Name of the result of a single run in its folder."""


@dataclass(frozen=True)
class JobResult:
    """What a run left.

    Attributes
    ----------
    path
        The result file (of a sweep its collected table); None when an existing result was kept
        (``skip_existing``).
    sentences
        What the analyses found.
    error
        Which replicas of a sweep failed, and why; None if none has.
    """

    path: Path | None
    sentences: list[str] = field(default_factory=list)
    error: MicromagError | None = None


def run_job(
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
) -> JobResult:
    """Run a configuration and write its result; of one with a sweep, all its replicas.

    Parameters
    ----------
    config
        The resolved run file.
    overwrite, skip_existing
        What to do with an existing result: move it aside, or keep it and do nothing.
    retry_failed
        Whether a sweep that goes on computes replicas again that failed.
    threads
        CPU threads; all by default.
    scheduler
        Address of a Dask scheduler whose workers compute the replicas of a sweep; by default a device
        of this machine does.
    reporter
        Told about the progress.
    argv
        Command line for the record.
    stop
        Ends the run after the step in hand once it is true.

    Raises
    ------
    ConfigError
        A scheduler is given, and the run is no sweep; or the run file holds code that may not run or
        is wrong.
    OutputExistsError
        There is a result and neither option is given, or another process is writing it.
    DeviceError
        No such device, scheduler or compiler, or the run does not fit its memory.
    NumericalError
        The computation failed; what was good of it is in the file.
    Interrupted
        ``stop`` became true; the file is valid up to there.
    """
    require_permission(config)
    if config.sweep is not None:
        compile_and_check(config, "auto" if scheduler else None, threads)
        done = run_sweep(
            config,
            overwrite=overwrite,
            skip_existing=skip_existing,
            retry_failed=retry_failed,
            threads=threads,
            scheduler=scheduler,
            reporter=reporter,
            argv=argv,
            stop=stop,
        )
        return JobResult(done.path, done.sentences, done.error)
    if scheduler is not None:
        raise ConfigError(
            "a scheduler spreads the replicas of a sweep, and this run file has none",
            where="--scheduler",
            value=scheduler,
            next_step="add a section sweep, or leave --scheduler out",
        )
    backend = get_backend(config.device, threads)
    with backend:
        check_memory(config, backend)
        check_custom_code(config, backend)
        folder = prepare(config.output.directory, overwrite=overwrite, skip_existing=skip_existing)
        if folder is None:
            reporter.message(f"There is a result in {config.output.directory}; nothing to do.")
            return JobResult(None)
        with folder:
            path = folder.path / RESULT
            _introduce(config, backend, folder, reporter)
            _compute(config, backend, path, reporter, argv, stop)
    return JobResult(path, _analyse(config, path))


def _introduce(
    config: RunConfig, backend: Backend, folder: RunFolder, reporter: SweepReporter
) -> None:
    if folder.moved_aside is not None:
        reporter.message(
            f"The result that was here is now in {os.path.relpath(folder.moved_aside)}."
        )
    nx, ny, nz = config.mesh.cells
    ax, ay, az = (1e9 * a for a in config.mesh.cell_size)
    terms = ", ".join(key for key, _ in [*config.energy, *config.torques]) or "no term"
    reporter.message(config.title or Path(config.output.directory).name)
    reporter.message(
        f"  {nx} x {ny} x {nz} cells of {ax:.4g} x {ay:.4g} x {az:.4g} nm, {config.precision} "
        f"precision: {terms}"
    )
    for note in derived_notes(config):
        reporter.message(f"  {note}")
    reporter.message(f"  on {backend.choice}")
    reporter.message(f"  into {os.path.relpath(folder.path / RESULT)}")


def _compute(
    config: RunConfig,
    backend: Backend,
    path: Path,
    reporter: SweepReporter,
    argv: Sequence[str] | None,
    stop: StopRequest,
) -> None:
    provenance = collect_for(config, backend.info(), argv)
    writer = open_result(path, config, Model([config]).Ms[0], provenance)
    driver = Driver([config], backend, [FileRecorder(writer)], reporter, stop=lambda: bool(stop))
    try:
        driver.run()
    except Interrupted as stopped:
        raise Interrupted(
            f"{stopped.what} ({stop.signal_name})",
            next_step=f"everything up to here is in {os.path.relpath(path)}",
        ) from None
    finally:
        writer.close("failed")  # unless the driver has told how it ended


def _analyse(config: RunConfig, path: Path) -> list[str]:
    sentences = []
    for key, analysis in config.analysis.items():
        try:
            sentences.append(analysis.report(RunFile(path)))
        except AnalysisError as error:
            sentences.append(f"{key}: {error}")
    return sentences


def run(
    config: RunConfig | str | Path,
    overrides: Iterable[str] = (),
    *,
    overwrite: bool = False,
    skip_existing: bool = False,
    retry_failed: bool = False,
    threads: int | None = None,
    scheduler: str | None = None,
    allow_custom_code: bool = False,
    quiet: bool = True,
) -> RunFile | SweepFile:
    """Run a run file as ``micromag run`` does, and return its result; of a sweep the whole of it.

    ``micromag.run("sweep.yaml").table("wall_position")`` has an axis per swept key, and
    ``xarray.open_dataset("runs/sweep/sweep.h5", engine="h5netcdf")`` names them. A sweep that was
    stopped goes on when the same call is made again.

    Parameters
    ----------
    config
        The run file, or its resolved configuration.
    overrides
        As ``--set``: ``["solver.max_error=1e-6"]``. Only with the path of a run file.
    overwrite, skip_existing, retry_failed
        What to do with an existing result: move it aside; return it; compute the replicas of a sweep
        again that failed.
    threads
        CPU threads; all by default.
    scheduler
        Address of a Dask scheduler whose workers compute the replicas of a sweep; by default a device
        of this machine does.
    allow_custom_code
        Whether the expressions of custom terms may be compiled and run: a program with all your rights.
    quiet
        False shows the progress on standard output.

    Raises
    ------
    ConfigError
        All that is wrong in the file, or overrides beside a configuration.
    OutputExistsError
        There is a result, and no option says what to do with it.
    DeviceError
        No such device or compiler, or the run does not fit its memory.
    NumericalError
        A single run failed. Replicas of a sweep that failed say so in `SweepFile.replicas`.
    Interrupted
        Ctrl-C; what was written is valid.
    """
    given = list(overrides)
    if isinstance(config, (str, Path)):
        config = load_config(config, given)
    elif given:
        raise ConfigError(
            "overrides beside a configuration",
            where="micromag.run",
            value=", ".join(given),
            allowed="overrides of a run file that is given by its path",
            next_step="RunConfig.with_overrides changes values of a configuration",
        )
    if allow_custom_code:
        config = config.allowing_custom_code()
    with StopRequest() as stop, reporter_for(sys.stdout, quiet=quiet) as reporter:
        run_job(
            config,
            overwrite=overwrite,
            skip_existing=skip_existing,
            retry_failed=retry_failed,
            threads=threads,
            scheduler=scheduler,
            reporter=reporter,
            stop=stop,
        )
    folder = Path(config.output.directory)
    return RunFile(folder / RESULT) if config.sweep is None else SweepFile(folder)
