"""The command ``micromag analyze``: tests of the physics of a run file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from micromag.config import RunConfig

Guard = Callable[[Callable[..., None]], Callable[..., None]]
"""Turns what goes wrong in a command into a message and an exit code."""
Load = Callable[[Path, list[str] | None, str | None, str | None, str | None], "RunConfig"]
"""Returns a run file with what the command line replaces: --set, output, device, precision."""


def add_analyze_commands(app: typer.Typer, guard: Guard, load: Load) -> None:
    """Add ``analyze`` and its commands to the command line.

    Parameters
    ----------
    app
        The command line.
    guard
        Wraps each command.
    load
        Reads run files.
    """
    analyze = typer.Typer(
        name="analyze",
        help="Test the physics of a run file: time-reversal.",
        epilog=app.info.epilog,  # the exit codes
        no_args_is_help=True,
        rich_markup_mode=None,
    )

    @analyze.callback()
    def _top() -> None:
        """Keep the name of the command, though there is just one."""

    @analyze.command(
        name="time-reversal",
        short_help="Tell reactive from dissipative torques by reversing time.",
        epilog=app.info.epilog,
    )
    @guard
    def reversal(
        file: Annotated[
            Path, typer.Argument(metavar="FILE", help="The run file (YAML).", show_default=False)
        ],
        set_: Annotated[
            list[str] | None,
            typer.Option("--set", metavar="KEY=VALUE", help="Replace a value; repeatable."),
        ] = None,
        for_: Annotated[
            str | None,
            typer.Option("--for", metavar="TIME", help="Time of one way, '0.5 ns'."),
        ] = None,
        tolerance: Annotated[
            float | None,
            typer.Option("--tolerance", metavar="NUMBER", help="Distance that counts as none."),
        ] = None,
        device: Annotated[
            str | None,
            typer.Option("--device", metavar="NAME", help="auto, cpu, cuda, cuda:1, ..."),
        ] = None,
        allow_custom_code: Annotated[
            bool,
            typer.Option("--allow-custom-code", help="Compile the expressions of custom terms."),
        ] = False,
    ) -> None:
        """Tell reactive from dissipative torques by reversing time.

        The magnet runs without damping as the first run stage says, then m and all that is odd under
        time reversal change sign (fields, currents, polarisations), waveforms run backwards, and it
        runs as long once more: with each torque alone, and with all. Under reactive torques (field-
        like, adiabatic) m comes back to the start; under dissipative ones (damping-like,
        non-adiabatic) it does not.

        Nothing is written. A run with noise, a moving window or a sweep is refused.
        """
        from micromag.time_reversal import TOLERANCE, TimeReversal

        config = load(file, set_, None, device, None).allowing_custom_code(allow_custom_code)
        chosen: dict[str, Any] = {
            "duration": None if for_ is None else _seconds(for_),
            "tolerance": TOLERANCE if tolerance is None else tolerance,
        }
        test = TimeReversal(config, **chosen)
        found = test.run(lambda name: typer.echo(f"there and back: {name}", err=True))
        for line in found.lines():
            typer.echo(line)

    app.add_typer(analyze, name="analyze")


def _seconds(text: str) -> float:
    from micromag.units import UnitError, to_si

    try:
        seconds = to_si(text, "s")
    except UnitError as error:
        raise typer.BadParameter(f"--for: {error}") from None
    if not seconds > 0:
        raise typer.BadParameter(f"--for: {text} is no time of one way: more than 0 s")
    return seconds
