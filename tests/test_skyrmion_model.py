"""The Thiele equation against closed forms, and the velocity of a skyrmion whose path is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from magnets import GAMMA, config
from numpy.typing import NDArray

from micromag.analysis import ANALYSES
from micromag.column import Column
from micromag.errors import AnalysisError
from micromag.mesh import Mesh
from micromag.output.runfile import RunFile
from micromag.output.vtkhdf import VtkhdfWriter
from micromag.simulation import Simulation
from micromag.skyrmion_model import rigid_velocity, thiele
from micromag.wall_drive import NoModelError

NS = 1e-9
MESH = Mesh(cells=(240, 240, 1), cell_size=(1e-9, 1e-9, 1e-9))
SMALL = {"cells": [48, 48, 1], "cell_size": [2e-9, 2e-9, 1e-9], "periodic": [1, 1, 0]}


def places(mesh: Mesh) -> tuple[NDArray[Any], NDArray[Any]]:
    x, y = (
        (np.arange(n) - (n - 1) / 2) * d
        for n, d in zip(mesh.cells[:2], mesh.cell_size, strict=False)
    )
    return x[None, None, :], y[None, :, None]


def belavin_polyakov(mesh: Mesh, radius: float) -> NDArray[Any]:
    """Return w = (x + i y)/R projected from the sphere: Q = -1, and D = 4 pi exactly."""
    x, y = places(mesh)
    r2 = (x**2 + y**2) / radius**2
    return np.stack([2 * x / radius + 0 * r2, 2 * y / radius + 0 * r2, r2 - 1]) / (1 + r2)


def drifting(m: NDArray[Any], u: tuple[float, float], beta: float, mesh: Mesh) -> NDArray[Any]:
    """Return -(u . grad) m + beta m x (u . grad) m."""
    dx, dy = mesh.cell_size[:2]
    along = u[0] * np.gradient(m, dx, axis=3) + u[1] * np.gradient(m, dy, axis=2)
    return -along + beta * np.cross(m, along, axis=0)


@pytest.mark.parametrize("alpha", [0.02, 0.5])
def test_with_beta_equal_to_alpha_a_texture_drifts_with_the_electrons(alpha):
    m = belavin_polyakov(MESH, 8e-9)
    v = thiele(m, drifting(m, (10.0, -3.0), alpha, MESH), alpha, MESH)
    assert v == pytest.approx([10, -3], rel=0.01)


@pytest.mark.parametrize(("alpha", "beta"), [(0.3, 0.0), (0.1, 0.4)])
def test_the_hall_angle_of_a_known_skyrmion(alpha, beta):
    # (G - alpha D) v = (G - beta D) u with G_xy = 4 pi Q = -4 pi and D = 4 pi
    m = belavin_polyakov(MESH, 8e-9)
    G, D = np.array([[0, -1.0], [1, 0]]), np.eye(2)
    u = np.array([10.0, 0])
    expected = np.linalg.solve(G - alpha * D, (G - beta * D) @ u)
    v = thiele(m, drifting(m, (10.0, 0.0), beta, MESH), alpha, MESH)
    assert v == pytest.approx(expected, rel=0.02, abs=0.05)


def test_a_uniform_magnet_has_no_velocity():
    up = np.zeros((3, *MESH.shape))
    up[2] = 1
    with pytest.raises(NoModelError, match="no gradient"):
        thiele(up, 0 * up, 0.1, MESH)


# ------------------------------------------------------------------------------ finished runs


def driven(**torque: Any) -> Any:
    return config(
        mesh=SMALL,
        material={"Ms": 580e3, "alpha": 0.3, "gamma": GAMMA},
        energy={"exchange": {"A": 15e-12}},
        torques=torque,
        initial={"skyrmion": {"kind": "neel", "radius": 12e-9, "width": 5e-9}},
        schedule=[{"run": {"for": 4 * NS}}],
    )


def moved(folder: Path, made: Any, v: tuple[float, float], lost: bool = False) -> RunFile:
    """Write a run whose skyrmion goes at v and comes back on the other side of the mesh."""
    mesh = made.mesh
    t = np.linspace(0, 4 * NS, 81)
    size = np.array(mesh.size[:2])
    x = (np.array(v)[:, None] * t + size[:, None] / 2) % size[:, None] - size[:, None] / 2
    if lost:
        x[:, -5:] = np.nan
    names = ("t", "stage", "skyrmion_x", "skyrmion_y")
    writer = VtkhdfWriter(
        folder / "run.vtkhdf", mesh, {"m": 3},
        columns=[
            Column(n, u, integer=n == "stage") for n, u in zip(names, ("s", "", "m", "m"), strict=True)
        ],
        config_text=made.resolved_yaml(),
        static={"Ms": np.full(mesh.shape, 580e3)},
    )  # fmt: skip
    writer.append_rows(np.stack([t, 0 * t, *x], axis=1))
    writer.write_snapshot(4 * NS, {"m": belavin_polyakov(mesh, 8e-9)})
    writer.close("finished")
    return RunFile(folder / "run.vtkhdf")


def test_a_path_across_the_edge_of_a_periodic_mesh(tmp_path):
    analysis = ANALYSES.get("skyrmion_hall_angle").model_validate({})
    run = moved(tmp_path, driven(), (60.0, -30.0))
    assert analysis.velocity(run) == pytest.approx([60, -30], rel=1e-9)
    told = analysis.report(run)
    assert "moves at (60.00, -30.00) m/s, at -26.6 degrees to the x axis" in told
    assert "no Thiele equation beside it: the run has no torque of a current" in told


def test_the_engine_gives_the_force_of_the_drift(tmp_path):
    made = driven(zhang_li={"u": [20.0, 5.0, 0], "beta": 0.3})
    run = moved(tmp_path, made, (20.0, 5.0))
    # A wall of 5 nm in cells of 2 nm: the gradient of the torque misses up to (2/5)^2/6 = 2.7 % of it.
    v = rigid_velocity(run, 0, np.asarray(Simulation(made).m, dtype=float))
    assert v == pytest.approx([20, 5], rel=0.027)
    assert np.hypot(*v) < np.hypot(20, 5)


def test_currents_in_time_have_no_rigid_velocity(tmp_path):
    wave = {"value": [20.0, 0, 0], "waveform": {"sine": {"frequency": 1e9}}}
    run = moved(tmp_path, driven(zhang_li={"u": wave, "beta": 0.3}), (20.0, 5.0))
    with pytest.raises(NoModelError, match="changes in time"):
        rigid_velocity(run, 0, np.asarray(run.field("m", 0), dtype=float))


def test_a_skyrmion_that_is_lost(tmp_path):
    run = moved(tmp_path, driven(), (60.0, -30.0), lost=True)
    with pytest.raises(AnalysisError, match="no skyrmion any more"):
        ANALYSES.get("skyrmion_hall_angle").model_validate({}).report(run)
    with pytest.raises(AnalysisError, match="too few rows"):
        ANALYSES.get("skyrmion_hall_angle").model_validate({"after": "3.95 ns"}).report(run)
