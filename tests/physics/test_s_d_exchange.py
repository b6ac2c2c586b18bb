"""s-d exchange with a given spin accumulation: sense of precession, frequency, conserved energy."""

from __future__ import annotations

import numpy as np
import pytest
from reference import NS, PS, angle_turned, macrospin, rows

from micromag.constants import HBAR
from micromag.terms.s_d_exchange import SDExchange

MS, S, J_SD = 8e5, 1e3, 1e-20


def turning(J_sd: float, m=(0.0, 0.6, 0.8), alpha: float = 0.0):
    """Return the columns of a moment that turns about a spin accumulation along +x for 0.1 ns."""
    sim = macrospin(
        m,
        material={"Ms": MS, "alpha": alpha},
        torques=[SDExchange(S=(S, 0, 0), J_sd=J_sd)],
        output=rows(1 * PS),
    )
    sim.run(0.1 * NS)
    return sim.table


@pytest.mark.parametrize("sign", [1, -1])
def test_sense_of_precession_follows_the_sign_of_the_coupling(sign):
    """s = +x, m = +z and J_sd > 0: dm/dt along x x z = -y."""
    table = turning(sign * J_SD, m=(0, 0, 1))
    assert sign * table["m_y"][1] < 0
    turned = J_SD * S / (HBAR * MS) * 1 * PS
    assert abs(table["m_y"][1]) == pytest.approx(np.sin(turned), rel=1e-7)


@pytest.mark.parametrize("sign", [1, -1])
def test_frequency_and_conserved_energy(sign):
    table = turning(sign * J_SD)
    turned = angle_turned(table["m_y"], table["m_z"])
    rate = np.polyfit(table["t"], turned, 1)[0]
    # T = omega x m with omega = J_sd S/(hbar Ms): from +y towards +z about +x.
    assert rate == pytest.approx(sign * J_SD * S / (HBAR * MS), rel=1e-7)
    assert np.ptp(table["m_x"]) < 1e-9


@pytest.mark.parametrize("sign", [1, -1])
def test_damping_leads_to_the_minimum_of_the_coupling_energy(sign):
    """-J_sd S.m is least along S for a ferromagnetic coupling, against S for the other."""
    table = turning(sign * 100 * J_SD, m=(0.1, 0, 1), alpha=0.5)
    assert sign * table["m_x"][-1] > 0.999
