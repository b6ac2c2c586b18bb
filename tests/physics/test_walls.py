"""A domain wall in one dimension, against the exact wall and Walker's equations of motion.

The wall lies across x between domains along +z and -z. Its hard axis is y, so at rest it is a Neel
wall, and phi is the angle from x of the moment in its middle. There is no demagnetizing field.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from reference import GAMMA_E, MT, NM, NS, PS, check, note, rows

import micromag as mm

A, K, MS, ALPHA = 1.3e-11, 5e5, 8e5, 0.05
DELTA = np.sqrt(A / K)

Path = dict[str, NDArray[np.float64]]


def wall(
    cells: int,
    dx: float,
    *,
    Kp: float = 1e5,
    u: float = 0.0,
    beta: float = 0.0,
    B: float = 0.0,
    position: float = 0.0,
    angle: float = 0.0,
    every: float = 10 * PS,
) -> mm.Simulation:
    """Return a wall in a row of cells under a drift velocity u [m/s] and a field B [T]."""
    return mm.Simulation(
        device="cpu",
        precision="double",
        mesh=mm.Mesh(cells=(cells, 1, 1), cell_size=(dx, 4 * NM, 4 * NM)),
        material={"Ms": MS, "alpha": ALPHA},
        energy=[
            mm.Exchange(A=A),
            mm.UniaxialAnisotropy(Ku1=K, axis=(0, 0, 1)),
            mm.UniaxialAnisotropy(Ku1=-Kp, axis=(0, 1, 0)),
            mm.Zeeman(B=(0, 0, B)),
        ],
        torques=[mm.ZhangLi(u=(u, 0, 0), beta=beta)],
        initial={
            "domain_wall": {
                "kind": "neel",
                "from": "+z",
                "to": "-z",
                "width": DELTA,
                "position": position,
                "angle": angle,
            }
        },
        output=rows(every, "m", "energy", "wall_position", "wall_width"),
    )


def follow(sim: mm.Simulation, duration: float) -> Path:
    """Run and return t [s], x [m] and phi [rad] of the wall.

    Only the wall has a moment across z, so the mean moment has its angle.
    """
    sim.run(duration)
    table = sim.table
    phi = np.unwrap(np.arctan2(table["m_y"], table["m_x"]))
    return {"t": table["t"], "x": table["wall_position"], "phi": phi}


def speed(path: Path, after: float, until: float = np.inf) -> float:
    """Return the mean velocity [m/s] in a span of time, from a straight line through x(t)."""
    span = (path["t"] >= after) & (path["t"] <= until)
    return float(np.polyfit(path["t"][span], path["x"][span], 1)[0])


def test_width_and_energy_of_a_wall():
    entry = check("bloch_width")
    width, energy, whole = entry.numbers("5.09902", "10.19804", "16.01904")
    dx = DELTA / 5
    sim = wall(200, dx)
    sim.relax()
    face = sim.config.mesh.cell_volume / dx
    domains = -K * sim.config.mesh.count * sim.config.mesh.cell_volume
    # The whole width pi Delta is that of the moment across: the integral of sech(x / Delta).
    found = float(sim.m[0].sum()) * dx
    entry.agrees(found / np.pi / NM, width, "Delta [nm]")
    entry.agrees(found / NM, whole, "pi Delta [nm]")
    entry.agrees((sim.energies()["total"] - domains) / face * 1e3, energy, "sigma [mJ/m^2]")


def test_the_fitted_width_converges_with_the_cell():
    # The lattice makes the middle of the wall steeper and its tails flatter, by (dx/Delta)^2 each,
    # so a fit of the middle is 0.6 % off at dx = Delta/5 and a quarter of that at half the cell.
    errors = []
    for parts in (5, 10):
        sim = wall(20 * parts, DELTA / parts)
        sim.relax()
        errors.append(sim.table["wall_width"][-1] / DELTA - 1)
    assert abs(errors[0]) < 0.01
    assert errors[0] / errors[1] == pytest.approx(4, abs=0.5)


@pytest.mark.parametrize("u", [50.0, 200.0])
def test_a_wall_drifts_with_the_current_where_beta_is_alpha(u):
    entry = check("dw_rigid")
    assert f"{u:.0f}" in entry.setup
    ratio, angle = entry.numbers("1.0", "1e-3")
    path = follow(wall(400, 1 * NM, u=u, beta=ALPHA, position=-u * 0.3 * NS), 0.6 * NS)
    entry.agrees(speed(path, 0.1 * NS) / u, ratio, f"v/u at u = {u:.0f} m/s")
    assert np.abs(path["phi"]).max() < angle
    note("dw_rigid", f"|phi| at u = {u:.0f} m/s", 0, np.abs(path["phi"]).max(), angle)


def test_without_beta_a_slow_current_only_displaces_a_wall():
    entry = check("dw_beta0_pin")
    velocity, displacement, angle = entry.numbers("0", "23.5", "-0.2316")
    path = follow(wall(200, 1.5 * NM, u=50.0), 4 * NS)
    entry.agrees(speed(path, 3.5 * NS), velocity, "v [m/s]", atol=entry.atol)
    entry.agrees(path["x"][-1] / NM, displacement, "displacement [nm]", rtol=entry.rtol)
    entry.agrees(path["phi"][-1], angle, "phi [rad]", rtol=entry.rtol)


def test_velocity_in_a_field():
    entry = check("dw_field")
    path = follow(wall(300, 1.5 * NM, B=2 * MT, position=-80 * NM), 4 * NS)
    entry.agrees(speed(path, 2.5 * NS), entry.number("35.82"), "v [m/s]")


def test_mobility_in_a_small_field():
    # The discrete wall is slower by about (dx/Delta)^2 / 5, hence the fine cells.
    path = follow(wall(256, 0.75 * NM, B=0.5 * MT), 4 * NS)
    check("dw_mobility").agrees(speed(path, 2.5 * NS) / 0.5, what="mobility [m/s per mT]")


@pytest.mark.slow
def test_without_beta_a_wall_moves_above_the_critical_current():
    entry = check("dw_uc")
    below, above = (
        follow(wall(640, 1 * NM, u=factor * entry.value, position=-150 * NM), 16 * NS)
        for factor in (1 - entry.rtol, 1 + entry.rtol)
    )
    # Below, phi comes to rest before -pi/4 and the wall with it; above, phi turns round and round.
    assert below["phi"].min() > -np.pi / 4
    assert abs(speed(below, 15 * NS)) < 0.3
    assert above["phi"].min() < -np.pi / 2
    note("dw_uc", "phi at 0.98 u_c, 16 ns [rad]", -np.arcsin(0.98) / 2, below["phi"][-1])
    note("dw_uc", "v at 0.98 u_c, 16 ns [m/s]", 0, speed(below, 15 * NS), 0.3)
    note("dw_uc", "phi at 1.02 u_c, 16 ns [rad]", -np.pi, above["phi"][-1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("u", "listed", "duration"), [(200.0, "168.5", 5 * NS), (400.0, "384.4", 2.2 * NS)]
)
def test_mean_velocity_above_the_critical_current(u, listed, duration):
    entry = check("dw_above")
    assert f"{u:.0f}" in entry.setup
    path = follow(wall(1200, 1 * NM, u=u, position=-500 * NM, every=2 * PS), duration)
    # Over whole half turns of phi: the times at which it passes -pi/2, -3 pi/2, ...
    turns = -(path["phi"] + np.pi / 2) / np.pi
    times = np.interp(np.arange(int(turns[-1]) + 1), turns, path["t"])
    assert len(times) >= 2
    places = np.interp(times, path["t"], path["x"])
    mean = (places[-1] - places[0]) / (times[-1] - times[0])
    entry.agrees(mean, entry.number(listed), f"<v> at u = {u:.0f} m/s")


@pytest.mark.slow
@pytest.mark.parametrize(("beta", "listed"), [(0.0, "22.447"), (0.1, "22.447"), (0.02, "37.411")])
def test_critical_current_at_any_beta(beta, listed):
    entry = check("dw_u_any")
    u_W = entry.number(listed)
    # At phi = 45 degrees the restoring torque is at its largest, so a wall started there turns on
    # above the threshold and turns back below it.
    side = np.sign(beta - ALPHA) * np.pi / 4
    rates = []
    factors = (1 - entry.rtol, 1 + entry.rtol)
    for factor in factors:
        path = follow(wall(600, 1.25 * NM, Kp=2e4, u=factor * u_W, beta=beta, angle=side), 8 * NS)
        rates.append(np.sign(side) * (path["phi"][-1] - np.interp(2 * NS, path["t"], path["phi"])))
    assert rates[0] < 0 < rates[1]
    threshold = np.interp(0, rates, np.array(factors) * u_W)
    entry.agrees(threshold, u_W, f"u_W at beta = {beta} [m/s]")


@pytest.mark.parametrize(
    ("prefactor", "listed", "beta"),
    [("thiaville", "72.35477", 0.0), ("zhang_li", "72.17434", 0.05)],
)
def test_drift_velocity_of_a_current_density(prefactor, listed, beta):
    entry = check("zl_u")
    u = entry.number(listed)
    cells, a = 64, 2 * NM
    phase = 2 * np.pi * np.arange(cells) / cells
    sim = mm.Simulation(
        device="cpu",
        precision="double",
        mesh=mm.Mesh(cells=(cells, 1, 1), cell_size=(a, a, a), periodic=(1, 0, 0)),
        material={"Ms": MS, "alpha": 0.0},
        torques=[mm.ZhangLi(J=(1e12, 0, 0), P=1, beta=beta, prefactor=prefactor)],
        initial={"uniform": {"direction": [1, 0, 0]}},
        solver={"max_error": 1e-10},
    )
    helix = np.array([np.cos(phase), np.sin(phase), 0 * phase]).reshape(3, 1, 1, cells)
    sim.m = helix
    # |T| = u |dm/dx| sqrt(1 + beta^2), with the central difference of the helix sin(k a) / a.
    slope = np.sin(phase[1]) / a
    found = GAMMA_E * sim.max_torque() / (slope * np.hypot(1, beta))
    entry.agrees(found, u, f"|u|, {prefactor} [m/s]")
    if beta == 0:
        # The helix drifts as it is, against the current: its phase in a place grows by k u t.
        sim.run(0.1 * NS)
        moved = np.angle((sim.m[0] + 1j * sim.m[1]).ravel() / np.exp(1j * phase))
        np.testing.assert_allclose(moved, slope * u * sim.t, rtol=1e-6)
