"""Fields and currents that depend on time, the times of outputs, and several stages."""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from formulas import Magnet, exchange, zhang_li
from magnets import GAMMA, advance, config, macrospin, merged, random_m, stepper

from micromag.driver import Driver
from micromag.errors import DeviceError
from micromag.integrators.runge_kutta import RungeKutta
from micromag.integrators.tableaus import TABLEAUS
from micromag.model import Model
from micromag.output.recorder import MemoryRecorder
from micromag.progress import SilentReporter

NS, PS = 1e-9, 1e-12
TABLE_T = [0.05e-9, 0.1e-9, 0.22e-9, 0.25e-9, 0.4e-9]
TABLE_Y = [0.0, 1.0, -0.5, 0.8, 0.2]


def _pulse(t: float, start: float, rise: float, top: float, fall: float) -> float:
    return float(np.interp(t - start, [0, rise, rise + top, rise + top + fall], [0, 1, 1, 0]))


# kind: (run-file form, w(t) written here once more, times of its corners)
WAVEFORMS: dict[str, tuple[Any, Any, list[float]]] = {
    "constant": ({"constant": {"value": 0.7}}, lambda t: 0.7, []),
    "pulse": (
        {"pulse": {"start": "100 ps", "rise": "20 ps", "duration": "50 ps", "fall": "30 ps"}},
        lambda t: _pulse(t, 100 * PS, 20 * PS, 50 * PS, 30 * PS),
        [100 * PS, 120 * PS, 170 * PS, 200 * PS],
    ),
    "rectangle": (
        {"pulse": {"start": "100 ps", "duration": "50 ps", "low": -0.2, "high": 1.5}},
        lambda t: 1.5 if 100 * PS <= t < 150 * PS else -0.2,
        [100 * PS, 150 * PS],
    ),
    "train": (
        {"pulse": {"start": "30 ps", "rise": "5 ps", "duration": "20 ps", "period": "90 ps"}},
        lambda t: 0.0 if t < 30 * PS else _pulse((t - 30 * PS) % (90 * PS), 0, 5 * PS, 20 * PS, 0),
        [(30 + 90 * k + c) * PS for k in range(5) for c in (0, 5, 25)],
    ),
    "ramp": (
        {"ramp": {"start": "50 ps", "duration": "200 ps", "from": -0.5, "to": 1}},
        lambda t: -0.5 + 1.5 * min(max((t - 50 * PS) / (200 * PS), 0), 1),
        [50 * PS, 250 * PS],
    ),
    "sine": (
        {"sine": {"frequency": "7 GHz", "amplitude": 0.8, "phase": 0.3, "offset": 0.1}},
        lambda t: 0.1 + 0.8 * math.sin(2 * math.pi * 7e9 * t + 0.3),
        [],
    ),
    "sinc": (
        {"sinc": {"frequency": "30 GHz", "center": "150 ps"}},
        lambda t: float(np.sinc(2 * 30e9 * (t - 150 * PS))),
        [],
    ),
    "table": (
        {"table": {"times": TABLE_T, "values": TABLE_Y}},
        lambda t: float(np.interp(t, TABLE_T, TABLE_Y)),
        TABLE_T,
    ),
    "expression": (
        {"expression": "exp(-((t - 120 ps) / 40 ps)^2) * cos(2*pi*9e9*t) + step(t - 200 ps) / 2"},
        lambda t: (
            math.exp(-(((t - 120 * PS) / (40 * PS)) ** 2)) * math.cos(2 * math.pi * 9e9 * t)
            + 0.5 * (t >= 200 * PS)
        ),
        [120 * PS, 200 * PS],
    ),
}
TIMES = [0, 60 * PS, 130 * PS, 210 * PS, 300 * PS, 400 * PS]
KINDS = pytest.mark.parametrize("kind", WAVEFORMS)


def table_file(tmp_path: Any) -> dict[str, Any]:
    path = tmp_path / "wave.txt"
    lines = [f"{t:.17g}, {y}  # point" for t, y in zip(TABLE_T, TABLE_Y, strict=True)]
    path.write_text("# t [s], w\n" + "\n".join(lines))
    return {"table": {"file": str(path)}}


def follow(
    run: Any, backend: Any, m0: list[float], times: list[float], **options: Any
) -> np.ndarray:
    """Return m of one moment at the times, shape (times, 3)."""
    made = stepper(run, backend, np.array(m0, dtype=float).reshape(3, 1, 1, 1), **options)
    found = []
    for t in times:
        advance(made, t)
        assert made.engine.column("t")[0] == t
        found.append(made.engine.m()[:, 0, 0, 0])
    return np.array(found)


# ------------------------------------------------------------------------------- fields and currents


@KINDS
def test_precession_turns_by_the_integral_of_the_field(kind, backend):
    """B(t) along z without damping: the angle about z is gamma times the integral of B."""
    form, w, breaks = WAVEFORMS[kind]
    B = 0.3
    run = config(
        material={"Ms": 8e5, "alpha": 0}, energy={"zeeman": {"B": {"value": [0, 0, B], "waveform": form}}}
    )  # fmt: skip
    found = follow(run, backend, [0.6, 0, 0.8], TIMES, max_error=1e-10)
    angle = [GAMMA * B * _integral(w, t, breaks) for t in TIMES]
    expected = np.stack([0.6 * np.cos(angle), 0.6 * np.sin(angle), np.full(6, 0.8)], axis=1)
    assert np.abs(found - expected).max() < 2e-7


def _integral(w: Any, end: float, breaks: list[float]) -> float:
    nodes, weights = np.polynomial.legendre.leggauss(40)
    cuts = sorted({0.0, end, *(b for b in breaks if b < end), *np.linspace(0, end, 21)[1:-1]})
    total = 0.0
    for a, b in itertools.pairwise(cuts):
        points = (a + b) / 2 + (b - a) / 2 * nodes
        total += (b - a) / 2 * float(weights @ [w(t) for t in points])
    return total


@KINDS
def test_driven_moments_follow_an_independent_integration(kind, backend):
    """A field across the static one and a damping-like torque, both with the waveform."""
    form, w, breaks = WAVEFORMS[kind]
    sigma, alpha = np.array([0.0, 0.6, 0.8]), 0.08
    run = config(
        material={"Ms": 8e5, "alpha": alpha},
        energy={
            "zeeman": [{"B": [0.02, 0, 0.4]}, {"B": {"value": [0.1, 0.05, 0], "waveform": form}}]
        },
        torques={
            "spin_torque": {
                "sigma": sigma,
                "B_DL": {"value": 0.03, "waveform": form},
                "B_FL": 0.01,
            }
        },
    )

    def field(t: float) -> np.ndarray:
        return np.array([0.02, 0, 0.4]) + w(t) * np.array([0.1, 0.05, 0])

    def torque(t: float, m: np.ndarray) -> np.ndarray:
        across = np.cross(m, sigma)
        return -GAMMA * (0.03 * w(t) * np.cross(m, across) + 0.01 * across)

    expected = macrospin(field, [0.6, 0, 0.8], TIMES, alpha=alpha, torque=torque, breaks=breaks)
    found = follow(run, backend, [0.6, 0, 0.8], TIMES, max_error=1e-10)
    assert np.abs(found - expected).max() < 3e-7


def test_a_table_from_a_file_is_the_table_in_lists(tmp_path, backend):
    states = [
        follow(
            config(energy={"zeeman": {"B": {"value": [0, 0.1, 0.2], "waveform": form}}}),
            backend, [1, 0, 0], TIMES,
        )
        for form in (WAVEFORMS["table"][0], table_file(tmp_path))
    ]  # fmt: skip
    assert np.array_equal(*states)


@pytest.mark.parametrize("kind", ["sine", "rectangle", "expression"])
def test_currents_in_textures_follow_an_independent_integration(kind, backend):
    """A chain with exchange and a spin-transfer torque whose current has the waveform."""
    from scipy.integrate import solve_ivp

    form, w, breaks = WAVEFORMS[kind]
    shape, A, J, alpha = (1, 1, 5), 2e-12, np.array([4e12, 0, 0]), 0.1
    cell_size = (4e-9, 4e-9, 4e-9)
    run = config(
        mesh={"cells": [5, 1, 1], "cell_size": cell_size},
        material={"Ms": 8e5, "alpha": alpha},
        energy={"exchange": {"A": A}},
        torques={"zhang_li": {"J": {"value": J, "waveform": form}, "P": 0.6, "beta": 0.2}},
    )
    magnet = Magnet(np.full(shape, 8e5), GAMMA, cell_size, (0, 0, 0), np.zeros(shape, int), {})
    stiffness = SimpleNamespace(A=np.full(shape, A))

    def right_hand_side(t: float, y: np.ndarray) -> np.ndarray:
        m = y.reshape(3, *shape)
        current = np.broadcast_to(w(t) * J[:, None, None, None], m.shape)
        p = SimpleNamespace(J=current, P=0.6, u=None, beta=0.2, prefactor="thiaville")
        X = -GAMMA * np.cross(m, exchange.field(m, stiffness, magnet), axis=0)
        X += zhang_li.torque(m, p, magnet)
        return ((X + alpha * np.cross(m, X, axis=0)) / (1 + alpha**2)).ravel()

    m = random_m(shape, seed=2)
    end, y, t = 220 * PS, m.ravel(), 0.0
    for stop in [*(b for b in breaks if b < end), end]:
        last = np.nextafter(stop, 0)
        part = solve_ivp(
            lambda t, y, last=last: right_hand_side(min(t, last), y),
            (t, stop), y, method="DOP853", rtol=1e-10, atol=1e-11,
        )  # fmt: skip
        y, t = part.y[:, -1], stop
    made = stepper(run, backend, m, max_error=1e-9)
    advance(made, end)
    assert np.abs(made.engine.m() - y.reshape(m.shape)).max() < 2e-6


@pytest.mark.parametrize("form", ["region", "cell"])
def test_a_waveform_multiplies_every_region_and_cell(form, backend):
    _, w, breaks = WAVEFORMS["sine"]
    values = [[0.1, 0, 0.3], [0, 0.2, 0.4]]
    if form == "region":
        given: Any = {"default": values[0], "right": values[1]}
    else:
        given = np.array(values).T.reshape(3, 1, 1, 2)
    run = config(
        mesh={"cells": [2, 1, 1], "cell_size": [5e-9, 5e-9, 5e-9]},
        regions={"right": {"box": {"center": [2.5e-9, 0, 0], "size": [5e-9, 5e-9, 5e-9]}}},
        energy={"zeeman": {"B": {"value": given, "waveform": WAVEFORMS["sine"][0]}}},
    )
    made = stepper(run, backend, np.ones((3, 1, 1, 2)), max_error=1e-9)
    advance(made, TIMES[-1])
    for i, value in enumerate(values):
        m0 = np.ones(3) / np.sqrt(3)
        expected = macrospin(lambda t, v=value: w(t) * np.array(v), m0, [TIMES[-1]], breaks=breaks)
        assert np.abs(made.engine.m()[:, 0, 0, i] - expected[-1]).max() < 1e-6


def test_every_waveform_compiles_for_a_gpu():
    from micromag.backend import get_backend, nvrtc

    try:
        nvrtc.version()
    except DeviceError as error:
        pytest.skip(error.what)
    fields = [{"B": {"value": [0, 0, 1], "waveform": form}} for form, _, _ in WAVEFORMS.values()]
    model = Model([config(energy={"zeeman": fields})])
    made = RungeKutta(model, get_backend("cpu"), TABLEAUS["rk45"])
    waves = made.engine.source("waveforms.cu")
    steps = made.engine.source("stepper.cu", ORDER="5.0", ADAPTIVE=1, CORNERS=1)
    for cubin, name in zip(
        nvrtc.cubins([waves, steps], "sm_90"), ("update_parameters", "control"), strict=True
    ):
        assert name.encode() in cubin.read_bytes()


# ------------------------------------------------------------------------------- nothing is leapt over

LATE = {
    "pulse": ({"pulse": {"start": 3e-9, "duration": 2e-11}}, [3e-9, 3.02e-9]),
    "second pulse of a train": (
        {"pulse": {"start": -2e-9, "duration": 2e-11, "period": 5e-9}},
        [3e-9, 3.02e-9],
    ),
    "table": ({"table": {"times": [3e-9, 3.01e-9, 3.02e-9], "values": [0, 1, 0]}}, None),
    "formula with steps": (
        {"expression": "heaviside(t - 3 ns) * step(3.02 ns - t)"},
        [3e-9, 3.02e-9],
    ),
    "bell": ({"expression": "exp(-((t - 3 ns) / 10 ps)^2)"}, None),
    "triangle": ({"expression": "max(0, 1 - abs(t - 3 ns) / 10 ps)"}, None),
    "burst": ({"expression": "step(t - 3 ns) * step(3.02 ns - t) * sin(2*pi*50e9*t)"}, None),
}


@pytest.mark.parametrize("kind", LATE)
def test_a_short_event_after_a_long_rest_is_not_missed(kind, backend):
    """At rest nothing limits the step but the waveform itself."""
    form, breaks = LATE[kind]
    run = config(
        material={"Ms": 8e5, "alpha": 0.05},
        energy={"zeeman": [{"B": [0, 0, 0.5]}, {"B": {"value": [0.2, 0, 0], "waveform": form}}]},
    )
    found = follow(run, backend, [0, 0, 1], [3.1e-9], max_error=1e-9)
    waveform = run.energy[1][1].B.waveform
    cuts = breaks or [2.97e-9, 2.99e-9, 3e-9, 3.01e-9, 3.02e-9]

    def field(t: float) -> np.ndarray:
        return np.array([0.2 * waveform(t), 0, 0.5])

    expected = macrospin(field, [0, 0, 1], [3.1e-9], alpha=0.05, breaks=cuts)
    assert np.hypot(*expected[-1, :2]) > 0.01
    assert np.abs(found - expected).max() < 1e-6


def test_steps_grow_again_between_events(backend):
    """A long rest costs few steps, before the pulse and after it."""
    form = {"pulse": {"start": 50e-9, "duration": 1e-11}}
    run = config(
        material={"Ms": 8e5, "alpha": 0.5},
        energy={"zeeman": [{"B": [0, 0, 0.2]}, {"B": {"value": [0, 0, 0.1], "waveform": form}}]},
    )
    made = stepper(run, backend, np.array([0, 0, 1.0]).reshape(3, 1, 1, 1))
    advance(made, 200e-9)
    assert made.engine.column("steps")[0] < 100


def test_a_jump_lies_between_two_steps(backend):
    """No step contains it, so none is rejected again and again to find where it is."""
    counts = []
    for high in (0.0, 0.5):
        form = {"pulse": {"start": 20 * PS, "duration": 30 * PS, "period": 70 * PS, "high": high}}
        B = {"value": [0, 0, 0.1], "waveform": form}
        run = config(energy={"zeeman": [{"B": [0.1, 0, 0.5]}, {"B": B}]})
        made = stepper(run, backend, np.array([1, 0, 0.0]).reshape(3, 1, 1, 1), max_error=1e-9)
        advance(made, 500 * PS)
        counts.append((made.engine.column("steps")[0], made.engine.column("rejected")[0]))
    assert counts[1][0] < 1.1 * counts[0][0] + 14
    assert counts[1][1] <= counts[0][1] + 14


# ---------------------------------------------------------------------------------------- fixed steps


@pytest.mark.parametrize("method", TABLEAUS)
def test_every_method_keeps_its_order_in_a_field_that_depends_on_time(method, backend):
    form, w, _ = WAVEFORMS["sine"]
    run = config(
        material={"Ms": 8e5, "alpha": 0.1},
        energy={"zeeman": [{"B": [0, 0, 0.5]}, {"B": {"value": [0.4, 0, 0], "waveform": form}}]},
    )
    end = 0.1e-9
    exact = macrospin(lambda t: np.array([0.4 * w(t), 0, 0.5]), [0.6, 0, 0.8], [end])[-1]
    order = TABLEAUS[method].order
    counts = (400, 800) if order <= 2 else (25, 50)
    errors = [
        np.abs(
            follow(run, backend, [0.6, 0, 0.8], [end], method=method, dt=end / n)[0] - exact
        ).max()
        for n in counts
    ]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.35)
    assert errors[1] < (2e-2 if order == 1 else 2e-3)


@pytest.mark.parametrize("method", ["rk23", "rk4", "rk45", "fehlberg"])
def test_fixed_steps_keep_their_order_where_a_field_jumps_between_them(method, backend):
    form, w, breaks = WAVEFORMS["rectangle"]
    run = config(
        material={"Ms": 8e5, "alpha": 0.1},
        energy={"zeeman": [{"B": [0, 0, 0.5]}, {"B": {"value": [0.4, 0, 0], "waveform": form}}]},
    )
    end, m0 = 0.2e-9, [0.6, 0, 0.8]
    exact = macrospin(lambda t: np.array([0.4 * w(t), 0, 0.5]), m0, [end], breaks=breaks)[-1]
    errors = [
        np.abs(follow(run, backend, m0, [end], method=method, dt=end / n)[0] - exact).max()
        for n in (60, 120)
    ]
    assert math.log2(errors[0] / errors[1]) > TABLEAUS[method].order - 0.4


def test_fixed_steps_are_shortened_for_an_output_only(backend):
    run = config(energy={"zeeman": {"B": [0, 0, 0.5]}})
    made = stepper(run, backend, np.array([1, 0, 0.0]).reshape(3, 1, 1, 1), "rk4", dt=1e-13)
    advance(made, 10.5e-13)
    assert made.engine.column("steps")[0] == 11 and made.engine.column("t")[0] == 10.5e-13
    advance(made, 20.5e-13)
    assert made.engine.column("steps")[0] == 21
    assert made.engine.column("free_dt")[0] == 1e-13


# ------------------------------------------------------------------------------ outputs and stages


def drive(run: Any, backend: Any) -> tuple[MemoryRecorder, dict[str, np.ndarray], Driver]:
    """Work through the schedule; return what was recorded, the table by columns, and the driver."""
    recorder = MemoryRecorder()
    driver = Driver([run], backend, [recorder], SilentReporter())
    driver.run()
    table = {c.name: recorder.table[:, i] for i, c in enumerate(driver.columns)}
    return recorder, table, driver


PRECESSING: dict[str, Any] = {
    "material": {"Ms": 8e5, "alpha": 0.02},
    "energy": {"zeeman": {"B": [0.05, 0, 0.3]}},
    "initial": {"uniform": {"direction": [1, 0, 0.2]}},
}


def test_outputs_come_exactly_at_their_times(backend):
    every, snapshots = 0.7e-12, 3.1e-12
    run = config(
        **PRECESSING,
        schedule=[{"run": {"for": 50e-12}}],
        output={"table": {"every": every}, "snapshots": {"every": snapshots}},
    )
    recorder, table, _ = drive(run, backend)
    due = {k * every for k in range(72)} | {k * snapshots for k in range(17)}
    rows = sorted(k * every for k in range(72) if k * every < 50e-12)
    assert table["t"][0] == 0 and set(table["t"]) == {*rows, 50e-12} <= due | {50e-12}
    assert recorder.times == [0.0, *(k * snapshots for k in range(1, 17)), 50e-12]


def test_outputs_do_not_change_the_steps_in_between(backend):
    """The step that an output cuts short is taken up again after it."""
    steps, last = [], []
    for output in ({}, {"table": {"every": 20e-12}}, {"snapshots": {"at": [1.003e-10, 1.1e-10]}}):
        run = config(**PRECESSING, schedule=[{"run": {"for": 2e-9}}], output=output)
        recorder, table, _ = drive(run, backend)
        steps.append(table["step"][-1])
        last.append(recorder.snapshots[-1]["m"])
        assert (np.diff(table["step"]) >= 0).all()
    assert steps[0] < steps[1] <= steps[0] + 2 * 100
    assert steps[2] <= steps[0] + 4
    assert np.abs(last[1] - last[0]).max() < 1e-4 and np.abs(last[2] - last[0]).max() < 1e-4
    # An output before the first full step must not leave a crumb of a step behind.
    made = stepper(run, backend, np.ones((3, 1, 1, 1)))
    advance(made, 1e-10)
    natural = made.engine.column("free_dt")[0]
    advance(made, 1e-10 + 1e-3 * natural)
    assert made.engine.column("free_dt")[0] == pytest.approx(natural, rel=0.5)


def test_time_goes_on_over_the_stages_and_overrides_end_with_theirs(backend):
    form = {"sine": {"frequency": "4 GHz"}}
    run = config(
        **merged(
            PRECESSING,
            {"energy": {"zeeman": {"B": {"value": [0, 0.05, 0.3], "waveform": form}}}},
        ),
        solver={"max_error": 1e-9},
        schedule=[
            {"run": {"for": 110e-12}},
            {"run": {"for": 70e-12, "with": {"energy.zeeman.B.value": [0, 0, -0.4], "material.alpha": 0.3}}},
            {"run": {"for": 120e-12}},
        ],
        output={"table": {"every": 50e-12}},
    )  # fmt: skip
    recorder, table, driver = drive(run, backend)
    assert driver.t == pytest.approx(300e-12, rel=1e-15)
    assert table["t"].tolist() == pytest.approx(
        [0, 50e-12, 100e-12, 110e-12, 150e-12, 180e-12, 200e-12, 250e-12, 300e-12]
    )
    assert set(table["t"]) >= {50e-12, 2 * 50e-12, 3 * 50e-12, 4 * 50e-12, 5 * 50e-12}
    assert table["stage"].tolist() == [0, 0, 0, 0, 1, 1, 2, 2, 2]
    assert (np.diff(table["step"]) > 0).all()

    m = np.array([1, 0, 0.2]) / np.hypot(1, 0.2)
    start = 0.0
    for end, B, alpha in ((110e-12, [0, 0.05, 0.3], 0.02), (180e-12, [0, 0, -0.4], 0.3),
                          (300e-12, [0, 0.05, 0.3], 0.02)):  # fmt: skip

        def field(t: float, start: float = start, B: Any = B) -> np.ndarray:
            return math.sin(2 * math.pi * 4e9 * (start + t)) * np.array(B)

        m = macrospin(field, m, [end - start], alpha=alpha)[-1]
        start = end
    assert np.abs(recorder.snapshots[-1]["m"][:, 0, 0, 0] - m).max() < 1e-6


def test_a_stage_may_change_the_solver(backend):
    run = config(
        **PRECESSING,
        schedule=[
            {"run": {"for": 1e-12, "with": {"solver.dt": 1e-13, "solver.method": "rk4"}}},
            {"run": {"for": 1e-12, "with": {"output.table.every": 2e-13}}},
        ],
    )
    _, table, _ = drive(run, backend)
    assert table["step"][table["stage"] == 0][-1] == 10
    assert (table["stage"] == 1).sum() == 5


def test_relaxing_takes_the_field_of_its_moment(backend):
    """Waveforms stand still while there is no time."""
    form = {"ramp": {"duration": "1 ns", "from": 1, "to": -1}}
    relaxed = {"relax": {"max_torque": 1e-9}}
    run = config(
        material={"Ms": 8e5, "alpha": 0.1},
        energy={"zeeman": [{"B": [0.1, 0, 0]}, {"B": {"value": [0, 0, 0.2], "waveform": form}}]},
        schedule=[relaxed, {"run": {"for": 0.75e-9}}, relaxed, {"minimize": {"max_torque": 1e-9}}],
    )
    recorder, table, _ = drive(run, backend)
    for number, w in ((1, 1.0), (3, -0.5), (4, -0.5)):
        direction = np.array([0.1, 0, 0.2 * w])
        m = recorder.snapshots[number]["m"][:, 0, 0, 0]
        assert np.allclose(m, direction / np.linalg.norm(direction), atol=1e-7)
    assert table["t"].tolist() == [0, 0, 0.75e-9, 0.75e-9, 0.75e-9]
