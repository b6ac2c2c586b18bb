"""Read fields and magnetizations from files of any known kind, told apart by their content."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from micromag.errors import UnreadableInputError
from micromag.output.field_data import FieldData
from micromag.output.runfile import SIGNATURE, RunFile, first_bytes

__all__ = ["FieldData", "RunFile", "read_field", "read_magnetization"]

NORM_TOLERANCE = 1e-3
MAGNETIZATION_UNITS = {"a/m": 1.0, "ka/m": 1e3, "ma/m": 1e6, "emu/cc": 1e3}
KINDS = "a .vtkhdf result, an OVF file (.ovf .omf .ohf) or a NumPy array (.npy)"


def read_field(path: str | os.PathLike[str], snapshot: int = -1, name: str = "m") -> FieldData:
    """Read a scalar or vector field from a result, an OVF 1.0 or 2.0 file or a ``.npy`` file.

    Parameters
    ----------
    path
        The file.
    snapshot
        Which snapshot of a result; -1 is the last. Ignored for other kinds.
    name
        Which quantity of a result, e.g. ``m`` or ``Ms``. Ignored for other kinds.

    Raises
    ------
    UnreadableInputError
        If the file is missing, damaged, of an unknown kind, or holds a number that is not finite.
    """
    path = Path(path)
    head = first_bytes(path, 256)
    if head.startswith(SIGNATURE):
        data = _from_result(path, snapshot, name)
    elif head.startswith(b"\x93NUMPY"):
        data = _from_npy(path)
    elif head.lstrip().startswith(b"#") and b"OOMMF" in head.upper():
        from micromag.output.ovf import read_ovf

        data = read_ovf(path)
    else:
        what = "a kind of file that is unknown"
        if path.suffix.lower() in (".ovf", ".omf", ".ohf"):
            what = "not an OVF file: its content does not begin with '# OOMMF'"
        raise UnreadableInputError(what, where=str(path), allowed=KINDS)
    wrong = np.argwhere(~np.isfinite(data.values))
    if len(wrong):
        component, z, y, x = (int(i) for i in wrong[0])
        raise UnreadableInputError(
            f"{len(wrong)} values are not finite",
            where=str(path),
            value=f"{data.values[component, z, y, x]} (component {component}) in {_cell(x, y, z)}",
            next_step="the run that wrote it had failed; use an earlier state",
        )
    return data


def read_magnetization(path: str | os.PathLike[str], snapshot: int = -1) -> FieldData:
    """Read unit vectors of magnetization, exactly normalised, 0 in empty cells.

    Values in a unit of magnetization (A/m, as OOMMF writes them) are divided by their length;
    others must have length 1 or 0 within 1e-3.

    Raises
    ------
    UnreadableInputError
        As :func:`read_field`, and if the field is not a vector field or not of length 1 or 0.
    """
    data = read_field(path, snapshot)
    if data.values.shape[0] != 3:
        raise UnreadableInputError(
            "a magnetization has three components",
            where=str(path),
            value=f"shape {data.values.shape}",
            allowed="(3, nz, ny, nx) or (nz, ny, nx, 3)",
        )
    norm = np.linalg.norm(data.values, axis=0)
    if data.unit.replace(" ", "").lower() not in MAGNETIZATION_UNITS:
        off = np.minimum(np.abs(norm - 1), norm)
        if off.max() > NORM_TOLERANCE:
            z, y, x = (int(i) for i in np.unravel_index(int(off.argmax()), off.shape))
            raise UnreadableInputError(
                "not a magnetization direction",
                where=str(path),
                value=f"|m| = {norm[z, y, x]:.6g} in {_cell(x, y, z)}",
                allowed="length 1, or 0 in empty cells; any length in an OVF file in A/m",
            )
        norm = np.where(norm > 0.5, norm, np.inf)  # remnants below the tolerance are empty cells
    unit_vectors = data.values / np.where(norm > 0, norm, np.inf)
    if not unit_vectors.any():
        raise UnreadableInputError("every cell is empty (m = 0)", where=str(path))
    return FieldData(unit_vectors, data.cell_size, data.origin)


def _cell(x: int, y: int, z: int) -> str:
    return f"cell (x, y, z) = ({x}, {y}, {z})"


def _from_result(path: Path, snapshot: int, name: str) -> FieldData:
    run = RunFile(path)
    if name in run.static:
        values, unit = run.static[name], "A/m" if name == "Ms" else ""
    else:
        values, unit = run.field(name, snapshot), run.quantities[name]
    grid = values if values.ndim == 4 else values[None]
    return FieldData(grid.astype(np.float64), run.mesh.cell_size, run.mesh.lower_corner, unit)


def _from_npy(path: Path) -> FieldData:
    try:
        # Mapped, so that a header that promises more than the file holds is found out.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError, OverflowError) as error:
        raise UnreadableInputError(
            f"a damaged .npy file ({str(error).splitlines()[0][:120]})",
            where=str(path),
            next_step="write it again with numpy.save",
        ) from error
    if array.dtype.kind not in "fiu" or array.size == 0:
        raise UnreadableInputError(
            "the array does not hold real numbers",
            where=str(path),
            value=f"dtype {array.dtype}, shape {array.shape}",
        )
    if array.ndim == 4 and array.shape[0] != 3 and array.shape[3] == 3:
        array = np.moveaxis(array, -1, 0)
    elif array.ndim == 3:
        array = array[None]
    if array.ndim != 4 or array.shape[0] not in (1, 3):
        raise UnreadableInputError(
            "the array does not have the shape of a field",
            where=str(path),
            value=f"shape {array.shape}",
            allowed="(3, nz, ny, nx), (nz, ny, nx, 3), or (nz, ny, nx) for a scalar",
        )
    return FieldData(np.array(array, dtype=np.float64, order="C"))
