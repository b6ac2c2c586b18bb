"""Layers: anisotropy under a voltage, exchange across a spacer."""

from __future__ import annotations

import numpy as np
import pytest
from reference import NM, check

import micromag as mm


def test_anisotropy_per_voltage():
    entry = check("vcma")
    energy, field = entry.numbers("1e5", "0.2")
    Ms = 1e6
    sim = mm.Simulation(
        device="cpu",
        precision="double",
        mesh=mm.Mesh(cells=(1, 1, 1), cell_size=(10 * NM, 10 * NM, 1 * NM)),
        material={"Ms": Ms, "alpha": 0.1},
        energy=[mm.Vcma(xi="100 fJ/V/m", E="1 V/nm", t="1 nm", axis="+z")],
        initial={"uniform": {"direction": [0, 0, 1]}},
    )
    entry.agrees(sim.field("vcma")[2, 0, 0, 0], field, "Delta B_K [T]")
    along = sim.energies()["vcma"]
    sim.m = np.array([1, 0, 0])
    across = sim.energies()["vcma"]
    entry.agrees((across - along) / sim.config.mesh.volume, energy, "Delta K [J/m^3]")


def layers(J1: float, J2: float = 0.0, B: float = 0.0, m: tuple[float, ...] = (0.6, 0.8, 0)):
    """Return two relaxed layers of 2 nm that start at an angle, in a field along x."""
    pair = "fixed:free"
    sim = mm.Simulation(
        device="cpu",
        precision="double",
        mesh=mm.Mesh(cells=(1, 1, 2), cell_size=(10 * NM, 10 * NM, 2 * NM)),
        regions={
            "free": {"box": {"center": [0, 0, 1 * NM], "size": [1, 1, 2 * NM]}},
            "fixed": {"box": {"center": [0, 0, -1 * NM], "size": [1, 1, 2 * NM]}},
        },
        material={"Ms": 8e5, "alpha": 0.5},
        energy=[
            mm.Exchange(A={"default": 1e-11, pair: 0}),
            mm.InterlayerExchange(J1={"default": 0, pair: J1}, J2={"default": 0, pair: J2}),
            mm.Zeeman(B=(B, 0, 0)),
        ],
        initial={
            "free": {"uniform": {"direction": [m[0], m[1], m[2]]}},
            "fixed": {"uniform": {"direction": [m[0], -m[1], m[2]]}},
            "default": {"uniform": {"direction": [1, 0, 0]}},
        },
    )
    sim.relax(max_torque=1e-8)
    return sim


def test_saturation_of_antiparallel_layers():
    entry = check("rkky_sat")
    J1 = -1e-3
    # Below saturation both layers have m_x = B/B_sat, whatever B is.
    for B in (0.25, 1.0):
        m = layers(J1, B=B).m
        entry.agrees(B / m[0, 0, 0, 0], what=f"B/m_x at {B} T")
        assert m[1, 0, 0, 0] == pytest.approx(-m[1, 1, 0, 0], abs=1e-5)
    low, high = (layers(J1, B=entry.value * f).m[0].min() for f in (1 - 1e-3, 1 + 1e-3))
    assert low < 1 - 1e-4 and high > 1 - 1e-6


def test_signs_and_energy_of_the_coupling():
    area = (10 * NM) ** 2
    for J1, J2, cosine in ((1e-3, 0, 1), (-1e-3, 0, -1), (0, -1e-3, 0)):
        sim = layers(J1, J2)
        lower, upper = sim.m[:, :, 0, 0].T
        assert lower @ upper == pytest.approx(cosine, abs=1e-5)
        expected = area * (J1 * (1 - cosine) + J2 * (1 - cosine**2))
        assert sim.energies()["interlayer_exchange"] == pytest.approx(expected, abs=1e-24)
