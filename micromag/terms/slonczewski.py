"""Slonczewski torque in a spin valve or magnetic tunnel junction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from micromag.parameters import Quantity, ScalarParameter
from micromag.terms._layer import REFERENCE, PolarisedTorque, in_region
from micromag.transport.interface import torque_field

if TYPE_CHECKING:
    from micromag.surroundings import Surroundings


class Slonczewski(PolarisedTorque):
    r"""Torque of a current that crosses a free layer and a polarising fixed layer.

    .. math::

        T = -\gamma a_J\, m \times (m \times p) - \gamma b_J\, m \times p, \qquad
        a_J = \frac{\hbar}{e} \frac{J}{M_s t}\, \epsilon, \quad
        b_J = \frac{\hbar}{e} \frac{J}{M_s t}\, \epsilon', \quad
        \epsilon = \frac{P \Lambda^2}{(\Lambda^2 + 1) + (\Lambda^2 - 1)\, m \cdot p}

    J is the conventional current density along ``normal``, and ``fixed_layer: top`` means that the
    fixed layer lies on the side to which the normal points. Then J > 0 (electrons from the fixed to
    the free layer) favours m along p for P > 0, J < 0 against it; with the fixed layer at the bottom
    both torques change sign. Without asymmetry, Lambda = 1, epsilon = P/2. In a tunnel junction at
    given current Lambda^2 = (1 + P^2)/(1 - P^2), and P/(1 + P^2) stands for P.

    With ``polariser`` p is m in the cell of that region that faces the free layer in the same column,
    at every instant. What the free layer does to the other one is a second term, with the names
    exchanged and ``fixed_layer`` on the other side.

    =============  =====  ==================================  ========================================
    name           unit   shape                               meaning
    =============  =====  ==================================  ========================================
    J              A/m^2  scalar; per region or cell, time    current density along the normal
    P              1      scalar; per region or cell          polarisation, -1 to 1
    Lambda         1      scalar; per region or cell          asymmetry, 1 by default
    epsilon_prime  1      scalar; per region or cell          field-like part, 0 when not given
    p              1      vector; per region or cell          direction of the fixed layer's moment
    polariser      --     name                                region that is the other layer, for p
    fixed_layer    --     ``top`` or ``bottom``               where it lies; ``top`` by default
    normal         1      direction                           +z by default
    thickness      m      scalar; per region or cell          t, else the magnet's extent along normal
    region         --     name                                the free layer: the whole magnet
    =============  =====  ==================================  ========================================

    Raises
    ------
    pydantic.ValidationError
        The thickness is neither given nor the same everywhere; p and polariser are both given or
        both missing.

    Source: J. C. Slonczewski, J. Magn. Magn. Mater. 159, L1 (1996) and 247, 324 (2002); J. Xiao,
    A. Zangwill and M. D. Stiles, Phys. Rev. B 70, 172405 (2004).
    """

    J: Annotated[ScalarParameter, Quantity("A/m^2", time_dependent=True)]
    """Current density along the normal [A/m^2]."""
    P: Annotated[ScalarParameter, Quantity("1", ge=-1, le=1)]
    """Polarisation of the current."""
    Lambda: Annotated[ScalarParameter, Quantity("1", gt=0)] = ScalarParameter(1.0)
    """Asymmetry between parallel and antiparallel layers."""
    epsilon_prime: Annotated[ScalarParameter, Quantity("1")] | None = None
    """Field-like part."""

    def resolved(self, surroundings: Surroundings) -> Slonczewski:
        """Return the torque with its thickness, within its region; see the base class."""
        self.check_polariser(surroundings)
        thickness = self.thickness_in(surroundings, self.normal)
        return self.model_copy(update={"J": self.within(self.J), "thickness": thickness})

    def notes(self, surroundings: Surroundings) -> list[str]:
        """Return effective fields and thickness in words; see the base class."""
        layers = self.layers(surroundings)
        if self.P.is_per_cell or self.Lambda.is_per_cell:
            return []
        found = []
        for region, Ms, t in layers:
            P, L2 = self.P.of_region(region), self.Lambda.of_region(region) ** 2
            side = -1 if self.fixed_layer == "bottom" else 1
            ends = [side * torque_field(x, REFERENCE, Ms, t) for x in (P, P * L2)]
            amplitude = f"{1e3 * ends[0]:.6g} mT"
            if L2 != 1:
                amplitude += f" parallel, {1e3 * ends[1]:.6g} mT antiparallel"
            place = in_region(region, len(layers))
            found.append(f"a_J = {amplitude} per 1e11 A/m^2{place}, t = {1e9 * t:.4g} nm")
        return found
