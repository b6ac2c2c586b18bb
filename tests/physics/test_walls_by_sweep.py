"""Domain walls in one dimension, against the physics table: one run file with a `sweep:` per group.

The wall, its domains and its hard axis are those of ``test_walls``. Here the whole way is taken that
a user takes: a run file, all its walls in the same launches, each in a moving window, and the
velocities that `wall_velocity` writes into ``velocity.csv``.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from reference import MT, NM, NS, Check, check, note

from micromag.cli import main
from micromag.output.sweep_file import SweepFile

A, K, MS, ALPHA = 1.3e-11, 5e5, 8e5, 0.05
U, BETA, FIELD = "torques.zhang_li.u[0]", "torques.zhang_li.beta", "energy.zeeman.B[2]"

Row = dict[str, Any]


def wire(sweep: dict[str, Any], *, dx: float, duration: float, after: float, Kp: float) -> Row:
    """Return a run file: a wall in a window of 100 nm on an endless wire of one row of cells."""
    z_easy, y_hard = {"Ku1": K, "axis": [0, 0, 1]}, {"Ku1": -Kp, "axis": [0, 1, 0]}
    return {
        "precision": "double",
        "mesh": {
            "cells": [round(100 * NM / dx), 1, 1],
            "cell_size": [dx, 4 * NM, 4 * NM],
            "window": {"follow": "wall", "axis": "x"},
        },
        "material": {"Ms": MS, "alpha": ALPHA},
        "energy": {
            "exchange": {"A": A},
            "uniaxial_anisotropy": [z_easy, y_hard],
            "zeeman": {"B": [0, 0, 0]},
        },
        "torques": {"zhang_li": {"u": [0, 0, 0], "beta": 0}},
        "initial": {"domain_wall": {"kind": "neel", "position": 0, "from": "+z", "to": "-z"}},
        "schedule": [
            {"relax": {"max_torque": "0.1 mT", "with": {"energy.zeeman.B": [0, 0, 0]}}},
            {"run": {"for": duration}},
        ],
        "output": {
            "table": {"every": "10 ps", "columns": ["wall_position", "wall_width", "wall_angle"]}
        },
        "sweep": sweep,
        "analysis": {"wall_velocity": {"after": after}},
    }


class Found:
    """What a sweep left: its collected table, and the rows of ``velocity.csv``."""

    def __init__(self, folder: Path, run_file: Row) -> None:
        path, output = folder / "walls.yaml", folder / "walls"
        path.write_text(yaml.safe_dump(run_file))
        assert main(["run", str(path), "--device", "cpu", "--quiet", "-o", str(output)]) == 0
        self.sweep = SweepFile(output)
        with (output / "velocity.csv").open() as file:
            self.rows: list[Row] = list(csv.DictReader(file))
        assert (output / "velocity.png").stat().st_size > 10_000

    def row(self, **wanted: float) -> Row:
        """Return the only row with such values of the columns whose titles begin so."""
        titles = {"u": f"{U} (m/s)", "beta": BETA, "B": f"{FIELD} (T)"}
        [row] = [
            row
            for row in self.rows
            if all(np.isclose(float(row[titles[k]]), v, rtol=1e-7) for k, v in wanted.items())
        ]
        return row

    def velocity(self, kind: str, **wanted: float) -> float:
        """Return a velocity [m/s], whose motion has to be called so."""
        row = self.row(**wanted)
        assert row["motion"] == kind, row
        return float(row["velocity (m/s)"])

    def stage(self, **wanted: float) -> dict[str, Any]:
        """Return the rows of a wall's table while it is driven; t from the start of that."""
        table = self.sweep.run(int(self.row(**wanted)["replica"])).table
        chosen = table["stage"] == 1
        return {name: values[chosen] for name, values in table.items()}


# ------------------------------------------------------------------------------ under a current


@pytest.fixture(scope="module")
def currents(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """Walls with less, as much and more non-adiabatic torque than damping, below and above its threshold."""
    sweep = {BETA: [0, 0.025, 0.05, 0.1], U: [50, 200]}
    run_file = wire(sweep, dx=1 * NM, duration=5 * NS, after=2.5 * NS, Kp=1e5)
    return Found(tmp_path_factory.mktemp("currents"), run_file)


@pytest.mark.parametrize("u", [50, 200])
def test_a_wall_drifts_with_the_current_where_beta_is_alpha(currents, u):
    entry = check("dw_rigid")
    assert str(u) in entry.setup
    ratio, angle = entry.numbers("1.0", "1e-3")
    entry.agrees(currents.velocity("steady", beta=ALPHA, u=u) / u, ratio, f"sweep: v/u at {u} m/s")
    turned = np.abs(currents.stage(beta=ALPHA, u=u)["wall_angle"]).max()
    note("dw_rigid", f"sweep: |phi| at {u} m/s", 0, turned, angle)
    assert turned < angle


def test_without_beta_a_slow_current_only_displaces_a_wall(currents):
    entry = check("dw_beta0_pin")
    velocity, displacement, angle = entry.numbers("0", "23.5", "-0.2316")
    found = currents.velocity("pinned", beta=0, u=50)
    entry.agrees(found, velocity, "sweep: v [m/s]", rtol=None, atol=entry.atol)
    path = currents.stage(beta=0, u=50)
    x, phi = (np.interp(4 * NS, path["t"], path[c]) for c in ("wall_position", "wall_angle"))
    moved = (x - path["wall_position"][0]) / NM
    entry.agrees(moved, displacement, "sweep: displacement [nm]", rtol=entry.rtol)
    entry.agrees(phi, angle, "sweep: phi [rad]", rtol=entry.rtol)


@pytest.mark.parametrize(("beta", "velocity"), [(0.025, 25), (0.1, 100)])
def test_below_the_threshold_the_velocity_is_beta_u_over_alpha(currents, beta, velocity):
    entry = check("dw_rigid")  # its tolerance is that of the central differences at this cell size
    assert velocity == pytest.approx(beta * 50 / ALPHA)
    entry.agrees(currents.velocity("steady", beta=beta, u=50), velocity, f"sweep: beta = {beta}")


def test_mean_velocities_above_the_threshold(currents):
    entry = check("dw_above")
    listed = entry.number("168.5")
    entry.agrees(currents.velocity("oscillating", beta=0, u=200), listed, "sweep: u = 200 m/s")
    # The wall with beta = 2 alpha turns the other way round: 2 u less the same.
    found = currents.velocity("oscillating", beta=0.1, u=200)
    entry.agrees(found, 2 * 200 - listed, "sweep: u = 200 m/s, beta = 2 alpha")


def test_the_one_dimensional_model_beside_the_walls_agrees_with_them(currents):
    entry = check("dw_rigid")
    for row in currents.rows:
        if row["motion"] in ("steady", "oscillating"):
            model = float(row["model_velocity (m/s)"])
            assert float(row["velocity (m/s)"]) == pytest.approx(model, rel=entry.rtol), row


# ------------------------------------------------------------------------------ under a field


@pytest.fixture(scope="module")
def fields(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """Walls below their Walker field."""
    run_file = wire({FIELD: [5e-4, 2e-3]}, dx=0.75 * NM, duration=4 * NS, after=2.5 * NS, Kp=1e5)
    return Found(tmp_path_factory.mktemp("fields"), run_file)


def test_mobility_in_a_small_field(fields):
    mobility = fields.velocity("steady", B=0.5 * MT) / 0.5
    check("dw_mobility").agrees(mobility, what="sweep: mobility [m/s per mT]")


def test_velocity_in_a_field(fields):
    entry = check("dw_field")
    entry.agrees(fields.velocity("steady", B=2 * MT), entry.number("35.82"), "sweep: v [m/s]")


# ------------------------------------------------------------------------------ critical currents


@pytest.fixture(scope="module")
def critical(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """Walls without beta just below and above their critical current, and far above."""
    entry = check("dw_uc")
    assert entry.rtol is not None
    u = [entry.value * (1 - entry.rtol), entry.value * (1 + entry.rtol), 400.0]
    run_file = wire({U: u}, dx=1 * NM, duration=21 * NS, after=5 * NS, Kp=1e5)
    return Found(tmp_path_factory.mktemp("critical"), run_file)


@pytest.mark.slow
def test_the_critical_current_without_beta(critical):
    entry = check("dw_uc")
    below, above = (entry.value * (1 + sign * entry.rtol) for sign in (-1, 1))
    at_rest, moving = (
        critical.velocity("pinned", u=below),
        critical.velocity("oscillating", u=above),
    )
    assert abs(at_rest) < 0.3 < moving
    # What the velocity above it tells of it: v = sqrt(u^2 - u_c^2)/(1 + alpha^2).
    u_c = np.sqrt(above**2 - (moving * (1 + ALPHA**2)) ** 2)
    entry.agrees(u_c, what="sweep: u_c from v at 1.02 u_c [m/s]")
    note("dw_uc", "sweep: v at 0.98 u_c [m/s]", 0, at_rest, 0.3)
    note("dw_uc", "sweep: v at 1.02 u_c [m/s]", entry.value * np.sqrt(1.02**2 - 1), moving)


@pytest.mark.slow
def test_mean_velocity_far_above_the_critical_current(critical):
    entry = check("dw_above")
    found = critical.velocity("oscillating", u=400)
    entry.agrees(found, entry.number("384.4"), "sweep: u = 400 m/s")


@pytest.fixture(scope="module")
def any_beta(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """Walls with a weaker hard axis, a fifth above each threshold."""
    sweep = {BETA: [0, 0.1, 0.02], U: [1.2 * u for u in (22.447, 37.411)]}
    run_file = wire(sweep, dx=1.25 * NM, duration=26 * NS, after=3 * NS, Kp=2e4)
    return Found(tmp_path_factory.mktemp("any_beta"), run_file)


@pytest.mark.slow
@pytest.mark.parametrize(("beta", "listed"), [(0, "22.447"), (0.1, "22.447"), (0.02, "37.411")])
def test_the_threshold_at_any_beta(any_beta, beta, listed):
    """From the mean velocity above it: v = (beta u - (beta - alpha) root/(1 + alpha^2))/alpha.

    The root is that of u^2 - u_W^2.
    """
    entry: Check = check("dw_u_any")
    u_W = entry.number(listed)
    u = 1.2 * u_W
    v = any_beta.velocity("oscillating", beta=beta, u=u)
    root = (beta * u / ALPHA - v) * ALPHA * (1 + ALPHA**2) / (beta - ALPHA)
    entry.agrees(np.sqrt(u**2 - root**2), u_W, f"sweep: u_W at beta = {beta} [m/s]")


@pytest.mark.slow
def test_the_same_current_turns_a_wall_over_or_not_by_its_beta(any_beta):
    low, high = check("dw_u_any").numbers("22.447", "37.411")
    u = 1.2 * low
    assert u < high
    angles = {
        beta: np.abs(np.unwrap(any_beta.stage(beta=beta, u=u)["wall_angle"])).max()
        for beta in (0, 0.1, 0.02)
    }
    assert angles[0] > np.pi and angles[0.1] > np.pi
    assert angles[0.02] < np.pi / 4
