"""Skyrmions, cores and topological charges against textures that were put there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from magnets import config, measuring_engine, merged, random_m
from numpy.typing import NDArray

from micromag.backend import get_backend
from micromag.config import RunConfig
from micromag.engine import Engine
from micromag.initial.skyrmion import Skyrmion
from micromag.observables import Sample, observable_of
from micromag.observables._textures import peak

H = 1e-9
FILM: dict[str, Any] = {"mesh": {"cells": [72, 64, 1], "cell_size": [H, H, H]}}
PERIODIC: dict[str, Any] = {"mesh": {"periodic": [1, 1, 0]}}
CHARGES = ("topological_charge", "topological_charge_fd")
SKYRMION = ("skyrmion_x", "skyrmion_y", "skyrmion_radius")
CORE = ("core_x", "core_y", "core_polarity")


def values(engine: Engine, *names: str) -> NDArray[Any]:
    """Return columns of the first replica."""
    sample = Sample(engine)
    return np.array([observable_of(name)().values(name, sample)[0, 0] for name in names])


def skyrmion(setup: RunConfig, **form: Any) -> NDArray[np.float64]:
    recipe = {"kind": "neel", "radius": 12e-9, "width": 3e-9, **form}
    rng = np.random.default_rng(1)
    return Skyrmion.model_validate(recipe).magnetization(setup.mesh, rng)


def vortex(
    setup: RunConfig, x0: float, y0: float, *, winding: int = 1, polarity: int = 1, w: float = 4e-9
) -> NDArray[np.float64]:
    """Return a vortex or antivortex with a Gaussian core."""
    x, y, z = setup.mesh.grid()
    x, y = x - x0 + 0 * (y + z), y - y0 + 0 * (x + z)
    m_z = np.exp(-(x**2 + y**2) / (2 * w**2))
    phi = winding * np.arctan2(y, x) + np.pi / 2
    across = np.sqrt(1 - m_z**2)
    return np.array([across * np.cos(phi), across * np.sin(phi), polarity * m_z])


def solid_angles(
    m: NDArray[np.float64], filled: NDArray[np.bool_], periodic: bool
) -> NDArray[np.float64]:
    """Return the lattice charge of every layer by the formula of Berg and Luescher."""

    def shifted(a: NDArray[Any], dy: int, dx: int) -> NDArray[Any]:
        return np.roll(a, (-dy, -dx), axis=(-2, -1))

    corners = [shifted(m, dy, dx) for dy, dx in ((0, 0), (0, 1), (1, 1), (1, 0))]
    whole = np.logical_and.reduce(
        [shifted(filled, dy, dx) for dy, dx in ((0, 0), (0, 1), (1, 1), (1, 0))]
    )
    if not periodic:
        whole = whole.copy()
        whole[:, -1], whole[:, :, -1] = False, False
    total = np.zeros(m.shape[1])
    for a, b, c in ((0, 1, 2), (0, 2, 3)):
        p, q, r = corners[a], corners[b], corners[c]
        triple = (p * np.cross(q, r, axis=0)).sum(axis=0)
        sides = 1 + (p * q).sum(axis=0) + (q * r).sum(axis=0) + (r * p).sum(axis=0)
        total += np.where(whole, 2 * np.arctan2(triple, sides), 0).sum(axis=(1, 2))
    return total / (4 * np.pi)


# -------------------------------------------------------------------- topological charge


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("periodic", [False, True])
def test_lattice_charge_of_any_texture_is_the_formula(backend, precision, periodic):
    """Random moments have large solid angles of both signs, small ones are in the other tests."""
    grid = {"mesh": {"cells": [19, 13, 3], "periodic": [int(periodic), int(periodic), 0]}}
    hole = {"difference": [{"box": {}}, {"cylinder": {"diameter": 5e-9}}]}
    setup = config(**merged(FILM, grid, {"precision": precision}), geometry=hole)
    engine = measuring_engine(setup, backend, random_m(setup.mesh.shape))
    m = engine.m().astype(np.float64)
    expected = solid_angles(m, engine.model.magnetic, periodic)
    layers = values(engine, *(f"topological_charge@z{k}" for k in range(3)))
    tolerance = 1e-12 if precision == "double" else 1e-6
    np.testing.assert_allclose(layers, expected, atol=tolerance)
    assert values(engine, "topological_charge")[0] == pytest.approx(expected.mean(), abs=tolerance)


@pytest.mark.parametrize(("precision", "tolerance"), [("single", 1e-7), ("double", 1e-12)])
def test_a_periodic_texture_has_a_whole_charge(backend, precision, tolerance):
    setup = config(**merged(FILM, PERIODIC, {"precision": precision}))
    # Smooth, but of no symmetry: three waves of different directions.
    x, y, _ = setup.mesh.grid()
    a, b = 2 * np.pi * x / (72 * H), 2 * np.pi * y / (64 * H)
    m = np.array([np.sin(a) + 0 * b, np.sin(b + 0.3) + 0 * a, np.cos(a) + np.cos(b) - 1.1])
    engine = measuring_engine(setup, backend, m)
    charge = values(engine, *CHARGES)
    assert abs(charge[0]) == pytest.approx(1, abs=tolerance)
    assert charge[1] == pytest.approx(charge[0], abs=0.02)
    # Shifted around the edges and turned in spin space it is the same texture.
    engine.set_m(np.roll(m, (31, 45), axis=(2, 3)))
    np.testing.assert_allclose(values(engine, *CHARGES), charge, atol=tolerance)
    turned, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    turned *= np.sign(np.linalg.det(turned))
    engine.set_m(np.einsum("ij,jzyx->izyx", turned, m))
    np.testing.assert_allclose(values(engine, *CHARGES), charge, atol=10 * tolerance)
    # Reversal in time reverses it.
    engine.set_m(-m)
    np.testing.assert_allclose(values(engine, *CHARGES), -charge, atol=tolerance)


def test_charges_of_the_textures_that_have_names(backend):
    setup = config(**FILM)
    engine = measuring_engine(setup, backend, skyrmion(setup, radius=8e-9, width=2e-9))
    mirror = np.array([1, -1, 1])[:, None, None, None]
    found = {"skyrmion": values(engine, *CHARGES)}
    engine.set_m(skyrmion(setup, radius=8e-9, width=2e-9) * mirror)
    found["antiskyrmion"] = values(engine, *CHARGES)
    left = skyrmion(setup, radius=6e-9, width=2e-9, center=(-16.4e-9, 2e-9, 0), polarity=1)
    right = skyrmion(setup, radius=6e-9, width=2e-9, center=(15.8e-9, 0, 0), polarity=1)
    engine.set_m(np.where(setup.mesh.grid()[0] < 0, left, right))
    found["two skyrmions"] = values(engine, *CHARGES)
    for winding in (1, -1):
        engine.set_m(vortex(setup, 3.2e-9, 0.6e-9, winding=winding, polarity=-1))
        found[f"vortex {winding}"] = values(engine, *CHARGES)
    engine.set_m(np.ones((3, 1, 64, 72)))
    found["uniform"] = values(engine, *CHARGES)
    expected = {"skyrmion": -1, "antiskyrmion": 1, "two skyrmions": 2, "uniform": 0}
    expected |= {"vortex 1": -0.5, "vortex -1": 0.5}
    for name, charge in expected.items():
        assert found[name][0] == pytest.approx(charge, abs=1e-3), name
        assert found[name][1] == pytest.approx(charge, abs=0.06 * max(1, abs(charge))), name


def test_differences_approach_the_charge_as_the_square_of_the_cell(backend):
    errors = []
    for n in (1, 2, 4):
        mesh = {"mesh": {"cells": [48 * n, 48 * n, 1], "cell_size": [2e-9 / n, 2e-9 / n, H]}}
        setup = config(**merged(FILM, mesh, PERIODIC))
        engine = measuring_engine(setup, backend, skyrmion(setup, radius=16e-9, width=5e-9))
        errors.append(values(engine, CHARGES[1])[0] + 1)
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.1)


def test_a_line_of_cells_has_no_charge(backend):
    setup = config(**merged(FILM, {"mesh": {"cells": [72, 1, 1]}}))
    engine = measuring_engine(setup, backend, random_m(setup.mesh.shape))
    assert np.isnan(values(engine, *CHARGES)).all()


# -------------------------------------------------------------------- skyrmions


@pytest.mark.parametrize("polarity", [-1, 1])
@pytest.mark.parametrize("center", [(0.0, 0.0), (3.37e-9, -5.12e-9), (-8.5e-9, 4.75e-9)])
def test_centre_and_radius_of_a_skyrmion(backend, polarity, center):
    setup = config(**FILM)
    m = skyrmion(setup, polarity=polarity, center=(*center, 0))
    found = values(measuring_engine(setup, backend, m), *SKYRMION)
    # The contour is a polygon of chords: hundredths of a cell.
    np.testing.assert_allclose(found / H, np.array([*center, 12e-9]) / H, atol=0.02)


def test_the_radius_is_good_to_the_square_of_the_cell(backend):
    errors = []
    for n in (1, 2, 4):
        mesh = {"mesh": {"cells": [32 * n, 32 * n, 1], "cell_size": [2e-9 / n, 2e-9 / n, H]}}
        setup = config(**merged(FILM, mesh))
        found = values(measuring_engine(setup, backend, skyrmion(setup)), "skyrmion_radius")[0]
        errors.append(abs(found - 12e-9) / 12e-9)
    assert errors[0] < 4e-3
    assert errors[0] / errors[2] > 10


def test_a_skyrmion_on_the_edge_of_a_periodic_mesh_is_whole(backend):
    setup = config(**merged(FILM, PERIODIC))
    m = skyrmion(setup, center=(2.3e-9, -1.4e-9, 0))
    engine = measuring_engine(setup, backend, m)
    x, y, radius = values(engine, *SKYRMION)
    engine.set_m(np.roll(m, (32, 36), axis=(2, 3)))
    moved = values(engine, *SKYRMION)
    np.testing.assert_allclose(moved, [x - 36 * H, y + 32 * H, radius], atol=1e-6 * H)


def test_a_skyrmion_that_fills_most_of_a_disc(backend):
    """The surroundings are told by the rim of the magnet, not by the majority."""
    setup = config(**FILM, geometry={"cylinder": {"diameter": 60e-9}})
    m = skyrmion(setup, radius=24e-9, width=2e-9, center=(1e-9, 0.5e-9, 0))
    assert m[2][setup.geometry.mask(setup.mesh)].mean() < -0.2
    found = values(measuring_engine(setup, backend, m), *SKYRMION)
    np.testing.assert_allclose(found / H, [1, 0.5, 24], atol=0.02)


def test_layers_of_a_skyrmion(backend):
    setup = config(**merged(FILM, {"mesh": {"cells": [72, 64, 2]}}))
    m = skyrmion(setup, center=(4e-9, 0, 0))
    m[:, 1] = skyrmion(setup, radius=8e-9, center=(-2e-9, 3e-9, 0))[:, 1]
    engine = measuring_engine(setup, backend, m)
    names = [f"{name}@z{k}" for k in (0, 1) for name in SKYRMION]
    np.testing.assert_allclose(values(engine, *names) / H, [4, 0, 12, -2, 3, 8], atol=0.03)
    # Layers together count by their areas.
    areas = np.array([144, 64])
    mean = (areas @ [[4, 0], [-2, 3]]) / areas.sum()
    together = values(engine, *SKYRMION) / H
    np.testing.assert_allclose(together, [*mean, np.sqrt(areas.mean())], atol=0.03)


def test_a_region_has_skyrmions_and_charges_of_its_own(backend):
    regions = {"right": {"box": {"center": [18e-9, 0, 0], "size": [36e-9, 1, 1]}}}
    setup = config(**FILM, regions=regions)
    form = {"radius": 6e-9, "width": 2e-9}
    left = skyrmion(setup, center=(-17e-9, 1e-9, 0), **form)
    right = skyrmion(setup, center=(16e-9, 2e-9, 0), **form)
    engine = measuring_engine(setup, backend, np.where(setup.mesh.grid()[0] < 0, left, right))
    names = [f"{name}@right" for name in (*SKYRMION, "topological_charge")]
    found = values(engine, *names) / [H, H, H, 1]
    np.testing.assert_allclose(found, [16, 2, 6, -1], atol=0.03)
    assert values(engine, "skyrmion_x@default")[0] == pytest.approx(-17e-9, abs=0.03 * H)


@pytest.mark.parametrize("direction", [[0, 0, 1], [1, 0, 0]])
def test_a_uniform_film_has_no_skyrmion(backend, direction):
    setup = config(**FILM)
    m = np.array(direction)[:, None, None, None] * np.ones((3, 1, 64, 72))
    assert np.isnan(values(measuring_engine(setup, backend, m), *SKYRMION)).all()


# -------------------------------------------------------------------- cores


@pytest.mark.parametrize("polarity", [-1, 1])
@pytest.mark.parametrize("w", [2e-9, 4e-9])
def test_place_and_polarity_of_a_core(backend, polarity, w):
    setup = config(**FILM, precision="single")
    for x, y in ((0.0, 0.0), (3.37e-9, -5.12e-9), (-0.5e-9, 0.5e-9), (7.2e-9, 2.9e-9)):
        m = vortex(setup, x, y, polarity=polarity, w=w)
        found = values(measuring_engine(setup, backend, m), *CORE)
        np.testing.assert_allclose(found[:2] / H, [x / H, y / H], atol=0.01)
        assert found[2] == polarity


def test_cores_of_layers_are_averaged(backend):
    setup = config(**merged(FILM, {"mesh": {"cells": [72, 64, 2]}}))
    m = vortex(setup, 4.3e-9, 0)
    m[:, 1] = vortex(setup, -1.1e-9, 2.6e-9, polarity=-1)[:, 1]
    engine = measuring_engine(setup, backend, m)
    names = [f"{name}@z{k}" for k in (0, 1) for name in CORE]
    found = values(engine, *names) / [H, H, 1, H, H, 1]
    np.testing.assert_allclose(found, [4.3, 0, 1, -1.1, 2.6, -1], atol=0.01)
    found = values(engine, *CORE) / [H, H, 1]
    np.testing.assert_allclose(found, [1.6, 1.3, 0], atol=0.01)


def test_a_core_at_the_edge_is_in_the_middle_of_its_cell(backend):
    setup = config(**FILM)
    engine = measuring_engine(setup, backend, vortex(setup, -36e-9, 3.4e-9))
    x, y, _ = values(engine, *CORE)
    assert x == pytest.approx(-35.5e-9, abs=1e-6 * H)
    assert y == pytest.approx(3.4e-9, abs=0.02 * H)


def test_a_core_across_a_periodic_edge(backend):
    setup = config(**merged(FILM, PERIODIC))
    m = vortex(setup, 0.3e-9, 0.8e-9)
    engine = measuring_engine(setup, backend, m)
    x, y, _ = values(engine, *CORE)
    engine.set_m(np.roll(m, (32, 36), axis=(2, 3)))
    moved = values(engine, *CORE)
    away = (moved[:2] - [x, y]) / ([72 * H, 64 * H])
    np.testing.assert_allclose(np.abs(away), 0.5, atol=1e-9)


def test_without_a_core_its_columns_are_nan(backend):
    setup = config(**FILM)
    m = np.ones((3, 1, 64, 72)) * np.array([1, 0, 0.3])[:, None, None, None]
    assert np.isnan(values(measuring_engine(setup, backend, m), *CORE)).all()


@pytest.mark.parametrize("slope", [1e-3, -1e-3])
def test_a_maximum_that_is_none_lies_in_its_cell(slope):
    x = np.arange(-1, 2)
    ridge = 0.9 + slope * np.add.outer(x, x) ** 2 + 0 * slope
    assert np.abs(peak(ridge)).max() <= 1


# ----------------------------------------------------------------------------- mean of a part


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_the_mean_of_a_region_and_of_a_layer(device, request):
    backend = request.getfixturevalue("cuda_backend") if device == "cuda" else get_backend("cpu")
    disc = {"cylinder": {"diameter": 14e-9}}
    setup = config(
        mesh={"cells": [12, 16, 3], "cell_size": [H, H, H]},
        geometry=disc,
        regions={"right": {"strip": {"normal": "x", "from": 2e-9}}},
    )
    m = random_m(setup.mesh.shape)
    x, y, _ = setup.mesh.grid()
    inside = np.broadcast_to(x**2 + y**2 < (7e-9) ** 2, setup.mesh.shape)
    right = inside & np.broadcast_to(x > 2e-9, setup.mesh.shape)
    sample = Sample(measuring_engine(setup, backend, m))
    top = inside & (np.arange(3)[:, None, None] == 2)
    for name, part in (("m@right", right), ("m@z2", top), ("m@default", inside & ~right)):
        observable = observable_of(name)()
        found = observable.values(name, sample)
        np.testing.assert_allclose(found[0], m[:, part].mean(axis=1), atol=1e-6)
        where = name[1:]
        assert [c.name for c in observable.columns(name, [])] == [f"m_{a}{where}" for a in "xyz"]
    np.testing.assert_allclose(
        observable_of("m")().values("m", sample)[0], m[:, inside].mean(axis=1), atol=1e-6
    )
