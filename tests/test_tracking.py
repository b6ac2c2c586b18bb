"""Columns of a domain wall against walls that were put there, and the wall that is followed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from magnets import GAMMA, advance, config, measuring_engine, merged, stepper
from numpy.typing import NDArray
from pydantic import ValidationError

from micromag.backend import Backend, get_backend
from micromag.engine import Engine
from micromag.observables import Sample, observable_of
from micromag.observables._walls import Trail, find_walls, match

H = 2e-9
DELTA = 5e-9
A, KU, MS, ALPHA = 1.25e-11, 5e5, 8e5, 0.1
COLUMNS = ("wall_position", "wall_width", "wall_tilt", "wall_angle", "wall_velocity")
STRIP: dict[str, Any] = {
    "mesh": {"cells": [128, 12, 1], "cell_size": [H, H, H]},
    "material": {"Ms": MS, "alpha": ALPHA},
    "energy": {
        "exchange": {"A": A},
        "uniaxial_anisotropy": {"Ku1": KU, "axis": "+z"},
        "zeeman": {"B": [0, 0, 0]},
    },
    "torques": {"zhang_li": {"u": [100, 0, 0], "beta": ALPHA}},
}


def wall(
    mesh: Any, q: float, *, tilt: float = 0.0, phi: float = 0.0, axis: int = 2, width: float = DELTA
) -> NDArray[np.float64]:
    """Return a tanh wall between domains along an axis, the first along its positive side."""
    x, y, z = mesh.grid()
    s = (x - q - np.tan(tilt) * y) * np.cos(tilt) / width + 0 * z
    first, second = {2: (0, 1), 0: (1, 2), 1: (0, 2)}[axis]
    m = np.empty((3, *mesh.shape))
    m[axis] = -np.tanh(s)
    m[first], m[second] = np.cos(phi) / np.cosh(s), np.sin(phi) / np.cosh(s)
    return m


def values(engine: Engine, *names: str, memory: dict[Any, Any] | None = None) -> NDArray[Any]:
    """Return columns of one sample, shape ``(column, replica)``."""
    sample = Sample(engine, memory)
    return np.stack([observable_of(name)().values(name, sample)[:, 0] for name in names])


# -------------------------------------------------------------------- one wall


@pytest.mark.parametrize("axis", [2, 0, 1])
@pytest.mark.parametrize(
    ("q", "tilt", "phi"),
    [(0.0, 0.0, 0.0), (0.73e-9, 0.0, np.pi / 2), (-31.2e-9, 0.3, -2.5), (60e-9, -0.6, 1.0)],
)
def test_place_width_tilt_and_angle_of_a_wall_are_found_exactly(backend, axis, q, tilt, phi):
    setup = config(**STRIP)
    engine = measuring_engine(setup, backend, wall(setup.mesh, q, tilt=tilt, phi=phi, axis=axis))
    found = values(engine, *COLUMNS[:4])[:, 0]
    # But for what the domains differ from +-1 at the ends of the strip.
    np.testing.assert_allclose(found[:2] / H, [q / H, DELTA / H], atol=1e-6)
    np.testing.assert_allclose(found[2:], [tilt, phi], atol=1e-6)


@pytest.mark.parametrize("width", [1e-9, 2e-9, 12e-9])
def test_narrow_and_wide_walls_between_the_cells(backend, width):
    setup = config(**merged(STRIP, {"precision": "single"}))
    for q in np.linspace(-1e-9, 1e-9, 7):
        engine = measuring_engine(setup, backend, wall(setup.mesh, q, width=width))
        found = values(engine, *COLUMNS[:2])[:, 0]
        # Single precision; the narrowest wall has two cells with m_z different from one.
        np.testing.assert_allclose(found, [q, width], atol=2e-3 * H)


def test_a_wall_of_no_width_is_placed_between_its_cells(backend):
    setup = config(**STRIP)
    m = np.zeros((3, *setup.mesh.shape))
    m[2] = np.where(setup.mesh.grid()[0] < 4e-9, 1, -1)
    position, _, tilt, angle, speed = values(measuring_engine(setup, backend, m), *COLUMNS)[:, 0]
    assert position == pytest.approx(4e-9, abs=1e-12)
    assert tilt == pytest.approx(0, abs=1e-12)
    assert np.isnan(angle)  # nothing lies across the domains
    assert speed == pytest.approx(0, abs=1e-3)


def test_a_bent_wall_is_not_wider_for_it(backend):
    setup = config(**STRIP)
    x, y, z = setup.mesh.grid()
    bow = 8e-9 * (y / 12e-9) ** 2
    s = (x - bow) / DELTA + 0 * z
    m = np.array([1 / np.cosh(s), 0 * s, -np.tanh(s)])
    position, width, tilt = values(measuring_engine(setup, backend, m), *COLUMNS[:3])[:, 0]
    assert position == pytest.approx(bow.mean(), abs=1e-15)
    assert width == pytest.approx(DELTA, rel=1e-9)
    assert tilt == pytest.approx(0, abs=1e-9)


def test_canted_domains_and_opposite_order_are_no_matter(backend):
    setup = config(**STRIP)
    upright = wall(setup.mesh, 5.3e-9, phi=0.4)
    for sign in (1, -1):
        m = upright * [[[[1]]], [[[1]]], [[[sign]]]]
        m[1] += 0.05 * np.abs(m[2])  # what a field along y does to both domains
        engine = measuring_engine(setup, backend, m)
        position, angle = values(engine, "wall_position", "wall_angle")[:, 0]
        assert position == pytest.approx(5.3e-9, abs=1e-3 * H)
        assert angle == pytest.approx(0.4, abs=0.05)


def test_one_row_has_no_tilt(backend):
    setup = config(**merged(STRIP, {"mesh": {"cells": [128, 1, 1]}}))
    found = values(measuring_engine(setup, backend, wall(setup.mesh, 1e-9)), *COLUMNS)[:, 0]
    assert np.isnan(found[2])
    assert np.isfinite(found[[0, 1, 3, 4]]).all()


@pytest.mark.parametrize("state", ["uniform", "same ends", "in the plane", "short"])
def test_without_a_wall_all_columns_are_nan(backend, state):
    cells = [3, 12, 1] if state == "short" else [128, 12, 1]
    setup = config(**merged(STRIP, {"mesh": {"cells": cells}}))
    m = wall(setup.mesh, 0)
    if state == "uniform":
        m = np.zeros_like(m)
        m[0], m[2] = 0.6, 0.8
    elif state == "same ends":  # a ripple that changes no sign
        m[2] = 0.8 + 0.1 * m[2]
    elif state == "in the plane":
        m = np.zeros_like(m)
        m[0] = 1
    assert np.isnan(values(measuring_engine(setup, backend, m), *COLUMNS)).all()


# -------------------------------------------------------------------- velocity


@pytest.mark.parametrize("q", [0.0, 0.3e-9, 1e-9, 20.7e-9])
@pytest.mark.parametrize("phi", [0.0, 1.2])
def test_a_rigid_wall_has_the_drift_velocity(backend, q, phi):
    setup = config(**STRIP)
    engine = measuring_engine(setup, backend, wall(setup.mesh, q, phi=phi))
    # The central difference of the Zhang-Li torque takes h^2/6 Delta^2 off.
    expected = 100 * (1 - H**2 / (6 * DELTA**2))
    assert values(engine, "wall_velocity")[0, 0] == pytest.approx(expected, rel=2e-3)


def test_velocity_of_a_wall_in_a_field_is_that_of_the_two_equations(backend):
    """(1 + alpha^2) q'/Delta = h sin 2 phi + u/Delta + alpha (gamma B + beta u/Delta), h = 0."""
    fine = {"mesh": {"cells": [512, 2, 1], "cell_size": [0.5e-9, 2e-9, 2e-9]}}
    B, u, beta = -0.02, 30.0, 0.4
    torques = {"zhang_li": {"u": [u, 0, 0], "beta": beta}}
    drives = {"energy": {"zeeman": {"B": [0, 0, B]}}, "torques": torques}
    setup = config(**merged(STRIP, fine, drives))
    engine = measuring_engine(setup, backend, wall(setup.mesh, 0.2e-9, phi=0.5))
    # The domain along +z is on the left: B along -z moves the wall to -x.
    drive = GAMMA * B + beta * u / DELTA
    expected = DELTA * (u / DELTA + ALPHA * drive) / (1 + ALPHA**2)
    assert values(engine, "wall_velocity")[0, 0] == pytest.approx(expected, rel=3e-3)


def test_the_velocity_is_the_derivative_of_the_position(backend):
    """While a wall precesses, which bends its profile, and with a tilt that relaxes."""
    sections = {
        "mesh": {"cells": [128, 6, 1]},
        "energy": {
            "uniaxial_anisotropy": [
                {"Ku1": KU, "axis": "+z"},
                {"Ku1": -2e5, "axis": "+y"},
            ],
            "zeeman": {"B": [0, 0, 0.08]},
        },
        "material": {"alpha": 0.03},
        "torques": {"zhang_li": {"u": [0, 0, 0]}},
    }
    setup = config(**merged(STRIP, sections))
    made = stepper(setup, backend, wall(setup.mesh, -20e-9, tilt=0.2), max_error=1e-7)
    every, found = 2e-12, []
    for k in range(1, 80):
        advance(made, k * every)
        found.append(values(made.engine, "wall_position", "wall_velocity")[:, 0])
    q, v = np.array(found).T
    travelled = np.cumsum((v[1:] + v[:-1]) / 2) * every
    assert np.ptp(v) > 300  # it does go back and forth
    assert np.abs(q[1:] - q[0] - travelled).max() < 0.01 * H


def test_velocity_and_angle_are_smooth_as_the_wall_crosses_the_cells(backend):
    setup = config(**STRIP)
    engine = measuring_engine(setup, backend, wall(setup.mesh, 0))
    found = []
    for q in np.linspace(0, H, 21):
        m = wall(setup.mesh, q)
        m[1] = 0.3 * m[0] ** 2  # phi differs along the wall
        engine.set_m(m)
        found.append(values(engine, "wall_angle", "wall_velocity")[:, 0])
    assert (np.ptp(found, axis=0) < [1e-4, 0.05]).all()


# -------------------------------------------------------------------- parts


LAYERS: dict[str, Any] = {"mesh": {"cells": [128, 4, 3], "cell_size": [H, H, H]}}


def test_a_wall_per_layer(backend):
    setup = config(**merged(STRIP, LAYERS))
    places = [-10.3e-9, 4e-9, 21.7e-9]
    m = np.concatenate([wall(setup.mesh, q)[:, k : k + 1] for k, q in enumerate(places)], axis=1)
    engine = measuring_engine(setup, backend, m)
    found = values(engine, "wall_position", *(f"wall_position@z{k}" for k in range(3)))[:, 0]
    np.testing.assert_allclose(found, [np.mean(places), *places], atol=1e-6 * H)
    np.testing.assert_allclose(values(engine, "wall_width", "wall_width@z1"), DELTA, rtol=1e-9)
    # The layers pull on each other: the outer ones are drawn to the one between them.
    low, high = values(engine, "wall_velocity@z0", "wall_velocity@z2")[:, 0]
    assert low > values(engine, "wall_velocity")[0, 0] > high


def test_a_wall_per_region(backend):
    regions = {"free": {"box": {"center": [0, 6e-9, 0], "size": [1, 12e-9, 1]}}}
    setup = config(**STRIP, regions=regions)
    upper, lower = wall(setup.mesh, 20.1e-9, phi=1), wall(setup.mesh, -33.3e-9, phi=-1)
    m = np.where(setup.mesh.grid()[1] > 0, upper, lower)
    engine = measuring_engine(setup, backend, m)
    names = ["wall_position@free", "wall_position@default", "wall_angle@free", "wall_angle@default"]
    found = values(engine, *names)[:, 0]
    np.testing.assert_allclose(found, [20.1e-9, -33.3e-9, 1, -1], rtol=1e-9)


def test_empty_cells_do_not_count(backend):
    hole = {"difference": [{"box": {}}, {"cylinder": {"diameter": 10e-9, "center": [2e-9, 0, 0]}}]}
    setup = config(**STRIP, geometry=hole)
    for q in (-30.4e-9, 1.3e-9):
        engine = measuring_engine(setup, backend, wall(setup.mesh, q, phi=0.2))
        position, width, _, angle, speed = values(engine, *COLUMNS)[:, 0]
        assert position == pytest.approx(q, abs=1e-9 * H)
        assert width == pytest.approx(DELTA, rel=1e-9)
        assert angle == pytest.approx(0.2, abs=1e-9)
        assert speed == pytest.approx(100, rel=0.1)  # next to the hole differences are one-sided


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("wall_position@fre", "no region 'fre'; did you mean 'free'"),
        ("wall_tilt@z3", "no layer 3"),
        ("wall_postion@free", "unknown column 'wall_postion@free'; did you mean 'wall_position'"),
        ("energy@free", "unknown column 'energy@free'"),
        ("wall_position@", "unknown column 'wall_position@'"),
    ],
)
def test_parts_that_the_run_does_not_have_are_refused(name, says):
    regions = {"free": {"box": {"size": [20e-9, 1, 1]}}}
    output = {"table": {"columns": [name]}}
    with pytest.raises(ValidationError) as raised:
        config(**merged(STRIP, LAYERS), regions=regions, output=output)
    (error,) = raised.value.errors()
    assert says in error["msg"]
    if "no region" in says:
        allowed = "wall_position@default, wall_position@free, wall_position@z0"
        assert allowed in error["ctx"]["allowed"]


def test_the_name_of_a_column_tells_its_part():
    (column,) = observable_of("wall_tilt@free")().columns("wall_tilt@free", [])
    assert (column.name, column.unit) == ("wall_tilt@free", "rad")
    assert column.description.endswith("region free")


# -------------------------------------------------------------------- several walls


def walls(mesh: Any, places: list[float]) -> NDArray[np.float64]:
    """Return walls at the places, domains along +z first."""
    x = mesh.grid()[0] + 0 * sum(mesh.grid())
    m_z = np.ones_like(x)
    for q in places:
        m_z = m_z * -np.tanh((x - q) / DELTA)
    return np.array([np.sqrt(1 - m_z**2), 0 * m_z, m_z])


def test_the_wall_nearest_to_the_middle_is_followed(backend):
    setup = config(**STRIP)
    engine = measuring_engine(setup, backend, walls(setup.mesh, [0]))
    memory: dict[Any, Any] = {}
    # All walls move to the right; the one that was followed first stays the one.
    for moved in np.arange(0, 80e-9, 10e-9):
        places = [q + moved for q in (-90e-9, -30e-9, 20e-9)]
        engine.set_m(walls(setup.mesh, places))
        assert values(engine, "wall_position", memory=memory)[0, 0] == pytest.approx(
            20e-9 + moved, abs=0.01 * H
        )
        middle = min(places, key=abs)
        assert values(engine, "wall_position")[0, 0] == pytest.approx(middle, abs=0.01 * H)


@pytest.mark.parametrize("left", [[-90e-9], [-90e-9, -30e-9, 100e-9], []])
def test_a_wall_that_has_gone_is_not_taken_for_another(backend, left):
    setup = config(**STRIP)
    engine = measuring_engine(setup, backend, walls(setup.mesh, [-90e-9, -30e-9, 20e-9]))
    memory: dict[Any, Any] = {}
    assert values(engine, "wall_position", memory=memory)[0, 0] == pytest.approx(
        20e-9, abs=0.01 * H
    )
    engine.set_m(walls(setup.mesh, left))
    found = values(engine, *COLUMNS, memory=memory)
    if 100e-9 in left:
        # It may have moved: its neighbours of the same sense were further from there.
        assert found[0, 0] == pytest.approx(100e-9, abs=0.01 * H)
    else:
        assert np.isnan(found).all()


def test_after_relaxing_a_wall_is_chosen_anew(backend):
    setup = config(**STRIP)
    engine = measuring_engine(setup, backend, walls(setup.mesh, [-90e-9, -30e-9, 20e-9]))
    memory: dict[Any, Any] = {}
    values(engine, "wall_position", memory=memory)
    engine.set_m(walls(setup.mesh, [-90e-9]))
    assert np.isnan(values(engine, "wall_position", memory=memory)[0, 0])
    engine.frozen_time = 0.0  # as while relaxing
    found = values(engine, "wall_position", memory=memory)[0, 0]
    assert found == pytest.approx(-90e-9, abs=0.01 * H)


def test_replicas_that_are_not_due_are_not_remembered(backend):
    setup = config(**STRIP)
    engine = measuring_engine([setup, setup], backend, walls(setup.mesh, [0]))
    memory: dict[Any, Any] = {}
    sample = Sample(engine, memory, np.array([True, False]))
    found = observable_of("wall_position")().values("wall_position", sample)[:, 0]
    assert found[0] == pytest.approx(0, abs=1e-12)
    assert [key[-1] for key in memory] == [0]


def test_a_wall_is_matched_by_its_place_and_sense():
    trail = Trail(component=2, rising=False, places=(-1.0, 0.0, 4.0), followed=0.0)
    assert match(trail, [-1.2, 0.4, 4.4]) == 1
    assert match(trail, [-1.2, 4.4]) is None  # both are others that stayed
    assert match(trail, [1.9]) == 0
    assert match(trail, []) is None


def test_ripples_inside_a_wall_are_no_walls():
    x = np.arange(64.0)
    profile = -np.tanh((x - 31.4) / 6)
    profile[31:33] *= -1  # three changes of sign close together
    found = find_walls(profile, 2, np.arange(64))
    assert len(found) == 1
    assert found[0].place == pytest.approx(31.5, abs=1)
    assert (found[0].left, found[0].right) == (
        pytest.approx(1, abs=0.01),
        pytest.approx(-1, abs=0.01),
    )


# -------------------------------------------------------------------- batches and cost


ALL = (
    *COLUMNS,
    "wall_position@z0",
    "skyrmion_x",
    "skyrmion_y",
    "skyrmion_radius",
    "core_x",
    "core_y",
    "core_polarity",
    "topological_charge",
    "topological_charge_fd",
)


@pytest.mark.parametrize("precision", ["single", "double"])
def test_a_replica_in_a_batch_has_the_bits_it_has_alone(precision):
    """On any number of threads."""
    mesh = {"cells": [61, 37, 2], "cell_size": [H, H, H], "periodic": [0, 1, 0]}
    batch = [
        config(**merged(STRIP, {"mesh": mesh, "precision": precision, "material": {"alpha": a}}))
        for a in (0.05, 0.1, 0.3)
    ]
    rng = np.random.default_rng(5)
    states = [
        wall(batch[0].mesh, q, tilt=t, phi=1) + 0.1 * rng.normal(size=(3, *batch[0].mesh.shape))
        for q, t in ((3e-9, 0.1), (-7.7e-9, -0.2), (20e-9, 0))
    ]

    def measured(configs: Any, ms: Any, threads: int) -> NDArray[Any]:
        engine = measuring_engine(configs, get_backend("cpu", threads=threads), ms[0])
        for replica, m in enumerate(ms):
            engine.set_m(m, replica)
        return values(engine, *ALL)

    together = measured(batch, states, 2)
    for k in range(3):
        alone = measured([batch[k]], [states[k]], 1)[:, 0]
        assert alone.tobytes() == together[:, k].tobytes()


def test_runs_without_these_columns_compile_nothing_more(backend, monkeypatch):
    setup = config(**STRIP)
    engine = measuring_engine(setup, backend, wall(setup.mesh, 0))
    asked: list[str] = []
    original = engine.module
    monkeypatch.setattr(engine, "module", lambda name: asked.append(name) or original(name))
    for name in ("m", "energy", "max_torque"):
        observable_of(name)().values(name, Sample(engine))
    assert asked == []
    values(engine, "wall_position", "topological_charge")
    assert set(asked) == {"wall.cu", "texture.cu"}


def test_a_moving_window_adds_its_offset(backend: Backend):
    window = {"mesh": {"window": {"follow": "wall"}}}
    setup = config(**merged(STRIP, window))
    engine = measuring_engine(setup, backend, wall(setup.mesh, 40.3e-9))
    names = ("wall_position", "wall_width", "wall_velocity", "skyrmion_x")
    before = values(engine, *names)[:, 0]
    engine.move_window(0, 15)
    after = values(engine, *names)[:, 0]
    np.testing.assert_allclose(after[:3], before[:3], rtol=1e-9)
    assert before[0] == pytest.approx(40.3e-9, abs=1e-6 * H)
