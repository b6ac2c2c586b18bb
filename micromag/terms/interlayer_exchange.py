"""Exchange between two magnetic layers across a spacer."""

from __future__ import annotations

from typing import Annotated, ClassVar

from micromag.parameters import Quantity, ScalarParameter
from micromag.terms.base import EnergyTerm


class InterlayerExchange(EnergyTerm):
    r"""Bilinear and biquadratic exchange on the faces between two regions (RKKY).

    .. math::

        \frac{E}{S} = -J_1\, m_1 \cdot m_2 - J_2\, (m_1 \cdot m_2)^2 + J_1 + J_2, \qquad
        B_1 = \frac{J_1 + 2 J_2\, m_1 \cdot m_2}{M_s a}\, m_2

    for each face of area S between a cell of one region and one of the other, a being the edge of the
    cell across it; the energy is 0 where the layers are parallel. J1 > 0 favours parallel, J1 < 0
    antiparallel layers, J2 < 0 layers at right angles. The field is reported without its part along
    m, which exerts no torque. The spacer itself takes no cells. Name the pair and leave the rest at 0,

    ``interlayer_exchange: {J1: {default: 0, "free:fixed": -1 mJ/m^2}}``,

    and cut the direct exchange there, ``exchange: {A: {default: 15 pJ/m, "free:fixed": 0}}``. A value
    other than 0 for a whole region acts between its own cells as well, with the harmonic mean between
    two regions, 0 if the signs differ.

    ====  =====  ===================================  ===========================================
    name  unit   shape                                meaning
    ====  =====  ===================================  ===========================================
    J1    J/m^2  scalar; per pair, region or cell     bilinear constant
    J2    J/m^2  scalar; per pair, region or cell     biquadratic constant, 0 when not given
    ====  =====  ===================================  ===========================================

    Source: P. Bruno and C. Chappert, Phys. Rev. Lett. 67, 1602 (1991); J. C. Slonczewski, Phys. Rev.
    Lett. 67, 3172 (1991).
    """

    interface: ClassVar[tuple[str, ...]] = ("J1", "J2")

    J1: Annotated[ScalarParameter, Quantity("J/m^2", pairs=True)]
    """Bilinear constant [J/m^2]."""
    J2: Annotated[ScalarParameter, Quantity("J/m^2", pairs=True)] | None = None
    """Biquadratic constant [J/m^2]."""
