"""N replicas of a driven wall in one run against N runs one after the other.

    python benchmarks/velocity_sweep.py --threads 1         # this machine's CPU, one core
    python benchmarks/velocity_sweep.py --device cuda       # a GPU
    python benchmarks/velocity_sweep.py --grids 64x16x1 --replicas 1 64

A replica is a wall in a perpendicular wire under a current of its own (exchange, uniaxial anisotropy,
Zhang-Li torque; adaptive Dormand-Prince steps), with a row of the table every 10 ps and the first and
last m. Both ways go through the whole of `micromag run`: arrays, steps, measuring, files. All is
measured in one process, after a run that compiles and loads the kernels, so neither the compiler nor
the start of Python counts; a shell loop over single runs pays the latter every time on top.

With one thread on a CPU a time is the process's own CPU time, so that what others take does not count;
with more threads, and on a GPU, it is the time on the clock.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import os
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import micromag
from micromag.backend import get_backend
from micromag.config import RunConfig
from micromag.job import run_job
from micromag.progress import SilentReporter
from micromag.stopping import StopRequest
from micromag.sweep_points import sweep_points

RESULTS = Path(__file__).parent / "results"
DURATIONS = {"64x16x1": 1e-9, "512x64x1": 1e-10}
"""Simulated time of a replica [s] on each grid."""


@dataclass(frozen=True)
class Result:
    """Times [s] of N replicas on a grid.

    Attributes
    ----------
    together, apart
        In one run, and in N runs one after the other.
    ratio
        The first by the second.
    against_one
        The first by the time of one run.
    """

    grid: str
    replicas: int
    together: float
    apart: float
    ratio: float
    against_one: float


def config_of(grid: str, replicas: int, options: argparse.Namespace, folder: Path) -> RunConfig:
    """Return the sweep over the current."""
    currents = {"from": 1e10, "to": 4e11, "count": replicas} if replicas > 1 else [1e11]
    return RunConfig.model_validate(
        {
            "device": options.device,
            "precision": options.precision,
            "mesh": {"cells": [int(n) for n in grid.split("x")], "cell_size": [4e-9, 4e-9, 1e-9]},
            "material": {"Ms": 580e3, "alpha": 0.1},
            "energy": {
                "exchange": {"A": 15e-12},
                "uniaxial_anisotropy": {"Ku1": 0.4e6, "axis": [0, 0, 1]},
            },
            "torques": {"zhang_li": {"J": [1e11, 0, 0], "P": 0.5, "beta": 0.15}},
            "initial": {"domain_wall": {"kind": "bloch", "from": "+z", "to": "-z"}},
            "schedule": [{"run": {"for": DURATIONS[grid]}}],
            "output": {
                "directory": str(folder),
                "table": {"every": 1e-11, "columns": ["m", "energy", "wall_position"]},
            },
            "sweep": {"torques.zhang_li.J[0]": currents},
        }
    )


def seconds(config: RunConfig, options: argparse.Namespace) -> float:
    """Return the time that a run or sweep takes [s]."""
    clock = time.process_time if options.device == "cpu" and options.threads == 1 else None
    clock = clock or time.perf_counter
    begin = clock()
    run_job(config, threads=options.threads, reporter=SilentReporter(), stop=StopRequest())
    return clock() - begin


def measure(grid: str, replicas: int, options: argparse.Namespace) -> Result:
    """Time both ways."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sweep = config_of(grid, replicas, options, folder / "sweep")
        alone = [
            point.config.with_overrides({"output.directory": str(folder / f"{point.number}")})
            for point in sweep_points(sweep)
        ]
        together = seconds(sweep, options)
        apart = [seconds(config, options) for config in alone]
    return Result(
        grid,
        replicas,
        together,
        sum(apart),
        together / sum(apart),
        together / (sum(apart) / len(apart)),
    )


def table(results: list[Result]) -> str:
    """Return the results as text."""
    head = "grid        replicas   one run [s]   N runs [s]    ratio   as many single runs"
    lines = [head, "-" * len(head)]
    for r in results:
        lines.append(
            f"{r.grid:<12}{r.replicas:>8}{r.together:14.2f}{r.apart:13.2f}{r.ratio:9.3f}"
            f"{r.against_one:22.2f}"
        )
    return "\n".join(lines)


def machine(options: argparse.Namespace) -> dict[str, Any]:
    """Return what the numbers depend on."""
    with get_backend(options.device, options.threads) as backend:
        info = backend.info()
    return {
        "micromag": micromag.__version__,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        **{key: value for key, value in info.items() if key != "system"},
        "precision": options.precision,
        "processors": os.cpu_count(),
        "load": [round(x, 2) for x in os.getloadavg()],
        "durations": {grid: f"{1e9 * t:g} ns" for grid, t in DURATIONS.items()},
    }


def report(found: dict[str, Any], results: list[Result]) -> str:
    """Return the whole text table."""
    facts = "\n".join(f"{key:>12}: {value}" for key, value in found.items())
    return (
        f"{facts}\n\nN replicas in one run against N runs one after the other, compiled kernels; "
        "the last column\nis the time of the one run in units of a single run's\n\n"
        f"{table(results)}\n"
    )


def arguments() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1")
    parser.add_argument("--threads", type=int, help="CPU threads; all by default")
    parser.add_argument("--precision", default="single", choices=["single", "double"])
    parser.add_argument("--grids", nargs="+", default=list(DURATIONS), choices=list(DURATIONS))
    parser.add_argument("--replicas", type=int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--output", type=Path, help="file name without ending")
    return parser.parse_args()


def main() -> None:
    """Time the cases and write a JSON file and a text table."""
    options = arguments()
    kind = options.device.partition(":")[0]
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    output = options.output or RESULTS / f"velocity-sweep-{kind}-{today}"
    found, results = machine(options), []
    for grid, replicas in itertools.product(options.grids, options.replicas):
        if not results or results[-1].grid != grid:
            measure(grid, 2, options)  # compiles and loads the kernels
        results.append(measure(grid, replicas, options))
        print(table(results[-1:]).splitlines()[-1], flush=True)
    output.parent.mkdir(parents=True, exist_ok=True)
    data = {"machine": found, "results": [asdict(result) for result in results]}
    output.with_suffix(".json").write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    output.with_suffix(".txt").write_text(report(found, results), encoding="utf-8")
    print(f"\n{report(found, results)}\nwritten to {output}.json and .txt")


if __name__ == "__main__":
    main()
