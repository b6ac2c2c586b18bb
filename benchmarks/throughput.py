"""Nanoseconds per cell and evaluation of the right-hand side, local terms and demag apart.

    python benchmarks/throughput.py                         # this machine's CPU
    python benchmarks/throughput.py --device cuda           # a GPU, cells and replicas swept
    python benchmarks/throughput.py --only 256x64x1 --threads 1 --precision single

A case is a grid, a number of replicas, a precision and a number of threads. Of each, a whole adaptive
Dormand-Prince step is timed (all stages, error norm, step control), once with local terms only
(exchange, uniaxial anisotropy, Zeeman, Zhang-Li) and once with the demagnetizing field as well, and
divided by cells x replicas x evaluations of the step. The convolution is timed by itself too.

Every time is the shortest of many repetitions: other work on the machine only ever adds to it. With
one thread on a CPU it is the process's own CPU time, so that what others take does not count; with
more threads, and on a GPU, it is the time on the clock.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import micromag
from micromag.backend import Backend, Cells, Source, get_backend
from micromag.backend.source import read_kernel_file
from micromag.config import RunConfig
from micromag.integrators.runge_kutta import RungeKutta
from micromag.integrators.tableaus import TABLEAUS, Tableau
from micromag.model import Model

RESULTS = Path(__file__).parent / "results"
CPU_GRIDS = [
    ((256, 64, 1), 1),
    ((1024, 1024, 1), 1),
    ((128, 128, 64), 1),
    ((64, 16, 1), 1),
    ((64, 16, 1), 64),
]
GPU_GRIDS = [
    *(((64, 16, 1), replicas) for replicas in (1, 16, 64, 256, 1024)),
    *(((256, 64, 1), replicas) for replicas in (1, 4, 16, 64, 256)),
    *(((side, side, 1), 1) for side in (128, 256, 512, 1024, 2048, 4096)),
    *(((side, side, 64), 1) for side in (64, 128, 256)),
]
TABLEAU = TABLEAUS["rk45"]
COPY = """
KERNEL copy(CELLS, const real* RESTRICT a, real* out) {
  EACH_ROW(row)
    EACH_CELL(row, c)
      out[row.rep * row.n + c.i] = a[row.rep * row.n + c.i];
    END_CELL
  END_ROW
}
"""


@dataclass(frozen=True)
class Case:
    """What is timed."""

    cells: tuple[int, int, int]
    replicas: int
    precision: str
    threads: int | None

    @property
    def count(self) -> int:
        """Cells of all replicas."""
        return int(np.prod(self.cells)) * self.replicas

    @property
    def grid(self) -> str:
        """The grid in words: ``256x64x1`` or ``64x16x1 * 64``."""
        name = "x".join(map(str, self.cells))
        return name if self.replicas == 1 else f"{name} * {self.replicas}"


@dataclass(frozen=True)
class Result:
    """Times in ns per cell and evaluation, and what the local terms move in memory."""

    grid: str
    precision: str
    threads: int | None
    local: float
    with_demag: float
    demag: float
    local_bytes: float
    local_gb_per_s: float


class Timer:
    """Times what a device does; see the module's text for which clock it reads."""

    def __init__(self, backend: Backend, threads: int | None, seconds: float) -> None:
        self.backend = backend
        self.clock = time.process_time if threads == 1 else time.perf_counter
        self.seconds = seconds

    def shortest(self, run: Callable[[], object]) -> float:
        """Return the shortest time of ``run`` [s] within the time allowed, at least 5 tries."""
        best, tries, end = np.inf, 0, time.perf_counter() + self.seconds
        run()
        self.backend.synchronize()
        while tries < 5 or time.perf_counter() < end:
            begin = self.clock()
            run()
            self.backend.synchronize()
            best, tries = min(best, self.clock() - begin), tries + 1
        return best


def config_of(case: Case, *, demag: bool) -> RunConfig:
    """Return a run with the usual terms of a current-driven wall."""
    energy: dict[str, Any] = {
        "exchange": {"A": 1.3e-11},
        "uniaxial_anisotropy": {"Ku1": 5e5, "axis": [0, 0, 1]},
        "zeeman": {"B": [0, 0, 0.01]},
    }
    if demag:
        energy["demag"] = {}
    return RunConfig.model_validate(
        {
            "precision": case.precision,
            "mesh": {"cells": case.cells, "cell_size": [2e-9, 2e-9, 2e-9]},
            "material": {"Ms": 8e5, "alpha": 0.1},
            "energy": energy,
            "torques": {"zhang_li": {"J": [1e12, 0, 0], "P": 0.5, "beta": 0.1}},
            "initial": {"uniform": {"direction": [1, 0, 0]}},
            "schedule": ["relax"],
        }
    )


def stepper_of(case: Case, backend: Backend, *, demag: bool) -> RungeKutta:
    """Return a stepper in the middle of a run that never reaches its end."""
    model = Model([config_of(case, demag=demag)] * case.replicas)
    stepper = RungeKutta(model, backend, TABLEAU)
    start = np.random.default_rng(1).standard_normal((3, *model.mesh.shape))
    for replica in range(case.replicas):
        stepper.engine.set_m(start, replica)
    stepper.start()
    stepper.aim(1.0)
    return stepper


def time_step(case: Case, backend: Backend, timer: Timer, *, demag: bool) -> tuple[float, float]:
    """Return the time of an evaluation within a step, and of its convolutions alone [s]."""
    stepper = stepper_of(case, backend, demag=demag)
    evaluations = TABLEAU.stages - (1 if TABLEAU.first_same_as_last else 0)
    # Short enough to fall between two disturbances, long enough for the clock.
    steps = max(1, int(2e-3 / (case.count * evaluations * (60e-9 if demag else 5e-9))))
    whole = timer.shortest(lambda: stepper.steps(steps)) / steps / evaluations
    convolutions = 0.0
    for operator in stepper.engine.fields.values():
        commands = operator.commands(stepper.engine.state, 0)
        program = backend.program(commands)
        convolutions += timer.shortest(lambda p=program: p.run(steps)) / steps  # type: ignore[misc]
    return whole, convolutions


def bytes_per_evaluation(tableau: Tableau, itemsize: int) -> float:
    """Return what the stages of a step must read and write per cell, per evaluation.

    Each array counts once however many neighbours are read; a write counts once as well.
    """
    arrays = 0
    last = tableau.stages - 1
    fsal = tableau.first_same_as_last
    for i in range(tableau.stages):
        evaluates = i > 0 or not fsal
        has_next = not (i == last and fsal)
        weights = tableau.b if i == last else tableau.a[i + 1]
        used = {j for j in range(i) if has_next and weights[j]}
        if i == last and tableau.error_weights:
            used |= {j for j in range(i) if tableau.error_weights[j]}
        reads_start = has_next and (i > 0 or not evaluates)  # y_0 is the source of stage 1 itself
        arrays += 1 + len(used) + reads_start  # y_i (or the known k), earlier k, y_0
        arrays += evaluates + has_next  # k_i, y_{i+1}
    scalars = 3 * arrays + 2  # the error, written and read
    return scalars * itemsize / (tableau.stages - (1 if fsal else 0))


def run_case(case: Case, backend: Backend, seconds: float) -> Result:
    """Time one case."""
    timer = Timer(backend, case.threads, seconds)
    scale = 1e9 / case.count
    local, _ = time_step(case, backend, timer, demag=False)
    whole, convolution = time_step(case, backend, timer, demag=True)
    moved = bytes_per_evaluation(TABLEAU, 8 if case.precision == "double" else 4)
    return Result(
        case.grid,
        case.precision,
        case.threads,
        local * scale,
        whole * scale,
        convolution * scale,
        moved,
        moved * case.count / local / 1e9,
    )


def copy_bandwidth(backend: Backend, threads: int | None, seconds: float) -> float:
    """Return the bandwidth of a copy kernel, reads plus writes [GB/s]."""
    side = 4096 if backend.kind == "cpu" else 16384
    space = Cells(side, side, 1, 1)
    text = read_kernel_file("portable.h") + COPY
    (module,) = backend.compile([Source("copy", text)])
    source, target = (backend.zeros(space.work, np.float32) for _ in range(2))
    program = backend.program([module.kernel("copy").bind(space, source, target)])
    return 8 * space.work / Timer(backend, threads, seconds).shortest(program.run) / 1e9


def cases(device: str, options: argparse.Namespace) -> Iterator[Case]:
    """Yield the cases asked for."""
    cuda = device == "cuda"
    threads = [None] if cuda else options.threads
    for number, precision, (cells, replicas) in itertools.product(
        threads, options.precision, GPU_GRIDS if cuda else CPU_GRIDS
    ):
        case = Case(cells, replicas, precision, number)
        if not options.only or case.grid in options.only:
            yield case


def machine(backend: Backend) -> dict[str, Any]:
    """Return what the numbers depend on."""
    return {
        "micromag": micromag.__version__,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        **{key: value for key, value in backend.info().items() if key != "system"},
        "processors": os.cpu_count(),
        "load": [round(x, 2) for x in os.getloadavg()],
    }


def table(results: list[Result]) -> str:
    """Return the results as text."""
    head = "grid              precision  threads   local  with demag   demag alone   local GB/s"
    lines = [head, "-" * len(head)]
    for r in results:
        threads = "-" if r.threads is None else str(r.threads)
        lines.append(
            f"{r.grid:<18}{r.precision:<11}{threads:>7}{r.local:8.2f}{r.with_demag:12.2f}"
            f"{r.demag:14.2f}{r.local_gb_per_s:13.1f}"
        )
    return "\n".join(lines)


def report(found: dict[str, Any], results: list[Result]) -> str:
    """Return the whole text table."""
    facts = "\n".join(f"{key:>12}: {value}" for key, value in found.items())
    return (
        f"{facts}\n\nns per cell and evaluation of dm/dt, {TABLEAU.name}; "
        f"* is the number of replicas\n\n{table(results)}\n"
    )


def arguments() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--precision", nargs="+", default=["single", "double"])
    parser.add_argument("--only", nargs="+", help="grids as the table names them: 256x64x1")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each timing")
    parser.add_argument("--output", type=Path, help="file name without ending")
    return parser.parse_args()


def main() -> None:
    """Time the cases and write a JSON file and a text table."""
    options = arguments()
    kind = options.device.partition(":")[0]
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    output = options.output or RESULTS / f"throughput-{kind}-{today}"
    results: list[Result] = []
    found: dict[str, Any] = {}
    for case in cases(kind, options):
        with get_backend(options.device, case.threads) as backend:
            if not found:
                found = machine(backend)
                found["copy_gb_per_s"] = round(
                    copy_bandwidth(backend, case.threads, options.seconds), 1
                )
            results.append(run_case(case, backend, options.seconds))
            print(table(results[-1:]).splitlines()[-1], flush=True)
    output.parent.mkdir(parents=True, exist_ok=True)
    data = {"machine": found, "tableau": TABLEAU.name, "results": [asdict(r) for r in results]}
    output.with_suffix(".json").write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    output.with_suffix(".txt").write_text(report(found, results), encoding="utf-8")
    print(f"\n{report(found, results)}\nwritten to {output}.json and .txt")


if __name__ == "__main__":
    main()
