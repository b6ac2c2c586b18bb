"""Switching against what drives it: where the magnet ends, and the time that it takes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from micromag.plot.curves import abscissa_label, curve_entries, legend_entry
from micromag.plot.velocity_figure import COLORS
from micromag.plot.writing import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from micromag.analysis._switches import Curve, Switches


def switching_figure(found: Switches) -> Figure:
    """Return the figure of a sweep's switching; raises MissingLibraryError.

    Points are the runs, filled where they switched; lines and crosses are the macrospin, dotted
    lines its thresholds.
    """
    figure = new_figure(6.0, 5.2)
    above, below = figure.subplots(2, 1, sharex=True)
    scale, label = abscissa_label(found.unit, found.name, [p.value for p in found.points])
    for i, curve in enumerate(found.curves):
        _draw(above, below, curve, scale, COLORS[i % len(COLORS)])
    name, _, part = found.column.partition("@")
    component = name.replace("m_", "")
    where = f" in {part}" if part else ""
    above.set_ylabel(rf"$\langle m_{component} \rangle${where} at the end")
    above.set_ylim(-1.1, 1.1)
    below.set_ylabel(rf"time to $\langle m_{component} \rangle = 0$ (ns)")
    below.set_ylim(0, 1.08 * below.get_ylim()[1])
    below.set_xlabel(label)
    for axes in (above, below):
        axes.tick_params(direction="in", right=True, top=True)
    figure.legend(handles=_legend(found), fontsize=7.5, frameon=False, loc="outside upper center",
                  ncols=3)  # fmt: skip
    return figure


def _draw(above: Axes, below: Axes, curve: Curve, scale: float, color: str) -> None:
    for p in curve.points:
        if p.found is None:
            continue
        fill = color if p.found.switched else "white"
        x = [p.value / scale]
        above.plot(x, [p.found.end], "o", color=color, markerfacecolor=fill, markersize=5)
        if p.found.switched and math.isfinite(p.found.time):
            below.plot(x, [p.found.time * 1e9], "o", color=color, markersize=5)
    models = [p for p in curve.points if p.model is not None]
    xs = [p.value / scale for p in models]
    above.plot(xs, [p.model.end for p in models if p.model], "x", color="black", markersize=4)
    for sign in (1, -1):
        timed = [
            (p.value / scale, p.model.time * 1e9)
            for p in models
            if p.model and sign * p.value > 0 and p.model.switched
        ]
        if timed:
            below.plot(*zip(*timed, strict=True), "x-", color=color, linewidth=0.8, markersize=4)
    for value in curve.thresholds:
        for axes in (above, below):
            axes.axvline(value / scale, color=color, linewidth=0.9, linestyle=":")


def _legend(found: Switches) -> list[Line2D]:
    handles = curve_entries([curve.label for curve in found.curves])
    handles.append(legend_entry("switched", marker="o", linestyle="none"))
    handles.append(
        legend_entry("not switched", marker="o", linestyle="none", markerfacecolor="white")
    )
    if any(p.model for p in found.points):
        handles.append(legend_entry("macrospin", marker="x", linestyle="none"))
    if any(curve.thresholds for curve in found.curves):
        handles.append(legend_entry("its loss of stability", linestyle=":"))
    return handles
