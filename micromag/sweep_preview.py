"""What ``micromag validate`` says of a sweep, and what looks wrong with its replicas."""

from __future__ import annotations

import itertools
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from micromag.backend.memory import host_memory_free
from micromag.errors import DeviceError
from micromag.estimate import Kind, device_bytes, host_bytes, output_size
from micromag.limits import check_precision
from micromag.placement import Placement, check_run
from micromag.sanity import warnings
from micromag.si_text import bytes_text
from micromag.sweep.batching import fits
from micromag.sweep_idle import idle_axes
from micromag.sweep_points import Axis, SweepPoint, axes_of, batches, sweep_points

if TYPE_CHECKING:
    from micromag.config import RunConfig

ALL = 256
"""Of sweeps with more replicas only the ends of the axes are looked at."""
PLACED = 16
"""The meshes of so many replicas are laid out."""
SHOWN = 6
"""Longer axes are shown by their first and last values."""
_PLACED_BY = ("mesh", "geometry", "regions", "material.Ms", "initial")
_NUMBER = re.compile(r"[-+]?\d[\d.]*(?:e[-+]?\d+)?(?: [afpnumkMG]?(?=[A-Za-z]))?")
Lines = Iterator[tuple[str, str]]


def replicas_looked_at(config: RunConfig) -> list[SweepPoint]:
    """Return every replica of a small sweep; of a large one those at the ends of its axes."""
    sweep = config.sweep
    if sweep is None or sweep.count <= ALL:
        return sweep_points(config)
    ends = [sorted({0, length - 1}) for length in sweep.shape]
    places = itertools.islice(itertools.product(*ends), ALL)
    return sweep_points(config, (_number(place, sweep.shape) for place in places))


def _number(place: Sequence[int], shape: Sequence[int]) -> int:
    number = 0
    for i, length in zip(place, shape, strict=True):
        number = number * length + i
    return number


def check_replicas(config: RunConfig, kind: Kind) -> Placement:
    """Return how the mesh of the first replica is divided up, if all can be made at all.

    Raises as `check_run` of one run does.
    """
    keys = config.sweep.keys if config.sweep is not None else ()
    first = check_run(sweep_points(config, [0])[0].config, kind)
    if config.sweep is None:
        return first
    for point in replicas_looked_at(config):
        check_precision(point.config, f"replica {point.number} ({point.label}): ")
    _check_disk(config)
    if any(key.startswith(_PLACED_BY) for key in keys):
        points = replicas_looked_at(config)
        step = max(1, (len(points) - 1) // (PLACED - 1))
        for point in [*points[step:-1:step], points[-1]]:
            check_run(point.config, kind)
    return first


def _check_disk(config: RunConfig) -> None:
    """Raise DeviceError if the files of all replicas together cannot fit on the disk."""
    folder = Path(config.output.directory).absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free, need = shutil.disk_usage(there).free, sweep_bytes(config)
    if config.output.compression or need <= free:
        return
    assert config.sweep is not None
    raise DeviceError(
        "the results of the sweep do not fit on the disk",
        where="output",
        value=f"the files of {config.sweep.count} replicas take {bytes_text(need)}",
        allowed=f"{bytes_text(free)} are free in {os.path.relpath(there)}",
        next_step="lengthen output.snapshots.every or output.table.every, or name a folder on another "
        "disk with -o DIR",
    )


def replica_warnings(config: RunConfig, *, running: bool = False) -> list[str]:
    """Return what looks wrong about the replicas, what they share told once; see `warnings`."""
    if config.sweep is None:
        return warnings(config, running=running)
    points = replicas_looked_at(config)
    found: dict[str, list[tuple[SweepPoint, str]]] = {}
    for point in points:
        of_kind: dict[str, str] = {}
        for text in warnings(point.config, running=running):
            of_kind.setdefault(_NUMBER.sub("#", text), text)
        for kind, text in of_kind.items():
            found.setdefault(kind, []).append((point, text))
    # A torque of size 0 in some replicas is the reference point of a sweep, and meant.
    told = [
        cases
        for kind, cases in found.items()
        if len(cases) == len(points) or "does nothing: its" not in kind
    ]
    return [*idle_axes(config), *(_gathered(cases, len(points)) for cases in told)]


def _gathered(cases: Sequence[tuple[SweepPoint, str]], count: int) -> str:
    """Return one sentence for the same warning of several replicas."""
    first, text = cases[0]
    if len(cases) == count and all(other == text for _, other in cases):
        return text
    where = f"in replica {first.number} ({first.label})"
    if len(cases) > 1:
        all_of = "all" if len(cases) == count else f"{len(cases)} of"
        where = f"in {all_of} {count} replicas, such as {first.number} ({first.label})"
    return f"{where}: {text}"


# -------------------------------------------------------------------- lines


def sweep_lines(config: RunConfig) -> Lines:
    """Yield the axes of a sweep."""
    axes = axes_of(config)
    count = 1
    for axis in axes:
        count *= len(axis.values)
    lengths = " x ".join(str(len(axis.values)) for axis in axes)
    product = f" = {lengths}" if len(axes) > 1 else ""
    yield "sweep", f"{count} replicas{product}; the last axis varies fastest"
    for axis in axes:
        name = axis.name if axis.keys == (axis.name,) else f"{axis.name} ({', '.join(axis.keys)})"
        yield "", f"{name}: {_values(axis)}"
    yield "", "what follows is said of the first of them"


def _values(axis: Axis) -> str:
    labels, alone = axis.labels, axis.keys == (axis.name,)
    separator = ", " if alone or axis.name == "points" else "; "
    if len(labels) <= SHOWN:
        return separator.join(labels)
    return f"{labels[0]} to {labels[-1]}, {len(labels)} values"


def batch_lines(config: RunConfig, kind: Kind) -> Lines:
    """Yield how the replicas are grouped, the memory of the largest group, and the files."""
    sweep = config.sweep
    assert sweep is not None
    points = replicas_looked_at(config)
    if len(points) == sweep.count:
        parts = batches(points, fits(cast(Any, _Machine(kind))))
        structures = len(batches(points, lambda _: True))
        sizes = " + ".join(map(str, _runs([len(part) for part in parts])))
        of = f" of {structures} structures" if structures > 1 else ""
        yield "batches", f"{len(parts)}{of}: {sizes} replicas" if len(parts) > 1 else "one"
        largest = max(len(part) for part in parts)
        need = max(len(part) * replica_bytes(part[0].config, kind) for part in parts)
        word = "replica" if largest == 1 else f"{largest} replicas"
        yield "memory", f"at most {bytes_text(need)} for a batch of {word}"
    else:
        need = max(replica_bytes(point.config, kind) for point in points)
        yield "memory", f"at most {bytes_text(need)} for each replica of a batch"
    folder, last = config.output.directory, sweep.count - 1
    yield "output", f"{os.path.join(folder, 'replica_0000.vtkhdf')} to replica_{last:04d}.vtkhdf"
    yield "", f"with sweep.h5 about {bytes_text(sweep_bytes(config))} in all"


def _runs(sizes: Sequence[int]) -> list[str]:
    """Return sizes with repeated ones counted: ``3 x 64``."""
    groups = [(size, len(list(group))) for size, group in itertools.groupby(sizes)]
    texts = [f"{count} x {size}" if count > 1 else str(size) for size, count in groups]
    return texts if len(texts) <= SHOWN else [*texts[:SHOWN], "..."]


class _Machine:
    """This machine as far as `fits` asks a backend; no GPU is asked."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def memory_free(self) -> float:
        return host_memory_free() if self.kind == "cpu" else float("inf")


def replica_bytes(config: RunConfig, kind: Kind) -> int:
    """Return the memory that one replica takes on the device; on the CPU with the host's."""
    on_device = device_bytes(config, kind)
    return on_device + (host_bytes(config) if kind == "cpu" else 0)


def sweep_bytes(config: RunConfig) -> int:
    """Return the size of all files of a sweep [bytes], as far as its replicas were looked at."""
    assert config.sweep is not None
    points = replicas_looked_at(config)
    sizes = [output_size(point.config) for point in points]
    tables = sum(8 * size.rows * size.columns for size in sizes)
    return (sum(size.bytes for size in sizes) + tables) * config.sweep.count // len(points)
