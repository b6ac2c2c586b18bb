"""What the README says is so: its Python runs, its links lead somewhere, its numbers are measured."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import matplotlib
import numpy as np
import pytest

import micromag
from micromag.analysis import ANALYSES
from micromag.cli import EXIT_CODES, main
from micromag.config import RunConfig, load_config
from micromag.model import Model
from micromag.sweep_points import sweep_points

ROOT = Path(micromag.__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHORT = [
    "schedule[1].run.for=40 ps",
    "output.snapshots.every=2 ps",
    "output.table.every=2 ps",
    "analysis.wall_velocity.after=10 ps",
]


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def section(heading: str) -> str:
    return README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the run files and a short first run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    options = [word for value in SHORT for word in ("--set", value)]
    command = ["run", "configs/domain_wall_stt.yaml", "--device", "cpu", "--quiet"]
    assert main([*command, *options]) == 0
    return tmp_path


def test_python_of_the_readme(checkout, capsys):
    matplotlib.use("Agg")
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), names)
    assert len(names["t"]) == len(names["x"])
    assert dict(names["m_z"].sizes) == {"z": 1, "y": 16}
    assert float(names["m_z"].mean()) > 0.9
    assert (checkout / "wall.png").stat().st_size > 10_000
    assert names["sim"].m.shape == (3, 1, 16, 256)
    assert "(3, 1, 16, 256) " in capsys.readouterr().out


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_links_lead_somewhere(link):
    assert link.startswith("https://") or (ROOT / link).exists()


@pytest.mark.parametrize("heading", ["Install and run", "Install and test"])
def test_set_up_is_one_command(heading):
    [command] = re.findall(r"^```bash\n(.*?)^```$", section(heading), re.MULTILINE | re.DOTALL)
    assert command.count("\n") == 1


def test_exit_codes_are_those_of_the_command():
    told = dict(re.findall(r"^ +(\d+)  (.*)$", EXIT_CODES, re.MULTILINE))
    written = dict(re.findall(r"^\| (\d+) \| (.*) \|$", section("Exit codes"), re.MULTILINE))
    assert written == told


def test_sections_of_the_run_file_are_all_named():
    rows = re.findall(r"^\| (`.*?`) \|", section("The run file"), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named >= set(RunConfig.model_fields)
    for key in ANALYSES.keys():
        assert f"`{key}`" in section("The run file")


def test_the_forms_of_the_readme_make_a_run(tmp_path):
    [forms] = blocks("yaml", section("The run file"))
    np.save(tmp_path / "Ku1.npy", np.full((1, 16, 32), 1e4))
    (tmp_path / "forms.yaml").write_text(forms)
    (tmp_path / "run.yaml").write_text(
        "extends: forms.yaml\nmesh: {cells: [32, 16, 1], size: [160 nm, 80 nm, 5 nm]}\n"
        "material: {Ms: 800 kA/m}\ninitial: {uniform: {direction: +z}}\n"
    )
    config = load_config(tmp_path / "run.yaml")
    model = Model([config])
    assert 0.9 < model.magnetic.mean() < 1  # the notch
    assert config.material.alpha.of_region("right") == 0.5
    assert model.region_names == ("default", "right")


def test_the_sweep_of_the_readme_is_one(tmp_path):
    sweep, forms = blocks("yaml", section("Many runs at once"))
    path = tmp_path / "many.yaml"
    path.write_text(f"extends: {ROOT}/configs/domain_wall_stt.yaml\n{sweep}")
    points = sweep_points(load_config(path))
    assert [point.coordinates["material.alpha"] for point in points] == [0.4, 0.5] * 4
    currents = {point.coordinates["torques.zhang_li.J[0]"] for point in points}
    assert sorted(currents) == pytest.approx([1e11, 2e11, 3e11, 4e11])
    (tmp_path / "polarisation.csv").write_text("P\n0.4\n0.5\n")
    base = f"extends: {ROOT}/configs/domain_wall_stt.yaml\nenergy: {{zeeman: {{B: [0, 0, 0]}}}}\n"
    path.write_text(base + forms)
    config = load_config(path)
    assert config.sweep.shape == (5, 2, 3, 2, 2)
    assert sweep_points(config, [119])[0].coordinates["energy.zeeman.B[2]"] == 0.1


def test_no_command_is_advertised_that_does_not_work(capsys):
    assert main(["--help"]) == 0
    commands = set(re.findall(r"^  (\w+) {2,}\S", capsys.readouterr().out, re.MULTILINE))
    assert set(re.findall(r"micromag (\w+) (?:FILE|configs|runs)", README)) <= commands
    assert {"doctor", "schema"} <= commands


def test_the_extra_for_looking_at_results_brings_what_the_readme_imports():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    brought = {re.split("[>=]", line)[0] for line in project["optional-dependencies"]["plot"]}
    assert brought == {"h5netcdf", "matplotlib", "xarray"}
    [told] = re.findall(r"`'\.\[plot\]'`: (.*?)\.", README)
    assert set(re.split(", | and ", told)) == brought


@pytest.mark.slow
def test_output_of_the_first_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    assert main(["run", "configs/domain_wall_stt.yaml", "--device", "cpu"]) == 0
    lines, [shown] = capsys.readouterr().out.splitlines(), blocks("text", section("The first run"))
    # Kernels are compiled the first time only; a slow machine tells its progress once a minute.
    told = [line for line in lines if not re.match("  compil|  t = .* ETA ", line)]
    number = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
    for mine, theirs in zip(told, shown.splitlines(), strict=True):
        if mine.startswith("  on ") or " steps, " in mine:
            continue
        assert number.sub("#", mine) == number.sub("#", theirs)
        for one, other in zip(number.findall(mine), number.findall(theirs), strict=True):
            if "+- " + one not in mine:
                assert float(one) == pytest.approx(float(other), rel=0.01)
