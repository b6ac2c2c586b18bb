"""``micromag plot spin-hall-angle``: mechanisms of a run file's heavy metal against temperature."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from micromag.cli import main
from micromag.yaml_source import to_yaml

LAW = {"model": "bloch_gruneisen", "rho0": 1e-7, "rho": 3e-7, "theta": 240.0}
ANGLE = {"model": "combined", "sigma_int": 3e5, "alpha_ss": 0.02, "sigma_sj": 1e5, "rho": LAW}


def run_file(folder: Path, theta_sh: Any) -> Path:
    """Write a run file with a heavy metal of that spin Hall angle."""
    path = folder / "run.yaml"
    data = {
        "mesh": {"cells": [1, 1, 1], "cell_size": [2e-9, 2e-9, 1e-9]},
        "material": {"Ms": 1e6, "alpha": 0.1},
        "torques": {"spin_orbit": {"J": [1e11, 0, 0], "normal": "+z", "theta_sh": theta_sh}},
        "initial": {"uniform": {"direction": "+z"}},
        "schedule": [{"run": {"for": "1 ns"}}],
    }
    path.write_text(to_yaml(data))
    return path


def test_picture_numbers_and_sentence(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    path = run_file(tmp_path, ANGLE)
    assert main(["plot", "spin-hall-angle", str(path)]) == 0
    # 0.09 + 0.02/3 + 0.01/3 at three times the residual resistivity.
    said = "theta_SH = 0.1 at 300 K and 30 uOhm cm, of which 90 % intrinsic, 7 % skew scattering"
    assert said in capsys.readouterr().out
    assert (tmp_path / "run_spin_hall_angle.png").stat().st_size > 10_000
    with (tmp_path / "run_spin_hall_angle.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = {name: np.array([float(row[name]) for row in rows]) for name in list(rows[0])[1:]}
    rho, theta = columns["rho (Ohm m)"], columns["theta"]
    # The spin Hall resistivity is a line in rho^2: its slope is intrinsic, its height extrinsic.
    slope, height = np.polyfit(rho**2, theta * rho, 1)
    assert slope == pytest.approx(3e5, rel=1e-6)
    assert height == pytest.approx(0.02 * 1e-7 + 1e5 * 1e-14, rel=1e-6)
    parts = columns["intrinsic"] + columns["skew_scattering"] + columns["side_jump"]
    np.testing.assert_allclose(parts, theta, rtol=1e-8)
    assert columns["T (K)"][0] == 0 and columns["T (K)"][-1] == 400


def test_where_a_linear_law_ends_so_does_the_curve(tmp_path):
    pytest.importorskip("matplotlib")
    law = {"model": "linear", "rho": 1e-7, "a": 4e-3}
    path = run_file(tmp_path, {"model": "intrinsic", "sigma_int": 3e5, "rho": law})
    assert main(["plot", "spin-hall-angle", str(path), "-o", str(tmp_path / "a.svg")]) == 0
    with (tmp_path / "a.csv").open() as file:
        coldest = float(next(csv.DictReader(file))["T (K)"])
    assert 50 < coldest <= 52  # where 1 + a (T - 300 K) becomes positive


def test_a_run_without_mechanisms_is_told_so(tmp_path, capsys):
    assert main(["plot", "spin-hall-angle", str(run_file(tmp_path, 0.1))]) == 2
    assert "no torque of this run file has a spin Hall angle" in capsys.readouterr().err
