"""Terms that a run file defines by expressions."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from magnets import random_m

import micromag as mm
from micromag.backend import nvrtc
from micromag.backend.base import Source
from micromag.backend.cpu import CpuBackend
from micromag.cli import main
from micromag.config import RunConfig, load_config
from micromag.custom_check import check_custom_code
from micromag.errors import ConfigError, ConfigErrors, DeviceError
from micromag.model import Model
from micromag.output.runfile import RunFile
from micromag.structure import structure_key
from micromag.terms._expression import ExpressionError, read_expression
from micromag.yaml_source import read_yaml

CELLS = (5, 4, 3)
UNIAXIAL = {
    "energy_density": "-K * pow(dot(m, u), 2)",
    "field": "(2 * K * inv_Ms * dot(m, u)) * u",
    "parameters": {"K": "400 kJ/m^3", "u": [0, 0.6, 0.8]},
}
RUN_FILE = """\
device: cpu
mesh: {cells: [4, 2, 1], cell_size: [5 nm, 5 nm, 5 nm]}
material: {Ms: 800 kA/m, alpha: 0.5}
energy:
  zeeman: {B: [0, 0, 1 T]}
  custom:
    energy_density: -K * dot(m, u) * dot(m, u)
    field: "2 * K * inv_Ms * dot(m, u) * u"
    parameters: {K: 400 kJ/m^3, u: [0, 0.6, 0.8]}
initial: {uniform: {direction: [0.1, 0.5, 1]}}
schedule: [{run: {for: 2 ps}}]
output: {directory: result}
"""


def config(custom: Any, allowed: bool = True, **sections: Any) -> RunConfig:
    given: dict[str, Any] = {
        "device": "cpu",
        "precision": "double",
        "mesh": mm.Mesh(cells=CELLS, cell_size=(4e-9, 3e-9, 5e-9)),
        "material": {"Ms": 8e5, "alpha": 0.1},
        "initial": {"uniform": {"direction": [0.2, 0.3, 1]}},
        "schedule": ["relax"],
        "energy": {"custom": custom},
    }
    return RunConfig(**(given | sections)).allowing_custom_code(allowed)


def simulation(custom: Any, **sections: Any) -> mm.Simulation:
    sim = mm.Simulation(config(custom, **sections))
    sim.m = random_m(CELLS[::-1], seed=4)
    return sim


def simulation_on(mesh: mm.Mesh, custom: Any) -> mm.Simulation:
    return mm.Simulation(config(custom, mesh=mesh))


# ------------------------------------------------------------------------------------- physics


def assert_same(sim: mm.Simulation, **sections: Any) -> None:
    """Compare with the built-in terms in ``sections``."""
    ((key, _),) = (other := mm.Simulation(config([], **sections))).config.energy
    other.m = sim.m
    assert np.allclose(sim.field("custom"), other.field(key), rtol=1e-12, atol=1e-12)
    density = other.energy_density(key)
    assert np.allclose(
        sim.energy_density("custom"), density, rtol=1e-12, atol=1e-12 * abs(density).max()
    )


def test_anisotropy_written_out_is_that_of_the_program():
    axis = {"Ku1": 4e5, "axis": [0, 0.6, 0.8]}
    assert_same(simulation(UNIAXIAL), energy={"uniaxial_anisotropy": axis})


@pytest.mark.parametrize("periodic", [(0, 0, 0), (1, 0, 1)])
def test_exchange_between_neighbours_written_out_is_that_of_the_program(periodic):
    pairs = [("x", "p"), ("x", "m"), ("y", "p"), ("y", "m"), ("z", "p"), ("z", "m")]
    squares = " + ".join(
        f"s.inv_d{a} * s.inv_d{a} * dot(s.{a}{b} - m, s.{a}{b} - m)" for a, b in pairs
    )
    sums = " + ".join(f"s.inv_d{a} * s.inv_d{a} * (s.{a}{b} - m)" for a, b in pairs)
    custom = {
        "energy_density": f"A / 2 * ({squares})",
        "field": f"2 * A * inv_Ms * ({sums})",
        "parameters": {"A": "13 pJ/m"},
    }
    mesh = mm.Mesh(cells=CELLS, cell_size=(4e-9, 3e-9, 5e-9), periodic=periodic)
    assert_same(simulation(custom, mesh=mesh), mesh=mesh, energy={"exchange": {"A": 1.3e-11}})


def test_position_regions_arrays_and_time():
    mesh = mm.Mesh(cells=CELLS, cell_size=(4e-9, 3e-9, 5e-9))
    weight = np.random.default_rng(2).random(CELLS[::-1])
    custom = {
        "energy_density": "-Ms * dot(m, B)",
        "field": ["G * x * w", "abs(y) * 1e8 * f", "C + min(z, 0) * 1 / 2e-9"],
        "parameters": {
            "G": {"value": "2 MT/m", "waveform": {"expression": "1 + t / 1 ns"}},
            "C": {"default": "0.1 T", "left": "30 mT"},
            "w": weight,
            "f": 2,
        },
    }
    left = {"left": {"box": {"center": [-6e-9, 0, 0], "size": [8e-9, 1, 1]}}}
    sim = simulation(custom, mesh=mesh, regions=left)
    x, y, z = (np.broadcast_to(a, mesh.shape) for a in mesh.grid())
    for t in (0.0, 0.5e-9):
        expected = [
            2e6 * (1 + t / 1e-9) * x * weight,
            2e8 * abs(y),
            np.where(x < -2e-9, 0.03, 0.1) + np.minimum(z, 0) / 2e-9,
        ]
        assert np.allclose(sim.field("custom"), expected, rtol=1e-12)
        if t == 0:
            sim.run(0.5e-9)


def test_several_terms_have_functions_of_their_own_and_equal_ones_share_it():
    stronger = {**UNIAXIAL, "parameters": {**UNIAXIAL["parameters"], "K": 1e5}}
    other = {
        "energy_density": "-Ms * dot(m, B)",
        "field": ["0", "0", "b"],
        "parameters": {"b": 0.5},
    }
    sim = simulation([UNIAXIAL, stronger, other])
    first, second, third = (sim.field(f"custom_{i}") for i in range(3))
    assert np.allclose(first, 4 * second)
    assert np.allclose(third[2], 0.5) and not third[:2].any()
    text = Model([sim.config]).kernel_text("observables.cu")
    assert len(re.findall(r"INLINE V custom_[0-9a-f]{12}\(const Site", text)) == 2


def test_values_are_data_and_expressions_are_code():
    def text(custom: dict[str, Any]) -> str:
        return Model([config(custom)]).kernel_text("observables.cu")

    stronger = {**UNIAXIAL, "parameters": {**UNIAXIAL["parameters"], "K": 1e5}}
    assert text(UNIAXIAL) == text(stronger)
    assert text(UNIAXIAL) != text({**UNIAXIAL, "field": "2 * K * inv_Ms * dot(m, u) * u"})
    keys = [structure_key(config(c)) for c in (UNIAXIAL, stronger)]
    assert keys[0] == keys[1]
    uneven = {**UNIAXIAL, "parameters": {**UNIAXIAL["parameters"], "K": {"default": 1, "a": 2}}}
    regions = {"a": {"box": {}}}
    assert structure_key(config(uneven, regions=regions)) != structure_key(
        config(UNIAXIAL, regions=regions)
    )


def test_the_term_of_the_readme():
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(energy:\n  custom:.*?)```", text, re.DOTALL)
    sim = simulation(read_yaml(block, "README.md").plain()["energy"]["custom"])
    assert sim.energies()["custom"] == pytest.approx(
        -3e4 * (sim.m[2] ** 3).sum() * sim.config.mesh.cell_volume, rel=1e-12
    )


# ---------------------------------------------------------------------------------- permission


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.yaml").write_text(RUN_FILE)
    return tmp_path / "run.yaml"


def test_code_runs_only_where_it_is_allowed(file, capsys):
    assert main(["run", str(file)]) == 2
    message = capsys.readouterr().err
    assert "energy.custom: the run file holds code" in message and "--allow-custom-code" in message
    assert not (file.parent / "result").exists()
    assert main(["run", str(file), "--allow-custom-code", "-q"]) == 0
    result = RunFile(file.parent / "result" / "run.vtkhdf")
    assert "allow" not in result.config_text
    # Somebody else's result: its run file needs leave once more.
    again = file.parent / "again.yaml"
    again.write_text(result.config_text)
    capsys.readouterr()
    assert main(["run", str(again), "--overwrite"]) == 2
    assert load_config(again).energy == load_config(file).energy


def test_validate_shows_the_code_and_compiles_it_only_with_leave(file, capsys, monkeypatch):
    file.write_text(RUN_FILE.replace("inv_Ms", "inverse"))
    assert main(["validate", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "-K * dot(m, u) * dot(m, u)" in shown
    assert "warning: energy.custom is code" in shown and "--allow-custom-code" in shown
    assert main(["validate", str(file), "--allow-custom-code"]) == 2
    assert "'inverse'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "use",
    [
        lambda c: mm.Simulation(c),
        lambda c: mm.run(c),
        lambda c: check_custom_code(c, CpuBackend(1)),
        lambda c: Model([c]).kernel_text("observables.cu"),
    ],
    ids=["Simulation", "run", "check", "kernels"],
)
def test_python_needs_leave_as_well(use):
    with pytest.raises(ConfigError, match="allow_custom_code=True"):
        use(config(UNIAXIAL, allowed=False))


def test_leave_goes_on_to_what_is_made_of_a_run(file):
    sim = mm.load(file, allow_custom_code=True)
    sim.set({"energy.custom.parameters.K": 2e5})
    assert sim.config.custom_code_allowed and sim.energies()["custom"] != 0
    with pytest.raises(ConfigError, match="not the derivative"):
        sim.set({"energy.custom.field": "K * u"})
    with pytest.raises(ConfigError, match="holds code"):
        mm.load(file)
    sections = {name: getattr(sim.config, name) for name in ("mesh", "material", "initial")}
    terms = [mm.Custom(**UNIAXIAL)]
    given = mm.Simulation(device="cpu", energy=terms, allow_custom_code=True, **sections)
    assert given.energies()["custom"] != 0


def test_leave_travels_with_a_run_to_other_processes():
    allowed, refused = (
        pickle.loads(pickle.dumps(config(UNIAXIAL, leave))) for leave in (True, False)
    )
    assert allowed.custom_code_allowed and not refused.custom_code_allowed
    assert allowed == refused  # it is no part of what a run is
    assert "custom_code" not in allowed.resolved_yaml()


def test_swept_expressions_are_all_checked(file):
    file.write_text(
        RUN_FILE + 'sweep: {energy.custom.field: ["2 * K * inv_Ms * dot(m, u) * u", "K * u"]}\n'
    )
    with pytest.raises(ConfigError, match="not the derivative"):
        mm.run(file, allow_custom_code=True)


def test_a_swept_parameter_makes_one_batch(file):
    file.write_text(RUN_FILE + "sweep: {energy.custom.parameters.K: [100 kJ/m^3, 0.4 MJ/m^3]}\n")
    assert main(["run", str(file), "-q"]) == 2
    sweep = mm.run(file, allow_custom_code=True)
    assert list(sweep.axes[0].values) == [
        {"energy.custom.parameters.K": 1e5},
        {"energy.custom.parameters.K": 4e5},
    ]
    energy = sweep.table("E_custom")[:, 0]
    m = np.array([0.1, 0.5, 1]) / np.sqrt(1.26)
    volume, slope = 8 * 125e-27, (m @ [0, 0.6, 0.8]) ** 2
    assert energy[1] - energy[0] == pytest.approx(-3e5 * slope * volume, rel=1e-5)


# ------------------------------------------------------------------------------- wrong expressions


def wrong(path: Path, old: str, new: str, capsys: Any) -> str:
    """Return the message of a run file with a mistake in it, which must be of code 2."""
    assert RUN_FILE.count(old) == 1
    path.write_text(RUN_FILE.replace(old, new))
    assert main(["run", str(path), "--allow-custom-code"]) == 2
    assert not (path.parent / "result").exists()
    message = capsys.readouterr().err
    assert "Traceback" not in message
    return message


@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ("inv_Ms", "inv_Mss", "8:21", "energy.custom.field: the compiler says: 'inv_Mss' was not"),
        ("-K * dot", "-Kay * dot", "7:22", "energy.custom.energy_density: the compiler says: 'Kay'"),
        ("inv_Ms * dot(m, u) * u", "inv_Ms * dot(m, u)", "8:", "the compiler says"),
        ("-K * dot(m, u)", "-K * m", "7:", "the compiler says"),
        ("dot(m, u) * u", "dot(m, u) u", "8:12", "an operator is missing before 'u'"),
        ("2 * K", "2 K", "8:", "an operator is missing before 'K' at character 3"),
        ("2 * K", "(2 * K", "8:", "a bracket is not closed at character 1"),
        ("2 * K", "2) * K", "8:", "a bracket is closed that was not opened at character 2"),
        ("2 * K", "2 ^ K", "8:", "a power is pow(a, b)"),
        ("2 * K", "B.x * K", "8:", "B is the field itself"),
        ("K: 400 kJ/m^3", "K: 400 kJJ/m^3", "9:", "unknown unit"),
        ("K: 400 kJ/m^3", "m: 400 kJ/m^3", "9:", "'m' means something else"),
        ("K: 400 kJ/m^3", "K: {default: 1, lift: 2}", "9:", "no region is called 'lift'"),
        ("u: [0, 0.6, 0.8]", "u: [0, 0.6 T, 0.8 m]", "9:", "of different dimensions"),
        ("u: [0, 0.6, 0.8]", "u: [0, 0.6]", "9:", "a vector has 3 components"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place(file, old, new, place, says, capsys):
    message = wrong(file, old, new, capsys)
    lines = [line for line in message.splitlines() if says in line]
    assert lines and all(place in line.split("  ")[0] for line in lines[:1]), message


def test_a_field_of_another_energy_is_refused_with_both_values(file, capsys):
    message = wrong(file, "2 * K", "1 * K", capsys)
    assert f"{file}:6:3  energy.custom: the field is not the derivative" in message
    field, slope = re.search(r"field (\S+) T, derivative of the energy (\S+) T", message).groups()
    assert float(slope) == pytest.approx(2 * float(field), rel=1e-4)


def test_a_mistake_in_few_cells_is_found():
    mesh = mm.Mesh(cells=(400, 1, 1), cell_size=(4e-9,) * 3)
    custom = {
        "energy_density": "-Ms * dot(m, B)",
        "field": ["0", "0", "x > 720e-9 ? m.z * 1e2 : 1"],
    }
    with pytest.raises(ConfigError, match="all cells turned at random"):
        simulation_on(mesh, custom)


def test_what_m_has_no_part_in_is_no_contradiction():
    custom = {
        "energy_density": "K * dot(m, m)",
        "field": "-2 * K * inv_Ms * m",
        "parameters": {"K": 1e6},
    }
    simulation(custom)


def test_a_window_may_not_move_under_an_expression_of_the_position():
    window = {"follow": "wall"}
    mesh = mm.Mesh(cells=(16, 1, 1), cell_size=(4e-9,) * 3, window=window)
    custom = {"energy_density": "-Ms * dot(m, B)", "field": ["0", "0", "1e6 * x"]}
    with pytest.raises(ConfigErrors, match="as the window moves"):
        simulation_on(mesh, custom)
    custom["field"][2] = "1e6 * y"
    simulation_on(mesh, custom)


def test_fields_that_are_not_finite_are_refused():
    with pytest.raises(ConfigError, match="not finite"):
        simulation({"energy_density": "log(-1)", "field": ["0", "0", "0"]})


def test_what_a_stage_brings_is_checked_before_the_run():
    stages = [
        {"run": {"for": 1e-12}},
        {"run": {"for": 1e-12, "with": {"energy.custom.field": "K * u"}}},
    ]
    with pytest.raises(ConfigError, match="not the derivative"):
        check_custom_code(config(UNIAXIAL, schedule=stages), CpuBackend(1))


@pytest.mark.parametrize(
    "text",
    ["K; }", "K) } int x(", "K {", '"a"', "K // no", "K /* no", "#define", "K = 3", "K++", "a[3]",
     "K\\", "K & m", "'x'", "", "  ", "µ", "K 3", "3 mT", "a b"],
)  # fmt: skip
def test_nothing_gets_out_of_an_expression(text):
    with pytest.raises(ExpressionError):
        read_expression(text, {"K": "p.value_K"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1/2*K", "real(1)/real(2)*p.value_K"),
        ("-.5e-3f * m.x - -m.K", "-real(.5e-3) * s.m.x - -s.m.K"),
        ("max(K,\n  pi)", "fmax(p.value_K,   real(3.14159265358979323846))"),
        ("s.xp.x >= 0 ? Ms : K", "s.xp.x >= real(0) ? s.Ms : p.value_K"),
    ],
)
def test_numbers_and_names_are_rewritten(text, expected):
    found = read_expression(text, {"K": "p.value_K"})
    assert found.text == expected
    assert len(found.columns) == len(found.text)
    assert [text[i] for i in found.columns[:1]] == [text[0]]


def test_the_names_of_parameters_cannot_meet_others(tmp_path):
    for name in ("int", "V", "x", "dot", "a b", "_a", "a__b", "1a", "p", "energy"):
        with pytest.raises(ConfigErrors, match=r"parameter|expression"):
            mm.Custom(**{**UNIAXIAL, "parameters": {name: 1}})
    # Names of the kernels' own: macros, structures, members.
    names = ["KERNEL", "CELLS", "given", "field", "key", "par", "row", "real_", "ENERGIES", "t0"]
    weights = " + ".join(names)
    custom = {
        "energy_density": "-Ms * dot(m, B)",
        "field": ["0", "0", weights],
        "parameters": dict.fromkeys(names, 0.25),
    }
    assert np.allclose(simulation(custom).field("custom")[2], 2.5)


# ------------------------------------------------------------------------------------ the GPU's way


class NvrtcBackend(CpuBackend):
    """Compiles by NVRTC, and has nothing to run."""

    def compile(self, sources):
        for source in sources:
            nvrtc.cubin(source, "sm_90")
        raise DeviceError("compiled")


@pytest.fixture
def gpu_compiler() -> NvrtcBackend:
    try:
        nvrtc.version()
    except DeviceError as error:
        pytest.skip(error.what)
    return NvrtcBackend(1)


def test_nvrtc_compiles_and_complains_at_the_same_places(gpu_compiler, file):
    with pytest.raises(DeviceError, match="compiled"):
        check_custom_code(config(UNIAXIAL), gpu_compiler)
    file.write_text(RUN_FILE.replace("inv_Ms", "inv_Mss"))
    with pytest.raises(ConfigErrors) as caught:
        check_custom_code(load_config(file).allowing_custom_code(), gpu_compiler)
    assert 'run.yaml:8:21  energy.custom.field: the compiler says: identifier "inv_Mss"' in str(
        caught.value
    )


@pytest.mark.parametrize("precision", ["single", "double"])
def test_every_kernel_of_a_run_compiles_for_a_gpu(gpu_compiler, precision):
    model = Model([config(UNIAXIAL, precision=precision)])
    text = model.kernel_text("observables.cu")
    assert nvrtc.cubin(Source("observables.cu", text, {}, precision), "sm_75").stat().st_size
