"""Quantities measured from the state: one file each, named in ``output.table.columns``."""

from collections.abc import Iterable, Sequence

from micromag.observables.base import Observable, Sample, split_name, table_columns
from micromag.parameters import custom_error
from micromag.registry import Registry
from micromag.suggest import did_you_mean

OBSERVABLES: Registry[Observable] = Registry("micromag.observables", Observable)


def observable_of(name: str) -> type[Observable]:
    """Return the observable that provides a column or group of columns; raises KeyError.

    The name may be about a part of the magnet, as ``wall_position@free``; whether the run has that
    part is for `check_parts` to say.
    """
    for key in OBSERVABLES.keys():
        cls = OBSERVABLES.get(key)
        if cls.provides(name):
            return cls
    raise KeyError(name)


def column_names() -> tuple[str, ...]:
    """Return every name that ``output.table.columns`` may hold, without parts of the magnet."""
    return tuple(n for key in OBSERVABLES.keys() for n in OBSERVABLES.get(key).names)


def check_parts(names: Iterable[str], regions: Iterable[str], layers: int) -> None:
    """Refuse columns of a region or layer that the run does not have.

    Parameters
    ----------
    names
        Columns as the run file names them.
    regions
        Names of the run's regions, without ``default``, which all runs have.
    layers
        Number of layers of the mesh.

    Raises
    ------
    pydantic_core.PydanticCustomError
        With the parts that there are.
    """
    allowed = ["default", *regions]
    for name in names:
        column, part = split_name(name)
        if part.layer is not None and part.layer >= layers:
            what = f"{name!r}: the mesh has no layer {part.layer}"
            raise custom_error("column_part", what, _parts(column, allowed, layers))
        if part.region is not None and part.region not in allowed:
            near = did_you_mean(part.region, allowed)
            what = f"{name!r}: the run has no region {part.region!r}{near}"
            raise custom_error("column_part", what, _parts(column, allowed, layers))


def _parts(column: str, regions: Sequence[str], layers: int) -> str:
    last = "" if layers == 1 else f" to {column}@z{layers - 1}"
    return ", ".join([column, *(f"{column}@{name}" for name in regions), f"{column}@z0{last}"])


__all__ = [
    "OBSERVABLES",
    "Observable",
    "Sample",
    "check_parts",
    "column_names",
    "observable_of",
    "table_columns",
]
