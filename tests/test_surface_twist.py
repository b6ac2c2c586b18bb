"""Terms linear in the gradient of m: their surfaces, which exchange shares, and their interfaces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from formulas import cross
from magnets import config, measuring_engine, random_m, rate

from micromag.backend import get_backend
from micromag.engine import Engine
from micromag.model import Model

CELLS, CELL_SIZE = (7, 6, 3), (4e-9, 3e-9, 2e-9)
A, D, MS = 1.3e-11, 3e-3, 8e5
PAIR = {"default": D, "left": 0.6 * D, "default:left": -0.3 * D}


def holes() -> np.ndarray:
    """Return a shape with surfaces on one and on both sides of a cell, along every axis."""
    return np.random.default_rng(5).random(CELLS[::-1]) > 0.2


def magnet(energy: dict[str, Any], tmp_path: Any = None, **sections: Any) -> Any:
    """Return a configuration with two regions and, given a folder, with holes."""
    shape = {"box": {}}
    if tmp_path is not None:
        np.save(tmp_path / "shape.npy", holes())
        shape = {"file": str(tmp_path / "shape.npy")}
    given = {
        "mesh": {"cells": CELLS, "cell_size": CELL_SIZE},
        "geometry": shape,
        "regions": {"left": {"box": {"center": [-6e-9, 0, 0], "size": [16e-9, 1, 1]}}},
        "material": {"Ms": {"default": MS, "left": 0.7 * MS}, "alpha": 0.0},
    }
    return config(energy=energy, **(given | sections))


def tensor(Dx: Any, Dy: Any, Dz: Any) -> dict[str, Any]:
    """Return the general term with the regions of `PAIR`."""
    factors = {name: value / D for name, value in PAIR.items()}
    vectors = {"Dx": Dx, "Dy": Dy, "Dz": Dz}
    return {
        key: {name: [f * c for c in v] for name, f in factors.items()} for key, v in vectors.items()
    }


@pytest.mark.parametrize("boundary", ["natural", "open"])
@pytest.mark.parametrize(
    ("key", "general"),
    [
        ("interfacial_dmi", tensor([0, D, 0], [-D, 0, 0], [0, 0, 0])),
        ("bulk_dmi", tensor([-D, 0, 0], [0, -D, 0], [0, 0, -D])),
        ("d2d_dmi", tensor([D, 0, 0], [0, -D, 0], [0, 0, 0])),
    ],
)
def test_the_general_term_contains_the_others(key, general, boundary, tmp_path, backend):
    m = random_m(CELLS[::-1], 1)
    fields = []
    for name, body in ((key, {"D": PAIR}), ("dmi", general)):
        energy = {"exchange": {"A": A}, name: {**body, "boundary": boundary}}
        engine = measuring_engine(magnet(energy, tmp_path), backend, m)
        fields.append([*engine.term_field("exchange"), *engine.term_field(name)])
    for mine, other in zip(*fields, strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-12 * np.abs(other).max())


TOGETHER: dict[str, dict[str, Any]] = {
    "uniform": {"exchange": {"A": A}, "interfacial_dmi": {"D": D}},
    "by region": {
        "exchange": {"A": {"default": A, "left": 0.5 * A}},
        "interfacial_dmi": {"D": PAIR},
        "bulk_dmi": {"D": {"default": -D, "left": 0.5 * D}},
    },
    "two stiffnesses, one term left out": {
        "exchange": [{"A": A}, {"A": {"default": 0.2 * A, "left": 0.0}}],
        "d2d_dmi": {"D": D, "boundary": "open"},
        "bulk_dmi": {"D": {"default": D, "left": 0.5 * D}},
    },
    "no stiffness in one region": {
        "exchange": {"A": {"default": A, "left": 0.0}},
        "bulk_dmi": {"D": D},
    },
}


@pytest.mark.parametrize("energy", TOGETHER.values(), ids=TOGETHER.keys())
def test_the_field_is_the_derivative_of_the_energy_at_surfaces(energy, tmp_path, backend):
    case = magnet(energy, tmp_path)
    m = random_m(CELLS[::-1], 2) * holes()
    engine = measuring_engine(case, backend, m)
    B = sum(engine.term_field(name)[0] for name in engine.model.energy_names)
    volume, Ms = case.mesh.cell_volume, engine.model.Ms[0]
    v = cross(m, np.random.default_rng(3).normal(size=m.shape))

    def energy_of(angle: float) -> float:
        engine.set_m(m + angle * v)
        return float(engine.measure().energies[0].sum())

    slopes = [(energy_of(h) - energy_of(-h)) / (2 * h) for h in (4e-3, 2e-3)]
    slope = (4 * slopes[1] - slopes[0]) / 3
    scale = volume * (Ms * np.abs(B * v).sum(axis=0)).sum()
    assert slope == pytest.approx(-volume * (Ms * (B * v).sum(axis=0)).sum(), abs=1e-8 * scale)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_ghosts_satisfy_the_condition_at_both_ends(axis, backend):
    # A row of two cells, all along one direction: what exchange feels is only the ghosts' doing.
    cells, a = [1, 1, 1], CELL_SIZE[axis]
    cells[axis] = 2
    m = np.broadcast_to(np.array([0.48, 0.6, 0.64]).reshape(3, 1, 1, 1), (3, *cells[::-1]))
    d = np.array([[1.0, -2.0, 0.5], [0.3, 1.0, 2.0], [-1.0, 0.7, 0.4]]) * 1e-3
    energy = {"exchange": {"A": A}, "dmi": dict(zip(("Dx", "Dy", "Dz"), d.tolist(), strict=True))}
    case = magnet(
        energy,
        mesh={"cells": cells, "cell_size": CELL_SIZE},
        regions={},
        material={"Ms": MS, "alpha": 0},
    )
    engine = measuring_engine(case, backend, m)
    B = engine.term_field("exchange")[0].reshape(3, 2)
    m_0 = m.reshape(3, 2)[:, 0]
    for end, outward in ((0, -1), (1, 1)):
        slope = outward * np.cross(m_0, d[axis]) / (2 * A)
        np.testing.assert_allclose(B[:, end], 2 * A / MS * slope / a, rtol=1e-9)


def test_means_between_regions(backend):
    # e = D m_i.(m_j x z) for the bond from i to j along x, half of it in each cell.
    m = np.array([[1.0, 0], [0, 1], [0, 0]]).reshape(3, 1, 1, 2)

    def bond(D: dict[str, float]) -> float:
        case = magnet(
            {"dmi": {"Dx": {k: [0, 0, v] for k, v in D.items()}, "Dy": [0, 0, 0], "Dz": [0, 0, 0]}},
            mesh={"cells": [2, 1, 1], "cell_size": [1e-9] * 3},
            regions={"left": {"box": {"center": [-0.5e-9, 0, 0], "size": [1e-9, 1, 1]}}},
        )
        density = measuring_engine(case, backend, m).term_field("dmi")[1].ravel()
        assert density[0] == density[1]
        return 2 * density[0] * 1e-9

    assert bond({"default": 1e-3, "left": 1e-3}) == pytest.approx(1e-3)
    assert bond({"default": 1e-3, "left": 3e-3}) == pytest.approx(1.5e-3)
    assert bond({"default": -1e-3, "left": -3e-3}) == pytest.approx(-1.5e-3)
    assert bond({"default": 1e-3, "left": -3e-3}) == 0
    assert bond({"default": 1e-3, "left": 0.0}) == 0
    assert bond({"default": 1e-3, "left": -3e-3, "default:left": -2e-3}) == pytest.approx(-2e-3)


def test_without_exchange_surfaces_are_left_out(tmp_path, backend):
    m = random_m(CELLS[::-1], 4)
    rates = [
        rate(magnet({"bulk_dmi": {"D": D, "boundary": boundary}}, tmp_path), backend, m)
        for boundary in ("natural", "open")
    ]
    assert np.array_equal(*rates)
    assert np.abs(rates[0]).max() > 1e9


def test_a_cell_without_neighbours_along_an_axis_is_not_twisted(backend):
    m = random_m((1, 1, 1), 6)
    case = magnet(
        {"exchange": {"A": A}, "bulk_dmi": {"D": D}},
        mesh={"cells": [1, 1, 1], "cell_size": CELL_SIZE},
        regions={},
        material={"Ms": MS, "alpha": 0},
    )
    engine = measuring_engine(case, backend, m)
    for name in ("exchange", "bulk_dmi"):
        B, e = engine.term_field(name)
        assert np.abs(B).max() < 1e-15 and np.abs(e).max() < 1e-9


def test_kernels_without_a_twist_are_free_of_it():
    text = {
        key: Model([magnet({"exchange": {"A": A}, **more})]).kernel_text("observables.cu")
        for key, more in (("without", {}), ("with", {"interfacial_dmi": {"D": D}}))
    }
    assert "#define TWISTS 1" in text["with"] and "twist_surfaces(Site& s" in text["with"]
    assert "#define TWISTS 1" not in text["without"]
    assert "twist_surfaces(Site& s" not in text["without"]


@pytest.mark.parametrize(
    ("term", "kind", "better"),
    [
        ({"interfacial_dmi": {"D": D}}, "neel", "left"),
        ({"interfacial_dmi": {"D": -D}}, "neel", "right"),
        ({"bulk_dmi": {"D": D}}, "bloch", "right"),
        ({"bulk_dmi": {"D": -D}}, "bloch", "left"),
    ],
)
@pytest.mark.parametrize("polarity", [1, -1])
def test_skyrmions_have_the_handedness_that_their_recipe_names(term, kind, better, polarity):
    found = {}
    for handedness in ("left", "right"):
        recipe = {"kind": kind, "handedness": handedness, "polarity": polarity}
        case = config(
            mesh={"cells": [40, 40, 1], "cell_size": [1e-9] * 3},
            energy=term,
            initial={"skyrmion": recipe},
        )
        m = case.initial.magnetization(case.mesh, np.random.default_rng(0))
        engine: Engine = measuring_engine(case, get_backend("cpu"), m)
        found[handedness] = float(engine.measure().energies[0, 0])
    assert min(found, key=lambda name: found[name]) == better
