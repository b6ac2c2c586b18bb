"""Quantities measured from the state: one file each, named in ``output.table.columns``."""

from micromag.observables.base import Observable, Sample, table_columns
from micromag.registry import Registry

OBSERVABLES: Registry[Observable] = Registry("micromag.observables", Observable)


def observable_of(name: str) -> type[Observable]:
    """Return the observable that provides a column or group of columns; raises KeyError."""
    for key in OBSERVABLES.keys():
        cls = OBSERVABLES.get(key)
        if name in cls.names:
            return cls
    raise KeyError(name)


def column_names() -> tuple[str, ...]:
    """Return every name that ``output.table.columns`` may hold."""
    return tuple(n for key in OBSERVABLES.keys() for n in OBSERVABLES.get(key).names)


__all__ = ["OBSERVABLES", "Observable", "Sample", "column_names", "observable_of", "table_columns"]
