"""Columns of the table against time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micromag.errors import ConfigError
from micromag.plot.writing import new_figure
from micromag.suggest import did_you_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from micromag.output.runfile import RunFile

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", ":", "-.")
FAINT = (0.7, 0.7, 0.7)
PREFIXES = {
    -21: "z", -18: "a", -15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"
}  # fmt: skip
PREFIXED = ("m", "s", "T", "J", "m/s", "A/m", "J/m^3", "Hz")
"""Units that take a prefix."""
MOST_NAMED = 12
"""A legend of more lines than this is left out; the runs then go from dark to light."""


def table_plot(runs: Mapping[str, RunFile], columns: Sequence[str]) -> Figure:
    """Return a figure of columns against t: a panel per unit, a line per column and run.

    Parameters
    ----------
    runs
        Results by what the legend calls them; the empty name for a single one.
    columns
        Columns of the table.

    Raises
    ------
    ConfigError
        A table has no such column.
    MissingLibraryError
        matplotlib is not installed.
    """
    for run in runs.values():
        _check_columns(run, columns)
    first = next(iter(runs.values()))
    units = list(dict.fromkeys(first.units[name] for name in columns))
    figure = new_figure(6.4, 1.2 + 2.0 * len(units))
    panels = figure.subplots(len(units), 1, sharex=True, squeeze=False)[:, 0]
    for axes, unit in zip(panels, units, strict=True):
        _draw_panel(axes, runs, [name for name in columns if first.units[name] == unit], unit)
    panels[-1].set_xlabel("$t$ (ns)")
    return figure


def _check_columns(run: RunFile, columns: Sequence[str]) -> None:
    for name in columns:
        if name not in run.table:
            raise ConfigError(
                f"the table has no column {name!r}{did_you_mean(name, run.table)}",
                where=str(run.path),
                allowed=", ".join(run.table),
            )


def _draw_panel(axes: Axes, runs: Mapping[str, RunFile], columns: Sequence[str], unit: str) -> None:
    scale, shown = _prefixed([run.table[name] for run in runs.values() for name in columns], unit)
    several = len(runs) * len(columns) > 1
    colors = _colors(len(runs) if len(runs) > 1 else len(columns))
    for i, (label, run) in enumerate(runs.items()):
        for k, name in enumerate(columns):
            text = ", ".join(part for part in (label, name if len(columns) > 1 else "") if part)
            values = _unbroken(run.table[name], unit) / scale
            axes.plot(
                run.table["t"] * 1e9, values, linewidth=1.1, label=text,
                color=colors[i if len(runs) > 1 else k],
                linestyle=DASHES[k % len(DASHES)] if len(runs) > 1 else "-",
            )  # fmt: skip
        if len(runs) == 1 and "stage" in run.table:
            for row in np.flatnonzero(np.diff(run.table["stage"]) > 0):
                axes.axvline(run.table["t"][row] * 1e9, color=FAINT, linewidth=0.6, zorder=0)
    named = several and len(runs) * len(columns) <= MOST_NAMED
    if named:
        axes.legend(fontsize=7.5, frameon=False)
    axes.set_ylabel(_label(columns, shown, named))
    axes.margins(x=0)
    axes.tick_params(direction="in", right=True, top=True)


def _label(columns: Sequence[str], unit: str, named: bool) -> str:
    """Return what the values are: names that are in the legend leave only their unit."""
    if len(columns) > 1 and named:
        return unit or "value"
    if len(columns) > 1:
        return f"{columns[0]}, ...\n({unit})" if unit else f"{columns[0]}, ..."
    return f"{columns[0]} ({unit})" if unit else columns[0]


def _colors(count: int) -> list[Any]:
    """Return as many colours: of a palette, or along a scale from dark to light."""
    if count <= len(COLORS):
        return list(COLORS[:count])
    from matplotlib import colormaps

    return [colormaps["viridis"](part) for part in np.linspace(0, 0.92, count)]


def _unbroken(values: NDArray[Any], unit: str) -> NDArray[np.float64]:
    """Return values without the lines across the panel where an angle goes round."""
    shown = np.array(values, dtype=np.float64)
    if unit == "rad":
        shown[1:][np.abs(np.diff(values)) > np.pi] = np.nan
    return shown


def _prefixed(values: Sequence[NDArray[Any]], unit: str) -> tuple[float, str]:
    """Return by how much values are shown smaller, and their unit with its prefix."""
    known = np.concatenate([np.abs(v[np.isfinite(v)]) for v in values])
    largest = float(known.max(initial=0.0))
    if unit not in PREFIXED or largest == 0:
        return 1.0, unit
    power = int(np.clip(3 * math.floor(math.log10(largest) / 3), min(PREFIXES), max(PREFIXES)))
    return 10.0**power, PREFIXES[power] + unit
