"""Velocity of a wall against what drives it: points, model, thresholds, and x(t) of every run."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from micromag.plot.writing import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from micromag.analysis._velocities import Curve, Point, Velocities

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8F7D00")
"""Colours that are told apart by readers with any colour vision."""
MARKERS = "oD^vP*"
AT_REST, CROSS = "s", "x"
"""Markers of walls at rest, and of those that had not settled."""
SYMBOLS = {"A/m^2": "J", "m/s": "u", "T": "B"}
SIGNS = {"alpha": "α", "beta": "β", "theta": "θ", "^2": "²", "^3": "³", " u": " µ"}
"""What is written better in a picture."""
LETTER = 0.0095
"""Half the length of a letter along a line, in parts of the panel."""
BESIDE = 0.04
"""What is written along lines that are closer than this part of the panel must not lie abreast."""
ONE_LINE = 5e-3
"""Thresholds that are closer than this part of the panel are one line, with one label."""
DASHES, DOTS = (4, 2), (1, 1.5)
DEPINNING = (("pinned",), ("steady", "oscillating"))
"""Motions on either side of a depinning threshold."""
SOFT = (0.45, 0.45, 0.45)
WIDTH = 7.2
"""Width of the figure [inches]: two columns of a journal."""
HEIGHT = 4.4
MOST_COLUMNS = 10
"""Thumbnails beside each other."""
MARGIN = 0.55
"""Height of the labels around the thumbnails [inches]."""
THUMBNAIL = 0.86
"""Height of a row of thumbnails [inches]."""
NAMES = {"A/m^2": "current density $J$", "m/s": "drift velocity $u$", "T": "field"}
"""What an abscissa in this unit is."""


def velocity_figure(found: Velocities) -> Figure:
    """Return the figure of a sweep's velocities; raises MissingLibraryError.

    Full markers are steady walls (squares: at rest), open ones the mean over whole periods of walls
    that turn; crosses are walls that had not settled, with bars over the bounds of their mean. Lines
    are the one-dimensional model, dashed with gradients as the mesh takes them.
    """
    rows, columns = _thumbnail_grid(found)
    below = THUMBNAIL * rows + MARGIN if rows else 0.0
    figure = new_figure(WIDTH, HEIGHT + below)
    panels: Any = figure.subfigures(2, 1, height_ratios=(HEIGHT, below)) if rows else [figure]
    _draw_main(panels[0], found)
    if rows:
        _draw_thumbnails(panels[1], found, rows, columns)
    return figure


# ---------------------------------------------------------------------------------- main panel


def _draw_main(figure: Figure | SubFigure, found: Velocities) -> None:
    axes = figure.add_subplot()
    scale, label = _abscissa(found)
    drawn = [p for p in found.points if p.motion is not None and math.isfinite(p.motion.velocity)]
    for i, curve in enumerate(found.curves):
        _draw_curve(axes, curve, scale, *_style(i))
    axes.axhline(0, color=SOFT, linewidth=0.6, zorder=0)
    axes.set_xlabel(label)
    axes.set_ylabel("wall velocity $v$ (m/s)")
    _set_limits(axes, found, scale, [p.motion.velocity for p in drawn if p.motion])
    _mark_thresholds(axes, found, scale)
    if math.isfinite(found.u_per_J) and found.unit == "A/m^2":
        ratio = found.u_per_J * scale
        both: Any = (lambda v: v * ratio, lambda u: u / ratio)
        above = axes.secondary_xaxis("top", functions=both)
        above.set_xlabel("drift velocity $u$ (m/s)")
        above.tick_params(direction="in")
    else:
        axes.tick_params(top=True)
    axes.tick_params(direction="in", right=True)
    handles = _legend(found)
    figure.legend(handles=handles, fontsize=7.5, frameon=False, loc="outside right upper")


def _style(i: int) -> tuple[str, str]:
    """Return colour and marker of a curve."""
    return COLORS[i % len(COLORS)], MARKERS[i // len(COLORS) % len(MARKERS)]


def _abscissa(found: Velocities) -> tuple[float, str]:
    """Return by how much the abscissa is shown smaller, and its label."""
    values = [abs(p.value) for p in found.points if math.isfinite(p.value)]
    largest = max(values, default=0.0)
    name = found.name.replace("_", " ")
    if found.unit == "A/m^2" and largest > 0:
        power = math.floor(math.log10(largest))
        return 10.0**power, rf"{NAMES['A/m^2']} ($10^{{{power}}}$ A/m$^2$)"
    if found.unit == "T":
        return 1e-3, f"{_field_name(found.name)} (mT)"
    if found.unit == "m/s":
        return 1.0, f"{NAMES['m/s']} (m/s)"
    return 1.0, _pretty(f"{name} ({found.unit})" if found.unit not in ("", "1") else name)


def _field_name(name: str) -> str:
    parts = name.split("_")
    indices = ",".join(part for part in parts[1:] if part)
    return f"${parts[0]}_{{\\mathrm{{{indices}}}}}$" if indices else f"${parts[0]}$"


def _draw_curve(axes: Axes, curve: Curve, scale: float, color: str, marker: str) -> None:
    if curve.line.size:
        axes.plot(curve.line[0] / scale, curve.line[1], color=color, linewidth=1.2, zorder=2)
    if curve.mesh_line.size:
        axes.plot(
            curve.mesh_line[0] / scale, curve.mesh_line[1], color=color, linewidth=0.9,
            dashes=DASHES, zorder=2,
        )  # fmt: skip
    for p in curve.points:
        motion = p.motion
        if motion is None or not math.isfinite(motion.velocity):
            continue
        bars: Any = [[motion.error], [motion.error]] if math.isfinite(motion.error) else None
        if motion.kind == "unsettled":
            bars = [
                [max(motion.velocity - motion.lowest, 0)], [max(motion.highest - motion.velocity, 0)]
            ]  # fmt: skip
        crossed, resting = motion.kind in ("unsettled", "lost"), motion.kind == "pinned"
        axes.errorbar(
            [p.value / scale], [motion.velocity], yerr=bars, color=color, capsize=2.5,
            elinewidth=1, marker=AT_REST if resting else CROSS if crossed else marker, markersize=5.5,
            markerfacecolor="white" if motion.kind == "oscillating" else color,
            markeredgewidth=1.2, linestyle="none", zorder=3,
        )  # fmt: skip


def _set_limits(axes: Axes, found: Velocities, scale: float, velocities: Sequence[float]) -> None:
    """Frame the points, with the model's lines as far as they are not much larger."""
    values = [p.value / scale for p in found.points if math.isfinite(p.value)]
    values += [v / scale for c in found.curves for v in c.line[0]]
    if values and max(values) > min(values):
        low, high = min(values), max(values)
        margin = 0.03 * (high - low)
        axes.set_xlim(0.0 if low == 0 else low - margin, 0.0 if high == 0 else high + margin)
    if not velocities:
        return
    low, high = min(0.0, *velocities), max(0.0, *velocities)
    lines = [v for c in found.curves for v in c.line[1]]
    reach = 0.6 * max(high - low, 1e-9)
    low = max(min([low, *lines]), low - reach)
    high = min(max([high, *lines]), high + reach)
    margin = 0.06 * max(high - low, 1e-9)
    # Room for the values of the thresholds, on the side away from the curves.
    axes.set_ylim(low - margin, high + margin)


def _mark_thresholds(axes: Axes, found: Velocities, scale: float) -> None:
    """Mark where the model's walls begin to turn, and between which runs walls come free."""
    name = SYMBOLS.get(found.unit, "x")
    taken = _drawn(axes, found, scale)
    labels: list[tuple[float, float, float]] = []
    width = abs(axes.get_xlim()[1] - axes.get_xlim()[0]) * scale
    marked: list[float] = []
    for i, curve in enumerate(found.curves):
        color, _ = _style(i)
        # A wall that turns at any current has its threshold at the frame.
        for edge in filter(None, curve.breakdowns):
            if any(abs(edge - other) < ONE_LINE * width for other in marked):
                continue
            marked.append(edge)
            axes.axvline(edge / scale, color=color, linewidth=0.9, linestyle=(0, DOTS), zorder=1)
            text = rf"${name}_\mathrm{{W}} = {_short(edge / scale)}$"
            _write(axes, edge / scale, text, color, taken, labels)
        for low, high in curve.bracket(*DEPINNING):
            axes.axvspan(low / scale, high / scale, color=color, alpha=0.07, linewidth=0, zorder=0)
            between = rf"{_short(low / scale)}\,\mathrm{{to}}\,{_short(high / scale)}"
            text = rf"${name}_\mathrm{{dep}} = {between}$"
            # Towards the low end: the model's threshold is likely to lie in the middle.
            _write(axes, (low + 0.2 * (high - low)) / scale, text, color, taken, labels)


def _drawn(axes: Axes, found: Velocities, scale: float) -> list[tuple[float, float]]:
    """Return places that lines and points cover, in parts of the panel."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    lines = [np.empty((2, 0))]
    for curve in found.curves:
        for line in (curve.line, curve.mesh_line):
            if line.size:
                fine = np.linspace(line[0, 0], line[0, -1], 400)
                lines.append(np.array([fine, np.interp(fine, *line)]))
        moving = [(p.value, p.motion) for p in curve.points if p.motion is not None]
        for name in ("velocity", "lowest", "highest"):
            pairs = [(value, getattr(motion, name)) for value, motion in moving]
            lines.append(np.array(pairs).reshape(-1, 2).T)
    x, y = np.concatenate(lines, axis=1)
    places = np.stack([(x / scale - left) / (right - left), (y - low) / (high - low)], axis=1)
    return [(float(a), float(b)) for a, b in places if np.isfinite([a, b]).all()]


def _write(
    axes: Axes, x: float, text: str, color: str, taken: list[tuple[float, float]],
    labels: list[tuple[float, float, float]],
) -> None:  # fmt: skip
    """Write along a vertical line, where there is most room: not beside another label."""
    left, right = axes.get_xlim()
    part = (x - left) / (right - left)
    beside = np.array([y for a, y in taken if abs(a - part) < 0.025])
    half = LETTER * len(re.sub(r"\\mathrm|[\\${}_ ]", "", text))
    spots = np.linspace(half + 0.02, 0.98 - half, 39)
    abreast = [(b, length) for a, b, length in labels if abs(a - part) < BESIDE]
    free = [s for s in spots if all(abs(s - b) > half + length for b, length in abreast)]
    spots = np.array(free) if free else spots
    room = np.abs(spots[:, None] - beside).min(axis=1) if len(beside) else np.ones(len(spots))
    y = float(spots[room.argmax()])
    labels.append((part, y, half))
    taken += [(part, y + shift) for shift in np.linspace(-half, half, 9)]
    axes.annotate(
        text, (x, y), xycoords=("data", "axes fraction"), rotation=90, color=color, fontsize=7.5,
        ha="center", va="center", zorder=4,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85},
    )  # fmt: skip


def _pretty(text: str) -> str:
    for plain, sign in SIGNS.items():
        text = text.replace(plain, sign)
    return text


def _short(value: float) -> str:
    return f"{value:.3g}"


def _legend(found: Velocities) -> list[Any]:
    """Return the entries of the legend: the curves, then what points and lines mean."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = []
    if len(found.curves) > 1:
        for i, curve in enumerate(found.curves):
            color, marker = _style(i)
            handles.append(
                Line2D([], [], color=color, marker=marker, markersize=5, label=_pretty(curve.label))
            )
    kinds = {p.motion.kind for p in found.points if p.motion}

    def point(marker: str, label: str, **more: Any) -> None:
        handles.append(
            Line2D(
                [], [], marker=marker, label=label, color=SOFT, linestyle="none", markersize=5.5,
                markeredgewidth=1.2, **more,
            )
        )  # fmt: skip

    def line(label: str, **style: Any) -> None:
        handles.append(Line2D([], [], color=SOFT, label=label, **style))

    if "steady" in kinds:
        point("o", "steady")
    if "pinned" in kinds:
        point(AT_REST, "at rest")
    if "oscillating" in kinds:
        point("o", "mean over\nwhole periods", markerfacecolor="white")
    if kinds & {"unsettled", "lost"}:
        point(CROSS, "not settled;\nbounds of the mean")
    if any(curve.line.size for curve in found.curves):
        line("one-dimensional\nmodel", linewidth=1.2)
    if any(curve.mesh_line.size for curve in found.curves):
        line("the same with the\nmesh's gradients", linewidth=0.9, dashes=DASHES)
    if any(curve.breakdowns for curve in found.curves):
        line("its Walker\nbreakdown", linewidth=0.9, linestyle=(0, DOTS))
    if any(curve.bracket(*DEPINNING) for curve in found.curves):
        handles.append(Patch(color=SOFT, alpha=0.2, linewidth=0, label="depinning"))
    return handles


# ---------------------------------------------------------------------------------- thumbnails


def _thumbnail_grid(found: Velocities) -> tuple[int, int]:
    """Return rows and columns of the thumbnails: a curve begins a new row."""
    counts = [len(_tracked(curve)) for curve in found.curves]
    most = max(counts, default=0)
    if not most:
        return 0, 0
    columns = math.ceil(most / math.ceil(most / MOST_COLUMNS))
    return sum(math.ceil(n / columns) for n in counts), columns


def _tracked(curve: Curve) -> list[Point]:
    return [p for p in curve.points if p.track is not None and np.isfinite(p.track.x).any()]


def _draw_thumbnails(figure: SubFigure, found: Velocities, rows: int, columns: int) -> None:
    grid = figure.subplots(rows, columns, squeeze=False)
    scale, label = _abscissa(found)
    for axes in grid.flat:
        axes.set_visible(False)
    row = 0
    for i, curve in enumerate(found.curves):
        color = COLORS[i % len(COLORS)]
        points = _tracked(curve)
        for k, p in enumerate(points):
            axes = grid[row + k // columns, k % columns]
            axes.set_visible(True)
            _draw_track(axes, p, _short(p.value / scale), color)
        row += math.ceil(len(points) / columns)
    figure.suptitle(f"position of every wall; above each, {label}", fontsize=8, x=0.02, ha="left")
    figure.supxlabel("time $t$ (ns)", fontsize=8)
    figure.supylabel("position $x$ (nm)", fontsize=8)


def _draw_track(axes: Axes, p: Point, title: str, color: str) -> None:
    """Draw x(t), with a straight line of the velocity over the rows that it was taken from."""
    assert p.track is not None
    t, x = p.track.t * 1e9, p.track.x * 1e9
    axes.plot(t, x, color=color, linewidth=0.9)
    motion = p.motion
    if motion is not None and math.isfinite(motion.velocity):
        span = (p.track.t >= motion.begin) & (p.track.t <= motion.end) & np.isfinite(x)
        if span.any():
            ends = np.array([motion.begin, motion.end]) * 1e9
            middle, height = t[span].mean(), x[span].mean()
            axes.plot(
                ends, height + motion.velocity * (ends - middle), color="black", linewidth=0.7,
                dashes=(3, 2),
            )  # fmt: skip
    known = x[np.isfinite(x)]
    low, high = float(known.min()), float(known.max())
    if high - low < 1:
        low, high = (low + high) / 2 - 0.5, (low + high) / 2 + 0.5
    axes.set_ylim(low - 0.08 * (high - low), high + 0.08 * (high - low))
    axes.set_xlim(0, t[-1] if t[-1] > 0 else 1)
    axes.locator_params(axis="x", nbins=3)
    axes.locator_params(axis="y", nbins=3)
    axes.tick_params(labelsize=6, direction="in", length=2, pad=1.5)
    axes.set_title(title, fontsize=6.5, color=color, pad=2)
