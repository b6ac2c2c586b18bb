"""x-t maps: one component of m, averaged over y and z, against place and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from micromag.errors import UnreadableInputError
from micromag.plot.writing import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from micromag.output.runfile import RunFile

LEAST_SNAPSHOTS = 3
INSTANT = 1e-13
"""Snapshots closer than this [s] show one instant."""
WALL = "#D55E00"
"""Colour of the wall's position."""
OUTSIDE = (0.62, 0.72, 0.82)
"""Colour of places that a moving window has not come to, or has left."""


def xt_map(run: RunFile, component: str | None = None) -> Figure:
    """Return a map of a component of m against x (to the right) and t (upwards), from all snapshots.

    Places are in the laboratory: a moving window's way is added. The table's ``wall_position``,
    where there is one, is drawn on it.

    Parameters
    ----------
    run
        A result with snapshots of m.
    component
        ``x``, ``y`` or ``z``; by default that which differs most between the ends, as along a wall.

    Raises
    ------
    UnreadableInputError
        There are fewer than three snapshots of m.
    MissingLibraryError
        matplotlib is not installed.
    """
    axis, times, x, values = xt_values(run, component)
    figure = new_figure(5.2, 4.2)
    axes = figure.add_subplot()
    from matplotlib import colormaps

    shades = colormaps["gray"].with_extremes(bad=OUTSIDE)
    drawn = axes.pcolormesh(
        _edges(x * 1e9), _edges(times * 1e9), np.ma.masked_invalid(values), cmap=shades, vmin=-1,
        vmax=1, rasterized=True,
    )  # fmt: skip
    bar = figure.colorbar(drawn, ax=axes, aspect=30, pad=0.02)
    bar.set_label(rf"$\langle m_{'xyz'[axis]} \rangle_{{yz}}$")
    if "wall_position" in run.table:
        t, position = run.table["t"], run.table["wall_position"]
        axes.plot(position * 1e9, t * 1e9, color=WALL, linewidth=1.2, label="wall position")
        axes.legend(fontsize=8, loc="best", framealpha=0.85)
    axes.set(xlabel="$x$ (nm)", ylabel="$t$ (ns)")
    axes.set_xlim(*_edges(x * 1e9)[[0, -1]])
    axes.set_ylim(0.0 if times[0] < INSTANT else times[0] * 1e9, times[-1] * 1e9)
    axes.tick_params(direction="out")
    return figure


def xt_values(
    run: RunFile, component: str | None = None
) -> tuple[int, NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return what the map shows: component 0 to 2, times [s], places [m], and m, shape (t, x).

    NaN where a moving window was not. Raises UnreadableInputError as `xt_map`.
    """
    times, profiles = _profiles(run)
    axis = "xyz".index(component) if component else _wall_component(profiles)
    return axis, times, *_laboratory(run, profiles[:, axis])


def _profiles(run: RunFile) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the times of the snapshots [s] and m averaged over y and z, (snapshots, 3, nx)."""
    kept = _kept(run)
    if "m" not in run.quantities or len(kept) < LEAST_SNAPSHOTS:
        raise UnreadableInputError(
            "too few snapshots of m for a map against time",
            where=str(run.path),
            value=str(len(kept)),
            allowed=f"at least {LEAST_SNAPSHOTS}",
            next_step="set output.snapshots.every in the run file",
        )
    profiles = []
    for k in kept:
        m = run.m(k)
        count = m.any(axis=0).sum(axis=(0, 1))
        mean = m.sum(axis=(1, 2), dtype=np.float64) / np.maximum(count, 1)
        profiles.append(np.where(count > 0, mean, np.nan))
    return run.times[kept], np.array(profiles)


def _kept(run: RunFile) -> list[int]:
    """Return the snapshots, of those of one instant (before and after a relaxation) the last."""
    later = np.diff(run.times, append=np.inf) > INSTANT
    return [int(k) for k in np.flatnonzero(later)]


def _wall_component(profiles: NDArray[np.float64]) -> int:
    known = np.isfinite(profiles[0, 0])
    first, last = np.flatnonzero(known)[[0, -1]]
    return int(np.abs(profiles[..., last] - profiles[..., first]).mean(axis=0).argmax())


def _laboratory(
    run: RunFile, values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return places in the laboratory [m] and the values there, NaN outside a moving window."""
    step = run.mesh.cell_size[0]
    shifts = np.rint(run.window_offset[_kept(run), 0] / step).astype(int)
    first, count = int(shifts.min()), values.shape[1]
    laid = np.full((len(values), count + int(np.ptp(shifts))), np.nan)
    for row, shift in enumerate(shifts):
        laid[row, shift - first : shift - first + count] = values[row]
    x = run.mesh.centres(0)[0] + step * (first + np.arange(laid.shape[1]))
    return x, laid


def _edges(centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the borders between points: half way to the neighbours."""
    inner = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - inner[0]], inner, [2 * centres[-1] - inner[-1]]])
