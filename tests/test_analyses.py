"""Analyses of finished results: what they find in tables and snapshots whose content is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

import micromag as mm
from micromag.analysis import ANALYSES
from micromag.analysis._spectra import spectrum, strongest
from micromag.analysis.vortex_core import find_cores
from micromag.column import Column
from micromag.config import load_config
from micromag.errors import AnalysisError, ConfigErrors
from micromag.mesh import Mesh
from micromag.output.runfile import RunFile
from micromag.output.vtkhdf import VtkhdfWriter

DATA = Path(__file__).parent / "data"
NS = 1e-9
FLAT = Mesh(cells=(40, 30, 1), cell_size=(2e-9, 3e-9, 5e-9))
UNITS = {"t": "s", "stage": "", "m_x": "", "m_y": "", "E_total": "J"}
UNITS |= {"wall_position@a": "m", "wall_position@b": "m"}


def result(
    path: Path, table: Mapping[str, Sequence[float]], m: NDArray[np.float64] | None = None
) -> RunFile:
    """Return a result file with a table and one snapshot."""
    columns = [Column(name, UNITS[name], integer=name == "stage") for name in table]
    writer = VtkhdfWriter(path / "run.vtkhdf", FLAT, columns=columns)
    writer.append_rows(np.stack([np.asarray(values, float) for values in table.values()], axis=1))
    up = np.zeros((3, *FLAT.shape))
    up[2] = 1
    writer.write_snapshot(0.0, {"m": up if m is None else m})
    writer.close("finished")
    return RunFile(path / "run.vtkhdf")


@pytest.fixture
def swinging(tmp_path: Path) -> RunFile:
    """m_x = cos(2 pi t / 4 ns) in a run stage that starts at 1 ns, after a stage in which it is 1."""
    t = np.concatenate([[0, 0.5, 1], 1 + 0.01 * np.arange(1, 801)]) * NS
    m_x = np.where(t <= NS, 1, np.cos(2 * np.pi * (t - NS) / (4 * NS)))
    stage = np.where(t <= NS, 0, 1)
    return result(tmp_path, {"t": t, "stage": stage, "m_x": m_x, "E_total": -1e-18 * m_x})


def analysis(key: str, **parameters: object) -> object:
    return ANALYSES.get(key).model_validate(parameters)


# ---------------------------------------------------------------------------------- crossing


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, 1.0),
        ({"direction": "rising"}, 3.0),
        ({"direction": "falling", "after": "2 ns"}, 5.0),
        ({"level": -0.5}, 4 / 3),
        ({"level": 0.5, "direction": "rising"}, 10 / 3),
    ],
)
def test_a_crossing_is_timed_from_the_start_of_its_stage(swinging, parameters, expected):
    found = analysis("crossing", column="m_x", **parameters).time(swinging)
    assert found == pytest.approx(expected * NS, abs=2e-5 * NS)


def test_a_crossing_is_told_beside_the_published_time(swinging):
    crossing = analysis("crossing", column="m_x", published="0.98 ns", source="someone")
    told = crossing.report(swinging)
    assert told.startswith("m_x passes 0 at t = 1 ns of stage 1; published: 0.98 ns (someone)")
    assert "difference +20 ps (+2 %)" in told


def test_a_crossing_between_the_first_rows_counts_the_state_at_the_start(tmp_path):
    table = {"t": [0, 0, 1 * NS], "stage": [0, 0, 1], "m_x": [1, 0.5, -0.5]}
    assert analysis("crossing", column="m_x").time(result(tmp_path, table)) == pytest.approx(
        0.5 * NS
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"column": "m_z"}, "no column 'm_z'(.|\n)*t, stage, m_x, E_total"),
        ({"column": "m_x", "level": 2}, "never passes 2(.|\n)*-1 to 1 in 801 rows"),
        ({"column": "m_x", "stage": 0}, "never passes 0"),
        ({"column": "m_x", "after": "7.5 ns"}, "never passes 0"),
    ],
)
def test_a_crossing_that_is_not_there(swinging, parameters, message):
    with pytest.raises(AnalysisError, match=message):
        analysis("crossing", **parameters).report(swinging)


# ------------------------------------------------------------------------------ final values


def test_final_values_beside_published_ones(swinging):
    values = analysis("final_values", columns=["m_x", "E_total"], published={"m_x": 0.99})
    told = values.report(swinging)
    assert told == (
        "At the end of stage 1 m_x = 1, E_total = -1e-18 J; published: m_x = 0.99, difference +0.01."
    )
    assert analysis("final_values", columns=["m_x"], stage=0).values(swinging) == {"m_x": 1}


@pytest.mark.parametrize("parameters", [{"columns": ["m_z"]}, {"columns": ["m_x"], "stage": 5}])
def test_final_values_that_are_not_there(swinging, parameters):
    with pytest.raises(AnalysisError):
        analysis("final_values", **parameters).report(swinging)


@pytest.mark.parametrize(
    "parameters",
    [{}, {"columns": []}, {"columns": ["m_x"], "published": {"m_y": 1}}, {"column": "m_x"}],
)
def test_final_values_that_make_no_sense(parameters):
    with pytest.raises(ValidationError):
        analysis("final_values", **parameters)


def test_a_wrong_analysis_is_an_error_of_the_run_file():
    wrong = ["analysis={final_values: {columns: [m_x], published: {m_y: 1}}, crossing: {}}"]
    with pytest.raises(ConfigErrors) as caught:
        load_config(DATA / "good_run.yaml", wrong)
    assert "'m_y'" in str(caught.value)
    assert "'column' is missing" in str(caught.value)


# ------------------------------------------------------------------------------- vortex core


def swirl(**parameters: object) -> NDArray[np.float64]:
    kind = mm.Antivortex if parameters.pop("anti", False) else mm.Vortex
    return kind.model_validate(parameters).magnetization(FLAT, np.random.default_rng(0))


@pytest.mark.parametrize("polarity", [1, -1])
@pytest.mark.parametrize("circulation", [1, -1])
@pytest.mark.parametrize("center", [(0, 0), (7.3e-9, -11.1e-9)])
def test_a_vortex_is_found_where_it_is(circulation, polarity, center):
    m = swirl(circulation=circulation, polarity=polarity, center=(*center, 0), core_radius=9e-9)
    [core] = find_cores(m, FLAT)
    assert (core.winding, core.circulation, np.sign(core.m_z)) == (1, circulation, polarity)
    assert (core.x, core.y) == pytest.approx(center, abs=0.1e-9)


def test_an_antivortex_and_a_radial_vortex():
    [core] = find_cores(swirl(anti=True, core_radius=9e-9), FLAT)
    assert (core.winding, core.circulation) == (-1, 0)
    m = swirl(core_radius=9e-9)
    [core] = find_cores(np.stack([m[1], -m[0], m[2]]), FLAT)
    assert (core.winding, core.circulation) == (1, 0)


def test_a_vortex_in_a_disc_of_several_layers():
    mesh = Mesh(cells=(20, 20, 3), cell_size=(2e-9, 2e-9, 2e-9))
    m = mm.Vortex().magnetization(mesh, np.random.default_rng(0))
    x, y, _ = mesh.grid()
    m[:, np.broadcast_to(x**2 + y**2 > 20e-9**2, mesh.shape)] = 0
    [core] = find_cores(m, mesh)
    assert core.circulation == 1


def test_no_vortex_in_uniform_and_in_noisy_perpendicular_magnets(tmp_path):
    noise = 1e-4 * np.random.default_rng(1).normal(size=(3, *FLAT.shape))
    for direction in ((1, 0, 0), (0, 0, 1)):
        m = np.reshape(direction, (3, 1, 1, 1)) + noise
        assert find_cores(m / np.sqrt((m**2).sum(axis=0)), FLAT) == []
    run = result(tmp_path, {"t": [0.0], "stage": [0]})
    assert analysis("vortex_core").report(run) == "There is no vortex at the end."


def test_what_is_told_of_a_vortex(tmp_path):
    run = result(tmp_path, {"t": [0.0], "stage": [0]}, swirl(polarity=-1, core_radius=9e-9))
    told = analysis("vortex_core").report(run)
    assert told.startswith("At the end there is a counterclockwise vortex with its core down (m_z")
    assert told.endswith("at (x, y) = (0.00, 0.00) nm.")


# ---------------------------------------------------------------------------------- spectrum


@pytest.mark.parametrize("f", [1.0, 1.03, 1.0625, 1.1, 7.77])
def test_frequency_and_amplitude_between_the_bins(f):
    t = np.arange(1600) * 5e-3  # 8 ns
    line = strongest(*spectrum(t * NS, 0.3 + 0.7 * np.cos(2 * np.pi * f * t + 1)))
    assert line.frequency == pytest.approx(f * 1e9, rel=1e-4)
    assert line.amplitude == pytest.approx(0.7, rel=2e-3)


@pytest.mark.parametrize(
    "y", [np.zeros(400), np.linspace(0, 1, 400) ** 2, 5e-4 * np.sin(np.arange(400))]
)
def test_what_does_not_oscillate_has_no_line(y):
    assert strongest(*spectrum(np.arange(400) * NS, y)) is None


@pytest.mark.parametrize(
    ("rate", "says"), [(-0.5, "dies out by e in 2 ns"), (0.2, "grows by e in 5 ns")]
)
def test_an_oscillation_that_dies_out_or_grows(rate, says, tmp_path):
    t = np.arange(2001) * 0.005
    m_x = 0.1 * np.exp(rate * t) * np.cos(2 * np.pi * 6 * t)
    run = result(tmp_path, {"t": t * NS, "stage": 0 * t, "m_x": m_x})
    assert says in analysis("spectrum", after="0 s").report(run)


def test_the_spectrum_is_of_the_end_of_the_stage(swinging):
    # 8 ns of 0.25 GHz: one period in the second half is too little, in all of it two as well.
    assert "does not oscillate" in analysis("spectrum").report(swinging)
    t = np.arange(2001) * 0.01
    m_x = np.where(t < 10, np.cos(2 * np.pi * t), 0.5 * np.cos(2 * np.pi * 2 * t))
    swinging.path.unlink()
    run = result(swinging.path.parent, {"t": t * NS, "stage": 0 * t, "m_x": m_x})
    assert "m_x oscillates at 2 GHz with an amplitude of 0.5" in analysis("spectrum").report(run)
    told = analysis("spectrum", after="0 s").report(run)
    assert "m_x oscillates at 1" in told


def test_a_spectrum_needs_even_steps_and_rows(tmp_path):
    t = np.concatenate([np.arange(50), 50 + 2 * np.arange(50)]) * NS
    run = result(tmp_path, {"t": t, "stage": 0 * t, "m_x": np.cos(t / NS)})
    with pytest.raises(AnalysisError, match="not at even steps"):
        analysis("spectrum", after="0 s").report(run)
    with pytest.raises(AnalysisError, match="too few rows"):
        analysis("spectrum", after="140 ns").report(run)


# --------------------------------------------------------------------------------- racetrack

PULSES = {
    "positions": ["wall_position@a", "wall_position@b"],
    "period": "2 ns",
    "spacing": "50 nm",
}


def racing(folder: Path, ways: Sequence[float], *, lost: bool = False) -> RunFile:
    """Two walls 200 nm apart that two pulses move by ``ways`` [nm], after 1 ns of another stage."""
    t = np.concatenate([[0.0, 1.0], 1 + 0.02 * np.arange(1, 201)])
    done = np.interp(t, [1, 1.4, 3, 3.4, 5], [0, 1, 1, 2, 2])
    a, b = (-100 + ways[0] * done) * 1e-9, (100 + ways[1] * done) * 1e-9
    if lost:
        b[-10:] = np.nan
    stage = np.where(t <= 1, 0, 1)
    table = {"t": t * NS, "stage": stage, "wall_position@a": a, "wall_position@b": b}
    return result(folder, table)


def test_walls_that_pulses_move_together(tmp_path):
    found = analysis("racetrack", **PULSES)
    run = racing(tmp_path, (50, 51))
    np.testing.assert_allclose(np.diff(found.places(run), axis=0), [[50e-9, 51e-9]] * 2, rtol=1e-12)
    told = found.report(run)
    assert "Pulse 2 moves the walls by 50.0 and 51.0 nm, 1.00 and 1.02 places." in told
    assert "202.0 nm apart, 200.0 nm at the start: what is stored between them is kept" in told


@pytest.mark.parametrize("ways", [(50, 100), (25, 25), (50, 20)])
def test_walls_that_get_out_of_step(ways, tmp_path):
    assert "not kept" in analysis("racetrack", **PULSES).report(racing(tmp_path, ways))


def test_a_racetrack_without_walls_or_pulses(tmp_path):
    with pytest.raises(AnalysisError, match="no wall_position@b any more"):
        analysis("racetrack", **PULSES).report(racing(tmp_path, (50, 50), lost=True))
    long, run = {**PULSES, "period": "5 ns"}, RunFile(tmp_path / "run.vtkhdf")
    with pytest.raises(AnalysisError, match="before the first period"):
        analysis("racetrack", **long).report(run)
