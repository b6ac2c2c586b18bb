"""One moment in fields and torques, against exact solutions of the LLG equation."""

from __future__ import annotations

import numpy as np
import pytest
from reference import (
    GAMMA_E,
    GHZ,
    MT,
    MU_0,
    NS,
    PS,
    angle_turned,
    check,
    energy,
    macrospin,
    note,
    rows,
    spin_torque,
)

import micromag as mm
from micromag.constants import E_CHARGE, HBAR

MS = 8e5


def moment(sim: mm.Simulation) -> np.ndarray:
    """Return the one moment."""
    return np.asarray(sim.m).reshape(3)


def test_a_moment_precesses_counterclockwise_about_the_field():
    larmor = check("larmor")
    sim = macrospin(
        (1, 0, 0),
        material={"Ms": MS, "alpha": 0.0},
        energy=energy(B=(0, 0, 1)),
        output=rows(5 * PS),
    )
    sim.run(1 * NS)
    angle = angle_turned(sim.table["m_x"], sim.table["m_y"])
    assert angle[1] > 0
    larmor.agrees(angle[-1] / (2 * np.pi * sim.t) / GHZ, what="f [GHz]")


def test_damping_turns_a_moment_into_the_field():
    sim = macrospin((1, 0, 0), material={"Ms": MS, "alpha": 0.1}, energy=energy(B=(0, 0, 0.1)))
    sim.run(1 * NS)
    check("damp_mz").agrees(moment(sim)[2], what="m_z")


def test_damping_takes_energy_at_the_rate_of_the_equation():
    sim = macrospin((1, 0, 0), material={"Ms": MS, "alpha": 0.1}, energy=energy(B=(0, 0, 0.1)))
    assert sim.config.mesh.cell_volume == pytest.approx(1e-24)
    before, duration = sim.energies()["total"], 0.1 * PS
    sim.run(duration)
    rate = (sim.energies()["total"] - before) / duration
    check("dissipation").agrees(rate, what="dE/dt [W]")


# ---------------------------------------------------------------- order of the methods

METHODS = {
    # order and error at 100 steps, as the table prints them
    "euler": ("1.0", "3.7e-1"),
    "heun": ("2.0", "3.1e-2"),
    "rk23": ("3.0", "8.4e-4"),
    "rk4": ("4.0", "4.7e-5"),
    "rk45": ("4.7", "1.1e-7"),
}


@pytest.mark.parametrize("method", METHODS)
def test_methods_converge_with_their_order(method):
    # The listed values hold for a code that normalises m once a step. Here the stages of a step are
    # normalised too: errors come out smaller, and Dormand-Prince shows 5.0 to 5.2 instead of 4.7 to
    # 4.9. So the order of that method is bounded from below alone, and the errors from above.
    alpha, B, duration = 0.1, 1.0, 100 * PS
    sim = macrospin(
        (1, 0, 0),
        material={"Ms": MS, "alpha": alpha},
        energy=energy(B=(0, 0, B)),
        solver={"method": method, "dt": 1 * PS},
    )
    rate = GAMMA_E * B * duration / (1 + alpha**2)
    mz, phase = np.tanh(alpha * rate), rate
    exact = np.array(
        [np.cos(phase) / np.cosh(alpha * rate), np.sin(phase) / np.cosh(alpha * rate), mz]
    )
    errors = []
    for steps in (100, 200, 400):
        sim.set({"solver.dt": duration / steps})
        sim.m = np.array([1.0, 0, 0]).reshape(3, 1, 1, 1)
        sim.run(duration)
        errors.append(np.linalg.norm(moment(sim) - exact))
    entry = check("int_order")
    listed_order, listed_error = entry.numbers(*METHODS[method])
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders.min() >= listed_order - entry.atol
    if method != "rk45":
        entry.agrees(orders, [listed_order] * 2, f"order of {method}")
    assert errors[0] <= 1.05 * listed_error
    note("int_order", f"order of {method}", listed_order, orders[1])
    note("int_order", f"error of {method} at 100 steps", listed_error, errors[0])


# ---------------------------------------------------------------- time reversal

B_K, FIELD, B_FL, SIGMA = 0.5, np.array([0.05, 0.0, 0.1]), 0.03, np.array([0.0, 1.0, 0.0])


def reactive(m: np.ndarray) -> float:
    """Return the energy per moment [T] that a field-like torque keeps."""
    return float(-B_K * m[2] ** 2 / 2 - m @ FIELD - B_FL * m @ SIGMA)


@pytest.fixture(scope="module")
def there_and_back() -> dict[str, np.ndarray]:
    """The moment at the start, after half a nanosecond, and after as long with time reversed."""
    start = np.array([0.6, 0.3, 0.7]) / np.linalg.norm([0.6, 0.3, 0.7])
    sim = macrospin(
        start,
        material={"Ms": MS, "alpha": 0.0},
        energy=energy(B=FIELD, Ku1=B_K * MS / 2),
        torques=[spin_torque(SIGMA, B_FL=B_FL)],
        solver={"max_error": 1e-12},
    )
    sim.run(0.5 * NS)
    there = moment(sim)
    sim.set({"energy.zeeman.B": list(-FIELD), "torques.spin_torque.sigma": list(-SIGMA)})
    sim.m = -sim.m
    sim.run(0.5 * NS)
    return {"start": start, "there": there, "back": -moment(sim)}


def test_a_field_like_torque_is_reversed_with_time(there_and_back):
    start, there, back = (there_and_back[name] for name in ("start", "there", "back"))
    assert np.linalg.norm(there - start) > 0.1
    check("treversal_FL").agrees(np.linalg.norm(back - start), what="distance of -m to m0")


def test_a_field_like_torque_conserves_its_energy(there_and_back):
    change = reactive(there_and_back["there"]) - reactive(there_and_back["start"])
    check("FL_energy").agrees(change, what="change of energy [T]")


# ---------------------------------------------------------------- spin torques


def test_a_damping_like_torque_pulls_towards_its_polarisation():
    sim = macrospin(
        (1, 0, 0),
        material={"Ms": MS, "alpha": 0.0},
        torques=[spin_torque((0, 0, 1), B_DL=0.01)],
        output=rows(1 * PS),
    )
    sim.run(50 * PS)
    # Without damping m_z = tanh(gamma B_DL t), with no precession.
    np.testing.assert_allclose(moment(sim)[2], np.tanh(GAMMA_E * 0.01 * sim.t), rtol=1e-8)
    np.testing.assert_allclose(moment(sim)[1], 0, atol=1e-12)


def test_a_field_like_torque_is_an_applied_field():
    turned = []
    for option in (
        {"energy": energy(B=(0, 0, 0.1))},
        {"torques": [spin_torque((0, 0, 1), B_FL=0.1)]},
    ):
        sim = macrospin((1, 0, 0.2), material={"Ms": MS, "alpha": 0.1}, **option)
        sim.run(100 * PS)
        turned.append(moment(sim))
    np.testing.assert_allclose(turned[0], turned[1], rtol=1e-12)


def test_perpendicular_switching_begins_at_the_critical_torque():
    entry = check("stt_perp")
    B_K, alpha, Ms, t, P = 0.3, 0.01, 1e6, 1e-9, 0.6
    listed, listed_J = entry.numbers("3.000", "1.51927e10")
    sim = macrospin(
        (1e-3, 0, 1), material={"Ms": Ms, "alpha": alpha}, energy=energy(Ku1=B_K * Ms / 2)
    )
    sim.run(0.1 * NS)
    rates = []
    amplitudes = np.array([0.95, 1.05]) * listed * MT
    for a_J in amplitudes:
        sim.set({"torques.spin_torque.sigma": [0, 0, -1], "torques.spin_torque.B_DL": a_J})
        before = np.hypot(*moment(sim)[:2])
        sim.run(2 * NS)
        rates.append(np.log(np.hypot(*moment(sim)[:2]) / before))
    assert rates[0] < 0 < rates[1]
    critical = np.interp(0, rates, amplitudes)
    entry.agrees(critical / MT, listed, "critical a_J [mT]")
    entry.agrees(2 * E_CHARGE / HBAR * Ms * t * critical / P, listed_J, "J_c0 [A/m^2]")


def test_a_perpendicular_polariser_makes_an_easy_plane_oscillate():
    entry = check("sto")
    a_J, alpha = 8 * MT, 0.02
    listed_mz, listed_f = entry.numbers("0.3978874", "11.20998")
    sim = macrospin(
        (0.9, 0, 0.4),
        material={"Ms": MS, "alpha": alpha},
        energy=energy(Ku1=-MU_0 * MS**2 / 2),
        torques=[spin_torque((0, 0, 1), B_DL=a_J)],
        output=rows(5 * PS),
    )
    sim.run(8 * NS)
    late = sim.table["t"] > 7 * NS
    angle = angle_turned(sim.table["m_x"][late], sim.table["m_y"][late])
    t = sim.table["t"][late]
    assert angle[-1] < 0, "clockwise about +z"
    entry.agrees(sim.table["m_z"][-1], listed_mz, "m_z")
    entry.agrees(-angle[-1] / (2 * np.pi * (t[-1] - t[0])) / GHZ, listed_f, "|f| [GHz]")


def test_a_spin_orbit_torque_tilts_a_perpendicular_moment():
    entry = check("sot_tilt_DL")
    expected = entry.numbers("-0.0400321", "0", "0.9991984")
    B_K, a_J = 0.5, 20 * MT
    sim = macrospin(
        (0, 0, 1),
        material={"Ms": 1e6, "alpha": 0.3},
        energy=energy(Ku1=B_K * 1e6 / 2),
        torques=[spin_torque((0, 1, 0), B_DL=a_J)],
    )
    sim.run(3 * NS)
    entry.agrees(moment(sim), expected, "m")
    assert sim.max_torque() < 1e-9


# ---------------------------------------------------------------- anisotropy


def test_uniaxial_and_cubic_anisotropy_fields():
    entry = check("ani_BK")
    K, tilt = 1e5, 1e-5
    sim = macrospin((np.sin(tilt), 0, np.cos(tilt)), material={"Ms": MS, "alpha": 0.1})
    sim.set({"energy.uniaxial_anisotropy.Ku1": K})
    entry.agrees(sim.max_torque() / tilt, what="uniaxial B_K [T]")
    np.testing.assert_allclose(
        sim.field("uniaxial_anisotropy").reshape(3), [0, 0, 0.25], rtol=1e-9, atol=1e-15
    )
    sim.set({"energy.uniaxial_anisotropy.Ku1": 0.0, "energy.cubic_anisotropy.Kc1": K})
    entry.agrees(sim.max_torque() / tilt, what="cubic B_K along 100 [T]")


def test_energies_of_cubic_anisotropy_along_its_directions():
    entry = check("ani_cubic")
    K = 1e5

    def density(direction: tuple[int, int, int], Kc1: float) -> float:
        sim = macrospin(direction, material={"Ms": MS, "alpha": 0.1}, energy=energy(Kc1=Kc1))
        return float(sim.energy_density("cubic_anisotropy").item())

    barrier = density((1, 1, 0), K) - density((1, 0, 0), K)
    depth = density((1, 0, 0), -K) - density((1, 1, 1), -K)
    assert entry.expected == "K1/4; K1/3"
    entry.agrees(barrier, K / 4, "barrier 100 to 110 [J/m^3]")
    entry.agrees(depth, K / 3, "depth of 111 [J/m^3]")


@pytest.mark.parametrize(
    ("sections", "easy"),
    [
        ({"energy": energy(B=(0, 0.1, 0))}, (0, 1, 0)),
        ({"energy": energy(Ku1=1e5)}, (0, 0, 1)),
        ({"energy": energy(Kc1=1e5)}, (1, 0, 0)),
        ({"energy": energy(Kc1=-1e5)}, (1, 1, 1)),
        ({"torques": [spin_torque((0, -1, 0), B_DL=0.05)]}, (0, -1, 0)),
        ({"torques": [spin_torque((-1, 0, 0), B_FL=0.05)]}, (-1, 0, 0)),
    ],
    ids=["zeeman", "uniaxial", "cubic", "cubic negative", "damping-like", "field-like"],
)
def test_a_moment_ends_along_the_easy_direction(sections, easy):
    sim = macrospin((0.8, 0.3, 0.5), material={"Ms": MS, "alpha": 0.5}, **sections)
    sim.run(5 * NS)
    np.testing.assert_allclose(moment(sim), np.array(easy) / np.linalg.norm(easy), atol=1e-4)


@pytest.mark.parametrize(("precision", "limit"), [("single", "1e-6"), ("double", "1e-12")])
def test_moments_keep_their_length(precision, limit):
    entry = check("norm")
    sim = macrospin(
        (0.6, 0.3, 0.55),
        precision=precision,
        material={"Ms": MS, "alpha": 0.1},
        energy=energy(B=(0.1, 0, 0), Ku1=1e5, Kc1=3e4),
        torques=[spin_torque((0, 1, 0), B_DL=0.02, B_FL=0.01)],
        solver={"max_error": 1e-5},
    )
    sim.run(1 * NS)
    deviation = abs(np.linalg.norm(moment(sim).astype(float)) - 1)
    entry.agrees(deviation, what=f"| |m| - 1 | {precision}", atol=entry.number(limit))
