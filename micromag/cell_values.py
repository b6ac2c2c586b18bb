"""Parameters with a value per cell, read from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from micromag.errors import UnreadableInputError
from micromag.mesh import Mesh


def read_cell_values(path: Path, mesh: Mesh, components: int) -> NDArray[np.float64]:
    """Return the values of a file, shape ``(nz, ny, nx)`` or ``(3, nz, ny, nx)``.

    Parameters
    ----------
    path
        ``.npy`` array of that shape; one plane ``(ny, nx)`` will do where nz = 1.
    mesh
        Gives the number of cells.
    components
        1 or 3.

    Raises
    ------
    UnreadableInputError
        The file is not such an array, does not fit the mesh, or holds NaN or Inf.
    """
    where = str(path)
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UnreadableInputError(
            "not a readable .npy array",
            where=where,
            value=error,
            next_step="save the values with numpy.save",
        ) from None
    shape = mesh.shape if components == 1 else (components, *mesh.shape)
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu":
        raise UnreadableInputError("the file holds no real numbers", where=where, allowed="numbers")
    if mesh.shape[0] == 1 and values.shape == (*shape[:-3], *shape[-2:]):
        values = values.reshape(shape)
    if values.shape != shape:
        raise UnreadableInputError(
            "the array does not fit the mesh",
            where=where,
            value=f"shape {values.shape}",
            allowed=f"shape {shape}, in the order (z, y, x)",
        )
    if not np.isfinite(values).all():
        raise UnreadableInputError("the array holds NaN or Inf", where=where, allowed="finite numbers")
    return values.astype(np.float64)
