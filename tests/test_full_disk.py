"""A disk that fills: one sentence, exit code 1, and all that was committed can be read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import micromag
from micromag.output.runfile import RunFile

ROOT = Path(micromag.__file__).parents[1]
CHECKER = Path(__file__).parent / "tools" / "check_vtkhdf.py"
RUN = """\
device: cpu
seed: 1
mesh: {cells: [64, 64, 1], cell_size: [4 nm, 4 nm, 4 nm]}
material: {Ms: 800 kA/m, alpha: 0.1}
energy: {exchange: {A: 13 pJ/m}}
initial: {random: {}}
schedule: [{run: {for: 1 ns}}]
output: {snapshots: {every: 20 ps}}
"""


def limited(folder: Path, text: str, kilobytes: int) -> subprocess.CompletedProcess[str]:
    """Run a run file in a shell that lets no file grow beyond a limit."""
    (folder / "run.yaml").write_text(text)
    command = f"ulimit -f {kilobytes}; exec {sys.executable} -m micromag run run.yaml -o out -q"
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def assert_one_sentence(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.count("cannot write the result: File too large") == 1
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr


def assert_readable(path: Path) -> None:
    """Check the file as ParaView reads it, and that it holds the moments before the end."""
    checked = subprocess.run([sys.executable, str(CHECKER), str(path)], capture_output=True)
    assert checked.returncode == 0, checked.stdout
    run = RunFile(path)
    assert 2 <= len(run) < 51
    assert run.status in ("running", "interrupted")  # the other replica of a sweep is stopped


@pytest.mark.parametrize("kilobytes", [600, 700])
def test_a_run(tmp_path: Path, kilobytes: int) -> None:
    assert_one_sentence(limited(tmp_path, RUN, kilobytes))
    assert_readable(tmp_path / "out" / "run.vtkhdf")


def test_a_sweep(tmp_path: Path) -> None:
    assert_one_sentence(limited(tmp_path, f"{RUN}sweep: {{material.alpha: [0.1, 0.2]}}\n", 700))
    for number in range(2):
        assert_readable(tmp_path / "out" / f"replica_{number:04d}.vtkhdf")


def test_no_room_to_begin(tmp_path: Path) -> None:
    assert_one_sentence(limited(tmp_path, RUN, 100))
    assert not list((tmp_path / "out").glob("*.vtkhdf*"))
