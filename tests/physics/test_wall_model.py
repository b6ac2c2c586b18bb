"""The one-dimensional model of a wall, against closed forms, the checks, and the whole equation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from reference import GAMMA_E, MT, NM, NS, check

from micromag.analysis._wall_equations import Wall, course, rates, trajectory
from micromag.analysis._wall_pushes import Drive, Push
from micromag.config import load_config
from micromag.job import run_job
from micromag.output.runfile import RunFile
from micromag.progress import SilentReporter
from micromag.stopping import StopRequest
from micromag.wall_model import drive_of, wall_of

A, K, KP, MS, ALPHA = 1.3e-11, 5e5, 1e5, 8e5, 0.05
DELTA = np.sqrt(A / K)
X, Y, Z = np.eye(3)
NONE = np.zeros(3)


def wall(Kp: float = KP, D: float = 0.0, polarity: int = 1, angle: float = 0.0) -> Wall:
    """Return a wall across x between domains along z, with sigma = 2 Delta Kp sin^2 + pi D cos."""
    cosines = np.array([4 * np.sqrt(A * K) + DELTA * Kp, np.pi * D, -DELTA * Kp, 0, 0])
    return Wall(Z, X, Y, polarity, DELTA, angle, A, cosines, np.zeros(5), NONE)


def rigid(found: Wall) -> Wall:
    """Return a wall whose width does not follow its angle: infinitely stiff."""
    return replace(found, stiffness=found.stiffness * 1e9)


def drive(
    u: float = 0.0,
    beta: float = 0.0,
    B: NDArray[np.float64] = NONE,
    a: NDArray[np.float64] = NONE,
    alpha: float = ALPHA,
) -> Drive:
    return Drive(MS, alpha, GAMMA_E, (Push(np.array(B), np.array(a), u=u, beta_u=beta * u),))


# ------------------------------------------------------------------------- entries of the table


@pytest.mark.parametrize("u", [50.0, 200.0])
def test_a_rigid_wall(u):
    entry = check("dw_rigid")
    found = course(wall(), drive(u, ALPHA))
    entry.agrees(found.velocity / u, entry.number("1.0"), f"v/u of the model at u = {u:.0f} m/s")
    assert abs(found.angle) < entry.number("1e-3")


def test_intrinsic_pinning():
    entry = check("dw_beta0_pin")
    velocity, displacement, angle = entry.numbers("0", "23.5", "-0.2316")
    x, phi = trajectory(wall(), drive(50.0), np.linspace(0, 4 * NS, 401))
    entry.agrees(x[-1] / NM, displacement, "displacement of the model [nm]", rtol=entry.rtol)
    entry.agrees(phi[-1], angle, "phi of the model [rad]", rtol=entry.rtol)
    entry.agrees(course(wall(), drive(50.0)).velocity, velocity, "v of the model", atol=entry.atol)
    # The exact displacement Delta phi / alpha of the rigid wall
    x, phi = trajectory(rigid(wall()), drive(50.0), np.linspace(0, 20 * NS, 401))
    assert x[-1] == pytest.approx(-DELTA * phi[-1] / ALPHA, rel=1e-6)


def test_critical_current_without_beta():
    # The width that follows the angle makes the model exact here: Walker's solution.
    u_c = 2 * GAMMA_E * np.sqrt(A) / MS * (np.sqrt(K + KP) - np.sqrt(K))
    check("dw_uc").agrees(u_c, what="closed form [m/s]")
    assert not course(wall(), drive(u_c * (1 - 1e-6))).turning
    assert course(wall(), drive(u_c * (1 + 1e-6))).turning


@pytest.mark.parametrize(("u", "listed"), [(200.0, "168.5"), (400.0, "384.4")])
def test_mean_velocity_above_the_critical_current(u, listed):
    entry = check("dw_above")
    found = course(wall(), drive(u))
    assert found.turning
    entry.agrees(found.velocity, entry.number(listed), f"<v> of the model at u = {u:.0f}")


def test_velocity_in_a_field():
    entry = check("dw_field")
    found = course(wall(), drive(B=2 * MT * Z))
    entry.agrees(found.velocity, entry.number("35.82"), "v of the model [m/s]")
    stiff = course(rigid(wall()), drive(B=2 * MT * Z))
    assert stiff.velocity == pytest.approx(entry.number("35.92"), rel=2e-4)


def test_mobility():
    found = course(rigid(wall()), drive(B=0.01 * MT * Z))
    check("dw_mobility").agrees(found.velocity / 0.01, what="mobility of the model")


@pytest.mark.parametrize(("beta", "listed"), [(0.0, "22.447"), (0.1, "22.447"), (0.02, "37.411")])
def test_threshold_at_any_beta(beta, listed):
    entry = check("dw_u_any")
    u_W = entry.number(listed)
    assert u_W == pytest.approx(GAMMA_E * 2e4 / MS * DELTA * ALPHA / abs(beta - ALPHA), rel=1e-4)
    stiff = rigid(wall(2e4))
    assert not course(stiff, drive(u_W * 0.9999, beta)).turning
    assert course(stiff, drive(u_W * 1.0001, beta)).turning


# -------------------------------------------------------------------------------- closed forms


@pytest.mark.parametrize("polarity", [1, -1])
@pytest.mark.parametrize("beta", [0.0, 0.02, 0.15])
def test_mean_velocity_of_a_rigid_wall_above_the_threshold_of_a_current(beta, polarity):
    u_W = GAMMA_E * KP / MS * DELTA * ALPHA / abs(beta - ALPHA)
    for u in (1.05 * u_W, 3 * u_W, -2 * u_W):
        size = abs(beta - ALPHA) * np.sqrt(u**2 - u_W**2) / (ALPHA * (1 + ALPHA**2))
        expected = beta * u / ALPHA - np.sign(u) * np.sign(beta - ALPHA) * size
        found = course(rigid(wall(polarity=polarity)), drive(u, beta))
        assert found.turning
        assert found.velocity == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("polarity", [1, -1])
def test_walker_field_and_the_velocity_beyond_it(polarity):
    B_W = ALPHA * KP / MS
    stiff = rigid(wall(polarity=polarity))
    assert not course(stiff, drive(B=0.9999 * B_W * Z)).turning
    for B in (1.0001 * B_W, 2 * B_W):
        expected = GAMMA_E * DELTA / ALPHA * (B - np.sqrt(B**2 - B_W**2) / (1 + ALPHA**2))
        found = course(stiff, drive(B=B * Z))
        assert found.turning
        # A wall between -z and +z runs the other way in the same field.
        assert found.velocity == pytest.approx(polarity * expected, rel=1e-5)


def test_period_of_a_turning_wall():
    # Without a hard axis phi turns at gamma B / (1 + alpha^2).
    found = course(wall(0.0), drive(B=5 * MT * Z))
    assert found.period == pytest.approx(2 * np.pi * (1 + ALPHA**2) / (GAMMA_E * 5 * MT), rel=1e-9)


@pytest.mark.parametrize("a", [2 * MT, 10 * MT, 80 * MT])
@pytest.mark.parametrize("D", [1e-3, -1e-3])
def test_spin_orbit_torque_with_an_interfacial_dmi(a, D):
    # v = v_D / sqrt(1 + (alpha B_D / a)^2); D > 0 turns the moment of an up-down wall to -x, and
    # the pull towards sigma = -y moves that wall along +x.
    v_D, B_D = np.pi / 2 * GAMMA_E * D / MS, D / (MS * DELTA)
    at_rest = wall(0.0, D, angle=np.pi if D > 0 else 0.0)
    found = course(at_rest, drive(a=-a * Y))
    assert found.velocity == pytest.approx(v_D / np.sqrt(1 + (ALPHA * B_D / a) ** 2), rel=1e-9)


def test_a_damping_like_torque_does_not_move_a_bloch_wall():
    found = rates(
        wall(angle=np.pi / 2), drive(a=10 * MT * Y), drive(a=10 * MT * Y).at(0), np.pi / 2
    )
    assert found[0] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("kappa", [0.6, -0.6, 0.95])
def test_a_torque_whose_amplitude_changes_through_the_wall(kappa):
    """The integrals over theta of 1/(1 + k sin) and sin/(1 + k cos), in closed form."""
    a, soft = 3 * MT, drive(alpha=1e-12)

    def torques(p: NDArray[np.float64], phi: float) -> tuple[float, float]:
        """Return f_q and f_phi, in units of gamma a: what is left without damping and hard axis."""
        push = Push(damping_like=a * p, asymmetry=kappa * p)
        v, turning = rates(wall(0.0), soft, [push], np.asarray(phi))
        return float(turning) / (GAMMA_E * a), -float(v) / DELTA / (GAMMA_E * a)

    for phi in (0.0, 0.4, 2.0):
        k = kappa * np.sin(phi)
        across = np.cos(phi) * np.arccos(k) / np.sqrt(1 - k**2)
        assert torques(Y, phi) == pytest.approx((across, 0), abs=1e-9)
        along = np.log((1 + kappa) / (1 - kappa)) / (2 * kappa)
        assert torques(Z, phi) == pytest.approx((0, -along), abs=1e-9)
    # Without asymmetry they are pi/2 cos phi and -1.
    assert np.arccos(0) == pytest.approx(np.pi / 2)


def test_an_in_plane_field_turns_the_wall_and_widens_it():
    # Bloch wall of no hard axis: phi goes to the field's direction.
    B = 20 * MT * np.array([np.cos(0.4), np.sin(0.4), 0])
    found = course(wall(0.0, angle=0.1), drive(B=B))
    assert found.angle == pytest.approx(0.4, abs=1e-9)
    assert found.velocity == pytest.approx(0, abs=1e-9)


def test_the_two_rates_satisfy_both_equations():
    field, damping_like = np.array([3e-3, -2e-3, 1e-3]), np.array([2e-3, 5e-3, -1e-3])
    push = Push(field, damping_like, u=40.0, beta_u=3.0)
    driven = Drive(MS, ALPHA, GAMMA_E, (push,))
    found, phi = rigid(wall(D=5e-4)), 0.7
    v, turning = rates(found, driven, [push], np.asarray(phi))
    n_prime = np.array([-np.sin(phi), np.cos(phi), 0])
    f_q = GAMMA_E * 1e-3 + 3 / DELTA + np.pi / 2 * GAMMA_E * push.damping_like @ n_prime
    slope = 2 * DELTA * KP * np.sin(2 * phi) - np.pi * 5e-4 * np.sin(phi)
    f_phi = (
        np.pi / 2 * GAMMA_E * push.field @ n_prime
        - GAMMA_E * slope / (2 * DELTA * MS)
        - 40 / DELTA
        - GAMMA_E * -1e-3
    )
    assert turning + ALPHA * v / DELTA == pytest.approx(f_q, rel=1e-9)
    assert v / DELTA - ALPHA * turning == pytest.approx(-f_phi, rel=1e-9)


# ------------------------------------------------------------------------- the whole equation

RUN = """
device: cpu
precision: double
mesh: {cells: [256, 1, 1], cell_size: [1 nm, 4 nm, 1 nm]}
material: {Ms: 800 kA/m, alpha: 0.1}
energy:
  exchange: {A: 13 pJ/m}
  uniaxial_anisotropy: [{Ku1: 0.5 MJ/m^3, axis: "%(easy)s"}, {Ku1: -60 kJ/m^3, axis: "%(hard)s"}]
  zeeman: {B: [0, 0, 0]}
  %(dmi)s
torques:
  zhang_li: {u: [-20 m/s, 0, 0], beta: 0.15}
  %(term)s: {%(torque)s}
initial:
  domain_wall: {kind: %(kind)s, normal: x, from: %(left)s, to: %(right)s, position: 20 nm, angle: 0.3}
schedule: [{relax: {max_torque: 20 uT}}, {run: {for: 1.2 ns, with: {energy.zeeman.B: %(field)s}}}]
solver: {max_error: 1e-6}
output: {table: {every: 10 ps, columns: [wall_position, wall_width, wall_angle]}}
"""
CASES = {
    "damping-like": {"torque": "sigma: [0, 1, 0], B_DL: 4 mT"},
    "damping-like, down-up": {"torque": "sigma: [0, 1, 0], B_DL: 4 mT", "left": "-z", "right": "+z"},
    "tilted": {"torque": "sigma: [1, 2, 2], B_DL: 4 mT, B_FL: -5 mT", "field": [0, 0, 0]},
    "fields": {"torque": "sigma: [1, 0, 0], B_FL: 3 mT", "field": [2e-3, -6e-3, -1e-3]},
    "Bloch": {"torque": "sigma: [0, 0, 1], B_DL: 1 mT", "hard": "+x", "kind": "bloch"},
    "interfacial DMI": {
        "torque": "sigma: [0, -1, 0], B_DL: 6 mT", "dmi": "interfacial_dmi: {D: 0.2 mJ/m^2}",
    },
    "bulk DMI": {
        "torque": "sigma: [1, 0, 0], B_DL: 6 mT", "dmi": "bulk_dmi: {D: 0.2 mJ/m^2}",
        "left": "-z", "right": "+z",
    },
    "head to head": {
        "torque": "sigma: [0, 1, 1], B_DL: 5 mT", "easy": "+x", "hard": "+z", "kind": "transverse",
        "left": "+x", "right": "-x", "field": [1e-3, 0, 2e-3],
    },
    "tail to tail": {
        "torque": "sigma: [1, 1, 0], B_DL: 3 mT", "easy": "+x", "hard": "+y", "kind": "transverse",
        "left": "-x", "right": "+x", "field": [0, 4e-3, 0],
    },
    "spin valve": {
        "term": "slonczewski",
        "torque": "J: 4e9, P: 0.4, Lambda: 2, p: [1, 2, 2], epsilon_prime: -0.05",
    },
    "tunnel junction": {
        "term": "tunnel_junction",
        "torque": "voltage: 0.2, a1: 1e-5, a2: 1e-5, b2: 4e-5, p: [0, 1, 0], fixed_layer: bottom",
    },
    "s-d exchange": {
        "term": "s_d_exchange", "torque": "S: [40, -20, 0], J_sd: 1e-20", "field": [0, 0, -1e-3],
    },
}  # fmt: skip
QUICK = ("damping-like, down-up", "head to head", "Bloch")
"""They share their kernels with other tests; all the others are slow for their compiling."""
USUAL = {
    "term": "spin_torque",
    "easy": "+z", "hard": "+y", "kind": "neel", "left": "+z", "right": "-z", "dmi": "",
    "field": [0, 0, 1e-3],
}  # fmt: skip


@pytest.mark.parametrize(
    "case",
    [case if case in QUICK else pytest.param(case, marks=pytest.mark.slow) for case in CASES],
)
def test_the_model_follows_the_whole_equation(tmp_path, case):
    # Nothing but the run's own file goes into the model; its walls turn by up to some radians.
    path = tmp_path / "run.yaml"
    path.write_text(RUN % {**USUAL, **CASES[case]})
    config = load_config(path, [f"output.directory={tmp_path / 'out'}"])
    with StopRequest() as stop:
        result = run_job(config, reporter=SilentReporter(), stop=stop)
    run = RunFile(result.path)
    rows = run.table["stage"] == 1
    t, x = run.table["t"][rows], run.table["wall_position"][rows]
    phi = np.unwrap(run.table["wall_angle"][rows])
    model_x, model_phi = trajectory(wall_of(run, 1), drive_of(run, 1), np.append(0.0, t))
    moved, turned = np.ptp(x), np.ptp(phi)
    assert moved > 5 * NM
    away = x - run.table["wall_position"][~rows][-1] - model_x[1:]
    assert np.abs(away).max() < 0.05 * moved + 0.2 * NM
    off = phi - model_phi[1:]
    off -= 2 * np.pi * np.round(off[0] / (2 * np.pi))
    assert np.abs(off).max() < 0.05 * turned + 0.01
