"""The moving window: same motion as in a long wire, same bits alone and in a batch, true positions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from magnets import merged
from pydantic import ValidationError

from micromag.backend import Backend, get_backend
from micromag.config import RunConfig
from micromag.constants import MU_0
from micromag.demag import demag_tensor
from micromag.demag.components import ODD_AXES
from micromag.demag.ends import StripEnds
from micromag.driver import Driver
from micromag.errors import ConfigError, NumericalError
from micromag.integrators.runge_kutta import RungeKutta
from micromag.integrators.tableaus import TABLEAUS
from micromag.mesh import Mesh, Window
from micromag.model import Model
from micromag.output.recorder import FileRecorder, MemoryRecorder
from micromag.output.runfile import RunFile
from micromag.output.vtkhdf import VtkhdfWriter
from micromag.progress import SilentReporter
from micromag.window import displacement, moved_state

CHECKER = Path(__file__).parent / "tools" / "check_vtkhdf.py"
WIRE: dict[str, Any] = {
    "mesh": {"cells": [64, 1, 1], "cell_size": [2e-9] * 3, "window": {"follow": "wall"}},
    "material": {"Ms": 580e3, "alpha": 0.1},
    "energy": {"exchange": {"A": 15e-12}, "uniaxial_anisotropy": {"Ku1": 0.8e6, "axis": "+z"}},
    "torques": {"zhang_li": {"u": [50, 0, 0], "beta": 0.1}},
    "initial": {"domain_wall": {"kind": "bloch", "from": "+z", "to": "-z"}},
    "schedule": [{"run": {"for": 5e-10}}],
    "output": {"table": {"every": 2e-11, "columns": ["wall_position", "wall_width", "m"]}},
}
NOTCH = {"center": [16e-9, 8e-9, 0], "size": [8e-9, 8e-9, 1]}
NOTCHES = {"repeat": {"shape": {"box": NOTCH}, "period": [44e-9, 0, 0]}}
STRIP: dict[str, Any] = merged(
    WIRE,
    {
        "mesh": {"cells": [48, 8, 1], "cell_size": [2e-9, 2e-9, 2e-9]},
        "geometry": {"difference": [{"box": {}}, NOTCHES]},
        "torques": {"zhang_li": {"u": [150, 0, 0]}},
    },
)


def config(base: dict[str, Any] = WIRE, **changes: Any) -> RunConfig:
    return RunConfig.model_validate(merged(base, changes))


def without_window(base: dict[str, Any], nx: int, position: float, **changes: Any) -> RunConfig:
    """Return the same in a mesh of nx cells that stands still, the wall at another place."""
    mesh = {**base["mesh"], "cells": [nx, *base["mesh"]["cells"][1:]], "window": None}
    initial = {"domain_wall": {**base["initial"]["domain_wall"], "position": position}}
    return RunConfig.model_validate({**merged(base, changes), "mesh": mesh, "initial": initial})


def run(*configs: RunConfig, threads: int = 1, backend: Backend | None = None) -> Driver:
    """Return the driver of a finished batch; ``driver.tables`` hold the columns of each replica."""
    recorders = [MemoryRecorder() for _ in configs]
    device = backend or get_backend("cpu", threads)
    driver = Driver(configs, device, recorders, SilentReporter())
    driver.run()
    names = [column.name for column in driver.columns]
    driver.tables = [dict(zip(names, r.table.T, strict=True)) for r in recorders]  # type: ignore[attr-defined]
    driver.records = recorders  # type: ignore[attr-defined]
    return driver


def velocity(table: dict[str, np.ndarray], after: float) -> float:
    chosen = table["t"] >= after
    return float(np.polyfit(table["t"][chosen], table["wall_position"][chosen], 1)[0])


# ------------------------------------------------------------------------------ the motion


def test_the_wall_moves_as_in_a_long_wire(backend):
    here = run(config(), backend=backend).tables[0]
    there = run(without_window(WIRE, 192, -60e-9), backend=backend).tables[0]
    assert here["window_offset_x"][-1] > 15e-9, "the window has moved many times"
    np.testing.assert_allclose(
        here["wall_position"], there["wall_position"] + 60e-9, rtol=0, atol=1e-12
    )
    np.testing.assert_allclose(here["wall_width"], there["wall_width"], rtol=1e-3)
    assert velocity(here, 1e-10) == pytest.approx(velocity(there, 1e-10), rel=1e-4)
    # beta = alpha: the wall drifts with u, in a discrete wire up to the error of the gradient.
    assert velocity(here, 1e-10) == pytest.approx(50, rel=0.05)


def test_positions_are_continuous_and_the_wall_stays_in_the_middle():
    table = run(config()).tables[0]
    steps = np.diff(table["wall_position"])
    assert steps.max() < 1.05 * 50 * 2e-11, "no jump where the window moves"
    inside = table["wall_position"] - table["window_offset_x"]
    assert np.abs(inside).max() < 2.1 * 2e-9, "two cells: the tolerance for 64"
    assert (table["window_offset_y"] == 0).all()
    moved = table["window_offset_x"] / 2e-9
    np.testing.assert_allclose(moved, np.rint(moved), atol=1e-9)


def test_a_window_follows_an_oscillating_wall_in_both_directions():
    """Far above the Walker threshold the wall goes back and forth, here by 11 nm."""
    hard_axis = {"Ku1": -5e4, "axis": "+x"}
    wire = merged(WIRE, {"material": {"alpha": 0.01}, "energy": {"zeeman": {"B": [0, 0, 0.03]}}})
    wire["schedule"] = [{"run": {"for": 7e-10}}]
    wire["energy"]["uniaxial_anisotropy"] = [WIRE["energy"]["uniaxial_anisotropy"], hard_axis]
    del wire["torques"]
    here, there = run(config(wire)).tables[0], run(without_window(wire, 192, 0)).tables[0]
    turns = np.diff(here["window_offset_x"])
    assert (turns > 0).any() and (turns < 0).any()
    np.testing.assert_allclose(here["wall_position"], there["wall_position"], rtol=0, atol=2e-11)


def test_a_repeated_notch_comes_in_and_leaves(backend):
    """Shapes stay where they are in the laboratory: the wall meets what it meets in a long strip."""
    here = run(config(STRIP), backend=backend)
    there = run(without_window(STRIP, 160, 0), backend=backend)
    a, b = here.tables[0], there.tables[0]
    assert a["wall_position"][-1] > 60e-9, "the wall has passed one and come to the next"
    np.testing.assert_allclose(a["wall_position"], b["wall_position"], rtol=0, atol=1e-11)
    record = here.records[0]
    for fields in record.snapshots:
        m, offset = fields["m"], float(fields["window_offset_x"])
        x, y, z = config(STRIP).mesh.grid()
        along = np.mod(x + offset + 6e-9, 44e-9) - 22e-9  # from the nearest of them
        notch = (np.abs(along) < 4e-9) & (y > 4e-9) & (z < 1)
        np.testing.assert_array_equal(m.any(axis=0), ~notch)


def test_a_skyrmion_moves_as_in_a_long_track():
    """Also with an interaction that twists m at surfaces, which the cuts of the window are not."""
    track: dict[str, Any] = {
        "mesh": {"cells": [36, 24, 1], "cell_size": [2e-9] * 3, "window": {"follow": "skyrmion"}},
        "material": {"Ms": 580e3, "alpha": 0.3},
        "energy": {
            "exchange": {"A": 15e-12},
            "interfacial_dmi": {"D": 3e-3},
            "uniaxial_anisotropy": {"Ku1": 0.6e6, "axis": "+z"},
        },
        "torques": {"zhang_li": {"u": [300, 0, 0], "beta": 0.3}},
        "initial": {"skyrmion": {"kind": "neel", "handedness": "left", "radius": 7e-9}},
        "schedule": [{"run": {"for": 1e-10}}],
        "output": {"table": {"every": 1e-11, "columns": ["skyrmion_x", "skyrmion_y"]}},
    }
    here = run(RunConfig.model_validate(track))
    mesh = {**track["mesh"], "cells": [100, 24, 1], "window": None}
    initial = {"skyrmion": {**track["initial"]["skyrmion"], "center": [-30e-9, 0, 0]}}
    there = run(RunConfig.model_validate({**track, "mesh": mesh, "initial": initial}))
    a, b = here.tables[0], there.tables[0]
    assert a["window_offset_x"][-1] > 20e-9
    np.testing.assert_allclose(a["skyrmion_x"], b["skyrmion_x"] + 30e-9, rtol=0, atol=5e-12)
    np.testing.assert_allclose(a["skyrmion_y"], b["skyrmion_y"], rtol=0, atol=5e-12)
    ends = here.records[0].snapshots[-1]["m"][..., [0, -1]]
    assert np.abs(ends[0]).max() < 0.02, "the cut ends are not tilted along x"
    assert np.abs(there.records[0].snapshots[-1]["m"][0, ..., [0, -1]]).min() > 0.1


REGIONAL = merged(
    STRIP,
    {
        "regions": {"weak": {"box": {"center": [30e-9, 0, 0], "size": [12e-9, 1, 1]}}},
        "material": {"Ms": {"default": 580e3, "weak": 400e3}},
        "energy": {
            "exchange": {"A": {"default": 15e-12, "weak": 9e-12, "default:weak": 5e-12}},
            "uniaxial_anisotropy": {"Ku1": {"default": 0.8e6, "weak": 0.75e6}},
            "demag": {},
        },
    },
)


def test_regions_and_faces_pass_through_the_window(backend):
    made = RungeKutta(Model([config(REGIONAL)]), backend, TABLEAUS["rk45"])
    engine = made.engine
    engine.set_m(np.broadcast_to(np.array([0, 0, 1.0])[:, None, None, None], (3, 1, 8, 48)))
    engine.move_window(0, 7)
    wide = config(REGIONAL, mesh={"cells": [62, 8, 1], "window": None})
    model = Model([wide])
    part = np.s_[..., 14:]
    np.testing.assert_array_equal(backend.download(engine._region)[0], model.region[part])
    np.testing.assert_array_equal(engine.model.Ms[0], model.Ms[0][part])
    faces = engine.model.layout.faces[0][1]
    found = backend.download(engine._arrays[faces])[0]
    expected = model.arrays[faces][0][part].astype(engine.dtype)
    np.testing.assert_array_equal(found[..., :-1], expected[..., :-1])
    np.testing.assert_array_equal(
        backend.download(engine.fields["field_2"]._Ms)[0], model.Ms[0][part]
    )


def test_values_per_cell_go_on_with_those_of_the_outermost_cells():
    alpha = np.linspace(0.1, 0.2, 64).reshape(1, 1, 64)
    model = Model([config(material={"Ms": 580e3, "alpha": alpha})])
    (name,) = model.layout.arrays
    model.move(0, 3)
    np.testing.assert_allclose(model.arrays[name][0, 0, 0, 0, :61], alpha[0, 0, 3:])
    np.testing.assert_allclose(model.arrays[name][0, 0, 0, 0, 61:], alpha[0, 0, -1])


@pytest.mark.slow
def test_a_strip_with_stray_field_moves_as_a_long_one():
    strip = {
        "mesh": {"cells": [64, 8, 1], "cell_size": [5e-9] * 3, "window": {"follow": "wall"}},
        "material": {"Ms": 800e3, "alpha": 0.1},
        "energy": {"exchange": {"A": 13e-12}, "demag": {}},
        "torques": {"zhang_li": {"u": [100, 0, 0], "beta": 0.2}},
        "initial": {"domain_wall": {"kind": "transverse", "from": "+x", "to": "-x"}},
        "schedule": [{"relax": {"max_torque": 1e-4}}, {"run": {"for": 1.5e-9}}],
        "output": {"table": {"every": 5e-11, "columns": ["wall_position", "wall_width"]}},
    }
    here = run(RunConfig.model_validate(strip)).tables[0]
    there = run(without_window(strip, 384, -150e-9)).tables[0]
    assert here["window_offset_x"][-1] > 250e-9
    assert velocity(here, 6e-10) == pytest.approx(velocity(there, 6e-10), rel=0.01)
    np.testing.assert_allclose(here["wall_width"][-5:], there["wall_width"][-5:], rtol=2e-3)


def test_a_fast_current_does_not_amplify_waves_where_it_enters():
    """Without beta a wall comes to rest for good; the domain that the current comes from stays calm.

    Ends that reflect waves let them grow there, e-fold in 0.2 ns in this strip: at 2.5 ns m_z is 0.4,
    and the wall is carried back with 35 m/s.
    """
    strip = {
        "mesh": {"cells": [96, 12, 1], "cell_size": [5e-9, 10e-9, 5e-9]},
        "material": {"Ms": 800e3, "alpha": 0.02},
        "energy": {"exchange": {"A": 10e-12}, "demag": {}},
        "initial": {"domain_wall": {"kind": "transverse", "from": "+x", "to": "-x"}},
        "schedule": [{"relax": {"max_torque": 1e-4}}, {"run": {"for": 3e-9}}],
        "output": {"table": {"every": 5e-11, "columns": ["wall_position"]}},
    }
    strip["mesh"]["window"] = {"follow": "wall"}  # type: ignore[index]
    currents = [{"zhang_li": {"u": [u, 0, 0], "beta": 0}} for u in (300, -300)]
    driver = run(*(RunConfig.model_validate({**strip, "torques": t}) for t in currents))
    for record, table in zip(driver.records, driver.tables, strict=True):  # type: ignore[attr-defined]
        m_z = np.abs(record.snapshots[-1]["m"][2, 0])
        assert max(m_z[:, :16].max(), m_z[:, -16:].max()) < 3e-3
        assert abs(velocity(table, 2.5e-9)) < 1


# ------------------------------------------------------------------------------ the same bits


@pytest.mark.parametrize("dt", [None, 2e-13])
def test_a_replica_in_a_batch_gives_the_bits_it_gives_alone(dt, backend):
    solver = {} if dt is None else {"dt": dt}
    configs = [
        config(
            REGIONAL, torques={"zhang_li": {"u": [u, 0, 0]}}, solver=solver,
            schedule=[{"run": {"for": 2e-10}}],
        )
        for u in (80.0, -120.0, 300.0)
    ]  # fmt: skip
    batch = run(*configs, backend=backend)
    assert len({int(s) for s in batch.shifts[:, 0]}) == 3, "every window has its own place"
    for i in (0, 2):
        alone = run(configs[i], backend=backend)
        assert alone.m is not None and batch.m is not None
        assert alone.m[0].tobytes() == batch.m[i].tobytes()
        assert alone.records[0].table.tobytes() == batch.records[i].table.tobytes()


def test_one_thread_or_two_and_looks_at_other_times():
    strip = config(STRIP, mesh={"cells": [256, 64, 1]}, schedule=[{"run": {"for": 3e-11}}])
    found = []
    for threads, count in ((1, 50), (2, 7)):
        made = RungeKutta(Model([strip]), get_backend("cpu", threads), TABLEAUS["rk45"])
        x = np.broadcast_to(strip.mesh.centres(0) - 30e-9, strip.mesh.shape) / 4e-9
        made.engine.set_m(np.stack([0 * x, 1 / np.cosh(x), -np.tanh(x)]))
        made.start()
        made.aim(3e-11)
        while made.steps_to_stop():
            made.steps(count)
        found.append((made.engine.m().tobytes(), made.engine.model.shifts.tobytes()))
    assert found[0] == found[1]
    assert np.frombuffer(found[0][1], dtype=np.int64)[0] >= 15


# ------------------------------------------------------------------------------ what is followed


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize("follow", ["wall", "skyrmion", "core"])
@pytest.mark.parametrize("place", [7.4, -6.7])
def test_the_texture_comes_to_the_middle(follow, axis, place, backend):
    cells = [40, 24, 1] if axis == "x" else [24, 40, 1]
    mesh = {"cells": cells, "cell_size": [2e-9] * 3, "window": {"follow": follow, "axis": axis}}
    whole = config(mesh=mesh)
    x, y, _ = whole.mesh.grid()
    along, across = (x, y) if axis == "x" else (y, x)
    s = along / 2e-9 - place + 0 * across
    r = np.hypot(s, across / 2e-9)
    if follow == "wall":
        m = np.stack([1 / np.cosh(s / 3), 0 * s, np.tanh(s / 3)])
    elif follow == "skyrmion":
        z = np.tanh((r - 6) / 2)
        m = np.stack([np.sqrt(1 - z**2), 0 * z, z])
    else:
        z = np.exp(-((r / 2.5) ** 2))
        m = np.stack([np.sqrt(1 - z**2), 0 * z, -z])
    assert displacement(m, whole.mesh.window) == pytest.approx(place, abs=0.3)
    made = RungeKutta(Model([whole]), backend, TABLEAUS["rk45"])
    made.engine.set_m(m)
    made.start()
    number = "xy".index(axis)
    assert made.engine.model.shifts[0, number] == round(displacement(m, whole.mesh.window))
    assert abs(displacement(made.engine.m(), whole.mesh.window)) < 1
    assert made.engine.window_offset[0, number] == pytest.approx(2e-9 * round(place))
    assert made.engine.status()[0] == 0, "it runs on"


def test_fresh_cells_continue_the_domain():
    m = np.zeros((3, 1, 2, 6))
    m[2, :, :, :3], m[2, :, :, 3:] = 1, -1
    m[:, :, 1, 5] = 0  # a notch at the end
    filled = np.ones((1, 2, 6), dtype=bool)
    filled[0, 0, 4] = False  # and one that comes in
    moved = moved_state(m, 2, 0, filled)
    np.testing.assert_array_equal(moved[2, 0, 0], [1, -1, -1, -1, 0, -1])
    np.testing.assert_array_equal(moved[2, 0, 1], [1, -1, -1, -1, -1, -1])
    assert not moved[:2].any()
    back = moved_state(m.swapaxes(2, 3), -4, 1, np.ones((1, 6, 2), dtype=bool))
    np.testing.assert_array_equal(back[2, 0, :, 0], [1, 1, 1, 1, 1, 1])
    np.testing.assert_array_equal(back[2, 0, :, 1], [1, 1, 1, 1, 1, 1])


# ------------------------------------------------------------------------------ the ends of the strip


def stray_field(mesh: Mesh, M: np.ndarray) -> np.ndarray:
    """Return mu0 H of the mesh alone by direct summation of the tensor."""
    tensor = demag_tensor(mesh.cells, mesh.cell_size)
    places = ((0, 3, 4), (3, 1, 5), (4, 5, 2))
    B = np.zeros_like(M)
    for cell in np.ndindex(mesh.shape):
        d = [np.arange(n) for n in mesh.shape]
        z, y, x = np.meshgrid(*(c - a for c, a in zip(cell, d, strict=True)), indexing="ij")
        parts = tensor[:, abs(z), abs(y), abs(x)]
        for row, odd in enumerate(ODD_AXES):
            for axis in odd:
                parts[row] *= np.sign((x, y, z)[axis])
        for i in range(3):
            for j in range(3):
                B[(i, *cell)] -= MU_0 * (parts[places[i][j]] * M[j]).sum()
    return B


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize("cells", [(10, 5, 2), (9, 1, 1)])
def test_a_strip_with_both_ends_is_one_without_end(axis, cells):
    """No axial field, no change along the axis; across it the factors of an endless bar."""
    edges = (3e-9, 4e-9, 2e-9)
    if axis == "y":
        cells, edges = (cells[1], cells[0], cells[2]), (edges[1], edges[0], edges[2])
    mesh = Mesh(cells=cells, cell_size=edges, window=Window(follow="wall", axis=axis))
    number = "xy".index(axis)
    ends, Ms = StripEnds(mesh), np.full(mesh.shape, 8e5)
    scale = MU_0 * 8e5
    for direction in np.eye(3):
        m = np.broadcast_to(direction[:, None, None, None], (3, *mesh.shape))
        B = (ends.field(m, Ms) + stray_field(mesh, m * Ms)) / scale
        assert np.abs(B[number]).max() < 1e-8
        assert np.ptp(B, axis=3 - number).max() < 1e-12
        if direction[number] == 0:
            edges_across = [mesh.size[1 - number], mesh.size[2]]
            along, across = edges_across[:: -1 if direction[2] else 1]
            factor = -float((B * m).mean() * 3)
            assert factor == pytest.approx(bar_factor(along, across), abs=1e-8)


def bar_factor(along: float, across: float) -> float:
    """Return the demagnetizing factor of an endless bar along one edge of its cross-section.

    Source: A. Aharoni, J. Appl. Phys. 83, 3432 (1998), a prism of which one edge grows without end.
    """
    p = along / across
    return float(
        ((1 - p**2) / (2 * p) * np.log(1 + p**2) + p * np.log(p) + 2 * np.arctan(1 / p)) / np.pi
    )


def test_the_ends_have_the_cross_section_and_the_magnetization_of_the_outermost_cells():
    """One filled line of cells in a corner of the mesh: what is left of it goes on as a line."""
    mesh = Mesh(cells=(8, 4, 1), cell_size=(2e-9,) * 3, window=Window(follow="wall"))
    line = Mesh(cells=(8, 1, 1), cell_size=(2e-9,) * 3, window=Window(follow="wall"))
    Ms = np.zeros(mesh.shape)
    Ms[:, 3] = 5e5
    m = np.zeros((3, *mesh.shape))
    m[0, :, 3, :4], m[2, :, 3, 4:] = 1, -1
    alone = StripEnds(line).field(m[:, :, 3:], Ms[:, 3:])
    np.testing.assert_allclose(StripEnds(mesh).field(m, Ms)[:, :, 3:], alone, atol=1e-12)


def test_energy_and_field_of_the_ends_belong_together(backend):
    """B = -(1/Ms) dE/dm also of the part that does not depend on m."""
    from magnets import measuring_engine, random_m

    whole = config(mesh={"cells": [9, 3, 1]}, energy={"demag": {}}, precision="double", torques={})
    m = random_m(whole.mesh.shape, seed=3)
    engine = measuring_engine(whole, backend, m)
    number = engine.model.energy_names.index("demag")
    field, _ = engine.term_field("demag")
    for cell in ((0, 1, 4), (0, 0, 7)):
        for component in range(3):
            energies = []
            for step in (1e-4, -1e-4):
                moved = m.copy()
                moved[(component, *cell)] += step
                # Not set_m: the ends stay those of m, as they do within a run.
                backend.write(engine.m_on_device(), moved)
                energies.append(engine.measure().energies[0, number])
            slope = (energies[0] - energies[1]) / 2e-4 / (580e3 * whole.mesh.cell_volume)
            assert field[(component, *cell)] == pytest.approx(-slope, abs=1e-9)


# ------------------------------------------------------------------------------ what is left behind


def test_the_offset_is_in_table_and_file(tmp_path):
    moving = config(output={"snapshots": {"every": 1e-10}})
    driver = Driver([moving], get_backend("cpu", 1), [MemoryRecorder()], SilentReporter())
    path = tmp_path / "run.vtkhdf"
    with VtkhdfWriter(path, moving.mesh, columns=driver.columns) as writer:
        Driver([moving], get_backend("cpu", 1), [FileRecorder(writer)], SilentReporter()).run()
    found = RunFile(path)
    table = found.table
    assert len(found) == 6
    rows = [int(np.abs(table["t"] - t).argmin()) for t in found.times]
    np.testing.assert_allclose(found.window_offset[:, 0], table["window_offset_x"][rows])
    assert found.window_offset[-1, 0] > 15e-9 and not found.window_offset[:, 1].any()
    x = moving.mesh.centres(0)
    for k in range(len(found)):
        z = found.m(k)[2, 0, 0]
        crossing = np.interp(0, -z, x) + found.window_offset[k, 0]
        assert crossing == pytest.approx(table["wall_position"][rows[k]], abs=1e-10)
    done = subprocess.run([sys.executable, CHECKER, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_vtk_reads_the_offset(tmp_path):
    hdf = pytest.importorskip("vtkmodules.vtkIOHDF")
    mesh = Mesh(cells=(8, 2, 1), cell_size=(1e-9,) * 3, window=Window(follow="wall"))
    path = tmp_path / "run.vtkhdf"
    m = np.broadcast_to(np.array([0, 0, 1.0])[:, None, None, None], (3, *mesh.shape))
    with VtkhdfWriter(path, mesh) as writer:
        for k in range(3):
            offset = {"window_offset_x": np.float64(5e-9 * k), "window_offset_y": np.float64(0)}
            writer.write_snapshot(1e-9 * k, {"m": m, **offset})
    reader = hdf.vtkHDFReader()
    reader.SetFileName(str(path))
    reader.UpdateInformation()
    for k in range(3):
        reader.UpdateTimeStep(float(k))
        data = reader.GetOutput().GetFieldData().GetArray("window_offset_x")
        assert data.GetValue(0) == 5.0 * k, "nm"


def test_a_second_stage_goes_on_where_the_first_has_come_to():
    both = run(config(schedule=[{"run": {"for": 2e-10}}, {"run": {"for": 2e-10}}]))
    table = both.tables[0]
    assert table["wall_position"][-1] == pytest.approx(50 * 4e-10, rel=0.05)
    assert np.diff(table["wall_position"]).max() < 1.05 * 50 * 2e-11


# ------------------------------------------------------------------------------ what cannot be


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"periodic": [1, 0, 0]}, "periodic"),
        ({"cells": [4, 1, 1]}, "too short"),
        ({"window": {"follow": "vortex"}}, "follow"),
        ({"window": {"follow": "wall", "axis": "z"}}, "axis"),
    ],
)
def test_windows_that_cannot_be_are_refused(changes, words):
    with pytest.raises(ValidationError, match=words):
        config(mesh=changes)


def test_there_must_be_something_to_follow():
    with pytest.raises(ConfigError, match="no wall"):
        run(RunConfig.model_validate({**WIRE, "initial": {"uniform": {"direction": "+z"}}}))


def test_a_wall_that_is_gone_ends_its_replica_and_no_other():
    gone = config(energy={"zeeman": {"B": [8, 0, 0]}})
    stays = config(energy={"zeeman": {"B": [0, 0, 0]}})
    both = run(stays, gone)
    assert set(both.outcomes) == {1}
    assert "wall" in both.outcomes[1].message and "gone" in both.outcomes[1].message
    assert both.records[1].status == "failed" and both.records[0].status == "finished"
    np.testing.assert_array_equal(both.tables[0]["t"], run(stays).tables[0]["t"])
    with pytest.raises(NumericalError, match="has gone"):
        run(gone)


def test_a_wall_that_leaves_a_mesh_without_window_ends_a_run_about_its_velocity():
    still = without_window(WIRE, 64, 50e-9, torques={"zhang_li": {"u": [300, 0, 0]}})
    assert np.isnan(run(still).tables[0]["wall_position"][-1]), "to the end, where it is not"
    analysis = {"wall_velocity": {"stage": 0}}
    driver = run(RunConfig.model_validate({**_plain(still), "analysis": analysis}))
    assert driver.outcomes[0].status == "ended"
    assert "left the mesh" in driver.outcomes[0].message
    table = driver.tables[0]
    assert table["t"][-1] < 2e-10 and np.isnan(table["wall_position"]).sum() <= 2


def test_without_a_window_nothing_changes():
    """No window, no column, no kernel, no macro."""
    still = without_window(WIRE, 64, 0)
    assert "window_offset_x" not in run(still).tables[0]
    text = Model([still]).kernel_text("llg.cu", {})
    assert "#define CUT_" not in text.replace("#define CUT_X 0", "").replace("#define CUT_Y 0", "")
    assert "#define WINDOW_ENDS" not in text


def test_the_run_file_keeps_the_window():
    again = RunConfig.model_validate(_plain(config()))
    assert again.mesh == config().mesh and again.mesh.window == Window(follow="wall")
    assert "window" not in without_window(WIRE, 64, 0).resolved_yaml()


def _plain(whole: RunConfig) -> dict[str, Any]:
    import yaml

    return yaml.safe_load(whole.resolved_yaml())
