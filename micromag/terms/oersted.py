"""Magnetic field of a current that flows in a conductor (Oersted field)."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, ConfigDict, model_validator

from micromag.arguments import Checked
from micromag.constants import MU_0
from micromag.keyed import read_class
from micromag.mesh import AXES
from micromag.parameters import Quantity, ScalarParameter, Vector, VectorParameter, custom_error
from micromag.si_text import si
from micromag.terms.base import EnergyTerm

if TYPE_CHECKING:
    from micromag.mesh import Mesh
    from micromag.surroundings import Surroundings

FloatArray = NDArray[np.float64]


class _Conductor(Checked):
    """A straight conductor with a uniform current density."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    center: Annotated[Vector, Quantity("m")] = (0.0, 0.0, 0.0)
    """Its centre [m]; the origin is the centre of the mesh."""

    @property
    def axis(self) -> str:
        """Axis along which the current flows."""
        return "z"

    @property
    def area(self) -> float:
        """Cross-section [m^2]."""
        raise NotImplementedError

    def unit_field(self, x: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
        """Return B of a current density of 1 A/m^2 at points of one shape, ``(3, *shape)`` [T]."""
        raise NotImplementedError


class Pillar(_Conductor):
    r"""A round conductor along z: what the run file calls ``pillar``.

    .. math::

        B = \tfrac12 \mu_0 J r \quad (r \le R), \qquad B = \frac{\mu_0 I}{2 \pi r} \quad (r > R),
        \qquad I = \pi R^2 J

    along z x r: counter-clockwise, seen from +z, for a current along +z. With a ``height`` B is
    multiplied by (cos a + cos b)/2, the part of an infinite thin wire's field that one of this length
    has, a and b being the angles at its ends.

    ======  =====================================================
    name    meaning
    ======  =====================================================
    radius  R [m]
    height  length along z [m]; endless when not given
    center  its centre [m], the origin by default
    ======  =====================================================
    """

    radius: Annotated[float, Quantity("m", gt=0)]
    """Radius [m]."""
    height: Annotated[float, Quantity("m", gt=0)] | None = None
    """Length along z [m]; endless when not given."""

    @property
    def area(self) -> float:
        """Cross-section [m^2]."""
        return math.pi * self.radius**2

    def unit_field(self, x: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
        """Return B of 1 A/m^2; see the base class."""
        dx, dy, dz = x - self.center[0], y - self.center[1], z - self.center[2]
        r = np.hypot(dx, dy)
        per_distance = MU_0 / 2 * (self.radius / np.maximum(r, self.radius)) ** 2
        if self.height is not None:
            up, down = self.height / 2 - dz, self.height / 2 + dz
            per_distance = per_distance * (_cosine(up, r) + _cosine(down, r)) / 2
        return np.stack([-per_distance * dy, per_distance * dx, np.zeros_like(r)])


class Strip(_Conductor):
    r"""An endless conductor of rectangular cross-section along x or y: ``strip`` in the run file.

    With n the direction of the current and r' over the cross-section of width w (in the plane) and
    thickness t (along z), Biot and Savart's law is integrated in closed form:

    .. math::

        B = \frac{\mu_0 J}{2 \pi} \int \frac{n \times (r - r')}{|r - r'|^2}\, d^2 r'

    Far within its width B is mu_0 J t/2 just above, along n x z, and the opposite below.

    =========  ===================================================
    name       meaning
    =========  ===================================================
    width      w [m]
    thickness  t [m]
    along      ``x`` (default) or ``y``: axis of the current
    center     centre of the cross-section [m], the origin by default
    =========  ===================================================
    """

    width: Annotated[float, Quantity("m", gt=0)]
    """Width in the plane [m]."""
    thickness: Annotated[float, Quantity("m", gt=0)]
    """Thickness along z [m]."""
    along: Literal["x", "y"] = "x"
    """Axis of the current."""

    @property
    def axis(self) -> str:
        """Axis along which the current flows."""
        return self.along

    @property
    def area(self) -> float:
        """Cross-section [m^2]."""
        return self.width * self.thickness

    def unit_field(self, x: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
        """Return B of 1 A/m^2; see the base class."""
        across = y - self.center[1] if self.along == "x" else x - self.center[0]
        above = z - self.center[2]
        # Lengths in units of the larger edge: the logarithm is of a number.
        scale = max(self.width, self.thickness)
        parts = across / scale, above / scale, self.width / scale, self.thickness / scale
        in_plane = _rectangle(*parts)
        normal = _rectangle(parts[1], parts[0], parts[3], parts[2])
        factor = MU_0 * scale / (2 * math.pi)
        zero = np.zeros_like(in_plane)
        if self.along == "x":  # x cross (y, z) is (-z, y)
            return factor * np.stack([zero, -in_plane, normal])
        return factor * np.stack([in_plane, zero, -normal])


def _cosine(ahead: FloatArray, r: FloatArray) -> FloatArray:
    """Return ahead/|(ahead, r)|, 0 at the end of the axis."""
    length = np.hypot(ahead, r)
    return np.divide(ahead, length, out=np.zeros_like(length), where=length > 0)


def _rectangle(u: FloatArray, v: FloatArray, width: float, height: float) -> FloatArray:
    r"""Return the integral of (v - v')/|r - r'|^2 over a rectangle around the origin.

    The integrand is the second derivative of (U/2) ln(U^2 + V^2) + V atan(U/V).
    """
    total = np.zeros(np.broadcast_shapes(u.shape, v.shape))
    for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        U, V = u + a * width / 2, v + b * height / 2
        square = U**2 + V**2
        logarithm = np.log(np.where(square > 0, square, 1.0))
        total += a * b * (U / 2 * logarithm + np.abs(V) * np.arctan2(U, np.abs(V)))
    return total


class Oersted(EnergyTerm):
    r"""Energy in the magnetic field of a current (Oersted field).

    .. math:: e = -M_s\, m \cdot B, \qquad B(r, t) = J(t)\, b(r)

    b is the field of the conductor for 1 A/m^2, taken at the centres of the cells: `Pillar` or
    `Strip`. The conductor need not be a part of the magnet, and is not repeated with a periodic mesh.
    Give either J or the whole current I. Torques of the same current are given by themselves.

    ======  =====  ==================================  =========================================
    name    unit   shape                               meaning
    ======  =====  ==================================  =========================================
    pillar  --     ``{radius: ..., ...}``              round conductor along z: `Pillar`
    strip   --     ``{width: ..., thickness: ...}``    conductor along x or y: `Strip`
    J       A/m^2  scalar; time                        current density along +z, or the strip's axis
    I       A      scalar; time                        current, instead of J
    B       T      vector; per region or cell, time    a field computed elsewhere, instead of all these
    ======  =====  ==================================  =========================================

    Raises
    ------
    pydantic.ValidationError
        No conductor or two, J and I both or neither, or a current that differs from place to place.

    Source: J. D. Jackson, Classical Electrodynamics, 3rd ed. (Wiley, 1999), section 5.2.
    """

    filled_in = ("B",)
    odd = ("J", "I", "B")

    pillar: Annotated[Pillar, BeforeValidator(lambda data: read_class(Pillar, data))] | None = None
    """Round conductor along z."""
    strip: Annotated[Strip, BeforeValidator(lambda data: read_class(Strip, data))] | None = None
    """Conductor of rectangular cross-section along x or y."""
    J: Annotated[ScalarParameter, Quantity("A/m^2", time_dependent=True)] | None = None
    """Current density [A/m^2]."""
    I: Annotated[ScalarParameter, Quantity("A", time_dependent=True)] | None = None  # noqa: E741
    """Current [A]."""
    B: Annotated[VectorParameter, Quantity("T", time_dependent=True)] | None = None
    """Field [T]; that of the conductor when not given."""

    @classmethod
    def declared_parameters(cls) -> dict[str, int]:
        """Return what the kernel reads: the field alone."""
        return {"B": 3}

    @model_validator(mode="after")
    def _consistent(self) -> Oersted:
        conductors = [name for name in ("pillar", "strip") if getattr(self, name) is not None]
        currents = [name for name in ("J", "I") if getattr(self, name) is not None]
        if self.B is not None:
            if conductors or currents:
                what = f"the field is given twice: B and {' and '.join(conductors + currents)}"
                raise custom_error("term", what, "B alone, or a conductor with its current", "B")
            return self
        if len(conductors) != 1:
            found = "the conductor is given twice" if conductors else "the conductor is missing"
            allowed = "pillar: {radius: ...}, or strip: {width: ..., thickness: ...}"
            raise custom_error("term", found, allowed, "strip" if conductors else "")
        if len(currents) != 1:
            found = "the current is given twice" if currents else "the current is missing"
            raise custom_error("term", f"{found}: J or I", "one of J (A/m^2) and I (A)", "")
        current = getattr(self, currents[0])
        if not current.is_uniform:
            what = "the current of a conductor has one value"
            raise custom_error("term", what, "a value, which may have a waveform", currents[0])
        return self

    def resolved(self, surroundings: Surroundings) -> Oersted:
        """Return the term with the conductor's field in every cell; see the base class."""
        conductor, current = self.pillar or self.strip, self.J or self.I
        if self.B is not None or conductor is None or current is None:
            return self
        window = surroundings.mesh.window
        if window is not None and window.axis != conductor.axis:
            what = (
                f"the field of this conductor changes along {window.axis}, where the window moves"
            )
            allowed = f"a strip along {window.axis}, or no mesh.window"
            raise custom_error("term", what, allowed, "pillar" if self.pillar else "strip")
        J = current.value if self.J is not None else current.value / conductor.area
        field = VectorParameter(
            (J, J, J), array=_unit_field(conductor, surroundings.mesh), waveform=current.waveform
        )
        return self.model_copy(update={"B": field})

    def notes(self, surroundings: Surroundings) -> list[str]:
        """Return the largest field in words; see the base class."""
        if self.B is None or self.B.array is None or (self.pillar or self.strip) is None:
            return []
        largest = abs(self.B.value[0]) * float(np.sqrt((self.B.array**2).sum(axis=0)).max())
        times = " times its waveform" if self.B.waveform is not None else ""
        return [f"up to {si(largest, 'T')}{times} at the centres of the cells"]


@lru_cache(maxsize=4)
def _unit_field(conductor: Pillar | Strip, mesh: Mesh) -> FloatArray:
    """Return B [T] of 1 A/m^2 at the centres of all cells, shape ``(3, nz, ny, nx)``."""
    x, y, layers = (mesh.centres(axis) for axis in AXES)
    field = np.empty((3, *mesh.shape))
    for k, z in enumerate(layers):  # what it takes meanwhile is one layer's
        field[:, k] = conductor.unit_field(*np.broadcast_arrays(x, y[:, None], z))
    field.setflags(write=False)
    return field
