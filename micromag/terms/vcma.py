"""Voltage-controlled magnetic anisotropy."""

from __future__ import annotations

from typing import Annotated

from micromag.parameters import Quantity, ScalarParameter, VectorParameter
from micromag.terms.base import EnergyTerm


class Vcma(EnergyTerm):
    r"""Change of a magnet's interface anisotropy by an electric field at that interface.

    .. math::

        e = -\Delta K\, (m \cdot u)^2, \qquad \Delta K = \frac{\xi E}{t}, \qquad
        B = \frac{2 \Delta K\, (m \cdot u)}{M_s}\, u

    It comes on top of a uniaxial anisotropy given elsewhere; xi E > 0 makes u easier. The sign of xi
    depends on the stack and on the direction of E that counts as positive: E has to be given in the
    direction for which xi was measured.

    =====  =======  ===================================  ========================================
    name   unit     shape                                meaning
    =====  =======  ===================================  ========================================
    xi     J/V/m    scalar; per region or cell           anisotropy per area and field
    E      V/m      scalar; per region or cell, time     electric field at the interface
    t      m        scalar; per region or cell           thickness of the magnetic layer
    axis   1        vector; per region or cell           direction u, normalised
    =====  =======  ===================================  ========================================

    Source: T. Maruyama et al., Nature Nanotech. 4, 158 (2009).
    """

    xi: Annotated[ScalarParameter, Quantity("J/V/m")]
    """Change of the anisotropy per area and electric field [J/V/m]."""
    E: Annotated[ScalarParameter, Quantity("V/m", time_dependent=True)]
    """Electric field at the interface [V/m]."""
    t: Annotated[ScalarParameter, Quantity("m", gt=0)]
    """Thickness of the magnetic layer [m]."""
    axis: Annotated[VectorParameter, Quantity("1", unit_vector=True)]
    """Direction of the axis."""
