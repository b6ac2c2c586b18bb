"""Compiling: announced when something is really compiled, and given up when it is no longer wanted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event

import pytest
from kernel_text import BODY, source

from micromag.backend import get_backend, nvrtc
from micromag.backend.builds import BuildMonitor, run_compiler
from micromag.errors import DeviceError, Interrupted

ROOT = Path(__file__).parents[1]
RUN = """\
device: cpu
mesh: {cells: [2, 1, 1], cell_size: [4 nm, 4 nm, 4 nm]}
material: {Ms: 580 kA/m, alpha: 0.1}
energy: {exchange: {A: 15 pJ/m}}
initial: {uniform: {direction: x}}
schedule: [{run: {for: 1 ps}}]
"""
SLOW_COMPILER = """#!/bin/sh
if [ "$1" = --version ]; then echo "slow (GCC) 99"; exit; fi
sleep 600 &
echo $! >> "$PIDS"
wait
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("MICROMAG_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status != "Z"


def dies(pid: int) -> bool:
    """Return whether a process that was killed is gone, which a busy machine may put off a little."""
    deadline = time.monotonic() + 30
    while is_alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_only_what_is_missing_is_announced(cache: Path) -> None:
    told: list[float] = []
    backend = get_backend("cpu")
    backend.monitor = BuildMonitor(told.append, told.append)
    backend.compile([source()])
    files, seconds = told
    assert files == 2 and 0 < seconds < 60  # the kernels and the thread pool
    backend.compile([source()])
    assert len(told) == 2
    backend.compile([source(), source("double")])
    assert told[2] == 1


def test_a_refused_source_ends_with_the_compilers_words(cache: Path) -> None:
    backend = get_backend("cpu")
    with pytest.raises(DeviceError, match="missing_name"):
        backend.compile([source(), source(body=BODY + "\nint forgotten = missing_name;\n")])


def test_a_compiler_is_given_up_with_all_that_it_started(tmp_path: Path) -> None:
    given_up = Event()
    given_up.set()
    begin = time.monotonic()
    with pytest.raises(Interrupted):
        run_compiler(["sh", "-c", "sleep 600 & echo $! > pid; wait"], tmp_path, given_up)
    assert time.monotonic() - begin < 60  # of the 600 s
    written = (tmp_path / "pid").read_text() if (tmp_path / "pid").exists() else ""
    assert not written or dies(int(written))


def test_compiling_stops_when_it_is_asked_to(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = get_backend("cpu")
    backend.monitor = BuildMonitor(stop=lambda: True)
    with pytest.raises(Interrupted, match="while the kernels were compiled"):
        backend.compile([source(MORE="1")])
    assert not list((cache / "kernels").glob("*.so"))


def test_nvrtc_gives_up_too(cache: Path) -> None:
    try:
        nvrtc.version()
    except DeviceError as error:
        pytest.skip(error.what)
    given_up = Event()
    given_up.set()
    with pytest.raises(Interrupted):
        nvrtc.compile_cubin(source(), "sm_90", given_up)


def test_ctrl_c_during_the_compilation_of_a_run(cache: Path, tmp_path: Path) -> None:
    compiler, pids = tmp_path / "slow-c++", tmp_path / "pids"
    compiler.write_text(SLOW_COMPILER)
    compiler.chmod(0o755)
    (tmp_path / "run.yaml").write_text(RUN)
    process = subprocess.Popen(
        [sys.executable, "-m", "micromag", "run", "run.yaml"],
        cwd=tmp_path,
        env={**os.environ, "CXX": str(compiler), "PIDS": str(pids), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        limit = time.monotonic() + 60
        while not pids.exists() or not pids.read_text().strip():
            assert time.monotonic() < limit and process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "compiling" in out
    assert err.startswith("stopped while the kernels were compiled (SIGINT)")
    assert "Traceback" not in err
    assert all(dies(int(pid)) for pid in pids.read_text().split())
