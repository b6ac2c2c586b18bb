"""Power: the balance of energy against finite differences of it, and which part of a torque is which."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from magnets import GAMMA, measuring_engine, random_m
from reference import PS, check

import micromag as mm
from micromag.backend import Backend, Source, nvrtc
from micromag.errors import DeviceError
from micromag.model import Model
from micromag.observables.base import Sample
from micromag.observables.power import Power, definitions

MS = 8e5
STEP = 0.005 * PS
"""Of the runs whose energy is differentiated."""
PRECESSION = {
    "exchange": {"A": 1.3e-11},
    "uniaxial_anisotropy": {"Ku1": 2e5, "axis": [0, 0.6, 0.8]},
}
ZEEMAN = {"zeeman": {"B": [0.05, 0, 0.1]}}
PULSED = {
    "value": [0.02, -0.05, 0.03],
    "waveform": {"pulse": {"start": 0.0, "rise": 5 * PS, "duration": 1e-9}},
}
SILENT: dict[str, dict[str, Any]] = {
    "spin_torque": {"B_DL": 0.0, "B_FL": 0.0},
    "zhang_li": {"J": [0, 0, 0]},
    "spin_orbit": {"J": [0, 0, 0]},
    "slonczewski": {"J": 0.0},
    "s_d_exchange": {"J_sd": 0.0},
    "tunnel_junction": {"voltage": 0.0},
}
"""What leaves the kernels as they are, and takes a torque out."""
TORQUES: dict[str, Any] = {
    "spin_torque": {"sigma": [0, 1, 0], "B_DL": 0.02, "B_FL": 0.03},
    "zhang_li": {"J": [2e12, 1e12, 0], "P": 0.6, "beta": 0.2},
    "spin_orbit": {"J": [2e12, 0, 0], "theta_DL": 0.2, "theta_FL": 0.1, "normal": "+z"},
    "slonczewski": {
        "J": 3e11, "P": 0.5, "Lambda": 1.5, "epsilon_prime": 0.1, "p": [0.6, 0, 0.8],
        "thickness": 2e-9,
    },
    "s_d_exchange": {"S": [300, 200, 0], "J_sd": 1.6e-20},
    "tunnel_junction": {
        "voltage": 0.4, "a1": 1e-4, "b2": 2e-4, "region": "default", "polariser": "upper",
        "thickness": 3e-9,
    },
}  # fmt: skip


def bar(**sections: Any) -> mm.RunConfig:
    """Return a small bar with a random state, whose rows come at every step."""
    given: dict[str, Any] = {
        "precision": "double",
        "mesh": {"cells": [6, 4, 2], "cell_size": [4e-9, 4e-9, 3e-9]},
        "regions": {
            "upper": {"box": {"size": [24e-9, 16e-9, 3e-9], "center": [0, 0, 1.5e-9]}},
            "right": {"box": {"size": [12e-9, 16e-9, 6e-9], "center": [6e-9, 0, 0]}},
        },
        "material": {"Ms": {"default": MS, "right": 5e5}, "alpha": {"default": 0.1, "right": 0.03}},
        "energy": {**PRECESSION, **ZEEMAN, "demag": {}},
        "initial": {"random": {}},
        "schedule": [{"run": {"for": 20 * STEP}}],
        "solver": {"method": "rk4", "dt": STEP},
        "output": {"table": {"every": STEP, "columns": ["energy", "power"]}},
        **sections,
    }
    return mm.RunConfig.model_validate(given)


def magnet(**sections: Any) -> mm.Simulation:
    """Return the simulation of such a bar."""
    return mm.Simulation(bar(**sections), device="cpu", threads=1)


def alone(*keys: str, **changed: Any) -> dict[str, Any]:
    """Return all torques, of which only some act."""
    return {
        key: {**torque, **({} if key in keys else SILENT[key]), **changed.get(key, {})}
        for key, torque in TORQUES.items()
    }


def slope(t: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return dy/dt by central differences of order 8, without the first and last four points."""
    weights = np.array([1 / 280, -4 / 105, 1 / 5, -4 / 5, 0, 4 / 5, -1 / 5, 4 / 105, -1 / 280])
    return np.correlate(y - y[0], weights, "valid") / (t[1] - t[0])


def balance(sim: mm.Simulation) -> dict[str, np.ndarray]:
    """Run, look whether the powers are the rates of the energies, and return the columns."""
    sim.run_schedule()
    table = sim.table
    powers = [name for name in table if name.startswith("P_")]
    terms = [name[2:] for name in table if name.startswith("E_") and name != "E_total"]
    scale = max(np.abs(table[name]).max() for name in powers)
    rate = slope(table["t"], table["E_total"])
    np.testing.assert_allclose(table["P_total"][4:-4], rate, rtol=0, atol=2e-9 * scale)
    motion = sum(table[f"P_{name}"] for name in terms)
    np.testing.assert_allclose(motion + table["P_waveforms"], table["P_total"], atol=1e-12 * scale)
    assert (table["P_damping"] <= 0).all()
    return table


@pytest.mark.parametrize("torque", TORQUES)
def test_the_powers_are_the_rate_of_the_energy(torque: str):
    table = balance(magnet(torques=alone(torque)))
    parts = table[f"P_{torque}_reactive"] + table[f"P_{torque}_dissipative"]
    np.testing.assert_allclose(parts, table[f"P_{torque}"], rtol=1e-9)
    assert np.abs(table[f"P_{torque}"]).max() > 1e-4 * np.abs(table["P_damping"]).max()
    assert not any(table[f"P_{other}"].any() for other in TORQUES if other != torque)
    assert not table["P_waveforms"].any()


def test_the_powers_add_up_with_waveforms_and_all_torques():
    energy = {
        **PRECESSION,
        "zeeman": [ZEEMAN["zeeman"], {"B": PULSED}],
        "demag": {},
        "vcma": {
            "xi": 1e-13, "t": 1e-9, "axis": [0, 0, 1],
            "E": {"value": 5e8, "waveform": {"sine": {"frequency": 3e10, "phase": 0.5}}},
        },
        "interfacial_dmi": {"D": 1e-3},
    }  # fmt: skip
    table = balance(magnet(energy=energy, torques=TORQUES))
    assert np.abs(table["P_waveforms"]).min() > 1e-5 * np.abs(table["P_damping"]).max()
    assert {"P_zeeman_0", "P_zeeman_1", "P_vcma", "P_interfacial_dmi"} <= set(table)


def test_the_explicit_power_is_the_derivative_of_the_field():
    sine = {"value": [0, 0, 0.1], "waveform": {"sine": {"frequency": 1e10, "phase": 0.3}}}
    sim = magnet(
        mesh={"cells": [1, 1, 1], "cell_size": [1e-8, 1e-8, 1e-8]},
        regions={},
        material={"Ms": MS, "alpha": 0.0},
        energy={"zeeman": {"B": sine}},
        initial={"uniform": {"direction": [0, 0, 1]}},
    )
    sim.run_schedule()
    omega = 2 * np.pi * 1e10
    exact = -MS * 1e-24 * 0.1 * omega * np.cos(omega * sim.table["t"] + 0.3)
    np.testing.assert_allclose(sim.table["P_waveforms"], exact, rtol=1e-7)
    np.testing.assert_allclose(sim.table["P_total"], exact, rtol=1e-7)


def test_without_damping_conservative_terms_do_nothing():
    table = balance(magnet(material={"Ms": MS, "alpha": 0.0}, torques=alone()))
    assert not table["P_damping"].any()
    scale = np.abs(table["P_exchange"]).max()
    assert scale > 0
    np.testing.assert_allclose(table["P_total"], 0, atol=1e-12 * scale)


def test_the_damping_of_one_moment():
    sim = magnet(
        mesh={"cells": [1, 1, 1], "cell_size": [1e-8, 1e-8, 1e-8]},
        regions={},
        material={"Ms": MS, "alpha": 0.1},
        energy={"zeeman": {"B": [0, 0, 0.1]}},
        initial={"uniform": {"direction": [1, 0, 0]}},
    )
    sim.run_schedule()
    entry = check("dissipation")
    entry.agrees(sim.table["P_damping"][0], what="power of the damping [W]")
    entry.agrees(sim.table["P_zeeman"][0], what="rate of the energy [W]")
    exact = -0.1 * GAMMA / 1.01 * MS * 1e-24 * 0.1**2
    assert sim.table["P_total"][0] == pytest.approx(exact, rel=1e-12)


REACTIVE = {
    "spin_torque": {"B_DL": 0.0},
    "zhang_li": {"beta": 0.0},
    "spin_orbit": {"theta_DL": 0.0},
    "slonczewski": {"P": 0.0},
    "s_d_exchange": {},
    "tunnel_junction": {"a1": 0.0},
}
DISSIPATIVE = {
    "spin_torque": {"B_FL": 0.0},
    "spin_orbit": {"theta_FL": 0.0},
    "slonczewski": {"epsilon_prime": 0.0},
    "tunnel_junction": {"b2": 0.0},
}


@pytest.mark.parametrize("torque", TORQUES)
def test_the_parts_are_those_of_the_amplitudes(torque: str):
    """One row each, of the same state without damping, whose rate the torque does not change."""

    def first(changed: dict[str, Any]) -> dict[str, float]:
        sim = magnet(torques=alone(torque, **{torque: changed}), schedule=[{"run": {"for": STEP}}])
        sim.run_schedule()
        return {name: float(values[0]) for name, values in sim.table.items()}

    part = first(REACTIVE[torque])
    assert part[f"P_{torque}"] == pytest.approx(part[f"P_{torque}_reactive"], rel=1e-9)
    assert part[f"P_{torque}"] != 0
    assert abs(part[f"P_{torque}_dissipative"]) < 1e-12 * abs(part[f"P_{torque}"])
    if torque in DISSIPATIVE:
        part = first(DISSIPATIVE[torque])
        assert abs(part[f"P_{torque}_reactive"]) < 1e-12 * abs(part[f"P_{torque}"])


def test_a_field_like_torque_takes_from_its_own_potential():
    sigma, B_FL = np.array([0.0, 1.0, 0.0]), 0.03
    torque = {"spin_torque": {"sigma": list(sigma), "B_FL": B_FL}}
    field = {"zeeman": [ZEEMAN["zeeman"], {"B": list(B_FL * sigma)}]}
    by_torque, by_field = (
        magnet(
            material={"Ms": MS, "alpha": 0.0}, regions={}, torques=torques,
            energy={**PRECESSION, **energy},
        )
        for torques, energy in ((torque, ZEEMAN), ({}, field))
    )  # fmt: skip
    for sim in (by_torque, by_field):
        sim.run_schedule()
    np.testing.assert_allclose(
        by_torque.table["P_spin_torque"],
        -by_field.table["P_zeeman_1"],
        rtol=1e-9,
        atol=1e-12 * np.abs(by_field.table["P_exchange"]).max(),
    )


def test_no_power_where_no_time_passes():
    sim = magnet(
        schedule=["relax", {"run": {"for": STEP}}],
        torques=alone("spin_torque"),
        initial={"uniform": {"direction": [0, 0.6, 0.8]}},
    )
    sim.run_schedule()
    relaxed = sim.table["stage"] == 0
    assert np.isnan(sim.table["P_total"][relaxed]).all()
    assert np.isfinite(sim.table["P_spin_torque_reactive"][~relaxed]).all()


def layers(backend: Backend, *seconds: float, **sections: Any) -> np.ndarray:
    """Return the powers of replicas of one state whose pulses rise for so long [s]."""
    configs = []
    for rise in seconds:
        wave = {"pulse": {"start": 0.0, "rise": rise, "duration": 1e-9}}
        field = {"value": [0.02, -0.05, 0.03], "waveform": wave}
        energy = {**PRECESSION, "zeeman": {"B": field}, "interfacial_dmi": {"D": 1e-3}}
        configs.append(bar(energy=energy, torques=TORQUES, **sections))
    m = random_m((2, 4, 6), seed=4)
    engine = measuring_engine(configs, backend, m)
    engine.write_clock(t=1 * PS)
    return Power().values("power", Sample(engine))


CORNER = {"box": {"size": [8e-9, 4e-9, 6e-9], "center": [-8e-9, -6e-9, 0]}}
HOLE = {"geometry": {"difference": [{"box": {}}, CORNER]}}


def test_replicas_have_powers_of_their_own(backend: Backend):
    both = layers(backend, 5 * PS, 8 * PS, **HOLE)
    single = [layers(backend, rise, **HOLE)[0] for rise in (5 * PS, 8 * PS)]
    np.testing.assert_array_equal(both, single)
    assert not np.array_equal(*single)


def test_powers_in_single_precision(backend: Backend):
    exact = layers(backend, 5 * PS)
    found = layers(backend, 5 * PS, precision="single")
    np.testing.assert_allclose(found, exact, rtol=1e-4, atol=1e-6 * np.abs(exact).max())


@pytest.mark.parametrize("precision", ["single", "double"])
def test_the_kernel_compiles_for_a_gpu(precision: str):
    try:
        nvrtc.version()
    except DeviceError as error:
        pytest.skip(error.what)
    energy = {
        **PRECESSION, "zeeman": {"B": PULSED}, "interfacial_dmi": {"D": 1e-3}, "demag": {},
        "thermal": {"temperature": 300},
    }  # fmt: skip
    model = Model([bar(energy=energy, torques=TORQUES, precision=precision)])
    text = model.kernel_text("power.cu", definitions(model))
    assert nvrtc.cubin(Source("power.cu", text, {}, precision), "sm_75").stat().st_size
