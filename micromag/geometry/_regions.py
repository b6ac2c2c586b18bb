"""Named regions: which part of the mesh every cell belongs to."""

from __future__ import annotations

import math
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
    x, y, z = mesh.grid(shift)
    for number, (name, shape) in enumerate(regions.items(), start=1):
        # With thousands of grains most of the mesh is far from each: ask only where the shape can be.
        i, j, k = (
            _reach(span, float(s.flat[0]), d, n)
            for span, s, d, n in zip(
                shape.bounds(mesh), (x, y, z), mesh.cell_size, mesh.cells, strict=True
            )
        )
        inside = shape.contains(x[..., i], y[:, j], z[k], mesh)
        np.copyto(numbers[k, j, i], number, where=inside)
        if not inside.any() and mesh.window is None:
            raise ConfigError(
                f"the region {name!r} contains no cell",
                where=f"regions.{name}",
                value=repr(shape),
                allowed=f"shapes that contain the centre of a cell; the mesh is {extent(mesh)}",
                next_step="check the units and the position, or take smaller cells",
            )
    return Regions(numbers, ("default", *regions))


def _reach(bounds: tuple[float, float], first: float, spacing: float, count: int) -> slice:
    """Return which of ``count`` centres may lie within bounds, one more on either side."""
    lower, upper = ((bound - first) / spacing for bound in bounds)
    start = math.floor(min(max(lower - 1, 0), count))
    stop = math.ceil(min(max(upper + 2, 0), count))
    return slice(start, max(start, stop))


def extent(mesh: Mesh) -> str:
    """Return where the mesh lies, for messages: ``x -256 to 256 nm, y ...``."""
    parts = (
        f"{axis} {-length * 0.5e9:.4g} to {length * 0.5e9:.4g} nm"
        for axis, length in zip("xyz", mesh.size, strict=True)
    )
    return ", ".join(parts)
