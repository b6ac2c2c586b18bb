"""What torques share that enter a magnetic layer through one of its faces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar

from micromag.parameters import (
    Parameter,
    Quantity,
    ScalarParameter,
    Vector,
    VectorParameter,
    custom_error,
)
from micromag.suggest import did_you_mean
from micromag.terms.base import Torque

if TYPE_CHECKING:
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


def axis_along(normal: Vector) -> int | None:
    """Return 0, 1 or 2 if a unit vector is along x, y or z, else None."""
    return next((i for i in range(3) if abs(normal[i]) > 1 - 1e-9), None)


def in_region(name: str, count: int) -> str:
    """Return `` in the region ...``, nothing where there is just one."""
    return "" if count == 1 else f" in the region {name!r}"
