"""Pictures of finished results; they need matplotlib (the extra ``[plot]``)."""

from micromag.plot.magnetization_map import draw_layer, magnetization_map, sphere_colors
from micromag.plot.table_plot import table_plot
from micromag.plot.velocity_figure import velocity_figure
from micromag.plot.writing import write_figure
from micromag.plot.xt_map import xt_map

__all__ = [
    "draw_layer",
    "magnetization_map",
    "sphere_colors",
    "table_plot",
    "velocity_figure",
    "write_figure",
    "xt_map",
]
