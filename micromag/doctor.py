"""``micromag doctor``: is everything here that a run needs, and does it compute right?"""

from __future__ import annotations

import math
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from micromag import __version__
from micromag.backend import Backend, get_backend
from micromag.backend.cache import cache_root
from micromag.backend.compiler import cpu_name, host_compiler
from micromag.backend.cpu import available_threads
from micromag.backend.memory import host_memory_free, host_memory_total
from micromag.constants import GAMMA_E, MU_0
from micromag.errors import DeviceError, MicromagError
from micromag.output.provenance import LIBRARIES
from micromag.si_text import bytes_text

LABEL = 12
Say = Callable[[str], Any]

PRECESSION_ERROR = 1e-4
"""Largest error of m after a tenth of a turn, single precision and error control together."""
CUBE_ERROR = 1e-5
"""Largest relative error of a cube's stray-field energy in single precision."""
DEVICES_APART = 1e-4
"""Largest difference of m between CPU and GPU after the test's few steps, single precision."""
LITTLE_DISK = 1e9


def examine(say: Say) -> bool:
    """Describe this machine line by line with ``say``; return whether a run can be made on it."""
    _versions(say)
    _machine(say)
    gpu = _find_gpu(say)
    has_compiler = _compiler(say)
    _caches(say)
    sound = _tests(say, gpu) if has_compiler or gpu is not None else False
    say("")
    if not sound:
        say("Something that a run needs is broken: see the lines above.")
    elif not has_compiler:
        say("Runs work on the GPU; for the CPU a compiler is missing.")
    else:
        say("All is well.")
    return sound


def _line(say: Say, label: str, text: str) -> None:
    say(f"{label:<{LABEL}}{text}")


def _versions(say: Say) -> None:
    from importlib import metadata

    _line(say, "micromag", f"{__version__}, in {Path(__file__).resolve().parent}")
    _line(say, "python", f"{platform.python_version()}, {sys.executable}")
    found = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    _line(say, "libraries", ", ".join(found))


def _machine(say: Say) -> None:
    _line(say, "system", platform.platform())
    _line(say, "cpu", f"{cpu_name()}, {available_threads()} threads for this process")
    free, total = bytes_text(host_memory_free()), bytes_text(host_memory_total())
    _line(say, "memory", f"{free} free of {total}")
    disk = shutil.disk_usage(".")
    hint = "; that is little" if disk.free < LITTLE_DISK else ""
    _line(say, "disk", f"{bytes_text(disk.free)} free in {os.getcwd()}{hint}")


def _find_gpu(say: Say) -> Backend | None:
    """Return the first GPU, after describing it or saying why there is none."""
    try:
        gpu = get_backend("cuda")
    except DeviceError as error:
        _line(say, "gpu", f"none: {error.what}")
        if error.next_step:
            _line(say, "", error.next_step)
        return None
    known = gpu.info()
    free, total = bytes_text(gpu.memory_free()), bytes_text(gpu.memory_total())
    _line(say, "gpu", f"{known['device']} ({known['arch']}), {free} free of {total}")
    wanted = ("driver", "cuda", "compiler", "cupy", "cufft")
    _line(say, "", ", ".join(f"{name} {known[name]}" for name in wanted if name in known))
    return gpu


def _compiler(say: Say) -> bool:
    try:
        compiler = host_compiler()
    except DeviceError as error:
        _line(say, "compiler", f"NONE: {error.what}")
        _line(say, "", error.next_step or "")
        return False
    _line(say, "compiler", f"{compiler.version} ({' '.join(compiler.command)})")
    return True


def _caches(say: Say) -> None:
    from micromag.demag.cache import cache_directory

    for name, folder in (("kernels", cache_root() / "kernels"), ("tensors", cache_directory())):
        _line(say, name, f"{folder}: {_content(folder)}")


def _content(folder: Path) -> str:
    try:
        sizes = [path.stat().st_size for path in folder.iterdir() if path.is_file()]
    except FileNotFoundError:
        return "not there yet"
    except OSError as error:
        return f"cannot be read ({error.strerror}); what is compiled is not kept"
    return f"{len(sizes)} files, {bytes_text(sum(sizes))}"


# -------------------------------------------------------------------- self-test


def _tests(say: Say, gpu: Backend | None) -> bool:
    """Run the self-tests; return whether all that could be run were passed."""
    tests: list[tuple[str, Callable[[], tuple[float, float]]]] = []
    devices = [*(["cpu"] if _has_compiler() else []), *(["cuda"] if gpu is not None else [])]
    for device in devices:
        tests.append((f"precession, {device}", lambda d=device: _precession(d)))  # type: ignore[misc]
        tests.append((f"stray field, {device}", lambda d=device: _cube(d)))  # type: ignore[misc]
    if len(devices) == 2:
        tests.append(("cpu against cuda", _compared))
    results = [_passes(say, name, test) for name, test in tests]
    return all(results)


def _has_compiler() -> bool:
    try:
        host_compiler()
    except DeviceError:
        return False
    return True


def _passes(say: Say, name: str, test: Callable[[], tuple[float, float]]) -> bool:
    begin = time.perf_counter()
    try:
        error, allowed = test()
    except MicromagError as problem:
        _line(say, "self-test", f"{name}: FAILED: {problem}")
        return False
    good = error <= allowed
    verdict = "good" if good else "WRONG"
    taken = time.perf_counter() - begin
    _line(
        say,
        "self-test",
        f"{name}: {verdict}, error {error:.1e} (allowed {allowed:.0e}), {taken:.2f} s",
    )
    return good


def _precession(device: str) -> tuple[float, float]:
    """Turn one moment in a field by a tenth of a turn and compare it with gamma B t."""
    from micromag.simulation import Simulation

    angle, field = 2 * math.pi / 10, 1.0
    sim = Simulation(
        device=device,
        mesh={"cells": (1, 1, 1), "cell_size": (4e-9, 4e-9, 4e-9)},
        material={"Ms": 8e5, "alpha": 0.0},
        energy={"zeeman": {"B": (0, 0, field)}},
        initial={"uniform": {"direction": (1, 0, 0)}},
    )
    sim.run(angle / (GAMMA_E * field))
    expected = (math.cos(angle), math.sin(angle), 0.0)
    return float(np.abs(sim.m.reshape(3) - expected).max()), PRECESSION_ERROR


def _cube(device: str) -> tuple[float, float]:
    """Compare the stray-field energy of a uniform cube with mu0 Ms^2 V/6."""
    from micromag.simulation import Simulation

    Ms, n, edge = 8e5, 8, 2e-9
    sim = Simulation(
        device=device,
        mesh={"cells": (n, n, n), "cell_size": (edge, edge, edge)},
        material={"Ms": Ms, "alpha": 0.0},
        energy={"demag": {}},
        initial={"uniform": {"direction": (1, 0, 0)}},
    )
    expected = MU_0 * Ms**2 * (n * edge) ** 3 / 6
    return abs(sim.energies()["total"] / expected - 1), CUBE_ERROR


def _compared() -> tuple[float, float]:
    """Let a vortex move for a while on both devices and compare where it has come to."""
    from micromag.simulation import Simulation

    results = []
    for device in ("cpu", "cuda"):
        sim = Simulation(
            device=device,
            mesh={"cells": (32, 32, 1), "cell_size": (4e-9, 4e-9, 4e-9)},
            material={"Ms": 8e5, "alpha": 0.1},
            energy={"exchange": {"A": 13e-12}, "demag": {}},
            torques={"zhang_li": {"u": (100, 0, 0), "beta": 0.1}},
            initial={"vortex": {}},
        )
        sim.run(20e-12)
        results.append(sim.m)
    return float(np.abs(results[0] - results[1]).max()), DEVICES_APART
