"""Maps of the magnetization: colours, axes, and a picture that can be written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from micromag.column import Column
from micromag.errors import MicromagError
from micromag.mesh import Mesh, Window
from micromag.output.runfile import RunFile
from micromag.output.vtkhdf import VtkhdfWriter
from micromag.plot import magnetization_map, sphere_colors

MESH = Mesh(cells=(12, 8, 2), cell_size=(2e-9, 2e-9, 2e-9))
HALF = np.sqrt(0.5)


@pytest.mark.parametrize(
    ("m", "color"),
    [
        ((1, 0, 0), (1, 0, 0)),
        ((0, 0, 1), (1, 1, 1)),
        ((0, 0, -1), (0, 0, 0)),
        ((-1, 0, 0), (0, 1, 1)),
        ((0, 1, 0), (0.5, 1, 0)),
        ((0, -1, 0), (0.5, 0, 1)),
        ((-0.5, np.sqrt(0.75), 0), (0, 1, 0)),
        ((-0.5, -np.sqrt(0.75), 0), (0, 0, 1)),
        ((HALF, 0, HALF), (1, HALF, HALF)),
        ((0, 0, 0), (0.75, 0.75, 0.75)),
    ],
)
def test_colour_of_a_direction(m, color):
    np.testing.assert_allclose(sphere_colors(np.array(m, dtype=float)), color, atol=1e-12)


@pytest.fixture
def run(tmp_path: Path) -> RunFile:
    """A result whose left half lies along +x, right half empty, and then all of it along +z."""
    writer = VtkhdfWriter(tmp_path / "run.vtkhdf", MESH, columns=[Column("t", "s")])
    m = np.zeros((3, *MESH.shape))
    m[0, ..., :6] = 1
    writer.write_snapshot(0.0, {"m": m})
    writer.write_snapshot(2e-9, {"m": np.roll(m, 2, axis=0)})
    writer.close("finished")
    return RunFile(tmp_path / "run.vtkhdf")


def test_without_matplotlib_the_remedy_is_named(run, monkeypatch):
    monkeypatch.setattr("micromag.plot.writing.importlib.util.find_spec", lambda name: None)
    with pytest.raises(MicromagError, match=r"pip install 'micromag\[plot\]'") as caught:
        magnetization_map(run)
    assert caught.value.exit_code == 4


def test_a_map_shows_each_snapshot_in_nanometres_and_the_wheel(run, tmp_path):
    figure = magnetization_map(run, [0, 1])
    first, second, wheel = figure.get_axes()
    assert first.get_title(loc="left") == "t = 0 ns"
    assert second.get_title(loc="left") == "t = 2 ns"
    assert second.get_xlabel() == "x (nm)"
    [image] = first.get_images()
    assert image.get_extent() == pytest.approx((-12, 12, -8, 8))
    colors = np.asarray(image.get_array())
    assert (colors[:, :6] == (1, 0, 0)).all()
    assert (colors[:, 6:] == 0.75).all()
    assert {text.get_text() for text in wheel.texts} >= {"+x", "+y", "+z"}
    figure.savefig(tmp_path / "map.png")
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")


def test_a_map_in_a_moving_window_shows_places_in_the_laboratory(tmp_path):
    mesh = Mesh(cells=MESH.cells, cell_size=MESH.cell_size, window=Window(follow="wall"))
    m = np.zeros((3, *MESH.shape))
    m[0, ..., 4:6] = 1
    with VtkhdfWriter(tmp_path / "run.vtkhdf", mesh, columns=[Column("t", "s")]) as writer:
        for t, x in ((0.0, 0.0), (1e-9, 10e-9)):
            offset = {"window_offset_x": np.float64(x), "window_offset_y": np.float64(0)}
            writer.write_snapshot(t, {"m": m, **offset})
    first, second, _ = magnetization_map(RunFile(tmp_path / "run.vtkhdf"), [0, 1]).get_axes()
    assert first.get_xlim() == pytest.approx((-12, 12))
    assert second.get_xlim() == pytest.approx((-2, 22))
    assert second.get_images()[0].get_extent() == pytest.approx((-2, 22, -8, 8))
    arrows = second.collections[0].get_offsets()
    assert arrows[:, 0].min() == pytest.approx(10 - 3)


def test_energies_have_a_prefix_that_fits():
    from micromag.plot.table_plot import _prefixed

    scale, unit = _prefixed([np.array([0.0, 5.1e-17, np.nan])], "J")
    assert (scale, unit) == (pytest.approx(1e-18), "aJ")
