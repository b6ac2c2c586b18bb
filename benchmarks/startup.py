"""Seconds until the program answers: --help, validate, and the first time step.

    python benchmarks/startup.py
    python benchmarks/startup.py --config configs/vortex_relax.yaml --repeat 10

Each line is a fresh process, timed from the outside. The first step is that of a run file cut down to
1 fs, result file included; "cold" begins with an empty cache, so that every kernel is compiled and the
demagnetizing tensor computed, "warm" finds both. Wall time and CPU time are the least of the
repetitions; on a machine with other work to do the CPU time says more, but compilers run in parallel.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from micromag.backend import get_backend

HERE = Path(__file__).resolve().parent
SHORT = (
    "schedule=[{run: {for: 1 fs}}]",
    "analysis={}",
    "output.table.every=1 fs",
    "output.snapshots.every=1 fs",
)


def seconds(words: list[str], cache: Path) -> tuple[float, float]:
    """Return the wall time and the CPU time of ``micromag WORDS``, children included [s]."""
    environment = {**os.environ, "MICROMAG_CACHE_DIR": str(cache)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "micromag", *words],
        env=environment,
        check=True,
        capture_output=True,
    )
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, used


def least(run: Callable[[], tuple[float, float]], repeat: int) -> dict[str, float]:
    """Return the least wall and CPU time of ``repeat`` calls."""
    wall, used = zip(*(run() for _ in range(repeat)), strict=True)
    return {"wall_s": round(min(wall), 3), "cpu_s": round(min(used), 3)}


def measure(config: Path, device: str, repeat: int, folder: Path) -> dict[str, dict[str, float]]:
    """Return the times of every kind of start."""
    first_step = ["run", str(config), "--device", device, "--output", str(folder / "run")]
    first_step += ["--overwrite", *(word for value in SHORT for word in ("--set", value))]
    warm = folder / "warm"
    seconds(first_step, warm)

    def cold() -> tuple[float, float]:
        with tempfile.TemporaryDirectory(dir=folder) as cache:
            return seconds(first_step, Path(cache))

    return {
        "--help": least(lambda: seconds(["--help"], warm), repeat),
        "validate": least(lambda: seconds(["validate", str(config)], warm), repeat),
        "first step, warm": least(lambda: seconds(first_step, warm), repeat),
        "first step, cold": least(cold, max(2, repeat // 3)),
    }


def main() -> None:
    """Time the starts and write a JSON file and a text table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--config", type=Path, default=HERE.parent / "configs/domain_wall_stt.yaml")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--output", type=Path, help="file name without ending")
    options = parser.parse_args()
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    kind = options.device.partition(":")[0]
    output = options.output or HERE / "results" / f"startup-{kind}-{today}"
    with tempfile.TemporaryDirectory() as folder:
        times = measure(options.config, options.device, options.repeat, Path(folder))
    with get_backend(options.device) as backend:
        machine = {key: value for key, value in backend.info().items() if key != "system"}
    facts = {
        "date": today,
        "config": options.config.name,
        "processors": os.cpu_count(),
        "load": [round(x, 2) for x in os.getloadavg()],
        **machine,
    }
    lines = [f"{key:>12}: {value}" for key, value in facts.items()]
    lines += ["", "start               wall [s]   CPU [s]", "-" * 39]
    lines += [f"{name:<18}{t['wall_s']:>10.2f}{t['cpu_s']:>10.2f}" for name, t in times.items()]
    text = "\n".join(lines) + "\n"
    output.parent.mkdir(parents=True, exist_ok=True)
    data = {"machine": facts, "times": times}
    output.with_suffix(".json").write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    output.with_suffix(".txt").write_text(text, encoding="utf-8")
    print(f"{text}\nwritten to {output}.json and .txt")


if __name__ == "__main__":
    main()
