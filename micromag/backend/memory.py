"""How much memory the host has for this process."""

from __future__ import annotations

import os
from pathlib import Path

_GROUP = Path("/sys/fs/cgroup")


def host_memory_total() -> int:
    """Return the host's memory, or what the process's control group may use [bytes]."""
    total = int(os.sysconf("SC_PAGE_SIZE")) * int(os.sysconf("SC_PHYS_PAGES"))
    limit = _group_value("memory.max")
    return total if limit is None else min(total, limit)


def host_memory_free() -> int:
    """Return the memory that the process can still take without swapping [bytes]."""
    free = host_memory_total()
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        free = next(int(x.split()[1]) * 1024 for x in lines if x.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        pass  # not Linux: all of it, since nothing better is known
    limit, used = _group_value("memory.max"), _group_value("memory.current")
    return free if limit is None or used is None else min(free, max(limit - used, 0))


def _group_value(name: str) -> int | None:
    """Return a number of the control group (version 2), None where there is no such limit."""
    try:
        return int((_GROUP / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
