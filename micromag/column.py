"""What a column of a table is: a name, a unit and a description."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column of a table: its name, unit (``""`` for a pure number) and what it is.

    ``integer`` columns (a step, a stage) are stored as 64-bit integers, all others as float64.
    """

    name: str
    unit: str = ""
    description: str = ""
    integer: bool = False
