"""The replicas of a sweep as curves: the abscissa, what tells curves apart, and what is said of them."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from micromag.errors import AnalysisError, MicromagError
from micromag.plot.writing import MissingLibraryError, write_figure
from micromag.si_text import si

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from micromag.output.runfile import RunFile
    from micromag.output.sweep_file import Replica, SweepFile

DRIVES = ("A/m^2", "m/s", "T", "A", "V")
"""Units of what drives a magnet: the first swept key in one of them is the abscissa."""


@dataclass(frozen=True)
class SweptPoint:
    """One replica of a sweep as a point of a curve.

    Attributes
    ----------
    number, label, status, coordinates
        Of the replica.
    value
        Its abscissa, in the SI unit of the swept key.
    note
        Why something is not known of it.
    """

    number: int
    label: str
    status: str
    coordinates: Mapping[str, Any]
    value: float
    note: str = ""


P = TypeVar("P", bound=SweptPoint)


def measured_points(
    sweep: SweepFile, key: str, where: str, kind: type[P], measure: Callable[[P, RunFile], P]
) -> tuple[dict[str, tuple[P, ...]], dict[int, RunFile]]:
    """Return the points of every curve by its label, by ascending abscissa, and the runs there are.

    ``measure`` returns a point with what was found in its run; what it raises becomes the note. Raises
    AnalysisError when the abscissa ``key`` has values that are no numbers.
    """
    which = component(sweep, key)
    groups: dict[str, list[P]] = {}
    runs: dict[int, RunFile] = {}
    for replica in sweep.replicas:
        point = kind(
            replica.number, replica.label, replica.status, replica.coordinates,
            value_of(replica, key, which, where), replica.message,
        )  # fmt: skip
        try:
            run = runs[replica.number] = sweep.run(replica.number)
            point = measure(point, run)
        except MicromagError as error:
            point = replace(point, note=point.note or error.what)
        groups.setdefault(label_of(sweep, replica, key), []).append(point)
    ordered = {
        label: tuple(sorted(points, key=lambda p: (p.value, p.number)))
        for label, points in groups.items()
    }
    return ordered, runs


def by_number(points: Iterable[P]) -> list[P]:
    """Return points in the order of their replicas."""
    return sorted(points, key=lambda p: p.number)


def report_curves(
    sentences: Sequence[str],
    points: Sequence[SweptPoint],
    missing: Sequence[SweptPoint],
    numbers: Path,
    draw: Callable[[], Figure],
    where: str,
) -> list[str]:
    """Return what was found in a sweep, with what is missing and where all is, and write its picture.

    The picture lies beside the table ``numbers``. Raises AnalysisError when nothing is known of any run,
    MicromagError if the disk refuses.
    """
    if len(missing) == len(points):
        raise AnalysisError(
            f"nothing is known of any run of the sweep ({missing[0].note})",
            where=where,
            next_step=f"why, run by run, is in the column note of {os.path.relpath(numbers)}",
        )
    told = list(sentences)
    if missing:
        first = f"{missing[0].label or missing[0].number}: {missing[0].note}"
        told.append(f"Nothing is known of {len(missing)} of {len(points)} runs: {first}.")
    picture = numbers.with_suffix(".png")
    files = [numbers]
    try:
        write_figure(draw(), picture)
        files.append(picture)
    except MissingLibraryError as error:
        told.append(f"There is no picture: {error.what} ({error.next_step}).")
    return [*told, f"All runs are in {' and '.join(os.path.relpath(path) for path in files)}."]


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
