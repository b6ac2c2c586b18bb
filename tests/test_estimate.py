"""The estimates of memory and output against what is really allocated and written."""

from __future__ import annotations

import tracemalloc
import weakref
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import fake_cupy
import magnets
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micromag.backend import get_backend
from micromag.backend.cpu import CpuBackend
from micromag.config_sections import Output, Snapshots, Table
from micromag.demag.tensor import padded_lengths
from micromag.driver import Driver
from micromag.errors import DeviceError
from micromag.estimate import (
    check_memory,
    check_total_memory,
    device_bytes,
    event_counts,
    host_bytes,
    output_size,
)
from micromag.integrators.minimizer import Minimizer
from micromag.integrators.runge_kutta import RungeKutta
from micromag.integrators.tableaus import TABLEAUS
from micromag.job import run_job
from micromag.model import Model
from micromag.output.recorder import MemoryRecorder
from micromag.output.runfile import RunFile
from micromag.progress import SilentReporter
from micromag.stopping import StopRequest
from micromag.timetable import Timetable


class CountingBackend(CpuBackend):
    """Keeps the largest number of bytes that were allocated at one time."""

    live = peak = 0

    def empty(self, shape: Any, dtype: Any) -> Any:
        array = super().empty(shape, dtype)
        memory = array
        while isinstance(memory.base, np.ndarray):
            memory = memory.base
        self._add(array.nbytes)
        weakref.finalize(memory, self._add, -array.nbytes)
        return array

    def _add(self, size: int) -> None:
        self.live += size
        self.peak = max(self.peak, self.live)


class AllocatingBackend(CountingBackend):
    """Allocates all arrays and compiles nothing."""

    def compile(self, sources: Any) -> Any:
        return [MagicMock() for _ in sources]

    def program(self, steps: Any) -> Any:
        return MagicMock()


class Forgetful(MemoryRecorder):
    """Keeps no snapshots, which a file would not keep in memory either."""

    def snapshot(self, t: float, fields: Any) -> None:
        """Forget it."""


def box(*cells: int) -> dict[str, Any]:
    return {"cells": cells, "cell_size": [4e-9, 4e-9, 4e-9]}


MATERIAL = {"Ms": 8e5, "alpha": 0.5}
TERMS = {"exchange": {"A": 13e-12}, "demag": {}}
RUNS: dict[str, dict[str, Any]] = {
    "a film": {"mesh": box(128, 128, 1), "precision": "single"},
    "a block": {"mesh": box(32, 32, 16), "precision": "single"},
    "doubles": {"mesh": box(32, 64, 8)},
    "periodic": {"mesh": {**box(64, 64, 4), "periodic": [1, 1, 0]}},
    "a moving window": {"mesh": {**box(64, 64, 4), "window": {"follow": "wall"}}},
    "no stray field": {"mesh": box(64, 64, 8), "energy": {"exchange": {"A": 1e-11}}},
    "more stages": {"mesh": box(64, 64, 4), "solver": {"method": "cash_karp"}},
    "regions": {
        "mesh": box(64, 64, 4),
        "regions": {"seed": {"box": {"size": [4e-8, 4e-8, 4e-8]}}},
        "material": {"Ms": {"default": 8e5, "seed": 5e5}, "alpha": {"default": 0.5, "seed": 0.1}},
        "energy": {"exchange": {"A": {"default": 13e-12, "seed": 5e-12}}, "demag": {}},
    },
    "values per cell": {
        "mesh": box(64, 64, 4),
        "material": {"Ms": np.linspace(7e5, 8e5, 2**14).reshape(4, 64, 64), "alpha": 0.5},
        "torques": {"zhang_li": {"u": np.ones((3, 4, 64, 64)), "beta": 0.1}},
    },
}


@pytest.mark.parametrize("name", RUNS)
def test_memory_of_the_arrays_of_a_run(name: str) -> None:
    stage: dict[str, Any] = {"schedule": [{"run": {"for": 1e-15}}]}
    config = magnets.config(**{"material": MATERIAL, "energy": TERMS, **stage, **RUNS[name]})
    backend = AllocatingBackend()
    RungeKutta(Model([config]), backend, TABLEAUS[config.solver.method])
    assert device_bytes(config) == pytest.approx(backend.peak, rel=0.01, abs=20_000)


def test_memory_of_the_arrays_of_a_relaxation() -> None:
    torques = {"spin_torque": {"sigma": "+y", "B_DL": np.full((4, 64, 64), 1e-3)}}
    common = {"mesh": box(64, 64, 4), "material": MATERIAL, "energy": TERMS, "torques": torques}
    for stage in ("relax", {"relax": {"currents": True}}, {"relax": {"method": "rk45"}}):
        config = magnets.config(**common, schedule=[stage])
        backend, relax = AllocatingBackend(), config.schedule[0]
        RungeKutta(
            Model([config], currents=relax.currents), backend, TABLEAUS[relax.method], relax=True
        )
        assert device_bytes(config) == pytest.approx(backend.peak, rel=0.01, abs=20_000)
    config, backend = magnets.config(**common, schedule=["minimize"]), AllocatingBackend()
    Minimizer(Model([config], currents=False), backend, 1e-5)
    assert device_bytes(config) == pytest.approx(backend.peak, rel=0.01, abs=20_000)


def test_memory_of_a_run_on_device_and_host() -> None:
    config = magnets.config(
        mesh=box(32, 32, 16),
        material=MATERIAL,
        energy=TERMS,
        schedule=[{"relax": {"max_torque": 1.0}}, {"run": {"for": 1e-15}}],
        output={"snapshots": {"quantities": ["m", "B_demag"]}},
    )
    _compute(config, CpuBackend())  # compiled, imported, tensor in the cache
    backend = CountingBackend()
    tracemalloc.start()
    _compute(config, backend)
    host = tracemalloc.get_traced_memory()[1] - backend.peak
    tracemalloc.stop()
    # The stages follow one another: the largest of them counts.
    assert device_bytes(config) == pytest.approx(backend.peak, rel=0.01, abs=20_000)
    estimated = host_bytes(config)
    assert host < estimated + 1_000_000, "less was said than was taken"
    assert estimated < 4 * host, "so generous that it would refuse what fits"


def _compute(config: Any, backend: CpuBackend) -> None:
    Driver([config], backend, [Forgetful()], SilentReporter()).run()


@pytest.mark.parametrize("cells", [(64, 64, 1), (48, 20, 6), (1, 1, 1), (100, 1, 1)])
def test_transforms_on_a_gpu(cells: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    config = magnets.config(mesh=box(*cells), energy={"demag": {}}, schedule=[{"run": {"for": 1}}])
    fake_cupy.install(monkeypatch)
    with get_backend("cuda") as gpu:
        lengths = padded_lengths(cells, (0, 0, 0))
        on_gpu = gpu.convolution_fft_bytes(cells, lengths, 1, 3, np.float64)
    on_cpu = CpuBackend().convolution_fft_bytes(cells, lengths, 1, 3, np.float64)
    assert device_bytes(config, "cuda") - device_bytes(config, "cpu") == on_gpu - on_cpu


def test_an_absurd_mesh_is_refused_at_once() -> None:
    config = magnets.config(mesh=box(100_000, 100_000, 1000), energy=TERMS)
    for kind in ("cpu", "cuda"):
        with pytest.raises(DeviceError, match="does not fit into the memory of") as caught:
            check_total_memory(config, kind)  # type: ignore[arg-type]
        assert "100000 x 100000 x 1000" in str(caught.value)
        assert "use fewer cells, or precision: single" in str(caught.value)


def test_what_does_not_fit_beside_other_programs_is_refused(monkeypatch: Any) -> None:
    config = magnets.config(mesh=box(256, 256, 64), energy=TERMS)
    backend = CpuBackend()
    check_memory(config, backend)
    monkeypatch.setattr(CpuBackend, "memory_free", lambda self: 200_000_000)
    with pytest.raises(DeviceError, match="free memory") as caught:
        check_memory(config, backend)
    assert "200 MB are there" in str(caught.value)
    small = magnets.config(mesh=box(8, 8, 1))
    monkeypatch.setattr(CpuBackend, "memory_free", lambda self: 0)
    check_memory(small, backend)


periods = st.none() | st.floats(1e-12, 3e-9)
lengths = st.floats(1e-10, 5e-9)


@given(start=st.just(0.0) | lengths, length=lengths, rows=periods, every=periods)
def test_rows_and_snapshots_are_those_of_the_timetable(
    start: float, length: float, rows: float | None, every: float | None
) -> None:
    output = Output(table=Table(every=rows), snapshots=Snapshots(every=every))
    events = list(Timetable(start, start + length, output))
    counted = (sum(e.row for e in events), sum(e.snapshot for e in events))
    assert event_counts(start, start + length, output) == counted


def test_snapshots_at_given_times_are_counted() -> None:
    output = Output(snapshots=Snapshots(at=(0.0, 1e-9, 2e-9, 3e-9, 9e-9)))
    for start, end in ((0.0, 1.5e-9), (1e-9, 3e-9), (0.5e-9, 8e-9)):
        events = list(Timetable(start, end, output))
        assert event_counts(start, end, output)[1] == sum(e.snapshot for e in events)


def test_output_is_as_large_as_was_said(tmp_path: Path) -> None:
    config = magnets.config(
        mesh=box(64, 64, 2),
        material=MATERIAL,
        energy={"exchange": {"A": 1e-11}},
        schedule=[
            "relax",
            {"run": {"for": 10e-15, "with": {"output.table.every": 0.5e-15}}},
            {"run": {"for": 3e-15}},
        ],
        output={
            "directory": str(tmp_path / "out"),
            "table": {"every": 1e-15},
            "snapshots": {"every": 1e-15, "quantities": ["m", "e_exchange"]},
        },
    )
    with StopRequest() as stop:
        path = run_job(config, reporter=SilentReporter(), stop=stop).path
    assert path is not None
    said, result = output_size(config), RunFile(path)
    assert said.rows == len(result.table["t"])
    assert said.columns == len(result.table)
    assert said.snapshots == len(result)
    assert said.bytes == pytest.approx(path.stat().st_size, rel=0.1)


@pytest.mark.parametrize(("rows", "snapshots"), [(None, None), (1e-15, None), (1e-15, 2e-15)])
def test_small_results_are_as_large_as_was_said(
    rows: float | None, snapshots: float | None, tmp_path: Path
) -> None:
    config = magnets.config(
        mesh=box(4, 2, 1),
        material=MATERIAL,
        schedule=[{"run": {"for": 1.2e-12 if rows else 1e-15}}],
        solver={"method": "euler", "dt": 1e-15},
        output={
            "directory": str(tmp_path / "out"),
            "table": {"every": rows},
            "snapshots": {"every": snapshots},
        },
    )
    with StopRequest() as stop:
        path = run_job(config, reporter=SilentReporter(), stop=stop).path
    assert path is not None
    assert output_size(config).bytes == pytest.approx(path.stat().st_size, rel=0.1)
