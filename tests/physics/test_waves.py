"""Small oscillations: ferromagnetic resonance and spin waves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from reference import GAMMA_E, GHZ, NM, NS, PS, angle_turned, check, frequency_of, note, rows

import micromag as mm

MS = 8e5
TILT = 1e-3


def precession(m: list[float], B: tuple[float, float, float], **sections: Any) -> mm.Simulation:
    """Return a magnet set off at m without damping, a row every 2 ps."""
    given: dict[str, Any] = {"solver": {"max_error": 1e-8}, **sections}
    return mm.Simulation(
        device="cpu",
        precision="double",
        material={"Ms": MS, "alpha": 0.0},
        energy=[mm.Exchange(A=13e-12), mm.Zeeman(B=B), mm.Demag()],
        initial={"uniform": {"direction": m}},
        output=rows(2 * PS),
        **given,
    )


FILM: Mapping[str, Any] = {
    "mesh": mm.Mesh(cells=(4, 4, 1), cell_size=(50 * NM, 50 * NM, 1 * NM), periodic=(20, 20, 0))
}


def test_resonance_of_a_film_magnetised_in_the_plane():
    sim = precession([TILT, 1, 0], (0, 0.1, 0), **FILM)
    sim.run(1 * NS)
    f = frequency_of(sim.table["m_x"], 2 * PS)
    check("kittel_film").agrees(f / GHZ, what="f [GHz]")


def test_resonance_of_a_film_magnetised_across_the_plane():
    entry = check("kittel_perp")
    sim = precession([TILT, 0, 1], (0, 0, 1.2), **FILM)
    sim.run(1 * NS)
    f = frequency_of(sim.table["m_x"], 2 * PS)
    entry.agrees(f / GHZ, entry.number("5.456188"), "f of the film [GHz]")


def test_resonance_of_a_sphere():
    entry = check("kittel_perp")
    # So small that exchange keeps m uniform although the sphere has steps.
    sim = precession(
        [TILT, 0, 1],
        (0, 0, 0.1),
        mesh=mm.Mesh(cells=(6, 6, 6), cell_size=(2 * NM,) * 3),
        geometry={"ellipsoid": {"size": [12 * NM] * 3}},
        solver={"max_error": 1e-5},
    )
    sim.run(0.2 * NS)
    angle = angle_turned(sim.table["m_x"], sim.table["m_y"])
    f = np.polyfit(sim.table["t"], angle, 1)[0] / (2 * np.pi)
    entry.agrees(f / GHZ, entry.number("2.802495"), "f of the sphere [GHz]")


def test_exchange_spin_waves():
    entry = check("sw_exch")
    continuum, fine, coarse = entry.numbers("11.91060", "11.88028", "11.78981")
    A, B, k, waves = 1.3e-11, 0.1, 1e8, 7
    found = []
    for cells in (220, 110):
        a = 2 * np.pi * waves / (k * cells)
        assert a == pytest.approx(440 * NM / cells, rel=1e-3)
        sim = mm.Simulation(
            device="cpu",
            precision="double",
            mesh=mm.Mesh(cells=(cells, 1, 1), cell_size=(a, a, a), periodic=(1, 0, 0)),
            material={"Ms": MS, "alpha": 0.0},
            energy=[mm.Exchange(A=A), mm.Zeeman(B=(0, 0, B))],
            initial={"uniform": {"direction": [0, 0, 1]}},
            solver={"max_error": 1e-9},
        )
        phase = k * a * np.arange(cells)
        wave = [TILT * np.cos(phase), TILT * np.sin(phase), np.ones(cells)]
        sim.m = np.array(wave).reshape(3, 1, 1, cells)
        sim.run(20 * PS)
        # A circular wave keeps its shape: every moment turns by the same angle.
        turned = np.angle((sim.m[0] + 1j * sim.m[1]).ravel() / np.exp(1j * phase))
        found.append(turned.mean() / (2 * np.pi * sim.t) / GHZ)
        assert np.ptp(turned) < 1e-4
        lattice = GAMMA_E * (B + 2 * A / MS * (2 - 2 * np.cos(k * a)) / a**2) / (2 * np.pi * GHZ)
        assert found[-1] == pytest.approx(lattice, rel=1e-5)
    entry.agrees(found[0], fine, "f, cells of 2 nm [GHz]")
    entry.agrees(found[1], coarse, "f, cells of 4 nm [GHz]")
    entry.agrees(found[0] + (found[0] - found[1]) / 3, continuum, "f, cells to 0 [GHz]")


@pytest.mark.parametrize(("k", "listed"), [(1e6, "9.72873"), (1e7, "12.54082")])
def test_magnetostatic_surface_waves(k, listed):
    entry = check("sw_DE")
    cells, thickness, every = 48, 20 * NM, 2 * PS
    length = 2 * np.pi / k
    # One wavelength across, repeated on both sides; along m the film is far longer than a wave.
    sim = mm.Simulation(
        device="cpu",
        precision="double",
        mesh=mm.Mesh(
            cells=(cells, 1, 1),
            cell_size=(length / cells, length, thickness),
            periodic=(10, 10, 0),
        ),
        material={"Ms": MS, "alpha": 0.0},
        energy=[mm.Exchange(A=13e-12), mm.Zeeman(B=(0, 0.1, 0)), mm.Demag()],
        initial={"uniform": {"direction": [0, 1, 0]}},
        solver={"max_error": 1e-8},
        output={"snapshots": {"every": every}},
    )
    wave = np.cos(2 * np.pi * np.arange(cells) / cells)
    sim.m = np.array([TILT * wave, np.ones(cells), 0 * wave]).reshape(3, 1, 1, cells)
    sim.run(1 * NS)
    amplitude = np.array([fields["m"][0].ravel() @ wave for _, fields in sim.snapshots[1:]])
    f = frequency_of(amplitude, every) / GHZ
    assert k * thickness <= 0.2
    entry.agrees(f, entry.number(listed), f"f at k = {k:.0e} rad/m [GHz]")


@pytest.mark.parametrize("precision", ["single", "double"])
def test_moments_keep_their_length_in_a_run(precision):
    entry = check("norm")
    limit = entry.number({"single": "1e-6", "double": "1e-12"}[precision])
    sim = mm.Simulation(
        device="cpu",
        precision=precision,
        mesh=mm.Mesh(cells=(8, 8, 1), cell_size=(5 * NM, 5 * NM, 3 * NM)),
        material={"Ms": MS, "alpha": 0.1},
        energy=[mm.Exchange(A=13e-12), mm.Zeeman(B=(0.1, 0, 0.1)), mm.Demag()],
        initial={"random": {}},
    )
    sim.run(0.3 * NS)
    deviation = np.abs(np.linalg.norm(sim.m.astype(float), axis=0) - 1).max()
    entry.agrees(deviation, what=f"| |m| - 1 |, 64 cells, {precision}", atol=limit)


@pytest.mark.slow
def test_energy_is_conserved_without_damping():
    entry = check("conserve_alpha0")
    sim = mm.Simulation(
        device="cpu",
        precision="double",
        mesh=mm.Mesh(cells=(8, 4, 1), cell_size=(5 * NM, 5 * NM, 3 * NM)),
        material={"Ms": MS, "alpha": 0.0},
        energy=[
            mm.Exchange(A=13e-12),
            mm.UniaxialAnisotropy(Ku1=5e4, axis=(0, 1, 0)),
            mm.CubicAnisotropy(Kc1=2e4, axis1=(1, 0, 0), axis2=(0, 1, 0)),
            mm.Zeeman(B=(0.05, 0, 0.1)),
            mm.Demag(),
        ],
        initial={"random": {}},
        solver={"method": "rk4", "dt": 10e-15},
    )
    start, energy = sim.m, sim.energies()["total"]
    duration = 0.2 * NS

    def drift(dt: float) -> float:
        sim.set({"solver.dt": dt})
        sim.m = start
        sim.run(duration)
        return abs(sim.energies()["total"] / energy - 1) / (duration / NS)

    drifts = {dt: drift(dt) for dt in (10e-15, 40e-15, 80e-15)}
    entry.agrees(drifts[10e-15], what="drift of the energy per ns")
    order = np.log2(drifts[80e-15] / drifts[40e-15])
    note("conserve_alpha0", "power of dt in the drift", 4.5, order, 0.75)
    assert 3.75 < order < 5.25
