"""muMAG standard problem 5: a vortex in a square of permalloy, pushed by a current."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from reference import MU_0, NM, NS, PS, check

import micromag as mm

SIZE = (100 * NM, 100 * NM, 10 * NM)


def vortex_under_current(torque: object, gamma: float) -> mm.Simulation:
    """Return the square with a vortex, counterclockwise and with its core up."""
    return mm.Simulation(
        device="cpu",
        mesh=mm.Mesh(cells=(32, 32, 4), size=SIZE),
        material={"Ms": 8e5, "alpha": 0.1, "gamma": gamma},
        energy=[mm.Exchange(A=13e-12), mm.Demag()],
        torques=[torque],
        initial={"vortex": {"circulation": 1, "polarity": 1}},
        output={"table": {"every": 50 * PS}},
    )


def mean(sim: mm.Simulation) -> NDArray[np.float64]:
    """Return the mean moment."""
    return np.asarray(sim.m.mean(axis=(1, 2, 3), dtype=np.float64))


@pytest.mark.slow
def test_vortex_after_one_nanosecond():
    entry = check("sp5_1ns")
    current = mm.ZhangLi(J=(1e12, 0, 0), P=1, beta=0.05, prefactor="zhang_li")
    sim = vortex_under_current(current, gamma=1.7595e11)
    sim.relax()
    sim.run(1 * NS)
    entry.agrees(mean(sim), entry.numbers("-0.23480", "-0.09454", "0.02296"), "<m>, mumax3")
    entry.agrees(mean(sim), entry.numbers("-0.23466", "-0.09451", "0.02294"), "<m>, own")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("xi", "listed"),
    [
        (0.0, ("-0.2143", "0.0002")),
        (0.05, ("-0.2142", "0.0189")),
        (0.1, ("-0.2142", "0.0376")),
        (0.5, ("-0.2146", "0.1854")),
    ],
)
def test_vortex_at_rest_under_current(xi, listed):
    entry = check("sp5_eq")
    sim = vortex_under_current(mm.ZhangLi(u=(-72.35, 0, 0), beta=xi), gamma=2.211e5 / MU_0)
    x, y, z = np.broadcast_arrays(*sim.config.mesh.grid())
    sim.m = np.array([-y, x, 10 * NM + 0 * z])
    # The gyration of the core dies out with 1.4 ns: what is left of it is below 5e-4.
    sim.run(10 * NS)
    entry.agrees(mean(sim)[:2], entry.numbers(*listed), f"<mx>, <my> at xi = {xi}")
