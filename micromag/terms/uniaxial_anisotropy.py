"""Uniaxial anisotropy."""

from __future__ import annotations

from typing import Annotated

from micromag.parameters import Quantity, ScalarParameter, VectorParameter
from micromag.terms.base import EnergyTerm


class UniaxialAnisotropy(EnergyTerm):
    r"""Uniaxial anisotropy of first and second order along one axis.

    .. math::

        e = -K_{u1} (m \cdot u)^2 - K_{u2} (m \cdot u)^4, \qquad
        B = \frac{2 K_{u1} (m \cdot u) + 4 K_{u2} (m \cdot u)^3}{M_s}\, u

    Ku1 > 0 makes u an easy axis. These are powers of the cosine; for
    :math:`K_1 \sin^2\theta + K_2 \sin^4\theta` set Ku1 = K1 + 2 K2 and Ku2 = -K2.

    =====  =======  ===========================  =========================================
    name   unit     shape                        meaning
    =====  =======  ===========================  =========================================
    Ku1    J/m^3    scalar; per region or cell   first-order constant
    Ku2    J/m^3    scalar; per region or cell   second-order constant, 0 when not given
    axis   1        vector; per region or cell   direction u, normalised
    =====  =======  ===========================  =========================================

    Source: A. Aharoni, Introduction to the Theory of Ferromagnetism (Oxford, 1996).
    """

    Ku1: Annotated[ScalarParameter, Quantity("J/m^3")]
    """First-order constant [J/m^3]; positive: easy axis."""
    Ku2: Annotated[ScalarParameter, Quantity("J/m^3")] | None = None
    """Second-order constant [J/m^3]."""
    axis: Annotated[VectorParameter, Quantity("1", unit_vector=True)]
    """Direction of the axis."""
