"""What becomes of replicas without a wall, sweeps that do nothing, and the words for both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from magnets import config

from micromag.backend import get_backend
from micromag.cli import main
from micromag.config import RunConfig, load_config
from micromag.driver import Driver
from micromag.errors import ConfigError, OutputExistsError
from micromag.output.folder import prepare
from micromag.output.recorder import MemoryRecorder
from micromag.output.runfile import RunFile
from micromag.output.sweep_file import SweepFile
from micromag.progress import SilentReporter
from micromag.sweep.standing import differs
from micromag.sweep_preview import replica_warnings

RUN = """\
device: cpu
mesh: {cells: [32, 1, 1], cell_size: [4 nm, 40 nm, 4 nm]}
material: {Ms: 580 kA/m, alpha: 0.5}
energy:
  exchange: {A: 15 pJ/m}
  uniaxial_anisotropy: {Ku1: 0.8 MJ/m^3, axis: +z}
torques: {zhang_li: {J: [1e12 A/m^2, 0, 0], P: 0.5, beta: 0.5}}
initial: {domain_wall: {kind: bloch, from: +z, to: -z}}
schedule: [{run: {for: 4 ps}}]
output: {table: {every: 1 ps, columns: [wall_position]}, directory: out}
analysis: {final_values: {columns: [wall_position]}}
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run file of a wall in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wall.yaml").write_text(RUN)
    return tmp_path / "wall.yaml"


def test_a_replica_that_loses_its_wall_ends() -> None:
    """Without exchange a field turns every moment by itself, until none points down any more."""
    run = config(
        mesh={"cells": [16, 1, 1], "cell_size": [4e-9] * 3},
        material={"Ms": 5e5, "alpha": 1.0},
        energy={"zeeman": {"B": [1.5, 0, 1.5]}},
        initial={"domain_wall": {"kind": "bloch", "from": [0, 0, 1], "to": [0, 0, -1]}},
        schedule=[{"run": {"for": 1e-10}}],
        output={"table": {"every": 2e-12, "columns": ["wall_position"]}},
        analysis={"final_values": {"columns": ["wall_position"]}},
    )
    recorder = MemoryRecorder()
    driver = Driver([run], get_backend("cpu", threads=1), [recorder], SilentReporter())
    driver.run()
    assert recorder.status == "ended"
    assert f"no wall any more, from t = {1e9 * driver.t[0]:.6g} ns on" in recorder.message
    assert 0 < driver.t[0] < 1e-10
    place = [column.name for column in driver.columns].index("wall_position")
    found = recorder.table[:, place]
    assert np.isfinite(found[:-1]).all() and np.isnan(found[-1])


def test_a_sweep_from_the_command_line_replaces_that_of_the_file(path: Path) -> None:
    path.write_text(RUN + "sweep: {material.alpha: [0.1, 0.2]}\n")
    found = load_config(path, ["sweep={seed: [1, 2, 3]}"]).sweep
    assert found is not None and found.keys == ("seed",)
    assert load_config(path, ["sweep=null"]).sweep is None


@pytest.mark.parametrize("key", ["analysis", "torques", "energy", "regions", "mesh.window"])
def test_null_takes_a_section_away(path: Path, key: str) -> None:
    changed: Any = load_config(path, [f"{key}=null"])
    for part in key.split("."):
        changed = getattr(changed, part)
    assert not changed


def test_an_index_beyond_a_list_is_told_what_there_is(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has 3 entries; allowed: \[0\] to \[2\]"):
        load_config(path, ["torques.zhang_li.J[3]=1"])


def warned(path: Path, sweep: str) -> str:
    config: RunConfig = load_config(path, [f"sweep={sweep}"])
    return "\n".join(replica_warnings(config))


def test_a_sweep_that_does_nothing_is_told(path: Path) -> None:
    assert "nothing is random" in warned(path, "{seed: [1, 2]}")
    assert "0.1 of material.alpha more than once" in warned(path, "{material.alpha: [0.1, 0.1]}")
    cut = warned(path, "{material.alpha: {from: 0.1, to: 0.45, step: 0.1}}")
    assert "the range of material.alpha ends at 0.4, not at 0.45" in cut
    assert warned(path, "{material.alpha: {from: 0.1, to: 0.4, step: 0.1}}") == ""


def test_random_states_make_the_seed_count(path: Path) -> None:
    path.write_text(RUN.replace("{domain_wall: {kind: bloch, from: +z, to: -z}}", "{random: {}}"))
    assert "nothing is random" not in warned(path, "{seed: [1, 2]}")


def test_only_what_differs_between_run_files_is_shown() -> None:
    there = "schedule: [{relax: {}}, {run: {for: 1.0}}]"
    here = there.replace("1.0", "2.0")
    assert differs(there, here) == "schedule[1].run.for: 1.0 there, 2.0 here"


def test_results_that_exist_are_told_with_the_arguments_of_python(path: Path) -> None:
    assert main(["run", "wall.yaml", "--quiet"]) == 0
    with pytest.raises(OutputExistsError, match=r"overwrite=True.*output\.directory"):
        prepare("out")


def test_replicas_that_were_under_way_are_unfinished(path: Path) -> None:
    """After a kill the collected table says that they wait, while their files can be read."""
    assert main(["run", "wall.yaml", "--quiet", "--set", "sweep={material.alpha: [0.1, 0.2]}"]) == 0
    folder = path.parent / "out"
    last = RunFile(folder / "replica_0001.vtkhdf").table["t"][-1]
    assert last == pytest.approx(4e-12)
    sweep = SweepFile(folder)
    sweep.replicas[1] = replace(sweep.replicas[1], status="waiting")
    text = sweep.summary()
    assert "1 finished, 1 unfinished" in text
    assert "unfinished 1 (alpha = 0.2)  t = 4 ps reached" in text
