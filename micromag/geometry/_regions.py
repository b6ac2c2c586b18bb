"""Named regions: which part of the mesh every cell belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from micromag.errors import ConfigError
from micromag.geometry.base import Shape
from micromag.mesh import Mesh


class Regions(NamedTuple):
    """The region of every cell: ``names[numbers[z, y, x]]``."""

    numbers: NDArray[np.int32]
    names: tuple[str, ...]

    def mask(self, name: str) -> NDArray[np.bool_]:
        """Return the cells of one region, shape ``(nz, ny, nx)``; raises ValueError if unknown."""
        return self.numbers == self.names.index(name)


def region_index(
    mesh: Mesh, regions: Mapping[str, Shape], shift: tuple[int, int] = (0, 0)
) -> Regions:
    """Number the cells by region; later regions win where several overlap.

    ``shift`` is how far a window has moved along x and y [cells].

    Returns
    -------
    ``(numbers, names)``: an int32 array of shape ``(nz, ny, nx)`` and the names it points at, of which
    number 0 is ``default``, the cells in no region.

    Raises
    ------
    ConfigError
        If a region contains no cell centre at all, unless a moving window may still come to it.
    """
    numbers = np.zeros(mesh.shape, dtype=np.int32)
    for number, (name, shape) in enumerate(regions.items(), start=1):
        mask = shape.mask(mesh, shift)
        if not mask.any() and mesh.window is None:
            raise ConfigError(
                f"the region {name!r} contains no cell",
                where=f"regions.{name}",
                value=repr(shape),
                allowed=f"shapes that contain the centre of a cell; the mesh is {extent(mesh)}",
                next_step="check the units and the position, or take smaller cells",
            )
        numbers[mask] = number
    return Regions(numbers, ("default", *regions))


def extent(mesh: Mesh) -> str:
    """Return where the mesh lies, for messages: ``x -256 to 256 nm, y ...``."""
    parts = (
        f"{axis} {-length * 0.5e9:.4g} to {length * 0.5e9:.4g} nm"
        for axis, length in zip("xyz", mesh.size, strict=True)
    )
    return ", ".join(parts)
