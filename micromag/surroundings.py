"""What a term may ask of the run that it stands in: mesh, shapes, regions, material."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from micromag.config_sections import Material
from micromag.geometry import Regions, Shape, region_index
from micromag.mesh import Mesh
from micromag.parameters import custom_error

_AXES = "xyz"


@dataclass(frozen=True)
class Surroundings:
    """The run around a term, for `micromag.terms.base.Term.resolved`.

    Attributes
    ----------
    mesh, geometry, regions, material
        Sections of the run file.
    """

    mesh: Mesh
    geometry: Shape
    regions: Mapping[str, Shape]
    material: Material

    @cached_property
    def region_index(self) -> Regions:
        """Region of every cell."""
        return region_index(self.mesh, self.regions)

    def magnet(self, region: str | None = None) -> NDArray[np.bool_]:
        """Return the filled cells of a region with Ms > 0, of all of them by default.

        Shape ``(nz, ny, nx)``. Cells that only a file makes empty count as filled.
        """
        numbers, names = self.region_index
        Ms = self.material.Ms
        filled = np.array([Ms.is_per_cell or Ms.of_region(name) > 0 for name in names])
        mask = self.geometry.mask(self.mesh) & filled[numbers]
        return mask if region is None else mask & self.region_index.mask(region)

    def thickness(self, axis: int, region: str | None = None) -> float:
        """Return the extent of the magnet, or of its part in a region, along an axis [m].

        Raises
        ------
        PydanticCustomError
            There is no magnet, or its extent is not the same everywhere.
        """
        where = "the magnet" if region is None else f"the region {region!r}"
        mask = np.moveaxis(self.magnet(region), 2 - axis, 0)
        counts = mask.sum(axis=0)
        counts = counts[counts > 0]
        if counts.size == 0:
            raise custom_error("term", f"{where} has no magnetic cell", "a region with Ms > 0")
        d = self.mesh.cell_size[axis]
        pieces = (mask[1:] & ~mask[:-1]).sum(axis=0) + mask[0]
        if counts.min() != counts.max() or pieces.max() > 1:
            low, high = (1e9 * d * float(n) for n in (counts.min(), counts.max()))
            span = (
                f"{low:.4g} to {high:.4g} nm" if low < high else f"{pieces.max()} separate layers"
            )
            raise custom_error(
                "term",
                f"{where} has no single thickness along {_AXES[axis]} ({span})",
                "thickness: ..., or region: the layer that is meant",
            )
        return d * float(counts[0])
