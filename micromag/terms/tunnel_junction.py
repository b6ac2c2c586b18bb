"""Torque in a magnetic tunnel junction under a voltage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from micromag.cell_values import quantity_of
from micromag.parameters import Quantity, ScalarParameter, custom_error
from micromag.terms._layer import PolarisedTorque, in_region, region_over, values_over

if TYPE_CHECKING:
    from micromag.model import Model
    from micromag.surroundings import Surroundings

FloatArray = NDArray[np.float64]


class TunnelJunction(PolarisedTorque):
    r"""Torque of a given voltage on the free layer of a tunnel junction.

    .. math::

        T = -\gamma a_J\, m \times (m \times p) - \gamma b_J\, m \times p, \qquad
        a_J = \frac{a_1 V + a_2 V^2}{M_s t}, \quad
        b_J = \frac{b_0 + b_1 V + b_2 V^2}{M_s t}

    At a given voltage both go with the sine of the angle between the layers, without the asymmetry
    that a given current has. In a symmetric junction a1 and b2 alone are there; b0 is the coupling of
    the layers without a voltage. The polynomials hold below about 0.3 to 0.5 V.

    V > 0 drives a current along ``normal``, and ``fixed_layer: top`` means that the fixed layer lies
    on the side to which the normal points: then V > 0 favours m along p for a1 > 0. With the fixed
    layer at the bottom V counts the other way. b_J > 0 acts like a field along p. For ``polariser`` see
    `Slonczewski`.

    With the resistance-area product RA of parallel layers and the magnetoresistance
    TMR = (R_AP - R_P)/R_P the column ``junction_current`` of the table holds the mean of

    .. math:: J = \frac{V}{RA} \left[1 - \frac{TMR}{1 + TMR}\, \frac{1 - m \cdot p}{2}\right]

    ===========  =========  ================================  ========================================
    name         unit       shape                             meaning
    ===========  =========  ================================  ========================================
    voltage      V          scalar; per region or cell, time  V, along the normal
    a1           J/m^2/V    scalar; per region or cell        damping-like, linear: the torkance
    a2           J/m^2/V^2  scalar; per region or cell        damping-like, quadratic; 0 if not given
    b0           J/m^2      scalar; per region or cell        field-like without voltage; likewise
    b1           J/m^2/V    scalar; per region or cell        field-like, linear; likewise
    b2           J/m^2/V^2  scalar; per region or cell        field-like, quadratic; likewise
    RA           Ohm*m^2    number                            resistance times area, parallel layers
    TMR          1          number                            magnetoresistance, needs RA
    p            1          vector; per region or cell        direction of the fixed layer's moment
    polariser    --         name                              region that is the other layer, for p
    fixed_layer  --         ``top`` or ``bottom``             where it lies; ``top`` by default
    normal       1          direction                         +z by default
    thickness    m          scalar; per region or cell        t, else the magnet's extent along normal
    region       --         name                              the free layer: the whole magnet
    ===========  =========  ================================  ========================================

    Raises
    ------
    pydantic.ValidationError
        The thickness is neither given nor the same everywhere; p and polariser are both given or
        both missing; one of RA and TMR is missing.

    Source: J. C. Slonczewski, Phys. Rev. B 71, 024411 (2005); I. Theodonis et al., Phys. Rev. Lett.
    97, 237205 (2006); J. C. Sankey et al., Nature Phys. 4, 67 (2008).
    """

    numbers = ("RA", "TMR")

    voltage: Annotated[ScalarParameter, Quantity("V", time_dependent=True)]
    """Voltage along the normal [V]."""
    a1: Annotated[ScalarParameter, Quantity("J/m^2/V")]
    """Damping-like torque per area and voltage [J/m^2/V]."""
    a2: Annotated[ScalarParameter, Quantity("J/m^2/V^2")] | None = None
    """Damping-like torque per area and squared voltage [J/m^2/V^2]."""
    b0: Annotated[ScalarParameter, Quantity("J/m^2")] | None = None
    """Field-like torque per area without voltage [J/m^2]."""
    b1: Annotated[ScalarParameter, Quantity("J/m^2/V")] | None = None
    """Field-like torque per area and voltage [J/m^2/V]."""
    b2: Annotated[ScalarParameter, Quantity("J/m^2/V^2")] | None = None
    """Field-like torque per area and squared voltage [J/m^2/V^2]."""
    RA: Annotated[float, Quantity("Ohm*m^2", gt=0)] | None = None
    """Resistance of parallel layers times area [Ohm*m^2]."""
    TMR: Annotated[float, Quantity("1", gt=-1)] | None = None
    """Magnetoresistance."""

    @model_validator(mode="after")
    def _resistance(self) -> TunnelJunction:
        if (self.RA is None) != (self.TMR is None):
            missing = "RA" if self.RA is None else "TMR"
            what = f"the current needs RA and TMR: {missing} is missing"
            raise custom_error("term", what, "RA: ... Ohm*m^2, TMR: ...", missing)
        return self

    def conductance(self, cosine: FloatArray) -> FloatArray:
        """Return J/V [S/m^2] against m.p; ValueError without RA and TMR."""
        if self.RA is None or self.TMR is None:
            raise ValueError("RA and TMR are not given")
        return (1 - self.TMR / (1 + self.TMR) * (1 - cosine) / 2) / self.RA

    @property
    def acts_undriven(self) -> bool:
        """Whether the layers are coupled without a voltage; see the base class."""
        return self.b0 is not None

    @property
    def conducts(self) -> bool:
        """Whether RA and TMR are given; see the base class."""
        return self.RA is not None

    def current_density(self, model: Model, replica: int, m: FloatArray, t: float) -> FloatArray:
        """Return V times `conductance` in the cells of the free layer; see the base class."""
        there = model.filled(replica)
        if self.region is not None:
            number = list(model.region_names).index(self.region)
            there = there & (region_over(model, replica) == number)
        voltage = values_over(self.voltage, quantity_of(type(self), "voltage"), model, replica)[0]
        factor = 1.0 if self.voltage.waveform is None else self.voltage.waveform(t)
        cosine = (m * self.polarisers(model, replica, m)).sum(axis=0)
        return np.where(there, factor * voltage * self.conductance(cosine), np.nan)

    def resolved(self, surroundings: Surroundings) -> TunnelJunction:
        """Return the torque with its thickness, within its region; see the base class."""
        self.check_polariser(surroundings)
        values = {
            "thickness": self.thickness_in(surroundings, self.normal),
            "voltage": self.within(self.voltage),
        }
        if self.b0 is not None:
            values["b0"] = self.within(self.b0)
        return self.model_copy(update=values)

    def notes(self, surroundings: Surroundings) -> list[str]:
        """Return effective fields and thickness in words; see the base class."""
        if self.a1.is_per_cell:
            return []
        layers = self.layers(surroundings)
        side = -1 if self.fixed_layer == "bottom" else 1
        return [
            f"a_J = {side * 1e3 * self.a1.of_region(region) / (Ms * t):.6g} mT per volt"
            f"{in_region(region, len(layers))}, t = {1e9 * t:.4g} nm"
            for region, Ms, t in layers
        ]
