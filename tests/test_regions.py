"""Regions, interfaces, holes, and magnets with thousands of grains, against NumPy."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from formulas import Magnet, exchange, uniaxial_anisotropy
from magnets import GAMMA, advance, config, measuring_engine, random_m, rate, stepper

from micromag.errors import ConfigError
from micromag.integrators.clock import Status
from micromag.model import Model

A0 = 1e-11
CHAIN = {"cells": [8, 1, 1], "cell_size": [2e-9, 2e-9, 2e-9]}
RIGHT_HALF = {"box": {"center": [4e-9, 0, 0], "size": [8e-9, 2e-9, 2e-9]}}


def labelled(numbers: np.ndarray, tmp_path: Any) -> dict[str, Any]:
    """Return regions ``r1``, ``r2``, ... where an array of cells has these numbers."""
    regions = {}
    for number in range(1, int(numbers.max()) + 1):
        path = tmp_path / f"region_{number}.npy"
        np.save(path, numbers == number)
        regions[f"r{number}"] = {"file": str(path)}
    return regions


def exchange_field(m: np.ndarray, backend: Any, **sections: Any) -> np.ndarray:
    return measuring_engine(config(**sections), backend, m).term_field("exchange")[0]


# -------------------------------------------------------------------------------------- interfaces


def test_the_harmonic_mean_acts_between_two_regions(backend):
    m = random_m((1, 1, 8), seed=1)
    stiffness = {"default": 1e-11, "right": 3e-12}
    B = exchange_field(
        m,
        backend,
        mesh=CHAIN,
        regions={"right": RIGHT_HALF},
        material={"Ms": {"default": 8e5, "right": 4e5}, "alpha": 0.1},
        energy={"exchange": {"A": stiffness}},
    )
    between = 2 * 1e-11 * 3e-12 / (1e-11 + 3e-12)
    faces = [1e-11] * 3 + [between] + [3e-12] * 3
    expected = np.zeros((3, 8))
    for i, A in enumerate(faces):
        change = 2 * A / (2e-9) ** 2 * (m[:, 0, 0, i + 1] - m[:, 0, 0, i])
        expected[:, i] += change / (8e5 if i < 4 else 4e5)
        expected[:, i + 1] -= change / (8e5 if i + 1 < 4 else 4e5)
    assert np.allclose(B[:, 0, 0], expected, rtol=1e-13)


@pytest.mark.parametrize("pair", ["default:right", "right:default"])
@pytest.mark.parametrize("value", [0.0, 7e-12, -4e-12])
def test_a_value_for_a_pair_replaces_the_mean(pair, value, backend):
    m = random_m((1, 1, 8), seed=2)
    B, plain = (
        exchange_field(
            m,
            backend,
            mesh=CHAIN,
            regions={"right": RIGHT_HALF},
            energy={"exchange": {"A": {"default": A0, "right": 2e-11} | more}},
        )[:, 0, 0]
        for more in ({pair: value}, {pair: 0.0})
    )
    coupling = 2 * value / 8e5 / (2e-9) ** 2 * (m[:, 0, 0, 4] - m[:, 0, 0, 3])
    assert np.allclose(B[:, 3] - plain[:, 3], coupling, atol=1e-12)
    assert np.allclose(B[:, 4] - plain[:, 4], -coupling, atol=1e-12)
    others = [0, 1, 2, 5, 6, 7]
    assert np.array_equal(B[:, others], plain[:, others])


def test_a_negative_pair_couples_two_regions_antiparallel(backend):
    made = stepper(
        config(
            mesh=CHAIN,
            regions={"right": RIGHT_HALF},
            material={"Ms": 8e5, "alpha": 0.5},
            energy={
                "exchange": {"A": {"default": A0, "right": A0, "default:right": -5e-12}},
                "uniaxial_anisotropy": {"Ku1": 1e5, "axis": "+z"},
            },
        ),
        backend,
        random_m((1, 1, 8), seed=15),
        "rk23",
        relax=True,
    )
    made.steps(1000)
    m = made.engine.m()[2, 0, 0]
    assert (m[:4] * m[4:]).max() < -0.95


def test_random_regions_and_pairs_follow_the_formula(tmp_path, backend):
    rng = np.random.default_rng(4)
    shape = (3, 5, 6)
    numbers = rng.integers(0, 4, size=shape)
    names = ["default", "r1", "r2", "r3"]
    A = np.array([1.3e-11, 4e-12, 9e-12, 2e-12])
    pairs = {("r1", "r3"): 1e-12, ("default", "r2"): -3e-12, ("r2", "r3"): 0.0}
    given = dict(zip(names, A.tolist(), strict=True))
    given |= {f"{a}:{b}": value for (a, b), value in pairs.items()}
    m = random_m(shape, seed=5)
    settings = {
        "mesh": {"cells": [6, 5, 3], "cell_size": [2e-9, 3e-9, 4e-9], "periodic": [0, 1, 0]},
        "regions": labelled(numbers, tmp_path),
        "energy": {"exchange": {"A": given}},
    }
    B = exchange_field(m, backend, **settings)
    coded = {(names.index(a), names.index(b)): value for (a, b), value in pairs.items()}
    magnet = Magnet(
        np.full(shape, 8e5), GAMMA, (2e-9, 3e-9, 4e-9), (0, 1, 0), numbers, {"A": coded}
    )
    expected = exchange.field(m, SimpleNamespace(A=A[numbers]), magnet)
    assert np.allclose(B, expected, atol=1e-12 * np.abs(expected).max())


def test_a_region_without_stiffness_is_decoupled(backend):
    m = random_m((1, 1, 8), seed=3)
    B = exchange_field(
        m,
        backend,
        mesh=CHAIN,
        regions={"right": RIGHT_HALF},
        energy={"exchange": {"A": {"default": A0, "right": 0}}},
    )[:, 0, 0]
    alone = exchange_field(
        m[..., :4], backend, mesh=CHAIN | {"cells": [4, 1, 1]}, energy={"exchange": {"A": A0}}
    )[:, 0, 0]
    assert (B[:, 4:] == 0).all()
    assert np.allclose(B[:, :4], alone, rtol=1e-13)


# ------------------------------------------------------------------------------------------- grains


def grains(count: int, width: int) -> tuple[dict[str, Any], np.ndarray, dict[str, Any]]:
    """Return a mesh of ``count`` times ``count`` square grains, their numbers and their shapes."""
    a, n = 2e-9, count * width
    regions, numbers = {}, np.zeros((1, n, n), int)
    for j in range(count):
        for i in range(count):
            centre = [(i + 0.5) * width * a - n * a / 2, (j + 0.5) * width * a - n * a / 2, 0]
            regions[f"g{j}-{i}"] = {"box": {"center": centre, "size": [width * a, width * a, a]}}
            numbers[0, j * width : (j + 1) * width, i * width : (i + 1) * width] = len(regions)
    return {"cells": [n, n, 1], "cell_size": [a, a, a]}, numbers, regions


@pytest.mark.parametrize("count", [17, 100])
def test_thousands_of_grains_have_parameters_of_their_own(count, backend):
    """17 x 17 grains are more than a byte can number."""
    mesh, numbers, regions = grains(count, 2)
    rng = np.random.default_rng(6)
    total = len(regions) + 1
    Ku1, A = rng.uniform(1e5, 5e5, total), rng.uniform(5e-12, 2e-11, total)
    Ms, axis = rng.uniform(4e5, 9e5, total), rng.normal(size=(total, 3))
    axis /= np.sqrt((axis**2).sum(axis=1))[:, None]
    names = ["default", *regions]

    def by_name(values: np.ndarray) -> dict[str, Any]:
        return dict(zip(names, values.tolist(), strict=True))

    pairs = {}
    for j in range(count):
        for i in range(count - 1):
            pairs[f"g{j}-{i}", f"g{j}-{i + 1}"] = rng.uniform(0, 5e-12)
            pairs[f"g{i + 1}-{j}", f"g{i}-{j}"] = rng.uniform(0, 5e-12)
    run = config(
        mesh=mesh,
        regions=regions,
        material={"Ms": by_name(Ms), "alpha": 0.1},
        energy={
            "exchange": {"A": by_name(A) | {":".join(pair): v for pair, v in pairs.items()}},
            "uniaxial_anisotropy": {"Ku1": by_name(Ku1), "axis": by_name(axis)},
        },
    )
    m = random_m(numbers.shape, seed=7)
    engine = measuring_engine(run, backend, m)
    place = {name: i for i, name in enumerate(names)}
    coded = {(place[a], place[b]): v for (a, b), v in pairs.items()}
    magnet = Magnet(Ms[numbers], GAMMA, (2e-9, 2e-9, 2e-9), (0, 0, 0), numbers, {})
    p = SimpleNamespace(Ku1=Ku1[numbers], Ku2=None, axis=np.moveaxis(axis[numbers], -1, 0))
    expected = uniaxial_anisotropy.field(m, p, magnet)
    assert np.allclose(engine.term_field("uniaxial_anisotropy")[0], expected, rtol=1e-11)
    assert np.allclose(
        engine.term_field("exchange")[0],
        _exchange_of_grains(m, A[numbers], Ms[numbers], numbers, coded),
        atol=1e-10,
    )


def _exchange_of_grains(
    m: np.ndarray, A: np.ndarray, Ms: np.ndarray, numbers: np.ndarray, pairs: dict[Any, float]
) -> np.ndarray:
    """Return the exchange field of one layer, face by face."""
    B = np.zeros_like(m)
    n = m.shape[-1]
    for j in range(n):
        for i in range(n):
            for y, x in ((j, i + 1), (j + 1, i)):
                if y == n or x == n:
                    continue
                here, there = numbers[0, j, i], numbers[0, y, x]
                mean = 2 * A[0, j, i] * A[0, y, x] / (A[0, j, i] + A[0, y, x])
                stiffness = pairs.get((here, there), pairs.get((there, here), mean))
                change = 2 * stiffness / (2e-9) ** 2 * (m[:, 0, y, x] - m[:, 0, j, i])
                B[:, 0, j, i] += change / Ms[0, j, i]
                B[:, 0, y, x] -= change / Ms[0, y, x]
    return B


def test_a_value_per_region_is_the_same_as_one_per_cell(tmp_path, backend):
    rng = np.random.default_rng(8)
    numbers = rng.integers(0, 3, size=(2, 4, 7))
    m = random_m(numbers.shape, seed=9)
    rates = []
    for by_cell in (False, True):

        def given(*values: float, by_cell: bool = by_cell) -> Any:
            if by_cell:
                return np.array(values)[numbers]
            return dict(zip(["default", "r1", "r2"], values, strict=True))

        run = config(
            mesh={"cells": [7, 4, 2], "cell_size": [2e-9, 3e-9, 4e-9]},
            regions=labelled(numbers, tmp_path),
            material={"Ms": given(8e5, 5e5, 0.0), "alpha": given(0.1, 0.5, 0.2)},
            energy={
                "exchange": {"A": given(1e-11, 2e-12, 5e-12)},
                "uniaxial_anisotropy": {"Ku1": given(3e5, -1e5, 0), "axis": "+x"},
                "demag": {},
            },
        )
        rates.append(rate(run, backend, m))
    assert np.allclose(*rates, rtol=1e-12, atol=1e-10 * np.abs(rates[0]).max())
    assert (rates[0][:, numbers == 2] == 0).all()


def test_later_regions_win_where_they_overlap():
    everywhere = {"box": {}}
    model = Model([config(mesh=CHAIN, regions={"all": everywhere, "right": RIGHT_HALF})])
    assert model.region[0, 0].tolist() == [1] * 4 + [2] * 4
    model = Model([config(mesh=CHAIN, regions={"right": RIGHT_HALF, "all": everywhere})])
    assert model.region[0, 0].tolist() == [2] * 8


# -------------------------------------------------------------------------------------------- holes


def test_a_gap_decouples_what_it_separates(tmp_path, backend):
    gap = np.ones((1, 1, 8), bool)
    gap[..., 4] = False
    np.save(tmp_path / "gap.npy", gap)
    sections = {
        "mesh": CHAIN,
        "geometry": {"file": str(tmp_path / "gap.npy")},
        "energy": {"exchange": {"A": A0}},
        "torques": {"zhang_li": {"u": [100, 0, 0], "beta": 0.1}},
    }
    m = random_m((1, 1, 8), seed=10)
    changed = m.copy()
    changed[..., 5:] = random_m((1, 1, 3), seed=11)
    one, other = (rate(config(**sections), backend, state) for state in (m, changed))
    assert (one[..., :4] == other[..., :4]).all()
    assert (one[..., 4] == 0).all() and (one[..., 5:] != other[..., 5:]).any()
    alone = config(**sections | {"mesh": CHAIN | {"cells": [4, 1, 1]}, "geometry": {"box": {}}})
    assert np.allclose(one[..., :4], rate(alone, backend, m[..., :4]), rtol=1e-12)


@pytest.mark.parametrize("how", ["geometry", "region", "cells"])
def test_empty_cells_stay_empty_and_do_not_count(how, tmp_path, backend):
    hole = np.zeros((1, 9, 11), bool)
    hole[0, 3:6, 4:9] = True
    hole[0, 0, 0] = hole[0, :, -1] = True
    np.save(tmp_path / "filled.npy", ~hole)
    np.save(tmp_path / "hole.npy", hole)
    sections: dict[str, Any] = {
        "mesh": {"cells": [11, 9, 1], "cell_size": [3e-9, 3e-9, 3e-9]},
        "material": {"Ms": 8e5, "alpha": 0.3},
        "energy": {"exchange": {"A": A0}, "demag": {}, "zeeman": {"B": [0, 0, 0.2]}},
    }
    if how == "geometry":
        sections["geometry"] = {"file": str(tmp_path / "filled.npy")}
    elif how == "region":
        sections["regions"] = {"hole": {"file": str(tmp_path / "hole.npy")}}
        sections["material"]["Ms"] = {"default": 8e5, "hole": 0}
    else:
        sections["material"]["Ms"] = np.where(hole, 0, 8e5)
    m = random_m(hole.shape, seed=12)
    made = stepper(config(**sections), backend, m)
    advance(made, 2e-11)
    assert made.engine.status() == [Status.WAITING]
    final = made.engine.m()
    assert (final[:, hole] == 0).all()
    assert np.allclose((final[:, ~hole] ** 2).sum(axis=0), 1, atol=1e-14)
    measured = made.engine.measure()
    assert np.allclose(measured.m[0], final[:, ~hole].mean(axis=1), atol=1e-14)
    zeeman = made.engine.model.energy_names.index("zeeman")
    expected = -8e5 * 0.2 * 27e-27 * final[2].sum()
    assert measured.energies[0, zeeman] == pytest.approx(expected, rel=1e-12)


def test_the_three_ways_to_make_a_hole_are_one(tmp_path, backend):
    hole = np.random.default_rng(13).random((2, 5, 6)) < 0.3
    np.save(tmp_path / "filled.npy", ~hole)
    np.save(tmp_path / "hole.npy", hole)
    common: dict[str, Any] = {
        "mesh": {"cells": [6, 5, 2], "cell_size": [3e-9, 3e-9, 3e-9]},
        "energy": {"exchange": {"A": A0}, "demag": {}},
    }
    regions = {"hole": {"file": str(tmp_path / "hole.npy")}}
    ways = [
        {"geometry": {"file": str(tmp_path / "filled.npy")}},
        {"regions": regions, "material": {"Ms": {"default": 8e5, "hole": 0}, "alpha": 0.1}},
        {"material": {"Ms": np.where(hole, 0, 8e5), "alpha": 0.1}},
    ]
    m = random_m(hole.shape, seed=14)
    rates = [rate(config(**common, **way), backend, m) for way in ways]
    for other in rates[1:]:
        assert np.allclose(other, rates[0], rtol=1e-12, atol=1e-9 * np.abs(rates[0]).max())


def test_a_magnet_without_magnetic_cells_is_refused(tmp_path):
    np.save(tmp_path / "nothing.npy", np.zeros((1, 1, 8)))
    with pytest.raises(ConfigError, match="no cell is magnetic"):
        Model([config(mesh=CHAIN, geometry={"file": str(tmp_path / "nothing.npy")})])


def test_replicas_must_have_the_same_empty_cells():
    configs = [config(mesh=CHAIN, material={"Ms": np.full((1, 1, 8), 8e5), "alpha": 0.1})]
    Ms = np.full((1, 1, 8), 8e5)
    Ms[..., 3] = 0
    configs.append(config(mesh=CHAIN, material={"Ms": Ms, "alpha": 0.1}))
    with pytest.raises(ConfigError, match="which cells are empty"):
        Model(configs)
