"""What drives a wall in the one-dimensional model: fields and torques of a run file, term by term.

Every term of a configuration that pushes a wall becomes one or more `Push`, with the numbers that the
kernels use; amplitudes keep their waveform. Terms that the model does not know, and parameters that
differ from place to place, have no place in it and are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micromag.analysis._wall_pushes import Drive, Push
from micromag.config import RunConfig
from micromag.constants import E_CHARGE, HBAR, M_E, MU_B
from micromag.derived import surroundings_of, with_total_damping
from micromag.errors import AnalysisError
from micromag.terms.base import EnergyTerm, Term
from micromag.transport.conductors import uniform_gradient

if TYPE_CHECKING:
    from micromag.parameters import Parameter
    from micromag.surroundings import Surroundings

FloatArray = NDArray[np.float64]

UNEVEN = 0.01
"""Part of the largest field of a conductor by which its mean may change along the wire."""


class NoModelError(AnalysisError):
    """The one-dimensional model does not hold for a run, or its numbers cannot be found."""


def drive_of_config(config: RunConfig, *, currents: bool = True) -> Drive:
    """Return what drives the wall of a configuration; ``currents: False`` leaves the torques out.

    Raises NoModelError for what the model does not know.
    """
    around = surroundings_of(config)
    material = with_total_damping(config).material
    Ms = number(material.Ms, "material.Ms")
    pushes = []
    for key, term in config.energy:
        if key in FIELDS:
            pushes += FIELDS[key](config.resolved(term), around)
        elif isinstance(term, EnergyTerm):
            _refuse_waveforms(key, term)
    for key, term in config.torques if currents else ():
        if key not in TORQUES:
            raise NoModelError(f"the torque {key} is not in the one-dimensional model")
        pushes += TORQUES[key](config.resolved(term), Ms, material.gamma)
    alpha = number(material.alpha, "material.alpha")
    return Drive(Ms, alpha, material.gamma, tuple(pushes))


# -------------------------------------------------------------------------------------- fields


def _zeeman(term: Any, around: Surroundings) -> list[Push]:
    B = uniform(term.B, "energy.zeeman.B")
    return [Push(field=np.array(B.value), waveform=B.waveform)]


def _oersted(term: Any, around: Surroundings) -> list[Push]:
    """Return the mean over the cross-section of a conductor's field, which may not change along x."""
    B = term.B
    if B.array is None:
        B = uniform(B, "energy.oersted.B")
        return [Push(field=np.array(B.value), waveform=B.waveform)]
    if B.regions:
        raise NoModelError("energy.oersted.B differs from place to place")
    filled = around.magnet()
    field = np.asarray(B.value)[:, None, None, None] * B.array
    count = np.maximum(filled.sum(axis=(0, 1)), 1)
    along = (field * filled).sum(axis=(1, 2)) / count
    along = along[:, filled.any(axis=(0, 1))]
    if np.ptp(along, axis=1).max() > UNEVEN * np.abs(field[:, filled]).max():
        raise NoModelError("the field of energy.oersted changes along the wire")
    return [Push(field=along.mean(axis=1), waveform=B.waveform)]


# ------------------------------------------------------------------------------------- torques


def _zhang_li(term: Any, Ms: float, gamma: float) -> list[Push]:
    beta = number(term.beta, "torques.zhang_li.beta")
    if term.u is not None:
        u, waveform = uniform(term.u, "torques.zhang_li.u"), term.u.waveform
        along = u.value[0]
    else:
        J, waveform = uniform(term.J, "torques.zhang_li.J"), term.J.waveform
        along = -number(term.P, "torques.zhang_li.P") * MU_B / (E_CHARGE * Ms) * J.value[0]
        if term.prefactor == "zhang_li":
            along /= 1 + beta**2
    return [Push(u=along, beta_u=beta * along, waveform=waveform)]


def _spin_torque(term: Any, Ms: float, gamma: float) -> list[Push]:
    sigma = np.array(uniform(term.sigma, "torques.spin_torque.sigma").value)
    pushes = []
    if term.B_DL is not None:
        a = uniform(term.B_DL, "torques.spin_torque.B_DL")
        pushes.append(Push(damping_like=a.value * sigma, waveform=a.waveform))
    if term.B_FL is not None:
        b = uniform(term.B_FL, "torques.spin_torque.B_FL")
        pushes.append(Push(field=b.value * sigma, waveform=b.waveform))
    return pushes


def _spin_orbit(term: Any, Ms: float, gamma: float) -> list[Push]:
    """Return the pair of torques along sigma = J x n of a resolved spin-orbit torque."""
    key = "torques.spin_orbit"

    def given(name: str) -> float:
        return _optional(term, key, name)

    J = uniform(term.J, f"{key}.J")
    sigma = np.cross(J.value, uniform(term.normal, f"{key}.normal").value)
    per_angle = HBAR / (2 * E_CHARGE * Ms * given("thickness"))
    field = per_angle * given("theta_FL") + given("field_per_current")
    field -= M_E * given("rashba") / (HBAR * E_CHARGE * Ms)
    damping_like = per_angle * given("theta_DL") * sigma
    return [Push(field=field * sigma, damping_like=damping_like, waveform=J.waveform)]


def _slonczewski(term: Any, Ms: float, gamma: float) -> list[Push]:
    r"""Return a torque whose :math:`\epsilon(m \cdot p)` changes through the wall if Lambda is not 1."""
    key = "torques.slonczewski"
    p = _polariser(term, key)
    J = uniform(term.J, f"{key}.J")
    side = -1 if term.fixed_layer == "bottom" else 1
    per_eps = side * HBAR * J.value / (E_CHARGE * Ms * number(term.thickness, f"{key}.thickness"))
    L2 = number(term.Lambda, f"{key}.Lambda") ** 2
    a = per_eps * number(term.P, f"{key}.P") * L2 / (L2 + 1)
    return [
        Push(
            field=per_eps * _optional(term, key, "epsilon_prime") * p,
            damping_like=a * p,
            asymmetry=(L2 - 1) / (L2 + 1) * p,
            waveform=J.waveform,
        )
    ]


def _tunnel_junction(term: Any, Ms: float, gamma: float) -> list[Push]:
    """Return torques linear and quadratic in the voltage, and the coupling without one."""
    key = "torques.tunnel_junction"
    p = _polariser(term, key)
    voltage = uniform(term.voltage, f"{key}.voltage")
    V = -voltage.value if term.fixed_layer == "bottom" else voltage.value
    a1, a2, b0, b1, b2 = (
        _optional(term, key, name) * p / (Ms * number(term.thickness, f"{key}.thickness"))
        for name in ("a1", "a2", "b0", "b1", "b2")
    )
    linear = Push(field=b1 * V, damping_like=a1 * V, waveform=voltage.waveform)
    quadratic = Push(
        field=b2 * V**2,
        damping_like=a2 * V**2,
        waveform=_product(voltage.waveform, voltage.waveform),
    )
    return [linear, quadratic, Push(field=b0)]


def _s_d_exchange(term: Any, Ms: float, gamma: float) -> list[Push]:
    """Return the field J_sd S/(hbar gamma Ms)."""
    S = uniform(term.S, "torques.s_d_exchange.S")
    J_sd = uniform(term.J_sd, "torques.s_d_exchange.J_sd")
    field = J_sd.value / (HBAR * gamma * Ms) * np.array(S.value)
    return [Push(field=field, waveform=_product(S.waveform, J_sd.waveform))]


def _transport(term: Any, Ms: float, gamma: float) -> list[Push]:
    """Return what the spin accumulation does to a wall that is wide against every length."""
    J = uniform(term.J, "torques.transport.J")
    along, f, beta = drift_of(term, Ms)
    return [Push(u=f * along, beta_u=beta * f * along, waveform=J.waveform)]


def drift_of(term: Any, Ms: float, width: float = np.inf) -> tuple[float, float, float]:
    """Return u = -P mu_B J/(e Ms) [m/s] of a term `transport`, and its f and beta at a wall parameter [m].

    See `micromag.transport.conductors.uniform_gradient`; raises NoModelError.
    """
    key = "torques.transport"
    if term.theta_sh is not None or term.mixes:
        raise NoModelError(f"{key} is more than drift and diffusion along the wire")
    for name in ("conductivity", "lambda_sf", "lambda_J", "lambda_phi", "J_sd", "D_e"):
        parameter = getattr(term, name)
        if parameter is not None:
            uniform(parameter, f"{key}.{name}")
    precession, dephasing = term.rates()
    f, beta = uniform_gradient(term.lambda_sf.value, precession, dephasing, width)
    J = uniform(term.J, f"{key}.J")
    return -_optional(term, key, "P") * MU_B / (E_CHARGE * Ms) * J.value[0], f, beta


FIELDS: dict[str, Callable[[Any, Surroundings], list[Push]]] = {
    "zeeman": _zeeman,
    "oersted": _oersted,
}
"""Terms of the energy that push a wall and are no part of its own energy."""
TORQUES: dict[str, Callable[[Any, float, float], list[Push]]] = {
    "zhang_li": _zhang_li,
    "spin_torque": _spin_torque,
    "spin_orbit": _spin_orbit,
    "slonczewski": _slonczewski,
    "tunnel_junction": _tunnel_junction,
    "s_d_exchange": _s_d_exchange,
    "transport": _transport,
}


# ---------------------------------------------------------------------------------- parameters


def uniform(parameter: Parameter[Any], name: str) -> Parameter[Any]:
    """Return a parameter that is the same everywhere; raises NoModelError."""
    if not parameter.is_uniform:
        raise NoModelError(f"{name} differs from place to place")
    return parameter


def number(parameter: Parameter[Any], name: str) -> float:
    """Return the value of a parameter that is the same everywhere; raises NoModelError."""
    return float(uniform(parameter, name).value)


def _optional(term: Term, key: str, name: str) -> float:
    parameter = getattr(term, name)
    return 0.0 if parameter is None else number(parameter, f"{key}.{name}")


def _polariser(term: Any, key: str) -> FloatArray:
    if term.p is None:
        raise NoModelError(f"{key}: the polariser is a layer of the mesh")
    return np.array(uniform(term.p, f"{key}.p").value)


def _product(
    a: Callable[[float], float] | None, b: Callable[[float], float] | None
) -> Callable[[float], float] | None:
    if a is None or b is None:
        return a or b
    return lambda t: a(t) * b(t)


def _refuse_waveforms(key: str, term: Term) -> None:
    for name in type(term).model_fields:
        if getattr(getattr(term, name), "waveform", None) is not None:
            raise NoModelError(f"energy.{key}.{name} depends on time")
