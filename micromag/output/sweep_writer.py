"""Writer of ``sweep.h5``: the collected table of a sweep, with the swept axes as coordinates.

The layout is what netCDF-4 readers know: a dimension scale per axis, further coordinates along the
same axis named by the attribute ``coordinates``, ``units`` for every variable. So
``xarray.open_dataset("sweep.h5", engine="h5netcdf")`` gives labelled arrays at once.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
from numpy.typing import NDArray

from micromag.column import Column
from micromag.errors import MicromagError
from micromag.output.layout import write_provenance
from micromag.output.sweep_file import Replica, SweepAxis

ROW = "row"
TEXT = h5py.string_dtype()
REPLICA_VARIABLES = {
    "replica": "number of the replica",
    "status": "how the replica ended, or that it waits to be computed",
    "label": "swept values in words",
    "file": "result file of the replica, beside this one",
    "message": "why it ended or failed",
    "wall_time": "wall time of the batch that it was computed in",
    "rows": "rows of its table; those behind are NaN",
}


class Axis(Protocol):
    """An axis of a sweep, see `SweepAxis`."""

    @property
    def name(self) -> str:
        """The key path, or ``zip``, ``points``."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Key paths that change along it."""

    @property
    def values(self) -> tuple[Mapping[str, Any], ...]:
        """A mapping from key path to SI value for every position."""

    @property
    def labels(self) -> tuple[str, ...]:
        """A text for every position."""

    @property
    def units(self) -> Mapping[str, str]:
        """Unit of each key's values."""


def file_axes(axes: Sequence[Axis], columns: Sequence[Column]) -> list[SweepAxis]:
    """Return the axes with the names that their dimensions have in the file.

    An axis of one key takes the last words of its path that no other name uses
    (``torques.zhang_li.J[0]`` becomes ``J_x``), one of several keys the name of the axis.
    """
    taken = {ROW, *REPLICA_VARIABLES, *(c.name for c in columns)}
    taken |= {f"final_{c.name}" for c in columns}
    names = _short_names([key for axis in axes for key in axis.keys], taken)
    taken |= set(names.values())
    found = []
    for axis in axes:
        if len(axis.keys) == 1:
            dimension = names[axis.keys[0]]
        else:
            dimension = _unused(_identifier(axis.name), taken)
            taken.add(dimension)
        mine = {key: names[key] for key in axis.keys}
        found.append(
            SweepAxis(axis.name, dimension, axis.keys, mine, axis.values, axis.labels, axis.units)
        )
    return found


def write_sweep(
    path: Path,
    axes: Sequence[SweepAxis],
    replicas: Sequence[Replica],
    columns: Sequence[Column],
    tables: Mapping[int, Mapping[str, NDArray[Any]]],
    config_text: str,
    provenance: Mapping[str, Any],
    title: str = "",
) -> None:
    """Write the file anew; whoever reads sees the old or the new one, never half of it.

    Parameters
    ----------
    path
        ``sweep.h5``.
    axes
        From `file_axes`.
    replicas
        All of them, by number.
    columns
        Of the table.
    tables
        Columns of shape (rows,) of every replica that has some, by number.
    config_text
        The resolved run file of the sweep.
    provenance
        See `micromag.output.provenance.collect`.
    title
        Of the run file.

    Raises
    ------
    MicromagError
        If the disk refuses.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        # Built in memory: h5py does not survive a disk that is full.
        with h5py.File(path.name, "w", "core", ("v108", "v108"), backing_store=False) as file:
            _fill(file, axes, replicas, columns, tables)
            if title:
                file.attrs["title"] = title
            group = file.create_group("provenance")
            write_provenance(group, provenance)
            group["config"] = config_text
            group["columns"] = json.dumps([column.name for column in columns])
            group["axes"] = json.dumps([_entry(axis) for axis in axes], default=_plain)
            file.flush()
            image = file.id.get_file_image()
        with partial.open("wb") as target:
            target.write(image)
            target.flush()
            os.fsync(target.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise MicromagError(
            f"cannot write the collected table: {error.strerror or error}",
            where=str(path),
            next_step="check space, quota and permissions; the files of the replicas are whole",
        ) from error


def _fill(
    file: h5py.File,
    axes: Sequence[SweepAxis],
    replicas: Sequence[Replica],
    columns: Sequence[Column],
    tables: Mapping[int, Mapping[str, NDArray[Any]]],
) -> None:
    shape = tuple(len(axis) for axis in axes)
    rows = {n: len(next(iter(table.values()), ())) for n, table in tables.items()}
    scales = [_dimension(file, axis) for axis in axes]
    row = file.create_dataset(ROW, data=np.arange(max(rows.values(), default=0)))
    row.attrs["description"] = "row of the table"
    row.make_scale(ROW)
    others = _other_coordinates(file, axes, scales)

    def variable(name: str, data: Any, unit: str, text: str, *, by_row: bool = False) -> None:
        made = file.create_dataset(name, data=data, dtype=TEXT if data.dtype == object else None)
        made.attrs["units"] = unit
        if text:
            made.attrs["description"] = made.attrs["long_name"] = text
        for dimension, scale in enumerate([*scales, row] if by_row else scales):
            made.dims[dimension].attach_scale(scale)
        if others:
            made.attrs["coordinates"] = " ".join(others)

    per_replica: dict[str, list[Any]] = {
        "replica": [r.number for r in replicas],
        "status": [r.status for r in replicas],
        "label": [r.label for r in replicas],
        "file": [r.path.name for r in replicas],
        "message": [r.message for r in replicas],
        "wall_time": [r.wall_time for r in replicas],
        "rows": [rows.get(r.number, 0) for r in replicas],
    }
    for name, values in per_replica.items():
        kind = object if isinstance(values[0], str) else None
        unit = "s" if name == "wall_time" else ""
        variable(name, np.array(values, dtype=kind).reshape(shape), unit, REPLICA_VARIABLES[name])
    for column in columns:
        data = np.full((len(replicas), len(row)), np.nan)
        final = np.full(len(replicas), np.nan)
        for number, table in tables.items():
            data[number, : rows[number]] = table[column.name]
            if rows[number]:
                final[number] = table[column.name][-1]
        by_row = data.reshape(*shape, len(row))
        variable(column.name, by_row, column.unit, column.description, by_row=True)
        text = f"{column.description}, in the last row"
        variable(f"final_{column.name}", final.reshape(shape), column.unit, text)


def _dimension(file: h5py.File, axis: SweepAxis) -> h5py.Dataset:
    """Create the coordinate of an axis: its values, or its labels where a value is several."""
    if _is_simple(axis):
        key = axis.keys[0]
        values = [position[key] for position in axis.values]
        scale = _coordinate(file, axis.dimension, values, key, axis)
    else:
        scale = file.create_dataset(axis.dimension, data=np.array(axis.labels, dtype=object))
        scale.attrs["keys"] = list(axis.keys)
    scale.make_scale(axis.dimension)
    return scale


def _other_coordinates(
    file: h5py.File, axes: Sequence[SweepAxis], scales: Sequence[h5py.Dataset]
) -> list[str]:
    """Create the further coordinates along the axes; return their names."""
    made = []
    for axis, scale in zip(axes, scales, strict=True):
        for key, name in () if _is_simple(axis) else axis.variables.items():
            given: list[Any] = [position.get(key) for position in axis.values]
            # Of one key, the dimension has this name already, and says what can be said.
            parts = {} if name == axis.dimension else {name: given}
            if all(_is_vector(value) for value in given):  # split as the columns of the table are
                parts = {f"{name}_{a}": [v[i] for v in given] for i, a in enumerate("xyz")}
            for part, values in parts.items():
                _coordinate(file, part, values, key, axis).dims[0].attach_scale(scale)
                made.append(part)
    return made


def _coordinate(
    file: h5py.File, name: str, values: Sequence[Any], key: str, axis: SweepAxis
) -> h5py.Dataset:
    data: NDArray[Any]
    if all(_is_number(v) or v is None for v in values):
        whole = all(isinstance(v, int) for v in values)
        data = np.array(
            [np.nan if v is None else v for v in values], dtype=None if whole else float
        )
    else:
        texts = [v if isinstance(v, str) else json.dumps(v, default=_plain) for v in values]
        data = np.array(texts, dtype=object)
    made = file.create_dataset(name, data=data, dtype=TEXT if data.dtype == object else None)
    made.attrs["key"] = made.attrs["long_name"] = key
    made.attrs["units"] = axis.units.get(key, "")
    return made


def _is_simple(axis: Axis) -> bool:
    if len(axis.keys) > 1:
        return False
    values = [position.get(axis.keys[0]) for position in axis.values]
    return all(map(_is_number, values)) or all(isinstance(value, str) for value in values)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_vector(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 3 and all(map(_is_number, value))


def _short_names(keys: Sequence[str], taken: Collection[str]) -> dict[str, str]:
    """Return for every key path the shortest end of it that is a name of its own."""
    words = {key: _words(key) for key in keys}
    lengths = dict.fromkeys(words, 1)
    while True:
        names = {key: _identifier("_".join(words[key][-n:])) for key, n in lengths.items()}
        clash = [
            key
            for key, name in names.items()
            if (name in taken or list(names.values()).count(name) > 1)
            and lengths[key] < len(words[key])
        ]
        if not clash:
            break
        for key in clash:
            lengths[key] += 1
    used = set(taken)
    for key, name in names.items():
        names[key] = _unused(name, used)
        used.add(names[key])
    return names


def _words(key: str) -> list[str]:
    """Return the words of a key path; the index of a component becomes its letter: ``J_x``.

    The amplitude of what has a waveform is called J, not value.
    """
    words = []
    for part in re.sub(r"\.value(?=\[|$)", "", key).split("."):
        name, *indices = re.split(r"[\[\]]+", part.rstrip("]"))
        words.append("_".join([name, *indices]))
    if match := re.fullmatch(r"(.*)_([012])", words[-1]):
        words[-1] = f"{match[1]}_{'xyz'[int(match[2])]}"
    return words


def _identifier(text: str) -> str:
    name = re.sub(r"\W+", "_", text).strip("_")
    return name if name[:1].isalpha() else f"axis_{name}".rstrip("_")


def _unused(name: str, taken: Collection[str]) -> str:
    number, free = 2, name
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free


def _entry(axis: SweepAxis) -> dict[str, Any]:
    return {
        "name": axis.name,
        "dimension": axis.dimension,
        "keys": list(axis.keys),
        "variables": dict(axis.variables),
        "values": [dict(position) for position in axis.values],
        "labels": list(axis.labels),
        "units": dict(axis.units),
    }


def _plain(value: Any) -> Any:
    """Return a NumPy number or array, or any other object, as JSON can hold it."""
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else str(value)
