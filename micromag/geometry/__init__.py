"""Shapes, set operations on them, and named regions.

Every module is a shape, and its name is the shape's key in the run file. The classes are attributes of
this package, imported when they are asked for: ``micromag.geometry.Box``.
"""

from __future__ import annotations

from typing import Any

from micromag.geometry._regions import Regions, extent, region_index
from micromag.geometry.base import SHAPES, Shape, ShapeField, parse_shape
from micromag.keyed import class_named

__all__ = [
    "SHAPES",
    "Regions",
    "Shape",
    "ShapeField",
    "extent",
    "parse_shape",
    "region_index",
]


def __getattr__(name: str) -> Any:
    return class_named(SHAPES, name)
