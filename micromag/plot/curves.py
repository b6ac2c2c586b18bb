"""What figures of curves over a sweep share: the label of the abscissa, and the legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from micromag.plot.velocity_figure import COLORS, SOFT

if TYPE_CHECKING:
    from matplotlib.lines import Line2D

NAMES = {"V": "voltage $V$", "A/m^2": "current density $J$", "T": "field"}
"""What an abscissa in this unit is."""
SCALES = {"T": (1e-3, "mT"), "V": (1.0, "V")}


def abscissa_label(unit: str, name: str, values: Sequence[float]) -> tuple[float, str]:
    """Return by how much an abscissa is shown smaller, and its label."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    quantity = NAMES.get(unit, name.replace("_", " "))
    if unit == "A/m^2" and largest > 0:
        power = math.floor(math.log10(largest))
        return 10.0**power, rf"{quantity} ($10^{{{power}}}$ A/m$^2$)"
    scale, shown = SCALES.get(unit, (1.0, unit))
    return scale, f"{quantity} ({shown})" if shown else quantity


def legend_entry(label: str, **style: Any) -> Line2D:
    """Return an entry of a legend that stands for no line of the figure."""
    from matplotlib.lines import Line2D

    return Line2D([], [], label=label, **{"color": SOFT, "markersize": 5, **style})


def curve_entries(labels: Sequence[str]) -> list[Line2D]:
    """Return an entry for every curve that has a label, in its colour."""
    return [
        legend_entry(label, color=COLORS[i % len(COLORS)], marker="o", linestyle="none")
        for i, label in enumerate(labels)
        if label
    ]
