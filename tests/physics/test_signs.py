"""The README's table of signs: every line of it is computed.

A line says what is given, how a moment stands, and where it is pushed at first.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from magnets import config, measuring_engine
from reference import NM

from micromag.backend import get_backend
from micromag.terms import TERMS
from micromag.yaml_source import read_yaml

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
HEADING = "\n## Signs of torques\n"
AXES = {
    f"{s}{a}": (1 if s == "+" else -1) * np.eye(3)[i] for i, a in enumerate("xyz") for s in "+-"
}


class Line(NamedTuple):
    """One line of the table."""

    torque: str
    given: str
    moment: str
    pushed: str


def lines() -> list[Line]:
    """Return the lines of the table in the README."""
    section = README.partition(HEADING)[2].partition("\n## ")[0]
    rows = [
        row.strip("|").split("|")
        for row in section.splitlines()
        if row.count("|") == 5 and "`" in row
    ]
    return [Line(*(cell.strip().strip("`") for cell in row)) for row in rows]


def direction(words: str) -> np.ndarray:
    """Return the unit vector between the axes that are named."""
    found = sum(AXES[axis] for axis in re.findall(r"[+-][xyz]", words))
    return found / np.linalg.norm(found)


def test_every_torque_is_in_the_table():
    torques = {key for key in TERMS.keys() if TERMS.get(key).kind == "torque"}
    assert torques == {line.torque for line in lines()}


@pytest.mark.parametrize("line", lines(), ids=lambda line: f"{line.torque}-{line.given}")
def test_line_of_the_table_of_signs(line):
    here, _, along = line.moment.partition(" turning to ")
    m = np.tile(direction(here)[:, None], (1, 3))
    if along:  # from cell to cell along +x
        m += 1e-3 * direction(along)[:, None] * np.array([-1.0, 0.0, 1.0])
        m /= np.linalg.norm(m, axis=0)
    made = config(
        mesh={"cells": [3, 1, 1], "cell_size": [2 * NM, 2 * NM, 1 * NM]},
        material={"Ms": 1e6, "alpha": 0.0},
        torques={line.torque: read_yaml(line.given, "README.md").plain()},
    )
    engine = measuring_engine(made, get_backend("cpu"), m.reshape(3, 1, 1, 3))
    X = engine.torque_field()[:, 0, 0, 1]
    size = np.linalg.norm(X)
    assert size > 1e-6, "tesla"
    # Between so few cells spins diffuse a little.
    atol = 3e-3 if TERMS.get(line.torque).nonlocal_field else 1e-9
    np.testing.assert_allclose(X / size, direction(line.pushed), atol=atol)
