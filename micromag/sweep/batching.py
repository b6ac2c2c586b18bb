"""How many replicas run together: as many as the device's memory and the open files allow."""

from __future__ import annotations

import resource
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from micromag.backend import Backend
from micromag.backend.memory import host_memory_free
from micromag.estimate import device_bytes, host_bytes

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


def fits(backend: Backend) -> Callable[[Sequence[SweepPoint]], bool]:
    """Return the function that tells whether replicas of one structure may run together.

    Every replica is counted with all that a run alone needs, although they share some of it (the
    tensor of the stray field).
    """
    most = min(MOST_REPLICAS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - OTHER_FILES)
    on_device, on_host = _room(backend)
    needs: dict[int, tuple[int, int]] = {}

    def fit(points: Sequence[SweepPoint]) -> bool:
        first = points[0].number
        if first not in needs:
            needs[first] = _needs(points[0].config, backend)
        device, host = (len(points) * need for need in needs[first])
        return len(points) <= most and device <= on_device and host <= on_host

    return fit


def _room(backend: Backend) -> tuple[float, float]:
    """Return the bytes that the arrays on the device, and the host, may take."""
    if backend.kind == "cpu":
        return CPU_BYTES, MEMORY_SHARE * backend.memory_free()
    return MEMORY_SHARE * backend.memory_free(), MEMORY_SHARE * host_memory_free()


def _needs(config: RunConfig, backend: Backend) -> tuple[int, int]:
    """Return what one replica takes on the device and on the host [bytes]."""
    on_device = device_bytes(config, "cuda" if backend.kind == "cuda" else "cpu")
    return on_device, host_bytes(config) + (on_device if backend.kind == "cpu" else 0)
