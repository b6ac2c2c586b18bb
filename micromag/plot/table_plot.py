"""Columns of the table against time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from micromag.errors import ConfigError
from micromag.plot.writing import new_figure
from micromag.suggest import did_you_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from micromag.output.runfile import RunFile

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
PREFIXES = {-12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
PREFIXED = ("m", "s", "T", "J", "m/s", "A/m", "J/m^3", "Hz")
"""Units that take a prefix."""
MOST_NAMED = 12
"""A legend of more runs than this is left out."""


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
    number = 0
    for label, run in runs.items():
        t = run.table["t"] * 1e9
        for name in columns:
            text = ", ".join(part for part in (label, name if len(columns) > 1 else "") if part)
            color = COLORS[number % len(COLORS)]
            dashes = (None, None) if number < len(COLORS) else (4, 1 + number // len(COLORS))
            axes.plot(
                t, run.table[name] / scale, color=color, linewidth=1.1, label=text, dashes=dashes
            )
            number += 1
        if len(runs) == 1 and "stage" in run.table:
            for k in np.flatnonzero(np.diff(run.table["stage"]) > 0):
                axes.axvline(t[k], color=(0.7, 0.7, 0.7), linewidth=0.6, zorder=0)
    what = columns[0] if len(columns) == 1 else ""
    axes.set_ylabel(f"{what} ({shown})".strip() if shown else what)
    if 1 < number <= MOST_NAMED:
        axes.legend(fontsize=7.5, frameon=False)
    axes.margins(x=0)
    axes.tick_params(direction="in", right=True, top=True)


def _prefixed(values: Sequence[np.ndarray], unit: str) -> tuple[float, str]:
    """Return by how much values are shown smaller, and their unit with its prefix."""
    known = np.concatenate([np.abs(v[np.isfinite(v)]) for v in values])
    largest = float(known.max(initial=0.0))
    if unit not in PREFIXED or largest == 0:
        return 1.0, unit
    power = int(np.clip(3 * math.floor(math.log10(largest) / 3), min(PREFIXES), max(PREFIXES)))
    return 10.0**power, PREFIXES[power] + unit
