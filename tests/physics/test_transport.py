"""Spin transport: resistivity, spin Hall angle and interface against closed forms and listed values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from reference import Check, check
from scipy.integrate import quad, solve_bvp

from micromag.constants import E_CHARGE, GAMMA_E, HBAR
from micromag.errors import ConfigErrors
from micromag.transport.interface import Efficiencies, HeavyMetal, Interface, torque_field
from micromag.transport.resistivity import BlochGruneisen, LinearResistivity, phonon_part
from micromag.transport.spin_hall import MechanismAngle, PublishedAngle, published_values

METAL = {"conductivity": 5e6, "spin_diffusion_length": 1.5e-9}
G = Interface(Gr=5e14, Gi=0.5e14)


def listed(entry: Check, part: int = 0) -> list[float]:
    """Return the numbers of one part of what an entry expects."""
    text = str(entry.expected).split(";")[part].replace("S/m^2", "")
    return [float(x) for x in text.split(",")]


def test_bloch_gruneisen():
    law = BlochGruneisen(model="bloch_gruneisen", rho0=2e-8, rho=12e-8, theta=240.0)
    found = [(law.at(T) - 2e-8) / 10e-8 for T in (30, 77, 100, 150, 200)]
    entry = check("bg")
    entry.agrees(found, listed(entry), "phonon part")
    assert law.at(0) == 2e-8 and law.at(300) == pytest.approx(12e-8, rel=1e-14)


@pytest.mark.parametrize("T", [1.0, 10.0, 60.0, 300.0, 5000.0])
def test_phonon_part_against_adaptive_quadrature(T):
    theta = 240.0

    def integrand(x):
        return x**5 * math.exp(-x) / (1 - math.exp(-x)) ** 2

    expected = (T / theta) ** 5 * quad(integrand, 0, min(theta / T, 100), epsabs=0, epsrel=1e-12)[0]
    assert phonon_part(T, theta) == pytest.approx(expected, rel=1e-10)


def test_linear_law():
    law = LinearResistivity(model="linear", rho=1e-7, a=3e-3)
    assert law.at(400) == pytest.approx(1e-7 * 1.3)
    with pytest.raises(ValueError, match="linear law"):
        LinearResistivity(model="linear", rho=1e-7, a=4e-3).at(0)


def test_transmitted_current_of_a_bilayer():
    entry = check("eta_bilayer")
    etas = [G.transmitted(HeavyMetal(thickness=d * 1e-9, **METAL)) for d in (1, 2, 4, 8)]
    # The table gives six decimals.
    assert [e.real for e in etas] == pytest.approx(listed(entry, 0), rel=entry.rtol, abs=5e-7)
    assert [e.imag for e in etas] == pytest.approx(listed(entry, 1), rel=entry.rtol, abs=5e-7)
    large = Interface(Gr=1e25).transmitted(HeavyMetal(thickness=4e-9, **METAL))
    check("eta_large_G").agrees(large.real, what="1 - sech(d/lambda)")


def test_transmitted_current_solves_the_diffusion_equation():
    """mu'' = mu/lambda^2 with j = -(sigma/2) mu' + theta E sigma, 0 at the bottom, G mu on top."""
    d, lam, sigma, theta, E = 4e-9, 1.5e-9, 5e6, 0.1, 2e4

    def slope(x, y):
        return np.array([y[1], y[0] * (d / lam) ** 2])

    def ends(bottom, top):
        source = sigma * theta * E
        return np.array([
            -(sigma / 2) * bottom[1] / d + source,
            -(sigma / 2) * top[1] / d + source - 2e14 * top[0],
        ])  # fmt: skip

    x = np.linspace(0, 1, 200)
    solution = solve_bvp(slope, ends, x, np.zeros((2, 200)), tol=1e-10)
    taken_up = 2e14 * solution.y[0, -1] / (sigma * theta * E)
    eta = Interface(Gr=2e14).transmitted(HeavyMetal(thickness=d, **METAL))
    assert eta.real == pytest.approx(taken_up, rel=1e-6)


def test_thick_and_thin_limits():
    thick = G.transmitted(HeavyMetal(thickness=1e-6, **METAL))
    assert thick == pytest.approx(2 * 1.5e-9 * G.G / (5e6 + 2 * 1.5e-9 * G.G), rel=1e-12)
    thin = [G.transmitted(HeavyMetal(thickness=d, **METAL)) for d in (1e-14, 2e-14)]
    assert abs(thin[1] / thin[0]) == pytest.approx(4, rel=1e-3)


def test_accumulation_at_the_edge():
    metal = HeavyMetal(thickness=4e-9, **METAL)
    check("she_edge").agrees(metal.accumulation(0.1, 1e11 / 5e6), what="mu_s/e")


def test_spin_pumping():
    entry = check("sp_alpha")
    interface = Interface(Gr=entry.number("2e19") * E_CHARGE**2 / (2 * math.pi * HBAR))
    entry.agrees(interface.Gr, listed(entry, 1)[0], "Gr")
    entry.agrees(interface.pumped_damping(1e6, 2e-9), listed(entry, 0)[0], "alpha_sp")


def test_torque_and_pumping_are_reciprocal():
    """Onsager: with the same G, theta_DL and alpha_sp share the factor of the diffusion in the metal."""
    metal = HeavyMetal(thickness=3e-9, **METAL)
    interface = Interface(Gr=6e14)
    lam, d = metal.spin_diffusion_length, metal.thickness
    ratio = interface.transmitted(metal) / interface.with_backflow(metal)
    assert ratio == pytest.approx(2 * lam * math.tanh(d / (2 * lam)) / metal.sigma, rel=1e-12)
    assert interface.pumped_damping(1e6, 1e-9, metal) < interface.pumped_damping(1e6, 1e-9)


def test_amplitude_of_the_damping_like_torque():
    check("sot_aDL").agrees(1e3 * torque_field(0.1, 1e11, 1e6, 1e-9), what="B_DL [mT]")
    both = Efficiencies.of(0.1, G, HeavyMetal(thickness=4e-9, **METAL))
    assert both.damping_like == pytest.approx(0.0200692, rel=1e-4)
    assert both.field_like == pytest.approx(0.0015368, rel=1e-4)


def test_mechanisms_depend_on_temperature_as_they_should():
    rho = {"model": "bloch_gruneisen", "rho0": 10e-8, "rho": 30e-8, "theta": 240.0}
    angle = MechanismAngle(model="combined", sigma_int=3e5, alpha_ss=0.02, sigma_sj=1e5, rho=rho)
    cold, warm = angle.parts(0.0), angle.parts(300.0)
    assert warm["intrinsic"] / cold["intrinsic"] == pytest.approx(3)
    assert warm["skew_scattering"] / cold["skew_scattering"] == pytest.approx(1 / 3)
    assert warm["side_jump"] / cold["side_jump"] == pytest.approx(1 / 3)
    assert cold == pytest.approx({"intrinsic": 0.03, "skew_scattering": 0.02, "side_jump": 0.01})
    assert angle.angle() == pytest.approx(sum(warm.values()))
    constant = MechanismAngle(model="skew_scattering", alpha_ss=0.02, rho=10e-8)
    assert constant.angle(77.0) == constant.angle(300.0) == pytest.approx(0.02)


def test_published_values_are_complete_and_keep_their_signs():
    values = published_values()
    assert {v.material for v in values.values()} == {"Pt", "Ta", "W"}
    for value in values.values():
        assert value.doi.startswith("10.") and value.quoted and value.source
        assert (value.value > 0) == (value.material == "Pt")
    # 1600 (hbar/e)/(Ohm cm) are 3.2e5 S/m in units of hbar/2e: 0.064 at 20 uOhm cm.
    pt = PublishedAngle(model="published", entry="Pt_sagasta_2016", rho=20e-8)
    assert pt.angle() == pytest.approx(0.064)
    assert PublishedAngle(model="published", entry="W_pai_2012").angle() == -0.30


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: HeavyMetal(thickness=4e-9, spin_diffusion_length=1e-9), "conductivity is missing"),
        (lambda: HeavyMetal(thickness=4e-9, resistivity=1e-7, **METAL), "given twice"),
        (lambda: Interface(Gr=-1.0), "Gr"),
        (lambda: Interface(Gi=1.0), "Gr"),
        (lambda: MechanismAngle(model="intrinsic", alpha_ss=0.1, rho=1e-7), "sigma_int"),
        (lambda: MechanismAngle(model="combined", rho=1e-7), "no mechanism"),
        (
            lambda: MechanismAngle(
                model="skew_scattering",
                alpha_ss=0.1,
                rho={"model": "linear", "rho": 1e-7, "a": 4e-3},
            ),
            "rho: the linear law gives -2e-08 Ohm m at 0 K",
        ),
        (lambda: PublishedAngle(model="published", entry="Pt_sagasta_2106"), "Pt_sagasta_2016"),
        (lambda: PublishedAngle(model="published", entry="Pt_sagasta_2016"), "resistivity"),
        (lambda: PublishedAngle(model="published", entry="W_pai_2012", rho=1e-7), "no use"),
    ],
)
def test_wrong_input_is_refused(make, says):
    with pytest.raises(ConfigErrors, match=says):
        make()


def test_gamma_enters_pumping():
    interface = Interface(Gr=5e14)
    twice = interface.pumped_damping(1e6, 1e-9, gamma=2 * GAMMA_E)
    assert twice == pytest.approx(2 * interface.pumped_damping(1e6, 1e-9))
