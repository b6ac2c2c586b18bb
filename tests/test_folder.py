"""The folder of a run: results are never touched, and two processes never write to one folder."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from micromag.errors import ConfigError, OutputExistsError
from micromag.output import folder
from micromag.output.folder import LOCK, existing_results, prepare

HOLDER = """
import sys, time
from micromag.output.folder import prepare
run = prepare(sys.argv[1])
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def result(tmp_path: Path) -> Path:
    path = tmp_path / "runs" / "wall"
    path.mkdir(parents=True)
    (path / "run.vtkhdf").write_text("precious")
    return path


def hold(path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLDER, str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def test_a_new_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    with prepare(tmp_path / "runs" / "wall") as run:
        assert run is not None and run.path.is_dir()
        assert run.moved_aside is None
        assert (run.path / LOCK).exists()
    assert list(run.path.iterdir()) == []


def test_a_result_is_not_touched(result: Path) -> None:
    before = result.stat().st_mtime_ns
    with pytest.raises(OutputExistsError, match="--overwrite") as caught:
        prepare(result)
    assert caught.value.exit_code == 5 and "run.vtkhdf" in str(caught.value)
    assert result.stat().st_mtime_ns == before
    assert [p.name for p in result.iterdir()] == ["run.vtkhdf"]


def test_skip_existing(result: Path, tmp_path: Path) -> None:
    assert prepare(result, skip_existing=True) is None
    with prepare(tmp_path / "other", skip_existing=True) as run:
        assert run is not None


def test_overwrite_moves_aside_under_the_next_number(result: Path) -> None:
    (result / "figure.png").write_text("figure")
    (result.parent / "wall.001").mkdir()
    (result.parent / "wall.001" / "run.vtkhdf").write_text("older")
    for number in ("002", "003"):
        with prepare(result, overwrite=True) as run:
            assert run is not None and run.moved_aside == result.parent / f"wall.{number}"
            assert existing_results(result) == []
            (result / "run.vtkhdf").write_text(f"after {number}")
    assert (result.parent / "wall.001" / "run.vtkhdf").read_text() == "older"
    assert (result.parent / "wall.002" / "run.vtkhdf").read_text() == "precious"
    assert (result.parent / "wall.002" / "figure.png").exists()
    assert sorted(p.name for p in (result.parent / "wall.002").iterdir()) == [
        "figure.png",
        "run.vtkhdf",
    ]


@pytest.mark.parametrize("name", ["replica_0007.vtkhdf", "sweep.h5"])
def test_results_of_a_sweep_count(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    with pytest.raises(OutputExistsError):
        prepare(tmp_path)


def test_other_files_are_no_result(tmp_path: Path) -> None:
    (tmp_path / "wall.yaml").write_text("x")
    (tmp_path / "run.vtkhdf.partial").write_text("x")
    with prepare(tmp_path) as run:
        assert run is not None and run.moved_aside is None


def test_the_current_folder_is_not_moved(result: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(result)
    for place in (".", result.parent):
        if place != ".":
            (result.parent / "run.vtkhdf").write_text("x")
        with pytest.raises(OutputExistsError, match="current"):
            prepare(place, overwrite=True)
    assert (result / "run.vtkhdf").read_text() == "precious"
    assert not (result / LOCK).exists()


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "wall").write_text("x")
    with pytest.raises(ConfigError, match="is a file"):
        prepare(tmp_path / "wall")
    with pytest.raises(ConfigError, match="is a file"):
        prepare(tmp_path / "wall" / "deeper")


def test_two_writers(tmp_path: Path) -> None:
    with (
        prepare(tmp_path / "wall"),
        pytest.raises(OutputExistsError, match=rf"process {os.getpid()} on"),
    ):
        prepare(tmp_path / "wall")
    with prepare(tmp_path / "wall") as run:
        assert run is not None


def test_another_process_and_its_death(tmp_path: Path) -> None:
    path = tmp_path / "wall"
    process = hold(path)
    for overwrite in (False, True):
        with pytest.raises(OutputExistsError, match=f"process {process.pid} on"):
            prepare(path, overwrite=overwrite)
    process.kill()
    process.wait()
    assert (path / LOCK).exists()
    with prepare(path) as run:
        assert run is not None
    assert not (path / LOCK).exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigError, match="Permission denied"):
        prepare(tmp_path)
    tmp_path.chmod(0o700)


def test_a_lock_from_another_machine_counts(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text(json.dumps({"host": "node17", "pid": 1, "start": "5"}))
    with pytest.raises(OutputExistsError, match="process 1 on node17") as caught:
        prepare(tmp_path)
    assert str(tmp_path / LOCK) in str(caught.value.next_step)


@pytest.mark.parametrize("content", ["", "half a {", "[1]", '{"host": 3}'])
def test_a_damaged_lock_does_not_crash(tmp_path: Path, content: str) -> None:
    (tmp_path / LOCK).write_text(content)
    try:
        with prepare(tmp_path) as run:
            assert run is not None
    except OutputExistsError:
        assert "host" in content


def owner(alive: bool) -> dict[str, object]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    start = folder._start_time(process.pid)
    if not alive:
        process.kill()
        process.wait()
    return {"host": socket.gethostname(), "pid": process.pid, "start": start, "_": process}


@pytest.fixture
def no_kernel_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("fcntl.flock", refuse)


def test_without_kernel_locks_the_process_tells(tmp_path: Path, no_kernel_locks: None) -> None:
    living = owner(alive=True)
    process = living.pop("_")
    assert isinstance(process, subprocess.Popen)
    (tmp_path / LOCK).write_text(json.dumps(living))
    with pytest.raises(OutputExistsError):
        prepare(tmp_path)
    # The id was given to another process since: not the writer.
    (tmp_path / LOCK).write_text(json.dumps(living | {"start": "1"}))
    with prepare(tmp_path) as run:
        assert run is not None
    process.kill()
    process.wait()
    (tmp_path / LOCK).write_text(json.dumps(living))
    with prepare(tmp_path) as run:
        assert run is not None


RACER = """
import sys, time
from micromag.errors import OutputExistsError
from micromag.output.folder import prepare
while time.time() < float(sys.argv[2]):
    pass
try:
    with prepare(sys.argv[1], overwrite=sys.argv[3] == "overwrite") as run:
        (run.path / "run.vtkhdf").open("x").write(sys.argv[4])
        time.sleep(0.02)
except OutputExistsError:
    sys.exit(5)
"""


@pytest.mark.parametrize("mode", ["plain", "overwrite"])
def test_a_race_loses_no_result(result: Path, mode: str) -> None:
    path = result if mode == "overwrite" else result.parent / "new"
    start = time.time() + 0.6
    command: Callable[[int], list[str]] = lambda i: [  # noqa: E731
        sys.executable, "-c", RACER, str(path), str(start), mode, f"racer {i}",
    ]  # fmt: skip
    racers = [subprocess.Popen(command(i)) for i in range(4)]
    codes = [racer.wait() for racer in racers]
    assert set(codes) <= {0, 5} and 0 in codes
    found = {p.read_text() for p in result.parent.glob("*/run.vtkhdf")}
    assert found == {"precious"} | {f"racer {i}" for i, code in enumerate(codes) if code == 0}
    if mode == "plain":
        assert codes.count(0) == 1
