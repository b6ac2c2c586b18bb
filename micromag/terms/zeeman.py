"""Zeeman energy in an applied field."""

from __future__ import annotations

from typing import Annotated

from micromag.parameters import Quantity, VectorParameter
from micromag.terms.base import EnergyTerm


class Zeeman(EnergyTerm):
    r"""Energy in an applied magnetic field.

    .. math:: e = -M_s\, m \cdot B

    Several fields may be given as a list; each may have a waveform of its own.

    =====  =====  ==================================  ==========================================
    name   unit   shape                               meaning
    =====  =====  ==================================  ==========================================
    B      T      vector; per region or cell, time    applied field mu0 H; a value in A/m is
                                                      converted
    =====  =====  ==================================  ==========================================

    Source: A. Aharoni, Introduction to the Theory of Ferromagnetism (Oxford, 1996).
    """

    odd = ("B",)

    B: Annotated[VectorParameter, Quantity("T", time_dependent=True)]
    """Applied field [T]."""
