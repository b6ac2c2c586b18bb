"""What all Dzyaloshinskii-Moriya terms have in common: the condition at the surfaces of the magnet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from micromag.terms.base import EnergyTerm


class LifshitzTerm(EnergyTerm):
    r"""An energy density that is linear in the gradient of m.

    .. math::

        e = \sum_k d_k \cdot \left(m \times \frac{\partial m}{\partial r_k}\right), \qquad
        2 A \frac{\partial m}{\partial n} + d_n \times m = 0 \ \text{at surfaces}

    with a vector :math:`d_k` [J/m^2] per axis, made of the parameters of the subclass.
    """

    twists: ClassVar[bool] = True

    boundary: Literal["natural", "open"] = "natural"
    """Surfaces: ``natural``, m is twisted there; ``open``, they are left out of the sums."""

    def flags(self) -> Mapping[str, int]:
        """Return whether the term leaves the surfaces out."""
        return {"open": int(self.boundary == "open")}
