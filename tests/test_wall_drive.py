"""What drives a wall in the one-dimensional model, against the independent formulas of the torques."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from formulas import Magnet
from magnets import config, merged, random_m
from numpy.typing import NDArray
from term_examples import Variant, example, variants

from micromag.analysis._wall_pushes import Drive
from micromag.constants import HBAR, MU_0
from micromag.derived import with_total_damping
from micromag.terms import TERMS
from micromag.wall_drive import TORQUES, NoModelError, drive_of_config

MS, GAMMA = 8e5, 1.76085963e11
BASE: dict[str, Any] = {
    "mesh": {"cells": [50, 4, 1], "cell_size": [2e-9, 2e-9, 3e-9]},
    "material": {"Ms": MS, "alpha": 0.1, "gamma": GAMMA},
    "energy": {"exchange": {"A": 1e-11}},
}


def drive(**sections: Any) -> Drive:
    return drive_of_config(config(**merged(BASE, sections)))


def torque_of(pushes: Any, m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return T [1/s] of what the model takes for it, without gradients."""
    T = np.zeros_like(m)
    for push in pushes:
        along, across = (
            np.broadcast_to(v[:, None], m.shape) for v in (push.field, push.damping_like)
        )
        share = 1 + push.asymmetry @ m
        T -= GAMMA * np.cross(m, along, axis=0)
        T -= GAMMA * np.cross(m, np.cross(m, across, axis=0), axis=0) / share
    return T


GATE = {"value": 1e8, "waveform": {"sine": {"frequency": 1e9}}}
CASES = [
    (key, variant)
    for key in sorted(set(TORQUES) - {"zhang_li", "transport"})
    for variant in variants(key)
]


@pytest.mark.parametrize(("key", "variant"), CASES, ids=[f"{k}-{v}" for k, v in CASES])
def test_the_pushes_of_a_torque_are_the_torque(key: str, variant: Variant):
    made = config(**merged(BASE, {"torques": {key: example(TERMS.get(key), variant)}}))
    [(_, term)] = made.torques
    resolved = made.resolved(term)
    m = random_m((60,), seed=2)
    given: dict[str, Any] = dict(resolved)
    for name, count in type(term).declared_parameters().items():
        value = getattr(resolved, name)
        if value is not None:
            one = np.asarray(value.value, dtype=float).reshape((3, 1) if count == 3 else (1,))
            given[name] = np.broadcast_to(one, (3, 60) if count == 3 else (60,))
    magnet = Magnet(np.full(60, MS), GAMMA, (2e-9,) * 3, (0, 0, 0), np.zeros(60, dtype=int), {})
    formula = importlib.import_module(f"formulas.{key}")
    expected = formula.torque(m, SimpleNamespace(**given), magnet)
    found = torque_of(drive_of_config(made).at(0.0), m)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9 * np.abs(expected).max())


def test_a_torque_quadratic_in_the_voltage_goes_with_the_square_of_its_waveform():
    voltage = {"value": 0.4, "waveform": {"ramp": {"start": 0, "duration": 1e-9}}}
    junction = {"voltage": voltage, "a1": 0, "a2": 1e-3, "b0": 2e-4, "p": "+x"}
    made = drive(torques={"tunnel_junction": junction})
    per_area = 1 / (MS * 3e-9)
    for t, w in ((0.0, 0.0), (0.5e-9, 0.5), (2e-9, 1.0)):
        [push] = made.at(t)
        assert push.damping_like == pytest.approx([1e-3 * (0.4 * w) ** 2 * per_area, 0, 0])
        assert push.field == pytest.approx([2e-4 * per_area, 0, 0])


def test_amplitudes_that_both_depend_on_time_are_multiplied():
    def ramp(value: Any) -> dict[str, Any]:
        return {"value": value, "waveform": {"ramp": {"start": 0, "duration": 1e-9}}}

    made = drive(torques={"s_d_exchange": {"S": ramp([100, 0, 0]), "J_sd": ramp(1e-20)}})
    expected = 0.25 * 1e-20 * 100 / (HBAR * GAMMA * MS)
    assert made.field_at(0.5e-9) == pytest.approx([expected, 0, 0])


def test_the_field_of_a_current_below_the_wire():
    # Between two sheets of the same width B is mu_0 J t / 2 far from the edges, along n x z.
    strip = {"strip": {"width": 2e-5, "thickness": 5e-9, "center": [0, 0, -4e-9]}, "J": 1e12}
    field = drive(energy={"oersted": strip}).field_at(0.0)
    assert field == pytest.approx([0, -MU_0 * 1e12 * 5e-9 / 2, 0], rel=1e-3, abs=1e-9)


def test_the_field_of_a_conductor_across_the_wire_has_no_place_in_the_model():
    across = {"strip": {"width": 2e-8, "thickness": 5e-9, "along": "y"}, "J": 1e12}
    with pytest.raises(NoModelError, match="oersted changes along the wire"):
        drive(energy={"oersted": across})


def test_damping_by_spin_pumping_counts():
    torque = {
        "J": [1e11, 0, 0], "normal": [0, 0, 1], "theta_sh": 0.1, "spin_pumping": True,
        "interface": {"Gr": 5e14},
        "heavy_metal": {"thickness": 5e-9, "conductivity": 5e6, "spin_diffusion_length": 1.5e-9},
    }  # fmt: skip
    made = config(**merged(BASE, {"torques": {"spin_orbit": torque}}))
    alpha = with_total_damping(made).material.alpha.value
    assert alpha > 0.101
    assert drive_of_config(made).alpha == alpha


def test_torques_may_be_left_out():
    torques = {"spin_torque": {"sigma": "+y", "B_FL": 5e-3}}
    made = config(**merged(BASE, {"energy": {"zeeman": {"B": [0, 0, 1e-3]}}, "torques": torques}))
    assert drive_of_config(made).field_at(0.0) == pytest.approx([0, 5e-3, 1e-3])
    assert drive_of_config(made, currents=False).field_at(0.0) == pytest.approx([0, 0, 1e-3])


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        (
            {
                "regions": {"half": {"strip": {"normal": "x", "from": 0}}},
                "torques": {
                    "slonczewski": {"J": {"half": 1e11, "default": 0}, "P": 0.5, "p": "+x"}
                },
            },
            "torques.slonczewski.J differs from place to place",
        ),
        (
            {"energy": {"vcma": {"xi": 1e-13, "t": 1e-9, "E": GATE, "axis": "+z"}}},
            "energy.vcma.E depends on time",
        ),
    ],
)
def test_what_has_no_place_in_the_model(sections: dict[str, Any], words: str):
    with pytest.raises(NoModelError, match=words):
        drive(**sections)
