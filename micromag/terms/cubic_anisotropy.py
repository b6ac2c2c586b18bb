"""Cubic anisotropy."""

from __future__ import annotations

from typing import Annotated

from pydantic import model_validator

from micromag.parameters import Parameter, Quantity, ScalarParameter, VectorParameter
from micromag.terms.base import EnergyTerm

_PERPENDICULAR = 1e-6


class CubicAnisotropy(EnergyTerm):
    r"""Cubic anisotropy of first and second order.

    .. math::

        e = K_{c1} (a_1^2 a_2^2 + a_2^2 a_3^2 + a_3^2 a_1^2) + K_{c2}\, a_1^2 a_2^2 a_3^2,
        \qquad a_i = m \cdot c_i, \qquad
        B = -\frac{1}{M_s} \sum_i \frac{\partial e}{\partial a_i}\, c_i

    with the cubic axes c1, c2 and c3 = c1 x c2.

    =====  =======  ===========================  =========================================
    name   unit     shape                        meaning
    =====  =======  ===========================  =========================================
    Kc1    J/m^3    scalar; per region or cell   first-order constant; > 0: easy <100>
    Kc2    J/m^3    scalar; per region or cell   second-order constant, 0 when not given
    axis1  1        vector; per region or cell   direction c1
    axis2  1        vector; per region or cell   direction c2, perpendicular to c1
    =====  =======  ===========================  =========================================

    Raises
    ------
    pydantic.ValidationError
        The two axes are not perpendicular.

    Source: A. Aharoni, Introduction to the Theory of Ferromagnetism (Oxford, 1996).
    """

    Kc1: Annotated[ScalarParameter, Quantity("J/m^3")]
    """First-order constant [J/m^3]."""
    Kc2: Annotated[ScalarParameter, Quantity("J/m^3")] | None = None
    """Second-order constant [J/m^3]."""
    axis1: Annotated[VectorParameter, Quantity("1", unit_vector=True)]
    """First cubic axis."""
    axis2: Annotated[VectorParameter, Quantity("1", unit_vector=True)]
    """Second cubic axis, perpendicular to the first."""

    @model_validator(mode="after")
    def _perpendicular(self) -> CubicAnisotropy:
        names = {"default", *self.axis1.regions, *self.axis2.regions}
        for name in sorted(names):
            a, b = self.axis1.of_region(name), self.axis2.of_region(name)
            cosine = sum(x * y for x, y in zip(a, b, strict=True))
            if abs(cosine) > _PERPENDICULAR and not _per_cell(self.axis1, self.axis2):
                raise ValueError(
                    f"axis1 and axis2 must be perpendicular; their cosine is {cosine:g} in {name}"
                )
        return self


def _per_cell(*parameters: Parameter) -> bool:
    return any(parameter.is_per_cell for parameter in parameters)
