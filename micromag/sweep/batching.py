"""How many replicas run together: as many as the device's memory and the open files allow."""

from __future__ import annotations

import math
import resource
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from micromag.backend import Backend
from micromag.backend.memory import host_memory_free
from micromag.estimate import Kind, device_bytes, host_bytes
from micromag.sweep_points import batches

if TYPE_CHECKING:
    from micromag.config import RunConfig
    from micromag.sweep_points import SweepPoint

MEMORY_SHARE = 0.8
"""Share of the free memory that a batch may take."""
OTHER_FILES = 64
"""Files that the process has open besides those of the replicas."""
MOST_REPLICAS = 1024
"""Replicas of a batch, at most: a sweep that is stopped loses the batch in hand."""
CPU_BYTES = 64 << 20
"""Arrays of a batch on a CPU, about: beyond its caches a batch is slower than its replicas alone."""


Fit = Callable[[Sequence["SweepPoint"]], bool]
"""Tells whether replicas of one structure may run together."""


@dataclass(frozen=True)
class Room:
    """What a device has room for.

    Attributes
    ----------
    kind
        Of the device: ``cpu`` or ``cuda``.
    device, host
        What the arrays on the device, and the host, may take [bytes].
    replicas
        Files that may be open at a time.
    """

    kind: Kind
    device: float
    host: float
    replicas: int


def room_of(backend: Backend) -> Room:
    """Return what a backend has room for."""
    most = min(MOST_REPLICAS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - OTHER_FILES)
    if backend.kind == "cpu":
        return Room("cpu", CPU_BYTES, MEMORY_SHARE * backend.memory_free(), most)
    free = backend.memory_free()
    return Room("cuda", MEMORY_SHARE * free, MEMORY_SHARE * host_memory_free(), most)


def fits(backend: Backend) -> Fit:
    """Return the function that tells whether replicas of one structure may run together."""
    return fits_everywhere([room_of(backend)])


def fits_everywhere(rooms: Sequence[Room]) -> Fit:
    """Return the function that tells whether replicas may run together on any of some devices.

    Every replica is counted with all that a run alone needs, although they share some of it (the
    tensor of the stray field).
    """
    needs: dict[tuple[int, Kind], tuple[int, int]] = {}

    def fit(points: Sequence[SweepPoint]) -> bool:
        first, count = points[0].number, len(points)
        for room in set(rooms):
            key = first, room.kind
            if key not in needs:
                needs[key] = _needs(points[0].config, room.kind)
            device, host = needs[key]
            if count > room.replicas or count * device > room.device or count * host > room.host:
                return False
        return True

    return fit


def spread(points: Sequence[SweepPoint], fit: Fit, workers: int) -> list[list[SweepPoint]]:
    """Return batches for several workers: as large as may be, but not fewer than there are workers.

    A sweep of fewer replicas than workers has a batch for each of them.
    """
    if not points:
        return []
    wanted = min(workers, len(points))
    for most in range(math.ceil(len(points) / wanted), 0, -1):
        parts = batches(points, partial(_fits, fit, most))
        if len(parts) >= wanted:
            break
    return parts


def _fits(fit: Fit, most: int, points: Sequence[SweepPoint]) -> bool:
    return len(points) <= most and fit(points)


def _needs(config: RunConfig, kind: Kind) -> tuple[int, int]:
    """Return what one replica takes on the device and on the host [bytes]."""
    on_device = device_bytes(config, kind)
    return on_device, host_bytes(config) + (on_device if kind == "cpu" else 0)
