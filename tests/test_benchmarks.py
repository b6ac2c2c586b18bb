"""The benchmarks run and write what they say; how fast is for them to tell."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
QUICK = ["--precision", "single", "--threads", "1"]


@pytest.mark.parametrize(
    ("script", "options", "says"),
    [
        (
            "throughput.py",
            [*QUICK, "--only", "64x16x1", "--seconds", "0.01"],
            "ns per cell and evaluation",
        ),
        pytest.param(
            "torques.py",
            [*QUICK, "--seconds", "0.01"],
            "+ all torques",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "velocity_sweep.py",
            [*QUICK, "--grids", "64x16x1", "--replicas", "1", "4"],
            "64x16x1",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_benchmark_runs_and_writes_its_table(script, options, says, tmp_path):
    output = tmp_path / "found"
    command = [sys.executable, str(BENCHMARKS / script), *options, "--output", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=800, check=False)
    assert done.returncode == 0, done.stderr
    assert says in done.stdout and says in output.with_suffix(".txt").read_text()
    assert "machine" in json.loads(output.with_suffix(".json").read_text())
