"""The replicas of a sweep as curves: which swept key is the abscissa, and what tells curves apart."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from micromag.errors import AnalysisError
from micromag.si_text import si

if TYPE_CHECKING:
    from micromag.output.sweep_file import Replica, SweepFile

DRIVES = ("A/m^2", "m/s", "T", "A", "V")
"""Units of what drives a magnet: the first swept key in one of them is the abscissa."""


def abscissa(sweep: SweepFile, against: str | None, where: str) -> str:
    """Return the swept key that is the abscissa, "" where nothing that was swept is a number.

    Raises AnalysisError when ``against`` is named and was not swept.
    """
    keys = [key for axis in sweep.axes for key in axis.keys]
    if against is not None:
        if against not in keys:
            raise AnalysisError(
                f"{against!r} is not swept", where=f"{where}.against", allowed=", ".join(keys)
            )
        return against
    units = {key: axis.units.get(key, "") for axis in sweep.axes for key in axis.keys}
    numeric = [key for key in keys if component(sweep, key) is not None and key != "seed"]
    driving = [key for key in numeric if units[key] in DRIVES]
    return next(iter([*driving, *numeric]), "")


def component(sweep: SweepFile, key: str) -> int | None:
    """Return which component of a swept vector varies most, -1 for numbers, None for others."""
    given = [r.coordinates[key] for r in sweep.replicas if r.coordinates.get(key) is not None]
    if not given:
        return None
    if all(_is_number(value) for value in given):
        return -1
    if all(isinstance(v, (list, tuple)) and len(v) == 3 and all(map(_is_number, v)) for v in given):
        return int(np.ptp(np.array(given, dtype=float), axis=0).argmax())
    return None


def value_of(replica: Replica, key: str, component: int | None, where: str) -> float:
    """Return a replica's abscissa: its number where none was swept.

    Raises AnalysisError when ``component`` is None, which stands for values that are no numbers.
    """
    if not key:
        return float(replica.number)
    if component is None:
        raise AnalysisError(
            f"{key} has values that are no numbers", where=f"{where}.against",
            next_step="name another swept key",
        )  # fmt: skip
    value = replica.coordinates.get(key)
    if value is None:
        return math.nan
    return float(value if component < 0 else value[component])


def label_of(sweep: SweepFile, replica: Replica, against: str) -> str:
    """Return what sets a replica's curve apart: all that is swept but the abscissa and the seed."""
    parts = []
    for axis, position in zip(sweep.axes, replica.place, strict=True):
        if against in axis.keys or axis.keys == ("seed",) or len(axis) == 1:
            continue
        if axis.name.startswith("points"):
            parts.append(axis.labels[position])
            continue
        for key, value in axis.values[position].items():
            name = axis.variables[key]
            text = si(value, axis.units.get(key) or "1") if _is_number(value) else str(value)
            parts.append(f"{name} = {text}")
    return ", ".join(parts)


def name_of(sweep: SweepFile, key: str) -> tuple[str, str]:
    """Return short name and unit of a swept key; ``replica`` and "" for none."""
    for axis in sweep.axes:
        if key in axis.keys:
            return axis.variables[key], axis.units.get(key, "")
    return "replica", ""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
