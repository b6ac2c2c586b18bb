"""Dzyaloshinskii-Moriya interaction of any symmetry."""

from __future__ import annotations

from typing import Annotated, ClassVar

from micromag.parameters import Quantity, VectorParameter
from micromag.terms._lifshitz import LifshitzTerm


class Dmi(LifshitzTerm):
    r"""Dzyaloshinskii-Moriya interaction of any symmetry: nine constants, three per axis.

    .. math::

        e = \sum_{k=x,y,z} D_k \cdot \left( m \times \frac{\partial m}{\partial r_k} \right)
          = \sum_{k,l} D_{k,l} \left( m_i \frac{\partial m_j}{\partial r_k} -
            m_j \frac{\partial m_i}{\partial r_k} \right), \qquad
        B = -\frac{2}{M_s} \sum_k \frac{\partial m}{\partial r_k} \times D_k

    with (i, j, l) cyclic: component l of the vector Dk is the constant of the Lifshitz invariant that
    turns m about l along the axis k. In this form

    ===================  ==============  ===============  ===============
    term                 Dx              Dy               Dz
    ===================  ==============  ===============  ===============
    ``interfacial_dmi``  ``[0, D, 0]``   ``[-D, 0, 0]``   ``[0, 0, 0]``
    ``bulk_dmi``         ``[-D, 0, 0]``  ``[0, -D, 0]``   ``[0, 0, -D]``
    ``d2d_dmi``          ``[D, 0, 0]``   ``[0, -D, 0]``   ``[0, 0, 0]``
    ===================  ==============  ===============  ===============

    At surfaces, which are the ends of open axes and the faces of empty cells, m obeys
    :math:`2 A \, \partial m/\partial n = m \times (n_x D_x + n_y D_y + n_z D_z)`, n being the
    outward normal, with the A of the exchange terms; an axis along which a cell has no neighbour at
    all does not count. With ``boundary: open``, or without exchange, the faces at surfaces are left
    out of the sums instead, which has the same limit for small cells but an error of first order in
    their size.
    Between two regions the harmonic mean of each component acts, 0 if the signs differ, or the value
    given for the pair, ``Dx: {default: [0, 1 mJ/m^2, 0], "default:seed": [0, 0, 0]}``.

    ========  =====  ===================================  ========================================
    name      unit   shape                                meaning
    ========  =====  ===================================  ========================================
    Dx        J/m^2  vector; per region, pair or cell     of the derivative along x
    Dy        J/m^2  vector; per region, pair or cell     of the derivative along y
    Dz        J/m^2  vector; per region, pair or cell     of the derivative along z
    boundary  --     ``natural`` or ``open``              condition at surfaces
    ========  =====  ===================================  ========================================

    Source: U. Gungordu et al., Phys. Rev. B 93, 064428 (2016).
    """

    interface: ClassVar[tuple[str, ...]] = ("Dx", "Dy", "Dz")

    Dx: Annotated[VectorParameter, Quantity("J/m^2", pairs=True)]
    """Vector of the derivative along x [J/m^2]."""
    Dy: Annotated[VectorParameter, Quantity("J/m^2", pairs=True)]
    """Vector of the derivative along y [J/m^2]."""
    Dz: Annotated[VectorParameter, Quantity("J/m^2", pairs=True)]
    """Vector of the derivative along z [J/m^2]."""
