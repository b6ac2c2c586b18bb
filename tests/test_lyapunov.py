"""Lyapunov exponents: closed forms near rest, and an independent integration in chaos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from magnets import GAMMA, config
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy.integrate import solve_ivp

from micromag.analysis import ANALYSES
from micromag.analysis._macrospin import Macrospin, parting
from micromag.analysis._wall_pushes import Drive, Push
from micromag.analysis.lyapunov import exponent_of
from micromag.column import Column
from micromag.errors import AnalysisError
from micromag.output.runfile import RunFile
from micromag.output.vtkhdf import VtkhdfWriter

NS = 1e-9
ALPHA, FIELD, MS = 0.05, 0.2, 8e5


def run_of(folder: Path, m: tuple[float, float, float], **sections: Any) -> RunFile:
    """Return a finished run of 1 ns that ends with all moments along m."""
    made = config(
        material={"Ms": MS, "alpha": ALPHA, "gamma": GAMMA},
        schedule=[{"run": {"for": NS}}],
        **sections,
    )
    names = ("t", "stage")
    writer = VtkhdfWriter(
        folder / "run.vtkhdf",
        made.mesh,
        {"m": 3},
        columns=[Column(n, u, integer=n == "stage") for n, u in zip(names, ("s", ""), strict=True)],
        config_text=made.resolved_yaml(),
        static={"Ms": np.full(made.mesh.shape, MS)},
    )
    writer.append_rows(np.array([[0.0, 0], [NS, 0]]))
    full = np.broadcast_to(np.array(m)[:, None, None, None], (3, *made.mesh.shape))
    writer.write_snapshot(NS, {"m": full})
    writer.close("finished")
    return RunFile(folder / "run.vtkhdf")


def lyapunov(**parameters: Any) -> Any:
    return ANALYSES.get("lyapunov").model_validate({"for": 4 * NS, "every": 0.1 * NS, **parameters})


def test_neighbours_meet_at_rest_as_damping_says(tmp_path):
    run = run_of(tmp_path, (0, 0, 1), energy={"zeeman": {"B": [0, 0, FIELD]}})
    expected = -ALPHA * GAMMA * FIELD / (1 + ALPHA**2)
    for found in (lyapunov().exponent(run), lyapunov().model(run)):
        assert found.value == pytest.approx(expected, rel=1e-3)
    told = lyapunov().report(run)
    assert told.startswith("The largest Lyapunov exponent is -1.76 +- ")
    assert "order, neighbouring states meet; a linearised macrospin gives -1.76 +- " in told


def test_neighbours_part_at_an_unstable_equilibrium(tmp_path):
    # Against the field deviations grow as fast as they decay along it, and leave m where it is.
    run = run_of(tmp_path, (0, 0, -1), energy={"zeeman": {"B": [0, 0, FIELD]}})
    found = lyapunov(**{"for": 2 * NS}).exponent(run)
    assert found.value == pytest.approx(ALPHA * GAMMA * FIELD / (1 + ALPHA**2), rel=1e-4)
    assert "chaos, neighbouring states part by e in 5" in lyapunov(**{"for": 2 * NS}).report(run)


DRIVEN = {
    "energy": {
        "uniaxial_anisotropy": {"Ku1": -0.4 * MS, "axis": [0, 0, 1]},
        "zeeman": {"B": {"value": [80e-3, 0, 0], "waveform": {"sine": {"frequency": 4e9}}}},
    },
    "torques": {"spin_torque": {"B_DL": 5e-3, "sigma": [0, 0, 1]}},
}


def independent(t: float, y: NDArray[Any]) -> NDArray[Any]:
    """Return the rates of m and of a deviation e of the same magnet, from the equation's derivative."""
    m, e = y[:3], y[3:]

    def own(v: NDArray[Any]) -> NDArray[Any]:
        return np.array([0, 0, -0.8 * v[2]])

    drive, z = np.array([80e-3 * np.sin(2 * np.pi * 4e9 * t), 0, 0]), np.array([0, 0, 1.0])
    B, dB = own(m) + drive + 5e-3 * np.cross(m, z), own(e) + 5e-3 * np.cross(e, z)
    torque, change = np.cross(m, B), np.cross(e, B) + np.cross(m, dB)
    rate = torque + ALPHA * np.cross(m, torque)
    rates = change + ALPHA * (np.cross(e, torque) + np.cross(m, change))
    return -GAMMA / (1 + ALPHA**2) * np.concatenate([rate, rates])


@pytest.mark.slow
def test_the_exponent_of_a_driven_moment_is_that_of_its_linearised_equation(tmp_path):
    run = run_of(tmp_path, (1, 0, 0), **DRIVEN)
    analysis = lyapunov(**{"for": 60 * NS, "every": 0.05 * NS})
    found, model = analysis.exponent(run), analysis.model(run)
    grown, y = [], np.array([1.0, 0, 0, 0, 1, 0])
    for k in range(1200):
        span = (NS + 0.05 * NS * k, NS + 0.05 * NS * (k + 1))
        y = solve_ivp(independent, span, y, method="DOP853", rtol=1e-8, atol=1e-10).y[:, -1]
        y[:3] /= np.linalg.norm(y[:3])
        grown.append(np.log(np.linalg.norm(y[3:])))
        y[3:] /= np.linalg.norm(y[3:])
    other = exponent_of(np.array(grown), 0.05 * NS)
    for each in (found, model):
        assert abs(each.value - other.value) < 4 * np.hypot(each.error, other.error)
    # Both have the same path for some time, and there the same growth.
    assert analysis.model(run).value == model.value


def test_a_small_deviation_grows_by_the_linearised_equation():
    # Without damping, in a field along z: the deviation keeps its length; with a torque it shrinks.
    still = Macrospin(np.zeros((3, 3)), Drive(MS, 0.0, GAMMA, (Push(field=np.array([0, 0, 0.1])),)))
    assert parting(still, np.array([0.6, 0, 0.8]), 0.0, 0.1 * NS, 20) == pytest.approx(0, abs=1e-4)


def test_mean_and_error_of_rates():
    grown = np.concatenate([np.full(10, 9.0), np.tile([1.0, 3.0], 45)])
    found = exponent_of(grown, 2.0)
    assert found.value == pytest.approx(1.0)
    # Ten blocks of nine: 1 3 1 ... 1 and 3 1 3 ... 3 in turn.
    means = [(5 * 1 + 4 * 3) / 18, (4 * 1 + 5 * 3) / 18] * 5
    assert found.error == pytest.approx(np.std(means, ddof=1) / np.sqrt(10))


def test_an_exponent_that_cannot_be_told(tmp_path):
    run = run_of(tmp_path, (0, 0, 1), energy={"zeeman": {"B": [0, 0, FIELD]}})
    with pytest.raises(AnalysisError, match="no row of stage 2"):
        lyapunov(stage=2).report(run)
    with pytest.raises(ValidationError, match="10 intervals are too few to tell a rate"):
        lyapunov(**{"for": NS})


def test_noise_has_no_exponent(tmp_path):
    thermal = {"zeeman": {"B": [0, 0, FIELD]}, "thermal": {"temperature": 300}}
    run = run_of(tmp_path, (0, 0, 1), energy=thermal, solver={"method": "heun", "dt": 1e-14})
    with pytest.raises(AnalysisError, match="with noise"):
        lyapunov().report(run)


def test_a_texture_has_no_macrospin(tmp_path):
    run = run_of(tmp_path, (0, 0, 0.5), energy={"zeeman": {"B": [0, 0, FIELD]}})
    with pytest.raises(AnalysisError, match="not parallel"):
        lyapunov().model(run)
