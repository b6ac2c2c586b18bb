"""The magnetization of an earlier run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import StrictBool, StrictInt, model_validator

from micromag.errors import ConfigError
from micromag.initial.base import Field, InitialState
from micromag.input_file import InputFile
from micromag.mesh import Mesh


class File(InitialState):
    """The magnetization in a file: ``{file: start.ovf}`` or ``{file: {path: ..., snapshot: 3}}``.

    Files of this program (``.vtkhdf``), OVF 1.0 and 2.0 and ``.npy`` arrays of shape
    ``(3, nz, ny, nx)`` are recognised by their content. Every cell of the magnet must have a direction
    in the file; what it holds elsewhere has no effect, and ``geometry: {file: ...}`` of the same file
    fills the cells that are filled there. As many cells as in the mesh are copied one to one, whatever
    their size. ``resample: true`` takes the cell of the file that holds the centre of each cell of the
    mesh instead: the centres of both grids coincide, whatever origin the file states, and the file
    must reach as far as the mesh. A file that does not state its cells' size counts as large as the
    mesh.

    ==========  ====  =====  ============================================================
    name        unit  shape  default
    ==========  ====  =====  ============================================================
    path        1     ()     required
    snapshot    1     ()     -1: the last; 0 is the first
    resample    1     ()     false: the file must have the cells of the mesh
    ==========  ====  =====  ============================================================

    Raises
    ------
    UnreadableInputError
        If the file cannot be read, or holds no directions.
    ConfigError
        If its grid does not fit the mesh.
    """

    path: InputFile
    snapshot: StrictInt = -1
    resample: StrictBool = False

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, data: Any) -> Any:
        return {"path": data} if isinstance(data, str | Path) else data

    def magnetization(self, mesh: Mesh, rng: np.random.Generator) -> Field:
        """Return unit vectors, shape ``(3, nz, ny, nx)``; see ``InitialState.magnetization``."""
        from micromag.output.reader import read_magnetization

        data = read_magnetization(self.path, self.snapshot)
        if data.m.shape[1:] == mesh.shape and not self.resample:
            return data.m
        return self._resampled(data.m, data.cell_size, mesh)

    def _resampled(
        self, m: Field, cell_size: tuple[float, float, float] | None, mesh: Mesh
    ) -> Field:
        """Return the nearest cells of another grid, or say why not."""
        nz, ny, nx = m.shape[1:]
        sizes = cell_size or tuple(s / n for s, n in zip(mesh.size, (nx, ny, nz), strict=True))
        theirs = f"{nx} x {ny} x {nz} cells" + (_sizes(sizes) if cell_size else "")
        ours = f"{' x '.join(map(str, mesh.cells))} cells{_sizes(mesh.cell_size)}"
        if not self.resample:
            raise ConfigError(
                "the grid of this file is not the mesh",
                where="initial.file",
                value=f"{self.path}: {theirs}",
                allowed=ours,
                next_step="take the file's mesh, or  resample: true  for the nearest cells",
            )
        indices = []
        for axis, n in enumerate((nx, ny, nz)):
            index, outside = _nearest(mesh.centres(axis), n, sizes[axis])
            if outside:
                raise ConfigError(
                    f"this file does not reach as far as the mesh along {'xyz'[axis]}",
                    where="initial.file",
                    value=f"{self.path}: {theirs}",
                    allowed=f"at least the extent of the mesh: {ours}",
                )
            indices.append(index)
        ix, iy, iz = indices
        return m[:, iz[:, None, None], iy[None, :, None], ix[None, None, :]]

    def input_files(self) -> tuple[Path, ...]:
        """Return the path of the file."""
        return (self.path,)


def _nearest(positions: Field, n: int, cell: float) -> tuple[NDArray[np.intp], bool]:
    """Return the cell of a centred row of ``n`` that holds each position, and if one is outside."""
    index = np.floor(positions / cell + n / 2 + 1e-6).astype(np.intp)
    return index.clip(0, n - 1), bool((index < 0).any() or (index >= n).any())


def _sizes(cell_size: tuple[float, ...]) -> str:
    return f" of {' x '.join(f'{a * 1e9:.6g}' for a in cell_size)} nm"
