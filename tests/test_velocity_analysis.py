"""The velocity of a wall from rows whose content is known, and the curves of a fabricated sweep."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from micromag.analysis._track import Motion, correlation_time, fit_line, follow
from micromag.analysis._velocities import Velocities
from micromag.analysis.wall_velocity import WallVelocity
from micromag.column import Column
from micromag.config import RunConfig, load_config
from micromag.constants import E_CHARGE, MU_0, MU_B
from micromag.errors import AnalysisError, ConfigErrors
from micromag.output.runfile import RunFile
from micromag.output.sweep_file import Replica, SweepFile
from micromag.output.sweep_writer import file_axes, write_sweep
from micromag.output.vtkhdf import VtkhdfWriter
from micromag.plot.velocity_figure import velocity_figure
from micromag.wall_drive import NoModelError
from micromag.wall_model import drive_of, wall_of

NS, NM, PS = 1e-9, 1e-9, 1e-12
DELTA = 5 * NM
Array = NDArray[np.float64]


def moves(x: Array, t: Array, angle: Array | None = None, after: float = 0.0) -> Motion:
    return follow(t, x, angle, after=after, width=DELTA)


# ------------------------------------------------------------------- slope and standard error


def noise(rng: np.random.Generator, n: int, memory: float) -> Array:
    """Return n values of variance 1 of a first-order autoregressive process."""
    kicks = rng.normal(size=n)
    values = np.empty(n)
    values[0] = kicks[0]
    for i in range(1, n):
        values[i] = memory * values[i - 1] + np.sqrt(1 - memory**2) * kicks[i]
    return values


@pytest.mark.parametrize(("memory", "rows"), [(0.0, 60), (0.5, 200), (0.9, 600)])
def test_the_true_velocity_lies_within_the_standard_error_as_often_as_it_should(memory, rows):
    # A normal distribution has 68.3 % within one and 95.4 % within two; 400 series tell these to
    # 2.3 % and 1.0 % (one standard deviation). The error of an error at 30 independent values
    # costs a few percent more.
    rng = np.random.default_rng(7)
    t = np.arange(rows) * 20 * PS
    off = []
    for _ in range(400):
        v, error = fit_line(t, 12 * t + 0.2 * NM * noise(rng, rows, memory))
        off.append(abs(v - 12) / error)
    assert 0.62 < np.mean(np.array(off) < 1) < 0.76
    assert 0.90 < np.mean(np.array(off) < 2) < 0.985


def test_least_squares_alone_would_be_wrong_about_correlated_rows():
    rng = np.random.default_rng(7)
    values = np.concatenate([noise(rng, 4000, 0.9)])
    # tau = (1 + rho)/(1 - rho) of this process
    assert correlation_time(values - values.mean()) == pytest.approx(19, rel=0.3)
    assert correlation_time(rng.normal(size=4000)) == pytest.approx(1, abs=0.1)


def test_an_exact_line_has_no_error():
    t = np.linspace(0, 4 * NS, 201)
    motion = moves(-15 * t + 3 * NM, t, after=1 * NS)
    assert motion.kind == "steady"
    assert motion.velocity == pytest.approx(-15, rel=1e-9)
    assert motion.error < 1e-9
    assert motion.displacement == pytest.approx(-60 * NM)
    assert (motion.begin, motion.end) == pytest.approx((1 * NS, 4 * NS))


def test_a_wall_that_speeds_up_is_called_so_and_its_error_holds_the_difference():
    t = np.linspace(0, 4 * NS, 201)
    motion = moves(10 * t + 0.5 * 2e9 * t**2, t)  # from 10 to 18 m/s
    assert motion.kind == "unsettled"
    assert motion.velocity == pytest.approx(14, rel=0.01)
    # The halves move at 12 and 16 m/s.
    assert (motion.early, motion.late) == pytest.approx((12, 16), rel=0.02)
    assert motion.error > 1.9
    assert motion.lowest < 12 < 16 < motion.highest


# --------------------------------------------------------------------------- whole periods


def walker(t: Array, mean: float, period: float, swing: float) -> tuple[Array, Array]:
    """Return x and an angle that turns once in two periods; x swings once a period."""
    phase = 2 * np.pi * t / period
    return mean * t + swing * np.sin(phase + 0.7), phase / 2


@pytest.mark.parametrize("cycles", [1.4, 2.7, 5.5])
@pytest.mark.parametrize("sense", [1, -1])
def test_turning_walls_are_averaged_over_whole_periods(cycles, sense):
    period = 1.3 * NS
    t = np.linspace(0, cycles * period, 400)
    x, angle = walker(t, -20.0, period, 12 * NM)
    wrapped = np.angle(np.exp(1j * sense * angle))
    motion = moves(x, t, wrapped)
    assert motion.kind == "oscillating"
    assert motion.periods == int(cycles)
    assert motion.period == pytest.approx(period, rel=1e-3)
    assert motion.period_from == "wall_angle"
    assert motion.velocity == pytest.approx(-20, abs=0.01)
    # A straight line over all rows is off by more than that.
    assert abs(np.polyfit(t, x, 1)[0] + 20) > 0.03


def test_half_turns_that_last_differently_are_not_taken_for_periods():
    # dphi/dt = a + b cos(phi): the two halves of a turn last differently, x swings once a turn.
    t = np.linspace(0, 12 * NS, 4000)
    angle, dt = np.zeros_like(t), t[1]
    for i in range(1, len(t)):
        angle[i] = angle[i - 1] + dt * (4e9 + 2.5e9 * np.cos(angle[i - 1]))
    turn = 2 * np.pi / np.sqrt(4e9**2 - 2.5e9**2)
    x = 7 * t + 9 * NM * np.sin(angle)
    motion = moves(x, t, np.angle(np.exp(1j * angle)))
    assert motion.period == pytest.approx(turn, rel=2e-3)
    assert motion.periods == int(12 * NS / turn)
    assert motion.velocity == pytest.approx(7, rel=2e-3)


def test_without_the_angle_the_period_is_found_from_the_position():
    period = 0.9 * NS
    t = np.linspace(0, 5 * NS, 300)
    x, _ = walker(t, 30.0, period, 8 * NM)
    motion = moves(x + 0.1 * NM * np.random.default_rng(3).normal(size=300), t)
    assert (motion.kind, motion.period_from) == ("oscillating", "wall_position")
    assert motion.period == pytest.approx(period, rel=0.02)
    assert motion.velocity == pytest.approx(30, abs=3 * motion.error + 0.3)


def test_less_than_a_period_is_told_with_bounds():
    t = np.linspace(0, 1 * NS, 200)
    x, angle = walker(t, -20.0, 1.6 * NS, 12 * NM)
    motion = moves(x, t, angle)
    assert motion.kind == "unsettled"
    assert motion.periods == 0
    assert motion.lowest < -20 < motion.highest


def test_an_angle_that_creeps_past_the_threshold_is_not_steady():
    # Near the threshold the wall lingers at 45 degrees, and its velocity hardly changes meanwhile.
    t = np.linspace(0, 3 * NS, 200)
    motion = moves(-80 * t, t, np.pi / 4 + 0.05e9 * t)
    assert motion.kind == "unsettled"


# ----------------------------------------------------------------- walls at rest, walls lost


def test_a_wall_whose_angle_turns_where_it_is_held_is_at_rest():
    # beta = alpha and no hard axis: nothing stops the angle of a captured wall.
    t = np.linspace(0, 6 * NS, 300)
    motion = moves(-67 * NM * (1 - np.exp(-t / (0.3 * NS))), t, 3e9 * t, after=2 * NS)
    assert motion.kind == "pinned"
    assert abs(motion.velocity) < 0.01
    assert motion.begin > 4.4 * NS  # the rest, not the way there


@pytest.mark.parametrize("turns", [1.6, 2.5, 4.5, 30.5])
@pytest.mark.parametrize("lasting", [0.5, 1.0, 3.0])
def test_a_wall_that_slows_down_while_its_angle_turns_has_no_mean_over_periods(turns, lasting):
    t = np.linspace(0, 4 * NS, 800)
    x = -60 * NM * (1 - np.exp(-t / (lasting * NS)))
    x += 0.5 * NM * np.sin(2 * np.pi * turns * t / t[-1])
    motion = moves(x, t, np.pi * turns * t / t[-1])
    assert motion.kind == "unsettled"
    assert motion.lowest < motion.late < motion.highest


def test_a_whole_period_without_a_second_look_is_not_settled():
    t = np.linspace(0, 1.05 * NS, 200)
    x, angle = walker(t, -20.0, 1 * NS, 12 * NM)
    assert moves(x, t, angle).kind == "unsettled"


def test_periods_that_scatter_are_periods():
    # Noise of the position, as at a temperature: the periods differ, but not early and late ones.
    rng = np.random.default_rng(5)
    for _ in range(20):
        t = np.linspace(0, 10 * NS, 800)
        x, angle = walker(t, -20.0, 1 * NS, 12 * NM)
        motion = moves(x + 2 * NM * rng.normal(size=800), t, angle)
        assert motion.kind == "oscillating"
        assert abs(motion.velocity + 20) < 4 * motion.error


@pytest.mark.parametrize("swing", [0.0, 3 * NM])
def test_a_wall_that_comes_to_rest(swing):
    t = np.linspace(0, 6 * NS, 300)
    x = swing * (1 - np.exp(-t / (0.7 * NS)))
    motion = moves(x, t, after=2 * NS)
    assert motion.kind == "pinned"
    assert abs(motion.velocity) < 0.1
    assert motion.displacement == pytest.approx(swing, abs=0.01 * NM)


def test_a_wall_that_settles_back_by_a_few_hundredths_of_its_width_is_at_rest():
    t = np.linspace(0, 20 * NS, 1000)
    x = -8 * NM * (1 - np.exp(-t / (1.5 * NS))) + 0.04 * t
    assert moves(x, t, after=8 * NS).kind == "pinned"  # back by 0.48 nm of 5


def test_a_slow_wall_is_not_taken_for_one_at_rest():
    t = np.linspace(0, 2 * NS, 200)
    assert moves(0.2 * t, t).kind == "steady"  # 0.4 nm of 5
    assert moves(0.2 * t, t, after=1 * NS).kind == "steady"


def test_a_lost_wall_is_followed_up_to_its_loss():
    t = np.linspace(0, 4 * NS, 401)
    x = np.where(t < 3 * NS, 50 * t, np.nan)
    x[-5:] = 0.0  # another wall
    motion = moves(x, t, after=1 * NS)
    assert motion.kind == "lost"
    assert motion.velocity == pytest.approx(50, rel=1e-6)
    assert motion.end < 3 * NS


def test_a_wall_lost_before_the_window_has_no_velocity():
    t = np.linspace(0, 4 * NS, 401)
    motion = moves(np.where(t < 1 * NS, 50 * t, np.nan), t, after=2 * NS)
    assert motion.kind == "lost"
    assert np.isnan(motion.velocity)


# ---------------------------------------------------------------------------------- a sweep

MESH = {"cells": [128, 1, 1], "cell_size": [2e-9, 4e-9, 4e-9]}
A, K, KP, MS, ALPHA = 1.3e-11, 5e5, 5e4, 8e5, 0.1
WIDTH = np.sqrt(A / K)
COLUMNS = ("t", "stage", "wall_position", "wall_width", "wall_angle")
UNITS = ("s", "", "m", "m", "rad")


def config(**over: Any) -> RunConfig:
    """Return a run of a Neel wall with a hard axis along y, driven by a current."""
    torque = {"J": [over.pop("J", 1e11), 0, 0], "P": 1, "beta": over.pop("beta", 0.05)}
    over = {"torques": {"zhang_li": torque}, **over}
    return RunConfig.model_validate(
        {
            "mesh": MESH,
            "precision": "double",
            "material": {"Ms": MS, "alpha": over.pop("alpha", ALPHA)},
            "energy": {
                "exchange": {"A": A},
                "uniaxial_anisotropy": [
                    {"Ku1": K, "axis": [0, 0, 1]},
                    {"Ku1": -KP, "axis": [0, 1, 0]},
                ],
            },
            "initial": {"uniform": {"direction": [0, 0, 1]}},
            "schedule": ["relax", {"run": {"for": 2e-9}}],
            **over,
        }
    )


def relaxed() -> Array:
    x = (np.arange(128) - 63.5) * 2e-9 + 20e-9
    m = np.stack([1 / np.cosh(x / WIDTH), 0 * x, -np.tanh(x / WIDTH)])
    return m[:, None, None, :]


def write_run(path: Path, made: RunConfig, x: Array, t: Array, angle: Array | None = None) -> None:
    """Write a result with a relaxed wall and then these rows of stage 1."""
    writer = VtkhdfWriter(
        path,
        made.mesh,
        {"m": 3},
        columns=[Column(n, u, integer=n == "stage") for n, u in zip(COLUMNS, UNITS, strict=True)],
        config_text=made.resolved_yaml(),
        static={"Ms": np.full(made.mesh.shape, MS)},
    )
    stage = np.where(np.arange(len(t)) == 0, 0, 1)
    turned = np.zeros_like(t) if angle is None else angle
    writer.append_rows(np.stack([t, stage, x, np.full_like(t, WIDTH), turned], axis=1))
    writer.write_snapshot(0.0, {"m": relaxed()})
    writer.write_snapshot(t[-1], {"m": relaxed()})
    writer.close("finished")


def axis(key: str, values: list[Any], unit: str = "", labels: list[str] | None = None) -> Any:
    return SimpleNamespace(
        name=key,
        keys=(key,),
        values=tuple({key: v} for v in values),
        labels=tuple(labels or [f"{key} = {v}" for v in values]),
        units={key: unit},
    )


def make_sweep(folder: Path, axes: list[Any], run: Callable[..., Any], skip: int = -1) -> SweepFile:
    """Write a sweep; ``run`` gets the coordinates and returns (config, x, t, angle)."""
    replicas, tables = [], {}
    shape = tuple(len(a.values) for a in axes)
    for number, place in enumerate(np.ndindex(*shape)):
        at: dict[str, Any] = {}
        for a, i in zip(axes, place, strict=True):
            at |= a.values[i]
        path = folder / f"replica_{number:04d}.vtkhdf"
        status, message = ("failed", "NaN in m") if number == skip else ("finished", "")
        if number != skip:
            write_run(path, *run(at))
            tables[number] = RunFile(path).table
        label = ", ".join(a.labels[i] for a, i in zip(axes, place, strict=True))
        replicas.append(Replica(number, place, at, label, status, path, message))
    columns = [Column(n, u) for n, u in zip(COLUMNS, UNITS, strict=True)]
    write_sweep(
        folder / "sweep.h5", file_axes(axes, columns), replicas, columns, tables,
        config().resolved_yaml(), {},
    )  # fmt: skip
    return SweepFile(folder)


CURRENT, BETA = "torques.zhang_li.J[0]", "torques.zhang_li.beta"
RATIO = -MU_B / (E_CHARGE * MS)


def rigid(at: Mapping[str, Any]) -> tuple[RunConfig, Array, Array]:
    """Return a run whose wall moves at beta u / alpha."""
    t = np.linspace(0, 2 * NS, 101)
    J, beta = at.get(CURRENT, 1e11), at.get(BETA, 0.05)
    return config(J=J, beta=beta), beta / ALPHA * RATIO * J * t, t


@pytest.fixture
def straight(tmp_path: Path) -> SweepFile:
    currents = axis(CURRENT, [-2e11, 1e11, 3e11], "A/m^2")
    return make_sweep(tmp_path, [axis(BETA, [0.05, 0.1], "1"), currents], rigid, skip=4)


def measured(sweep: SweepFile, **parameters: Any) -> Velocities:
    return WallVelocity.model_validate(parameters).measure(sweep)


def test_a_sweep_makes_curves_with_the_model_on_them(straight):
    found = measured(straight, after=1 * NS)
    assert (found.against, found.unit) == (CURRENT, "A/m^2")
    assert [curve.label for curve in found.curves] == ["beta = 0.05", "beta = 0.1"]
    assert found.u_per_J == pytest.approx(RATIO)
    for curve, beta in zip(found.curves, (0.05, 0.1), strict=True):
        assert curve.width == pytest.approx(WIDTH, rel=1e-3)
        # 2 Delta Kp sin^2 phi is exact for this energy, on any mesh.
        assert curve.hard_axis == pytest.approx(KP, rel=1e-3)
        for p in [p for p in curve.points if p.number != 4]:
            # Walls that do not turn move at beta u / alpha in the model, whatever their width.
            assert p.model == pytest.approx(beta / ALPHA * RATIO * p.value, rel=1e-6)
            assert p.motion is not None
            assert p.motion.velocity == pytest.approx(p.model, rel=1e-6)


def test_a_sweep_leaves_a_table_and_a_picture(straight, tmp_path):
    sentences = WallVelocity(after=1e-9).report_sweep(straight, tmp_path)
    assert sentences[0].startswith("beta = 0.05: 3 walls (3 steady); the one-dimensional model:")
    assert any("No velocity of 1 of 6 runs" in s and "NaN in m" in s for s in sentences)
    with (tmp_path / "velocity.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert float(rows[1]["velocity (m/s)"]) == pytest.approx(0.5 * RATIO * 1e11, rel=1e-6)
    assert float(rows[1][f"{CURRENT} (A/m^2)"]) == 1e11
    assert float(rows[1]["u_x (m/s)"]) == pytest.approx(RATIO * 1e11)
    assert float(rows[1]["model_velocity (m/s)"]) == pytest.approx(0.5 * RATIO * 1e11, rel=1e-3)
    assert (rows[1]["motion"], rows[1]["periods"], rows[1]["period (s)"]) == ("steady", "0", "")
    assert (rows[4]["status"], rows[4]["velocity (m/s)"]) == ("failed", "")
    assert (tmp_path / "velocity.png").read_bytes().startswith(b"\x89PNG")


def test_the_picture_has_both_axes_points_and_a_thumbnail_of_every_run(straight):
    figure = velocity_figure(measured(straight, after=1 * NS))
    main, *thumbnails = figure.get_axes()
    assert main.get_xlabel() == r"current density $J$ ($10^{11}$ A/m$^2$)"
    [above] = main.child_axes
    assert above.get_xlabel() == "drift velocity $u$ (m/s)"
    # J = 1e11 A/m^2 stands below the u that belongs to it
    assert above._functions[0](1.0) == pytest.approx(RATIO * 1e11)
    assert len(main.containers) == 5
    [line] = main.containers[1].get_children()[:1]
    assert line.get_xdata() == pytest.approx([1.0])
    assert line.get_ydata() == pytest.approx([0.5 * RATIO * 1e11])
    assert sum(panel.get_visible() for panel in thumbnails) == 5


def test_thresholds_are_marked_with_their_values(tmp_path):
    # beta = 0: at rest below u_c = (2 gamma sqrt(A)/Ms)(sqrt(K + Kp) - sqrt(K)), turning above
    u_c = 2 * 1.76085963e11 * np.sqrt(A) / MS * (np.sqrt(K + KP) - np.sqrt(K))
    J_c = u_c / abs(RATIO)
    t = np.linspace(0, 2 * NS, 201)

    def run(at: Mapping[str, Any]) -> tuple[RunConfig, Array, Array, Array]:
        J = at[CURRENT]
        x, angle = walker(t, -30.0, 0.3 * NS, 5 * NM)
        above = J_c < J
        return config(J=J, beta=0.0), x if above else 0 * t, t, angle if above else 0 * t

    currents = [0.25 * J_c, 0.5 * J_c, 0.9 * J_c, 1.2 * J_c, 2 * J_c]
    sweep = make_sweep(tmp_path, [axis(CURRENT, currents, "A/m^2")], run)
    found = measured(sweep, after=0.1 * NS)
    [curve] = found.curves
    assert curve.label == ""
    kinds = [p.motion.kind for p in curve.points if p.motion]
    assert kinds == ["pinned"] * 3 + ["oscillating"] * 2
    assert curve.breakdowns == (pytest.approx(J_c, rel=2e-3),)
    assert curve.bracket(("pinned",), ("oscillating",)) == [pytest.approx((0.9 * J_c, 1.2 * J_c))]
    texts = [text.get_text() for text in velocity_figure(found).get_axes()[0].texts]
    power = 10 ** np.floor(np.log10(2 * J_c))
    assert len(texts) == 2
    assert texts[0] == rf"$J_\mathrm{{W}} = {curve.breakdowns[0] / power:.3g}$"
    assert rf"J_\mathrm{{dep}} = {0.9 * J_c / power:.3g}" in texts[1]


FREE = {"exchange": {"A": A}, "uniaxial_anisotropy": {"Ku1": K, "axis": [0, 0, 1]}}
"""Nothing that holds the angle."""


@pytest.mark.parametrize("alpha", [0.3, 0.1])
@pytest.mark.parametrize("currents", [(1e11, 2e11, 4e11), (-3e11, 1e11, 2e11)])
def test_without_a_hard_axis_a_wall_turns_at_any_current_or_at_none(tmp_path, alpha, currents):
    def run(at: Mapping[str, Any]) -> Any:
        made = config(J=at[CURRENT], beta=0.3, alpha=alpha, energy=FREE)
        t = np.linspace(0, 2 * NS, 101)
        return made, RATIO * at[CURRENT] * t, t

    sweep = make_sweep(tmp_path, [axis(CURRENT, list(currents), "A/m^2")], run)
    found = measured(sweep)
    [curve] = found.curves
    assert (curve.note, curve.hard_axis) == ("", 0)
    assert curve.breakdowns == (() if alpha == 0.3 else (0.0,))
    [text] = [s for s in WallVelocity().report_sweep(sweep, tmp_path) if "Delta" in s]
    assert ("no hard axis: it turns over at any J_x" in text) == (alpha == 0.1)
    assert "turns over from" not in text
    figure = velocity_figure(found)
    assert not figure.get_axes()[0].texts


@pytest.mark.parametrize("part", [3e-5, 3e-4])
def test_a_hard_axis_below_what_can_be_weighed_is_none(tmp_path, part):
    anisotropies = [{"Ku1": K, "axis": [0, 0, 1]}, {"Ku1": -part * K, "axis": [0, 1, 0]}]
    made = config(energy={"exchange": {"A": A}, "uniaxial_anisotropy": anisotropies})
    t = np.linspace(0, 2 * NS, 11)
    write_run(tmp_path / "run.vtkhdf", made, 0 * t, t)
    wall = wall_of(RunFile(tmp_path / "run.vtkhdf"), 1)
    assert wall.hard_axis == pytest.approx(0 if part < 1e-4 else part * K, rel=1e-3)


def test_a_width_of_a_wall_that_was_not_relaxed_is_said_to_be_so(tmp_path):
    def run(at: Mapping[str, Any]) -> Any:
        _, x, t = rigid(at)
        return config(J=at[CURRENT], schedule=[{"run": {"for": T}} for T in (5e-14, 2e-9)]), x, t

    before, after = (tmp_path / name for name in ("started", "relaxed"))
    before.mkdir()
    after.mkdir()
    started = make_sweep(before, [axis(CURRENT, [1e11, 2e11], "A/m^2")], run)
    told = WallVelocity().report_sweep(started, before)
    relaxed = make_sweep(after, [axis(CURRENT, [1e11, 2e11], "A/m^2")], rigid)
    assert "not relaxed before" not in WallVelocity().report_sweep(relaxed, after)[0]
    assert "the wall was not relaxed before" in told[0]


def test_a_velocity_that_is_not_of_a_steady_state_has_a_note(tmp_path):
    def run(at: Mapping[str, Any]) -> Any:
        t = np.linspace(0, 2 * NS, 101)
        return config(J=at[CURRENT]), at[CURRENT] * 1e-2 * t**2, t

    sweep = make_sweep(tmp_path, [axis(CURRENT, [1e11, 2e11], "A/m^2")], run)
    WallVelocity().report_sweep(sweep, tmp_path)
    with (tmp_path / "velocity.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(r["motion"], r["note"]) for r in rows] == [("unsettled", "not a steady state")] * 2


def test_without_a_velocity_there_is_no_picture(tmp_path):
    def run(at: Mapping[str, Any]) -> Any:
        t = np.linspace(0, 2 * NS, 101)
        return config(J=at[CURRENT]), np.full_like(t, np.nan), t

    sweep = make_sweep(tmp_path, [axis(CURRENT, [1e11, 2e11], "A/m^2")], run)
    with pytest.raises(AnalysisError, match=r"no run of the sweep has a velocity(.|\n)*no wall in"):
        WallVelocity().report_sweep(sweep, tmp_path)
    assert not (tmp_path / "velocity.png").exists()
    assert "no wall in the magnet" in (tmp_path / "velocity.csv").read_text()


def test_a_fit_that_would_start_after_the_end_is_an_error_of_the_run_file(tmp_path):
    path = tmp_path / "run.yaml"
    made = config(output={"table": {"every": 1e-11, "columns": ["wall_position"]}})
    path.write_text(made.resolved_yaml())
    load_config(path, ["analysis={wall_velocity: {after: 1.9 ns}}"])
    with pytest.raises(ConfigErrors, match=r"(?s)lasts no longer than 2 ns.*before its end"):
        load_config(path, ["analysis={wall_velocity: {after: 5 ns}}"])


def test_labels_of_thresholds_lie_apart_and_once_on_a_line(tmp_path):
    # Two curves with the same Walker breakdown, in the middle of where "J_dep" is written.
    J_c = 2 * 1.76085963e11 * np.sqrt(A) / MS * (np.sqrt(K + KP) - np.sqrt(K)) / abs(RATIO)
    t = np.linspace(0, 2 * NS, 201)

    def run(at: Mapping[str, Any]) -> tuple[RunConfig, Array, Array, Array]:
        x, angle = walker(t, -30.0, 0.3 * NS, 5 * NM)
        above = J_c < at[CURRENT]
        made = config(J=at[CURRENT], beta=at[BETA])
        return made, x if above else 0 * t, t, angle if above else 0 * t

    currents = axis(CURRENT, [0.9 * J_c, 1.4 * J_c, 2 * J_c], "A/m^2")
    sweep = make_sweep(tmp_path, [axis(BETA, [0.0, 1e-6], "1"), currents], run)
    figure = velocity_figure(measured(sweep, after=0.1 * NS))
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.get_axes()[0].texts]
    names = [text.get_text() for text in figure.get_axes()[0].texts]
    assert sum("{W}" in name for name in names) == 1
    assert sum("{dep}" in name for name in names) == 2
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_seeds_are_points_of_one_curve_and_named_points_make_curves(tmp_path):
    axes = [
        axis("seed", [1, 2]),
        axis(CURRENT, [1e11, 2e11], "A/m^2"),
        SimpleNamespace(
            name="points", keys=(BETA,), values=({BETA: 0.1}, {BETA: 0.05}),
            labels=("rigid", "slow"), units={BETA: "1"},
        ),
    ]  # fmt: skip
    found = measured(make_sweep(tmp_path, axes, rigid))
    assert [(curve.label, len(curve.points)) for curve in found.curves] == [
        ("rigid", 4),
        ("slow", 4),
    ]


def test_the_abscissa_can_be_chosen(straight):
    found = measured(straight, against=BETA)
    assert [curve.label for curve in found.curves] == [
        "J_x = -2e11 A/m^2", "J_x = 1e11 A/m^2", "J_x = 3e11 A/m^2",
    ]  # fmt: skip
    with pytest.raises(AnalysisError, match=f"(?s)'material.alpha' is not swept.*{BETA}"):
        measured(straight, against="material.alpha")


def test_an_abscissa_that_is_not_swept_is_an_error_of_the_run_file(tmp_path):
    path = tmp_path / "run.yaml"
    made = config(
        output={"table": {"every": 1e-11, "columns": ["wall_position"]}},
        sweep={CURRENT: [1e11, 2e11]},
    )
    path.write_text(made.resolved_yaml())
    load_config(path, [f"analysis={{wall_velocity: {{against: '{CURRENT}'}}}}"])
    with pytest.raises(ConfigErrors, match=r"(?s)'material.alpha' is not swept.*J\[0\]"):
        load_config(path, ["analysis={wall_velocity: {against: material.alpha}}"])


def test_a_torque_that_the_model_does_not_know_is_told(tmp_path, monkeypatch):
    sweep = make_sweep(tmp_path, [axis(CURRENT, [1e11, 2e11], "A/m^2")], rigid)
    from micromag import wall_drive

    monkeypatch.setattr(wall_drive, "TORQUES", {})
    [sentence, _] = WallVelocity().report_sweep(sweep, tmp_path)
    assert "no one-dimensional model: the torque zhang_li is not in" in sentence


def test_parameters_that_differ_from_place_to_place_have_no_model(tmp_path):
    def run(at: Mapping[str, Any]) -> Any:
        half = {"box": {"center": [64e-9, 0, 0], "size": [128e-9, 4e-9, 4e-9]}}
        made = config(J=at[CURRENT], alpha={"default": 0.1, "right": 0.2}, regions={"right": half})
        return (made, *rigid(at)[1:])

    sweep = make_sweep(tmp_path, [axis(CURRENT, [1e11, 2e11], "A/m^2")], run)
    [curve] = measured(sweep).curves
    assert curve.note == "material.alpha differs from place to place"
    assert curve.line.size == 0


def test_a_waveform_is_integrated_in_time(tmp_path):
    # A current that is on for half of the time moves a rigid wall (beta = alpha) half as far.
    t = np.linspace(0, 2 * NS, 201)

    def run(at: Mapping[str, Any]) -> Any:
        J = {"value": [at[CURRENT], 0, 0], "waveform": {"pulse": {"start": 0, "duration": 1e-9}}}
        torque = {"J": J, "P": 1, "beta": ALPHA}
        made = config().with_overrides({"torques.zhang_li": torque})
        return made, RATIO * at[CURRENT] * np.minimum(t, 1 * NS), t

    sweep = make_sweep(tmp_path, [axis(CURRENT, [1e11, 2e11], "A/m^2")], run)
    [curve] = measured(sweep).curves
    assert curve.note == ""
    for p in curve.points:
        assert p.motion is not None
        assert p.model == pytest.approx(p.motion.velocity, rel=5e-3)


def test_without_matplotlib_the_table_is_written_and_the_picture_asked_for(
    straight, tmp_path, monkeypatch
):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (tmp_path / "velocity.csv").unlink(missing_ok=True)
    sentences = WallVelocity().report_sweep(straight, tmp_path)
    assert "pip install 'micromag[plot]'" in sentences[-1]
    assert (tmp_path / "velocity.csv").exists()
    assert not (tmp_path / "velocity.png").exists()


def test_other_analyses_say_a_sentence_per_replica(straight):
    from micromag.analysis.final_values import FinalValues

    told = FinalValues(columns=("wall_width",)).report_sweep(straight, straight.folder)
    assert len(told) == 6
    assert told[0].startswith(
        f"{BETA} = 0.05, {CURRENT} = {json.dumps(-2e11)}: At the end of stage 1"
    )
    assert told[4].endswith(": NaN in m")


# ------------------------------------------------------------------------- the measured wall


@pytest.mark.parametrize("thickness", [5 * NM, 15 * NM])
def test_the_hard_axis_that_the_stray_field_makes(tmp_path, thickness):
    # A Neel wall of the profile sech(x / Delta) in an infinite film of thickness d has the energy
    #   (mu_0 Ms^2 / 2) (1 / 2 pi) int |pi Delta sech(pi Delta k / 2)|^2 N(k) dk = 2 Delta Kp,
    #   N(k) = 1 - (1 - exp(-|k| d)) / (|k| d),
    # and a Bloch wall none.
    k = (np.arange(200000) + 0.5) * 5 / DELTA / 200000
    form = (np.pi * WIDTH / np.cosh(np.pi * WIDTH * k / 2)) ** 2
    N = 1 + np.expm1(-k * thickness) / (k * thickness)
    sigma = MU_0 * MS**2 / 2 / np.pi * float((form * N).sum() * (k[1] - k[0]))
    over = {
        "mesh": {"cells": [128, 1, 1], "cell_size": [2e-9, 8e-9, thickness], "periodic": [0, 200, 0]},
        "energy": {
            "exchange": {"A": A}, "uniaxial_anisotropy": {"Ku1": K, "axis": [0, 0, 1]}, "demag": {},
        },
    }  # fmt: skip
    t = np.linspace(0, 2 * NS, 11)
    write_run(tmp_path / "run.vtkhdf", config(**over), 0 * t, t)
    wall = wall_of(RunFile(tmp_path / "run.vtkhdf"), 1)
    assert wall.width == pytest.approx(WIDTH, rel=1e-3)
    # cells of Delta/2.5 raise the charges a little
    assert wall.hard_axis == pytest.approx(sigma / (2 * WIDTH), rel=0.03)
    assert wall.cosines[2] > 0 and abs(wall.sines[2]) < 1e-6 * abs(wall.cosines[2])  # easy along y
    assert wall.dmi == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("key", "harmonic"), [("interfacial_dmi", "cosines"), ("bulk_dmi", "sines")]
)
def test_the_dmi_is_weighed(tmp_path, key, harmonic):
    over = {
        "energy": {
            "exchange": {"A": A}, "uniaxial_anisotropy": {"Ku1": K, "axis": [0, 0, 1]},
            key: {"D": 4e-4},
        },
    }  # fmt: skip
    t = np.linspace(0, 2 * NS, 11)
    write_run(tmp_path / "run.vtkhdf", config(**over), 0 * t, t)
    wall = wall_of(RunFile(tmp_path / "run.vtkhdf"), 1)
    # sigma = pi D cos(phi) (interfacial) or -+ pi D sin(phi) (bulk); the mesh takes 1 %
    assert abs(getattr(wall, harmonic)[1]) == pytest.approx(np.pi * 4e-4, rel=0.03)
    assert wall.dmi == pytest.approx(4e-4, rel=0.03)
    if key == "interfacial_dmi":
        assert wall.cosines[1] > 0  # up-down walls of D > 0 have m_x < 0
    assert wall.hard_axis == pytest.approx(0, abs=1)


def test_a_spin_orbit_torque_is_a_pair_of_torques_of_known_size(tmp_path):
    # hbar theta J / (2 e Ms t) along sigma = J x n = -y for J along +x and a metal below
    torque = {
        "J": [1e11, 0, 0], "normal": [0, 0, 1], "theta_DL": 0.2, "theta_FL": -0.05,
        "field_per_current": 1e-14,
    }  # fmt: skip
    t = np.linspace(0, 2 * NS, 11)
    write_run(tmp_path / "run.vtkhdf", config(torques={"spin_orbit": torque}), 0 * t, t)
    [push] = drive_of(RunFile(tmp_path / "run.vtkhdf"), 1).at(0.0)
    per_angle = 1.054571817e-34 * 1e11 / (2 * E_CHARGE * MS * 4e-9)
    np.testing.assert_allclose(push.damping_like, [0, -0.2 * per_angle, 0], rtol=1e-9)
    np.testing.assert_allclose(push.field, [0, 0.05 * per_angle - 1e-3, 0], rtol=1e-9)


def test_noise_and_fields_are_not_weighed(tmp_path):
    t = np.linspace(0, 2 * NS, 11)
    walls = []
    for k, more in enumerate(({}, {"zeeman": {"B": [0.1, 0, 0]}, "thermal": {"temperature": 300}})):
        made = config(solver={"max_dt": 1e-14})
        made = made.with_overrides({f"energy.{key}": value for key, value in more.items()})
        write_run(tmp_path / f"{k}.vtkhdf", made, 0 * t, t)
        walls.append(wall_of(RunFile(tmp_path / f"{k}.vtkhdf"), 1))
    np.testing.assert_array_equal(walls[0].cosines, walls[1].cosines)
    assert walls[1].field == pytest.approx([0.1, 0, 0])


def test_a_wall_needs_a_snapshot_of_it(tmp_path):
    t = np.linspace(0, 2 * NS, 11)
    write_run(
        tmp_path / "run.vtkhdf",
        config(schedule=[{"run": {"for": 5e-10}}, {"run": {"for": 1e-9}}]),
        0 * t,
        t,
    )
    with pytest.raises(
        NoModelError, match=r"too early(.|\n)*0.5 ns before it(.|\n)*output.snapshots"
    ):
        wall_of(RunFile(tmp_path / "run.vtkhdf"), 1)


# ------------------------------------------------------------------------------- a single run


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (
            lambda t: -3.6 * t,
            r"The wall moves at -3\.600 \+- \S+ m/s \(fitted over t = 0.5 to 2 ns",
        ),
        (lambda t: 0 * t, "The wall is at rest: "),
        (lambda t: 2e9 * t**2, r"not steadily: .* its mean lies between 2\.\d+ and 7\.\d+ m/s"),
        (lambda t: np.where(t < 1.5 * NS, 9 * t, np.nan), "later it left the magnet"),
    ],
)
def test_what_is_told_of_one_run(tmp_path, x, expected):
    t = np.linspace(0, 2 * NS, 101)
    write_run(tmp_path / "run.vtkhdf", config(), x(t), t)
    import re

    told = WallVelocity(after=0.5 * NS).report(RunFile(tmp_path / "run.vtkhdf"))
    assert re.search(expected, told), told
    assert "beta u / alpha = -3.618 m/s" in told  # u = -7.2355 m/s


@pytest.mark.parametrize(
    "over",
    [
        {"torques": {"spin_torque": {"sigma": [0, 1, 0], "B_DL": 1e-3}}},
        {"torques": {}},
        {"energy.zeeman": {"B": [0, 0, 1e-3]}},
        {"torques.zhang_li.J": {"value": [1e11, 0, 0], "waveform": {"sine": {"frequency": 1e9}}}},
        {"material.alpha": {"default": 0.1, "right": 0.2}},
    ],
)
def test_nothing_is_told_of_beta_u_over_alpha_where_it_does_not_hold(tmp_path, over):
    half = {"box": {"center": [64e-9, 0, 0], "size": [128e-9, 4e-9, 4e-9]}}
    t = np.linspace(0, 2 * NS, 101)
    made = config(regions={"right": half}).with_overrides(over)
    write_run(tmp_path / "run.vtkhdf", made, -3.6 * t, t)
    told = WallVelocity(after=0.5 * NS).report(RunFile(tmp_path / "run.vtkhdf"))
    assert told.startswith("The wall moves at -3.600")
    assert "beta" not in told


def test_what_is_told_is_of_the_current_of_the_stage(tmp_path):
    stages = [
        {"run": {"for": 1e-12}},
        {"run": {"for": 2e-9, "with": {"torques.zhang_li.J": [2e11, 0, 0]}}},
    ]
    t = np.linspace(0, 2 * NS, 101)
    write_run(tmp_path / "run.vtkhdf", config(schedule=stages), -7.2 * t, t)
    told = WallVelocity(after=0.5 * NS).report(RunFile(tmp_path / "run.vtkhdf"))
    assert "beta u / alpha = -7.235 m/s" in told


def test_what_is_told_above_the_threshold(tmp_path):
    t = np.linspace(0, 2 * NS, 401)
    x, angle = walker(t, -20.0, 0.4 * NS, 12 * NM)
    write_run(tmp_path / "run.vtkhdf", config(), x, t, np.angle(np.exp(1j * angle)))
    told = WallVelocity(after=0.1 * NS).report(RunFile(tmp_path / "run.vtkhdf"))
    assert "The wall moves at -20.0" in told
    assert "the mean over 4 periods of 0.4 ns each: it turns over and over" in told
    assert "below the Walker threshold" not in told


@pytest.mark.parametrize(
    ("parameters", "x", "message"),
    [
        ({"after": 1.99e-9}, lambda t: t, "too few rows(.|\n)*1 rows of stage 1"),
        ({"after": 1e-9}, lambda t: np.where(t < 0.5 * NS, t, np.nan), "no wall in the magnet"),
        ({"part": "free"}, lambda t: t, "no column 'wall_position@free'"),
    ],
)
def test_a_velocity_that_is_not_there(tmp_path, parameters, x, message):
    t = np.linspace(0, 2 * NS, 101)
    write_run(tmp_path / "run.vtkhdf", config(), x(t), t)
    with pytest.raises(AnalysisError, match=message):
        WallVelocity(**parameters).report(RunFile(tmp_path / "run.vtkhdf"))
