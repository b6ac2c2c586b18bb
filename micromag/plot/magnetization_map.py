"""Maps of the magnetization: hue is the direction in the plane, lightness is m_z."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from micromag.plot.writing import require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from micromag.mesh import Mesh
    from micromag.output.runfile import RunFile

EMPTY = (0.75, 0.75, 0.75)
"""Colour of cells without a magnet."""
WIDTH = 7.0
"""Width of a figure [inches]."""
LEAST_HEIGHT = 0.4
"""Below this a map has no room for a scale along y [inches]."""
WHEEL = 1.25
"""Width of the strip that holds the colour wheel [inches]."""
ARROWS_ALONG = 32
"""Arrows along the longer side of a map."""
LEAST_ARROW = 0.1
"""In-plane part of m below which no arrow is drawn."""


def sphere_colors(m: NDArray[Any]) -> NDArray[np.float64]:
    r"""Return the colour of each direction: hue from the plane, lightness from m_z.

    Red is +x, and the hue goes with the angle :math:`\phi = \mathrm{atan2}(m_y, m_x)` over yellow-green
    (+y) and cyan (-x) to violet (-y); m_z = 1 is white, m_z = -1 black (lightness (1 + m_z)/2 at full
    saturation). Where m is 0 the colour is that of an empty cell.

    Parameters
    ----------
    m
        Unit vectors, shape ``(3, ...)``.

    Returns
    -------
    numpy.ndarray
        Red, green and blue from 0 to 1, shape ``(..., 3)``.
    """
    mx, my, mz = np.asarray(m, dtype=np.float64)
    mz = np.clip(mz, -1, 1)
    turn = (np.arctan2(my, mx) / (2 * np.pi)) % 1
    pure = np.clip(np.abs((6 * turn[..., None] + [0, 4, 2]) % 6 - 3) - 1, 0, 1)
    colors = (0.5 + 0.5 * mz)[..., None] + (1 - np.abs(mz))[..., None] * (pure - 0.5)
    colors[(mx == 0) & (my == 0) & (mz == 0)] = EMPTY
    return np.clip(colors, 0, 1)


def magnetization_map(
    run: RunFile, snapshots: Sequence[int] = (-1,), layer: int | None = None
) -> Figure:
    """Return a figure with one map per snapshot, one above the other, and the colour wheel.

    Places are those in the laboratory, also of a moving window.

    Parameters
    ----------
    run
        A result.
    snapshots
        Numbers of the snapshots; -1 is the last one.
    layer
        Number of the layer of cells, counted along z from 0; the middle one by default.

    Raises
    ------
    UnreadableInputError
        The file has no such snapshot, or none of m.
    MissingLibraryError
        matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    fields = [run.m(k) for k in snapshots]
    lx, ly, _ = run.mesh.size
    one = min((WIDTH - WHEEL - 0.9) * ly / lx, 5.0)
    moves = bool(np.ptp([run.window_offset[k] for k in snapshots], axis=0).any())
    height = max(len(snapshots) * (one + (0.5 if moves else 0.3)) + 0.6, 1.7)
    figure = Figure(figsize=(WIDTH, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    picture, side = figure.subfigures(1, 2, width_ratios=(WIDTH - WHEEL, WHEEL), squeeze=False)[0]
    maps = picture.subplots(len(snapshots), 1, sharex=not moves, squeeze=False)[:, 0]
    for axes, k, m in zip(maps, snapshots, fields, strict=True):
        draw_layer(axes, m, run.mesh, layer, run.window_offset[k])
        axes.set_title(f"t = {round(run.times[k] * 1e9, 5):g} ns", loc="left", fontsize=9)
        axes.set_ylabel("y (nm)", fontsize=9)
        if one < LEAST_HEIGHT:  # no room for more than the borders of a narrow strip
            axes.set_yticks([])
            axes.set_ylabel(f"{ly * 1e9:.4g} nm", fontsize=9, rotation=0, ha="right", va="center")
    maps[-1].set_xlabel("x (nm)", fontsize=9)
    _draw_wheel(side.add_subplot())
    return figure


def draw_layer(
    axes: Axes,
    m: NDArray[Any],
    mesh: Mesh,
    layer: int | None = None,
    offset: ArrayLike = (0.0, 0.0),
) -> None:
    """Draw one layer of a magnetization, with arrows, into matplotlib axes in nm.

    Parameters
    ----------
    axes
        Where to draw.
    m
        Magnetization, shape ``(3, nz, ny, nx)``, 0 in empty cells.
    mesh
        Its mesh.
    layer
        Number of the layer, counted along z from 0; the middle one by default.
    offset
        How far the mesh has moved along x and y [m].
    """
    plane = m[:, mesh.cells[2] // 2 if layer is None else layer]
    mx, my = plane[:2]
    lx, ly = (1e9 * length for length in mesh.size[:2])
    x0, y0 = 1e9 * np.asarray(offset, dtype=np.float64)
    axes.imshow(
        sphere_colors(plane),
        origin="lower",
        extent=(x0 - lx / 2, x0 + lx / 2, y0 - ly / 2, y0 + ly / 2),
        interpolation="nearest",
    )
    every = max(1, round(max(mesh.cells[:2]) / ARROWS_ALONG))
    y, x = np.mgrid[every // 2 : mesh.cells[1] : every, every // 2 : mesh.cells[0] : every]
    drawn = np.hypot(mx, my)[y, x] > LEAST_ARROW
    x, y = x[drawn], y[drawn]
    xs, ys = (1e9 * mesh.centres(axis) + start for axis, start in ((0, x0), (1, y0)))
    length = 0.8 * every * max(mesh.cell_size[:2]) * 1e9
    axes.quiver(
        xs[x], ys[y], length * mx[y, x], length * my[y, x],
        angles="xy", scale_units="xy", scale=1, pivot="mid", color=(0.1, 0.1, 0.1),
        width=0.12 * length, units="xy", headwidth=3.2, headlength=3.2, headaxislength=3.0,
    )  # fmt: skip
    axes.tick_params(labelsize=8)


def _draw_wheel(axes: Axes) -> None:
    """Draw all directions: the centre is +z, half way out lies the plane, the rim is -z."""
    v, u = np.mgrid[-1:1:201j, -1:1:201j]
    r, phi = np.hypot(u, v), np.arctan2(v, u)
    polar = np.pi * np.minimum(r, 1)
    m = np.stack([np.sin(polar) * np.cos(phi), np.sin(polar) * np.sin(phi), np.cos(polar)])
    opacity = (r <= 1)[..., None].astype(float)
    colors = np.concatenate([sphere_colors(m), opacity], axis=-1)
    axes.imshow(colors, origin="lower", extent=(-1, 1, -1, 1))
    axes.set(xlim=(-1.7, 1.7), ylim=(-2, 1.7))
    axes.axis("off")
    around = ((1.35, 0, "+x"), (-1.35, 0, "\u2212x"), (0, 1.3, "+y"), (0, -1.3, "\u2212y"))
    for x, y, text in (*around, (0, 0, "+z"), (0, -1.75, "rim: \u2212z")):
        axes.text(x, y, text, ha="center", va="center", fontsize=8)
