"""Exchange interaction."""

from __future__ import annotations

from typing import Annotated, ClassVar

from micromag.parameters import Quantity, ScalarParameter
from micromag.terms.base import EnergyTerm


class Exchange(EnergyTerm):
    r"""Heisenberg exchange of stiffness A, six-neighbour stencil.

    .. math::

        e = A |\nabla m|^2, \qquad
        B_i = \frac{2}{M_s} \sum_n A_{in} \frac{m_n - m_i}{a^2}, \qquad
        A_{in} = \frac{2 A_i A_n}{A_i + A_n}

    The normal derivative of m vanishes at free surfaces and next to empty cells, unless a
    Dzyaloshinskii-Moriya term twists m there. Between two
    regions the harmonic mean of their stiffnesses acts, or the value given for the pair,
    ``A: {default: 15 pJ/m, "default:seed": 5 pJ/m}``; 0 decouples them.

    =====  =====  =====================================  ==================================
    name   unit   shape                                  meaning
    =====  =====  =====================================  ==================================
    A      J/m    scalar; per region, pair or cell       exchange stiffness, not negative
    =====  =====  =====================================  ==================================

    Source: L. D. Landau and E. M. Lifshitz, Phys. Z. Sowjetunion 8, 153 (1935); stencil: M. J.
    Donahue and D. G. Porter, Physica B 343, 177 (2004).
    """

    interface: ClassVar[tuple[str, ...]] = ("A",)
    stiffness: ClassVar[str] = "A"

    A: Annotated[ScalarParameter, Quantity("J/m", ge=0, pairs=True)]
    """Exchange stiffness [J/m]."""
