"""Wrong arguments in Python: answered as wrong run files are, without a word of pydantic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import micromag as mm
from micromag.errors import ConfigError, DeviceError, MicromagError

MESH: dict[str, Any] = {"cells": (4, 2, 1), "cell_size": (4e-9, 4e-9, 4e-9)}
RUN: dict[str, Any] = {
    "device": "cpu",
    "mesh": MESH,
    "material": {"Ms": 8e5, "alpha": 0.1},
    "initial": {"uniform": {"direction": "x"}},
}


def simulation(**changes: Any) -> mm.Simulation:
    sections = {**RUN, "energy": [mm.Exchange(A=13e-12)], "schedule": ["relax"], **changes}
    return mm.Simulation(**sections)


CASES: list[tuple[Callable[[], Any], str]] = [
    (lambda: mm.Mesh(**{**MESH, "cells": (0, 1, 1)}), "Mesh(...)  cells[0]: 0 is out of range"),
    (lambda: mm.Mesh(**{**MESH, "cells": (4, 4)}), "a film has cells [nx, ny, 1]"),
    (lambda: mm.Mesh(**MESH, periodc=(1, 0, 0)), "did you mean 'periodic'?"),
    (lambda: mm.Mesh((4, 4, 1)), "Mesh takes its values by name"),
    (lambda: mm.Exchange(), "Exchange(...)  A: the key 'A' is missing"),
    (lambda: mm.Exchange(A="13 pJm"), "did you mean 'pJ/m'?"),
    (
        lambda: mm.Exchange(A=-1),
        "A: -1.0 is out of range; allowed: an energy per length (J/m) >= 0",
    ),
    (lambda: mm.Exchange(B=1), "unknown key 'B'; allowed: A"),
    (lambda: mm.Material(Ms=8e5, alpha=1e30), "allowed: a pure number >= 0 and <= 100"),
    (lambda: mm.DomainWall(kind="bolch"), "did you mean 'bloch'?"),
    (lambda: mm.Box(size=3), "a vector [x, y, z] is needed, not 3"),
    (lambda: mm.Union([3]), "Union(...)  [0]: a shape is a mapping of one key, not 3"),
    (lambda: mm.Sine(freqency=1e9), "did you mean 'frequency'?"),
    (lambda: mm.Run(duration="5 GHz"), "is a frequency (Hz), but a time (s) is needed"),
    (lambda: mm.RunConfig(mesh=MESH), "3 problems in the arguments"),
    (lambda: mm.Simulation("run.yaml"), "micromag.load(path) makes it of a run file"),
    (lambda: simulation(energy=[3]), "energy: a list of terms such as Exchange(A=...) is needed"),
    (lambda: simulation(initial={"unifrm": {}}), "did you mean 'uniform'?"),
    (lambda: simulation(device="gpu"), '"cuda"'),
    (lambda: simulation().run("5 nm"), "Run(...)  for: '5 nm' is a length (m)"),
    (lambda: simulation().relax(max_torqe=1), "did you mean 'max_torque'?"),
    (lambda: simulation().field("exchnge"), "did you mean 'exchange'?"),
    (lambda: simulation().energy_density("zeeman"), "allowed: exchange"),
    (lambda: simulation().table["m_x"], "nothing yet: no stage has been run"),
    (lambda: setattr(simulation(), "m", np.ones((2, 4, 3))), "which is (3, nz, ny, nx)"),
    (lambda: setattr(simulation(), "m", (0, 0, 0)), "m is zero in cells of the magnet"),
]


@pytest.mark.parametrize("number", range(len(CASES)))
def test_a_wrong_argument(number: int) -> None:
    call, says = CASES[number]
    with pytest.raises((ConfigError, DeviceError)) as caught:
        call()
    assert says in str(caught.value)
    assert "pydantic" not in str(caught.value) and "validation error" not in str(caught.value)


def test_a_column_that_is_not_there() -> None:
    sim = simulation()
    sim.relax()
    with pytest.raises(KeyError) as caught:
        sim.table["E_exchnge"]
    assert isinstance(caught.value, MicromagError)
    assert "did you mean 'E_exchange'?\n  allowed: t, step, dt, stage, m_x" in str(caught.value)
    assert sim.table.get("E_demag") is None and "E_demag" not in sim.table


def test_one_term_needs_no_list() -> None:
    assert [key for key, _ in simulation(energy=mm.Exchange(A=1e-12)).config.energy] == ["exchange"]


def test_a_misspelt_name() -> None:
    with pytest.raises(AttributeError) as caught:
        mm.Simulatoin  # noqa: B018
    assert caught.value.name == "Simulatoin" and caught.value.obj is mm
