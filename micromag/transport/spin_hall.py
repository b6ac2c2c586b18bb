"""Spin Hall angle of a metal: intrinsic and extrinsic mechanisms, and published values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, ConfigDict, ValidationInfo, model_validator

from micromag.arguments import Checked
from micromag.parameters import Quantity, custom_error
from micromag.suggest import did_you_mean
from micromag.transport.choice import read_model
from micromag.transport.resistivity import ConstantResistivity, Resistivity

__all__ = [
    "MechanismAngle",
    "PublishedAngle",
    "PublishedValue",
    "SpinHallAngle",
    "published_values",
]

_NEEDED = {
    "intrinsic": ("sigma_int",),
    "skew_scattering": ("alpha_ss",),
    "side_jump": ("sigma_sj",),
    "combined": (),
}


class MechanismAngle(Checked):
    r"""Spin Hall angle from its mechanisms, each with its own dependence on the resistivity.

    .. math::

        \theta_{SH} = \sigma_{int}\, \rho + \alpha_{ss} \frac{\rho_0}{\rho}
            + \sigma_{sj} \frac{\rho_0^2}{\rho}

    The intrinsic part grows with the resistivity and so with temperature; skew scattering by
    impurities is constant while they alone scatter and falls as phonons join them; the side jump falls
    likewise. Spin Hall conductivities are in units of charge conductivity (hbar/2e): one quoted
    in hbar/e is to be doubled.

    ===========  ======  ======================================================================
    name         unit    meaning
    ===========  ======  ======================================================================
    model        --      ``intrinsic``, ``skew_scattering``, ``side_jump`` or ``combined``
    sigma_int    S/m     intrinsic spin Hall conductivity
    alpha_ss     1       skew-scattering angle of the impurities
    sigma_sj     S/m     side-jump spin Hall conductivity at the residual resistivity
    rho          Ohm m   resistivity: a number, or a law with ``model: linear | bloch_gruneisen``
    temperature  K       300 K by default
    ===========  ======  ======================================================================

    Source: Y. Tian, L. Ye and X. Jin, Phys. Rev. Lett. 103, 087206 (2009); J. Sinova et al., Rev. Mod.
    Phys. 87, 1213 (2015).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    model: Literal["intrinsic", "skew_scattering", "side_jump", "combined"]
    """Which mechanisms."""
    sigma_int: Annotated[float, Quantity("S/m")] | None = None
    """Intrinsic spin Hall conductivity [S/m], in units of hbar/2e."""
    alpha_ss: Annotated[float, Quantity("1")] | None = None
    """Skew-scattering angle."""
    sigma_sj: Annotated[float, Quantity("S/m")] | None = None
    """Side-jump spin Hall conductivity [S/m], in units of hbar/2e."""
    rho: Resistivity
    """Resistivity."""
    temperature: Annotated[float, Quantity("K", ge=0)] = 300.0
    """Temperature [K]."""

    @model_validator(mode="after")
    def _has_its_own(self) -> MechanismAngle:
        given = [n for n in ("sigma_int", "alpha_ss", "sigma_sj") if getattr(self, n) is not None]
        needed = _NEEDED[self.model]
        if needed and tuple(given) != needed:
            what = f"the model {self.model} takes {needed[0]} and no other mechanism's parameter"
            raise custom_error("theta_sh", what, "model: combined for several")
        if not given:
            raise custom_error(
                "theta_sh", "no mechanism has a parameter", "sigma_int, alpha_ss, ..."
            )
        if "temperature" in self.model_fields_set and isinstance(self.rho, ConstantResistivity):
            what = "the resistivity is one number, so that the temperature has no effect"
            allowed = (
                "rho: {model: bloch_gruneisen, ...} or {model: linear, ...}; or no temperature"
            )
            raise custom_error("theta_sh", what, allowed, "temperature")
        try:
            self.angle()
        except ValueError as error:
            raise custom_error("theta_sh", str(error), "rho > 0", "rho") from None
        return self

    def parts(self, temperature: float | None = None) -> dict[str, float]:
        """Return the contribution of each mechanism at a temperature [K], its own by default."""
        T = self.temperature if temperature is None else temperature
        rho = self.rho.at(T)
        # A linear law, which holds near room temperature, may have no residual resistivity.
        rho0 = self.rho.residual if self.alpha_ss or self.sigma_sj else 0.0
        return {
            "intrinsic": (self.sigma_int or 0.0) * rho,
            "skew_scattering": (self.alpha_ss or 0.0) * rho0 / rho,
            "side_jump": (self.sigma_sj or 0.0) * rho0**2 / rho,
        }

    def angle(self, temperature: float | None = None) -> float:
        """Return theta_SH at a temperature [K], its own by default."""
        return sum(self.parts(temperature).values())


class PublishedValue(NamedTuple):
    """A measured value as its source states it.

    Attributes
    ----------
    material, key
        ``"Pt"`` and the name of the entry.
    quantity
        ``"theta"``: a spin Hall angle; ``"sigma_int"``: an intrinsic spin Hall conductivity [S/m] in
        units of hbar/2e.
    value, error
        In SI units, with the sign that the project's conventions give it.
    quoted
        The value in the words of the source.
    method, source, doi
        How it was measured, and where that is published.
    """

    material: str
    key: str
    quantity: str
    value: float
    error: float | None
    quoted: str
    method: str
    source: str
    doi: str


@cache
def published_values() -> dict[str, PublishedValue]:
    """Return the published values by their names, such as ``Pt_sagasta_2016``."""
    import yaml

    text = files("micromag.transport").joinpath("spin_hall_angles.yaml").read_text("utf-8")
    return {item["key"]: PublishedValue(**item) for item in yaml.safe_load(text)}


class PublishedAngle(Checked):
    """A published spin Hall angle by name, or one that follows from a published conductivity.

    ======  ======  ====================================================================
    name    unit    meaning
    ======  ======  ====================================================================
    model   --      ``published``
    entry   --      name in `published_values`, such as ``Pt_sagasta_2016``
    rho     Ohm m   resistivity, needed where the entry is a spin Hall conductivity
    ======  ======  ====================================================================
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    model: Literal["published"]
    """A published value."""
    entry: str
    """Its name."""
    rho: Annotated[float, Quantity("Ohm m", gt=0)] | None = None
    """Resistivity [Ohm m]."""

    @model_validator(mode="after")
    def _known(self) -> PublishedAngle:
        names = published_values()
        if self.entry not in names:
            what = f"no published value is called {self.entry!r}{did_you_mean(self.entry, names)}"
            raise custom_error("theta_sh", what, ", ".join(names))
        needs = names[self.entry].quantity == "sigma_int"
        if needs and self.rho is None:
            what = f"{self.entry} is a spin Hall conductivity: the angle needs the resistivity rho"
            raise custom_error("theta_sh", what, "rho in Ohm m")
        if not needs and self.rho is not None:
            raise custom_error("theta_sh", f"{self.entry} is an angle: rho has no use", "no rho")
        return self

    def angle(self) -> float:
        """Return theta_SH."""
        value = published_values()[self.entry]
        return value.value * (self.rho or 0.0) if value.quantity == "sigma_int" else value.value


def _read(data: Any, info: ValidationInfo) -> Any:
    if isinstance(data, (Mapping, Checked)):
        return read_model((MechanismAngle, PublishedAngle), data, info)
    return Quantity("1").number(data)


SpinHallAngle = Annotated[float | MechanismAngle | PublishedAngle, BeforeValidator(_read)]
"""A spin Hall angle: a number, or a description of either kind, told apart by ``model``."""
