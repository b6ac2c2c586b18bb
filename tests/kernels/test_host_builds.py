"""The kernels of the CPU: vectorised, and the same numbers from every compiler."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from kernel_variants import sources_of, term_structures

from micromag.backend import Source, get_backend
from micromag.backend.compiler import HostCompiler, host_compiler
from micromag.config import RunConfig
from micromag.integrators.minimizer import Minimizer
from micromag.integrators.runge_kutta import RungeKutta
from micromag.integrators.tableaus import TABLEAUS
from micromag.model import Model

FAMILIES = ("g++", "clang++")
REQUIRED = os.environ.get("MICROMAG_REQUIRE_COMPILERS") == "1"
"""Whether a missing compiler fails the tests that need it; without it they are skipped."""
INTERIOR = "for (int x = 1; x < last; ++x)"
REPORTS = {"gcc": "-fopt-info-vec-optimized", "clang": "-Rpass=loop-vectorize"}
REPORTS["zig"] = REPORTS["clang"]


def commands() -> dict[str, str]:
    """Return one command per family of compilers that this machine has."""
    names = [f"clang++{suffix}" for suffix in ["", *(f"-{n}" for n in range(30, 12, -1))]]
    clang = next((name for name in names if shutil.which(name)), None)
    if clang is None and importlib.util.find_spec("ziglang") is not None:
        clang = f"{sys.executable} -m ziglang c++"
    found = dict(zip(FAMILIES, (shutil.which("g++"), clang), strict=True))
    return {family: command for family, command in found.items() if command}


def choose(family: str, monkeypatch: pytest.MonkeyPatch) -> HostCompiler:
    """Make a family's compiler the one that runs use; without it the test is skipped."""
    command = commands().get(family)
    if command is None:
        if REQUIRED:
            pytest.fail(f"MICROMAG_REQUIRE_COMPILERS=1, but there is no {family}")
        pytest.skip(f"no {family}")
    monkeypatch.setenv("CXX", command)
    return host_compiler()


@pytest.fixture(params=FAMILIES)
def compiler(request, monkeypatch) -> HostCompiler:
    """Each family of compilers in turn."""
    return choose(request.param, monkeypatch)


def config_of(name: str) -> RunConfig:
    (found,) = [s.config for s in term_structures() if s.name == name]
    return found


def report(compiler: HostCompiler, source: Source, folder: Path) -> str:
    """Return what the compiler says about the loops that it vectorised."""
    (folder / "k.cpp").write_text(source.text)
    command = [*compiler.command, *compiler.flags, *source.macro_flags, REPORTS[compiler.family]]
    done = subprocess.run(
        [*command, "k.cpp", "-o", "k.so"], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stderr


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize(
    "terms",
    [
        "all terms",
        pytest.param("all terms by region", marks=pytest.mark.slow),
        pytest.param("all terms by cell", marks=pytest.mark.slow),
    ],
)
def test_the_interior_of_a_row_is_vectorised(compiler, terms, precision, tmp_path):
    """A kernel that falls out of vectorisation is three to four times slower and says nothing."""
    for source in sources_of(config_of(f"{terms}, {precision}, 3-D, open")):
        if not re.match(r"rk45 stage [27]$", source.name):
            continue
        line = next(n for n, text in enumerate(source.text.splitlines(), 1) if INTERIOR in text)
        said = report(compiler, source, tmp_path)
        assert re.search(rf"k\.cpp:{line}:\d+: .*vectorized", said), (source.name, said)


def results(config: RunConfig) -> dict[str, np.ndarray]:
    """Integrate a random state in fixed steps, descend in energy, and measure, on one thread."""
    backend = get_backend("cpu", threads=1)
    start = np.random.default_rng(1).standard_normal((3, *config.mesh.shape))
    # Two stages have every line of the kernels in them, and compile in a quarter of rk45's time.
    stepper = RungeKutta(Model([config]), backend, TABLEAUS["heun"], dt=2e-14)
    stepper.engine.set_m(start)
    stepper.start()
    stepper.aim(1.0)
    stepper.steps(50)
    measured = stepper.engine.measure()
    minimizer = Minimizer(Model([config], currents=False), backend, max_torque=1e-12)
    minimizer.engine.set_m(start)
    minimizer.start()
    minimizer.steps(5)
    return {
        "m after 1 ps": stepper.engine.m(),
        "energies": measured.energies,
        "largest torque": measured.max_torque,
        "m after 5 descents": minimizer.engine.m(),
    }


@pytest.mark.slow
@pytest.mark.parametrize("grid", ["2-D, periodic", "3-D, open"])
@pytest.mark.parametrize("precision", ["single", "double"])
def test_compilers_agree_to_rounding(grid, precision, monkeypatch):
    found = {}
    # Descents in a random state magnify the last digit some hundred times.
    rounding = 5000 * np.finfo(np.float32 if precision == "single" else np.float64).eps
    for family in FAMILIES:
        choose(family, monkeypatch)
        config = config_of(f"all terms by region, {precision}, {grid}")
        found[family] = results(config)
    gcc, clang = found.values()
    for what, expected in gcc.items():
        difference = abs(clang[what] - expected).max()
        assert difference <= rounding * abs(expected).max(), (what, difference)
