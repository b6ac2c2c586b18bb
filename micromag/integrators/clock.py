"""The device's record of each replica, read and written by name.

The names, in their order, are those of ``kernels/clock.h``.
"""

from __future__ import annotations

import enum
from functools import cache

from micromag.backend.source import enumerators


def _enumerators(name: str) -> list[str]:
    return enumerators("clock.h", name)


@cache
def column(name: str) -> int:
    """Return the index of a column, e.g. ``"t"``, ``"dt"``, ``"status"``."""
    return _enumerators("ClockColumn").index(f"CLOCK_{name.upper()}")


@cache
def columns() -> int:
    """Return the number of columns."""
    return column("columns")


@cache
def slot(name: str) -> int:
    """Return the code of a slot of the work array, e.g. ``"CURRENT"``."""
    return _enumerators("Slot").index(name)


def _state(name: str) -> int:
    return _enumerators("Status").index(name)


class Status(enum.IntEnum):
    """What a replica is doing."""

    RUNNING = _state("RUNNING")
    WAITING = _state("WAITING")
    FAILED_NAN = _state("FAILED_NAN")
    FAILED_STEP = _state("FAILED_STEP")
    IDLE = _state("IDLE")
    OFF_CENTRE = _state("OFF_CENTRE")
    FAILED_LOST = _state("FAILED_LOST")
    FAILED_FIELD = _state("FAILED_FIELD")
