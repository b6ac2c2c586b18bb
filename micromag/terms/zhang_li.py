"""Spin-transfer torque of a current that flows through the texture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import model_validator

from micromag.parameters import Quantity, ScalarParameter, VectorParameter
from micromag.terms.base import Torque


class ZhangLi(Torque):
    r"""Adiabatic and non-adiabatic spin-transfer torque.

    .. math::

        T = -(u \cdot \nabla) m + \beta\, m \times (u \cdot \nabla) m, \qquad
        u = -\frac{P \mu_B}{e M_s} J

    J is the conventional current density, so for P > 0 textures drift against J, with the
    velocity u where alpha = beta. With ``prefactor: zhang_li`` u is divided by 1 + beta^2 as in the
    paper of Zhang and Li; ``thiaville`` (default) leaves it.

    =========  ======  ====================================  ====================================
    name       unit    shape                                 meaning
    =========  ======  ====================================  ====================================
    J          A/m^2   vector; per region or cell, time      current density
    P          1       scalar; per region or cell            polarisation, -1 to 1
    u          m/s     vector; per region or cell, time      drift velocity, instead of J and P
    beta       1       scalar; per region or cell            non-adiabaticity
    prefactor  --      ``thiaville`` or ``zhang_li``         form of u, only with J
    =========  ======  ====================================  ====================================

    Raises
    ------
    pydantic.ValidationError
        Neither or both of (J, P) and u are given, or ``prefactor`` together with u.

    Source: S. Zhang and Z. Li, Phys. Rev. Lett. 93, 127204 (2004); A. Thiaville et al., Europhys.
    Lett. 69, 990 (2005).
    """

    odd = ("J", "u")

    J: Annotated[VectorParameter, Quantity("A/m^2", time_dependent=True)] | None = None
    """Current density [A/m^2]."""
    P: Annotated[ScalarParameter, Quantity("1", ge=-1, le=1)] | None = None
    """Polarisation of the current."""
    u: Annotated[VectorParameter, Quantity("m/s", time_dependent=True)] | None = None
    """Drift velocity [m/s]."""
    beta: Annotated[ScalarParameter, Quantity("1")]
    """Non-adiabaticity."""
    prefactor: Literal["thiaville", "zhang_li"] = "thiaville"
    """Form of u."""

    @model_validator(mode="after")
    def _one_of(self) -> ZhangLi:
        if self.u is not None:
            if self.J is not None or self.P is not None:
                raise ValueError("the current is given twice: either u, or J and P")
            if self.prefactor != "thiaville":
                raise ValueError("prefactor applies to J and P; u is taken as it is given")
        elif self.J is None:
            raise ValueError("the current is missing: J and P, or u")
        elif self.P is None:
            raise ValueError("J needs the polarisation P beside it")
        return self

    def flags(self) -> Mapping[str, int]:
        """Return which of the two forms the snippet evaluates."""
        return {
            "given_u": int(self.u is not None),
            "zhang_li_2004": int(self.prefactor == "zhang_li"),
        }
