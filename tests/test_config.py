"""The run file: reading, merging, overriding, dumping."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import micromag
from micromag.config import Material, Output, Run, RunConfig, Table, json_schema, load_config
from micromag.errors import ConfigErrors, UnreadableInputError
from micromag.excitation.sine import Sine
from micromag.yaml_source import read_yaml, to_yaml

DATA = Path(__file__).parent / "data"
GOOD = DATA / "good_run.yaml"


@pytest.fixture
def good() -> RunConfig:
    return load_config(GOOD)


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_values(good: RunConfig) -> None:
    assert good.mesh.shape == (1, 16, 128)
    assert good.mesh.cell_size == (4e-9, 4e-9, 1e-9)
    assert good.material.Ms.value == 580e3
    assert good.material.alpha.of_region("notch") == 0.3
    assert [key for key, _ in good.energy] == [
        "exchange",
        "uniaxial_anisotropy",
        "demag",
        "zeeman",
        "zeeman",
    ]
    fields = [term.B for key, term in good.energy if key == "zeeman"]
    assert fields[0].value == (0, 0, 1e-3) and fields[0].waveform is None
    assert fields[1].waveform == Sine(frequency=2e9)
    assert good.torques[0][1].J.value == (2e11, 0, 0)
    assert [type(stage).__name__ for stage in good.schedule] == ["Relax", "Run", "Run"]
    assert good.schedule[1].duration == 5e-9
    assert good.output.directory == "runs/good_run"


def test_resolved_text_gives_an_equal_configuration(good: RunConfig, tmp_path: Path) -> None:
    text = good.resolved_yaml()
    again = load_config(write(tmp_path / "other.yaml", text))
    assert again == good
    assert again.resolved_yaml() == text
    assert "max_iterations" in text and "gamma" in text, "defaults are in it"


def test_configurations_differ_where_values_do(good: RunConfig) -> None:
    assert good != load_config(GOOD, ["seed=2"])
    assert good == load_config(GOOD, ["seed=1"])


def test_options_are_the_same_parser() -> None:
    config = load_config(
        GOOD,
        [
            "material.alpha=0.5",
            "torques.zhang_li.J[0]=1e10 A/m^2",
            "energy.zeeman[1].B.waveform.sine.frequency=3 GHz",
            "initial={vortex: {polarity: -1}}",
            "mesh.size=[1 um, 100 nm, 1 nm]",
            "solver={dt: 100 fs}",
            "output.directory=there",
            "schedule[1].run.for=1 ps",
        ],
    )
    assert config.material.alpha.is_uniform
    assert config.torques[0][1].J.value == (1e10, 0, 0)
    assert config.energy[4][1].B.waveform.frequency == 3e9
    assert type(config.initial).__name__ == "Vortex"
    assert config.mesh.size == pytest.approx((1e-6, 1e-7, 1e-9))
    assert (config.solver.dt, config.solver.method) == (1e-13, "rk45"), "mappings are laid over"
    assert config.output.directory == "there"
    assert config.schedule[1].duration == 1e-12


def test_stage_overrides(good: RunConfig) -> None:
    last = good.with_overrides(good.schedule[2].overrides)
    assert last.torques[0][1].J.value == (0, 0, 0)
    assert last.torques[0][1].P == good.torques[0][1].P
    assert good.torques[0][1].J.value == (2e11, 0, 0)
    assert (
        last.with_overrides({"torques": {"zhang_li": {"beta": 0.2}}}).torques[0][1].beta.value
        == 0.2
    )
    with pytest.raises(ConfigErrors, match="did you mean 'zhang_li'"):
        good.with_overrides({"torques.zhangli.J": [0, 0, 0]})


def test_a_file_that_only_extends_is_its_base(tmp_path: Path) -> None:
    base = write(tmp_path / "base.yaml", GOOD.read_text())
    path = write(tmp_path / "run.yaml", "extends: base.yaml\n")
    kept = load_config(path), load_config(base)
    assert [config.material for config in kept] == [kept[0].material] * 2
    assert kept[0].schedule == kept[1].schedule


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    for text in ("", "# nothing yet\n", "{}"):
        with pytest.raises(ConfigErrors, match=r"run\.yaml: the file is empty"):
            load_config(write(tmp_path / "run.yaml", text))


def test_extends_merges_and_finds_files_beside_the_base(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    np.save(base / "Ms.npy", np.full((1, 16, 128), 5e5))
    text = GOOD.read_text().replace("580 kA/m", "{file: Ms.npy}")
    write(base / "base.yaml", text)
    path = write(
        tmp_path / "run.yaml",
        "extends: base/base.yaml\nseed: 7\nmaterial: {alpha: {notch: 0.4}}\n"
        "initial: {uniform: {direction: +x}}\nmesh: {size: [512 nm, 64 nm, 1 nm]}\n",
    )
    config = load_config(path)
    assert config.seed == 7 and config.precision == "single"
    assert config.material.alpha.regions == {"notch": 0.4} and config.material.alpha.value == 0.1
    assert config.material.Ms.file == base / "Ms.npy"
    assert type(config.initial).__name__ == "Uniform"
    assert config.mesh.cell_size == (4e-9, 4e-9, 1e-9)
    assert load_config(write(tmp_path / "resolved.yaml", config.resolved_yaml())) == config


def test_errors_point_into_the_file_that_has_them(tmp_path: Path) -> None:
    write(tmp_path / "base.yaml", GOOD.read_text().replace("0.8 MJ/m^3", "0.8 MJ"))
    path = write(tmp_path / "run.yaml", "extends: base.yaml\nseed: -7\n")
    with pytest.raises(ConfigErrors) as caught:
        load_config(path)
    assert f"{tmp_path / 'base.yaml'}:17:" in str(caught.value)
    assert f"{path}:2:7  seed" in str(caught.value)


def test_files_of_stages_count_from_the_run_file(tmp_path: Path) -> None:
    np.save(tmp_path / "J.npy", np.zeros((3, 1, 16, 128)))
    text = GOOD.read_text().replace("J: [0, 0, 0]}}", "J: {file: J.npy}}}")
    config = load_config(write(tmp_path / "run.yaml", text))
    last = config.with_overrides(config.schedule[2].overrides)
    assert last.torques[0][1].J.file == tmp_path / "J.npy"
    assert str(tmp_path / "J.npy") in config.resolved_yaml()


def test_built_from_objects() -> None:
    config = RunConfig(
        mesh=micromag.Mesh(cells=(4, 4, 1), cell_size=("4 nm", "4 nm", "1 nm")),
        material=Material(Ms=np.full((1, 4, 4), 8e5), alpha=0.1),
        energy=[micromag.Exchange(A="13 pJ/m"), micromag.Zeeman(B=[0, 0, 1])],
        initial=micromag.Uniform(direction="z"),
        schedule=[Run(duration="1 ns")],
        output=Output(table=Table(every="1 ps")),
    )
    assert [key for key, _ in config.energy] == ["exchange", "zeeman"]
    changed = config.with_overrides({"energy.exchange.A": 1e-12, "output.table.every": "2 ps"})
    assert changed.energy[0][1].A.value == 1e-12
    assert changed.material.Ms.array is not None
    assert changed.output.table.every == 2e-12
    with pytest.raises(ValueError, match="no region is called"):
        RunConfig(**{**dict(config), "material": Material(Ms={"default": 1, "a": 2}, alpha=1)})


def test_resolved_text_of_an_array_does_not_pretend(tmp_path: Path) -> None:
    config = load_config(GOOD).with_overrides({"material.Ms": np.full((1, 16, 128), 5e5)})
    assert config.material.Ms.array is not None
    path = write(tmp_path / "run.yaml", config.resolved_yaml())
    with pytest.raises(UnreadableInputError, match="given in Python"):
        load_config(path)


def test_json_schema_describes_terms_and_itself() -> None:
    schema = json_schema()
    text = json.dumps(schema)
    assert schema["properties"]["energy"]["properties"]["exchange"]
    assert "zhang_li" in schema["properties"]["torques"]["properties"]
    assert "zhang_li" not in schema["properties"]["energy"]["properties"]
    assert "Saturation magnetization" in text
    names = {part.split('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert names <= set(schema.get("$defs", {})), "every reference has its definition"


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys, micromag.config as c; c.load_config(sys.argv[1]);"
        "heavy = ('pint', 'scipy', 'h5py', 'matplotlib', 'rich', 'cupy');"
        "print([name for name in heavy if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(GOOD)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_yaml_scalars() -> None:
    text = (
        "[13e-12, 800e3, .5, -3., 1e5, 0x1F, 12, no, on, y, true, ~, 1_000, 12:30, 2001-01-01, +z]"
    )
    assert read_yaml(text, "").plain() == [
        *(13e-12, 800e3, 0.5, -3.0, 1e5, 31, 12),
        *("no", "on", "y", True, None, "1_000", "12:30", "2001-01-01", "+z"),
    ]


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**18), 10**18),
    st.floats(allow_nan=False),
    st.text(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff"), max_size=20
    ),
)
KEYS = st.text("abcdefgn.-_ 0123456789[]:#", min_size=1, max_size=8)


@given(
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=12,
    ).filter(lambda data: data is not None)
)
def test_dumped_data_reads_back(data: Any) -> None:
    assert read_yaml(to_yaml(data), "").plain() == data


def test_an_override_in_another_form_replaces_the_parameter() -> None:
    config = load_config(GOOD, ["material.alpha={file: good_run.yaml}"])
    assert config.material.alpha.file == GOOD
    assert not config.material.alpha.regions
    config = load_config(GOOD, ["material.alpha={notch: 0.5}"])
    assert config.material.alpha.of_region("notch") == 0.5
    assert config.material.alpha.value == 0.1


def test_an_empty_mapping_takes_away_what_was_there() -> None:
    assert load_config(GOOD).output.table != Table()
    assert load_config(GOOD, ["output.table={}"]).output.table == Table()


def test_a_torque_without_amplitude_is_refused() -> None:
    with pytest.raises(ConfigErrors, match="an amplitude is missing: B_DL, B_FL or both"):
        load_config(GOOD, ["torques.spin_torque={sigma: [0, 1, 0]}"])


@pytest.mark.parametrize(
    ("analysis", "says"),
    [
        ("{crossing: {column: m_w}}", "the table has no column 'm_w'"),
        ("{wall_velocity: {stage: 7}}", "the schedule has no stage 7"),
    ],
)
def test_an_analysis_that_cannot_work_is_refused(analysis: str, says: str) -> None:
    with pytest.raises(ConfigErrors, match=says):
        load_config(GOOD, [f"analysis={analysis}"])


def test_output_that_shortens_a_fixed_step_is_said(good: RunConfig) -> None:
    from micromag.derived import derived_notes

    fixed = good.with_overrides({"solver.dt": "100 ps", "output.table.every": "1 ps"})
    assert [n for n in derived_notes(fixed) if "fixed step of 100 ps to 1 ps" in n]
    fine = good.with_overrides({"solver.dt": "1 ps", "output.table.every": "1 ps"})
    assert not [n for n in derived_notes(fine) if "fixed step" in n]
