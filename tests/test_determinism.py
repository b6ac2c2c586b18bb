"""The same run gives the same bits: again, with other numbers of threads, and inside a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from magnets import advance, config, merged, random_m, stepper

from micromag.backend import Backend, get_backend
from micromag.config import RunConfig
from micromag.driver import Driver
from micromag.integrators import clock as clk
from micromag.output.recorder import MemoryRecorder
from micromag.progress import SilentReporter

REPLICAS = 8
# Odd lengths, so that replicas begin at every place within a vector register.
CELLS = (13, 7, 1)
BASE: dict[str, Any] = {
    "mesh": {"cells": list(CELLS), "cell_size": [3e-9, 4e-9, 5e-9]},
    "material": {"Ms": 7e5, "alpha": 0.05},
    "energy": {
        "exchange": {"A": 1e-11},
        "uniaxial_anisotropy": {"Ku1": 3e5, "axis": "+z"},
        "zeeman": {"B": [0.03, 0.02, -0.1]},
    },
    "torques": {"zhang_li": {"J": [1e12, 0, 0], "P": 0.5, "beta": 0.1}},
    "initial": {"random": {}},
}
HALVES = {
    "regions": {"half": {"box": {"center": [-9e-9, 0, 0], "size": [20e-9, 28e-9, 5e-9]}}},
    "geometry": {"ellipse": {"size": [39e-9, 28e-9]}},
    "material": {"Ms": {"default": 7e5, "half": 5e5}, "alpha": {"default": 0.05, "half": 0.2}},
    "energy": {"exchange": {"A": {"default": 1e-11, "half": 6e-12, "default:half": 2e-12}}},
}
WAVES = {
    "energy": {
        "zeeman": {
            "B": {"value": [0.03, 0.02, -0.1], "waveform": {"sine": {"frequency": 5e9}}},
        },
    },
    "torques": {
        "zhang_li": {
            "J": {"value": [1e12, 0, 0], "waveform": {"pulse": {"start": 1e-11, "duration": 2e-11}}}
        }
    },
}
STRUCTURES = {
    "local": {},
    "demag": {"energy": {"demag": {}}},
    "regions": merged(HALVES, {"energy": {"demag": {}}}),
    "waveforms": WAVES,
    "periodic-3d": {
        "mesh": {"cells": [7, 5, 3], "periodic": [1, 0, 0]},
        "energy": {"demag": {}},
    },
}


def replica(structure: str, number: int, **sections: Any) -> RunConfig:
    """Return the configuration of one replica: same structure, other values."""
    data = merged(BASE, STRUCTURES[structure], sections)
    regional = structure == "regions"
    alpha = 0.02 * (1 + number)
    changes: dict[str, Any] = {
        "seed": 17 * number + 1,
        "material": {"alpha": {"default": alpha, "half": 0.3 - alpha} if regional else alpha},
        "energy": {"uniaxial_anisotropy": {"Ku1": 2e5 + 7e4 * number}},
        "torques": {"zhang_li": {"beta": 0.01 * number}},
    }
    if structure == "waveforms":
        frequency = {"sine": {"frequency": 2e9 * (number + 1)}}
        changes["energy"]["zeeman"] = {"B": {"waveform": frequency}}
    else:
        changes["energy"]["zeeman"] = {"B": [0.05 * number, 0.02, -0.1]}
    return config(**merged(data, changes))


def begin(configs: list[RunConfig]) -> np.ndarray:
    """Return a different random state for every replica."""
    return np.stack([random_m(configs[0].mesh.shape, seed=c.seed) for c in configs])


def bits(made: Any, number: int) -> tuple[bytes, bytes]:
    """Return everything about one replica, to the last bit."""
    clock = made.engine.read_clock()[number]
    # Where a replica has to stop is not its own.
    clock[clk.column("t_stop")] = 0
    return made.engine.m(number).tobytes(), clock.tobytes()


# ------------------------------------------------------------------------------ again, and threads


@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_same_steps_twice(structure, backend):
    found = []
    for _ in range(2):
        made = stepper(replica(structure, 2), backend, begin([replica(structure, 2)]))
        advance(made, 3e-11)
        found.append(bits(made, 0))
    assert found[0] == found[1]


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("shape", [(192, 160, 1), (48, 40, 12)])
def test_one_thread_or_two(shape, precision):
    """Large enough for the pool and for the transforms to divide the work."""
    found = []
    for threads in (1, 2):
        made = stepper(
            replica("demag", 3, mesh={"cells": list(shape)}, precision=precision),
            get_backend("cpu", threads),
            random_m(shape[::-1], seed=5),
            max_error=1e-3,
        )
        made.aim(1e-9)
        made.steps(8)
        measured = made.engine.measure()
        found.append((*bits(made, 0), measured.energies.tobytes(), measured.max_torque.tobytes()))
    assert found[0] == found[1]


# ------------------------------------------------------------------------------------------ batches


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_a_replica_steps_in_a_batch_as_it_does_alone(structure, precision, backend):
    configs = [replica(structure, i, precision=precision) for i in range(REPLICAS)]
    m = begin(configs)
    batch = stepper(configs, backend, m)
    for t in (1.3e-11, 4e-11):
        advance(batch, t)
    steps = batch.engine.column("steps")
    assert len(set(steps)) > REPLICAS // 2, "every replica has steps of its own"
    for i in (0, 3, 6, 7):
        alone = stepper(configs[i], backend, m[i : i + 1])
        for t in (1.3e-11, 4e-11):
            advance(alone, t)
        assert bits(alone, 0) == bits(batch, i)


@pytest.mark.parametrize("method", ["rk23", "cash_karp", "heun", "fehlberg"])
def test_every_method_keeps_replicas_apart(method, backend):
    configs = [replica("demag", i) for i in range(3)]
    m = begin(configs)
    batch = stepper(configs, backend, m, method)
    advance(batch, 5e-12)
    alone = stepper(configs[2], backend, m[2:], method)
    advance(alone, 5e-12)
    assert bits(alone, 0) == bits(batch, 2)


def test_replicas_may_stop_at_times_of_their_own(backend):
    configs = [replica("demag", i) for i in range(3)]
    m = begin(configs)
    stops = np.array([5e-12, 2e-11, 1.2e-11])
    batch = stepper(configs, backend, m)
    advance(batch, stops)
    assert (batch.engine.column("t") == stops).all()
    for i, stop in enumerate(stops):
        alone = stepper(configs[i], backend, m[i : i + 1])
        advance(alone, stop)
        assert bits(alone, 0) == bits(batch, i)


def test_measuring_a_batch_is_measuring_each(backend):
    configs = [replica("regions", i) for i in range(REPLICAS)]
    m = begin(configs)
    batch = stepper(configs, backend, m).engine.measure()
    for i in (1, 5):
        alone = stepper(configs[i], backend, m[i : i + 1]).engine.measure()
        for name in ("m", "energies", "max_torque"):
            assert (getattr(alone, name)[0] == getattr(batch, name)[i]).all(), name


# ---------------------------------------------------------------------------------------- schedules

SCHEDULES = {
    "run": [{"run": {"for": 2e-11}}, {"run": {"for": 1e-11, "with": {"material.alpha": 0.5}}}],
    "relax": [{"relax": {"max_torque": 1e-3}}, {"run": {"for": 5e-12}}],
    "minimize": [{"minimize": {"max_torque": 1e-3}}],
}


def drive(configs: list[RunConfig], backend: Backend) -> tuple[list[MemoryRecorder], Driver]:
    """Work through the schedule; return what was recorded of every replica."""
    recorders = [MemoryRecorder() for _ in configs]
    driver = Driver(configs, backend, recorders, SilentReporter())
    driver.run()
    return recorders, driver


def assert_same(one: MemoryRecorder, other: MemoryRecorder) -> None:
    assert one.table.tobytes() == other.table.tobytes()
    assert one.times == other.times
    for mine, theirs in zip(one.snapshots, other.snapshots, strict=True):
        assert mine["m"].tobytes() == theirs["m"].tobytes()
    assert one.histories == other.histories


def scheduled(structure: str, number: int, schedule: str, precision: str) -> RunConfig:
    return replica(
        structure,
        number,
        precision=precision,
        schedule=SCHEDULES[schedule],
        output={"table": {"every": 3e-12}, "snapshots": {"every": 1e-11}},
    )


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("structure", ["local", "demag"])
def test_a_schedule_in_a_batch_is_the_schedule_alone(structure, schedule, precision, backend):
    configs = [scheduled(structure, i, schedule, precision) for i in range(REPLICAS)]
    batch, driver = drive(configs, backend)
    for i in (0, 4, 7):
        alone, single = drive([configs[i]], backend)
        assert_same(alone[0], batch[i])
        assert single.m[0].tobytes() == driver.m[i].tobytes()
    if schedule != "run":
        iterations = {recorder.histories[0].iterations[-1] for recorder in batch}
        assert len(iterations) > 1, "every replica ends by itself"


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_schedule_twice(schedule, backend):
    first, again = (
        drive([scheduled("regions", 1, schedule, "single")], backend)[0][0] for _ in range(2)
    )
    assert_same(first, again)


@pytest.mark.parametrize("structure", ["regions", "waveforms"])
def test_regions_and_waveforms_in_a_batch_of_runs(structure, backend):
    configs = [scheduled(structure, i, "run", "single") for i in range(REPLICAS)]
    batch, _ = drive(configs, backend)
    for i in (1, 6):
        assert_same(drive([configs[i]], backend)[0][0], batch[i])


def test_formulas_that_differ_in_numbers_only_make_a_batch(backend):
    texts = [
        "step(t - 3 ps) * sin(9e11 * t)",
        "step(t - 7 ps) * sin(2e11 * t)",
        "step(t - 0 ps) * sin(0 * t)",
    ]
    configs = []
    for text in texts:
        B = {"value": [0, 0.3, 0.1], "waveform": {"expression": text}}
        configs.append(config(**merged(BASE, {"energy": {"zeeman": {"B": B}}})))
    m = np.stack([random_m(configs[0].mesh.shape, seed=i) for i in range(3)])
    batch = stepper(configs, backend, m)
    advance(batch, 2e-11)
    for i in range(3):
        alone = stepper(configs[i], backend, m[i : i + 1])
        advance(alone, 2e-11)
        assert bits(alone, 0) == bits(batch, i)
