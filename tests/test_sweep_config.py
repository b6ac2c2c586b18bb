"""The section ``sweep``: order and values of the points, what is refused, groups, round trips."""

from __future__ import annotations

import itertools
import math
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micromag.cli import main
from micromag.config import RunConfig, json_schema, load_config
from micromag.constants import MU_0
from micromag.errors import ConfigError, ConfigErrors, DeviceError, MicromagError
from micromag.estimate import output_size
from micromag.model import Model
from micromag.preview import preview
from micromag.sweep_points import SweepPoint, axes_of, batches, structure_key, sweep_points
from micromag.yaml_source import read_yaml, to_yaml

BASE = """\
title: a wall
device: cpu
mesh: {cells: [32, 8, 1], cell_size: [4 nm, 4 nm, 1 nm]}
regions: {notch: {box: {size: [20 nm, 1 um, 1 nm]}}}
material: {Ms: 580 kA/m, alpha: 0.1}
energy:
  exchange: {A: 15 pJ/m}
  uniaxial_anisotropy: {Ku1: 0.8 MJ/m^3, axis: [0, 0, 1]}
  zeeman: {B: [0, 0, 1 mT]}
torques:
  zhang_li: {J: [2e11 A/m^2, 0, 0], P: 0.5, beta: 0.15}
initial:
  domain_wall: {kind: bloch, from: +z, to: -z}
schedule:
  - relax: {}
  - run: {for: 1 ns}
  - run: {for: 1 ns, with: {torques.zhang_li.J: [0, 0, 0]}}
"""
Load = Callable[..., RunConfig]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Return the configuration of the base with a sweep, given as YAML in flow style."""

    def read(sweep: str, *overrides: str, base: str = BASE) -> RunConfig:
        path = tmp_path / "run.yaml"
        path.write_text(f"{base}sweep: {sweep}\n")
        return load_config(path, overrides)

    return read


def coordinates(config: RunConfig) -> list[tuple[Any, ...]]:
    return [tuple(point.coordinates.values()) for point in sweep_points(config)]


# -------------------------------------------------------------------- order and values


def test_product_in_the_order_of_the_file_the_last_axis_fastest(load: Load) -> None:
    config = load(
        "{material.alpha: [0.1, 0.2], seed: [1, 2, 3], 'torques.zhang_li.J[0]': [0, 1e11]}"
    )
    points = sweep_points(config)
    assert coordinates(config) == list(itertools.product([0.1, 0.2], [1, 2, 3], [0.0, 1e11]))
    assert [point.number for point in points] == list(range(12))
    assert [point.place for point in points] == list(
        itertools.product(range(2), range(3), range(2))
    )
    last = points[-1].config
    assert (last.material.alpha.value, last.seed) == (0.2, 3)
    assert last.torques[0][1].parameters()["J"].value == (1e11, 0.0, 0.0)
    assert points[7].label == "alpha = 0.2, seed = 1, J[0] = 1e11 A/m^2"
    assert all(point.config.sweep is None for point in points)


def test_all_that_is_not_swept_is_the_run_files(load: Load) -> None:
    config = load("{material.alpha: [0.1, 0.2]}")
    alone = load("{}")
    assert alone.sweep is None and sweep_points(alone)[0].config == alone
    first, second = (point.config for point in sweep_points(config))
    assert first == alone
    assert second == alone.with_overrides({"material.alpha": 0.2})
    assert {point.config.seed for point in sweep_points(config)} == {alone.seed}


@pytest.mark.parametrize(
    ("key", "values", "expected"),
    [
        ("material.alpha", "{from: 0.1, to: 0.3, count: 3}", [0.1, 0.2, 0.3]),
        ("material.alpha", "{from: 0.1, to: 0.3, step: 0.1}", [0.1, 0.2, 0.3]),
        ("material.alpha", "{from: 0.3, to: 0.1, step: -0.1}", [0.3, 0.2, 0.1]),
        ("material.alpha", "{from: 0, to: 1, step: 0.3}", [0, 0.3, 0.6, 0.9]),
        ("material.alpha", "{from: 0.1, step: 0.05, count: 3}", [0.1, 0.15, 0.2]),
        ("material.alpha", "{from: 1e-3, to: 1, count: 4, scale: log}", [1e-3, 1e-2, 1e-1, 1]),
        ("material.alpha", "{from: 10 %, to: 30 %, count: 3}", [0.1, 0.2, 0.3]),
        ("energy.zeeman.B[2]", "{from: -3 mT, to: 3 mT, step: 3 mT}", [-3e-3, 0, 3e-3]),
        ("energy.zeeman.B[2]", "{from: 0, to: 3 mT, count: 4}", [0, 1e-3, 2e-3, 3e-3]),
        ("energy.zeeman.B[2]", "{from: 900 uT, to: 2.7 mT, count: 3}", [9e-4, 1.8e-3, 2.7e-3]),
        ("energy.zeeman[0].B[2]", "[10 Oe, 2 G, 5]", [1e-3, 2e-4, 5]),
        ("energy.zeeman.B[2]", "[1 kA/m]", [1000 * MU_0]),
        ("energy.zeeman.B[2]", "{from: 1 kA/m, to: 2 kA/m, count: 2}", [1e3 * MU_0, 2e3 * MU_0]),
        (
            "torques.zhang_li.J[0]",
            "{from: -1e10 A/m^2, to: -1e13 A/m^2, count: 4, scale: log}",
            [-1e10, -1e11, -1e12, -1e13],
        ),
        ("torques.zhang_li.J", "[[0, 0, 0], [1 MA/m^2, 0, 0]]", [[0, 0, 0], [1e6, 0, 0]]),
        ("energy.uniaxial_anisotropy.axis", "[x, [0, 3, 4]]", [[1, 0, 0], [0, 0.6, 0.8]]),
        ("schedule[1].run.for", "[1 ns, 0.5 ns]", [1e-9, 5e-10]),
        ("schedule[2].run.with.torques.zhang_li.J[0]", "[0, 1e3 MA/m^2]", [0, 1e9]),
        ("mesh.cell_size[2]", "[1 nm, 1.5 nm]", [1e-9, 1.5e-9]),
        ("mesh.cells", "[[32, 8, 1], [16, 8, 2]]", [[32, 8, 1], [16, 8, 2]]),
        (
            "material.alpha",
            "[0.1, {default: 0.1, notch: 0.2}]",
            [0.1, {"default": 0.1, "notch": 0.2}],
        ),
        ("initial.domain_wall.position", "[0, 4 nm]", [0, 4e-9]),
        ("initial.domain_wall.kind", "[bloch, neel]", ["bloch", "neel"]),
        ("solver.dt", "[100 fs, 1 ps]", [1e-13, 1e-12]),
        ("precision", "[single, double]", ["single", "double"]),
        ("seed", "{from: 1, to: 9, count: 3}", [1, 5, 9]),
        ("seed", "{from: 7, step: 1, count: 2}", [7, 8]),
    ],
)
def test_values_are_exact_and_in_si(load: Load, key: str, values: str, expected: Any) -> None:
    config = load(f"{{'{key}': {values}}}")
    assert [point.coordinates[key] for point in sweep_points(config)] == expected
    assert [row[key] for row in axes_of(config)[0].values] == expected


def test_whole_sections_may_be_swept(load: Load) -> None:
    config = load("{initial: [{uniform: {direction: +z}}, {vortex: {circulation: -1}}]}")
    first, second = (point.config for point in sweep_points(config))
    assert first == load("{}", "initial={uniform: {direction: +z}}")
    assert second == load("{}", "initial={vortex: {circulation: -1}}")


def test_keys_that_go_together_are_one_axis(load: Load) -> None:
    pair = "{material.alpha: [0.1, 0.2], torques.zhang_li.beta: {from: 0.3, to: 0.4, count: 2}}"
    config = load(f"{{seed: [1, 2], zip: {pair}}}")
    assert coordinates(config) == [(1, 0.1, 0.3), (1, 0.2, 0.4), (2, 0.1, 0.3), (2, 0.2, 0.4)]
    seed, together = axes_of(config)
    assert (seed.name, together.name) == ("seed", "zip")
    assert together.keys == ("material.alpha", "torques.zhang_li.beta")
    assert together.labels == ("alpha = 0.1, beta = 0.3", "alpha = 0.2, beta = 0.4")
    several = load(f"{{zip: [{pair}, {{seed: [5, 6], solver.dt: [1 ps, 2 ps]}}]}}")
    assert [axis.name for axis in axes_of(several)] == ["zip", "zip_2"]
    assert len(sweep_points(several)) == 4


def test_named_points_leave_the_rest_alone(load: Load) -> None:
    config = load("{points: {rigid: {material.alpha: 0.15}, pinned: {torques.zhang_li.beta: 0}}}")
    (axis,) = axes_of(config)
    assert axis.labels == ("rigid", "pinned")
    assert coordinates(config) == [(0.15, 0.15), (0.1, 0.0)]
    assert [point.label for point in sweep_points(config)] == ["rigid", "pinned"]


def test_units_and_labels(load: Load) -> None:
    config = load(
        "{'torques.zhang_li.J[0]': [5e10, 1e11], seed: [1], material.Ms: [580 kA/m, 580.001 kA/m],"
        " 'energy.zeeman.B[2]': [0, 5 mT]}"
    )
    J, seed, Ms, B = axes_of(config)
    assert [axis.units[axis.name] for axis in (J, seed, Ms, B)] == ["A/m^2", "", "A/m", "T"]
    assert J.labels == ("5e10 A/m^2", "1e11 A/m^2") and seed.labels == ("1",)
    assert Ms.labels == ("580 kA/m", "580.001 kA/m")  # as many digits as tell them apart
    assert B.labels == ("0 T", "5 mT")


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("5e10\n\n# higher\n1e11\n", "{file: J.txt}"),
        ("J (A/m^2), n\n5e10, 1\n1e11, 2\n", "{file: J.txt, column: J}"),
        ('n; "J [GA/m^2]"\n1; 50\n2; 100\n', "{file: J.txt, column: J}"),
        ("n J\n1 50\n2 100\n", "{file: J.txt, column: J, unit: GA/m^2}"),
        ("50 GA/m^2\n100 GA/m^2\n", "{file: J.txt}"),
        ("J (GA/m^2)\n50\n100\n", "{file: J.txt}"),
        ("50\n100\n", "{file: J.txt, unit: GA/m^2}"),
        ("J\tn\n5e10\t1\n1e11\t2\n", "{file: J.txt, column: J}"),
    ],
)
def test_values_from_a_file(load: Load, tmp_path: Path, text: str, form: str) -> None:
    (tmp_path / "J.txt").write_text(text)
    config = load(f"{{'torques.zhang_li.J[0]': {form}}}")
    assert coordinates(config) == [(5e10,), (1e11,)]


def test_seeds_from_a_file_are_whole_numbers(load: Load, tmp_path: Path) -> None:
    (tmp_path / "seeds.txt").write_text("3\n5\n")
    config = load("{seed: {file: seeds.txt}}")
    assert [point.config.seed for point in sweep_points(config)] == [3, 5]


def test_a_required_value_may_come_from_the_sweep_alone(load: Load) -> None:
    base = BASE.replace(", alpha: 0.1", "")
    config = load("{material.alpha: [0.2, 0.3]}", base=base)
    assert [p.config.material.alpha.value for p in sweep_points(config)] == [0.2, 0.3]
    with pytest.raises(ConfigErrors, match="the key 'alpha' is missing"):
        load("{points: {a: {material.alpha: 0.2}, b: {seed: 2}}}", base=base)


@given(
    start=st.decimals(-1000, 1000, places=3),
    span=st.decimals("0.001", 1000, places=3),
    count=st.integers(2, 50),
)
@settings(max_examples=50, deadline=None)
def test_ranges_are_the_nearest_floats(start: Any, span: Any, count: int) -> None:
    from fractions import Fraction

    from micromag.sweep_values import read_range

    ends = {"from": float(start), "to": float(start + span), "count": count}
    step = Fraction(span) / (count - 1)
    assert read_range(ends, 100) == [float(Fraction(start) + i * step) for i in range(count)]


# -------------------------------------------------------------------- round trips


SWEEPS = [
    "{'torques.zhang_li.J[0]': {from: 5e10 A/m^2, to: 4e11 A/m^2, count: 7}, material.alpha: [0.1]}",
    "{zip: [{material.alpha: [0.1, 0.2], seed: [1, 2]}, {solver.dt: [1 ps], precision: [double]}]}",
    "{points: {a: {'energy.zeeman[0].B[2]': 3 mT}, b: {material.alpha: {default: 0.1, notch: 0.2}}}}",
    "{'mesh.size[0]': [128 nm, 100 nm]}",
    "{initial: [{uniform: {direction: +z}}, {file: start.ovf}]}",
    "{'energy.zeeman.B': [[0, 0, 1 mT], {value: [0, 0, 1 mT], waveform: {sine: {frequency: 1 GHz}}}]}",
    "{'schedule[2].run.with.torques.zhang_li.J': [[0, 0, 0], [1e11 A/m^2, 0, 0]]}",
    "{'regions.notch': [{box: {}}, {box: {size: [12 nm, 1 um, 1 nm]}}]}",
]


@pytest.mark.parametrize("sweep", SWEEPS)
def test_resolved_run_file_gives_the_same_replicas(load: Load, tmp_path: Path, sweep: str) -> None:
    (tmp_path / "start.ovf").write_text("never read here")
    base = BASE.replace("cell_size: [4 nm, 4 nm, 1 nm]", "size: [130 nm, 32 nm, 1 nm]")
    config = load(sweep, base=base if "mesh.size" in sweep else BASE)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "again.yaml").write_text(config.resolved_yaml())
    again = load_config(elsewhere / "again.yaml")
    assert again == config and again.resolved_yaml() == config.resolved_yaml()
    for mine, theirs in zip(sweep_points(config), sweep_points(again), strict=True):
        assert mine.config == theirs.config
        assert mine.label == theirs.label and mine.coordinates == theirs.coordinates


@pytest.mark.parametrize("sweep", SWEEPS)
def test_a_replicas_run_file_alone_is_that_replica(load: Load, tmp_path: Path, sweep: str) -> None:
    (tmp_path / "start.ovf").write_text("never read here")
    base = BASE.replace("cell_size: [4 nm, 4 nm, 1 nm]", "size: [130 nm, 32 nm, 1 nm]")
    for point in sweep_points(load(sweep, base=base if "mesh.size" in sweep else BASE)):
        text = point.config.resolved_yaml()
        assert "sweep" not in read_yaml(text, "").plain()
        (tmp_path / "one.yaml").write_text(text)
        assert load_config(tmp_path / "one.yaml") == point.config


def test_values_of_a_file_are_written_out(load: Load, tmp_path: Path) -> None:
    (tmp_path / "J.txt").write_text("1e11\n2e11\n")
    resolved = load("{'torques.zhang_li.J[0]': {file: J.txt}}").resolved_yaml()
    assert read_yaml(resolved, "").plain()["sweep"] == {"torques.zhang_li.J[0]": [1e11, 2e11]}


def test_a_configuration_built_in_python_is_swept_too(load: Load) -> None:
    sweep = {"material.alpha": [0.1, 0.2], "schedule[1].run.for": ["1 ns", 2e-9]}
    data = {**read_yaml(BASE, "").plain(), "sweep": sweep}
    config = RunConfig.model_validate(data)
    assert coordinates(config) == [(0.1, 1e-9), (0.1, 2e-9), (0.2, 1e-9), (0.2, 2e-9)]
    changed = config.with_overrides({"sweep": {}, "sweep.seed": [4]})
    assert [point.config.seed for point in sweep_points(changed)] == [4]
    with pytest.raises(ConfigErrors, match="did you mean 'alpha'"):
        config.with_overrides({"sweep.material.alfa": [1]})


# -------------------------------------------------------------------- the command line


def test_options_reach_into_the_sweep(load: Load) -> None:
    sweep = "{material.alpha: [0.1, 0.2], 'torques.zhang_li.J[0]': {from: 0, to: 1e11, count: 3}}"
    assert len(sweep_points(load(sweep, "sweep={}"))) == 1
    assert len(sweep_points(load(sweep, "sweep.material.alpha=[0.3]"))) == 3
    fewer = load(sweep, "sweep.torques.zhang_li.J[0].count=2", "sweep.material.alpha[1]=0.5")
    assert coordinates(fewer) == [(0.1, 0), (0.1, 1e11), (0.5, 0), (0.5, 1e11)]
    other = load(sweep, "sweep.torques.zhang_li.J[0]=[7]", "sweep.seed={from: 1, to: 2, count: 2}")
    assert coordinates(other)[-1] == (0.2, 7.0, 2)
    whole = load(sweep, "sweep={}", "material.alpha=0.7")
    assert whole.material.alpha.value == 0.7
    # The other components of a vector of which one is swept.
    turned = load(sweep, "torques.zhang_li.J=[1, 2, 3]")
    assert sweep_points(turned)[1].config.torques[0][1].parameters()["J"].value == (5e10, 2, 3)
    zipped = load("{zip: {material.alpha: [0.1], seed: [1]}}", "sweep.zip.material.alpha=[0.9]")
    assert coordinates(zipped) == [(0.9, 1)]
    named = load("{points: {a: {material.alpha: 0.1}}}", "sweep.points.a.material.alpha=0.9")
    assert coordinates(named) == [(0.9,)]


@pytest.mark.parametrize(
    ("sweep", "option", "cure"),
    [
        ("{material.alpha: [0.1]}", "material.alpha=0.3", "sweep.material.alpha=[VALUE]"),
        ("{seed: [1, 2]}", "seed=3", "sweep.seed=[VALUE]"),
        ("{initial: [{random: {}}]}", "initial.random={}", "sweep.initial=[VALUE]"),
        ("{zip: {seed: [1], material.alpha: [0.1]}}", "seed=3", "sweep.zip"),
        ("{points: {a: {seed: 1}, b: {seed: 2}}}", "seed=3", "sweep.points"),
    ],
)
def test_an_option_that_the_sweep_overrules_is_refused(
    load: Load, sweep: str, option: str, cure: str
) -> None:
    with pytest.raises(
        ConfigErrors, match="is swept, so a value for it alone has no effect"
    ) as caught:
        load(sweep, option)
    assert cure in str(caught.value) and "--set 'sweep={}'" in str(caught.value)


def test_a_named_points_rest_can_be_set(load: Load) -> None:
    config = load("{points: {a: {seed: 4}, b: {material.alpha: 0.2}}}", "seed=3")
    assert coordinates(config) == [(4, 0.1), (3, 0.2)]


def test_a_file_that_extends_another_adds_and_replaces_axes(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(
        BASE + "sweep: {seed: [1, 2], material.alpha: {from: 0.1, to: 0.3, count: 3}}\n"
    )
    text = "extends: base.yaml\nsweep: {material.alpha: {from: 0, step: 1, count: 2}, solver.dt: [1e-12]}\n"
    (tmp_path / "run.yaml").write_text(text)
    config = load_config(tmp_path / "run.yaml")
    assert [len(axis.values) for axis in axes_of(config)] == [2, 2, 1]


# -------------------------------------------------------------------- what is refused


WRONG = [
    ("{material.alfa: [0.1]}", "sweep.material.alfa[0]: unknown key 'alfa'; did you mean 'alpha'"),
    ("{torques.zhangli.J: [[0, 0, 0]]}", "did you mean 'zhang_li'"),
    ("{materal.alpha: [0.1]}", "unknown key 'materal'; did you mean 'material'"),
    (
        "{material.alpha: [0.1, 1 nm]}",
        "sweep.material.alpha[1]: '1 nm' is a length (m), but a pure",
    ),
    (
        "{material.alpha: {from: 1 nm, to: 3 nm, count: 3}}",
        "value 1 of 3 (1 nm): '1 nm' is a length",
    ),
    ("{material.alpha: {from: 1, to: 3 nm, count: 3}}", "units of one kind"),
    ("{material.alpha: {from: 1 nm, to: 3 nT, count: 3}}", "'nT' and 'nm' do not go together"),
    ("{material.alpha: {from: -1, to: 1, count: 3}}", "value 1 of 3 (-1): -1.0 is out of range"),
    ("{material.alpha: {from: 0, to: 1, count: 0}}", "0 is out of range; allowed: 1 to"),
    ("{material.alpha: {from: 0, to: 1, count: 2.5}}", "2.5 is not a whole number"),
    ("{material.alpha: {from: 0, to: 1, count: 1}}", "would be either of its ends"),
    ("{material.alpha: {from: 0, to: 1, count: 3, scale: log}}", "cannot touch or cross 0"),
    ("{material.alpha: {from: -1, to: 1, count: 3, scale: log}}", "cannot touch or cross 0"),
    ("{material.alpha: {from: 1, to: 2, step: 1, scale: log}}", "logarithmic range has no step"),
    ("{material.alpha: {from: 1, to: 2, count: 2, scale: lgo}}", "did you mean 'log'"),
    ("{material.alpha: {from: 0, to: 1, step: -0.1}}", "the range is empty"),
    ("{material.alpha: {from: 0, to: 1, step: 0}}", "the step is 0"),
    ("{material.alpha: {from: 0, to: 1, step: 1e-9}}", "so short that there are 1e+09 values"),
    ("{material.alpha: {from: 1, to: 1, count: 3}}", "3 times the same value"),
    ("{material.alpha: {from: 0, to: 1}}", "count or step is missing"),
    ("{material.alpha: {from: 0, to: 1, count: 3, step: 1}}", "too many for a range"),
    ("{material.alpha: {to: 1, count: 3}}", "from is missing"),
    ("{seed: {count: 4}}", "from and to are missing"),
    ("{seed: {from: 1, to: 8, count: 4, log: true}}", "{from, to, count, scale: log}"),
    ("{material.alpha: {from: 0, too: 1, count: 3}}", "did you mean 'to'"),
    ("{material.alpha: {from: .nan, to: 1, count: 3}}", "nan is not a finite number"),
    ("{material.alpha: {from: no, to: 1, count: 3}}", "'no' is not a number"),
    ("{material.alpha: 0.1}", "a list of values is needed, not 0.1"),
    ("{material.alpha: }", "a list of values is needed, not nothing"),
    ("{material.alpha: []}", "an empty list of values"),
    ("{material.alpha: [null]}", "the value is missing"),
    ("{material: {alpha: [0.1]}}", "a key is one path: material.alpha"),
    ("{torques.zhang_li.J: [1e11 A/m^2, 0, 0]}", "a vector [x, y, z] is needed"),
    ("{'torques.zhang_li.J[3]': [0]}", "torques.zhang_li.J has 3 entries"),
    ("{'material.Ms[0]': [1]}", "material.Ms is not a list"),
    ("{'schedule[5].run.for': [1 ns]}", "schedule has 3 entries"),
    ("{'schedule[2].run.with.torques.zhang_li.J': [[0, 0]]}", "3 components, not 2"),
    ("{torques.zhang_li.u: [[1, 0, 0]]}", "the current is given twice"),
    ("{seed: [1.5]}", "1.5 is not a whole number"),
    ("{seed: {from: 1, to: 4, count: 3}}", "value 2 of 3 (2.5): 2.5 is not a whole number"),
    ("{seed: [-1]}", "-1 is out of range"),
    ("{device: [gpu]}", "no device is called 'gpu'"),
    ("{'material..alpha': [1]}", "is not a key path"),
    ("{sweep: [1]}", "'sweep' cannot be swept"),
    (
        "{analysis.wall_velocity.after: [1 ns]}",
        "'analysis' cannot be swept: an analysis is made of",
    ),
    ("{output.directory: [a, b]}", "'output.directory' cannot be swept"),
    ("{title: [a, b]}", "'title' cannot be swept"),
    (
        "{zip: {material.alpha: [0.1, 0.2], seed: [1]}}",
        "equally many values (material.alpha: 2, seed: 1)",
    ),
    ("{zip: []}", "an empty list"),
    ("{zip: 5}", "keys that go together are a mapping, not 5"),
    ("{points: {}}", "named points are a mapping"),
    ("{points: {a: 5}}", "the point 'a' is a mapping"),
    ("{points: {a: {material.alpha: 5 nm}}}", "sweep.points.a.material.alpha: '5 nm' is a length"),
    ("{seed: [1], seed: [2]}", "duplicate key 'seed'"),
    ("{seed: [1], zip: {seed: [2]}}", "the key 'seed' is swept twice"),
    ("{energy.zeeman.B: [[0, 0, 0]], 'energy.zeeman[0].B': [[0, 0, 0]]}", "is swept twice"),
    (
        "{torques.zhang_li.J: [[0, 0, 0]], 'torques.zhang_li.J[0]': [0]}",
        "is a part of 'torques.zhang_li.J'",
    ),
    (
        "{seed: {from: 1, step: 1, count: 2000}, solver.dt: {from: 1, to: 2, count: 2000}}",
        "4000000 replicas",
    ),
    (
        "{solver.min_dt: [1 fs, 1 ns], solver.max_dt: [2 ns, 1 ps]}",
        "replica 3 (min_dt = 1 ns, max_dt = 1 ps",
    ),
    ("{solver.method: [rk45, rk4]}", "sweep.solver.method[1]: rk4 has no error estimate"),
    ("{initial: [{random: {}}, {skyrmon: {}}]}", "did you mean 'skyrmion'"),
    ("{material.alpha: [0.1, {default: 0.1, hole: 0.2}]}", "no region is called 'hole'"),
    (
        "{seed: {file: numbers.csv}}",
        "numbers.csv has several columns: which one?; allowed: column: J or n",
    ),
    ("{seed: {file: numbers.csv, column: m}}", "numbers.csv has no column 'm'"),
    ("{seed: {file: numbers.csv, colum: n}}", "did you mean 'column'"),
    ("{seed: {file: numbers.csv, column: n, unit: mV}}", "line 2 of numbers.csv (1 mV)"),
    ("{seed: {file: numbers.csv, column: n, unit: furlong}}", "unknown unit 'furlong'"),
    ("{seed: {file: numbers.csv, column: J, unit: V}}", "'A/m^2' in the file and 'V' here"),
    ("[1, 2]", "a sweep is a mapping, not a list"),
    ("5", "a sweep is a mapping, not 5"),
]


@pytest.mark.parametrize(("sweep", "says"), WRONG)
def test_wrong_sweeps_are_told_at_their_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sweep: str, says: str
) -> None:
    (tmp_path / "numbers.csv").write_text("J (A/m^2), n\n1e11, 1\n2e11, 2\n")
    path = tmp_path / "run.yaml"
    path.write_text(f"{BASE}sweep: {sweep}\n")
    assert main(["validate", str(path)]) == 2
    message = capsys.readouterr().err
    line = BASE.count("\n") + 1
    told = [text for text in message.splitlines() if says in text]
    assert told, message
    assert told[0].startswith(f"{path}:{line}:"), message
    assert f"   {line} | sweep: " in message and "Traceback" not in message


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "there is no file"),
        ("1e11\ntwo\n", "line 2 of"),
        ("J (furlong)\n1\n", "unknown unit 'furlong'"),
        ("# nothing\n", "holds no numbers"),
        ("1\n2 nm\nx\n", "line 3 of"),
    ],
)
def test_files_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, says: str
) -> None:
    if content is not None:
        (tmp_path / "J.txt").write_text(content)
    (tmp_path / "run.yaml").write_text(
        f"{BASE}sweep: {{'torques.zhang_li.J[0]': {{file: J.txt}}}}\n"
    )
    assert main(["validate", str(tmp_path / "run.yaml")]) == 6
    assert says in capsys.readouterr().err


def test_many_values_wrong_in_the_same_way_are_told_once(load: Load) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load("{material.alpha: {from: -1, to: 1, count: 21}, seed: [1.5, 2]}")
    first, second = caught.value.problems
    assert "value 1 of 21 (-1)" in first and "so are 9 more" in first
    assert "sweep.seed[0]" in second


def test_a_wrong_run_file_is_told_beside_its_sweep(load: Load) -> None:
    with pytest.raises(ConfigErrors, match="did you mean 'precision'"):
        load("{seed: [1]}", base="precison: single\n" + BASE)


# -------------------------------------------------------------------- structure and batches


def key_of(load: Load, *overrides: str) -> Any:
    return structure_key(load("{}", *overrides))


@pytest.mark.parametrize(
    "override",
    [
        "material.Ms=600 kA/m",
        "material.alpha=0.3",
        "material.gamma=1.7e11",
        "torques.zhang_li.J=[0, 0, 0]",
        "torques.zhang_li.beta=0",
        "energy.exchange.A=0",
        "seed=7",
        "title=other",
        "initial={random: {}}",
        "schedule[1].run.for=3 ns",
        "schedule[0].relax.max_torque=1 mT",
        "schedule[2].run.with={torques.zhang_li.J: [1e11, 0, 0]}",
        "solver.max_error=1e-6",
        "solver.max_dt=1 ps",
        "output.table.every=1 ps",
        "output.snapshots.every=1 ps",
    ],
)
def test_numbers_are_no_structure(load: Load, override: str) -> None:
    assert key_of(load, override) == key_of(load)


@pytest.mark.parametrize(
    "override",
    [
        "mesh.cells=[32, 8, 2]",
        "mesh.cell_size=[4 nm, 4 nm, 2 nm]",
        "mesh.periodic=[1, 0, 0]",
        "precision=double",
        "device=auto",
        "geometry={ellipse: {size: [100 nm, 30 nm]}}",
        "regions.notch={box: {size: [24 nm, 1 um, 1 nm]}}",
        "regions.other={box: {}}",
        "energy.demag={}",
        "energy.zeeman=[{B: [0, 0, 1 mT]}, {B: [0, 0, 1 mT]}]",
        "energy.zeeman.B={value: [0, 0, 1 mT], waveform: {sine: {frequency: 1 GHz}}}",
        "material.alpha={default: 0.1, notch: 0.2}",
        "material.Ms={default: 580 kA/m, notch: 580 kA/m}",
        "schedule[0]=minimize",
        "schedule[0].relax.method=rk45",
        "schedule[0].relax.currents=true",
        "schedule[1].run.with={energy.exchange.A: {default: 1 pJ/m, notch: 2 pJ/m}}",
        "schedule=[{run: {for: 1 ns}}]",
        "solver.dt=1 ps",
        "solver.method=rk23",
        "output.table.columns=[m]",
        "output.snapshots.quantities=[m, B_zeeman]",
    ],
)
def test_all_else_is_structure(load: Load, override: str) -> None:
    assert key_of(load, override) != key_of(load)


def test_forms_of_waveforms_are_structure_and_their_numbers_are_not(load: Load) -> None:
    def key(wave: str) -> Any:
        return key_of(load, f"energy.zeeman.B={{value: [0, 0, 1 mT], waveform: {wave}}}")

    sine = key("{sine: {frequency: 1 GHz}}")
    assert key("{sine: {frequency: 2 GHz, phase: 1}}") == sine
    assert key("{pulse: {duration: 1 ns}}") != sine
    short = key("{table: {times: [0, 1e-9], values: [0, 1]}}")
    assert key("{table: {times: [0, 2e-9], values: [1, 2]}}") == short
    assert key("{table: {times: [0, 1e-9, 2e-9], values: [0, 1, 0]}}") != short
    step = key("{expression: 'heaviside(t - 1 ns)'}")
    assert key("{expression: 'heaviside(t - 2 ns)'}") == step


def test_empty_cells_are_structure(load: Load, tmp_path: Path) -> None:
    import numpy as np

    hole = "material.Ms={default: 580 kA/m, notch: 0}"
    filled = "material.Ms={default: 580 kA/m, notch: 500 kA/m}"
    assert key_of(load, hole) != key_of(load, filled)
    Ms = np.full((1, 8, 32), 5e5)
    np.save(tmp_path / "a.npy", Ms)
    np.save(tmp_path / "b.npy", 1.1 * Ms)
    Ms[0, 0, 0] = 0
    np.save(tmp_path / "c.npy", Ms)
    a, b, c = (key_of(load, f"material.Ms={{file: {name}.npy}}") for name in "abc")
    assert a == b != c


SOME: dict[str, list[Any]] = {
    "material.alpha": [0.1, 0.2, {"default": 0.1, "notch": 0.3}],
    "material.Ms": [5e5, 6e5, {"default": 5e5, "notch": 0}],
    "energy.zeeman.B": [
        [0, 0, 0],
        {"value": [0, 0, 1e-3], "waveform": {"sine": {"frequency": "1 GHz"}}},
        {"value": [0, 0, 1e-3], "waveform": {"table": {"times": [0, 1e-9], "values": [0, 1]}}},
        {"value": [0, 0, 1], "waveform": {"table": {"times": [0, 1, 2], "values": [0, 1, 0]}}},
    ],
    "torques.zhang_li.J": [[0, 0, 0], [1e11, 0, 0]],
    "mesh.cells": [[32, 8, 1], [16, 8, 1]],
    "seed": [1, 2],
    "energy.exchange.A": [0, 1e-11, {"default": 1e-11, "notch": 2e-11, "default:notch": 0}],
}


@given(
    axes=st.dictionaries(st.sampled_from(sorted(SOME)), st.none(), min_size=1, max_size=4),
    limit=st.integers(1, 7),
    data=st.data(),
)
@settings(max_examples=25, deadline=None)
def test_batches_hold_every_replica_once_and_make_models(
    axes: Mapping[str, None], limit: int, data: st.DataObject
) -> None:
    chosen = {
        key: data.draw(st.lists(st.sampled_from(SOME[key]), min_size=1, max_size=3)) for key in axes
    }
    config = RunConfig.model_validate({**read_yaml(BASE, "").plain(), "sweep": chosen})
    points = sweep_points(config)
    parts = batches(points, lambda part: len(part) <= limit)
    assert sorted(p.number for part in parts for p in part) == list(range(len(points)))
    for part in parts:
        assert len(part) <= limit
        assert [p.number for p in part] == sorted(p.number for p in part)
        assert len({structure_key(p.config) for p in part}) == 1
        assert Model([p.config for p in part]).replicas == len(part)  # raises where they do not fit
    whole = batches(points, lambda part: True)
    assert len(whole) == len({structure_key(p.config) for p in points})


def test_models_refuse_what_structures_tell_apart(load: Load) -> None:
    config = load(
        "{energy.zeeman.B: [[0, 0, 0], {value: [0, 0, 1], waveform: {sine: {frequency: 1}}}]}"
    )
    points = sweep_points(config)
    assert len(batches(points, lambda part: True)) == 2
    with pytest.raises(MicromagError, match="differ in more than values"):
        Model([point.config for point in points])


def test_batches_are_about_equally_large_and_never_fail(load: Load) -> None:
    points = sweep_points(load("{seed: {from: 1, step: 1, count: 33}}"))

    def sizes(limit: int) -> list[int]:
        return [len(part) for part in batches(points, lambda part: len(part) <= limit)]

    assert sizes(32) == [17, 16] and sizes(33) == [33] and sizes(8) == [7, 7, 7, 6, 6]
    assert sizes(0) == [1] * 33  # each is refused by itself, with its own numbers


# -------------------------------------------------------------------- speed, schema, preview


def rebuilds(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return a list that grows with every configuration that is made from another one."""
    made: list[object] = []
    rebuilt = RunConfig.rebuilt

    def counted(self: RunConfig, *args: Any, **kwargs: Any) -> RunConfig:
        made.append(self)
        return rebuilt(self, *args, **kwargs)

    monkeypatch.setattr(RunConfig, "rebuilt", counted)
    return made


def test_a_thousand_points_are_not_made_again_and_again(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = "{'torques.zhang_li.J[0]': {from: 0, to: 1e12, count: 100}, seed: {from: 1, step: 1, count: 10}}"
    made = rebuilds(monkeypatch)
    points = sweep_points(load(sweep))
    parts = batches(points, lambda part: len(part) <= 64)
    assert len(points) == 1000 and len(parts) == 16
    assert len(made) <= 2 * (1000 + 100 + 10) + 10  # checked, then made


def test_only_the_points_that_are_wanted_are_made(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = "{material.alpha: {from: 0, to: 1, count: 1000}, seed: {from: 1, step: 1, count: 900}}"
    made = rebuilds(monkeypatch)
    config = load(sweep)
    (point,) = sweep_points(config, [899_999])
    assert point.place == (999, 899) and point.coordinates["seed"] == 900
    assert len(made) <= 1 + 3 * (1000 + 900)  # each value alone, and the one point


def test_schema_describes_the_sweep() -> None:
    schema = json_schema()["properties"]["sweep"]
    assert {"zip", "points"} <= set(schema["properties"])
    forms = schema["additionalProperties"]["anyOf"]
    assert [form["type"] for form in forms] == ["array", "object", "object"]


def test_preview_of_a_sweep(load: Load) -> None:
    text = preview(
        load(
            "{'torques.zhang_li.J[0]': {from: 0, to: 3.5e11 A/m^2, count: 8}, precision: [single, double],"
            " points: {small: {material.alpha: 0.1}, odd: {material.alpha: 2}}}"
        )
    )
    assert "32 replicas = 8 x 2 x 2" in text
    assert "torques.zhang_li.J[0]: 0 A/m^2 to 3.5e11 A/m^2, 8 values" in text
    assert "precision: single, double" in text and "points (material.alpha): small, odd" in text
    assert "2 of 2 structures: 2 x 16 replicas" in text
    assert "replica_0000.vtkhdf to replica_0031.vtkhdf" in text
    assert text.count("the damping alpha = 2 is above 1") == 1
    assert "in 16 of 32 replicas, such as 1 (" in text


def test_a_torque_that_is_off_in_some_replicas_is_meant(load: Load) -> None:
    some = preview(load("{'torques.zhang_li.J[0]': [0, 1e11 A/m^2]}"))
    none = preview(load("{'torques.zhang_li.J[0]': [0], seed: [1, 2]}"))
    assert "does nothing" not in some and none.count("zhang_li does nothing") == 1


def test_preview_looks_at_every_replicas_mesh(load: Load) -> None:
    with pytest.raises(ConfigErrors, match="outside the mesh") as caught:
        preview(load("{initial.domain_wall.position: [0, 1 nm, 300 nm]}"))
    assert f"run.yaml:{BASE.count(chr(10)) + 1}:" in str(caught.value)


def test_preview_names_the_replica_whose_value_overflows(load: Load) -> None:
    sweep = "{energy.uniaxial_anisotropy.Ku1: [1e5, 1e39]}"
    with pytest.raises(ConfigError, match=r"replica 1 \(Ku1 = 1e39.*does not fit single precision"):
        preview(load(sweep))
    assert "2 replicas" in preview(load(sweep, "precision=double"))


def test_preview_adds_up_the_files_of_all_replicas(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load("{seed: {from: 1, step: 1, count: 40}}")
    alone = output_size(sweep_points(config, [0])[0].config).bytes
    for room, fits in ((60 * alone, True), (20 * alone, False)):
        monkeypatch.setattr("shutil.disk_usage", lambda _, room=room: SimpleNamespace(free=room))
        if fits:
            assert "40 replicas" in preview(config)
        else:
            with pytest.raises(DeviceError, match="results of the sweep do not fit on the disk"):
                preview(config)


def test_preview_of_a_hundred_replicas_makes_each_a_few_times(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load("{seed: {from: 1, step: 1, count: 100}}")
    made = rebuilds(monkeypatch)
    preview(config)
    assert len(made) <= 10 * 100


def test_validating_a_sweep_imports_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(f"{BASE}sweep: {{seed: [1, 2]}}\n")
    heavy = ("scipy", "h5py", "pint", "cupy", "matplotlib", "dask", "micromag.sweep.run")
    code = "from micromag.cli import main; import sys; main(['validate', 'run.yaml'])\n"
    code += f"print([name for name in {heavy} if name in sys.modules])"
    root = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_size_of_the_whole(load: Load) -> None:
    from micromag.estimate import output_bytes
    from micromag.sweep_preview import sweep_bytes

    config = load("{seed: [1, 2, 3]}")
    alone = output_bytes(sweep_points(config)[0].config)
    assert 3 * alone <= sweep_bytes(config) <= 6 * alone


def test_points_are_plain_objects(load: Load) -> None:
    import pickle

    for point in sweep_points(load("{seed: [1, 2]}")):
        again: SweepPoint = pickle.loads(pickle.dumps(point))
        assert again == point and structure_key(again.config) == structure_key(point.config)
        assert math.isclose(again.config.material.alpha.value, 0.1)
        assert os.fspath(point.config.output.directory) == "runs/run"
        assert to_yaml(dict(point.coordinates))
