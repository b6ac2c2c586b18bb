"""The command line: commands, options and exit codes.

Everything heavy is imported inside the command that needs it, so that ``--help`` is quick.
"""

from __future__ import annotations

import functools
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from micromag import __version__
from micromag.cli_analyze import add_analyze_commands
from micromag.cli_plot import add_plot_commands
from micromag.errors import Interrupted, MicromagError

if TYPE_CHECKING:
    from micromag.config import RunConfig

BROKEN_PIPE = 141
"""What a shell reports of a program whose reader went away: 128 + SIGPIPE."""
OUT_OF_MEMORY = 4
BUG = 1
REPORT = "This is a bug in micromag, not a mistake of yours: please report it with the lines above."

EXIT_CODES = """\b
Exit codes:
    0  done
    1  a bug in micromag, or the result cannot be written (disk full)
    2  wrong command line or run file
    3  the computation failed: NaN, a collapsing time step, no convergence
    4  no such device, compiler or scheduler, not enough memory or disk
    5  the output exists already, or another process writes it
    6  an input or result file cannot be read
  130  stopped by Ctrl-C or SIGTERM; what was written is valid"""

app = typer.Typer(
    name="micromag",
    help="Micromagnetic solver for magnetic textures driven by electric current.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

RunFileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="The run file (YAML).", show_default=False)
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Replace a value of the run file, e.g. --set 'solver.max_error=1e-6'; repeatable.",
    ),
]
OutputOption = Annotated[
    str | None,
    typer.Option("-o", "--output", metavar="DIR", help="Folder of the result (output.directory)."),
]
DeviceOption = Annotated[
    str | None, typer.Option("--device", metavar="NAME", help="auto, cpu, cuda, cuda:1, ...")
]
PrecisionOption = Annotated[
    str | None, typer.Option("--precision", metavar="NAME", help="single or double.")
]
CustomCodeOption = Annotated[
    bool,
    typer.Option(
        "--allow-custom-code",
        help="Compile the expressions of custom terms: they run as a program with all your rights.",
    ),
]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (this process's by default) and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a title in Greek, a terminal in Latin-1
    try:
        app(list(sys.argv[1:] if argv is None else argv), prog_name="micromag")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _command(function: Callable[..., None]) -> Callable[..., None]:
    """Turn what goes wrong in a command into a message and an exit code."""

    @functools.wraps(function)
    def guarded(*args: Any, **options: Any) -> None:
        try:
            function(*args, **options)
            sys.stdout.flush()
        except MicromagError as error:
            code, message = error.exit_code, str(error)
        except KeyboardInterrupt:
            code, message = Interrupted.exit_code, "stopped before anything was computed"
        except BrokenPipeError:
            # Python flushes once more at the end, and would complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code, message = BROKEN_PIPE, ""
        except MemoryError:
            code, message = OUT_OF_MEMORY, "out of memory; use fewer cells"
        except typer.Exit:
            raise
        except Exception as error:
            if _is_usage_error(error):
                raise
            code, message = BUG, _bug_report()
        else:
            return
        if message:
            typer.echo(message, err=True)
        raise typer.Exit(code)

    return guarded


def _is_usage_error(error: Exception) -> bool:
    """Whether typer itself will tell the user, as it does of wrong options."""
    return isinstance(error, typer.BadParameter)


def _bug_report() -> str:
    import traceback

    return f"{traceback.format_exc()}\n{REPORT}"


def _threads(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise typer.BadParameter(f"{text!r} is not a number of threads: 1, 2, 3, ...")
    return int(text)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"micromag {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Hold the options that come before any command."""


@app.command(short_help="Run a simulation and write its result.", epilog=EXIT_CODES)
@_command
def run(
    file: RunFileArgument,
    set_: SetOption = None,
    output: OutputOption = None,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    threads: Annotated[
        int | None,
        typer.Option(
            "--threads", metavar="N", parser=_threads, help="Threads on the CPU; all by default."
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            "--scheduler",
            metavar="ADDRESS",
            help="Of a sweep: compute on the workers of this Dask scheduler, e.g. tcp://host:8786.",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Move an existing result aside.")
    ] = False,
    skip_existing: Annotated[
        bool, typer.Option("--skip-existing", help="Do nothing where there is a result.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Of a sweep: compute failed replicas again.")
    ] = False,
    allow_custom_code: CustomCodeOption = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Say what was found in the end, and no more.")
    ] = False,
) -> None:
    """Run a simulation and write its result to runs/<name of the file>/run.vtkhdf.

    Of a run file with a sweep it computes every replica, many at a time, and collects their tables in
    sweep.h5; run again after it was stopped, it goes on with what is left.

    An existing result is never touched. The first Ctrl-C ends the run after the step in hand and
    leaves a valid file; a second one ends it at once.
    """
    if overwrite and skip_existing:
        raise typer.BadParameter("--overwrite and --skip-existing exclude each other")
    from micromag.stopping import StopRequest

    with StopRequest() as stop:
        config = _load(file, set_, output, device, precision).allowing_custom_code(
            allow_custom_code
        )
        from micromag.permission import require_permission
        from micromag.preview import expected_kind
        from micromag.progress import reporter_for
        from micromag.sweep_preview import check_replicas, replica_warnings

        require_permission(config)
        check_replicas(config, expected_kind(config))
        from micromag.job import run_job

        with reporter_for(sys.stdout, quiet=quiet) as reporter:
            for sentence in replica_warnings(config, running=True):
                reporter.warning(sentence)
            result = run_job(
                config,
                overwrite=overwrite,
                skip_existing=skip_existing,
                retry_failed=retry_failed,
                threads=threads,
                scheduler=scheduler,
                reporter=reporter,
                stop=stop,
            )
    for sentence in result.sentences:
        _say(sentence)
    if result.path is not None and not quiet:
        _say(f"The result is in {os.path.relpath(result.path)}")
    if result.error is not None:
        raise result.error


@app.command(short_help="Check a run file and show what would happen.", epilog=EXIT_CODES)
@_command
def validate(
    file: RunFileArgument,
    set_: SetOption = None,
    output: OutputOption = None,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    allow_custom_code: CustomCodeOption = False,
) -> None:
    """Check a run file and show what would happen, without computing anything.

    Expressions of custom terms are shown; with --allow-custom-code they are compiled and checked, too.
    """
    config = _load(file, set_, output, device, precision).allowing_custom_code(allow_custom_code)
    from micromag.preview import preview

    _say(preview(config))
    if allow_custom_code:
        from micromag.custom_check import compile_and_check

        compile_and_check(config)


@app.command(short_help="Show what is in a result.", epilog=EXIT_CODES)
@_command
def info(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A result (.vtkhdf, sweep.h5), or its folder."),
    ],
    config: Annotated[
        bool, typer.Option("--config", help="Print the resolved run file that made the result.")
    ] = False,
) -> None:
    """Show what is in a result."""
    from micromag.output.runfile import RunFile
    from micromag.output.sweep_file import SweepFile, is_sweep

    result = SweepFile(file) if is_sweep(file) else RunFile(file)
    _say(result.config_text.rstrip("\n") if config else result.summary())


@app.command(short_help="Check this machine: GPU, compiler, caches, self-test.", epilog=EXIT_CODES)
@_command
def doctor() -> None:
    """Check this machine: GPU, compiler, caches, and a self-test of about a second."""
    from micromag.doctor import examine

    if not examine(_say):
        raise typer.Exit(4)


@app.command(short_help="Tell what may stand in a run file.", epilog=EXIT_CODES)
@_command
def describe(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="A term, shape, recipe, waveform, column, ..."),
    ] = None,
) -> None:
    """Tell what may stand in a run file: every name, or all about one of them."""
    from micromag.reference import describe, overview

    _say(overview() if name is None else describe(name))


@app.command(short_help="Print the JSON schema of the run file.", epilog=EXIT_CODES)
@_command
def schema() -> None:
    """Print the JSON schema of the run file, for editors."""
    from micromag.config import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))


add_plot_commands(app, _command)
add_analyze_commands(app, _command, lambda *values: _load(*values))


def _say(text: str) -> None:
    """Write to standard output, without what would steer a terminal."""
    from micromag.progress import printable

    typer.echo(printable(text))


def _load(
    file: Path,
    overrides: list[str] | None,
    output: str | None,
    device: str | None,
    precision: str | None,
) -> RunConfig:
    """Return the run file with all that the command line replaces; options are texts, never YAML."""
    from micromag.config import load_config

    options = (
        ("-o", "output.directory", output),
        ("--device", "device", device),
        ("--precision", "precision", precision),
    )
    given = [(o, f"{key}={json.dumps(value)}") for o, key, value in options if value is not None]
    return load_config(file, [*(overrides or ()), *given])
