"""Dzyaloshinskii-Moriya interaction of an interface."""

from __future__ import annotations

from typing import Annotated, ClassVar

from micromag.parameters import Quantity, ScalarParameter
from micromag.terms._lifshitz import LifshitzTerm


class InterfacialDmi(LifshitzTerm):
    r"""Dzyaloshinskii-Moriya interaction of a film whose interfaces differ, normal z.

    .. math::

        e = D \left[ m_z \nabla \cdot m - (m \cdot \nabla) m_z \right], \qquad
        B = \frac{2 D}{M_s} \left( \frac{\partial m_z}{\partial x},
            \frac{\partial m_z}{\partial y},
            -\frac{\partial m_x}{\partial x} - \frac{\partial m_y}{\partial y} \right)

    For D > 0 a wall from +z to -z along +x has m_x < 0 in its middle: left-handed Neel walls, as with
    Pt below Co; mumax3 has the same sign. D is that of the film, not of the interface: an interface
    energy D_s [J/m] of a film of thickness t gives D = D_s/t.

    At surfaces, which are the ends of open axes and the faces of empty cells, m obeys
    :math:`\partial m/\partial n = (D/2A)\, m \times (z \times n)`, n being the outward normal,
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

    Source: A. N. Bogdanov and D. A. Yablonskii, Sov. Phys. JETP 68, 101 (1989); S. Rohart and
    A. Thiaville, Phys. Rev. B 88, 184422 (2013), who write the opposite sign of D.
    """

    interface: ClassVar[tuple[str, ...]] = ("D",)

    D: Annotated[ScalarParameter, Quantity("J/m^2", pairs=True)]
    """Strength [J/m^2]; positive: left-handed Neel walls."""
