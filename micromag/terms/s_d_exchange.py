"""Torque of a given spin accumulation through s-d exchange."""

from __future__ import annotations

from typing import Annotated

from micromag.parameters import Quantity, ScalarParameter, VectorParameter
from micromag.terms.base import Torque


class SDExchange(Torque):
    r"""Precession of m about the spin accumulation S of the conduction electrons.

    .. math:: T = \frac{J_{sd}}{\hbar M_s}\, S \times m

    S is a moment density, like M: with angular momenta in the place of moments the sign would be the
    other. The torque is that of the field J_sd S/(hbar gamma Ms); it conserves the energy -J_sd s.m and
    changes its sense with the sign of J_sd: for J_sd > 0 and S along +x, a moment along +z starts
    towards -y.

    ====  =====  ==================================  ============================================
    name  unit   shape                               meaning
    ====  =====  ==================================  ============================================
    S     A/m    vector; per region or cell, time    spin accumulation, as a moment density
    J_sd  J      scalar; per region or cell, time    s-d coupling, > 0 ferromagnetic
    ====  =====  ==================================  ============================================

    Source: S. Zhang, P. M. Levy and A. Fert, Phys. Rev. Lett. 88, 236601 (2002).
    """

    odd = ("S",)

    S: Annotated[VectorParameter, Quantity("A/m", time_dependent=True)]
    """Spin accumulation [A/m]."""
    J_sd: Annotated[ScalarParameter, Quantity("J", time_dependent=True)]
    """s-d coupling [J]."""
