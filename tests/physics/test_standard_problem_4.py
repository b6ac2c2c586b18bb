"""muMAG standard problem 4: reversal of a thin permalloy element, field 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from reference import GAMMA_E, MT, MU_0, NM, NS, PS, check, curve, note

import micromag as mm

MUMAG_GAMMA = 2.211e5 / MU_0
COARSE, FINE = (128, 32, 1), (200, 50, 1)


@dataclass(frozen=True)
class Reversal:
    """The s-state and the path of the mean moment out of it."""

    s_state: NDArray[np.float64]
    energy: float
    t: NDArray[np.float64]
    m: NDArray[np.float64]

    def first_zero(self) -> float:
        """Return the first time [s] at which <mx> vanishes."""
        mx = self.m[0]
        i = int(np.argmax(mx < 0))
        return float(np.interp(0, mx[[i, i - 1]], self.t[[i, i - 1]]))

    def at(self, t: float) -> NDArray[np.float64]:
        """Return the mean moment at a time [s]."""
        return np.array([np.interp(t, self.t, component) for component in self.m])


def reverse(cells: tuple[int, int, int], gamma: float = MUMAG_GAMMA) -> Reversal:
    """Relax into the s-state, switch field 1 on, and follow the mean moment for 1 ns."""
    sim = mm.Simulation(
        device="cpu",
        mesh=mm.Mesh(cells=cells, size=(500 * NM, 125 * NM, 3 * NM)),
        material={"Ms": 8e5, "alpha": 0.02, "gamma": gamma},
        energy=[mm.Exchange(A=13e-12), mm.Demag(), mm.Zeeman(B=(0, 0, 0))],
        initial={"uniform": {"direction": [1, 0.1, 0]}},
        output={"table": {"every": 1 * PS}},
    )
    sim.relax(max_torque=1e-6)
    s_state = np.array([sim.table[name][-1] for name in ("m_x", "m_y", "m_z")])
    energy = sim.energies()["total"]
    rows = len(sim.table["t"])
    sim.set({"energy.zeeman.B": [-24.6 * MT, 4.3 * MT, 0]})
    sim.run(1 * NS)
    late = {name: values[rows - 1 :] for name, values in sim.table.items()}
    m = np.array([late[name] for name in ("m_x", "m_y", "m_z")])
    return Reversal(s_state, energy, late["t"], m)


@pytest.fixture(scope="module")
def coarse() -> Reversal:
    """The grid of the OOMMF curve."""
    return reverse(COARSE)


@pytest.fixture(scope="module")
def oommf_like() -> Reversal:
    """The same with the electron's gyromagnetic ratio."""
    return reverse(COARSE, GAMMA_E)


@pytest.fixture(scope="module")
def fine() -> Reversal:
    """Cells of 2.5 nm."""
    return reverse(FINE)


@pytest.mark.slow
def test_s_state(coarse, fine):
    entry = check("sp4_s")
    entry.agrees(fine.s_state, entry.numbers("0.966716", "0.125748", "0"), "<m>, 200x50")
    entry.agrees(coarse.s_state, entry.numbers("0.966958", "0.125297", "0"), "<m>, 128x32")
    energy = entry.number("6.29771e-19")
    entry.agrees(coarse.energy, energy, "E, 128x32 [J]", rtol=entry.atol)


@pytest.mark.slow
def test_reversal_in_field_1(coarse, fine):
    entry = check("sp4_f1")
    zero, lowest, at = entry.numbers("0.13850", "-0.4953", "0.2346")
    half = entry.numbers("-0.91898", "-0.22484", "0.04766")
    whole = entry.numbers("-0.98447", "0.12782", "0.04314")
    atol = entry.number("5e-3")
    entry.agrees(fine.first_zero() / NS, zero, "first zero of <mx>, 200x50 [ns]")
    entry.agrees(fine.at(0.5 * NS), half, "<m> at 0.5 ns, 200x50", atol=atol)
    entry.agrees(fine.at(1 * NS), whole, "<m> at 1 ns, 200x50", atol=atol)
    entry.agrees(fine.m[1].min(), lowest, "min <my>, 200x50", atol=atol)
    note("sp4_f1", "time of min <my>, 200x50 [ns]", at, fine.t[fine.m[1].argmin()] / NS)
    assert fine.t[fine.m[1].argmin()] == pytest.approx(at * NS, abs=entry.atol * NS)
    zero, *whole = entry.numbers("0.13861", "-0.98411", "0.13103", "0.04296")
    entry.agrees(coarse.first_zero() / NS, zero, "first zero of <mx>, 128x32 [ns]")
    entry.agrees(coarse.at(1 * NS), whole, "<m> at 1 ns, 128x32", atol=atol)


@pytest.mark.slow
def test_whole_curve_of_oommf(oommf_like):
    oommf = curve("sp4_field1_oommf.csv")
    assert len(oommf["t_s"]) > 200
    theirs = np.array([oommf[name] for name in ("mx", "my", "mz")])
    # The curve was computed with the electron's gyromagnetic ratio, as its first zero at 0.138498 ns
    # tells (0.13861 ns with 2.211e5 m/(A s)). With that ratio it is met to five decimals; with
    # 2.211e5 the 0.08 % of the ratio add up to 0.008 in <my> within the nanosecond.
    ours = oommf_like.at(oommf["t_s"])
    for name, have, want in zip(("<mx>", "<my>", "<mz>"), ours, theirs, strict=True):
        worst = int(np.abs(have - want).argmax())
        note("sp4_f1", f"worst {name}, {oommf['t_s'][worst] / NS:.3f} ns", want[worst], have[worst])
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)
    entry = check("sp4_f1")
    entry.agrees(oommf_like.first_zero() / NS, entry.number("0.138498"), "first zero, OOMMF [ns]")
    whole = entry.numbers("-0.98346", "0.13696", "0.04263")
    entry.agrees(oommf_like.at(1 * NS), whole, "<m> at 1 ns, OOMMF", atol=entry.number("5e-3"))
