r"""A magnet on a heavy metal: what the spin-mixing conductance of their interface makes of a current.

One complex conductance G = Gr + i Gi [S/m^2] gives the damping-like torque (Re), the field-like torque
(Im) and, by Onsager's relation, the damping by spin pumping (Re). It is in units of charge: a
conductance g [1/m^2] per spin is G = g e^2/h.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, model_validator

from micromag.arguments import Checked
from micromag.constants import E_CHARGE, GAMMA_E, HBAR
from micromag.parameters import Quantity, custom_error

__all__ = ["Efficiencies", "HeavyMetal", "Interface", "torque_field"]


class HeavyMetal(Checked):
    """The layer in which the spin Hall effect takes place.

    =====================  ======  ==================================================
    name                   unit    meaning
    =====================  ======  ==================================================
    thickness              m       d, along the normal
    conductivity           S/m     sigma; or ``resistivity`` instead
    resistivity            Ohm m   1/sigma
    spin_diffusion_length  m       lambda_sf
    =====================  ======  ==================================================

    The thickness alone will do where no spins diffuse, as for the field of the current.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    thickness: Annotated[float, Quantity("m", gt=0)]
    """Thickness [m]."""
    conductivity: Annotated[float, Quantity("S/m", gt=0)] | None = None
    """Conductivity [S/m]."""
    resistivity: Annotated[float, Quantity("Ohm m", gt=0)] | None = None
    """Resistivity [Ohm m]."""
    spin_diffusion_length: Annotated[float, Quantity("m", gt=0)] | None = None
    """Spin diffusion length [m]."""

    @model_validator(mode="after")
    def _one_of(self) -> HeavyMetal:
        given = [x for x in (self.conductivity, self.resistivity) if x is not None]
        if len(given) == 2 or (self.spin_diffusion_length is not None and not given):
            state = "given twice" if given else "missing"
            what = f"the conductivity is {state}: either conductivity or resistivity"
            raise custom_error("heavy_metal", what, "conductivity (S/m) or resistivity (Ohm m)")
        if given and self.spin_diffusion_length is None:
            what = "the conductivity says nothing without the spin_diffusion_length"
            raise custom_error("heavy_metal", what, "spin_diffusion_length (m)")
        return self

    @property
    def diffuses(self) -> bool:
        """Whether the diffusion of spins follows, from conductivity and diffusion length."""
        return self.spin_diffusion_length is not None

    @property
    def sigma(self) -> float:
        """Conductivity [S/m]; ValueError if it is not known."""
        if self.conductivity is not None:
            return self.conductivity
        if self.resistivity is None:
            raise ValueError("the conductivity of the metal is not given")
        return 1 / self.resistivity

    @property
    def diffusion_length(self) -> float:
        """Spin diffusion length [m]; ValueError if it is not known."""
        if self.spin_diffusion_length is None:
            raise ValueError("the spin diffusion length of the metal is not given")
        return self.spin_diffusion_length

    def accumulation(self, theta: float, E: float) -> float:
        r"""Return the spin accumulation mu_s/e [V] at a free surface in the field E [V/m].

        .. math:: \mu_s/e = 2 \lambda \theta E \tanh(d/2\lambda)

        The full splitting of the two spins. Source: S. Zhang, Phys. Rev. Lett. 85, 393 (2000).
        """
        lam = self.diffusion_length
        return 2 * lam * theta * E * math.tanh(self.thickness / (2 * lam))


class Interface(Checked):
    """The spin-mixing conductance of the interface.

    ====  ======  =================================================================
    name  unit    meaning
    ====  ======  =================================================================
    Gr    S/m^2   real part: absorption of spins across m
    Gi    S/m^2   imaginary part: their precession about m; 0 by default
    ====  ======  =================================================================
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    Gr: Annotated[float, Quantity("S/m^2", gt=0)]
    """Real part [S/m^2]."""
    Gi: Annotated[float, Quantity("S/m^2")] = 0.0
    """Imaginary part [S/m^2]."""

    @property
    def G(self) -> complex:
        """Gr + i Gi [S/m^2]."""
        return complex(self.Gr, self.Gi)

    def transmitted(self, metal: HeavyMetal) -> complex:
        r"""Return the share eta of the spin Hall current that the magnet takes up.

        .. math::

            \eta = \frac{2 \lambda G \tanh(d/2\lambda)}{\sigma + 2 \lambda G \coth(d/\lambda)}

        theta_DL = theta_SH Re eta and theta_FL = theta_SH Im eta.

        Source: Y.-T. Chen et al., Phys. Rev. B 87, 144411 (2013); P. M. Haney et al., Phys. Rev. B 87,
        174411 (2013).
        """
        lam, d = metal.diffusion_length, metal.thickness
        conductance = 2 * lam * self.G
        return (
            conductance
            * math.tanh(d / (2 * lam))
            / (metal.sigma + conductance / math.tanh(d / lam))
        )

    def with_backflow(self, metal: HeavyMetal) -> complex:
        r"""Return the conductance left by the spins that diffuse back [S/m^2].

        .. math:: G_{eff} = \frac{G}{1 + (2 \lambda G/\sigma) \coth(d/\lambda)}

        Source: Y. Tserkovnyak, A. Brataas and G. E. W. Bauer, Phys. Rev. B 66, 224403 (2002).
        """
        lam = metal.diffusion_length
        return self.G / (1 + 2 * lam * self.G / (metal.sigma * math.tanh(metal.thickness / lam)))

    def pumped_damping(
        self, Ms: float, t: float, metal: HeavyMetal | None = None, gamma: float = GAMMA_E
    ) -> float:
        r"""Return what spin pumping adds to alpha in a magnet of thickness t [m].

        .. math:: \alpha_{sp} = \frac{\gamma \hbar g_r}{4 \pi M_s t}, \qquad g_r = G_r h/e^2

        With ``metal``, Re G_eff of `with_backflow` stands for Gr.

        Source: Y. Tserkovnyak, A. Brataas and G. E. W. Bauer, Phys. Rev. Lett. 88, 117601 (2002).
        """
        Gr = self.Gr if metal is None else self.with_backflow(metal).real
        g = Gr * 2 * math.pi * HBAR / E_CHARGE**2
        return gamma * HBAR * g / (4 * math.pi * Ms * t)


@dataclass(frozen=True)
class Efficiencies:
    """Torque efficiencies of a bilayer: spin current taken up over charge current.

    Attributes
    ----------
    damping_like, field_like
        theta_DL and theta_FL.
    """

    damping_like: float
    field_like: float

    @classmethod
    def of(cls, theta_sh: float, interface: Interface, metal: HeavyMetal) -> Efficiencies:
        """Return those of a spin Hall angle, an interface and a metal layer."""
        eta = interface.transmitted(metal)
        return cls(theta_sh * eta.real, theta_sh * eta.imag)


def torque_field(theta: float, J: float, Ms: float, t: float) -> float:
    r"""Return the amplitude [T] of a torque of efficiency theta.

    .. math:: B = \frac{\hbar\, \theta J}{2 e M_s t}

    with J [A/m^2], Ms [A/m] and the magnet's thickness t [m].

    Source: L. Liu et al., Phys. Rev. Lett. 106, 036601 (2011).
    """
    return HBAR * theta * J / (2 * E_CHARGE * Ms * t)
