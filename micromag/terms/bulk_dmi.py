"""Dzyaloshinskii-Moriya interaction of chiral crystals."""

from __future__ import annotations

from typing import Annotated, ClassVar

from micromag.parameters import Quantity, ScalarParameter
from micromag.terms._lifshitz import LifshitzTerm


class BulkDmi(LifshitzTerm):
    r"""Dzyaloshinskii-Moriya interaction of a chiral crystal of class T or O, such as FeGe and MnSi.

    .. math::

        e = D\, m \cdot (\nabla \times m), \qquad B = -\frac{2 D}{M_s} \nabla \times m

    With exchange alone its ground state is a helix of the length 4 pi A/|D|, right-handed for D > 0.

    At surfaces, which are the ends of open axes and the faces of empty cells, m obeys
    :math:`\partial m/\partial n = -(D/2A)\, m \times n`, n being the outward normal,
    with the A of the exchange terms; an axis along which a cell has no neighbour at all does not
    count. With ``boundary: open``, or without exchange, the faces at surfaces are left out of the
    sums instead, which has the same limit for small cells but an error of first order in their size.
    Between two regions the harmonic mean of their D acts, 0 if the signs differ, or the value given
    for the pair, ``D: {default: 3 mJ/m^2, "default:seed": 0}``.

    ========  =====  ===================================  ========================================
    name      unit   shape                                meaning
    ========  =====  ===================================  ========================================
    D         J/m^2  scalar; per region, pair or cell     strength, either sign
    boundary  --     ``natural`` or ``open``              condition at surfaces
    ========  =====  ===================================  ========================================

    Source: P. Bak and M. H. Jensen, J. Phys. C 13, L881 (1980).
    """

    interface: ClassVar[tuple[str, ...]] = ("D",)

    D: Annotated[ScalarParameter, Quantity("J/m^2", pairs=True)]
    """Strength [J/m^2]."""
