"""Sweeps: replicas in a batch and alone, failures, files, the collected table, going on."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from magnets import config, merged

import micromag
from micromag.backend import Backend
from micromag.cli import main
from micromag.config import RunConfig, load_config
from micromag.driver import Driver
from micromag.errors import ConfigError, Interrupted, NumericalError, OutputExistsError
from micromag.observables.base import TIME_COLUMNS
from micromag.output.recorder import MemoryRecorder
from micromag.output.runfile import RunFile
from micromag.output.sweep_file import SweepFile
from micromag.output.sweep_writer import file_axes
from micromag.progress import PlainReporter, SilentReporter
from micromag.sweep_points import Axis, sweep_points

ROOT = Path(micromag.__file__).parents[1]
CHECK = Path(__file__).parent / "tools/check_vtkhdf.py"
REPLICAS = 32
WIRE: dict[str, Any] = {
    "precision": "single",
    "mesh": {"cells": [13, 3, 1], "cell_size": [3e-9, 4e-9, 5e-9]},
    "material": {"Ms": 7e5, "alpha": 0.05},
    "energy": {
        "exchange": {"A": 1e-11},
        "uniaxial_anisotropy": {"Ku1": 3e5, "axis": "+z"},
        "zeeman": {"B": [0.03, 0.02, -0.1]},
    },
    "torques": {"zhang_li": {"J": [1e12, 0, 0], "P": 0.5, "beta": 0.1}},
    "initial": {"random": {}},
}


def replica(number: int, **sections: Any) -> RunConfig:
    """Return one replica: other values than its neighbours in everything that may differ."""
    changes = {
        "seed": number + 1,
        "material": {"alpha": 0.03 * (1 + number % 7)},
        "energy": {"zeeman": {"B": [0.01 * number, 0.02, -0.1]}},
        "output": {
            "table": {"every": (2 + number % 3) * 1e-12},
            "snapshots": {"every": (7 + number % 4) * 1e-12},
        },
    }
    return config(**merged(WIRE, changes, sections))


def fixed(number: int) -> RunConfig:
    run = {"run": {"for": (10 + number % 5) * 1e-12}}
    return replica(
        number, schedule=[run, run], solver={"method": "rk4", "dt": (2 + number % 3) * 1e-14}
    )


def adaptive(number: int) -> RunConfig:
    stages = [{"run": {"for": (5 + 3 * (number % 4)) * 1e-12}}, {"run": {"for": 4e-12}}]
    limits = {"max_error": 10.0 ** -(4 + number % 2), "max_dt": (1 + number % 3) * 1e-13}
    return replica(number, schedule=stages, solver=limits)


def relaxing(number: int) -> RunConfig:
    limits = {"max_torque": 10.0 ** -(2 + number % 3), "max_error": 10.0 ** -(4 + number % 2)}
    return replica(number, schedule=[{"relax": limits}, {"run": {"for": 3e-12}}])


def minimizing(number: int) -> RunConfig:
    return replica(number, schedule=[{"minimize": {"max_torque": 10.0 ** -(2 + number % 3)}}])


def drive(
    configs: list[RunConfig], backend: Backend, **options: Any
) -> tuple[list[MemoryRecorder], Driver]:
    """Work through the schedule; return what was recorded of every replica."""
    recorders = [MemoryRecorder() for _ in configs]
    driver = Driver(configs, backend, recorders, SilentReporter(), **options)
    driver.run()
    return recorders, driver


def assert_same(one: MemoryRecorder, other: MemoryRecorder) -> None:
    assert one.table.tobytes() == other.table.tobytes()
    assert one.times == other.times
    for mine, theirs in zip(one.snapshots, other.snapshots, strict=True):
        assert mine["m"].tobytes() == theirs["m"].tobytes()
    assert one.histories == other.histories
    assert (one.status, one.message) == (other.status, other.message)


# -------------------------------------------------------------------- replicas of one driver


@pytest.mark.parametrize("kind", [fixed, adaptive, relaxing, minimizing])
def test_a_replica_in_a_batch_of_32_is_the_replica_alone(kind: Any, backend: Backend) -> None:
    configs = [kind(i) for i in range(REPLICAS)]
    batch, _ = drive(configs, backend)
    for i in (0, 7, 19, 31):
        assert_same(drive([configs[i]], backend)[0][0], batch[i])
    assert len({recorder.table[-1, 0] for recorder in batch}) > 1 or kind in (relaxing, minimizing)
    if kind is relaxing:
        assert len({r.histories[0].iterations[-1] for r in batch}) > 2, "every one ends by itself"


def test_every_replica_keeps_its_own_times(backend: Backend) -> None:
    batch, driver = drive([adaptive(i) for i in range(4)], backend)
    for i, recorder in enumerate(batch):
        every, end = (2 + i % 3) * 1e-12, (9 + 3 * (i % 4)) * 1e-12
        t = recorder.table[:, 0]
        assert t[-1] == driver.t[i] == pytest.approx(end, rel=1e-14)
        wanted = {0.0, end - 4e-12, end, *np.arange(every, end, every)}
        assert np.unique(t) == pytest.approx(sorted({round(x, 16) for x in wanted}), abs=1e-18)


@pytest.mark.parametrize("demag", [False, True])
@pytest.mark.parametrize("cause", ["nan", "collapse", "relax", "limit", "minimize"])
def test_a_failing_replica_does_not_disturb_the_others(
    cause: str, demag: bool, backend: Backend
) -> None:
    extra = {"energy": {"demag": {}}} if demag else {}
    absurd = {"energy": {"zeeman": {"B": [1e38, 0, 3e38]}}}

    def make(number: int, **changes: Any) -> RunConfig:
        base = {"relax": relaxing, "limit": relaxing, "minimize": minimizing}.get(cause, adaptive)
        return config(**merged(base(number).model_dump(by_alias=True), extra, changes))

    schedule = [{"relax": {"max_iterations": 30, "max_torque": 1e-9}}, {"run": {"for": 3e-12}}]
    failing = {
        "nan": absurd,
        "collapse": {"solver": {"max_error": 1e-9, "min_dt": 1e-13}},
        "relax": absurd,
        "limit": {"schedule": schedule},
        "minimize": absurd,
    }[cause]
    good = [make(i) for i in range(4)]
    bad = make(9, **failing)
    mixed, driver = drive([*good[:2], bad, *good[2:]], backend)
    alone, _ = drive(good, backend)
    for i, recorder in zip((0, 1, 3, 4), alone, strict=True):
        assert recorder.status == "finished"
        assert_same(recorder, mixed[i])
    failed = mixed[2]
    assert failed.status == "failed"
    assert list(driver.outcomes) == [2]
    with pytest.raises(NumericalError) as error:
        drive([bad], backend)
    assert failed.message == str(error.value)
    if cause == "limit":
        assert "did not converge" in failed.message
        assert failed.histories[0].iterations == [0, 20, 30]
    assert np.isfinite(failed.snapshots[-1]["m"]).all()
    assert failed.table[-1, 3] == 0, "it takes no part in the second stage"


def test_a_failing_replica_records_the_same_in_a_batch_and_alone(backend: Backend) -> None:
    def collapse(i: float) -> RunConfig:
        return replica(3, schedule=[{"run": {"for": 1e-11}}], solver={"min_dt": i * 2e-13})

    configs = [collapse(i) for i in (0.01, 9, 0.02)]
    batch, _ = drive(configs, backend)
    alone = MemoryRecorder()
    driver = Driver(configs[1:2], backend, [alone], SilentReporter())
    with pytest.raises(NumericalError, match="collapsed"):
        driver.run()
    assert [recorder.status for recorder in batch] == ["finished", "failed", "finished"]
    assert_same(alone, batch[1])


def test_a_replica_may_end_before_its_time(backend: Backend) -> None:
    """One that loses the wall that the run is about leaves its state, a word and a reason."""

    def wall(B: float) -> RunConfig:
        sections = merged(
            WIRE,
            {
                "mesh": {"cells": [32, 3, 1]},
                "material": {"alpha": 0.5},
                "energy": {"zeeman": {"B": [0, 0, B]}},
                "torques": {"zhang_li": {"J": [0, 0, 0]}},
                "schedule": [{"run": {"for": 40e-12}}],
                "output": {"table": {"every": 1e-12, "columns": ["wall_position"]}},
                "analysis": {"final_values": {"columns": ["wall_position"]}},
            },
        )
        wall = {"domain_wall": {"from": "+z", "to": "-z", "kind": "bloch"}}
        return config(**{**sections, "initial": wall})

    configs = [wall(0.01), wall(4.0), wall(0.02)]
    batch, driver = drive(configs, backend)
    assert [recorder.status for recorder in batch] == ["finished", "ended", "finished"]
    assert "no wall any more" in batch[1].message
    assert batch[1].table[-1, 0] == batch[1].times[-1] == driver.t[1] < 40e-12
    for i, recorder in enumerate(batch):
        assert_same(drive([configs[i]], backend)[0][0], recorder)


@pytest.mark.parametrize("kind", [adaptive, relaxing])
def test_an_interrupt_records_where_every_replica_stands(kind: Any, backend: Backend) -> None:
    configs = [kind(i) for i in range(3)]
    looks = itertools.count()
    recorders = [MemoryRecorder() for _ in configs]
    driver = Driver(configs, backend, recorders, SilentReporter(), stop=lambda: next(looks) > 3)
    with pytest.raises(Interrupted):
        driver.run()
    for i, recorder in enumerate(recorders):
        assert recorder.status == "interrupted"
        assert recorder.table[-1, 0] == driver.t[i]
        assert len(recorder.snapshots) >= 2
        assert np.isfinite(recorder.snapshots[-1]["m"]).all()


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("kinds of stages", {"schedule": ["minimize"]}),
        ("relax.method", {"schedule": [{"relax": {"method": "rk45"}}]}),
        ("relax.currents", {"schedule": [{"relax": {"currents": True}}]}),
        ("solver.method", {"schedule": [{"run": {"for": 1e-12}}], "solver": {"method": "heun"}}),
        ("solver.dt", {"schedule": [{"run": {"for": 1e-12}}], "solver": {"dt": 1e-14}}),
    ],
)
def test_replicas_of_a_batch_have_one_structure(
    what: str, changes: dict[str, Any], backend: Backend
) -> None:
    kind = "run" if "solver" in changes else "relax"
    schedule = [{"run": {"for": 1e-12}}] if kind == "run" else ["relax"]
    with pytest.raises(ConfigError, match="differ in more than values") as error:
        drive([replica(0, schedule=schedule), replica(1, **changes)], backend)
    assert what in str(error.value)


# -------------------------------------------------------------------- run files

SWEEP = """\
title: Walls in a small wire
device: cpu
mesh: {cells: [32, 4, 1], cell_size: [4 nm, 4 nm, 1 nm]}
material: {Ms: 580 kA/m, alpha: 0.5}
energy:
  exchange: {A: 15 pJ/m}
  uniaxial_anisotropy: {Ku1: 0.4 MJ/m^3, axis: +z}
torques:
  zhang_li: {J: [1e11, 0, 0], P: 0.5, beta: 0.5}
initial:
  domain_wall: {kind: bloch, from: +z, to: -z}
schedule: [relax, {run: {for: 10 ps}}]
output:
  table: {every: 2 ps, columns: [m, wall_position]}
analysis:
  final_values: {columns: [wall_position]}
sweep:
  torques.zhang_li.J[0]: [1e11 A/m^2, 3e11 A/m^2]
  zip: {material.alpha: [0.1, 0.2, 0.5], torques.zhang_li.beta: [0.1, 0.2, 0.5]}
"""
J, ALPHA, BETA = "torques.zhang_li.J[0]", "material.alpha", "torques.zhang_li.beta"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder with the run file walls.yaml."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "walls.yaml").write_text(SWEEP)
    return tmp_path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a finished sweep, and what the command printed."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "walls.yaml").write_text(SWEEP)
    command = [sys.executable, "-m", "micromag", "run", "walls.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / "runs/walls", done.stdout


def times(folder: Path) -> dict[str, int]:
    """Return when every replica's file was last written to."""
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("replica_*.vtkhdf")}


def test_a_sweep_leaves_a_file_per_replica_and_one_table(finished: tuple[Path, str]) -> None:
    folder, said = finished
    assert sorted(times(folder)) == [f"replica_{i:04d}.vtkhdf" for i in range(6)]
    assert "sweep of 6 replicas (2 J_x x 3 zip)" in said
    assert "6 of 6 replicas done" in said
    sweep = SweepFile(folder)
    assert sweep.shape == (2, 3)
    assert [axis.name for axis in sweep.axes] == [J, "zip"]
    assert (sweep.axes[0].of(J) == [1e11, 3e11]).all()
    assert sweep.axes[0].units[J] == "A/m^2"
    assert sweep.finished and {replica.status for replica in sweep.replicas} == {"finished"}
    for replica in sweep.replicas:
        run = sweep.run(replica.number)
        assert run.status == "finished"
        assert len(run) >= 2 and run.provenance["replica"] == replica.number
        resolved = yaml.safe_load(run.config_text)
        assert "sweep" not in resolved
        assert resolved["material"]["alpha"] == replica.coordinates[ALPHA]
        assert resolved["torques"]["zhang_li"]["beta"] == replica.coordinates[BETA]
        assert replica.place == np.unravel_index(replica.number, (2, 3))
        rows = len(run.table["t"])
        for column in ("t", "m_z", "wall_position"):
            collected = sweep.table(column)[replica.place]
            assert (collected[:rows] == run.table[column]).all()
            assert np.isnan(collected[rows:]).all()
            assert sweep.final(column)[replica.place] == run.table[column][-1]


def test_every_file_of_a_sweep_is_readable_in_paraview(finished: tuple[Path, str]) -> None:
    pytest.importorskip("vtk")
    for path in sorted(finished[0].glob("replica_000[05].vtkhdf")):
        command = [sys.executable, str(CHECK), str(path), "--min-steps", "2"]
        command += ["--compare-h5", "/VTKHDF/CellData/m"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_table_has_the_axes_as_coordinates_in_xarray(finished: tuple[Path, str]) -> None:
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    with xarray.open_dataset(finished[0] / "sweep.h5", engine="h5netcdf") as data:
        assert dict(data.sizes) == {"J_x": 2, "zip": 3, "row": data.sizes["row"]}
        assert list(data.J_x.values) == [1e11, 3e11]
        assert data.J_x.attrs["units"] == "A/m^2" and data.J_x.attrs["key"] == J
        assert data.alpha.dims == ("zip",) and data.alpha.attrs["key"] == ALPHA
        assert "alpha" in data.coords and "beta" in data.coords
        assert data.wall_position.dims == ("J_x", "zip", "row")
        assert data.wall_position.attrs["units"] == "m"
        chosen = data.sel(J_x=3e11, zip="alpha = 0.2, beta = 0.2")
        assert float(chosen.alpha) == 0.2
        run = RunFile(finished[0] / "replica_0004.vtkhdf")
        assert float(chosen.final_wall_position) == run.table["wall_position"][-1]
        assert set(data.status.values.ravel()) == {"finished"}


def test_a_replica_of_a_sweep_is_the_same_run_alone(finished: tuple[Path, str], here: Path) -> None:
    """The resolved run file inside a replica's file repeats it to the last bit."""
    run = RunFile(finished[0] / "replica_0004.vtkhdf")
    (here / "alone.yaml").write_text(run.config_text)
    assert main(["run", "alone.yaml", "-o", "alone", "--quiet"]) == 0
    alone = RunFile(here / "alone/run.vtkhdf")
    assert (alone.times == run.times).all()
    assert (alone.m() == run.m()).all()
    for name, column in run.table.items():
        assert column.tobytes() == alone.table[name].tobytes(), name


def test_info_about_a_sweep(finished: tuple[Path, str], capsys: Any) -> None:
    for path in (finished[0], finished[0] / "sweep.h5"):
        assert main(["info", str(path)]) == 0
        text = capsys.readouterr().out
        assert "Walls in a small wire" in text and "6 finished" in text
        assert "torques.zhang_li.J[0], 2 positions, 1e+11 3e+11 A/m^2" in text
        assert f"{SweepFile(path).final('wall_position')[1, 1]:.6g}" in text
    assert main(["info", str(finished[0]), "--config"]) == 0
    assert "sweep:" in capsys.readouterr().out
    assert main(["info", str(finished[0] / "replica_0003.vtkhdf")]) == 0
    assert "finished" in capsys.readouterr().out


# -------------------------------------------------------------------- what is there already


def test_a_finished_sweep_is_not_touched(here: Path, capsys: Any) -> None:
    run = ["run", "walls.yaml", "--quiet"]
    assert main(run) == 0
    before = times(here / "runs/walls")
    assert main(run) == 5
    assert "finished already" in capsys.readouterr().err
    assert main([*run, "--skip-existing"]) == 0
    assert main([*run, "--set", "material.Ms=5e5"]) == 5
    told = capsys.readouterr().err
    assert "another run file" in told and "material.Ms: 580000.0 there, 500000.0 here" in told
    assert times(here / "runs/walls") == before
    assert main([*run, "--set", "material.Ms=5e5", "--overwrite"]) == 0
    assert times(here / "runs/walls.001") == before


def test_a_sweep_goes_on_where_files_are_missing_or_unfinished(here: Path, capsys: Any) -> None:
    assert main(["run", "walls.yaml", "--quiet"]) == 0
    folder = here / "runs/walls"
    before, whole = times(folder), SweepFile(folder).table("wall_position")
    _make_unfinished(folder, 1)
    (folder / "replica_0003.vtkhdf").unlink()
    _collect_again(folder)
    capsys.readouterr()
    assert main(["run", "walls.yaml"]) == 0
    said = capsys.readouterr().out
    assert "goes on with what is there: 4 replicas are done" in said
    after = times(folder)
    assert {name for name in after if after[name] != before[name]} == {
        "replica_0001.vtkhdf",
        "replica_0003.vtkhdf",
    }
    again = SweepFile(folder)
    assert again.finished
    assert again.table("wall_position").tobytes() == whole.tobytes()


def _make_unfinished(folder: Path, number: int) -> None:
    import h5py

    with h5py.File(folder / f"replica_{number:04d}.vtkhdf", "r+") as file:
        file["provenance"].attrs["status"] = "running"


def _collect_again(folder: Path) -> None:
    """Let the collected table say what it says after a kill: that some replicas still wait."""
    import h5py

    with h5py.File(folder / "sweep.h5", "r+") as file:
        file["status"][0, 1] = "waiting"
        file["status"][1, 0] = "waiting"


def test_a_file_of_another_run_is_not_taken_for_a_replica(here: Path, capsys: Any) -> None:
    assert main(["run", "walls.yaml", "--quiet"]) == 0
    folder = here / "runs/walls"
    (folder / "replica_0003.vtkhdf").write_bytes((folder / "replica_0002.vtkhdf").read_bytes())
    _collect_again(folder)
    assert main(["run", "walls.yaml", "--quiet"]) == 5
    told = capsys.readouterr().err
    assert "not the result of replica 3" in told and "material.alpha" in told


def test_a_sweep_that_is_killed_goes_on(here: Path) -> None:
    text = SWEEP.replace("for: 10 ps", "for: 400 ps").replace("{every: 2 ps,", "{every: 20 ps,")
    # Batches of one replica each: their meshes differ.
    text = text.replace(
        "  zip: {material.alpha: [0.1, 0.2, 0.5], torques.zhang_li.beta: [0.1, 0.2, 0.5]}",
        "  mesh.cells[0]: [32, 40, 48, 56, 64, 72]",
    )
    (here / "walls.yaml").write_text(text)
    folder = here / "runs/walls"
    command = [sys.executable, "-m", "micromag", "run", "walls.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    sweep = subprocess.Popen(
        command, cwd=here, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    with sweep:
        for _ in range(3000):
            done = _statuses(folder)
            if done.count("finished") >= 2 or sweep.poll() is not None:
                break
            time.sleep(0.02)
        os.kill(sweep.pid, signal.SIGKILL)
    assert sweep.returncode == -signal.SIGKILL, "it was stopped before its end"
    kept = {r.path.name for r in SweepFile(folder).replicas if r.done}
    assert 2 <= len(kept) < 12
    before = times(folder)
    assert main(["run", "walls.yaml", "--quiet"]) == 0
    after = times(folder)
    assert len(after) == 12
    assert {name for name in kept if after[name] != before[name]} == set()
    whole = SweepFile(folder)
    assert whole.finished and whole.shape == (2, 6)
    assert np.isfinite(whole.final("wall_position")).all()


def _statuses(folder: Path) -> list[str]:
    if not (folder / "sweep.h5").exists():
        return []
    return [replica.status for replica in SweepFile(folder).replicas]


def test_ctrl_c_says_how_to_go_on(here: Path, capsys: Any) -> None:
    from micromag.job import run_job
    from micromag.stopping import StopRequest

    stop = StopRequest()

    class Stopper(SilentReporter):
        def overall(self, text: str, fraction: float) -> None:
            if fraction > 0:  # not while the kernels are compiled
                stop.signal_name = "SIGINT"

    with pytest.raises(Interrupted, match="0 of 6 replicas are done") as told:
        run_job(load_config("walls.yaml"), reporter=Stopper(), stop=stop)
    assert "the same command goes on" in str(told.value)
    assert told.value.exit_code == 130
    folder = here / "runs/walls"
    assert _statuses(folder) == ["interrupted"] * 6
    assert all(len(RunFile(path)) for path in folder.glob("*.vtkhdf"))
    assert main(["run", "walls.yaml", "--quiet"]) == 0
    assert _statuses(folder) == ["finished"] * 6


# -------------------------------------------------------------------- failures


@pytest.fixture
def failing(here: Path) -> Path:
    """A run file of which the middle one of three replicas cannot converge."""
    text = SWEEP.partition("sweep:")[0].replace("schedule: [relax,", "schedule: [relax: {},")
    text += "sweep:\n  schedule[0].relax.max_iterations: [1000, 1, 2000]\n"
    (here / "walls.yaml").write_text(text)
    return here / "runs/walls"


def test_a_failed_replica_is_told_and_the_others_finish(failing: Path, capsys: Any) -> None:
    assert main(["run", "walls.yaml"]) == 3
    out, err = capsys.readouterr()
    assert "replica 1 (max_iterations = 1) failed" in out
    assert "2 of 3 replicas done, 1 failed" in out
    assert "1 of 3 replicas failed" in err and "did not converge" in err
    assert _statuses(failing) == ["finished", "failed", "finished"]
    assert RunFile(failing / "replica_0001.vtkhdf").status == "failed"
    assert "did not converge" in SweepFile(failing).replicas[1].message
    main(["info", str(failing)])
    assert "2 finished, 1 failed" in capsys.readouterr().out
    before = times(failing)
    assert main(["run", "walls.yaml"]) == 5
    assert "--retry-failed" in capsys.readouterr().err
    assert times(failing) == before
    assert main(["run", "walls.yaml", "--retry-failed", "--quiet"]) == 3
    after = times(failing)
    assert [name for name in after if after[name] != before[name]] == ["replica_0001.vtkhdf"]


# -------------------------------------------------------------------- progress, Python


def test_one_plain_line_a_minute(here: Path, capsys: Any) -> None:
    from micromag.job import run_job
    from micromag.stopping import StopRequest

    ticks = itertools.count(step=40)
    reporter = PlainReporter(sys.stdout, clock=lambda: next(ticks))
    run_job(load_config("walls.yaml"), reporter=reporter, stop=StopRequest())
    said = capsys.readouterr().out
    lines = [line for line in said.splitlines() if "so far" in line]
    assert lines and all(line.startswith("  0 of 6 replicas done, 6 running") for line in lines)
    assert all("batch 1 of 1" in line for line in lines)
    assert any("ETA" in line for line in lines)


def test_a_sweep_in_python(here: Path) -> None:
    sweep = micromag.run("walls.yaml", ["schedule[1].run.for=4 ps"])
    assert isinstance(sweep, SweepFile) and sweep.shape == (2, 3)
    assert sweep.final("t") == pytest.approx(np.full((2, 3), 4e-12))
    with pytest.raises(OutputExistsError):
        micromag.run("walls.yaml", ["schedule[1].run.for=4 ps"])
    again = micromag.run("walls.yaml", skip_existing=True)
    assert again.final("t") == pytest.approx(np.full((2, 3), 4e-12))
    with pytest.raises(ConfigError, match=r"micromag\.run"):
        micromag.load("walls.yaml")
    with pytest.raises(ConfigError, match="overrides beside a configuration"):
        micromag.run(load_config("walls.yaml"), ["seed=2"])
    with pytest.raises(micromag.UnreadableInputError, match="no column 'm_w'"):
        sweep.table("m_w")
    with pytest.raises(micromag.UnreadableInputError, match="no replica 6"):
        sweep.run(6)
    with pytest.raises(micromag.UnreadableInputError, match="not a sweep"):
        SweepFile(sweep.replicas[0].path)


def test_points_of_a_sweep_may_differ_in_more_than_numbers(here: Path) -> None:
    """What does not fit into one launch is computed one after the other, and lands in one table."""
    text = SWEEP.partition("sweep:")[0]
    text += "sweep:\n  mesh.cells[0]: [32, 40]\n  solver.method: [rk45, rk23]\n"
    text += "  initial.domain_wall.kind: [bloch, neel]\n"
    (here / "walls.yaml").write_text(text)
    sweep = micromag.run("walls.yaml")
    assert sweep.shape == (2, 2, 2)
    assert [axis.dimension for axis in sweep.axes] == ["cells_x", "method", "kind"]
    assert np.isfinite(sweep.final("wall_position")).all()
    assert sweep.run(5).mesh.cells[0] == 40
    points = sweep_points(load_config("walls.yaml"))
    assert [point.label for point in points] == [replica.label for replica in sweep.replicas]


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (["material.alpha", "seed"], ["alpha", "seed"]),
        (["torques.zhang_li.J[0]", "torques.zhang_li.J[2]"], ["J_x", "J_z"]),
        (["torques.zhang_li.J.value[0]", "material.alpha"], ["J_x", "alpha"]),
        (["energy.zeeman[1].B[2]", "energy.zeeman[0].B[2]"], ["zeeman_1_B_z", "zeeman_0_B_z"]),
        (["solver.dt"], ["solver_dt"]),
        (["output.table.rows"], ["table_rows"]),
        (["material.Ms.notch", "material.alpha.notch"], ["Ms_notch", "alpha_notch"]),
    ],
)
def test_dimensions_have_short_names_of_their_own(keys: list[str], names: list[str]) -> None:
    """None of them is that of a column of the table, or of what is said of a replica."""
    axes = [Axis(key, (key,), ({key: 1.0}, {key: 2.0}), ("a", "b"), {key: ""}) for key in keys]
    assert [axis.dimension for axis in file_axes(axes, TIME_COLUMNS)] == names
