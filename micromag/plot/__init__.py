"""Pictures of finished results; they need matplotlib (the extra ``[plot]``)."""

from micromag.plot.magnetization_map import draw_layer, magnetization_map, sphere_colors

__all__ = ["draw_layer", "magnetization_map", "sphere_colors"]
