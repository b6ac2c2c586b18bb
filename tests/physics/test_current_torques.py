"""Slonczewski and spin-orbit torques: amplitudes, geometry, thresholds, what they derive, wrong input."""

from __future__ import annotations

import itertools
import sys
from typing import Any

import h5py
import numpy as np
import pytest
from magnets import config, measuring_engine
from reference import GAMMA_E, MT, NM, NS, check, energy, macrospin

import micromag as mm
from micromag.backend import get_backend
from micromag.constants import E_CHARGE, HBAR, M_E, MU_0
from micromag.derived import derived_notes
from micromag.errors import ConfigErrors
from micromag.facing import facing_cells
from micromag.job import run_job
from micromag.preview import preview
from micromag.progress import reporter_for
from micromag.sanity import warnings
from micromag.stopping import StopRequest
from micromag.structure import structure_key
from micromag.sweep_points import sweep_points
from micromag.yaml_source import to_yaml

MS = 1e6


def torque(terms: Any, m: Any, **sections: Any) -> np.ndarray:
    """Return X/gamma = T/gamma [T] of moments ``(..., 3)`` in a row of cells, without other fields."""
    states = np.atleast_2d(np.asarray(m, dtype=float))
    states = states / np.linalg.norm(states, axis=1)[:, None]
    mesh = {"cells": [len(states), 1, 1], "cell_size": [2 * NM, 2 * NM, 1 * NM]}
    given = config(
        **{"mesh": mesh, "material": {"Ms": MS, "alpha": 0.0}, "torques": terms, **sections}
    )
    engine = measuring_engine(given, get_backend("cpu"), states.T.reshape(3, 1, 1, -1))
    return engine.torque_field().reshape(3, -1).T


# ------------------------------------------------------------------------------ Slonczewski


def slonczewski(**values: Any) -> dict[str, Any]:
    return {"slonczewski": {"J": 1e11, "P": 0.5, "p": "+z"} | values}


def test_efficiency_depends_on_the_angle():
    entry = check("slon_eps")
    near = 1e-5
    angles = np.array([near, np.pi / 2, np.pi - near])
    m = np.stack([np.sin(angles), 0 * angles, np.cos(angles)], axis=1)
    X = torque(slonczewski(P=0.4, Lambda=2.0), m)
    full = HBAR * 1e11 / (E_CHARGE * MS * 1e-9)
    # -m x (m x p) is p - (m.p) m, of length sin(angle).
    found = np.linalg.norm(X, axis=1) / (full * np.sin(angles))
    entry.agrees(found, entry.numbers("0.2", "0.32", "0.8"), "epsilon")
    assert (X[:, 2] > 0).all(), "towards p"


def test_amplitude_of_the_slonczewski_torque():
    entry = check("slon_aJ")
    X = torque(slonczewski(thickness=2e-9), [1, 0, 0])
    entry.agrees(1e3 * X[0, 2], what="a_J [mT]")
    both = torque(slonczewski(thickness=2e-9, epsilon_prime=0.25), [1, 0, 0])
    # b_J = a_J here, and -m x p is +y for m = +x, p = +z.
    assert both[0] == pytest.approx([0, X[0, 2], X[0, 2]], rel=1e-12, abs=1e-15)


def test_junction_at_given_current_is_a_case_of_the_asymmetry():
    """At fixed voltage the torque goes with sin(theta); J = V G(theta) divides it by 1 + P^2 cos."""
    P = 0.6
    angles = np.linspace(0.1, 3.0, 7)
    m = np.stack([np.sin(angles), 0 * angles, np.cos(angles)], axis=1)
    X = torque(slonczewski(P=P / (1 + P**2), Lambda=np.sqrt((1 + P**2) / (1 - P**2))), m)
    full = HBAR * 1e11 / (E_CHARGE * MS * 1e-9)
    eps = np.linalg.norm(X, axis=1) / (full * np.sin(angles))
    assert eps == pytest.approx(P / 2 / (1 + P**2 * np.cos(angles)), rel=1e-12)


def test_perpendicular_switching_begins_at_the_critical_current():
    entry = check("stt_perp")
    B_K, alpha, P = 0.3, 0.01, 0.6
    listed, listed_J = entry.numbers("3.000", "1.51927e10")
    sim = macrospin(
        (1e-3, 0, 1),
        mesh=mm.Mesh(cells=(1, 1, 1), cell_size=(10 * NM, 10 * NM, 1 * NM)),
        material={"Ms": MS, "alpha": alpha},
        energy=energy(Ku1=B_K * MS / 2),
        torques=[mm.Slonczewski(J=0, P=P, p="-z")],
    )
    sim.run(0.1 * NS)
    rates = []
    currents = np.array([0.95, 1.05]) * listed_J
    for J in currents:
        sim.set({"torques.slonczewski.J": J})
        before = np.hypot(*np.ravel(sim.m)[:2])
        sim.run(2 * NS)
        rates.append(np.log(np.hypot(*np.ravel(sim.m)[:2]) / before))
    assert rates[0] < 0 < rates[1]
    critical = np.interp(0, rates, currents)
    entry.agrees(critical, listed_J, "J_c0 [A/m^2]")
    entry.agrees(1e3 * HBAR * P * critical / (2 * E_CHARGE * MS * 1e-9), listed, "a_J [mT]")


# ------------------------------------------------------------------------------- spin-orbit


def spin_orbit(**values: Any) -> dict[str, Any]:
    return {"spin_orbit": {"J": [1e11, 0, 0], "normal": "+z", **values}}


METAL = {"thickness": "4 nm", "conductivity": 5e6, "spin_diffusion_length": "1.5 nm"}
INTERFACE = {"Gr": 5e14, "Gi": 0.5e14}


def test_amplitude_of_the_damping_like_torque():
    entry = check("sot_aDL")
    for efficiency in ({"theta_sh": 0.1}, {"theta_DL": "10 %"}):
        X = torque(spin_orbit(**efficiency), [0, 0, 1])
        entry.agrees(1e3 * np.linalg.norm(X), what=f"B_DL [mT] of {next(iter(efficiency))}")


def test_a_perpendicular_moment_tilts():
    entry = check("sot_tilt_DL")
    expected = entry.numbers("-0.0400321", "0", "0.9991984")
    B_K, a_J = 0.5, 20 * MT
    J = a_J / 3.2910598e-14  # theta = 0.1, t = 1 nm: 3.29106 mT per 1e11 A/m^2
    sim = macrospin(
        (0, 0, 1),
        mesh=mm.Mesh(cells=(1, 1, 1), cell_size=(10 * NM, 10 * NM, 1 * NM)),
        material={"Ms": MS, "alpha": 0.3},
        energy=energy(Ku1=B_K * MS / 2),
        # sigma = j x n = +y for a current along -x below the magnet.
        torques=[mm.SpinOrbit(J=(-J, 0, 0), normal="+z", theta_DL=0.1)],
    )
    sim.run(3 * NS)
    entry.agrees(np.ravel(sim.m), expected, "m")


@pytest.mark.parametrize("flips", list(itertools.product([1, -1], repeat=3)), ids=str)
def test_geometry_of_current_normal_and_angle(flips):
    entry = check("geom")
    assert "moment polarisation" in entry.quantity and entry.expected.startswith("-y / +y")
    J, n, theta = flips
    sign = J * n * theta
    given = {"J": [J * 1e11, 0, 0], "normal": "+z" if n > 0 else "-z"}
    up, along = torque(spin_orbit(**given, theta_sh=0.1 * theta), [[0, 0, 1], [0, 1, 0]])
    # T = a (sigma - (m.sigma) m): towards -y, if none or two of the three are turned round.
    assert up == pytest.approx([0, -sign * np.linalg.norm(up), 0], abs=1e-12)
    assert np.abs(along).max() < 1e-12, "no torque on a moment along sigma"
    sim = macrospin(
        (0, 0, 1),
        mesh=mm.Mesh(cells=(1, 1, 1), cell_size=(10 * NM, 10 * NM, 1 * NM)),
        material={"Ms": MS, "alpha": 0.3},
        energy=energy(Ku1=0.25 * MS),
        torques=[mm.SpinOrbit(**given, theta_sh=0.1 * theta)],
    )
    sim.run(2 * NS)
    x, y, _ = np.ravel(sim.m)
    assert sign * x > 1e-3 and abs(y) < 1e-5


def test_efficiencies_of_a_bilayer_follow_from_its_interface():
    entry = check("eta_bilayer")
    listed = [[float(x) for x in part.split(",")] for part in str(entry.expected).split(";")]
    for number, d in enumerate((1, 2, 4, 8)):
        metal = METAL | {"thickness": d * 1e-9}
        X = torque(spin_orbit(theta_sh=0.1, interface=INTERFACE, heavy_metal=metal), [0, 0, 1])[0]
        full = HBAR * 0.1 * 1e11 / (2 * E_CHARGE * MS * 1e-9)
        # sigma = -y: damping-like towards -y, field-like -m x sigma = -z x (-y) = -x.
        found = -X[1] / full, -X[0] / full
        for part in range(2):
            # The table gives six decimals.
            assert found[part] == pytest.approx(listed[part][number], rel=entry.rtol, abs=5e-7)


def test_fields_of_rashba_coupling_and_of_the_current():
    field = {"oersted": True, "heavy_metal": {"thickness": "5 nm"}}
    # -m x sigma with m = +z and sigma = -y is -x times the amplitude along sigma.
    found = torque(spin_orbit(**field), [0, 0, 1])[0]
    B_y = -MU_0 * 1e11 * 5e-9 / 2
    assert found == pytest.approx([B_y, 0, 0], rel=1e-12, abs=1e-15)
    same = torque(spin_orbit(field_per_current=MU_0 * 5e-9 / 2), [0, 0, 1])[0]
    assert same == pytest.approx(found)
    rashba = torque(spin_orbit(rashba="1e-30 J m"), [0, 0, 1])[0]
    # The energy m_e alpha_R P m.(J x n)/(hbar e) is least for m against J x n = -y: B along +y.
    B = M_E * 1e-30 * 1e11 / (HBAR * E_CHARGE * MS)
    assert rashba == pytest.approx(-np.cross([0, 0, 1], [0, B, 0]), rel=1e-9, abs=1e-15)


def test_several_heavy_metals_add_up():
    """Opposite angles below and above act together, equal ones cancel."""
    below = {"J": [1e11, 0, 0], "normal": "+z", "theta_sh": 0.1}
    above = {"J": [1e11, 0, 0], "normal": "-z", "theta_sh": -0.1}
    one = torque({"spin_orbit": below}, [0, 0, 1])
    assert torque({"spin_orbit": [below, above]}, [0, 0, 1]) == pytest.approx(2 * one)
    both = [below, above | {"theta_sh": 0.1}]
    assert np.abs(torque({"spin_orbit": both}, [0, 0, 1])).max() < 1e-18


def test_a_current_along_the_normal_adds_nothing():
    plain = torque(spin_orbit(theta_DL=0.1), [0.3, 0.2, 0.9])
    tilted = torque(spin_orbit(theta_DL=0.1, J=[1e11, 0, 3e11]), [0.3, 0.2, 0.9])
    assert tilted == pytest.approx(plain, rel=1e-12)


# ---------------------------------------------------------------- layers, regions, thickness

LAYERS = {
    "mesh": {"cells": [1, 1, 4], "cell_size": [2 * NM, 2 * NM, 1 * NM]},
    "regions": {
        "free": {"box": {"center": [0, 0, -1 * NM], "size": [1, 1, 2 * NM]}},
        "fixed": {"box": {"center": [0, 0, 1.5 * NM], "size": [1, 1, 1 * NM]}},
    },
    "material": {"Ms": {"default": 0, "free": MS, "fixed": 1.2e6}, "alpha": 0.0},
}


@pytest.mark.parametrize("key", ["slonczewski", "spin_orbit"])
def test_a_region_limits_the_torque_and_gives_the_thickness(key):
    terms = {
        "slonczewski": slonczewski(region="free"),
        "spin_orbit": spin_orbit(region="free", theta_DL=0.5),
    }[key]
    m = np.array([1.0, 0, 1])[:, None, None, None] * np.ones((3, 4, 1, 1)) / np.sqrt(2)
    m[:, 2] = 0
    engine = measuring_engine(config(**LAYERS, torques=terms), get_backend("cpu"), m)
    found = np.linalg.norm(engine.torque_field(), axis=0).ravel()
    amplitude = HBAR * 0.5 * 1e11 / (2 * E_CHARGE * MS * 2e-9)
    # |m x (m x v)| for a v at 45 degrees to m, or across it.
    each = amplitude * (np.sqrt(0.5) if key == "slonczewski" else 1)
    assert found == pytest.approx([each, each, 0, 0], rel=1e-12)


@pytest.mark.parametrize("form", ["array", "wave"])
def test_a_region_limits_currents_of_every_form(form):
    J: Any = np.full((4, 1, 1), 1e11)
    if form == "wave":
        J = {"value": 2e11, "waveform": {"expression": "0.5 + 0 * t"}}
    m = np.array([1.0, 0, 0])[:, None, None, None] * np.ones((3, 4, 1, 1))
    m[:, 2] = 0
    terms = slonczewski(region="free", J=J)
    X = measuring_engine(config(**LAYERS, torques=terms), get_backend("cpu"), m).torque_field()
    amplitude = HBAR * 0.5 * 1e11 / (2 * E_CHARGE * MS * 2e-9)
    assert X[2].ravel() == pytest.approx([amplitude, amplitude, 0, 0], rel=1e-12)


# ------------------------------------------------------------- polariser in the same mesh


def stack(terms: Any, m: Any, axis: int = 2, cells: int = 6) -> np.ndarray:
    """Return T/gamma [T] per cell of free (2 cells), spacer (2), fixed (2), stacked along an axis."""
    size = [2 * NM] * 3
    size[axis] = 1 * NM
    count = [1, 1, 1]
    count[axis] = cells

    def slab(centre: float) -> dict[str, Any]:
        middle, extent = [0.0] * 3, [1.0] * 3
        middle[axis], extent[axis] = centre * NM, 2 * NM
        return {"box": {"center": middle, "size": extent}}

    made = config(
        mesh={"cells": count, "cell_size": size},
        regions={"free": slab(-2), "fixed": slab(2)},
        material={"Ms": {"default": 0, "free": MS, "fixed": 1.2e6}, "alpha": 0.0},
        torques=terms,
    )
    states = np.asarray(m, dtype=float)
    engine = measuring_engine(made, get_backend("cpu"), states.T.reshape(3, *count[::-1]))
    return engine.torque_field().reshape(3, -1).T


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_layer_of_the_mesh_polarises(axis):
    Z, X, Y, none = [0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 0]
    m = [Z, Z, none, none, X, Y]  # of the fixed layer the cell that faces the free one counts
    common = {"P": 0.5, "normal": [float(i == axis) for i in range(3)], "epsilon_prime": 0.1}
    free = slonczewski(p=X, region="free", **common)
    expected = stack(free, m, axis)
    assert np.linalg.norm(expected[:2]) > 1e-3 and not expected[2:].any()
    del free["slonczewski"]["p"]
    found = stack({"slonczewski": free["slonczewski"] | {"polariser": "fixed"}}, m, axis)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    # The other way round: the free layer lies below the fixed one and polarises it.
    back = {"J": 1e11, "region": "fixed", "fixed_layer": "bottom", **common}
    given = stack({"slonczewski": back | {"p": Z}}, m, axis)
    looked_up = stack({"slonczewski": back | {"polariser": "free"}}, m, axis)
    np.testing.assert_allclose(looked_up, given, rtol=1e-14)
    # Both at once, with a torque of either kind in one kernel.
    both = [free["slonczewski"] | {"polariser": "fixed"}, back | {"p": Z}]
    np.testing.assert_allclose(stack({"slonczewski": both}, m, axis), expected + given, rtol=1e-12)


def test_without_a_facing_cell_there_is_no_torque():
    layer = np.zeros((3, 1, 4), bool)
    layer[2, 0, :2] = True
    layer[1, 0, 1] = True
    expected = [[8, 5, -1, -1], [8, -1, -1, -1], [-1, -1, -1, -1]]
    assert facing_cells(layer, 2, above=True)[:, 0].tolist() == expected
    below = facing_cells(layer[::-1].copy(), 2, above=False)[::-1, 0]
    assert below.tolist() == [[0, 5, -1, -1], [0, -1, -1, -1], [-1, -1, -1, -1]]


def test_a_polariser_that_moves_is_followed():
    """Two layers push each other: the pair turns, as the pinwheel of a symmetric spin valve."""
    torques = [
        mm.Slonczewski(J=1e11, P=0.5, polariser="fixed", region="free"),
        mm.Slonczewski(J=1e11, P=0.5, polariser="free", region="fixed", fixed_layer="bottom"),
    ]
    sim = mm.Simulation(
        device="cpu",
        precision="double",
        mesh=mm.Mesh(cells=(1, 1, 3), cell_size=(2 * NM, 2 * NM, 1 * NM)),
        regions={
            "free": {"box": {"center": [0, 0, -1 * NM], "size": [1, 1, 1 * NM]}},
            "fixed": {"box": {"center": [0, 0, 1 * NM], "size": [1, 1, 1 * NM]}},
        },
        material={"Ms": {"default": 0, "free": MS, "fixed": MS}, "alpha": 0.0},
        torques=torques,
        initial={
            "default": {"uniform": {"direction": [1, 0, 0]}},
            "fixed": {"uniform": {"direction": [0, 1, 0]}},
        },
        solver={"max_error": 1e-10},
    )
    sim.run(0.1 * NS)
    # Free towards fixed, fixed away from free: both turn at the same rate, gamma a_J sin(angle).
    turned = GAMMA_E * HBAR * 0.5 * 1e11 / (2 * E_CHARGE * MS * 1e-9) * 0.1 * NS
    free, fixed = sim.m[:, 0, 0, 0], sim.m[:, 2, 0, 0]
    assert free == pytest.approx([np.cos(turned), np.sin(turned), 0], abs=1e-8)
    assert fixed == pytest.approx([-np.sin(turned), np.cos(turned), 0], abs=1e-8)


# -------------------------------------------------------------------- junction under a voltage


def junction(**values: Any) -> dict[str, Any]:
    return {"tunnel_junction": {"voltage": 0.2, "a1": 1e-4, "p": "+z"} | values}


def test_torques_of_a_voltage():
    angles = np.linspace(0.1, 3.0, 5)
    m = np.stack([np.sin(angles), 0 * angles, np.cos(angles)], axis=1)
    a1, a2, b0, b1, b2 = 1e-4, 2e-5, 3e-5, -4e-5, 5e-4
    for V, side in itertools.product((0.2, -0.3), ("top", "bottom")):
        coefficients = {"a1": a1, "a2": a2, "b0": b0, "b1": b1, "b2": b2}
        X = torque(junction(voltage=V, fixed_layer=side, **coefficients), m)
        U = V if side == "top" else -V
        per_area = 1 / (MS * 1e-9)
        # At m = (sin, 0, cos) and p = z: -m x (m x p) = sin (-cos, 0, sin), -m x p = (0, sin, 0).
        towards = X[:, 2] / np.sin(angles) ** 2
        across = X[:, 1] / np.sin(angles)
        assert towards == pytest.approx(per_area * (a1 * U + a2 * U**2), rel=1e-12)
        assert across == pytest.approx(per_area * (b0 + b1 * U + b2 * U**2), rel=1e-12)


def test_a_voltage_and_its_current_give_one_torque():
    """G = G0 (1 + P^2 cos): at J = V G the torque is that of Slonczewski's asymmetry."""
    P, RA, V = 0.6, 5e-12, 0.2
    TMR = 2 * P**2 / (1 - P**2)
    angle = 1.1
    m = [np.sin(angle), 0, np.cos(angle)]
    J = V / RA * (1 + P**2 * np.cos(angle)) / (1 + P**2)
    term = mm.TunnelJunction(voltage=V, a1=0, p="+z", RA=RA, TMR=TMR)
    assert term.conductance(np.cos(angle)) * V == pytest.approx(J, rel=1e-12)
    asymmetry = np.sqrt((1 + P**2) / (1 - P**2))
    by_current = torque(slonczewski(J=J, P=P / (1 + P**2), Lambda=asymmetry), m)
    # eps J = (P/2) V G0/area: the torkance is hbar P/(2 e) G0/area, G0 (1 + P^2) = 1/RA.
    a1 = HBAR * P / (2 * E_CHARGE) / (RA * (1 + P**2))
    assert torque(junction(voltage=V, a1=a1), m) == pytest.approx(by_current, rel=1e-12)


def test_a_junction_acts_in_its_region_alone():
    m = np.array([1.0, 0, 0])[:, None, None, None] * np.ones((3, 4, 1, 1))
    m[:, 2] = 0
    terms = junction(voltage=0, b0=1e-5, region="free")
    X = measuring_engine(config(**LAYERS, torques=terms), get_backend("cpu"), m).torque_field()
    each = 1e-5 / (MS * 2e-9)
    assert X[1].ravel() == pytest.approx([each, each, 0, 0], rel=1e-12)


def test_current_through_a_junction_is_a_column():
    """At TMR = 100 % antiparallel layers let half the current through, at right angles 3/4."""
    common: dict[str, Any] = {
        "device": "cpu",
        "precision": "double",
        "mesh": mm.Mesh(cells=(1, 1, 4), cell_size=(2 * NM, 2 * NM, 1 * NM)),
        "regions": LAYERS["regions"],
        "material": LAYERS["material"],
        "output": {"table": {"every": 1e-12, "columns": ["junction_current"]}},
    }
    wave = {"value": 0.2, "waveform": {"sine": {"frequency": 1e9}}}
    given = {"a1": 0, "RA": "5 Ohm um^2", "TMR": 1.0, "region": "free", "voltage": wave}
    for m, share in (([0, 0, 1], 1.0), ([0, 0, -1], 0.5), ([1, 0, 0], 0.75)):
        initial = {
            "default": {"uniform": {"direction": m}},
            "fixed": {"uniform": {"direction": [0, 0, 1]}},
        }
        for polariser in ({"p": "+z"}, {"polariser": "fixed"}):
            torques = [mm.TunnelJunction(**given, **polariser)]
            sim = mm.Simulation(**common, initial=initial, torques=torques)
            sim.run(0.25 * NS)
            t, J = sim.table["t"], sim.table["junction_current"]
            expected = share * 0.2 / 5e-12 * np.sin(2 * np.pi * 1e9 * t)
            np.testing.assert_allclose(J, expected, rtol=1e-12, atol=1e-3)
    with pytest.raises(ConfigErrors, match="no torque of the run tells the current of a voltage"):
        mm.Simulation(**common, initial=initial, torques=slonczewski(region="free"))


# ------------------------------------------------------------------- spin pumping and reports


def test_spin_pumping_adds_to_alpha():
    entry = check("sp_alpha")
    Gr = entry.number("7.74809e14")
    listed = entry.number("0.01477716")
    thick = {"thickness": "1 um", "conductivity": 1e15, "spin_diffusion_length": "1 nm"}
    terms = spin_orbit(interface={"Gr": Gr}, heavy_metal=thick, spin_pumping=True)
    alpha, B = 0.02, 0.1
    sim = mm.Simulation(
        device="cpu",
        precision="double",
        mesh=mm.Mesh(cells=(1, 1, 1), cell_size=(2 * NM, 2 * NM, 2 * NM)),
        material={"Ms": MS, "alpha": alpha},
        energy={"zeeman": {"B": [0, 0, B]}},
        torques=terms,
        initial={"uniform": {"direction": [1, 0, 0]}},
        solver={"max_error": 1e-10},
    )
    sim.run(0.5 * NS)
    # m_z = tanh(alpha gamma B t/(1 + alpha^2)) of the total damping.
    rate = np.arctanh(np.ravel(sim.m)[2]) / (GAMMA_E * B * 0.5 * NS)
    total = (1 - np.sqrt(1 - 4 * rate**2)) / (2 * rate)
    entry.agrees(total - alpha, listed, "alpha_sp")


def test_spin_pumping_acts_by_region():
    terms = spin_orbit(
        region="free", interface=INTERFACE, heavy_metal=METAL, spin_pumping=True, theta_sh=0.1
    )
    made = config(**LAYERS | {"material": LAYERS["material"] | {"alpha": 0.02}}, torques=terms)
    text = "\n".join(derived_notes(made))
    # Closed form: Gr with backflow, h/e^2 = 25812.807 Ohm.
    G = (5e14 + 0.5e14j) / (1 + 2 * 1.5e-9 * (5e14 + 0.5e14j) / 5e6 / np.tanh(4 / 1.5))
    added = GAMMA_E * HBAR * G.real * 25812.80745 / (4 * np.pi * MS * 2e-9)
    assert f"alpha = {0.02 + added:.6g} in the region 'free'" in text
    assert "'fixed'" not in text


def test_derived_values_are_in_log_preview_and_file(tmp_path, capsys):
    terms = spin_orbit(
        theta_sh=0.1, interface=INTERFACE, heavy_metal=METAL, spin_pumping=True, oersted=True
    )
    made = config(
        mesh={"cells": [1, 1, 1], "cell_size": [2 * NM, 2 * NM, 1 * NM]},
        material={"Ms": MS, "alpha": 0.02},
        torques=terms,
        schedule=[{"run": {"for": 1e-13}}],
        output={"directory": str(tmp_path / "out")},
    )
    lines = derived_notes(made)
    assert "theta_DL = 0.0200692, theta_FL = 0.00153676" in lines[0]
    assert lines[1].startswith("spin_orbit: 0.66049 mT damping-like, 0.0505")
    assert "0.251327 mT by the current's field per 1e11 A/m^2, t = 1 nm" in lines[1]
    assert lines[2].startswith("alpha = 0.0346641: 0.02 as given and 0.0146641 by spin pumping")
    assert all(line in preview(made) for line in lines)
    with StopRequest() as stop, reporter_for(sys.stdout, quiet=False) as reporter:
        done = run_job(made, reporter=reporter, stop=stop)
    printed = capsys.readouterr().out
    assert done.path is not None and all(line in printed for line in lines)
    with h5py.File(done.path) as file:
        assert all(line in file["provenance"].attrs["derived"] for line in lines)


def test_spin_hall_angles_and_metals_of_a_sweep_share_their_kernels(tmp_path):
    given = {
        "mesh": {"cells": [1, 1, 1], "cell_size": [2 * NM, 2 * NM, 1 * NM]},
        "material": {"Ms": MS, "alpha": 0.0},
        "torques": spin_orbit(
            theta_sh=0.1, interface=INTERFACE, heavy_metal=METAL, spin_pumping=True
        ),
        "initial": {"uniform": {"direction": [0, 0, 1]}},
        "schedule": [{"run": {"for": 1e-13}}],
        "solver": {"method": "rk4", "dt": 1e-13},
        "output": {"directory": str(tmp_path / "out"), "table": {"columns": ["m"]}},
        "sweep": {
            "torques.spin_orbit.theta_sh": [0.1, 0.3],
            "torques.spin_orbit.heavy_metal.thickness": [2e-9, 4e-9],
        },
    }
    path = tmp_path / "run.yaml"
    path.write_text(to_yaml({"device": "cpu", "precision": "double", **given}))
    made = mm.load_config(path)
    points = sweep_points(made)
    assert len({structure_key(point.config) for point in points}) == 1
    found = mm.run(made)
    assert isinstance(found, mm.SweepFile)
    turned = found.table("m_y")[..., -1]
    full = GAMMA_E * HBAR * 1e11 / (2 * E_CHARGE * MS * 1e-9) * 1e-13
    etas = np.array([0.130255, 0.200692])  # of the table of checks, at 2 and 4 nm
    np.testing.assert_allclose(turned, -full * np.outer([0.1, 0.3], etas), rtol=1e-3)


def test_theta_from_a_model_or_a_published_value():
    made = spin_orbit(theta_sh={"model": "intrinsic", "sigma_int": 3.2e5, "rho": 2e-7})
    X = torque(made, [0, 0, 1])
    assert np.linalg.norm(X) == pytest.approx(0.64 * 3.29106e-3, rel=1e-5)
    published = spin_orbit(theta_sh={"model": "published", "entry": "W_pai_2012"})
    assert torque(published, [0, 0, 1])[0, 1] == pytest.approx(3 * 3.29106e-3, rel=1e-5)


@pytest.mark.parametrize(
    ("terms", "idle"),
    [
        (spin_orbit(J=[0, 0, 0], theta_DL=0.1), True),
        (
            spin_orbit(J=[0, 0, 0], interface=INTERFACE, heavy_metal=METAL, spin_pumping=True),
            False,
        ),
        (junction(voltage=0), True),
        (junction(voltage=0, b0=1e-5), False),
    ],
)
def test_torques_that_act_without_a_drive_are_no_mistake(terms, idle):
    made = config(torques=terms, schedule=[{"run": {"for": 1e-12}}])
    assert any("does nothing" in text for text in warnings(made)) == idle


# --------------------------------------------------------------------------------- wrong input

AMBIGUOUS = {"cells": [2, 1, 2], "cell_size": [2 * NM, 2 * NM, 1 * NM]}


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        (slonczewski(p=0.5), r"slonczewski\.p: a vector \[x, y, z\] is needed"),
        (slonczewski(p=[0, 0, 0]), "zero vector has no direction"),
        (slonczewski(P=1.5), r"slonczewski\.P: 1\.5 is out of range"),
        (slonczewski(J=[1e11, 0, 0]), r"slonczewski\.J: a list is not"),
        (slonczewski(region="top"), r"slonczewski\.region: no region is called 'top'"),
        (slonczewski(normal=[1, 0, 1]), r"slonczewski\.normal: the thickness cannot be measured"),
        (slonczewski(thickness=0), "out of range"),
        ({"slonczewski": {"J": 1e11, "P": 0.5}}, "the polariser is missing"),
        (slonczewski(polariser="fixed"), "the polariser is given twice"),
        ({"slonczewski": {"J": 1e11, "P": 0.5, "polariser": "fixd"}}, "no region is called 'fixd'"),
        ({"slonczewski": {"J": 1e11, "P": 0.5, "polariser": "default"}}, "needs the region of the"),
        (junction(RA=1e-12), "the current needs RA and TMR: TMR is missing"),
        (junction(voltage="1 A"), r"tunnel_junction\.voltage: '1 A' is a current"),
        (spin_orbit(), "the efficiency is missing"),
        (spin_orbit(theta_sh=0.1, theta_DL=0.1), "the efficiency is given twice"),
        (spin_orbit(theta_sh=0.1, interface=INTERFACE), "the interface needs the heavy_metal"),
        (
            spin_orbit(theta_sh=0.1, interface=INTERFACE, heavy_metal={"thickness": 4e-9}),
            "the interface needs the heavy_metal",
        ),
        (
            spin_orbit(
                theta_sh=0.1,
                interface=INTERFACE,
                heavy_metal={"conductivity": 5e6, "spin_diffusion_length": 1e-9},
            ),
            r"heavy_metal\.thickness: the key 'thickness' is missing",
        ),
        (spin_orbit(theta_DL=0.1, interface=INTERFACE, heavy_metal=METAL), "would follow from"),
        (spin_orbit(rashba=1e-30, interface=INTERFACE, heavy_metal=METAL), "has no use without a"),
        (spin_orbit(theta_sh=0.1, heavy_metal=METAL), "heavy_metal has no use"),
        (spin_orbit(theta_DL=0.1, spin_pumping=True), "spin_pumping needs the conductance"),
        (spin_orbit(theta_DL=0.1, oersted=True), "needs the thickness of the metal"),
        (spin_orbit(theta_DL=0.1, J=[0, 0, 1e11]), "J is along the normal"),
        (spin_orbit(theta_DL=0.1, normal="up"), "'up' is not a direction"),
        (spin_orbit(theta_sh={"model": "intrinsc"}), "did you mean 'intrinsic'"),
        (spin_orbit(theta_sh={"temperature": 300}), "the key 'model' is missing"),
        (
            spin_orbit(field_per_current=1e-14, oersted=True, heavy_metal={"thickness": 4e-9}),
            "given twice: oersted and field_per_current",
        ),
    ],
)
def test_contradictory_input_is_refused(terms, says):
    with pytest.raises(ConfigErrors, match=says):
        mm.RunConfig(**dict(config()) | {"torques": terms})


@pytest.mark.parametrize(
    "terms", [slonczewski(), spin_orbit(theta_DL=0.1)], ids=["slonczewski", "spin_orbit"]
)
def test_an_ambiguous_thickness_is_refused(terms):
    stepped = {
        "mesh": mm.Mesh(**AMBIGUOUS),
        "regions": {"hole": {"box": {"center": [1 * NM, 0, 0.5 * NM], "size": [2 * NM, 1, NM]}}},
        "material": {"Ms": {"default": MS, "hole": 0}, "alpha": 0.1},
    }
    base = {k: v for k, v in dict(config()).items() if k not in (*stepped, "torques")}
    with pytest.raises(ConfigErrors, match="no single thickness along z"):
        mm.RunConfig(**base, **stepped, torques=terms)
    key = next(iter(terms))
    given = mm.RunConfig(**base, **stepped, torques={key: terms[key] | {"thickness": "2 nm"}})
    assert given.torques[0][1].thickness.value == 2e-9
