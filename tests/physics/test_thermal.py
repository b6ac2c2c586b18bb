"""Thermal noise: its strength, and the equilibrium that it leads to, against statistical mechanics."""

from __future__ import annotations

import numpy as np
import pytest
from formulas.philox import deviates
from magnets import GAMMA, advance, config, stepper
from reference import NS, PS, check, note

import micromag as mm
from micromag.backend import get_backend
from micromag.constants import K_B
from micromag.integrators.tableaus import TABLEAUS
from micromag.noise_checks import energy_error

MS, T = 8e5, 300.0


def langevin(x: float) -> float:
    return float(1 / np.tanh(x) - 1 / x)


def boltzmann(cells: int, x: float) -> np.ndarray:
    """Return moments of the distribution exp(x m_z), shape ``(3, 1, 1, cells)``."""
    rng = np.random.default_rng(3)
    z = 1 + np.log1p(-rng.random(cells) * (1 - np.exp(-2 * x))) / x
    phi = 2 * np.pi * rng.random(cells)
    s = np.sqrt(1 - z**2)
    return np.array([s * np.cos(phi), s * np.sin(phi), z])[:, None, None, :]


def spins(edge: float, B: float, cells: tuple[int, int, int], dt: float, **more: object):
    """Return moments that do not see each other, in a field along z."""
    return mm.Simulation(
        device="cpu",
        mesh=mm.Mesh(cells=cells, cell_size=(edge, edge, edge)),
        material=mm.Material(Ms=MS, alpha=0.1),
        energy=[mm.Zeeman(B=(0, 0, B)), mm.Thermal(temperature=T)],
        initial={"uniform": {"direction": [0, 0, 1]}},
        solver={"method": "heun", "dt": dt},
        **more,
    )


def test_the_standard_deviation_of_the_field():
    sigma = check("th_sigma")
    dt, shape = 0.1 * PS, (80, 80, 80)
    run = config(
        mesh={"cells": list(shape), "cell_size": [5e-9] * 3},
        material={"Ms": MS, "alpha": 0.1},
        energy={"thermal": {"temperature": T}},
    )
    backend = get_backend("cpu")
    made = stepper(run, backend, method="euler", dt=dt)
    up = np.zeros((3, *shape))
    up[2] = 1
    made.engine.set_m(up)
    made.aim(1.0)
    made.steps(1)
    k = backend.download(made.engine.work[made._slots.k(0), 0])
    # With m along z, -gamma m x B = gamma (B_y, -B_x); X = dm/dt - alpha m x dm/dt.
    X = k - 0.1 * np.cross(up, k, axis=0)
    B = np.array([-X[1], X[0]]) / GAMMA
    n = deviates(shape, run.seed, 0)[:2]
    sigma.agrees((B * n).sum() / (n * n).sum(), what="sigma [T], by the deviates")
    note("th_sigma", "of a million samples", sigma.value, B.std(), 3e-3)
    assert B.std() == pytest.approx(sigma.value, rel=3e-3)
    assert abs(B.mean()) < 4 * sigma.value / np.sqrt(B.size)


def test_equipartition():
    entry = check("th_equip")
    linear, exact = (float(v) for v in str(entry.expected).split(";"))
    sim = spins(5e-9, 1.0, (128, 128, 1), 0.25 * PS)
    x = MS * 125e-27 / (K_B * T)
    assert (1 / x, langevin(x) / x) == pytest.approx((linear, exact), rel=1e-5)
    sim.run(200 * PS)  # the energy relaxes in 29 ps
    samples = []
    for _ in range(6):
        sim.run(40 * PS)
        samples.append((np.asarray(sim.m, dtype=float)[:2] ** 2).mean())
    entry.agrees(np.mean(samples), exact, what="<mx^2>")


@pytest.mark.parametrize("start", ["equilibrium", pytest.param("up", marks=pytest.mark.slow)])
def test_moments_in_a_field_follow_langevin(start):
    entry = check("th_langevin")
    x = MS * 1e-25 * 0.05 / (K_B * T)
    assert langevin(x) == pytest.approx(entry.value, rel=1e-5)
    sim = spins(1e-25 ** (1 / 3), 0.05, (256, 256, 1), 1 * PS)
    if start == "up":
        sim.run(5 * NS)
    else:
        sim.m = boltzmann(256 * 256, x).reshape(3, 1, 256, 256)
    values = []
    for _ in range(10):
        sim.run(0.1 * NS)
        values.append(float(np.asarray(sim.m[2], dtype=float).mean()))
    entry.agrees(np.mean(values), what=f"<mz>, from {start}")


def film_energy(method: str, alpha: float = 0.1, count: int = 64, **solver: float) -> float:
    """Return the energy above the ground state of a cold film in units of k_B T per moment."""
    cold = 10.0
    run = config(
        precision="single",
        mesh={"cells": [count, count, 1], "cell_size": [5e-9] * 3},
        material={"Ms": MS, "alpha": alpha},
        energy={
            "exchange": {"A": 13e-12},
            "zeeman": {"B": [0, 0, 1]},
            "thermal": {"temperature": cold},
        },
    )
    up = np.zeros((1, 3, 1, count, count))
    up[0, 2] = 1
    made = stepper(run, get_backend("cpu"), up, method, **solver)
    ground = made.engine.measure().energies[0].sum()
    values = []
    for t in np.arange(100, 401, 10) * PS:  # the slowest wave's energy relaxes in 29 ps
        advance(made, t, 100_000)
        values.append(made.engine.measure().energies[0].sum() - ground)
    return float(np.mean(values) / (count**2 * K_B * cold))


@pytest.mark.parametrize(
    ("method", "solver"),
    [
        ("heun", {"dt": 0.1 * PS}),
        ("heun", {"dt": 0.05 * PS}),
        ("rk4", {"dt": 0.2 * PS}),
        ("rk45", {"max_dt": 0.2 * PS}),
        ("rk23", {"max_dt": 0.2 * PS, "max_error": 2e-5}),
    ],
)
def test_every_spin_wave_has_its_energy_whatever_the_step(method, solver):
    """Two degrees of freedom per moment of k_B T/2 each, less the harmonics' share of k_B T."""
    measured = film_energy(method, **solver)
    note("equipartition", f"{method} {solver}", 1.0, measured, 0.012)
    assert measured == pytest.approx(1, abs=0.012)


@pytest.mark.parametrize(
    ("method", "phase", "alpha"),
    [("heun", 0.4, 0.1), ("heun", 0.2, 0.01), ("rk4", 0.8, 0.1), ("rk23", 0.4, 0.1), ("euler", 0.05, 0.1)],
)  # fmt: skip
def test_the_error_of_too_long_steps_is_known(method, phase, alpha):
    """A moment is a spin wave of one frequency: its mean energy is off as validate says."""
    cold, dt = 2.0, phase / GAMMA
    run = config(
        precision="single",
        mesh={"cells": [64, 64, 1], "cell_size": [5e-9] * 3},
        material={"Ms": MS, "alpha": alpha},
        energy={"zeeman": {"B": [0, 0, 1]}, "thermal": {"temperature": cold}},
    )
    up = np.zeros((1, 3, 1, 64, 64))
    up[0, 2] = 1
    made = stepper(run, get_backend("cpu"), up, method, dt=dt)
    x = MS * 125e-27 / (K_B * cold)
    relaxation = 1 / (2 * alpha * GAMMA)
    values = []
    for i in range(40):
        advance(made, (8 + i) * relaxation, 100_000)
        values.append(1 - float(made.engine.measure().m[0, 2]))
    measured = np.mean(values) / (1 - langevin(x)) - 1
    expected = energy_error(TABLEAUS[method], phase, alpha)
    assert abs(expected) > 0.03
    assert measured == pytest.approx(expected, abs=0.02 + 0.05 * abs(expected))


def test_the_temperature_may_differ_by_region_and_change_in_time():
    """The energy follows the temperature of the place and the moment."""
    hot = {"left": {"box": {"size": (0.32e-6, 1, 1), "center": (-0.16e-6, 0, 0)}}}
    sim = mm.Simulation(
        device="cpu",
        mesh=mm.Mesh(cells=(128, 64, 1), cell_size=(5e-9, 5e-9, 5e-9)),
        material=mm.Material(Ms=MS, alpha=0.1),
        regions=hot,
        energy=[
            mm.Zeeman(B=(0, 0, 1)),
            mm.Thermal(
                temperature={
                    "value": {"default": 100, "left": 300},
                    "waveform": {"table": {"times": [200 * PS, 201 * PS], "values": [1, 0.2]}},
                }
            ),
        ],
        initial={"uniform": {"direction": [0, 0, 1]}},
        solver={"method": "heun", "dt": 0.25 * PS},
    )
    for factor in (1.0, 0.2):
        sim.run(160 * PS)
        samples = []
        for _ in range(4):
            sim.run(10 * PS)
            samples.append(1 - np.asarray(sim.m[2], dtype=float))
        tilt = np.mean(samples, axis=0)
        for side, cells in ((300, slice(0, 64)), (100, slice(64, 128))):
            x = MS * 125e-27 / (K_B * side * factor)
            assert tilt[..., cells].mean() == pytest.approx(1 - langevin(x), rel=0.05)
