"""Spin-orbit torque of a current in a heavy metal beside the magnet."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, StrictBool, model_validator

from micromag.constants import E_CHARGE, HBAR, M_E, MU_0
from micromag.directions import cross
from micromag.parameters import (
    Quantity,
    ScalarParameter,
    Vector,
    VectorParameter,
    custom_error,
)
from micromag.terms._layer import REFERENCE, LayerTorque, in_region
from micromag.transport.choice import whole
from micromag.transport.interface import Efficiencies, HeavyMetal, Interface, torque_field
from micromag.transport.spin_hall import SpinHallAngle

if TYPE_CHECKING:
    from micromag.surroundings import Surroundings


class SpinOrbit(LayerTorque):
    r"""Torque on a magnet by the current in a heavy-metal layer on one of its faces.

    .. math::

        T = -\gamma B_{DL}\, m \times (m \times \sigma) - \gamma B_{FL}\, m \times \sigma, \qquad
        \sigma = j \times n, \qquad
        B_{DL, FL} = \frac{\hbar\, \theta_{DL, FL}\, J}{2 e M_s t}

    n leads from the heavy metal to the magnet, and sigma is the direction of the moments that the spin
    Hall effect sends along it for theta > 0 (Pt): a current along +x in a metal below (n = +z) brings
    moments along -y and nothing else, which tilt a magnet along +z towards +x. A part of J along n
    has no effect. Give one term for each heavy metal, as a list, each with its normal.

    The efficiencies are given, theta_DL and theta_FL, or follow from theta_sh: alone, it is taken up
    whole (theta_DL = theta_sh); with ``interface`` and ``heavy_metal`` the drift-diffusion theory of
    the bilayer gives both, theta_DL + i theta_FL = theta_sh eta; see `Interface.transmitted`. The
    same conductance pumps spins: ``spin_pumping: true`` adds alpha_sp with backflow to the magnet's
    alpha, which else is the total damping as it is given; what Gi does to gamma is left out.

    More fields, all along sigma, act through the same J: that of a Rashba coupling
    H = (alpha_R/hbar) (s x p).n of the electrons at the interface, s their Pauli matrices,

    .. math::

        B_R = -\frac{m_e\, \alpha_R P J}{\hbar e M_s}\, \sigma, \qquad
        B_{Oe} = \tfrac12 \mu_0 d J\, \sigma

    and, with ``oersted: true``, that of the metal as a sheet of current much wider than thick.
    B_R is that of the energy m_e alpha_R P m.(J x n)/(hbar e) of drifting electrons whose moments
    follow m.

    =================  =======  ==================================  ====================================
    name               unit     shape                               meaning
    =================  =======  ==================================  ====================================
    J                  A/m^2    vector; per region or cell, time    current density in the metal
    normal             1        vector; per region or cell          n, from the metal to the magnet
    thickness          m        scalar; per region or cell          t, else the magnet's extent along n
    region             --       name                                where the torque acts: everywhere
    theta_DL           1        scalar; per region or cell          damping-like efficiency
    theta_FL           1        scalar; per region or cell          field-like efficiency
    theta_sh           1        number, or ``{model: ...}``         spin Hall angle instead of these
    interface          --       ``{Gr: ..., Gi: ...}``              `Interface`
    heavy_metal        --       ``{thickness: ..., ...}``           `HeavyMetal`
    spin_pumping       --       true or false                       whether alpha_sp is added to alpha
    rashba             J*m      scalar; per region or cell          alpha_R P
    oersted            --       true or false                       field of the current sheet
    field_per_current  T*m^2/A  scalar; per region or cell          a given field along sigma, over J
    =================  =======  ==================================  ====================================

    Models of theta_sh are `MechanismAngle` and `PublishedAngle`.

    Raises
    ------
    pydantic.ValidationError
        Nothing acts, something is given twice, a part is missing, or J flows along the normal alone.

    Source: L. Liu et al., Phys. Rev. Lett. 106, 036601 (2011); Y.-T. Chen et al., Phys. Rev. B 87,
    144411 (2013); A. Manchon and S. Zhang, Phys. Rev. B 78, 212405 (2008).
    """

    odd = ("J",)
    numbers = ("theta_sh", "spin_mixing", "heavy_metal")

    J: Annotated[VectorParameter, Quantity("A/m^2", time_dependent=True)]
    """Current density in the heavy metal [A/m^2]."""
    normal: Annotated[VectorParameter, Quantity("1", unit_vector=True)]
    """Direction from the heavy metal to the magnet."""
    theta_DL: Annotated[ScalarParameter, Quantity("1")] | None = None
    """Damping-like efficiency."""
    theta_FL: Annotated[ScalarParameter, Quantity("1")] | None = None
    """Field-like efficiency."""
    theta_sh: SpinHallAngle | None = None
    """Spin Hall angle."""
    spin_mixing: Annotated[Interface, whole(Interface)] | None = Field(None, alias="interface")
    """Spin-mixing conductance of the interface."""
    heavy_metal: Annotated[HeavyMetal, whole(HeavyMetal)] | None = None
    """The heavy metal."""
    spin_pumping: StrictBool = False
    """Whether spin pumping adds to alpha."""
    rashba: Annotated[ScalarParameter, Quantity("J*m")] | None = None
    """Rashba coefficient times polarisation of the current [J*m]."""
    oersted: StrictBool = False
    """Whether the field of the current sheet acts."""
    field_per_current: Annotated[ScalarParameter, Quantity("T*m^2/A")] | None = None
    """Further field along sigma per current density [T*m^2/A]."""

    @model_validator(mode="after")
    def _consistent(self) -> SpinOrbit:
        direct = [name for name in ("theta_DL", "theta_FL") if getattr(self, name) is not None]
        if direct and self.theta_sh is not None:
            what = f"the efficiency is given twice: theta_sh and {' and '.join(direct)}"
            raise custom_error("term", what, "theta_sh, or theta_DL and theta_FL", "theta_sh")
        if direct and self.spin_mixing is not None:
            what = f"{' and '.join(direct)} would follow from the interface: one of the two is too much"
            raise custom_error("term", what, "theta_sh beside the interface", "interface")
        acting = (self.theta_sh, self.rashba, self.field_per_current, *direct)
        if all(x is None for x in acting) and not self.oersted and not self.spin_pumping:
            allowed = "theta_DL, theta_FL, theta_sh, rashba, oersted, field_per_current"
            raise custom_error("term", "the efficiency is missing: nothing acts", allowed)
        self._check_interface()
        self._check_current()
        return self

    def _check_interface(self) -> None:
        metal = self.heavy_metal
        if self.spin_mixing is not None:
            if metal is None or not metal.diffuses:
                what = "the interface needs the heavy_metal's thickness, conductivity and diffusion length"
                allowed = (
                    "heavy_metal: {thickness: ..., conductivity: ..., spin_diffusion_length: ...}"
                )
                raise custom_error("term", what, allowed, "interface")
            if self.theta_sh is None and not self.spin_pumping:
                what = "the interface has no use without a spin Hall angle or spin_pumping"
                raise custom_error("term", what, "theta_sh", "interface")
        elif self.spin_pumping:
            what = "spin_pumping needs the conductance of the interface"
            raise custom_error("term", what, "interface: {Gr: ... S/m^2}", "spin_pumping")
        if self.oersted and metal is None:
            what = "the field of the current needs the thickness of the metal"
            raise custom_error("term", what, "heavy_metal: {thickness: ...}", "oersted")
        if self.oersted and self.field_per_current is not None:
            what = "a field along sigma is given twice: oersted and field_per_current"
            raise custom_error("term", what, "one of the two", "field_per_current")
        if metal is not None and self.spin_mixing is None and not self.oersted:
            what = "heavy_metal has no use without interface or oersted: true"
            raise custom_error("term", what, "interface: {Gr: ... S/m^2}", "heavy_metal")

    def _check_current(self) -> None:
        """Refuse a current that is all along the normal, wherever both are plain values."""
        if self.J.is_per_cell or not self.normal.is_uniform:
            return
        currents = [J for J in (self.J.value, *self.J.regions.values()) if any(J)]
        if currents and all(_is_along(J, self.normal.value) for J in currents):
            what = "J is along the normal: a spin-orbit torque needs a current in the plane of the metal"
            raise custom_error("term", what, "a current across the normal", "J")

    def resolved(self, surroundings: Surroundings) -> SpinOrbit:
        """Return the torque with thickness and efficiencies filled in; see the base class."""
        normal = self.normal.value if self.normal.is_uniform else None
        values: dict[str, Any] = {
            "J": self.within(self.J),
            "thickness": self.thickness_in(surroundings, normal),
        }
        if self.theta_sh is not None:
            found = self.efficiencies()
            values["theta_DL"] = ScalarParameter(found.damping_like)
            values["theta_FL"] = ScalarParameter(found.field_like)
        if self.oersted and self.heavy_metal is not None:
            values["field_per_current"] = ScalarParameter(MU_0 * self.heavy_metal.thickness / 2)
        term = self.model_copy(update=values)
        if self.spin_pumping:
            term.added_damping(surroundings)  # which raises where it cannot be told
        return term

    @property
    def acts_undriven(self) -> bool:
        """Whether spins are pumped; see the base class."""
        return self.spin_pumping

    def angle(self) -> float | None:
        """Return theta_sh as a number, None if it is not given."""
        if self.theta_sh is None or isinstance(self.theta_sh, float):
            return self.theta_sh
        return self.theta_sh.angle()

    def efficiencies(self) -> Efficiencies:
        """Return the efficiencies that follow from theta_sh; ValueError without it."""
        theta = self.angle()
        if theta is None:
            raise ValueError("theta_sh is not given")
        if self.spin_mixing is None or self.heavy_metal is None:
            return Efficiencies(theta, 0.0)
        return Efficiencies.of(theta, self.spin_mixing, self.heavy_metal)

    def added_damping(self, surroundings: Surroundings) -> ScalarParameter | None:
        """Return alpha_sp of the magnet; see the base class."""
        if not self.spin_pumping or self.spin_mixing is None:
            return None
        layers = self.layers(surroundings)
        if not layers or surroundings.material.alpha.is_per_cell:
            what = (
                "spin_pumping adds to alpha by region: alpha, Ms and thickness may not vary by cell"
            )
            raise custom_error("term", what, "values by region, or no spin_pumping", "spin_pumping")
        gamma = surroundings.material.gamma
        added = {
            region: self.spin_mixing.pumped_damping(Ms, t, self.heavy_metal, gamma)
            for region, Ms, t in layers
        }
        return ScalarParameter(added.pop("default", 0.0), added)

    def notes(self, surroundings: Surroundings) -> list[str]:
        """Return efficiencies, effective fields and thickness in words; see the base class."""
        found = []
        theta = self.angle()
        if theta is not None and self.theta_DL is not None and self.theta_FL is not None:
            found.append(
                f"theta_DL = {self.theta_DL.value:.6g}, theta_FL = {self.theta_FL.value:.6g} "
                f"from theta_SH = {theta:.6g}"
            )
        layers = self.layers(surroundings)
        for region, Ms, t in layers:
            parts = self._fields(region, Ms, t)
            if parts:
                place = in_region(region, len(layers))
                fields = ", ".join(f"{1e3 * B:.6g} mT {name}" for name, B in parts.items())
                found.append(f"{fields} per 1e11 A/m^2{place}, t = {1e9 * t:.4g} nm")
        return found

    def _fields(self, region: str, Ms: float, t: float) -> dict[str, float]:
        """Return the amplitudes [T] in a region at the reference current, those that are given."""
        scales = {
            "theta_DL": ("damping-like", torque_field(1.0, REFERENCE, Ms, t)),
            "theta_FL": ("field-like", torque_field(1.0, REFERENCE, Ms, t)),
            "rashba": ("by Rashba coupling", -M_E * REFERENCE / (HBAR * E_CHARGE * Ms)),
            "field_per_current": ("by the current's field", REFERENCE),
        }
        fields = {}
        for name, (words, scale) in scales.items():
            parameter = getattr(self, name)
            if parameter is not None and not parameter.is_per_cell:
                fields[words] = scale * parameter.of_region(region)
        return fields


def _is_along(J: Vector, n: Vector) -> bool:
    across = math.hypot(*cross(J, n))
    return across < 1e-9 * math.hypot(*J)
