"""``micromag plot``: pictures from finished files, and what is said where there can be none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_velocity_analysis import CURRENT, axis, make_sweep, rigid, write_run
from test_velocity_analysis import config as wall_config

from micromag.cli import main
from micromag.column import Column
from micromag.mesh import Mesh
from micromag.output.runfile import RunFile
from micromag.output.vtkhdf import VtkhdfWriter
from micromag.plot.table_plot import table_plot
from micromag.plot.xt_map import xt_map

NS, NM = 1e-9, 1e-9
MESH = Mesh(cells=(40, 6, 2), cell_size=(2e-9, 2e-9, 2e-9))
KINDS = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}


def state(position: float) -> np.ndarray:
    """Return a wall between -z and +z, in a strip whose upper half is empty."""
    x = MESH.centres(0) - position
    m = np.stack([1 / np.cosh(x / 5e-9), 0 * x, np.tanh(x / 5e-9)])
    filled = np.ones(MESH.shape)
    filled[:, 3:] = 0
    return m[:, None, None, :] * filled


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """A wall that moves by 10 nm in each of 5 ns; before it, the state before a relaxation."""
    units = {"t": "s", "stage": "", "wall_position": "m", "m_z": "", "wall_angle": "rad"}
    columns = [Column(n, u, integer=n == "stage") for n, u in units.items()]
    writer = VtkhdfWriter(tmp_path / "run.vtkhdf", MESH, columns=columns)
    t = np.linspace(0, 5, 51)
    rows = [t * NS, t > 0, (10 * t - 20) * NM, 0.02 * t, np.angle(np.exp(2j * t))]
    writer.append_rows(np.stack(rows, axis=1).astype(float))
    writer.write_snapshot(0.0, {"m": np.ones((3, *MESH.shape)) / np.sqrt(3)})
    writer.write_snapshot(1e-15, {"m": state(-20e-9)})
    for k in range(1, 6):
        writer.write_snapshot(k * NS, {"m": state((10 * k - 20) * NM)})
    writer.close("finished")
    return tmp_path / "run.vtkhdf"


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    folder = tmp_path / "sweep"
    folder.mkdir()
    make_sweep(folder, [axis(CURRENT, [1e11, 2e11], "A/m^2")], rigid)
    return folder


def said(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    code = main(["plot", *map(str, words)])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


@pytest.mark.parametrize(
    ("words", "picture"),
    [
        (["map"], "run_map.png"),
        (["xt"], "run_xt.png"),
        (["table", "m_z"], "run_table.png"),
        (["map", "--snapshot", "0", "--time", "2.4 ns", "--layer", "1"], "run_map.png"),
    ],
)
def test_a_picture_appears_beside_the_result(result, capsys, words, picture):
    kind, *rest = words
    code, text = said(capsys, kind, result, *rest)
    assert code == 0, text
    assert picture in text
    assert (result.parent / picture).read_bytes().startswith(KINDS[".png"])


def test_the_numbers_lie_beside_the_picture(result, sweep, capsys):
    assert said(capsys, "table", result, "wall_position", "m_z")[0] == 0
    head, first, *_ = (result.parent / "run_table.csv").read_text().splitlines()
    assert head == "t (s),wall_position (m),m_z"
    assert first == "0,-2e-08,0"
    assert said(capsys, "table", sweep, "wall_position", "-o", sweep / "all.png")[0] == 0
    head, first, *_ = (sweep / "all.csv").read_text().splitlines()
    assert head == "replica,t (s),wall_position (m)"
    assert first == f"{CURRENT} = 100000000000.0,0,0"
    assert said(capsys, "xt", result)[0] == 0
    head, first, *rest = (result.parent / "run_xt.csv").read_text().splitlines()
    assert head.split(",")[1] == "-3.9e-08"
    values = [float(value) for value in first.split(",")]
    assert len(rest) == 5 and len(values) == 41
    assert values[1] == pytest.approx(np.tanh(-19 / 5), abs=1e-6)


@pytest.mark.parametrize("ending", KINDS)
def test_the_ending_decides_on_the_kind(result, capsys, ending):
    picture = result.parent / f"other{ending}"
    assert said(capsys, "xt", result.parent, "-o", picture)[0] == 0
    assert picture.read_bytes().startswith(KINDS[ending])
    assert not list(result.parent.glob(".*partial*"))


def test_velocities_again_from_finished_files(sweep, capsys):
    code, text = said(capsys, "velocity", sweep, "--after", "1 ns")
    assert code == 0, text
    assert (sweep / "velocity.png").exists()
    assert "2 walls (2 steady)" in text
    assert "from (s)" in (sweep / "velocity.csv").read_text().splitlines()[0]
    code, text = said(capsys, "velocity", sweep / "sweep.h5", "-o", sweep / "v.svg")
    assert code == 0, text
    assert (sweep / "v.svg").exists() and (sweep / "v.csv").exists()


def test_a_table_of_a_sweep(sweep, capsys):
    code, text = said(capsys, "table", sweep, "wall_position", "wall_angle")
    assert code == 0, text
    assert (sweep / "table.png").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["map", "{}", "--snapshot", "9"], 6, "no snapshot 9(.|\n)*0 to 6"),
        (["map", "{}", "--layer", "2"], 2, "no such layer(.|\n)*0 to 1"),
        (["map", "{}", "--time", "2 nm"], 2, "--time"),
        (["map", "{}", "-o", "a.gif"], 2, r"\.png, \.pdf, \.svg"),
        (["velocity", "{}"], 2, "this is one run, not a sweep"),
        (["map", "{}", "-o", "nowhere/a.png"], 2, "-o: no such folder\n  value:   nowhere"),
        (["xt", "{}", "--component", "w"], 2, "x, y, z"),
        (["table", "{}", "wall_posit"], 2, "did you mean 'wall_position'(.|\n)*t, stage"),
        (["table", "{}"], 2, "COLUMN"),
        (["map", "missing.vtkhdf"], 6, "no such file"),
        (["velocity", "."], 2, "this is one run, not a sweep"),
        (["nothing"], 2, "No such command"),
    ],
)
def test_mistakes(result, capsys, monkeypatch, words, code, message):
    import re

    monkeypatch.chdir(result.parent)
    found, text = said(capsys, *(str(word).format(result) for word in words))
    assert found == code, text
    assert re.search(message, text), text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--against", "material.alpha"], 1, "'material.alpha' is not swept"),
        (["--after", "2 nm"], 2, "--after"),
        (["--after", "5 ns"], 1, "no run of the sweep has a velocity, so there is no picture"),
        (["--part", "free"], 1, "no column 'wall_position@free'"),
    ],
)
def test_mistakes_about_velocities(sweep, capsys, words, code, message):
    found, text = said(capsys, "velocity", sweep, *words)
    assert found == code, text
    assert message in text
    assert not (sweep / "velocity.png").exists()


@pytest.mark.parametrize(
    ("time", "told"), [("9 ns", "no snapshot at 9 ns: the nearest is of 5 ns"), ("4.8 ns", "")]
)
def test_a_snapshot_of_another_time_is_said(result, capsys, time, told):
    code, text = said(capsys, "map", result, "--time", time)
    assert code == 0, text
    assert told in text
    assert ("There is no snapshot" in text) == bool(told)


def test_without_matplotlib_it_is_said_how_to_get_it(result, capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    code, text = said(capsys, "map", result)
    assert code == 4
    assert "pip install 'micromag[plot]'" in text


def test_too_few_snapshots_for_an_xt_map(tmp_path, capsys):
    t = np.linspace(0, 1 * NS, 11)
    write_run(tmp_path / "run.vtkhdf", wall_config(), 5 * t, t)
    code, text = said(capsys, "xt", tmp_path)
    assert code == 6
    assert "too few snapshots" in text and "output.snapshots.every" in text


def test_an_xt_map_shows_the_walls_component_without_the_empty_cells(result):
    figure = xt_map(RunFile(result))
    axes, bar = figure.get_axes()
    assert "m_z" in bar.get_ylabel()
    mesh = axes.collections[0]
    values = np.asarray(mesh.get_array()).reshape(6, 40)
    # one row per instant, the one after the relaxation first; empty cells do not count
    x = MESH.centres(0)
    for k, row in enumerate(values):
        np.testing.assert_allclose(row, np.tanh((x - (10 * k - 20) * NM) / 5e-9), atol=1e-5)
    [wall] = axes.get_lines()
    assert wall.get_xdata()[[0, -1]] == pytest.approx([-20, 30])
    assert axes.get_ylim() == pytest.approx((0, 5))


def test_an_xt_map_of_a_moving_window_lies_in_the_laboratory(result, monkeypatch):
    run = RunFile(result)
    # The window has moved by as much as the wall: in it, the wall stands still.
    run.window_offset = np.array([[0, 0], *([10e-9 * k, 0] for k in range(6))])
    monkeypatch.setattr(type(run), "m", lambda self, k: state(-20e-9).astype(np.float32))
    axes = xt_map(run).get_axes()[0]
    values = np.ma.asarray(axes.collections[0].get_array()).reshape(6, 40 + 25)
    assert values[0].count() == values[5].count() == 40
    assert values.mask[0, 40:].all() and values.mask[5, :25].all()
    crossing = [np.interp(0, row.compressed(), np.arange(65)[~row.mask]) for row in values]
    np.testing.assert_allclose(np.diff(crossing), 5, atol=1e-6)  # 10 nm in cells
    assert axes.get_xlim() == pytest.approx((-40, 90))


def test_columns_of_one_unit_share_a_panel(result):
    figure = table_plot({"": RunFile(result)}, ["wall_position", "m_z", "wall_angle", "stage"])
    panels = figure.get_axes()
    assert [axes.get_ylabel() for axes in panels] == [
        "wall_position (nm)", "value", "wall_angle (rad)",
    ]  # fmt: skip
    assert [text.get_text() for text in panels[1].get_legend().get_texts()] == ["m_z", "stage"]
    line = panels[0].get_lines()[0]
    assert line.get_ydata()[[0, -1]] == pytest.approx([-20, 30])
    assert panels[-1].get_xlabel() == "$t$ (ns)"
    # where the angle goes round there is no line across the panel
    angle = panels[2].get_lines()[0].get_ydata()
    assert np.isnan(angle).sum() == 1 + int(10 / (2 * np.pi))
