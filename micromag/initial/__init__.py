"""Recipes for the initial magnetization, alone or one per region.

Every module is a recipe, and its name is the recipe's key in the run file. The classes are attributes of
this package, imported when they are asked for: ``micromag.initial.DomainWall``.
"""

from __future__ import annotations

from typing import Any

from micromag.initial._painting import (
    InitialField,
    Painting,
    check_names,
    initial_magnetization,
)
from micromag.initial.base import RECIPES, InitialState
from micromag.keyed import class_named

__all__ = [
    "RECIPES",
    "InitialField",
    "InitialState",
    "Painting",
    "check_names",
    "initial_magnetization",
]


def __getattr__(name: str) -> Any:
    return class_named(RECIPES, name)
