"""Physics warnings: each appears where it should, with its numbers, and good runs have none."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import magnets as small
import numpy as np
import pytest

from micromag.config import RunConfig, load_config
from micromag.constants import MU_0
from micromag.magnets import fastest_mode, magnets
from micromag.sanity import warnings
from micromag.si_text import bytes_text, duration_text, si, si_vector

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
PERMALLOY: dict[str, Any] = {
    "mesh": {"cells": [64, 32, 1], "cell_size": [4e-9, 4e-9, 4e-9]},
    "material": {"Ms": 8e5, "alpha": 0.02},
    "energy": {"exchange": {"A": 13e-12}, "demag": {}},
    "schedule": ["relax", {"run": {"for": 1e-9}}],
}
WALL = {"uniaxial_anisotropy": {"Ku1": 0.8e6, "axis": [0, 0, 1]}}


def found(**sections: Any) -> str:
    """Return the warnings of a permalloy film with other sections, one per line."""
    return "\n".join(warnings(small.config(**{**PERMALLOY, **sections})))


def mesh(*cell_size: float, cells: tuple[int, ...] = (64, 32, 1), **more: Any) -> dict[str, Any]:
    return {"cells": cells, "cell_size": [edge * 1e-9 for edge in cell_size], **more}


def run(duration: float, **solver: Any) -> dict[str, Any]:
    return {"schedule": [{"run": {"for": duration}}], "solver": solver}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_run_files_have_no_warnings(path: Path) -> None:
    assert warnings(load_config(path)) == []


def test_a_good_film_has_no_warnings() -> None:
    assert found() == ""
    assert found(material={"Ms": 8e5, "alpha": 0.0}) == ""


def test_one_moment_needs_no_exchange() -> None:
    assert found(mesh=mesh(4, 4, 4, cells=(1, 1, 1)), energy={"zeeman": {"B": [0, 0, 1]}}) == ""


ZHANG_LI = {"u": [100, 0, 0], "beta": 0.1}
HALF = {"half": {"box": {"size": [128e-9, 1, 1]}}}
WALL_TABLE = {"output": {"table": {"columns": ["wall_position"]}}}
CASES: list[tuple[dict[str, Any], str]] = [
    ({"mesh": mesh(10, 10, 4)}, "10 nm long along x and y, more than the exchange length"),
    ({"mesh": mesh(4, 10, 4)}, "10 nm long along y, more than the exchange length"),
    ({"mesh": mesh(4, 4, 30)}, "30 nm thick and one cell, 5.3 exchange lengths"),
    ({"mesh": mesh(4, 4, 0.001)}, "the cells are 1 pm long along z; a number without a unit"),
    ({"mesh": mesh(4e9, 4e9, 4e9)}, "the cells are 4 m long along x; a number without a unit"),
    ({"mesh": mesh(4, 4, 4, cells=(134, 32, 1), periodic=[2, 0, 0])}, "prime factor 67"),
    ({"mesh": mesh(4, 4, 4, periodic=[50000, 50000, 0])}, "use fewer images"),
    ({"energy": {"demag": {}}}, "there is no exchange"),
    ({"material": {"Ms": 800, "alpha": 0.1}}, "material.Ms is 800 A/m, outside of what is usual"),
    ({"material": {"Ms": 8e5, "alpha": 2}}, "alpha = 2 is above 1"),
    ({"material": {"Ms": 8e5, "alpha": 1, "gamma": 28e9}}, "material.gamma is 2.8e+10 rad/(s T)"),
    ({"energy": {"exchange": {"A": 13}}}, "exchange.A is 13 J/m"),
    (
        {"regions": HALF, "material": {"Ms": {"default": 8e5, "half": 8}, "alpha": 0.1}},
        "material.Ms is 8 A/m",
    ),
    ({"torques": {"zhang_li": {**ZHANG_LI, "u": [0, 0, 0]}}}, "zhang_li does nothing: its u is 0"),
    ({"torques": {"spin_torque": {"sigma": "+y", "B_DL": 0}}}, "B_DL is 0 in every stage"),
    ({"torques": {"zhang_li": {**ZHANG_LI, "u": [0, 0, 9]}}}, "along an axis with one cell"),
    ({"torques": {"zhang_li": ZHANG_LI}, "schedule": ["relax"]}, "zhang_li never acts"),
    (run(1.0), "stage 0 (run for 1 s) needs some"),
    (run(1e-17), "ends before anything can move"),
    (run(1e-9, dt=1e-12), "the fixed step of 1 ps is longer than about"),
    (run(1e-15, dt=1e-14), "the fixed step of 10 fs is longer than stage 0"),
    ({"solver": {"max_error": 1e-9}, "precision": "single"}, "max_error = 1e-09 is below"),
    ({"output": {"table": {"every": 1e-6}}}, "output.table.every is 1 us, longer than all run"),
    ({"output": {"table": {"every": 1e-17}}}, "the table gets 1e+08 rows"),
    ({"output": {"snapshots": {"every": 1e-17}}}, "the result takes"),
    ({"output": {"snapshots": {"at": [0.0, 3e-9]}}}, "no snapshot at 3 ns"),
    ({**WALL_TABLE, "analysis": {"wall_velocity": {"stage": 0}}}, "the run stages are 1"),
    ({**WALL_TABLE, "analysis": {"wall_velocity": {}}}, "gets 1 rows and needs at least 4"),
]


@pytest.mark.parametrize(("sections", "says"), CASES, ids=[says for _, says in CASES])
def test_warning(sections: dict[str, Any], says: str) -> None:
    assert says in found(**sections)


NOTCHED = {
    "difference": [
        {"box": {"size": [1, 1, 1]}},
        {"cylinder": {"diameter": 40e-9, "center": [0, 64e-9, 0]}},
    ]
}
CONDUCTOR = {"J": [1e11, 0, 0], "P": 0.5, "conductivity": 4e6, "lambda_sf": 6e-9, "lambda_J": 2e-9}


@pytest.mark.parametrize("key", ["zhang_li", "transport"])
def test_a_uniform_current_past_a_notch(key: str) -> None:
    given = {"J": [1e11, 0, 0], "P": 0.5, "beta": 0.1} if key == "zhang_li" else CONDUCTOR
    assert f"{key}.J is the same everywhere" in found(geometry=NOTCHED, torques={key: given})
    assert found(torques={key: given}) == ""
    across = {**given, "J": [0, 0, 1e11]}  # through a film of any outline
    assert "same everywhere" not in found(geometry=NOTCHED, torques={key: across})


def test_layers_that_do_not_touch_are_not_coupled() -> None:
    def layers(gap: float) -> dict[str, Any]:
        low, high = (
            {"box": {"size": [1, 1, 1e-9], "center": [0, 0, z]}} for z in (-1.5e-9 + gap, 0.5e-9)
        )
        return {
            "mesh": {"cells": [4, 4, 4], "cell_size": [2e-9, 2e-9, 1e-9]},
            "geometry": {"union": [low, high]},
            "regions": {"free": high, "fixed": low},
            "energy": {"interlayer_exchange": {"J1": {"default": 0, "free:fixed": -1e-3}}},
        }

    says = "J1 of fixed:free does nothing, for the two share no face: the spacer takes no cells"
    assert says in found(**layers(0))
    touching = layers(1e-9)
    assert "share no face" not in found(**touching)
    touching["energy"]["exchange"] = {"A": 1e-11}
    assert "exchange holds fixed:free together as well" in found(**touching)
    touching["energy"]["exchange"] = {"A": {"default": 1e-11, "free:fixed": 0}}
    assert "together as well" not in found(**touching)


def test_a_coupling_of_layers_without_a_pair() -> None:
    everywhere = {"interlayer_exchange": {"J1": -1e-3}}
    assert "J1 is not for a pair of layers alone" in found(energy=everywhere)


def test_a_spin_hall_angle_in_percent() -> None:
    torque = {"spin_orbit": {"J": [1e11, 0, 0], "normal": "+z", "theta_sh": 10}}
    assert "theta_sh = 10 is above 1" in found(torques=torque)


def test_a_current_that_is_solved_for_may_pass_a_notch() -> None:
    assert (
        found(geometry=NOTCHED, torques={"transport": {**CONDUCTOR, "distribution": "solved"}})
        == ""
    )


def test_cells_are_compared_with_a_narrow_wall() -> None:
    fept = {"material": {"Ms": 1.1e6, "alpha": 0.1}, "energy": {"exchange": {"A": 1e-11}}}
    hard = {"uniaxial_anisotropy": {"Ku1": 6e6, "axis": [0, 0, 1]}}
    fept["energy"] |= hard
    assert "more than the wall parameter sqrt(A/K_eff) of 1.291 nm" in found(**fept)
    assert "wall parameter" not in found(**fept, mesh=mesh(1.2, 1.2, 1.2))


def test_lengths_of_a_perpendicular_film() -> None:
    film = {"energy": PERMALLOY["energy"] | WALL, "mesh": mesh(4, 4, 1, cells=(512, 512, 1))}
    (magnet,) = magnets(small.config(**{**PERMALLOY, **film}))
    assert magnet.exchange_length == pytest.approx(math.sqrt(2 * 13e-12 / (MU_0 * 8e5**2)))
    K_eff = 0.8e6 - MU_0 * 8e5**2 / 2
    assert magnet.wall_parameter == pytest.approx(math.sqrt(13e-12 / K_eff), rel=0.01)


def test_an_easy_axis_within_a_cube_keeps_its_anisotropy() -> None:
    cube = {"energy": PERMALLOY["energy"] | WALL, "mesh": mesh(4, 4, 4, cells=(8, 8, 8))}
    (magnet,) = magnets(small.config(**{**PERMALLOY, **cube}))
    assert magnet.wall_parameter == pytest.approx(math.sqrt(13e-12 / 0.8e6))


def test_fastest_mode_is_the_spin_wave_at_the_edge_of_the_zone() -> None:
    config: RunConfig = small.config(
        mesh=mesh(2, 2, 2, cells=(50, 1, 1)),
        energy={"exchange": {"A": 13e-12}, "zeeman": {"B": [0, 0, 0.5]}},
    )
    # On a chain (2 A/Ms) (2 - 2 cos k a)/a^2 is largest at k a = pi.
    expected = small.GAMMA * (0.5 + 2 * 13e-12 / 8e5 * 4 / (2e-9) ** 2)
    assert fastest_mode(config) == pytest.approx(expected)


def test_values_per_cell_are_left_alone() -> None:
    Ms = np.full((1, 32, 64), 8e5)
    assert found(material={"Ms": Ms, "alpha": np.full((1, 32, 64), 0.1)}) == ""


def test_a_current_in_a_later_stage_counts() -> None:
    torque = {"zhang_li": {**ZHANG_LI, "u": [0, 0, 0]}}
    later = {"run": {"for": 1e-9, "with": {"torques.zhang_li.u": [9, 0, 0]}}}
    assert found(torques=torque, schedule=["relax", {"run": {"for": 1e-9}}, later]) == ""


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (580e3, "A/m", "580 kA/m"),
        (15e-12, "J/m", "15 pJ/m"),
        (0.8e6, "J/m^3", "800 kJ/m^3"),
        (2e11, "A/m^2", "2e11 A/m^2"),
        (-1.23456e-9, "m", "-1.235 nm"),
        (9.99999e-10, "s", "1 ns"),
        (0.0, "T", "0 T"),
        (1e-30, "s", "1e-30 s"),
        (0.5, "1", "0.5"),
    ],
)
def test_values_are_written_as_people_read_them(value: float, unit: str, text: str) -> None:
    assert si(value, unit) == text


def test_sizes_and_spans_are_written_as_people_read_them() -> None:
    assert si_vector((4e-9, 0, -1e-9), "m") == "[4, 0, -1] nm"
    assert si_vector((0, 0, 1), "1") == "[0, 0, 1]"
    assert [bytes_text(n) for n in (12, 999.6, 3.25e9, 5e15)] == ["12 B", "1 kB", "3.25 GB", "5 PB"]
    spans = [duration_text(s) for s in (4.2, 60, 150, 5999, 7500, 2e5)]
    assert spans == ["4 s", "60 s", "2 min", "1 h 40 min", "2 h 05 min", "2.3 days"]
