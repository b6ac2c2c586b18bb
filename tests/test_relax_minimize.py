"""Relaxation and minimisation: they arrive, agree, repeat, and say so when they do not; health."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import numpy as np
import pytest
from magnets import config, merged

from micromag.backend import get_backend
from micromag.driver import Driver
from micromag.errors import Interrupted, NumericalError
from micromag.integrators.clock import Status
from micromag.integrators.runge_kutta import RungeKutta
from micromag.integrators.tableaus import TABLEAUS
from micromag.model import Model
from micromag.output.recorder import MemoryRecorder
from micromag.progress import SilentReporter

STAGES = pytest.mark.parametrize("stage", ["relax", "minimize"])
PRECISIONS = pytest.mark.parametrize("precision", ["single", "double"])

ONE_CELL: dict[str, Any] = {
    "material": {"Ms": 8e5, "alpha": 0.1},
    "energy": {
        "uniaxial_anisotropy": {"Ku1": 1e5, "axis": "+z"},
        "zeeman": {"B": [0.1, 0, 0]},
    },
    "initial": {"uniform": {"direction": [0.1, 0.2, 1]}},
}
WALL: dict[str, Any] = {
    "mesh": {"cells": [40, 1, 1], "cell_size": [2e-9, 10e-9, 3e-9]},
    "material": {"Ms": 6e5, "alpha": 0.3},
    "energy": {
        "exchange": {"A": 1e-11},
        "uniaxial_anisotropy": {"Ku1": 7e5, "axis": "+z"},
        "demag": {},
    },
    "initial": {"domain_wall": {"kind": "bloch", "from": "+z", "to": "-z", "width": 3e-9}},
}
DISK: dict[str, Any] = {
    "mesh": {"cells": [20, 20, 1], "cell_size": [5e-9, 5e-9, 10e-9]},
    "geometry": {"ellipse": {"size": [100e-9, 100e-9]}},
    "material": {"Ms": 8e5, "alpha": 0.5},
    "energy": {"exchange": {"A": 1.3e-11}, "demag": {}},
    "initial": {"vortex": {"circulation": 1, "polarity": 1}},
}
GRAIN: dict[str, Any] = {
    "mesh": {"cells": [5, 5, 5], "cell_size": [5e-9, 5e-9, 5e-9]},
    "material": {"Ms": 8e5, "alpha": 0.5},
    "energy": {
        "exchange": {"A": 1.3e-11},
        "cubic_anisotropy": {"Kc1": 5e4, "axis1": [1, 0, 0], "axis2": [0, 1, 0]},
        "zeeman": {"B": [0.02, 0.01, 0.05]},
        "demag": {},
    },
    "initial": {"random": {}},
}


class Result:
    """What a driver leaves behind after one or more stages."""

    def __init__(self, sections: dict[str, Any], stages: list[Any], **more: Any) -> None:
        run = config(**merged(sections, more, {"schedule": stages}))
        self.recorder = MemoryRecorder()
        self.driver = Driver([run], get_backend("cpu"), [self.recorder], SilentReporter())

    def drive(self) -> Result:
        self.driver.run()
        return self

    @property
    def m(self) -> np.ndarray:
        return self.recorder.snapshots[-1]["m"]

    def last(self, column: str) -> float:
        names = [c.name for c in self.driver.columns]
        return float(self.recorder.table[-1, names.index(column)])


def reach(
    sections: dict[str, Any], stage: str, precision: str = "double", **options: Any
) -> Result:
    return Result(sections, [{stage: options}], precision=precision).drive()


# ----------------------------------------------------------------------------------------- arriving


@PRECISIONS
@STAGES
def test_one_moment_finds_the_angle_of_least_energy(stage, precision):
    """Stoner-Wohlfarth: a field across the axis, sin(angle) = B Ms / (2 Ku1)."""
    found = reach(ONE_CELL, stage, precision, max_torque=1e-6)
    sine = 0.1 * 8e5 / 2e5
    expected = np.array([sine, 0, np.sqrt(1 - sine**2)])
    assert np.abs(found.m[:, 0, 0, 0] - expected).max() < 1e-5
    assert found.recorder.histories[0].reason == "torque"


@STAGES
@pytest.mark.parametrize("sections", [WALL, DISK, GRAIN], ids=["wall", "disk", "grain"])
def test_arriving_means_that_the_torque_is_small(sections, stage):
    found = reach(sections, stage, max_torque=2e-5)
    assert found.recorder.histories[0].reason == "torque"
    assert found.last("max_torque") < 2e-5
    history = found.recorder.histories[0]
    assert history.energies[-1] < history.energies[0]
    assert history.torques[-1] == pytest.approx(found.last("max_torque"), rel=1e-6)
    assert history.iterations[0] == 0 and (np.diff(history.iterations) > 0).all()


@pytest.mark.parametrize("sections", [WALL, DISK], ids=["wall", "disk"])
def test_both_ways_reach_the_same_energy(sections):
    energies = [
        reach(sections, stage, max_torque=1e-6).last("E_total") for stage in ("relax", "minimize")
    ]
    assert energies[0] == pytest.approx(energies[1], rel=1e-9)


@STAGES
def test_single_precision_reaches_the_energy_of_double(stage):
    energies = [reach(DISK, stage, precision).last("E_total") for precision in ("single", "double")]
    assert energies[0] == pytest.approx(energies[1], rel=2e-5)


@STAGES
def test_the_same_answer_twice(stage):
    first, second = (reach(GRAIN, stage, "single") for _ in range(2))
    assert first.m.tobytes() == second.m.tobytes()
    assert first.recorder.histories == second.recorder.histories


@STAGES
def test_a_state_at_rest_is_left_alone(stage):
    twice = Result(WALL, [{stage: {"max_torque": 1e-5}}, {stage: {"max_torque": 1e-5}}]).drive()
    assert twice.recorder.histories[1].iterations == [0]
    before, after = (snapshot["m"] for snapshot in twice.recorder.snapshots[-2:])
    assert np.abs(after - before).max() < 1e-15


def test_relaxing_does_not_depend_on_the_damping():
    states = [
        reach(merged(ONE_CELL, {"material": {"alpha": alpha}}), "relax", max_torque=1e-7).m
        for alpha in (0, 0.02, 5)
    ]
    assert (states[0] == states[1]).all() and (states[0] == states[2]).all()


@pytest.mark.parametrize("method", ["heun", "rk23", "rk45", "cash_karp", "fehlberg"])
def test_every_method_with_an_error_estimate_relaxes(method):
    found = reach(WALL, "relax", method=method, max_torque=1e-4)
    assert found.recorder.histories[0].reason == "torque"


# ----------------------------------------------------------------------------------------- torques

PUSHED = {"spin_torque": {"sigma": [0, 1, 0], "B_FL": 0.05, "B_DL": 0.01}}


def test_currents_are_off_unless_asked_for():
    plain = reach(ONE_CELL, "relax", max_torque=1e-7)
    off = reach(ONE_CELL | {"torques": PUSHED}, "relax", max_torque=1e-7)
    minimized = reach(ONE_CELL | {"torques": PUSHED}, "minimize", max_torque=1e-7)
    assert np.array_equal(plain.m, off.m)
    assert np.abs(plain.m - minimized.m).max() < 1e-6


def test_relaxing_with_currents_finds_where_all_torques_balance():
    found = reach(ONE_CELL | {"torques": PUSHED}, "relax", max_torque=1e-8, currents=True)
    m = found.m[:, 0, 0, 0]
    sigma = np.array([0, 1, 0])
    B = np.array([0.1, 0, 2e5 / 8e5 * m[2]]) + 0.05 * sigma + 0.01 * np.cross(m, sigma)
    assert np.abs(np.cross(m, B)).max() < 2e-8
    assert m[1] > 0.1


def test_relaxing_with_currents_arrives_where_a_run_comes_to_rest():
    sections = ONE_CELL | {"torques": PUSHED}
    relaxed = reach(sections, "relax", max_torque=1e-8, currents=True)
    ran = Result(
        merged(sections, {"material": {"alpha": 0.8}}),
        [{"run": {"for": 3e-9}}],
        solver={"max_error": 1e-9},
    ).drive()
    assert np.abs(relaxed.m - ran.m).max() < 1e-6


# ------------------------------------------------------------------------------------ not arriving


@STAGES
def test_a_limit_is_an_error_that_tells_what_to_do(stage):
    running = Result(GRAIN, [{stage: {"max_iterations": 30, "max_torque": 1e-7}}])
    with pytest.raises(NumericalError) as caught:
        running.drive()
    assert caught.value.exit_code == 3
    text = str(caught.value)
    assert f"{stage} did not converge" in text and "schedule[0]" in text
    assert re.search(r"largest torque [\d.e-]+ T after 30 iterations", text)
    assert "below 1e-07 T within 30 iterations" in text and "max_iterations" in text
    # What was reached is kept.
    assert running.recorder.histories[0].iterations == [0, 20, 30]
    assert len(running.recorder.snapshots) == 2


def test_what_never_stands_still_is_no_equilibrium():
    """A spin torque along the axis of an easy plane keeps the moment turning for ever."""
    sections = {
        "energy": {"uniaxial_anisotropy": {"Ku1": -2e5, "axis": "+z"}},
        "torques": {"spin_torque": {"sigma": [0, 0, 1], "B_DL": 0.02}},
        "initial": {"uniform": {"direction": [1, 0, 0.3]}},
    }
    reach(sections, "relax")
    with pytest.raises(NumericalError, match="relax did not converge"):
        reach(sections, "relax", currents=True, max_iterations=600)


@STAGES
def test_stopping_keeps_the_state(stage):
    running = Result(GRAIN, [{stage: {"max_torque": 1e-9}}])
    looks = iter([False, False, True])
    running.driver.stop = lambda: next(looks, True)
    with pytest.raises(Interrupted, match="stopped after 40 iterations of stage 0"):
        running.drive()
    assert running.recorder.histories[0].reason == "stopped"
    assert len(running.recorder.snapshots) == 2


# ------------------------------------------------------------------------------------------- health


def attempts_until_failure(made: RungeKutta) -> int:
    """Step one by one until the replica has failed."""
    made.start()
    made.aim(1.0)
    for count in range(1, 200):
        made.steps(1)
        if made.engine.status()[0] in (Status.FAILED_NAN, Status.FAILED_STEP):
            return count
    raise AssertionError("no failure in 200 attempts")


def misprinted(precision: str = "single", **more: Any) -> dict[str, Any]:
    """One cell, (x, y, z) = (3, 1, 0), has a saturation magnetization that overflows its field."""
    Ms = np.full((1, 4, 6), 8e5)
    Ms[0, 1, 3] = 1e-35
    return merged(
        {
            "precision": precision,
            "mesh": {"cells": [6, 4, 1], "cell_size": [3e-9, 3e-9, 3e-9]},
            "material": {"Ms": Ms, "alpha": 0.1},
            "energy": {"exchange": {"A": 1e-11}},
            "initial": {"random": {}},
        },
        more,
    )


@pytest.mark.parametrize("method", TABLEAUS)
@pytest.mark.parametrize("dt", [None, 1e-14])
def test_nan_stops_within_a_hundred_steps(method, dt):
    if dt is None and TABLEAUS[method].embedded_order is None:
        pytest.skip("this method has no error estimate")
    run = config(**misprinted())
    made = RungeKutta(Model([run]), get_backend("cpu"), TABLEAUS[method], dt=dt)
    made.engine.set_m(np.random.default_rng(1).normal(size=(3, 1, 4, 6)))
    assert attempts_until_failure(made) < 100
    assert made.engine.status() == [Status.FAILED_NAN]


@pytest.mark.parametrize("stage", ["relax", "minimize", "run"])
def test_nan_is_reported_with_its_cell_and_time(stage):
    options = {"for": 1e-9} if stage == "run" else {}
    with pytest.raises(NumericalError) as caught:
        Result(misprinted(), [{stage: options}]).drive()
    text = str(caught.value)
    assert "NaN" in text and "cell (x, y, z) = (3, 1, 0)" in text and "t = 0 ns" in text
    assert (
        "likely a field, current or material value is NaN, far too large or far too small" in text
    )
    assert caught.value.exit_code == 3


def test_nan_in_the_middle_of_a_run_names_the_time_and_keeps_what_was_good():
    """The waveform has no value any more after 0.2 ns."""
    field = {"value": [0, 0, 0.1], "waveform": {"expression": "sqrt(0.2 ns - t) * 1e5"}}
    running = Result(
        merged(ONE_CELL, {"energy": {"zeeman": {"B": field}}}),
        [{"run": {"for": 1e-9}}],
        output={"table": {"every": 5e-11}},
    )
    with pytest.raises(NumericalError) as caught:
        running.drive()
    assert "t = 0.2 ns" in str(caught.value) and "waveform" in str(caught.value)
    times = running.recorder.table[:, 0]
    assert times.max() == pytest.approx(2e-10, rel=1e-6) and len(times) >= 5
    assert np.isfinite(running.m).all()


@pytest.mark.parametrize("stage", ["run", "relax"])
def test_a_collapsing_step_is_reported_with_its_cell_and_time(stage):
    """The error demanded needs steps below the least one."""
    B = np.zeros((3, 1, 4, 6))
    B[0, 0, 2, 5] = 50.0
    sections = {
        "mesh": {"cells": [6, 4, 1], "cell_size": [3e-9, 3e-9, 3e-9]},
        "energy": {"zeeman": {"B": B}},
        "initial": {"uniform": {"direction": [0, 1, 0]}},
        "solver": {"min_dt": 1e-12, "max_error": 1e-9},
    }
    options: dict[str, Any] = {"for": 1e-9} if stage == "run" else {"max_error": 1e-9}
    if stage == "relax":
        made = RungeKutta(
            Model([config(**sections)]), get_backend("cpu"), TABLEAUS["rk23"],
            max_error=1e-9, min_dt=1e-12, relax=True,
        )  # fmt: skip
        made.engine.set_m(np.broadcast_to([[[[0]]], [[[1]]], [[[0]]]], (3, 1, 4, 6)))
        assert attempts_until_failure(made) < 100
        assert made.engine.status() == [Status.FAILED_STEP]
        return
    with pytest.raises(NumericalError) as caught:
        Result(sections, [{stage: options}]).drive()
    text = str(caught.value)
    assert "time step has collapsed" in text and "t = 0 ns" in text
    assert "cell (x, y, z) = (5, 2, 0)" in text and "1e-12 s" in text


def test_a_fixed_step_that_is_too_long_is_told():
    """m is renormalised, so an unstable step shows in no NaN."""
    said = []

    class Listener(SilentReporter):
        def warning(self, text: str) -> None:
            said.append(text)

    limit = 2.8 / (1.76086e11 * 8 * 13e-12 / (8e5 * 4e-18))
    recorders = []
    for dt in (1e-14, 1.5 * limit, 3 * limit):
        run = config(
            mesh={"cells": [8, 1, 1], "cell_size": [2e-9, 2e-9, 2e-9]},
            energy={"exchange": {"A": 13e-12}},
            schedule=[{"run": {"for": dt}}],
            solver={"method": "rk4", "dt": dt},
        )
        recorders.append(MemoryRecorder())
        driver = Driver([run], get_backend("cpu", threads=1), recorders[-1:], Listener())
        refused = pytest.raises(NumericalError, match="fixed step is unstable")
        with refused if dt > 2 * limit else contextlib.nullcontext():
            driver.run()
    text = f"longer than about {1e15 * limit:.2g} fs"
    assert len(said) == 1 and text in said[0]
    assert [recorder.status for recorder in recorders] == ["finished", "finished", "failed"]
    assert recorders[0].message == "" and recorders[1].message == said[0]
    assert f"about {1e15 * limit:.2g} fs" in recorders[2].message
