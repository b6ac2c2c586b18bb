"""Reader of result files: snapshots, table, relax histories, configuration and provenance."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from micromag.column import Columns
from micromag.errors import UnreadableInputError
from micromag.mesh import Mesh, Window
from micromag.output.folder import result_in
from micromag.output.layout import from_nano

SIGNATURE = b"\x89HDF\r\n\x1a\n"
ATTEMPTS = 5
PAUSE = 0.02


def first_bytes(path: Path, count: int) -> bytes:
    """Return the first bytes of a file; raises UnreadableInputError unless it is readable."""
    if path.is_dir():
        inside = path / "run.vtkhdf"
        hint = f"name the file in it: {inside}" if inside.exists() else "name a file"
        raise UnreadableInputError("is a folder, not a file", where=str(path), next_step=hint)
    try:
        with path.open("rb") as file:
            head = file.read(count)
    except FileNotFoundError:
        raise UnreadableInputError(
            "no such file", where=str(path), next_step=f"check the path; looked from {Path.cwd()}"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableInputError(f"cannot be read: {reason}", where=str(path)) from error
    if not head:
        raise UnreadableInputError(
            "the file is empty", where=str(path), next_step="copy or write it again"
        )
    return head


@contextlib.contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open a finished or growing HDF5 file; whatever fails is an UnreadableInputError."""
    if first_bytes(path, len(SIGNATURE)) != SIGNATURE:
        raise UnreadableInputError(
            "not an HDF5 file",
            where=str(path),
            allowed="a .vtkhdf file that micromag wrote",
            next_step="check that this is the file you meant",
        )
    try:
        with _open_patiently(path) as file:
            yield file
    except (OSError, KeyError, ValueError, RuntimeError, TypeError, IndexError) as error:
        raise UnreadableInputError(
            f"damaged or not written by micromag ({_short(error)})",
            where=str(path),
            next_step="copy it again if it was cut short; try once more if a run is writing it",
        ) from error


def _open_patiently(path: Path) -> h5py.File:
    # While a run writes, its file can for an instant be shorter than its superblock says.
    for attempt in range(ATTEMPTS):
        try:
            return h5py.File(path, "r", locking=False)
        except OSError as error:
            if "locking flag" in str(error):  # this process has it open already, with locking
                return h5py.File(path, "r")
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(PAUSE)
    raise AssertionError("unreachable")


def _short(error: Exception) -> str:
    text = str(error.args[0]) if error.args else str(error)
    return text.splitlines()[0][:160] if text else type(error).__name__


class RunFile:
    """One result file, read by name and in SI units.

    Each access opens and closes the file, so a run may go on writing it; what was committed when
    the object was made is what it shows.

    Attributes
    ----------
    times
        Times of the snapshots (s), shape (snapshots,).
    window_offset
        How far a moving window had come along x and y at each snapshot (m), shape (snapshots, 2); 0
        without one. A cell lies in the laboratory at its place in the mesh plus this.
    quantities
        Unit of each quantity of the snapshots, e.g. ``{"m": ""}``.
    units, descriptions
        Of each column of the table.
    config_text
        The resolved run file (YAML) that made this result.
    provenance
        Version, device, host, command line and so on.
    mesh
        The mesh, origin in its centre.

    Raises
    ------
    UnreadableInputError
        If there is no such file or it is not a result of micromag, or if ``path`` is a folder without
        one result in it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = result_in(Path(path))
        with self._open() as file:
            if "VTKHDF" not in file or "table" not in file or "provenance" not in file:
                raise UnreadableInputError(
                    "an HDF5 file, but not a result of micromag",
                    where=str(self.path),
                    next_step="name a .vtkhdf file that `micromag run` wrote",
                )
            root = file["VTKHDF"]
            self.mesh = _mesh(root)
            self._count, self.times = _times(root["Steps"])
            self.window_offset = _window_offset(root, self._count)
            cells = root["CellData"]
            offsets = root["Steps/CellDataOffsets"]
            self._static = [n for n in cells if cells[n].ndim == 4 and not offsets[n][:2].any()]
            self.quantities = {
                n: _text(cells[n].attrs.get("unit", "")) for n in cells if n not in self._static
            }
            self._rows = int(file["table"].attrs["rows"])
            columns = [_text(n) for n in file["table"].attrs["column_order"]]
            self.units = {n: _text(file["table"][n].attrs["unit"]) for n in columns}
            self.descriptions = {
                n: _text(file["table"][n].attrs.get("description", "")) for n in columns
            }
            self.config_text: str = file["config"].asstr()[()]
            self.provenance: dict[str, Any] = {
                name: plain_attribute(value) for name, value in file["provenance"].attrs.items()
            }

    def _open(self) -> contextlib.AbstractContextManager[h5py.File]:
        return open_hdf5(self.path)

    def __len__(self) -> int:
        return self._count

    def __repr__(self) -> str:
        return f"RunFile({str(self.path)!r}): {self._count} snapshots, {self._rows} table rows"

    @property
    def status(self) -> str:
        """``running`` (or killed), ``finished``, or the word the run ended with."""
        return str(self.provenance.get("status", ""))

    def m(self, k: int = -1) -> NDArray[np.float32]:
        """Return m of snapshot ``k``, shape (3, nz, ny, nx), 0 in empty cells."""
        return self.field("m", k)

    def field(self, name: str, k: int = -1) -> NDArray[np.float32]:
        """Return a quantity of snapshot ``k``: (3, nz, ny, nx) if a vector, else (nz, ny, nx).

        Raises
        ------
        UnreadableInputError
            If the file holds no such quantity or snapshot.
        """
        if name not in self.quantities:
            raise self._lacks(f"no quantity {name!r}", ", ".join(self.quantities))
        if not -self._count <= k < self._count:
            last = f"0 to {self._count - 1}, or -1 for the last" if self._count else "none is there"
            raise self._lacks(f"no snapshot {k}", last)
        with self._open() as file:
            data = file["VTKHDF/CellData"][name][k % self._count]
        return np.ascontiguousarray(np.moveaxis(data, -1, 0)) if data.ndim == 4 else data

    def _lacks(self, what: str, allowed: str) -> UnreadableInputError:
        return UnreadableInputError(what, where=str(self.path), allowed=allowed)

    @cached_property
    def static(self) -> dict[str, NDArray[np.float32]]:
        """Arrays (nz, ny, nx) that do not change in the run, such as ``Ms`` (A/m)."""
        with self._open() as file:
            return {name: file["VTKHDF/CellData"][name][0] for name in self._static}

    @cached_property
    def table(self) -> dict[str, NDArray[Any]]:
        """The committed rows of the table, one array of shape (rows,) per column, SI."""
        with self._open() as file:
            return Columns({name: file["table"][name][: self._rows] for name in self.units})

    @cached_property
    def relax_history(self) -> dict[str, dict[str, NDArray[Any]]]:
        """History of each relax or minimize stage against its iterations, by the stage's number."""
        with self._open() as file:
            return {
                stage: {
                    _text(name): group[name][: int(group.attrs["rows"])]
                    for name in group.attrs["column_order"]
                }
                for stage, group in file["relax"].items()
            }

    def summary(self) -> str:
        """Return what ``micromag info`` prints about this file."""
        from micromag.output.summary import summarize

        return summarize(self)


def _mesh(root: h5py.Group) -> Mesh:
    extent = root.attrs["WholeExtent"]
    nx, ny, nz = (int(n) for n in extent[1::2] - extent[0::2])
    ax, ay, az = (from_nano(float(a)) for a in root.attrs["Spacing"])
    px, py, pz = (int(p) for p in root.attrs.get("periodic_images", (0, 0, 0)))
    return Mesh(cells=(nx, ny, nz), cell_size=(ax, ay, az), periodic=(px, py, pz))


def _times(steps: h5py.Group) -> tuple[int, NDArray[np.float64]]:
    values = steps["Values"][:]
    count = min(int(steps.attrs["NSteps"]), len(values))
    if steps.attrs.get("first_is_doubled", 0):
        count = 1
    return count, np.array([from_nano(float(t)) for t in values[:count]])


def _window_offset(root: h5py.Group, count: int) -> NDArray[np.float64]:
    found = np.zeros((count, len(Window.columns)))
    for i, name in enumerate(Window.columns):
        if name in root.get("FieldData", ()):
            found[:, i] = [from_nano(float(x)) for x in root["FieldData"][name][:count]]
    return found


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def plain_attribute(value: Any) -> Any:
    """Return an attribute as text, a number, or what its JSON says."""
    if isinstance(value, np.generic):
        return value.item()
    text = _text(value)
    if text[:1] in "[{" or text in ("true", "false"):
        with contextlib.suppress(json.JSONDecodeError):
            return json.loads(text)
    return text
