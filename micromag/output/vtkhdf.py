"""Writer of one replica's result: a ``.vtkhdf`` file that survives the death of its writer.

Snapshots and table rows are committed in two phases. First the data go in, where no reader looks
yet; after a flush the counters that make them visible follow (``NSteps`` together with ``Values``,
or ``rows``), and a second flush. A process that is killed loses at most the snapshot in hand.

Two properties of the file are chosen for this and must stay. The HDF5 format is pinned to the one
without a status flag, which a killed writer would leave set. And metadata live in large contiguous
blocks, already inside the stored end of the file, of which the library merges neighbouring writes:
``NSteps`` and the header of ``Values`` then go out as one. What remains (found by replaying a file
write by write) is HDF5 splitting a chunk index, once in some 57 snapshots, for microseconds.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from micromag.column import Column
from micromag.errors import MicromagError, OutputExistsError
from micromag.mesh import Mesh
from micromag.output.columns import ColumnGroup
from micromag.output.full_disk import cut_off, mend, require_room, superblock
from micromag.output.layout import (
    OFFSET_BLOCK,
    CellField,
    Layout,
    create_layout,
    nano,
    write_provenance,
)

__all__ = ["CellField", "Column", "VtkhdfWriter"]

FORMAT = ("v108", "v108")
METADATA_BLOCK = 1 << 18
COMMIT_SECONDS = 1.0
COMMIT_ROWS = 4096
PLACEHOLDER_NS = 1e-9

RELAX_COLUMNS = {
    "iteration": Column("iteration", "", "iteration of the stage", integer=True),
    "energy": Column("energy", "J", "total energy"),
    "max_torque": Column("max_torque", "T", "largest |m x B_eff| of any cell"),
}


class VtkhdfWriter:
    """Write the snapshots, table, relax histories, configuration and provenance of one replica.

    The file appears under its name with the first snapshot (or when it is closed); until then it is
    ``<name>.partial``. ParaView reads fewer than two steps as a file without time, so the first
    snapshot is stored twice, a billionth of a nanosecond apart, until the second takes that place.

    Parameters
    ----------
    path
        The file to be written; it must not exist.
    mesh
        The mesh of all arrays.
    quantities
        What each snapshot holds: ``{"m": 3, "energy_density": 1}`` or :class:`CellField` objects.
    columns
        Columns of ``/table``.
    config_text
        The resolved run file.
    provenance
        Entries of ``/provenance``, see :func:`micromag.output.provenance.collect`.
    static
        Arrays (nz, ny, nx) that stay as they are, e.g. ``{"Ms": ...}`` in A/m.
    compression
        None or ``"gzip"`` (level 1 and shuffle).

    Raises
    ------
    OutputExistsError
        If ``path`` exists.
    MicromagError
        If the disk refuses (full, read-only, no permission).

    Source: layout of the VTKHDF specification, Kitware; commit order from our own crash tests.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        mesh: Mesh,
        quantities: Mapping[str, int] | Sequence[CellField] | None = None,
        columns: Sequence[Column] = (),
        config_text: str = "",
        provenance: Mapping[str, Any] | None = None,
        static: Mapping[str, NDArray[Any]] | None = None,
        compression: str | None = None,
    ) -> None:
        if compression not in (None, "gzip"):
            raise ValueError(f"compression is None or 'gzip', not {compression!r}")
        self.path = Path(path)
        self.mesh = mesh
        self.fields = _cell_fields(quantities)
        self._times: list[float] = []
        self._doubled = False
        self._failed = False
        self._superblock = b""
        self._closed = False
        self._started = self._last_commit = time.monotonic()
        self._partial = self.path.with_name(self.path.name + ".partial")
        if self.path.exists():
            raise OutputExistsError("the file exists already", where=str(self.path))
        with self._disk():
            size = len(config_text) + sum(array.nbytes for array in (static or {}).values())
            require_room(self._partial, 2 * METADATA_BLOCK + size)
            self._file = h5py.File(
                self._partial, "w", libver=FORMAT, locking=False, meta_block_size=METADATA_BLOCK
            )
            self._layout: Layout = create_layout(
                self._file, mesh, self.fields, static or {}, compression
            )
            self._table = ColumnGroup(self._file.create_group("table"), columns, index="t")
            self._relax_root = self._file.create_group("relax")
            self._relax: dict[str, ColumnGroup] = {}
            self._file["config"] = config_text
            self._provenance = self._file.create_group("provenance")
            entries = {"status": "running", "finished": "", "wall_time": 0.0, **(provenance or {})}
            write_provenance(self._provenance, entries)
            self._flush()

    # -- snapshots

    @property
    def snapshots(self) -> int:
        """Number of snapshots committed so far."""
        return len(self._times)

    def write_snapshot(self, t: float, fields: Mapping[str, ArrayLike]) -> None:
        """Commit the snapshot of time ``t`` (s), and all table rows buffered so far.

        A snapshot of the time of the last one replaces it: readers find snapshots by time and could
        reach only one of the two.

        Parameters
        ----------
        t
            Simulated time in s, not below that of the last snapshot.
        fields
            Every quantity of the file: vectors (3, nz, ny, nx), scalars (nz, ny, nx); and the
            numbers ``window_offset_x``, ``window_offset_y`` (m) if the mesh has a window.
        """
        rows: dict[str, Any] = {field.name: self._storable(field, fields) for field in self.fields}
        if self.mesh.window is not None:
            rows |= {
                name: nano(float(np.asarray(fields[name]))) for name in self.mesh.window.columns
            }
        if extra := set(fields) - set(rows):
            raise ValueError(f"not among the quantities of this file: {sorted(extra)}")
        now = nano(t)
        if not np.isfinite(now) or (self._times and now < self._times[-1]):
            raise ValueError(f"t = {t!r} s after {self._times[-1:]} ns: times must increase")
        with self._disk():
            self.flush()
            if self._times and now == self._times[-1]:
                self._replace_last(rows)
            elif not self._times:
                shift = max(PLACEHOLDER_NS, 4 * float(np.spacing(abs(now))))
                self._commit({0: rows, 1: rows}, {0: now, 1: now + shift}, doubled=True)
                self._publish()
                self._times = [now]
            else:
                index = len(self._times)
                self._commit({index: rows}, {index: now}, doubled=False)
                self._times.append(now)

    def _storable(self, field: CellField, fields: Mapping[str, ArrayLike]) -> NDArray[np.float32]:
        if field.name not in fields:
            raise ValueError(f"the snapshot lacks {field.name!r}")
        array = np.asarray(fields[field.name])
        expected = ((3,) if field.components == 3 else ()) + self.mesh.shape
        if array.shape != expected:
            raise ValueError(f"{field.name}: shape {array.shape}, expected {expected}")
        if field.components == 3:
            array = np.moveaxis(array, 0, -1)
        return np.ascontiguousarray(array, dtype=np.float32)

    def _commit(
        self,
        rows: Mapping[int, Mapping[str, Any]],
        times: Mapping[int, float],
        doubled: bool,
    ) -> None:
        layout, count = self._layout, max(times) + 1
        # Phase 1: the data, where VTK does not look yet. The scale `time` belongs here although it
        # holds times: xarray wants it as long as the arrays at every instant.
        for index, arrays in rows.items():
            for name, array in arrays.items():
                self._fit(layout.fields[name], count)[index] = array
            self._fit(layout.time, count)[index] = times[index]
        if count > len(next(iter(layout.offsets.values()))):
            self._extend_offsets(count)
        self._flush()
        # Phase 2: the count and the times in one flush. One without the other crashes VTK's reader.
        layout.steps.attrs.modify("NSteps", np.int64(count))
        layout.steps.attrs.modify("first_is_doubled", np.int64(doubled))
        for index, value in times.items():
            self._fit(layout.values, count)[index] = value
        self._flush()
        self._doubled = doubled

    @staticmethod
    def _fit(data: h5py.Dataset, count: int) -> h5py.Dataset:
        if len(data) < count:
            data.resize(count, axis=0)
        return data

    def _extend_offsets(self, count: int) -> None:
        for data in self._layout.offsets.values():
            start = len(data)
            data.resize(start + OFFSET_BLOCK, axis=0)
            data[start:] = np.arange(start, start + OFFSET_BLOCK)
        for data in self._layout.static_offsets.values():
            data.resize(len(data) + OFFSET_BLOCK, axis=0)

    def _replace_last(self, rows: Mapping[str, Any]) -> None:
        last = len(self._times) - 1
        for name, array in rows.items():
            for index in (last, last + 1) if self._doubled else (last,):
                self._layout.fields[name][index] = array
        self._flush()

    def _publish(self) -> None:
        if self._partial.exists():
            os.replace(self._partial, self.path)

    # -- tables

    def append_rows(self, rows: ArrayLike) -> None:
        """Add table rows of shape (rows, columns); they are committed about once a second."""
        self._table.append(rows)
        waited = time.monotonic() - self._last_commit
        if waited > COMMIT_SECONDS or self._table.pending >= COMMIT_ROWS:
            self.flush()

    def append_relax(self, stage: int | str, values: Mapping[str, ArrayLike]) -> None:
        """Add to the history of a relax or minimize stage, ``/relax/<stage>/*``.

        Parameters
        ----------
        stage
            Number of the stage in the schedule, from 0.
        values
            Column name -> a number or a 1-D array; the same columns in every call of a stage.
            Units of ``iteration``, ``energy`` (J) and ``max_torque`` (T) are known; for others
            they are left empty.
        """
        with self._disk():
            group = self._relax.get(str(stage)) or self._new_history(str(stage), list(values))
        group.append(np.column_stack([np.atleast_1d(values[c.name]) for c in group.columns]))
        if time.monotonic() - self._last_commit > COMMIT_SECONDS:
            self.flush()

    def _new_history(self, stage: str, names: Sequence[str]) -> ColumnGroup:
        columns = [RELAX_COLUMNS.get(name, Column(name)) for name in names]
        # Built without a name and linked when it is complete on disk: never half a group.
        anonymous = h5py.Group(h5py.h5g.create(self._relax_root.id, None))
        history = ColumnGroup(anonymous, columns, index="iteration")
        self._flush()
        self._relax_root[stage] = anonymous
        self._flush()
        self._relax[stage] = history
        return history

    def flush(self) -> None:
        """Commit all rows that are buffered."""
        groups = [self._table, *self._relax.values()]
        with self._disk():
            staged = [group for group in groups if group.stage()]
            if staged:
                self._flush()
                for group in staged:
                    group.commit()
                self._flush()
        self._last_commit = time.monotonic()

    # -- provenance and the end

    def update_provenance(self, entries: Mapping[str, Any]) -> None:
        """Add or replace entries of ``/provenance``."""
        with self._disk():
            write_provenance(self._provenance, entries)
            self._flush()

    def close(self, status: str = "finished") -> None:
        """Commit what is buffered, note ``status``, end and wall time (s), and close the file.

        ``status`` is a word that ``micromag info`` shows: finished, interrupted, failed.
        """
        if self._closed:
            return
        self._closed = True
        if not self._failed:
            with self._disk():
                self._restore_counters()
                self.flush()
                ended = datetime.now(UTC).isoformat(timespec="seconds")
                wall = time.monotonic() - self._started
                self.update_provenance({"status": status, "finished": ended, "wall_time": wall})
                os.fsync(self._file.id.get_vfd_handle())
        with self._disk() if not self._failed else contextlib.suppress(Exception):
            self._file.close()
        if self._failed:
            self._mend()
        self._publish()

    def _flush(self) -> None:
        """Flush, and keep the superblock that is now on the disk."""
        self._file.flush()
        self._superblock = superblock(self._file)

    def _mend(self) -> None:
        mend(self._partial if self._partial.exists() else self.path, self._superblock)

    def _restore_counters(self) -> None:
        """Make the counters those of the last commit, should an exception have come between."""
        count = len(self._times) + (1 if self._doubled else 0)
        self._layout.steps.attrs.modify("NSteps", np.int64(count))
        self._layout.values.resize(count, axis=0)

    @contextlib.contextmanager
    def _disk(self) -> Iterator[None]:
        """Turn the operating system's refusal into an error for the user."""
        try:
            yield
        except (OSError, RuntimeError) as error:  # h5py's flush raises the latter
            self._failed = True
            self._mend()
            if hasattr(self, "_file"):
                cut_off(self._file)
            system = re.search(r"error message = '([^']+)'", str(error))
            named = isinstance(error, OSError) and error.strerror
            reason = system[1] if system else str(named or error)
            raise MicromagError(
                f"cannot write the result: {reason}",
                where=str(self.path),
                next_step="check space, quota and permissions; what was committed stays readable",
            ) from error

    def __enter__(self) -> VtkhdfWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close("finished" if kind is None else "failed")


def _cell_fields(
    quantities: Mapping[str, int] | Sequence[CellField] | None,
) -> tuple[CellField, ...]:
    if quantities is None:
        quantities = {"m": 3}
    if isinstance(quantities, Mapping):
        fields = tuple(CellField(name, components) for name, components in quantities.items())
    else:
        fields = tuple(quantities)
    if not fields:
        raise ValueError("a result holds at least one quantity")
    return fields
