"""Dzyaloshinskii-Moriya interaction of the crystal class D2d."""

from __future__ import annotations

from typing import Annotated, ClassVar

from micromag.parameters import Quantity, ScalarParameter
from micromag.terms._lifshitz import LifshitzTerm


class D2dDmi(LifshitzTerm):
    r"""Dzyaloshinskii-Moriya interaction of the crystal class D2d, which makes antiskyrmions.

    .. math::

        e = D\, m \cdot \left( \frac{\partial m}{\partial x} \times x -
            \frac{\partial m}{\partial y} \times y \right), \qquad
        B = -\frac{2 D}{M_s} \left( \frac{\partial m}{\partial x} \times x -
            \frac{\partial m}{\partial y} \times y \right)

    The fourfold axis of rotation and reflection is z. Walls along x and along y are Bloch walls of
    opposite handedness.

    At surfaces, which are the ends of open axes and the faces of empty cells, m obeys
    :math:`\partial m/\partial n = (D/2A)\, m \times (n_x x - n_y y)`, n being the outward normal,
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

    Source: A. N. Bogdanov and D. A. Yablonskii, Sov. Phys. JETP 68, 101 (1989); A. K. Nayak et al.,
    Nature 548, 561 (2017).
    """

    interface: ClassVar[tuple[str, ...]] = ("D",)

    D: Annotated[ScalarParameter, Quantity("J/m^2", pairs=True)]
    """Strength [J/m^2]."""
