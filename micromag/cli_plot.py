"""The command ``micromag plot``: pictures of finished results.

Everything heavy is imported inside the command that needs it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from micromag.errors import ConfigError, UnreadableInputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from micromag.output.runfile import RunFile
    from micromag.output.sweep_file import SweepFile

Guard = Callable[[Callable[..., None]], Callable[..., None]]
"""Turns what goes wrong in a command into a message and an exit code."""

ResultArgument = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="A result (.vtkhdf), or the folder of one.", show_default=False
    ),
]
PictureOption = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", metavar="FILE",
        help="The picture: .png, .pdf or .svg, with its numbers as .csv; by default beside the result.",
    ),
]  # fmt: skip


def add_plot_commands(app: typer.Typer, guard: Guard) -> None:
    """Add ``plot`` and its commands to the command line.

    Parameters
    ----------
    app
        The command line.
    guard
        Wraps each command.
    """
    plot = typer.Typer(
        name="plot",
        help="Make pictures: of results, velocity, map, xt, table; of run files, spin-hall-angle.",
        epilog=app.info.epilog,  # the exit codes
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    for command in (velocity, map_, xt, table, spin_hall_angle):
        short = (command.__doc__ or "").partition("\n")[0]
        name = command.__name__.rstrip("_").replace("_", "-")
        plot.command(name=name, short_help=short, epilog=app.info.epilog)(guard(command))
    app.add_typer(plot, name="plot")


def velocity(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder of a sweep.", show_default=False)
    ],
    against: Annotated[
        str | None,
        typer.Option(
            "--against", metavar="KEY", help="Swept key of the abscissa, torques.zhang_li.J[0]."
        ),
    ] = None,
    after: Annotated[
        str | None,
        typer.Option("--after", metavar="TIME", help="Start of the fit in its stage, '2 ns'."),
    ] = None,
    stage: Annotated[
        int | None, typer.Option("--stage", min=0, help="Number of the stage, from 0.")
    ] = None,
    part: Annotated[
        str | None, typer.Option("--part", metavar="NAME", help="Region or layer of the wall.")
    ] = None,
    output: PictureOption = None,
) -> None:
    """Plot a sweep's wall velocities beside the one-dimensional model.

    What the run file says under analysis.wall_velocity holds unless it is given here. A CSV with
    the same numbers is written beside the picture.
    """
    from micromag.output.folder import result_in
    from micromag.output.sweep_file import SweepFile, is_sweep

    if not is_sweep(folder) and result_in(folder).suffix == ".vtkhdf":
        raise ConfigError(
            "this is one run, not a sweep: it has one velocity and nothing to plot it against",
            where=str(folder),
            next_step="`micromag plot table` shows the wall's way in time; analysis.wall_velocity "
            "in the run file gives its velocity",
        )
    picture = _picture(output, folder / "velocity.png" if folder.is_dir() else None, folder)
    sweep = SweepFile(folder)
    analysis = _analysis(sweep, {"against": against, "after": after, "stage": stage, "part": part})
    for sentence in analysis.write(sweep, picture):
        _say(sentence)


def map_(
    file: ResultArgument,
    snapshot: Annotated[
        list[int] | None,
        typer.Option("--snapshot", metavar="K", help="Its number, -1 the last; repeatable."),
    ] = None,
    time: Annotated[
        list[str] | None,
        typer.Option("--time", metavar="TIME", help="The nearest to '1.5 ns'; repeatable."),
    ] = None,
    layer: Annotated[
        int | None, typer.Option("--layer", metavar="Z", min=0, help="Layer of cells, from 0.")
    ] = None,
    output: PictureOption = None,
) -> None:
    """Plot the magnetization: hue is its direction in the plane, lightness m_z.

    By default the last snapshot and the middle layer.
    """
    run, picture = _opened(file, output, "map")
    from micromag.plot.magnetization_map import magnetization_map

    if layer is not None and layer >= run.mesh.cells[2]:
        allowed = f"0 to {run.mesh.cells[2] - 1}"
        raise ConfigError("there is no such layer", where="--layer", value=layer, allowed=allowed)
    chosen = [*(snapshot or []), *(_nearest(run, text) for text in time or [])] or [-1]
    _write(magnetization_map(run, chosen, layer), picture)


def xt(
    file: ResultArgument,
    component: Annotated[
        str | None,
        typer.Option("--component", metavar="AXIS", help="x, y or z; by default the wall's."),
    ] = None,
    output: PictureOption = None,
) -> None:
    """Plot a component of m, averaged over y and z, against x and t, with the wall on it."""
    if component not in (None, "x", "y", "z"):
        raise ConfigError(
            "there is no such component", where="--component", value=component, allowed="x, y, z"
        )
    run, picture = _opened(file, output, "xt")
    from micromag.plot.xt_map import xt_map, xt_values

    figure = xt_map(run, component)
    axis, times, places, values = xt_values(run, component)
    head = [f"t (s) \\ m_{'xyz'[axis]} at x (m) =", *(f"{x:.9g}" for x in places)]
    _write(figure, picture, head, ([t, *row] for t, row in zip(times, values, strict=True)))


def table(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A result (.vtkhdf), or the folder of one or of a sweep.",
            show_default=False,
        ),
    ],
    columns: Annotated[
        list[str], typer.Argument(metavar="COLUMN...", help="Columns.", show_default=False)
    ],
    output: PictureOption = None,
) -> None:  # fmt: skip
    """Plot columns of the table against time, those of one unit in one panel."""
    from micromag.output.runfile import RunFile
    from micromag.output.sweep_file import SWEEP_RESULT, SweepFile
    from micromag.plot.table_plot import table_plot

    if file.name == SWEEP_RESULT or (file.is_dir() and (file / SWEEP_RESULT).exists()):
        sweep = SweepFile(file)
        there = [replica for replica in sweep.replicas if replica.path.exists()]
        runs = {replica.label: RunFile(replica.path) for replica in there}
        if not runs:
            raise UnreadableInputError("no replica has a result yet", where=str(file))
        picture = _picture(output, sweep.folder / "table.png", sweep.folder)
    else:
        run, picture = _opened(file, output, "table")
        runs = {"": run}
    figure = table_plot(runs, columns)
    names = ["t", *(name for name in columns if name != "t")]
    units = next(iter(runs.values())).units
    head = [f"{name} ({units[name]})" if units[name] else name for name in names]
    rows = [
        [*([label] if label else []), *row]
        for label, run in runs.items()
        for row in zip(*(run.table[name] for name in names), strict=True)
    ]
    _write(figure, picture, [*(["replica"] if "" not in runs else []), *head], rows)


def spin_hall_angle(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A run file (YAML).", show_default=False)
    ],
    output: PictureOption = None,
) -> None:
    """Plot the spin Hall angle of a run file's heavy metals against temperature, by mechanism."""
    from micromag.config import load_config
    from micromag.plot.spin_hall_plot import angle_values, in_words, spin_hall_plot
    from micromag.terms import unique_names
    from micromag.transport.spin_hall import MechanismAngle

    torques = load_config(file).torques
    names = unique_names([key for key, _ in torques])
    given = {n: getattr(t, "theta_sh", None) for n, (_, t) in zip(names, torques, strict=True)}
    angles = {n: angle for n, angle in given.items() if isinstance(angle, MechanismAngle)}
    if not angles:
        raise ConfigError(
            "no torque of this run file has a spin Hall angle by mechanisms",
            where=str(file),
            allowed="torques.spin_orbit.theta_sh: {model: combined, sigma_int: ..., rho: ...}",
        )
    picture = _picture(output, file.with_name(f"{file.stem}_spin_hall_angle.png"), file)
    tables = {name: angle_values(angle) for name, angle in angles.items()}
    columns = next(iter(tables.values()))
    head = ["torque", *({"T": "T (K)", "rho": "rho (Ohm m)"}.get(c, c) for c in columns)]
    rows = ([n, *row] for n, table in tables.items() for row in zip(*table.values(), strict=True))
    for name, angle in angles.items():
        _say(in_words(name, angle))
    _write(spin_hall_plot(angles), picture, head, rows)


# ---------------------------------------------------------------------------------- helpers


def _analysis(sweep: SweepFile, options: dict[str, Any]) -> Any:
    """Return the analysis as the sweep's run file has it, with what the command line replaces."""
    import yaml
    from pydantic import ValidationError

    from micromag.analysis import ANALYSES

    key = "wall_velocity"
    stored = (yaml.safe_load(sweep.config_text) or {}).get("analysis") or {}
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return ANALYSES.get(key).model_validate({**(stored.get(key) or {}), **given})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        raise ConfigError(
            str(first["msg"]),
            where=f"--{name}",
            value=given.get(name),
            allowed=first.get("ctx", {}).get("allowed"),
        ) from None


def _opened(file: Path, output: Path | None, kind: str) -> tuple[RunFile, Path]:
    """Return a result and the path of its picture, by default ``<result>_<kind>.png``."""
    from micromag.output.runfile import RunFile

    run = RunFile(file)
    return run, _picture(output, run.path.with_name(f"{run.path.stem}_{kind}.png"), file)


def _picture(output: Path | None, default: Path | None, where: Path) -> Path:
    """Return where a picture goes; whatever would fail after the work is refused before it."""
    from micromag.plot.writing import check_ending, require_matplotlib

    if output is None and default is None:
        default = where.with_name("velocity.png")
    picture = check_ending(output if output is not None else default or where)
    if not picture.parent.is_dir():
        where_from = "-o" if output is not None else str(where)
        raise ConfigError("no such folder", where=where_from, value=str(picture.parent))
    require_matplotlib()
    return picture


def _nearest(run: RunFile, text: str) -> int:
    """Return the number of the snapshot nearest to a time such as ``1.5 ns``."""
    import numpy as np

    from micromag.units import UnitError, to_si

    try:
        t = to_si(text, "s")
    except UnitError as error:
        raise ConfigError(
            str(error), where="--time", value=text, allowed="a time: 1.5 ns"
        ) from None
    if not len(run):
        raise UnreadableInputError("there is no snapshot", where=str(run.path))
    # Of the snapshots of one instant the last shows what came of it.
    away = np.abs(run.times - t)
    nearest = int(np.flatnonzero(away <= away.min() + 1e-13)[-1])
    steps = np.diff(run.times)
    apart = steps[steps > 1e-13]
    if away[nearest] > (float(np.median(apart)) / 2 if len(apart) else 0.0) + 1e-13:
        taken = f"the nearest is of {run.times[nearest] * 1e9:.5g} ns"
        _say(f"There is no snapshot at {t * 1e9:.5g} ns: {taken}, and is shown.")
    return nearest


def _write(
    figure: Figure, picture: Path, head: Sequence[str] = (), rows: Iterable[Sequence[Any]] = ()
) -> None:
    """Write a picture, and what it shows beside it as a CSV if there is a head for one."""
    from micromag.plot.writing import write_figure, write_rows

    write_figure(figure, picture)
    text = f"The picture is {os.path.relpath(picture)}"
    if head:
        numbers = picture.with_suffix(".csv")
        write_rows(numbers, head, rows)
        text += f", its numbers are in {os.path.relpath(numbers)}"
    _say(text)


def _say(text: str) -> None:
    """Write to standard output, without what would steer a terminal."""
    from micromag.progress import printable

    typer.echo(printable(text))
