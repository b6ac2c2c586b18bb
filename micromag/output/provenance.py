"""Where a result comes from: program, machine, libraries and command, kept in the result itself."""

from __future__ import annotations

import os
import platform
import shlex
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from micromag import __version__

LIBRARIES = ("numpy", "scipy", "h5py", "pydantic", "cupy-cuda12x", "cupy-cuda13x")
GIT_SECONDS = 5.0


def collect(
    backend_info: Mapping[str, Any] | None = None,
    argv: Sequence[str] | None = None,
    seed: int | None = None,
) -> dict[str, Any]:
    """Return the provenance of a run that starts now.

    Parameters
    ----------
    backend_info
        What the backend says of itself (``device``, ``driver``, ``compiler``, ``precision``).
    argv
        The command line, by default this process's.
    seed
        Seed of every random number of the run.

    Returns
    -------
    dict
        Text and numbers by name: ``version``, ``git_commit`` (only where the package is in its own
        checkout; ``-dirty`` if that has changes), the backend's entries, ``seed``, ``command``,
        ``directory``, ``host``, ``cpu``, ``cpu_threads``, ``system``, ``python``, ``libraries``,
        ``started`` (UTC) and ``job`` (where a batch system runs it).
    """
    entries: dict[str, Any] = {"version": __version__}
    if commit := git_commit():
        entries["git_commit"] = commit
    entries |= dict(backend_info or {})
    if seed is not None:
        entries["seed"] = seed
    entries |= {
        "command": shlex.join(sys.argv if argv is None else argv),
        "directory": _working_directory(),
        "host": socket.gethostname(),
        "cpu": cpu_name(),
        "cpu_threads": _usable_threads(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": library_versions(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if job := os.environ.get("SLURM_JOB_ID") or os.environ.get("PBS_JOBID"):
        entries["job"] = job
    return entries


def git_commit(package: Path | None = None) -> str | None:
    """Return the commit of the checkout that holds the package, None outside of one.

    An installed package may well lie inside some other repository (a virtual environment in a
    project's folder); only a checkout with the package at its top counts.
    """
    package = package or Path(__file__).resolve().parents[1]
    if not (package.parent / ".git").exists():
        return None
    command = ["git", "-C", str(package.parent), "describe", "--always", "--dirty", "--abbrev=40"]
    command += ["--match", ""]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def cpu_name() -> str:
    """Return the name of the processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def library_versions() -> dict[str, str]:
    """Return the versions of the host libraries that are installed, HDF5 among them."""
    import h5py

    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions | {"hdf5": h5py.version.hdf5_version}


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:
        return ""


def _usable_threads() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
