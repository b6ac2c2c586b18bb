"""What torques share that enter a magnetic layer through one of its faces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from micromag.cell_values import cell_values, displaced, quantity_of
from micromag.directions import Direction
from micromag.parameters import (
    Parameter,
    Quantity,
    ScalarParameter,
    Vector,
    VectorParameter,
    custom_error,
)
from micromag.suggest import did_you_mean
from micromag.terms.base import NonlocalField, Torque

if TYPE_CHECKING:
    from micromag.backend.base import Backend
    from micromag.model import Model
    from micromag.surroundings import Surroundings

AnyParameter = TypeVar("AnyParameter", bound=Parameter[Any])
REFERENCE = 1e11
"""Current density [A/m^2] for which effective fields are told."""


class LayerTorque(Torque):
    """A torque on a layer, divided among the layer's cells: it needs the layer's thickness."""

    filled_in: ClassVar[tuple[str, ...]] = ("thickness",)

    thickness: Annotated[ScalarParameter, Quantity("m", gt=0)] | None = None
    """Thickness of the layer along the normal [m]; its extent when not given."""
    region: str | None = None
    """Region on which the torque acts; the whole magnet when not given."""

    def thickness_in(self, surroundings: Surroundings, normal: Vector | None) -> ScalarParameter:
        """Return the thickness, measured along the normal where it is not given.

        ``normal`` is None where it is not the same everywhere. Raises PydanticCustomError where there
        is no one thickness, or no such region.
        """
        names = ("default", *surroundings.regions)
        if self.region is not None and self.region not in names:
            what = f"no region is called {self.region!r}{did_you_mean(self.region, names)}"
            raise custom_error("region", what, ", ".join(names), "region")
        if self.thickness is not None:
            return self.thickness
        axis = None if normal is None else axis_along(normal)
        if axis is None:
            what = "the thickness cannot be measured: the normal is not along x, y or z everywhere"
            raise custom_error("term", what, "thickness: ... (m)", "normal")
        return ScalarParameter(surroundings.thickness(axis, self.region))

    def within(self, parameter: AnyParameter) -> AnyParameter:
        """Return a parameter that is 0 outside `region`."""
        if self.region is None:
            return parameter
        zero: Any = (0.0, 0.0, 0.0) if isinstance(parameter, VectorParameter) else 0.0
        return type(parameter)(
            zero,
            {self.region: parameter.of_region(self.region)},
            file=parameter.file,
            array=parameter.array,
            waveform=parameter.waveform,
        )

    def layers(self, surroundings: Surroundings) -> list[tuple[str, float, float]]:
        """Return the regions on which a resolved torque acts, with Ms [A/m] and thickness [m].

        Only those in which both are the same in every cell.
        """
        Ms, t = surroundings.material.Ms, self.thickness
        assert t is not None
        if Ms.is_per_cell or t.is_per_cell:
            return []
        _, there = surroundings.region_index
        regions = there if self.region is None else (self.region,)
        return [(r, Ms.of_region(r), t.of_region(r)) for r in regions if Ms.of_region(r) > 0]


class PolarisedTorque(LayerTorque):
    """A torque on a free layer by the moment of another one, fixed or of a region of the mesh."""

    nonlocal_field: ClassVar[bool] = True
    odd = ("p", "field")  # the polarisation is along J p, of which one factor is to change

    p: Annotated[VectorParameter, Quantity("1", unit_vector=True)] | None = None
    """Direction of the polarising layer's moment."""
    polariser: str | None = None
    """Region whose moments polarise instead of p."""
    fixed_layer: Literal["top", "bottom"] = "top"
    """Where the polarising layer lies."""
    normal: Direction = (0.0, 0.0, 1.0)
    """Direction of the stack."""

    @model_validator(mode="after")
    def _one_polariser(self) -> Self:
        if (self.p is None) == (self.polariser is None):
            state = "missing" if self.p is None else "given twice"
            what = f"the polariser is {state}: either p or the region of the polariser"
            raise custom_error("term", what, "p: [x, y, z], or polariser: region")
        return self

    @property
    def needs_field(self) -> bool:
        """Whether the moments of another layer are looked up."""
        return self.polariser is not None

    def flags(self) -> Mapping[str, int]:
        """Return on which side the polariser is, and whether it is a layer of the mesh."""
        return {"bottom": int(self.fixed_layer == "bottom"), "from_layer": int(self.needs_field)}

    def check_polariser(self, surroundings: Surroundings) -> None:
        """Raise PydanticCustomError where no layer of the mesh can polarise the current."""
        if self.polariser is None:
            return
        names = ("default", *surroundings.regions)
        if self.polariser not in names:
            what = f"no region is called {self.polariser!r}{did_you_mean(self.polariser, names)}"
            raise custom_error("region", what, ", ".join(names), "polariser")
        if self.region is None or self.region == self.polariser:
            what = "a polariser in the mesh needs the region of the free layer, another one"
            raise custom_error("term", what, f"region: not {self.polariser}", "region")
        if axis_along(self.normal) is None:
            what = "the layers of a mesh lie along x, y or z"
            raise custom_error("term", what, "+x, +y, +z and their opposites", "normal")
        if surroundings.mesh.window is not None:
            what = "a polariser in the mesh does not go with a moving window"
            raise custom_error("term", what, "p: [x, y, z]", "polariser")

    def make_nonlocal(self, model: Model, backend: Backend) -> NonlocalField:
        """Return what looks up the moments of the polariser."""
        from micromag.facing import FacingMoments

        assert self.polariser is not None
        return FacingMoments(model, backend, self.polariser, *self._side())

    def polarisers(self, model: Model, replica: int, m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return p of a resolved torque in every cell, of the state m; NaN where there is none.

        Shapes ``(3, nz, ny, nx)``.
        """
        from micromag.facing import facing_cells

        if self.p is not None:
            return values_over(self.p, quantity_of(type(self), "p"), model, replica)
        assert self.polariser is not None
        layer = model.magnetic & (model.region == list(model.region_names).index(self.polariser))
        places = facing_cells(layer, *self._side())
        return np.where(places < 0, np.nan, m.reshape(3, -1)[:, places])

    def _side(self) -> tuple[int, bool]:
        """Return the axis of the stack, and whether the polariser lies towards its positive end."""
        axis = axis_along(self.normal)
        assert axis is not None
        return axis, (self.fixed_layer == "top") == (self.normal[axis] > 0)


def axis_along(normal: Vector) -> int | None:
    """Return 0, 1 or 2 if a unit vector is along x, y or z, else None."""
    return next((i for i in range(3) if abs(normal[i]) > 1 - 1e-9), None)


def in_region(name: str, count: int) -> str:
    """Return `` in the region ...``, nothing where there is just one."""
    return "" if count == 1 else f" in the region {name!r}"


def region_over(model: Model, replica: int) -> NDArray[Any]:
    """Return the number of the region of every cell, where a moving window is now."""
    return model.region if model.mesh.window is None else model.region_here[replica]


def values_over(
    parameter: Parameter[Any], quantity: Quantity, model: Model, replica: int
) -> NDArray[np.float64]:
    """Return a parameter in every cell, shape ``(1 or 3, nz, ny, nx)``, waveforms left out."""
    by_region = np.array([parameter.of_region(name) for name in model.region_names])
    by_region = by_region.reshape(len(by_region), -1)
    values = np.moveaxis(by_region[region_over(model, replica)], -1, 0)
    if not parameter.is_per_cell:
        return values
    sx, sy = map(int, model.shifts[replica])
    return values * displaced(cell_values(parameter, quantity, model.mesh), (sx, sy))
