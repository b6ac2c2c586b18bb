"""A shape given cell by cell in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydantic import model_validator

from micromag.errors import ConfigError, UnreadableInputError
from micromag.geometry.base import Coordinates, Mask, Shape, margin
from micromag.input_file import InputFile
from micromag.mesh import Mesh


class File(Shape):
    """The cells where an array is not zero: ``{file: mask.npy}``, or where a magnet is: ``{file: m.ovf}``.

    The array in a ``.npy`` file has the shape ``(nz, ny, nx)`` of the mesh, or ``(ny, nx)`` for a
    column along z. Of a magnetization (a ``.vtkhdf`` result, OVF, or ``.npy`` of the shape
    ``(3, nz, ny, nx)``) the cells count whose moment is not zero.

    ==========  ====  =====  ==================================
    name        unit  shape  default
    ==========  ====  =====  ==================================
    path        1     ()     required
    ==========  ====  =====  ==================================

    Raises
    ------
    UnreadableInputError
        If the file is absent or of another kind, or holds something else than numbers.
    ConfigError
        If the array does not fit the mesh.
    """

    path: InputFile

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, data: Any) -> Any:
        return {"path": data} if isinstance(data, str | Path) else data

    def contains(self, x: Coordinates, y: Coordinates, z: Coordinates, mesh: Mesh) -> Mask:
        """Return which points lie inside; see ``Shape.contains``."""
        array = _read(self.path)
        if array.shape not in (mesh.shape, mesh.shape[1:]):
            raise ConfigError(
                "the array in this file does not fit the mesh",
                where="geometry.file.path",
                value=f"{self.path} has the shape {array.shape}",
                allowed=f"{mesh.shape} (nz, ny, nx) or {mesh.shape[1:]} (ny, nx)",
            )
        array = np.broadcast_to(array, mesh.shape)
        inside: Mask = np.ones((1, 1, 1), dtype=bool)
        indices = []
        for axis, s in enumerate((x, y, z)):
            cell = (s - mesh.lower_corner[axis] + margin(mesh)) / mesh.cell_size[axis]
            index = np.floor(cell).astype(np.intp)
            if not mesh.is_endless(axis):  # where a window moves, the outermost cells go on
                inside = inside & (index >= 0) & (index < mesh.cells[axis])
            indices.append(index.clip(0, mesh.cells[axis] - 1))
        return inside & array[indices[2], indices[1], indices[0]]

    def input_files(self) -> tuple[Path, ...]:
        """Return the array's path."""
        return (self.path,)


def _read(path: Path) -> Mask:
    """Return where the array or the magnetization in a file is not zero."""
    from micromag.output.reader import read_magnetization
    from micromag.output.runfile import first_bytes

    if not first_bytes(path, 6).startswith(b"\x93NUMPY"):
        return np.asarray(read_magnetization(path).m.any(axis=0))
    try:
        array = np.lib.format.open_memmap(path, mode="r")
        if array.dtype.kind not in "buif":
            raise ValueError(f"it holds {array.dtype}, not numbers")
        if not np.isfinite(array).all():
            raise ValueError("it contains NaN or infinity")
    except (OSError, ValueError, EOFError, SyntaxError, OverflowError) as error:
        raise UnreadableInputError(
            f"this mask cannot be read: {error}",
            where="geometry.file.path",
            value=path,
            allowed="a .npy file of booleans or numbers, or a magnetization",
        ) from error
    if array.ndim == 4:
        return np.asarray(read_magnetization(path).m.any(axis=0))
    return np.asarray(array) != 0
