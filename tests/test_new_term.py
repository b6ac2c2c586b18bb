"""A new term is two new files: a toy is dropped into a copy of the package and run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import micromag
from micromag.backend.source import kernel_root
from micromag.output.runfile import RunFile

PYTHON_HALF = '''
"""A unidirectional toy anisotropy of third order."""

from __future__ import annotations

from typing import Annotated

from micromag.parameters import Quantity, ScalarParameter, VectorParameter
from micromag.terms.base import EnergyTerm


class Toy(EnergyTerm):
    r"""A toy that prefers one sense of an axis.

    .. math:: e = -K (m \\cdot u)^3, \\qquad B = \\frac{3 K (m \\cdot u)^2}{M_s} u

    ====  =====  ===========================  ===================
    name  unit   shape                        meaning
    ====  =====  ===========================  ===================
    K     J/m^3  scalar; per region or cell   strength
    u     1      vector; per region or cell   direction
    ====  =====  ===========================  ===================

    Source: nobody, J. Toys 1, 1 (2000).
    """

    K: Annotated[ScalarParameter, Quantity("J/m^3", ge=0, time_dependent=True)]
    """Strength [J/m^3]."""
    u: Annotated[VectorParameter, Quantity("1", unit_vector=True)]
    """Direction."""
'''

KERNEL_HALF = """
// e = -K (m.u)^3.
INLINE V toy(const Site& s, const Toy& p, real& energy) {
  const real cosine = dot(s.m, p.u);
  energy = -p.K * cosine * cosine * cosine;
  return (real(3) * p.K * s.inv_Ms * cosine * cosine) * p.u;
}
"""

FORMULA = '''
"""e = -K (m.u)^3."""

from formulas import dot


def energy_density(m, p, magnet):
    return -p.K * dot(m, p.u) ** 3


def field(m, p, magnet):
    return 3 * p.K * dot(m, p.u) ** 2 * magnet.inverse_Ms() * p.u
'''

RUN_FILE = """
mesh: {cells: [6, 4, 1], cell_size: [5 nm, 5 nm, 5 nm]}
regions:
  left: {box: {center: [-7.5 nm, 0, 0], size: [15 nm, 20 nm, 5 nm]}}
material: {Ms: 800 kA/m, alpha: 0.5}
precision: double
energy:
  toy:
    - {K: {default: 0.4 MJ/m^3, left: 0.1 MJ/m^3}, u: [0, 3, 4]}
    - {K: 0 J/m^3, u: [0, 3, 4]}
initial: {uniform: {direction: [1, 0.2, 0.3]}}
schedule:
  - relax
  - run:
      for: 20 ps
      with:
        energy.toy[1].K: {value: 0.2 MJ/m^3, waveform: {sine: {frequency: 10 GHz}}}
output: {directory: result, table: {every: 5 ps}}
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the installed package, with the two files of the toy in it."""
    root = tmp_path_factory.mktemp("house")
    skip = shutil.ignore_patterns("__pycache__", "kernels")
    shutil.copytree(Path(micromag.__file__).parent, root / "micromag", ignore=skip)
    shutil.copytree(str(kernel_root()), root / "micromag" / "kernels")
    (root / "micromag" / "terms" / "toy.py").write_text(PYTHON_HALF.lstrip())
    (root / "micromag" / "kernels" / "terms" / "toy.cuh").write_text(KERNEL_HALF.lstrip())
    return root


def run(house: Path, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a Python command in a process that imports the copy."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(house)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_toy_term_runs_from_a_run_file(house, tmp_path):
    (tmp_path / "run.yaml").write_text(RUN_FILE)
    done = run(house, "-m", "micromag", "run", "run.yaml", "--device", "cpu", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    result = RunFile(tmp_path / "result" / "run.vtkhdf")
    table = result.table
    cell = 125e-27
    energy = table["E_toy_0"][table["stage"] == 0][-1]
    assert energy == pytest.approx(-12 * cell * (4e5 + 1e5), rel=1e-6)
    m = result.m(-1)
    assert np.allclose(m[:, 0, 0, 0], [0, 0.6, 0.8], atol=1e-4)
    run_rows = table["stage"] == 1
    assert run_rows.sum() >= 4
    wave = np.sin(2 * np.pi * 1e10 * table["t"][run_rows])
    assert "E_toy" not in table  # which of the two would it be?
    assert table["E_toy_1"][run_rows] == pytest.approx(-24 * cell * 2e5 * wave, abs=1e-25)


def test_mistakes_in_a_toy_term_are_found(house, tmp_path):
    (tmp_path / "run.yaml").write_text(RUN_FILE.replace("0.1 MJ/m^3", "0.1 MJ/m^2"))
    done = run(house, "-m", "micromag", "validate", "run.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "energy.toy[0].K.left" in done.stderr


@pytest.mark.slow
def test_the_contract_covers_a_toy_term(house, tmp_path):
    here = Path(__file__).parent
    for name in ("conftest.py", "magnets.py", "term_examples.py", "test_term_contract.py"):
        shutil.copy(here / name, tmp_path)
    shutil.copytree(here / "formulas", tmp_path / "formulas")
    command = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "toy", "test_term_contract.py")
    without = run(house, *command, cwd=tmp_path)
    assert without.returncode == 1
    assert "the term toy has no independent formula: write" in without.stdout
    (tmp_path / "formulas" / "toy.py").write_text(FORMULA.lstrip())
    done = run(house, *command, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
