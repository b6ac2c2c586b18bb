"""Resistivity of a metal against temperature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, ConfigDict, ValidationInfo, model_validator

from micromag.arguments import Checked
from micromag.parameters import Quantity, custom_error
from micromag.transport.choice import read_model

__all__ = [
    "BlochGruneisen",
    "ConstantResistivity",
    "LinearResistivity",
    "Resistivity",
    "phonon_part",
]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
_LARGEST = 60.0
"""Upper end of the integral, beyond which the integrand x^5 e^-x adds less than 1e-17 of it."""


class _Law(Checked):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    def at(self, temperature: float) -> float:
        """Return the resistivity [Ohm m] at a temperature [K]."""
        raise NotImplementedError

    @property
    def residual(self) -> float:
        """Resistivity at 0 K [Ohm m]: that of impurities and surfaces alone."""
        return self.at(0.0)


class ConstantResistivity(_Law):
    """A resistivity that does not depend on temperature.

    =====  ======  ===========
    name   unit    meaning
    =====  ======  ===========
    rho    Ohm m   resistivity
    =====  ======  ===========
    """

    model: Literal["constant"] = "constant"
    """Which law."""
    rho: Annotated[float, Quantity("Ohm m", gt=0)]
    """Resistivity [Ohm m]."""

    def at(self, temperature: float) -> float:
        """Return rho at any temperature."""
        return self.rho


class LinearResistivity(_Law):
    r"""A resistivity that rises linearly, as metals do near and above room temperature.

    .. math:: \rho(T) = \rho_{ref} [1 + a (T - T_{ref})]

    =====  ======  =============================================
    name   unit    meaning
    =====  ======  =============================================
    rho    Ohm m   resistivity at T_ref
    a      1/K     temperature coefficient
    T_ref  K       reference temperature, 300 K by default
    =====  ======  =============================================

    `at` raises ValueError where the line falls to zero or below.
    """

    model: Literal["linear"]
    """Which law."""
    rho: Annotated[float, Quantity("Ohm m", gt=0)]
    """Resistivity at T_ref [Ohm m]."""
    a: Annotated[float, Quantity("1/K")]
    """Temperature coefficient [1/K]."""
    T_ref: Annotated[float, Quantity("K", gt=0)] = 300.0
    """Reference temperature [K]."""

    def at(self, temperature: float) -> float:
        """Return rho(T) [Ohm m]; raises ValueError where it is not positive."""
        value = self.rho * (1 + self.a * (temperature - self.T_ref))
        if value <= 0:
            raise ValueError(f"the linear law gives {value:.3g} Ohm m at {temperature:g} K")
        return value


class BlochGruneisen(_Law):
    r"""The Bloch-Grueneisen law: impurities and phonons of a simple metal.

    .. math::

        \rho(T) = \rho_0 + (\rho_{ref} - \rho_0) \frac{F(T)}{F(T_{ref})}, \qquad
        F(T) = \left(\frac{T}{\Theta}\right)^5 \int_0^{\Theta/T} \frac{x^5 dx}{(e^x - 1)(1 - e^{-x})}

    =====  ======  ==============================================
    name   unit    meaning
    =====  ======  ==============================================
    rho0   Ohm m   residual resistivity
    rho    Ohm m   resistivity at T_ref, above rho0
    theta  K       Debye temperature Theta
    T_ref  K       reference temperature, 300 K by default
    =====  ======  ==============================================

    Source: F. Bloch, Z. Phys. 59, 208 (1930); E. Grueneisen, Ann. Phys. 408, 530 (1933).
    """

    model: Literal["bloch_gruneisen"]
    """Which law."""
    rho0: Annotated[float, Quantity("Ohm m", ge=0)]
    """Residual resistivity [Ohm m]."""
    rho: Annotated[float, Quantity("Ohm m", gt=0)]
    """Resistivity at T_ref [Ohm m]."""
    theta: Annotated[float, Quantity("K", gt=0)]
    """Debye temperature [K]."""
    T_ref: Annotated[float, Quantity("K", gt=0)] = 300.0
    """Reference temperature [K]."""

    @model_validator(mode="after")
    def _rises(self) -> BlochGruneisen:
        if self.rho < self.rho0:
            raise custom_error(
                "resistivity",
                f"rho = {self.rho:g} Ohm m at T_ref is below the residual rho0 = {self.rho0:g} Ohm m",
                "rho >= rho0",
            )
        return self

    def at(self, temperature: float) -> float:
        """Return rho(T) [Ohm m]."""
        share = phonon_part(temperature, self.theta) / phonon_part(self.T_ref, self.theta)
        return self.rho0 + (self.rho - self.rho0) * share


def phonon_part(temperature: float, theta: float) -> float:
    r"""Return F(T) of `BlochGruneisen`, without unit; 0 at 0 K, T/(4 Theta) far above Theta."""
    if temperature <= 0:
        return 0.0
    end = min(theta / temperature, _LARGEST)
    x = 0.5 * end * (_NODES + 1)
    # 1/((e^x - 1)(1 - e^-x)) = 1/(4 sinh^2(x/2)), which has no difference of nearly equal numbers.
    integral = 0.5 * end * float((_WEIGHTS * x**5 / (4 * np.sinh(x / 2) ** 2)).sum())
    return (temperature / theta) ** 5 * integral


def _law(data: Any, info: ValidationInfo) -> Any:
    if not isinstance(data, (Mapping, _Law)):
        data = {"model": "constant", "rho": data}
    return read_model((ConstantResistivity, LinearResistivity, BlochGruneisen), data, info)


Resistivity = Annotated[
    ConstantResistivity | LinearResistivity | BlochGruneisen, BeforeValidator(_law)
]
"""Any of the laws, told apart by ``model``; a number alone is a constant."""
