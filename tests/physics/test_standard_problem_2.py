"""muMAG standard problem 2 in the limit of a small particle: its remanence."""

from __future__ import annotations

import numpy as np
from reference import MU_0, check

import micromag as mm


def test_a_small_particle_stays_magnetised_along_its_length():
    entry = check("sp2_rem")
    A, Ms = 13e-12, 8e5
    width = 0.5 * np.sqrt(2 * A / (MU_0 * Ms**2))
    sim = mm.Simulation(
        device="cpu",
        mesh=mm.Mesh(cells=(10, 2, 1), size=(5 * width, width, 0.1 * width)),
        material={"Ms": Ms, "alpha": 0.5},
        energy=[mm.Exchange(A=A), mm.Demag(), mm.Zeeman(B=(2, 2, 2))],
        initial={"uniform": {"direction": [1, 1, 1]}},
    )
    sim.relax()
    assert sim.m[1].mean() > 0.5, "saturated along (1, 1, 1) before the field is taken off"
    sim.set({"energy.zeeman.B": [0, 0, 0]})
    sim.relax()
    entry.agrees(sim.m.mean(axis=(1, 2, 3))[:2], entry.numbers("1", "0"), "mx, my")
