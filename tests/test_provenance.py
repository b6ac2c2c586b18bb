"""Provenance: what a reader needs to repeat or to doubt a result."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from micromag.mesh import Mesh
from micromag.output.provenance import collect, git_commit
from micromag.output.runfile import RunFile
from micromag.output.vtkhdf import VtkhdfWriter

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_what_is_collected() -> None:
    backend = {"device": "NVIDIA H200", "driver": "590.1", "compiler": "NVRTC 13.0"}
    found = collect(backend, argv=["micromag", "run", "my wall.yaml"], seed=7)
    assert backend.items() <= found.items()
    assert found["seed"] == 7
    assert found["command"] == "micromag run 'my wall.yaml'"
    assert {"numpy", "scipy", "h5py", "hdf5"} <= set(found["libraries"])
    assert datetime.fromisoformat(found["started"]).tzinfo is not None
    for name in ("version", "host", "cpu", "cpu_threads", "python", "system", "directory"):
        assert found[name]
    json.dumps(found)


def test_the_batch_job_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.delenv("PBS_JOBID", raising=False)
    assert "job" not in collect()
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    assert collect()["job"] == "4711"


@needs_git
def test_only_the_checkout_of_the_package_counts(tmp_path: Path) -> None:
    package = tmp_path / "checkout" / "micromag"
    package.mkdir(parents=True)
    (package / "a.py").write_text("a")
    assert git_commit(package) is None
    git(package.parent, "init", "-q")
    git(package.parent, "add", ".")
    git(package.parent, "commit", "-qm", "first")
    commit = git(package.parent, "rev-parse", "HEAD")
    assert git_commit(package) == commit
    (package / "a.py").write_text("b")
    assert git_commit(package) == f"{commit}-dirty"
    installed = package.parent / ".venv" / "lib" / "micromag"
    installed.mkdir(parents=True)
    assert git_commit(installed) is None


def test_without_git_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_commit(tmp_path / "micromag") is None


def test_it_comes_back_from_a_result_and_is_updated(tmp_path: Path) -> None:
    mesh = Mesh(cells=(2, 1, 1), cell_size=(1e-9, 1e-9, 1e-9))
    entries = collect({"device": "cpu", "warm": False, "nothing": None}, seed=3)
    with VtkhdfWriter(tmp_path / "run.vtkhdf", mesh, provenance=entries) as writer:
        writer.write_snapshot(0.0, {"m": np.ones((3, *mesh.shape)) / np.sqrt(3)})
        writer.update_provenance({"steps": 12, "device": "cuda:0", "message": "wall left µm"})
    found = RunFile(writer.path).provenance
    assert found["libraries"] == entries["libraries"]
    assert found["command"] == entries["command"]
    assert found["device"] == "cuda:0" and found["steps"] == 12 and found["seed"] == 3
    assert found["warm"] is False and found["nothing"] == "" and found["message"] == "wall left µm"
    assert found["status"] == "finished"
    assert datetime.fromisoformat(found["finished"]) >= datetime.fromisoformat(found["started"])
