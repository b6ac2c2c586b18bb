"""What belongs to places: regions, filled cells, and values per cell and per face.

Wherever a moving window takes the mesh, it sees what lies there in the laboratory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from micromag.cell_values import cell_values, displaced, quantity_of
from micromag.codegen import Layout
from micromag.config_sections import Material
from micromag.errors import ConfigError
from micromag.geometry import parse_shape, region_index
from micromag.mesh import Mesh
from micromag.parameters import Parameter, Quantity

if TYPE_CHECKING:
    from micromag.config import RunConfig
    from micromag.terms.base import Term

FloatArray = NDArray[np.float64]
_MS = quantity_of(Material, "Ms")


@dataclass(frozen=True)
class Ground:
    """What lies under the mesh of one replica.

    Attributes
    ----------
    region
        Number of the region of every cell, shape ``(nz, ny, nx)``.
    Ms
        Saturation magnetization [A/m], 0 in empty cells, shape ``(nz, ny, nx)``.
    arrays
        Values per cell and per face by the names of the layout, SI units.
    """

    region: NDArray[np.int32]
    Ms: FloatArray
    arrays: dict[str, FloatArray]


class Terrain:
    """Looks up what lies under the meshes of replicas that share a structure.

    Parameters
    ----------
    mesh
        Their mesh, before any window moves.
    first
        One of their configurations, which has the regions and the geometry of all.

    Attributes
    ----------
    regions
        Region of every cell before any window moves.
    inside
        Cells that the geometry fills, before any window moves.
    """

    def __init__(self, mesh: Mesh, first: RunConfig) -> None:
        self.mesh = mesh
        self.regions = region_index(mesh, first.regions)
        self.inside = first.geometry.mask(mesh)
        self._given: dict[int, FloatArray] = {}

    def magnetic(self, configs: Sequence[RunConfig]) -> NDArray[np.bool_]:
        """Return the cells with Ms > 0 before any window moves, shape ``(nz, ny, nx)``.

        Raises
        ------
        ConfigError
            There is none, or the replicas differ in them.
        """
        region = self.regions.numbers
        found = [(self._values(c.material.Ms, _MS, region)[0] > 0) & self.inside for c in configs]
        if any((other != found[0]).any() for other in found):
            raise ConfigError("the replicas of a batch differ in which cells are empty")
        if not found[0].any():
            raise ConfigError(
                "no cell is magnetic",
                where="geometry, material.Ms",
                next_step="check that the shape overlaps the mesh and that Ms is positive in it",
            )
        return found[0]

    def ground(
        self,
        config: RunConfig,
        terms: Sequence[Term],
        layout: Layout,
        shift: tuple[int, int] = (0, 0),
    ) -> Ground:
        """Return what lies under the mesh of one replica, moved by ``shift`` cells along x and y."""
        region, inside = self.regions.numbers, self.inside
        if shift != (0, 0):
            region = region_index(self.mesh, config.regions, shift).numbers
            inside = config.geometry.mask(self.mesh, shift)
        Ms = self._values(config.material.Ms, _MS, region, shift)[0] * inside
        arrays = self._cell_arrays(config, terms, layout, shift)
        for member, name in layout.faces:
            index, attribute = member[1:].split(".")
            term = terms[int(index)]
            parameter, quantity = getattr(term, attribute), quantity_of(type(term), attribute)
            here = self._values(parameter, quantity, region, shift)
            arrays[name] = self._faces(here, Ms > 0, region, parameter)
        return Ground(region, Ms, arrays)

    def _values(
        self,
        parameter: Parameter,
        quantity: Quantity,
        region: NDArray[np.int32],
        shift: tuple[int, int] = (0, 0),
    ) -> FloatArray:
        """Return a parameter in every cell, shape ``(1 or 3, nz, ny, nx)``, waveforms left out."""
        if parameter.is_per_cell:
            return displaced(self._per_cell(parameter, quantity), shift)
        by_region = np.array([parameter.of_region(name) for name in self.regions.names])
        values = by_region.reshape(len(self.regions.names), -1)[region]
        return np.moveaxis(values, -1, 0).copy()

    def _per_cell(self, parameter: Parameter, quantity: Quantity) -> FloatArray:
        """Return the values of a parameter that has one per cell; a window needs them again."""
        if self.mesh.window is None:
            return cell_values(parameter, quantity, self.mesh)
        if id(parameter) not in self._given:
            self._given[id(parameter)] = cell_values(parameter, quantity, self.mesh)
        return self._given[id(parameter)]

    def _cell_arrays(
        self, config: RunConfig, terms: Sequence[Term], layout: Layout, shift: tuple[int, int]
    ) -> dict[str, FloatArray]:
        owners: dict[str, tuple[BaseModel, str]] = {
            name: (config.material, name) for name in ("alpha", "Ms")
        }
        for i, term in enumerate(terms):
            owners |= {f"t{i}.{name}": (term, name) for name in term.parameters()}
        arrays = {}
        for slot in layout.slots:
            if slot.data is not None:
                owner, name = owners[slot.member]
                quantity = quantity_of(type(owner), name)
                values = self._per_cell(getattr(owner, name), quantity)
                arrays[slot.data] = displaced(values, shift)
        return arrays

    def _faces(
        self,
        here: FloatArray,
        magnetic: NDArray[np.bool_],
        region: NDArray[np.int32],
        parameter: Parameter,
    ) -> FloatArray:
        """Return the harmonic mean on the face towards the next cell, 0 between opposite signs.

        The result has the shape ``(3, nz, ny, nx)``, or ``(9, nz, ny, nx)`` of vectors, axes first.
        A value given for a pair of regions replaces the mean; faces of empty cells get 0.
        """
        faces = np.zeros((3, *here.shape))
        for axis in range(3):
            there = self._next(here, axis)
            alike = here * there > 0
            mean = np.divide(2 * here * there, here + there, out=np.zeros_like(here), where=alike)
            self._override_pairs(mean, region, self._next(region, axis), parameter)
            faces[axis] = mean * magnetic * self._next(magnetic, axis)
        return faces.reshape(-1, *self.mesh.shape)

    def _next(self, values: NDArray[Any], axis: int) -> NDArray[Any]:
        """Return the value in the next cell along an axis; what a window has cut off goes on."""
        if self.mesh.is_endless(axis):
            return displaced(values, (1, 0) if axis == 0 else (0, 1))
        return np.roll(values, -1, -1 - axis)

    def _override_pairs(
        self,
        faces: FloatArray,
        region: NDArray[np.int32],
        next_region: NDArray[np.int32],
        parameter: Parameter,
    ) -> None:
        """Put the values given for pairs of regions on the faces between them, in place."""
        if not parameter.pairs:
            return
        numbers = {name: i for i, name in enumerate(self.regions.names)}
        count = len(numbers)
        given = {
            min(numbers[a], numbers[b]) * count + max(numbers[a], numbers[b]): value
            for (a, b), value in parameter.pairs.items()
        }
        codes = np.array(sorted(given))
        values = np.array([given[code] for code in codes]).reshape(len(codes), -1)
        # One look-up per face: with thousands of grains there are tens of thousands of pairs.
        low, high = np.minimum(region, next_region), np.maximum(region, next_region)
        wanted = low.astype(np.int64) * count + high
        place = np.searchsorted(codes, wanted).clip(max=len(codes) - 1)
        found = codes[place] == wanted
        faces[:, found] = values[place[found]].T


def is_endless(config: RunConfig) -> bool:
    """Whether a moving window never comes to an empty cell if there is none where it begins."""
    Ms = config.material.Ms
    # Of values per cell the outermost go on, and they have been looked at.
    values = () if Ms.is_per_cell else (Ms.value, *Ms.regions.values())
    return config.geometry == parse_shape({"box": {}}) and all(v > 0 for v in values)
