"""The general pair of damping-like and field-like torques."""

from __future__ import annotations

from typing import Annotated

from pydantic import model_validator

from micromag.parameters import Quantity, ScalarParameter, VectorParameter
from micromag.terms.base import Torque


class SpinTorque(Torque):
    r"""Damping-like and field-like torque of a given spin polarisation, amplitudes in tesla.

    .. math:: T = -\gamma B_{DL}\, m \times (m \times \sigma) - \gamma B_{FL}\, m \times \sigma

    sigma is the direction of the moment that is carried in, so B_DL > 0 pulls m towards +sigma, and
    B_FL sigma acts like an applied field.

    =====  =====  ==================================  ========================================
    name   unit   shape                               meaning
    =====  =====  ==================================  ========================================
    sigma  1      vector; per region or cell          polarisation direction, normalised
    B_DL   T      scalar; per region or cell, time    damping-like amplitude, 0 when not given
    B_FL   T      scalar; per region or cell, time    field-like amplitude, 0 when not given
    =====  =====  ==================================  ========================================

    Raises
    ------
    pydantic.ValidationError
        Neither amplitude is given.

    Source: J. C. Slonczewski, J. Magn. Magn. Mater. 159, L1 (1996); D. C. Ralph and M. D. Stiles,
    J. Magn. Magn. Mater. 320, 1190 (2008).
    """

    odd = ("sigma",)

    sigma: Annotated[VectorParameter, Quantity("1", unit_vector=True)]
    """Direction of the polarisation, as a moment."""
    B_DL: Annotated[ScalarParameter, Quantity("T", time_dependent=True)] | None = None
    """Damping-like amplitude [T]."""
    B_FL: Annotated[ScalarParameter, Quantity("T", time_dependent=True)] | None = None
    """Field-like amplitude [T]."""

    @model_validator(mode="after")
    def _some_amplitude(self) -> SpinTorque:
        if self.B_DL is None and self.B_FL is None:
            raise ValueError("an amplitude is missing: B_DL, B_FL or both")
        return self
