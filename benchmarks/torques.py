"""What each torque adds to exchange alone, and what all of them cost in one fused kernel.

    python benchmarks/torques.py                    # this machine's CPU, one thread
    python benchmarks/torques.py --device cuda      # a GPU

Each line is a run with exchange and the torques named, timed over whole adaptive Dormand-Prince steps
and divided by cells x evaluations, as `throughput.py` does. Beside the sum of what the torques add one by
one stands what they add together: fused, they share the neighbours, the loads and the stores. The
spin accumulation (`transport`) is a solution between the stages and not part of the kernel: see its
own cost per step in a run.
"""

from __future__ import annotations

import argparse
import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
from throughput import RESULTS, TABLEAU, Timer, machine

from micromag.backend import Backend, get_backend
from micromag.config import RunConfig
from micromag.integrators.runge_kutta import RungeKutta
from micromag.model import Model

GRIDS = [(256, 64, 1), (512, 512, 1)]
TORQUES: dict[str, dict[str, Any]] = {
    "zhang_li": {"J": [1e12, 0, 0], "P": 0.5, "beta": 0.1},
    "slonczewski": {"J": 1e11, "P": 0.4, "Lambda": 1.5, "epsilon_prime": 0.02, "p": [0, 0, 1]},
    "tunnel_junction": {"voltage": 0.3, "a1": 3e-5, "p": [1, 0, 0]},
    "spin_orbit": {"J": [1e11, 0, 0], "normal": [0, 0, 1], "theta_DL": 0.1, "theta_FL": 0.02},
    "s_d_exchange": {"S": [1e3, 0, 0], "J_sd": 1e-20},
    "spin_torque": {"B_DL": 1e-3, "B_FL": 1e-3, "sigma": [0, 1, 0]},
}
"""Every torque of the stage kernel, with all its parts."""


def config_of(cells: tuple[int, int, int], torques: dict[str, Any], precision: str) -> RunConfig:
    """Return a run with exchange and some torques."""
    return RunConfig.model_validate(
        {
            "precision": precision,
            "mesh": {"cells": cells, "cell_size": [2e-9, 2e-9, 2e-9]},
            "material": {"Ms": 8e5, "alpha": 0.1},
            "energy": {"exchange": {"A": 1.3e-11}},
            "torques": torques,
            "initial": {"uniform": {"direction": [1, 0, 0]}},
            "schedule": ["relax"],
        }
    )


def time_of(config: RunConfig, backend: Backend, timer: Timer) -> float:
    """Return ns per cell and evaluation."""
    stepper = RungeKutta(Model([config]), backend, TABLEAU)
    start = np.random.default_rng(1).standard_normal((3, *config.mesh.shape))
    stepper.engine.set_m(start)
    stepper.start()
    stepper.aim(1.0)
    evaluations = TABLEAU.stages - (1 if TABLEAU.first_same_as_last else 0)
    steps = max(1, int(2e-3 / (config.mesh.count * evaluations * 5e-9)))
    whole = timer.shortest(lambda: stepper.steps(steps)) / steps / evaluations
    return 1e9 * whole / config.mesh.count


def measure(
    cells: tuple[int, int, int], precision: str, backend: Backend, timer: Timer
) -> dict[str, float]:
    """Return the times of exchange, of exchange with each torque and with all, in ns."""
    found = {"exchange": time_of(config_of(cells, {}, precision), backend, timer)}
    for name, torque in TORQUES.items():
        found[f"+ {name}"] = time_of(config_of(cells, {name: torque}, precision), backend, timer)
    found["+ all torques"] = time_of(config_of(cells, TORQUES, precision), backend, timer)
    return found


def table(results: dict[str, dict[str, float]]) -> str:
    """Return the results as text: ns, and the ratio to exchange alone."""
    columns = list(results)
    width = max(map(len, columns)) + 2
    lines = [" " * 20 + "".join(f"{name:>{width + 8}}" for name in columns)]
    for name in next(iter(results.values())):
        cells = [
            f"{found[name]:>{width}.2f}{found[name] / found['exchange']:>7.2f}x"
            for found in results.values()
        ]
        lines.append(f"{name:<20}" + "".join(cells))
    alone = [
        sum(t - found["exchange"] for n, t in found.items() if n[2:] in TORQUES)
        for found in results.values()
    ]
    together = [found["+ all torques"] - found["exchange"] for found in results.values()]
    for name, values in (("added one by one", alone), ("added together", together)):
        lines.append(f"{name:<20}" + "".join(f"{value:>{width}.2f}{'':8}" for value in values))
    return "\n".join(lines)


def main() -> None:
    """Time the runs and write a JSON file and a text table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", nargs="+", default=["single", "double"])
    parser.add_argument("--seconds", type=float, default=2.0, help="for each timing")
    parser.add_argument("--output", type=Path, help="file name without ending")
    options = parser.parse_args()
    kind = options.device.partition(":")[0]
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    output = options.output or RESULTS / f"torques-{kind}-{today}"
    threads = None if kind == "cuda" else options.threads
    results = {}
    with get_backend(options.device, threads) as backend:
        timer = Timer(backend, threads, options.seconds)
        facts = {**machine(backend), "threads": threads}
        for precision in options.precision:
            for cells in GRIDS:
                name = f"{'x'.join(map(str, cells))} {precision}"
                results[name] = measure(cells, precision, backend, timer)
                print(f"{name} done", flush=True)
    output.parent.mkdir(parents=True, exist_ok=True)
    data = {"machine": facts, "tableau": TABLEAU.name, "ns_per_cell_and_evaluation": results}
    output.with_suffix(".json").write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    head = "\n".join(f"{key:>12}: {value}" for key, value in facts.items())
    text = f"{head}\n\nns per cell and evaluation of dm/dt, {TABLEAU.name}, and over exchange alone\n\n"
    output.with_suffix(".txt").write_text(f"{text}{table(results)}\n", encoding="utf-8")
    print(f"\n{text}{table(results)}\n\nwritten to {output}.json and .txt")


if __name__ == "__main__":
    main()
