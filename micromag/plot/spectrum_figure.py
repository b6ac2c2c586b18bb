"""Spectra of a sweep, and the frequency against what drives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from micromag.plot.curves import abscissa_label, curve_entries, legend_entry
from micromag.plot.velocity_figure import COLORS
from micromag.plot.writing import new_figure
from micromag.si_text import si

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from micromag.analysis._oscillations import Oscillations

DECADES = 1e-5
"""Lowest amplitude that is shown, in parts of the highest."""
LEAST = 1e-6
"""Lowest amplitude that is shown at all: single precision knows no lower one."""
SHARE = 1.25
"""How far above the highest frequency the spectra are shown, in parts of it."""


def spectrum_figure(found: Oscillations) -> Figure:
    """Return the figure of a sweep's spectra; raises MissingLibraryError.

    Above all spectra, from the lowest value of what was swept (dark) to the highest (light); below
    the frequencies of the strongest lines, beside those of the macrospin (crosses and lines).
    """
    from matplotlib import colormaps

    figure = new_figure(6.0, 5.6)
    above, below = figure.subplots(2, 1)
    known = [p for p in found.points if p.amplitudes is not None and p.frequencies is not None]
    known.sort(key=lambda p: p.value)
    shades = colormaps["viridis"](np.linspace(0, 0.9, max(len(known), 2)))
    highest = max((p.amplitudes.max() for p in known if p.amplitudes is not None), default=1.0)
    for p, shade in zip(known, shades, strict=False):
        assert p.amplitudes is not None and p.frequencies is not None
        label = si(p.value, found.unit or "1") if found.against else p.label
        label = label.replace("^2", "²")
        above.semilogy(
            p.frequencies[1:] / 1e9, p.amplitudes[1:], color=shade, linewidth=0.9, label=label
        )
    top = max((p.line.frequency for p in known if p.line is not None), default=0.0)
    if top:
        above.set_xlim(0, SHARE * top / 1e9)
    above.set_ylim(max(highest * DECADES, LEAST), 2 * highest)
    above.set_xlabel("frequency (GHz)")
    above.set_ylabel(f"amplitude of {found.column}")
    if len(known) <= 12:
        above.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.02))
    scale, label = abscissa_label(found.unit, found.name, [p.value for p in found.points])
    for i, curve in enumerate(found.curves):
        color = COLORS[i % len(COLORS)]
        lines = [(p.value / scale, p.line.frequency / 1e9) for p in curve.points if p.line]
        still = [p.value / scale for p in curve.points if p.amplitudes is not None and not p.line]
        model = [(p.value / scale, p.model.frequency / 1e9) for p in curve.points if p.model]
        if lines:
            below.plot(*zip(*lines, strict=True), "o", color=color, markersize=5)
        below.plot(
            still, [0.0] * len(still), "o", color=color, markersize=5, markerfacecolor="white"
        )
        if model:
            below.plot(*zip(*model, strict=True), "x-", color="black", linewidth=0.8, markersize=4)
    below.set_ylim(bottom=min(0.0, below.get_ylim()[0]))
    below.set_xlabel(label)
    below.set_ylabel("frequency (GHz)")
    for axes in (above, below):
        axes.tick_params(direction="in", right=True, top=True, which="both")
    below.legend(handles=_legend(found), fontsize=7.5, frameon=False, loc="upper left")
    return figure


def _legend(found: Oscillations) -> list[Line2D]:
    handles = curve_entries([curve.label for curve in found.curves])
    handles.append(legend_entry("strongest line", marker="o", linestyle="none"))
    if any(p.amplitudes is not None and p.line is None for p in found.points):
        handles.append(
            legend_entry("no oscillation", marker="o", linestyle="none", markerfacecolor="white")
        )
    if any(p.model for p in found.points):
        handles.append(legend_entry("macrospin", color="black", marker="x", linewidth=0.8))
    return handles
