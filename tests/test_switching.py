"""Switching: the macrospin against closed forms, and what is told of runs whose content is known."""

from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from magnets import GAMMA, config
from numpy.typing import NDArray
from scipy.integrate import quad, solve_ivp

from micromag.analysis import ANALYSES
from micromag.analysis._macrospin import Macrospin, Part, passage, threshold
from micromag.analysis._switches import Switches, measure_sweep
from micromag.analysis._wall_pushes import Drive, Push
from micromag.column import Column
from micromag.constants import E_CHARGE, HBAR, MU_0
from micromag.errors import AnalysisError
from micromag.macrospin_model import macrospin_of
from micromag.output.runfile import RunFile
from micromag.output.sweep_file import Replica, SweepFile
from micromag.output.sweep_writer import file_axes, write_sweep
from micromag.output.vtkhdf import VtkhdfWriter
from micromag.wall_drive import NoModelError

NS = 1e-9
B_K, ALPHA, MS = 0.2, 0.05, 1e6
UP, DOWN = np.array([0.0, 0, 1]), np.array([0.0, 0, -1])
COLUMNS = ("t", "stage", "m_x", "m_y", "m_z")
UNITS = ("s", "", "", "", "")
KEY = "torques.tunnel_junction.voltage"
PER_VOLT = 0.1
"""a_J of the junction below [T/V]."""


def magnet(own: Any = (0, 0, B_K), alpha: float = ALPHA, **push: Any) -> Macrospin:
    given = {name: np.array(value, dtype=float) for name, value in push.items()}
    return Macrospin(np.diag(own).astype(float), Drive(MS, alpha, GAMMA, (Push(**given),)))


# --------------------------------------------------------------------------------- macrospin


@pytest.mark.parametrize("alpha", [0.01, 0.3])
def test_along_the_easy_axis_the_threshold_is_the_damping_times_the_anisotropy_field(alpha):
    def at(a: float) -> Macrospin:
        return magnet(alpha=alpha, damping_like=[0, 0, a])

    found = threshold(at, np.array([0.1, 0, -0.995]), 0.0, 0.1)
    assert found == pytest.approx(alpha * B_K, rel=1e-6)
    assert threshold(at, UP, 0.0, 0.1) is None
    assert threshold(at, UP, 0.0, -0.1) == pytest.approx(-alpha * B_K, rel=1e-6)


def test_the_threshold_is_that_of_the_torque_at_the_angle_before_switching():
    # epsilon is larger by (1 + kappa)/(1 - kappa) where m is against p.
    def at(a: float) -> Macrospin:
        return magnet(damping_like=[0, 0, a], asymmetry=[0, 0, 0.6])

    assert threshold(at, DOWN, 0.0, 0.1) == pytest.approx(0.4 * ALPHA * B_K, rel=1e-6)
    assert threshold(at, UP, 0.0, -0.1) == pytest.approx(-1.6 * ALPHA * B_K, rel=1e-6)


def test_in_the_plane_the_hard_axis_has_its_share():
    # a_c = alpha (B_k + mu0 Ms / 2)
    def at(a: float) -> Macrospin:
        return magnet((0.03, 0, -1.0), alpha=0.02, damping_like=[a, 0, 0])

    found = threshold(at, np.array([-1.0, 0, 0]), 0.0, 0.1)
    assert found == pytest.approx(0.02 * (0.03 + 0.5), rel=1e-4)


@pytest.mark.parametrize("B_x", [0.01, 0.05, -0.05])
def test_a_torque_across_the_easy_axis_ends_the_equilibrium(B_x):
    theta = np.linspace(0, np.pi / 2, 200001)
    expected = (B_K / 2 * np.sin(2 * theta) - abs(B_x) * np.cos(theta)).max()

    # sigma = -y turns a magnet along +z towards -x for a < 0: with B_x > 0 the torque for a > 0 helps.
    def at(a: float) -> Macrospin:
        return magnet(damping_like=[0, -a, 0], field=[B_x, 0, 0])

    m = np.array([0.2 * np.sign(B_x), 0, 0.9])
    ends = (0.2, -0.2) if B_x > 0 else (-0.2, 0.2)
    assert threshold(at, m, 0.0, ends[0]) == pytest.approx(np.sign(B_x) * expected, rel=1e-4)
    assert expected == pytest.approx(B_K / 2 - abs(B_x) / np.sqrt(2), rel=0.1)
    # The other way the torque pulls m off the field, and has that to overcome.
    harder = (B_K / 2 * np.sin(2 * theta) + abs(B_x) * np.cos(theta)).max()
    assert threshold(at, m, 0.0, ends[1]) == pytest.approx(-np.sign(B_x) * harder, rel=1e-4)


def test_the_time_to_the_equator_is_the_integral_over_the_angle():
    a, theta_0 = 0.025, 0.1
    speed = GAMMA / (1 + ALPHA**2)
    expected, _ = quad(
        lambda x: 1 / (speed * np.sin(x) * (a - ALPHA * B_K * np.cos(x))), theta_0, np.pi / 2
    )
    start = np.array([np.sin(theta_0), 0, -np.cos(theta_0)])
    parts = [Part(magnet(damping_like=[0, 0, a]), 2 * NS, 12 * NS)]
    time, end = passage(parts, start, 2)
    assert time == pytest.approx(expected, rel=1e-5)
    assert end == pytest.approx(1, abs=1e-6)
    assert np.isnan(passage([Part(magnet(), 0, NS)], start, 2)[0])


def test_a_pulse_acts_when_it_is_on_and_stages_follow_each_other():
    # A field along z precesses m about it without damping: here by a quarter turn in all.
    quarter = np.pi / 2 / (GAMMA * 0.1)
    half = Push(
        field=np.array([0, 0, 0.1]),
        waveform=lambda t: 1.0 if 4 * NS < t < 4 * NS + quarter / 2 else 0.0,
    )
    drive = Drive(MS, 0.0, GAMMA, (half,))
    rest = Part(magnet((0, 0, 0), alpha=0.0), 0.0, 4 * NS)
    pulse = Part(Macrospin(np.zeros((3, 3)), drive), 4 * NS, 5 * NS)
    _, end = passage([rest, pulse], np.array([1.0, 0, 0]), 0)
    assert end == pytest.approx(np.sqrt(0.5), abs=0.02)


# ------------------------------------------------------------------------- the macrospin of a run

JUNCTION = {"a1": PER_VOLT * MS * 5e-9, "p": [0, 0, 1]}


def junction(voltage: float, **more: Any) -> Any:
    return config(
        material={"Ms": MS, "alpha": ALPHA, "gamma": GAMMA},
        energy={
            "uniaxial_anisotropy": {"Ku1": B_K * MS / 2, "axis": [0, 0, 1]},
            **more.pop("energy", {}),
        },
        torques={"tunnel_junction": {"voltage": voltage, **JUNCTION}},
        schedule=[{"run": {"for": 10 * NS}}],
        **more,
    )


def write_run(path: Path, made: Any, t: NDArray[Any], m: NDArray[Any]) -> RunFile:
    writer = VtkhdfWriter(
        path,
        made.mesh,
        {"m": 3},
        columns=[Column(n, u, integer=n == "stage") for n, u in zip(COLUMNS, UNITS, strict=True)],
        config_text=made.resolved_yaml(),
        static={"Ms": np.full(made.mesh.shape, MS)},
    )
    writer.append_rows(np.stack([t, np.zeros_like(t), *m], axis=1))
    writer.write_snapshot(
        0.0, {"m": np.broadcast_to(DOWN[:, None, None, None], (3, *made.mesh.shape))}
    )
    writer.close("finished")
    return RunFile(path)


def spiral(voltage: float, t: NDArray[Any]) -> NDArray[Any]:
    """Return m of a macrospin that starts 0.1 rad off -z, from the equation of its angle alone."""
    speed, a = GAMMA / (1 + ALPHA**2), PER_VOLT * voltage
    way = solve_ivp(
        lambda t, x: speed * np.sin(x) * (a - ALPHA * B_K * np.cos(x)),
        (0, t[-1]), [0.1], t_eval=t, rtol=1e-9,
    )  # fmt: skip
    theta = way.y[0]
    return np.stack([np.sin(theta), np.zeros_like(theta), -np.cos(theta)])


@pytest.fixture
def swept(tmp_path: Path) -> SweepFile:
    voltages, t = [-0.2, 0.05, 0.09, 0.15, 0.25], np.linspace(0, 10 * NS, 2001)
    axis = SimpleNamespace(
        name=KEY, keys=(KEY,), values=tuple({KEY: v} for v in voltages),
        labels=tuple(f"voltage = {v} V" for v in voltages), units={KEY: "V"},
    )  # fmt: skip
    replicas, tables = [], {}
    for i, v in enumerate(voltages):
        path = tmp_path / f"replica_{i:04d}.vtkhdf"
        tables[i] = write_run(path, junction(v), t, spiral(v, t)).table
        replicas.append(Replica(i, (i,), {KEY: v}, axis.labels[i], "finished", path))
    columns = [Column(n, u) for n, u in zip(COLUMNS, UNITS, strict=True)]
    write_sweep(
        tmp_path / "sweep.h5", file_axes([axis], columns), replicas, columns, tables,
        junction(0.1).resolved_yaml(), {},
    )  # fmt: skip
    return SweepFile(tmp_path)


def measured(sweep: SweepFile) -> Switches:
    return measure_sweep(sweep, column="m_z", stage=None, against=None)


def test_a_sweep_is_told_beside_its_macrospin(swept):
    found = measured(swept)
    assert (found.against, found.unit) == (KEY, "V")
    [curve] = found.curves
    assert [p.found.switched for p in curve.points] == [False, False, False, True, True]
    [limit] = curve.thresholds
    assert limit == pytest.approx(ALPHA * B_K / PER_VOLT, rel=1e-4)
    for p in curve.points[3:]:
        assert p.model.time == pytest.approx(p.found.time, rel=1e-4)
        assert p.model.switched


def test_a_sweep_leaves_a_table_and_a_picture(swept):
    told = ANALYSES.get("switching").model_validate({}).report_sweep(swept, swept.folder)
    assert "m_z begins to switch between voltage = 90 mV and 150 mV" in told[0]
    assert "becomes unstable at 100 mV" in told[0]
    assert (
        "does not switch up to voltage = -200 mV; a slowly driven macrospin stays stable" in told[0]
    )
    with (swept.folder / "switching.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["switched"] for row in rows] == ["no", "no", "no", "yes", "yes"]
    assert float(rows[4]["model_time (s)"]) == pytest.approx(float(rows[4]["time (s)"]), rel=1e-4)
    assert (swept.folder / "switching.png").stat().st_size > 10_000


def test_a_run_is_told_beside_its_macrospin(swept):
    told = ANALYSES.get("switching").model_validate({}).report(swept.run(3))
    assert told.startswith("m_z goes from -0.995 to 1: it switches, passing 0 at ")
    assert told.count("passing 0 at") == 2
    assert "it does not switch; a macrospin with the same fields and torques does not." in (
        ANALYSES.get("switching").model_validate({}).report(swept.run(1))
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"column": "m_y"}, "neither side of 0"), ({"stage": 3}, "no row of stage 3")],
)
def test_a_switch_that_cannot_be_told(swept, parameters, message):
    with pytest.raises(AnalysisError, match=message):
        ANALYSES.get("switching").model_validate(parameters).report(swept.run(3))


def test_a_key_that_is_not_swept(swept):
    with pytest.raises(AnalysisError, match=r"'material.alpha' is not swept"):
        measure_sweep(swept, column="m_z", stage=None, against="material.alpha")


def test_the_own_field_of_a_box_is_its_demagnetizing_field_and_anisotropy(tmp_path):
    mesh = {"cells": [8, 4, 4], "cell_size": [1e-9, 1e-9, 1e-9]}
    made = junction(0.1, mesh=mesh, energy={"demag": {}, "exchange": {"A": 1e-11}})
    still = np.tile(DOWN[:, None], 2)
    found = macrospin_of(write_run(tmp_path / "a.vtkhdf", made, np.array([0, NS]), still), 0)
    N = np.array([0.1983162, 0.4008419, 0.4008419])  # A. Aharoni, J. Appl. Phys. 83, 3432 (1998)
    expected = -MU_0 * MS * np.diag(N)
    expected[2, 2] += B_K
    # Of the energy only differences between directions matter.
    off = found.tensor - expected
    np.testing.assert_allclose(off, off[0, 0] * np.eye(3), atol=2e-6)
    np.testing.assert_allclose(found.drive.at(0)[0].damping_like, [0, 0, 0.1 * PER_VOLT * 5 / 4])


def test_an_energy_of_higher_order_has_no_such_tensor(tmp_path):
    made = junction(0.1, energy={"cubic_anisotropy": {"Kc1": 1e4, "axis1": "+x", "axis2": "+y"}})
    run = write_run(tmp_path / "a.vtkhdf", made, np.array([0, NS]), np.tile(DOWN[:, None], 2))
    with pytest.raises(NoModelError, match="not quadratic"):
        macrospin_of(run, 0)
    told = ANALYSES.get("switching").model_validate({}).report(run)
    assert "no macrospin beside it" in told


# ------------------------------------------------------------------------- fields of a current at rest

B_DL, B_FL = 12e-3, -7e-3


def tilted(folder: Path, torque: float = 0.0, *, others: Any = None, **more: Any) -> RunFile:
    """A magnet at rest under a current along x in a metal below it, from an independent relaxation."""
    sigma, J, theta = np.array([0.0, -1, 0]), 1e11, 2 * E_CHARGE * MS * 5e-9 / HBAR / 1e11
    m = np.array([0.1, 0.1, 0.98])
    for _ in range(20000):
        field = np.array([0, 0, B_K * m[2]]) + B_FL * sigma + B_DL * np.cross(m, sigma)
        m = m - 0.05 / B_K * np.cross(m, np.cross(m, field))
        m /= np.linalg.norm(m)
    efficiencies = {"theta_DL": theta * B_DL, "theta_FL": theta * B_FL}
    made = config(
        material={"Ms": MS, "alpha": ALPHA, "gamma": GAMMA},
        energy={"uniaxial_anisotropy": {"Ku1": B_K * MS / 2, "axis": [0, 0, 1]}},
        torques={
            "spin_orbit": {"J": [J, 0, 0], "normal": "+z", **efficiencies, **more},
            **(others or {}),
        },
        schedule=[{"relax": {"currents": True}}],
    )
    columns = [Column(n, u, integer=n == "stage") for n, u in zip(COLUMNS, UNITS, strict=True)]
    writer = VtkhdfWriter(
        folder / "run.vtkhdf", made.mesh, {"m": 3}, columns=[*columns, Column("max_torque", "T")],
        config_text=made.resolved_yaml(), static={"Ms": np.full(made.mesh.shape, MS)},
    )  # fmt: skip
    writer.append_rows(np.array([[0.0, 0, *m, torque]]))
    writer.close("finished")
    return RunFile(folder / "run.vtkhdf")


def test_the_tilt_of_a_magnet_tells_both_fields_of_the_current(tmp_path):
    analysis = ANALYSES.get("spin_orbit_efficiency").model_validate({})
    found = analysis.fields(tilted(tmp_path))
    thickness = config().mesh.size[2]
    assert found.damping_like == pytest.approx(B_DL, rel=1e-4)
    assert found.field_like == pytest.approx(B_FL, rel=1e-4)
    assert found.per_angle == pytest.approx(HBAR * 1e11 / (2 * E_CHARGE * MS * thickness))


def test_fields_of_the_current_that_are_no_spin_hall_effect_count_in_the_theory(tmp_path):
    run = tilted(tmp_path, field_per_current=1e-14)  # 1 mT more at 1e11 A/m^2
    told = ANALYSES.get("spin_orbit_efficiency").model_validate({}).report(run)
    unit = HBAR * 1e11 / (2 * E_CHARGE * MS * config().mesh.size[2])
    field_like = B_FL / unit
    assert (
        f"theory has theta_DL = {B_DL / unit:.4g}, theta_FL = {field_like + 1e-3 / unit:.4g} "
        in told
    )
    assert f"(of it {1e-3 / unit:.4g} by other fields of the current along sigma)" in told


def test_efficiencies_need_rest_and_one_torque(tmp_path):
    analysis = ANALYSES.get("spin_orbit_efficiency").model_validate({})
    with pytest.raises(AnalysisError, match="not at rest"):
        analysis.report(tilted(tmp_path, torque=1e-3))
    (tmp_path / "two").mkdir()
    run = tilted(tmp_path / "two", others={"spin_torque": {"B_DL": 1e-3, "sigma": [0, 0, 1]}})
    with pytest.raises(AnalysisError, match="one torque, spin_orbit"):
        analysis.report(run)
