"""The table's columns of walls and skyrmions against the one-dimensional model and exact charges."""

from __future__ import annotations

import numpy as np
import pytest
from reference import NM, NS, PS, check, note, rows

import micromag as mm

A, K, KP, MS, ALPHA = 1.3e-11, 5e5, 1e5, 8e5, 0.05
DELTA = np.sqrt(A / K)


def wall(cells: int, dx: float, columns: tuple[str, ...], **form: float) -> mm.Simulation:
    """Return the wall of the entries dw_* under a drift velocity u [m/s], at rest at x = position."""
    return mm.Simulation(
        device="cpu",
        precision="double",
        mesh=mm.Mesh(cells=(cells, 1, 1), cell_size=(dx, 4 * NM, 4 * NM)),
        material={"Ms": MS, "alpha": ALPHA},
        energy=[
            mm.Exchange(A=A),
            mm.UniaxialAnisotropy(Ku1=K, axis=(0, 0, 1)),
            mm.UniaxialAnisotropy(Ku1=-KP, axis=(0, 1, 0)),
        ],
        torques=[mm.ZhangLi(u=(form["u"], 0, 0), beta=form["beta"])],
        initial={
            "domain_wall": {
                "kind": "neel",
                "from": "+z",
                "to": "-z",
                "width": DELTA,
                "position": form.get("position", 0.0),
            }
        },
        output=rows(10 * PS, *columns),
    )


@pytest.mark.parametrize("u", [50.0, 200.0])
def test_instantaneous_velocity_of_a_rigid_wall(u):
    entry = check("dw_rigid")
    assert f"{u:.0f}" in entry.setup
    ratio, least = entry.numbers("1.0", "1e-3")
    dx = 1.5 * NM
    columns = ("wall_position", "wall_velocity", "wall_angle")
    sim = wall(240, dx, columns, u=u, beta=ALPHA, position=-u * 0.2 * NS)
    sim.run(0.4 * NS)
    table = sim.table
    v = table["wall_velocity"]
    entry.agrees(v / u, np.full(len(v), ratio), f"v/u at u = {u:.0f} m/s, every row")
    # As three codes agree, the central difference takes off h^2/(6 Delta^2).
    late = table["t"] > 0.1 * NS
    np.testing.assert_allclose(v[late] / u, 1 - dx**2 / (6 * DELTA**2), rtol=2e-3)
    assert np.abs(table["wall_angle"]).max() < least
    # The way is the integral of the velocity.
    travelled = np.cumsum((v[1:] + v[:-1]) / 2 * np.diff(table["t"]))
    moved = table["wall_position"][1:] - table["wall_position"][0]
    np.testing.assert_allclose(moved, travelled, atol=0.01 * dx)
    note("dw_rigid", f"v/u at u = {u:.0f} m/s, mean of the instants", ratio, float(v.mean()) / u)


def test_angle_of_a_wall_that_the_current_only_displaces():
    entry = check("dw_beta0_pin")
    velocity, displacement, angle = entry.numbers("0", "23.5", "-0.2316")
    columns = ("wall_position", "wall_velocity", "wall_angle", "wall_width")
    sim = wall(120, 1.5 * NM, columns, u=50.0, beta=0.0)
    sim.run(4 * NS)
    last = {name: float(values[-1]) for name, values in sim.table.items()}
    entry.agrees(last["wall_angle"], angle, "wall_angle [rad]", rtol=entry.rtol)
    entry.agrees(last["wall_position"] / NM, displacement, "wall_position [nm]", rtol=entry.rtol)
    entry.agrees(last["wall_velocity"], velocity, "wall_velocity [m/s]", atol=entry.atol)
    # Delta = sqrt(A/(K + Kp sin^2 phi)), but for the lattice.
    narrow = np.sqrt(A / (K + KP * np.sin(angle) ** 2))
    assert last["wall_width"] == pytest.approx(narrow, rel=0.02)


def skyrmion(cells: int, dx: float, polarity: int, **sections: object) -> mm.Simulation:
    """Return the skyrmion of the entry sky_v in a periodic film."""
    return mm.Simulation(
        device="cpu",
        mesh=mm.Mesh(cells=(cells, cells, 1), cell_size=(dx, dx, 1 * NM), periodic=(1, 1, 0)),
        material={"Ms": 580e3, "alpha": 0.1},
        energy=[
            mm.Exchange(A=15e-12),
            mm.UniaxialAnisotropy(Ku1=0.8e6, axis=(0, 0, 1)),
            mm.InterfacialDmi(D=3.5e-3),
        ],
        initial={
            "skyrmion": {
                "kind": "neel",
                "polarity": polarity,
                "radius": 6 * NM,
                "width": 3 * NM,
                "center": [3.3 * NM, -1.2 * NM, 0],
            }
        },
        **sections,
    )


@pytest.mark.parametrize(("polarity", "charge"), [(-1, "-1"), (1, "+1")])
def test_charge_and_place_of_a_relaxed_skyrmion(polarity, charge):
    entry = check("sky_Q")
    columns = ("topological_charge", "topological_charge_fd", "skyrmion_x", "skyrmion_y")
    sim = skyrmion(48, 1 * NM, polarity, output=rows(1 * PS, *columns, "skyrmion_radius"))
    sim.minimize()
    last = {name: float(values[-1]) for name, values in sim.table.items()}
    entry.agrees(last["topological_charge"], entry.number(charge), "topological_charge")
    note("sky_Q", "by differences, 1 nm cells", float(charge), last["topological_charge_fd"])
    # Nothing pulls it anywhere but the lattice, which draws its centre by less than a cell.
    np.testing.assert_allclose(
        [last["skyrmion_x"], last["skyrmion_y"]], [3.3 * NM, -1.2 * NM], atol=0.6 * NM
    )
    assert 4 * NM < last["skyrmion_radius"] < 7 * NM


@pytest.mark.slow
@pytest.mark.parametrize("Q", [1, -1])
def test_velocity_of_a_skyrmion_from_its_places(Q):
    entry = check("sky_v")
    along, across = entry.numbers("99.2177", "6.2051")
    cells, dx = 96, 0.5 * NM
    columns = ("skyrmion_x", "skyrmion_y", "skyrmion_radius")
    torques = [mm.ZhangLi(u=(100, 0, 0), beta=0.05)]
    sim = skyrmion(cells, dx, Q, torques=torques, output=rows(5 * PS, *columns))
    sim.minimize()
    sim.run(0.2 * NS)
    late = (sim.table["stage"] == 1) & (sim.table["t"] > 0.02 * NS)
    t = sim.table["t"][late]
    # Across the edge of the periodic film and on.
    x, y = (
        np.unwrap(sim.table[name][late], period=cells * dx) for name in ("skyrmion_x", "skyrmion_y")
    )
    v = np.polyfit(t, np.array([x, y]).T, 1)
    entry.agrees(v[0, 0], along, f"vx of skyrmion_x, Q = {Q} [m/s]")
    entry.agrees(v[0, 1], Q * across, f"vy of skyrmion_y, Q = {Q} [m/s]")
    # On a straight line, to a few hundredths of a cell.
    assert np.abs(np.array([x, y]).T - np.outer(t, v[0]) - v[1]).max() < 0.1 * dx
