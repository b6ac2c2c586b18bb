"""Reader of ``sweep.h5``: the axes, the replicas and the collected table of a sweep."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from micromag.errors import UnreadableInputError
from micromag.output.runfile import RunFile, open_hdf5, plain_attribute

SWEEP_RESULT = "sweep.h5"
"""Name of the collected table in the folder of a sweep."""
_ENDING = ".h5"
DONE = ("finished", "ended")
"""Words for replicas of which nothing is left to compute: the whole schedule, or up to its own end."""


@dataclass(frozen=True)
class SweepAxis:
    """One axis of a sweep.

    ==========  ======================================================================
    name        meaning
    ==========  ======================================================================
    name        the key path, or ``zip``, ``points``
    dimension   name of the dimension in ``sweep.h5``
    keys        key paths that change along it
    variables   name of each key's coordinate in ``sweep.h5``
    values      a mapping from key path to SI value for every position
    labels      a text for every position
    units       unit of each key's values
    ==========  ======================================================================
    """

    name: str
    dimension: str
    keys: tuple[str, ...]
    variables: Mapping[str, str]
    values: tuple[Mapping[str, Any], ...]
    labels: tuple[str, ...]
    units: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.values)

    def of(self, key: str) -> NDArray[Any]:
        """Return the values of one key along the axis; raises KeyError if it is none of `keys`."""
        return np.array([position[key] for position in self.values])


@dataclass(frozen=True)
class Replica:
    """One replica of a sweep.

    ===========  =====================================================================
    name         meaning
    ===========  =====================================================================
    number       from 0, the last axis varying fastest
    place        index along every axis
    coordinates  SI value of every swept key path
    label        the same in words
    status       ``finished``; ``ended`` (before its time, for a reason); ``failed``;
                 ``interrupted``; ``waiting`` (nothing collected yet)
    path         its own result file
    message      why it ended or failed
    wall_time    of the batch that it was computed in [s]
    ===========  =====================================================================
    """

    number: int
    place: tuple[int, ...]
    coordinates: Mapping[str, Any]
    label: str
    status: str
    path: Path
    message: str = ""
    wall_time: float = math.nan

    @property
    def done(self) -> bool:
        """Whether nothing is left to compute."""
        return self.status in DONE


class SweepFile:
    """The collected result of a sweep, in SI units.

    What was committed when the object was made is what it shows; a sweep that still runs replaces
    the file after every batch.

    Parameters
    ----------
    path
        ``sweep.h5``, or the folder that it lies in.

    Attributes
    ----------
    axes
        The swept axes, in order; the last varies fastest.
    replicas
        All replicas by their number, those that are not computed yet as well.
    columns
        Names of the table's columns.
    units, descriptions
        Of each column.
    rows
        Rows of the table of every replica, shape `shape`.
    title
        Of the run file; may be empty.
    config_text
        The resolved run file (YAML) of the sweep.
    provenance
        Version, device, host, command line and so on.

    Raises
    ------
    UnreadableInputError
        If there is no such file or it is not a sweep of micromag.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        given = Path(path)
        self.path = given / SWEEP_RESULT if given.is_dir() else given
        with open_hdf5(self.path) as file:
            if "provenance" not in file or "axes" not in file["provenance"]:
                raise UnreadableInputError(
                    "an HDF5 file, but not a sweep of micromag",
                    where=str(self.path),
                    next_step="name the sweep.h5 that `micromag run` wrote, or its folder",
                )
            group = file["provenance"]
            self.config_text: str = group["config"].asstr()[()]
            self.axes: list[SweepAxis] = [
                _axis(entry) for entry in json.loads(group["axes"].asstr()[()])
            ]
            self.provenance: dict[str, Any] = {
                name: plain_attribute(value) for name, value in group.attrs.items()
            }
            self.columns: list[str] = [str(name) for name in json.loads(group["columns"][()])]
            self.units = {n: str(file[n].attrs["units"]) for n in self.columns}
            self.descriptions = {n: str(file[n].attrs.get("description", "")) for n in self.columns}
            self.rows: NDArray[np.int64] = file["rows"][...]
            self.title = str(file.attrs.get("title", ""))
            self.replicas: list[Replica] = self._replicas(file)

    def _replicas(self, file: h5py.File) -> list[Replica]:
        texts = {n: file[n].asstr()[...] for n in ("status", "label", "file", "message")}
        wall_times = file["wall_time"][...]
        found = []
        for number, place in enumerate(np.ndindex(*self.shape)):
            coordinates: dict[str, Any] = {}
            for axis, position in zip(self.axes, place, strict=True):
                coordinates |= axis.values[position]
            found.append(
                Replica(
                    number=number,
                    place=place,
                    coordinates=coordinates,
                    label=str(texts["label"][place]),
                    status=str(texts["status"][place]),
                    path=self.folder / str(texts["file"][place]),
                    message=str(texts["message"][place]),
                    wall_time=float(wall_times[place]),
                )
            )
        return found

    def __len__(self) -> int:
        return len(self.replicas)

    def __repr__(self) -> str:
        return f"SweepFile({str(self.path)!r}): {len(self)} replicas, {len(self.columns)} columns"

    @property
    def folder(self) -> Path:
        """The folder of the sweep."""
        return self.path.parent

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of positions along every axis."""
        return tuple(len(axis) for axis in self.axes)

    @property
    def finished(self) -> bool:
        """Whether no replica is left to compute, apart from those that failed."""
        return all(replica.done or replica.status == "failed" for replica in self.replicas)

    def run(self, number: int) -> RunFile:
        """Return the result file of one replica.

        Raises
        ------
        UnreadableInputError
            If there is no such replica, or its file is missing or damaged.
        """
        if not 0 <= number < len(self.replicas):
            raise UnreadableInputError(
                f"no replica {number}",
                where=str(self.path),
                allowed=f"0 to {len(self.replicas) - 1}",
            )
        return RunFile(self.replicas[number].path)

    def table(self, column: str) -> NDArray[np.float64]:
        """Return a column of every replica, shape ``(*shape, rows)``, padded with NaN.

        Raises
        ------
        UnreadableInputError
            If there is no such column.
        """
        return self._read(column, column)

    def final(self, column: str) -> NDArray[np.float64]:
        """Return the last value of a column of every replica, shape ``shape``; raises as `table`."""
        return self._read(column, f"final_{column}")

    def _read(self, column: str, dataset: str) -> NDArray[np.float64]:
        if column not in self.columns:
            raise UnreadableInputError(
                f"the sweep has no column {column!r}",
                where=str(self.path),
                allowed=", ".join(self.columns),
            )
        with open_hdf5(self.path) as file:
            return np.asarray(file[dataset][...], dtype=np.float64)

    def summary(self) -> str:
        """Return what ``micromag info`` prints about this sweep."""
        from micromag.output.sweep_summary import summarize_sweep

        return summarize_sweep(self)


def is_sweep(path: str | os.PathLike[str]) -> bool:
    """Return whether a path names the collected table of a sweep, or the folder of one."""
    given = Path(path)
    return (given / SWEEP_RESULT).exists() if given.is_dir() else given.suffix == _ENDING


def _axis(entry: Mapping[str, Any]) -> SweepAxis:
    values: Sequence[Mapping[str, Any]] = entry["values"]
    return SweepAxis(
        name=entry["name"],
        dimension=entry["dimension"],
        keys=tuple(entry["keys"]),
        variables=entry["variables"],
        values=tuple(values),
        labels=tuple(entry["labels"]),
        units=entry["units"],
    )
