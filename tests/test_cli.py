"""The command line: every command, every exit code, protection of results, interruption."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fake_cupy
import pytest

import micromag
from micromag import cli
from micromag.backend.compiler import _find
from micromag.cli import main
from micromag.output.runfile import RunFile
from micromag.yaml_source import read_yaml

ROOT = Path(micromag.__file__).parents[1]
DATA = Path(__file__).parent / "data"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
COMMANDS = ("run", "validate", "info", "doctor", "describe", "schema", "plot", "analyze")
RUN = """\
title: A wall in a small wire
device: cpu
mesh: {cells: [32, 4, 1], cell_size: [4 nm, 4 nm, 1 nm]}
material: {Ms: 580 kA/m, alpha: 0.5}
energy:
  exchange: {A: 15 pJ/m}
  uniaxial_anisotropy: {Ku1: 0.4 MJ/m^3, axis: +z}
torques:
  zhang_li: {u: [-100, 0, 0], beta: 0.5}
initial:
  domain_wall: {kind: bloch, from: +z, to: -z}
schedule: [relax, {run: {for: 20 ps}}]
output:
  table: {every: 2 ps, columns: [m, energy, wall_position]}
analysis:
  wall_velocity: {}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder with the run file wire.yaml."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wire.yaml").write_text(RUN)
    return tmp_path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder in which wire.yaml was run in a process of its own, and what that printed."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "wire.yaml").write_text(RUN)
    done = micromag_process(folder, "run", "wire.yaml")
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


@pytest.fixture
def result(finished: tuple[Path, str], here: Path) -> Path:
    """The current folder with a finished run of wire.yaml."""
    shutil.copytree(finished[0] / "runs", here / "runs")
    return here


def micromag_process(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "micromag", *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def run_main(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Return exit code, standard output and standard error of a command in this process."""
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


# -------------------------------------------------------------------- help and start-up


def test_help_shows_the_commands_and_the_exit_codes(capsys: Any) -> None:
    code, out, _ = run_main(capsys, "--help")
    assert code == 0
    section = out.partition("Commands:\n")[2].partition("\n\n")[0]
    assert tuple(line.split()[0] for line in section.splitlines()) == COMMANDS
    for command in COMMANDS:
        help_text = run_main(capsys, command, "--help")[1]
        for text in (out, help_text):
            table = text.partition("Exit codes:\n")[2]
            assert re.findall(r"^ +(\d+)  ", table, re.M) == [
                "0",
                "1",
                "2",
                "3",
                "4",
                "5",
                "6",
                "130",
            ]


def test_version(capsys: Any) -> None:
    assert run_main(capsys, "--version") == (0, f"micromag {micromag.__version__}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("bogus",),
        ("run",),
        ("run", "wire.yaml", "--bogus"),
        ("run", "wire.yaml", "--threads", "0"),
        ("run", "wire.yaml", "--threads", "two"),
        ("run", "wire.yaml", "--overwrite", "--skip-existing"),
        ("run", "wire.yaml", "--device", "gpu"),
        ("run", "wire.yaml", "--precision", "half"),
        ("run", "wire.yaml", "-o", ""),
        ("run", "wire.yaml", "--set", "seed"),
        ("validate", "wire.yaml", "--set", "seeed=1"),
        ("validate", "wire.yaml", "more.yaml"),
        ("info",),
        ("doctor", "me"),
    ],
)
def test_a_wrong_command_line(arguments: tuple[str, ...], here: Path, capsys: Any) -> None:
    code, out, err = run_main(capsys, *arguments)
    assert code == 2
    assert not out and err and "Traceback" not in err
    assert not (here / "runs").exists()


HEAVY = ("scipy", "h5py", "pint", "cupy", "matplotlib", "rich.progress", "PIL")


@pytest.mark.parametrize(
    ("statement", "also"),
    [
        ("import micromag.cli", ("numpy", "micromag.config")),
        ("from micromag.cli import main; main(['validate', 'wire.yaml'])", ()),
        ("from micromag.cli import main; main(['schema'])", ()),
    ],
)
def test_light_commands_import_nothing_heavy(
    statement: str, also: tuple[str, ...], here: Path
) -> None:
    names = (*HEAVY, *also)
    code = f"{statement}\nimport sys\nprint('\\nheavy:', *(n for n in {names} if n in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=here, env=ENVIRONMENT, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "heavy:", done.stderr


# -------------------------------------------------------------------- validate


def test_validate_shows_what_would_happen(here: Path, capsys: Any) -> None:
    code, out, err = run_main(capsys, "validate", "wire.yaml")
    assert (code, err) == (0, "")
    for text in (
        "A wall in a small wire",
        "32 x 4 x 1 cells of [4, 4, 1] nm, [128, 16, 1] nm in all, open",
        "Ms = 580 kA/m, alpha = 0.5",
        "wall parameter 6.124 nm",
        "exchange  A = 15 pJ/m",
        "uniaxial_anisotropy  Ku1 = 400 kJ/m^3, axis = [0, 0, 1]",
        "zhang_li  u = [-100, 0, 0] m/s, beta = 0.5",
        "domain_wall  kind = bloch, from = [0, 0, 1], to = [0, 0, -1]",
        "0  relax until |m x B| < 10 uT: 1 row, 1 snapshot",
        "1  run for 20 ps by rk45, error below 1e-05: 10 rows, 1 snapshot",
        os.path.join("runs", "wire", "run.vtkhdf"),
        "12 rows of 11 columns, 3 snapshots of m",
        "cpu; single precision",
    ):
        assert text in out
    assert "warning" not in out
    assert sorted(path.name for path in here.iterdir()) == ["wire.yaml"], "validate wrote something"


def test_validate_takes_overrides_and_warns(result: Path, capsys: Any) -> None:
    overrides = ("--set", "mesh.cell_size=[4 nm,4 nm,1 nm]", "--set", "torques.zhang_li.u=[0,0,0]")
    code, out, _ = run_main(capsys, "validate", "wire.yaml", *overrides, "--precision", "double")
    assert code == 0 and "cpu; double precision" in out
    assert "warning: zhang_li does nothing: its u is 0 in every stage" in out
    assert "warning: there is a result in runs/wire; --overwrite moves it aside" in out


def test_titles_cannot_do_harm(here: Path) -> None:
    (here / "wire.yaml").write_text(RUN.replace("A wall", '"\u03b1 \\e[31m wall"  # '), "utf-8")
    environment = {**ENVIRONMENT, "PYTHONIOENCODING": "latin-1"}
    command = [sys.executable, "-m", "micromag", "validate", "wire.yaml"]
    done = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("\\u03b1 ?[31m wall\n")


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_validate_looks_for_no_gpu(
    device: str, here: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "micromag.backend.cuda", raising=False)
    code, out, _ = run_main(capsys, "validate", "wire.yaml", "--device", device)
    assert code == 0 and "on the GPU" in out
    assert "micromag.backend.cuda" not in sys.modules


REGIONS = "\nregions: {tip: {box: {center: [60 nm, 0, 0], size: [8 nm, 1 um, 1 um]}}}\n"


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (("A: 15 pJ/m", "A: 15 pJ"), 2, "wire.yaml:6:17  energy.exchange.A: "),
        (("from: +z, to", "position: 1 um, from: +z, to"), 2, "the wall lies outside the mesh"),
        (("\nmesh:", REGIONS.replace("60 nm", "1 um") + "mesh:"), 2, "contains no cell; allowed"),
        (
            (
                "\nmesh:",
                "\ngeometry: {box: {center: [1 um, 0, 0], size: [1 nm, 1 nm, 1 nm]}}\nmesh:",
            ),
            2,
            "wire.yaml:3:1  geometry, material.Ms: no cell is magnetic",
        ),
        (
            ("  domain_wall:", "  tip: {random: {}}\n  nose:"),
            2,
            "wire.yaml:",
        ),
        (("[32, 4, 1], cell", "[100000, 100000, 1000], cell"), 4, "does not fit into the memory"),
        (("u: [-100, 0, 0]", "u: {file: garbage.npy}"), 6, "not a readable .npy array"),
        (("alpha: 0.5", "alpha: {file: small.npy}"), 6, "the array does not fit the mesh"),
        (
            ("  domain_wall: {kind: bloch, from: +z, to: -z}", "  file: garbage.npy"),
            6,
            "garbage.npy",
        ),
        (("\nmesh:", "\ngeometry: {image: {file: garbage.npy}}\nmesh:"), 6, "garbage.npy"),
    ],
)
@pytest.mark.parametrize("command", ["validate", "run"])
def test_what_does_not_fit_the_mesh_is_found_before_anything_is_written(
    command: str, change: tuple[str, str], code: int, says: str, here: Path, capsys: Any
) -> None:
    import numpy as np

    (here / "garbage.npy").write_bytes(bytes(range(256)))
    np.save(here / "small.npy", np.ones((1, 2, 2)))
    assert RUN.count(change[0]) == 1
    (here / "wire.yaml").write_text(RUN.replace(*change))
    begin = time.perf_counter()
    found, out, err = run_main(capsys, command, "wire.yaml")
    assert (found, out) == (code, ""), err
    assert says in err and "Traceback" not in err
    assert not (here / "runs").exists()
    assert time.perf_counter() - begin < 60  # a compilation would come first


# -------------------------------------------------------------------- run


def test_run_says_what_it_does(finished: tuple[Path, str]) -> None:
    folder, out = finished
    lines = out.splitlines()
    assert lines[0] == "A wall in a small wire"
    assert "32 x 4 x 1 cells of 4 x 4 x 1 nm, single precision" in lines[1]
    assert "exchange, uniaxial_anisotropy, zhang_li" in lines[1]
    assert "on cpu (asked for)" in out
    for text in (
        "stage 0 (1 of 2): relax",
        "converged by",
        "stage 1 (2 of 2): run for 0.02 ns",
        "t = 20 ps",
    ):
        assert text in out
    assert re.match(r"The wall moves at -\d+\.", lines[-2])
    assert lines[-1] == f"The result is in {os.path.join('runs', 'wire', 'run.vtkhdf')}"
    result = RunFile(folder / "runs" / "wire" / "run.vtkhdf")
    assert result.status == "finished" and len(result) == 3
    assert "run wire.yaml" in result.provenance["command"]


def test_piped_output_has_no_control_characters(finished: tuple[Path, str]) -> None:
    assert re.search(r"[^\n -~]", finished[1]) is None


def test_results_are_protected(result: Path, capsys: Any) -> None:
    path = result / "runs" / "wire" / "run.vtkhdf"
    before = path.read_bytes()
    code, _, err = run_main(capsys, "run", "wire.yaml")
    assert code == 5 and "there is a result already" in err
    assert "--overwrite moves it aside, --skip-existing keeps it, -o DIR writes elsewhere" in err
    code, out, _ = run_main(capsys, "run", "wire.yaml", "--skip-existing")
    assert code == 0 and "nothing to do" in out
    assert path.read_bytes() == before
    code, out, _ = run_main(capsys, "run", "wire.yaml", "--overwrite", "--quiet")
    assert code == 0
    assert (result / "runs" / "wire.001" / "run.vtkhdf").read_bytes() == before
    assert RunFile(path).status == "finished"
    assert out.startswith("The wall moves") and len(out.splitlines()) == 1


def test_a_run_that_ends_before_its_time_says_why(here: Path, capsys: Any) -> None:
    longer = ("--set", "schedule=[{run: {for: 5 ns}}]", "--set", "output.table.every=50 ps")
    code, _, err = run_main(capsys, "run", "wire.yaml", "--quiet", *longer)
    assert code == 0
    assert re.search(
        r"warning: the run ends at t = 0\.\d+ ns: there is no wall any more, it has left the mesh or",
        err,
    )


def test_options_are_overrides(here: Path, capsys: Any) -> None:
    options = ("-o", "out: [1]", "--device", "cpu", "--precision", "double", "--threads", "1")
    code, *_ = run_main(
        capsys, "run", "wire.yaml", *options, "--set", "schedule=[relax]", "--quiet"
    )
    assert code == 0
    stored = read_yaml(RunFile(here / "out: [1]" / "run.vtkhdf").config_text, "").plain()
    assert stored["precision"] == "double" and stored["output"]["directory"] == "out: [1]"


def test_a_failed_computation(here: Path, capsys: Any) -> None:
    limit = ("--set", "schedule=[{relax: {max_iterations: 1}}]")
    code, _, err = run_main(capsys, "run", "wire.yaml", *limit)
    assert code == 3 and "relax did not converge" in err and "raise max_iterations" in err
    assert RunFile(here / "runs" / "wire" / "run.vtkhdf").status == "failed"


def test_a_missing_gpu(here: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    code, _, err = run_main(capsys, "run", "wire.yaml", "--device", "cuda")
    assert code == 4 and "next:" in err and not (here / "runs").exists()


def start(folder: Path) -> subprocess.Popen[str]:
    """Start a run that takes long, and return once its file is there."""
    # A run ends when the wall that its table follows has left the mesh.
    changes = ("schedule=[{run: {for: 1 ms}}]", "output.table={every: 100 ps, columns: [m]}")
    endless = [word for change in (*changes, "analysis={}") for word in ("--set", change)]
    process = subprocess.Popen(
        [sys.executable, "-m", "micromag", "run", "wire.yaml", *endless],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (folder / "runs" / "wire" / "run.vtkhdf").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process


@pytest.fixture
def long_run(here: Path) -> Iterator[subprocess.Popen[str]]:
    process = start(here)
    yield process
    process.kill()
    process.communicate()


def test_ctrl_c_ends_with_a_valid_file(long_run: Any, here: Path, capsys: Any) -> None:
    other = run_main(capsys, "run", "wire.yaml", "--overwrite", "--quiet")
    assert other[0] == 5 and f"process {long_run.pid} on" in other[2]
    long_run.send_signal(signal.SIGINT)
    _, err = long_run.communicate(timeout=30)
    assert long_run.returncode == 130
    assert "\nstopped at t = " in err and "(SIGINT)" in err and "Traceback" not in err
    assert err.startswith("warning: stage 0 (run for 1 ms) needs some")
    assert "everything up to here is in runs/wire/run.vtkhdf" in err
    result = RunFile(here / "runs" / "wire" / "run.vtkhdf")
    assert result.status == "interrupted"
    assert result.table["t"][-1] == pytest.approx(result.times[-1], rel=1e-6)
    assert not list((here / "runs" / "wire").glob(".micromag.lock"))


def test_sigterm_ends_with_a_valid_file(long_run: Any, here: Path) -> None:
    long_run.terminate()
    _, err = long_run.communicate(timeout=30)
    assert long_run.returncode == 130 and "(SIGTERM)" in err
    assert RunFile(here / "runs" / "wire" / "run.vtkhdf").status == "interrupted"


# -------------------------------------------------------------------- info, schema


def test_info(result: Path, capsys: Any) -> None:
    path = os.path.join("runs", "wire", "run.vtkhdf")
    code, out, _ = run_main(capsys, "info", path)
    assert code == 0 and "A wall in a small wire" in out and "wall_position" in out
    assert run_main(capsys, "info", os.path.dirname(path))[:2] == (code, out)


def test_the_stored_run_file_repeats_the_run(result: Path, capsys: Any) -> None:
    code, out, _ = run_main(capsys, "info", os.path.join("runs", "wire"), "--config")
    assert code == 0
    (result / "again.yaml").write_text(out)
    assert run_main(capsys, "run", "again.yaml", "-o", "again", "--quiet")[0] == 0
    first, second = (RunFile(result / d / "run.vtkhdf") for d in ("runs/wire", "again"))
    assert (first.m() == second.m()).all()


def test_info_of_no_result(result: Path, capsys: Any) -> None:
    (result / "runs" / "wire" / "other.vtkhdf").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    for argument, says in (
        ("absent.vtkhdf", "no such file"),
        ("wire.yaml", "not an HDF5 file"),
        ("runs", "no result in this folder"),
        ("runs/wire", "several results in this folder"),
        ("runs/wire/other.vtkhdf", "damaged or not written by micromag"),
    ):
        code, out, err = run_main(capsys, "info", argument)
        assert (code, out) == (6, "") and says in err and "Traceback" not in err


def test_a_reader_that_goes_away_is_no_error(result: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "micromag", "schema"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=30) == cli.BROKEN_PIPE


def test_schema_is_a_json_schema_of_run_files(capsys: Any) -> None:
    code, out, _ = run_main(capsys, "schema")
    schema = json.loads(out)
    assert code == 0 and schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {"mesh", "material", "initial", "schedule"} <= set(schema["required"])
    assert set(read_yaml((DATA / "good_run.yaml").read_text(), "").plain()) <= set(
        schema["properties"]
    )
    assert (
        "Ku1"
        in schema["properties"]["energy"]["properties"]["uniaxial_anisotropy"]["anyOf"][0][
            "properties"
        ]
    )
    for node in nodes(schema):
        assert set(_as_list(node.get("type", []))) <= {
            *("object", "array", "string", "number", "integer", "boolean", "null")
        }
        assert node.get("$ref", "#/$defs/").removeprefix("#/$defs/") in {
            "",
            *schema.get("$defs", ()),
        }


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every schema inside a schema, itself included."""
    if isinstance(schema, list):
        for item in schema:
            yield from nodes(item)
    elif isinstance(schema, dict):
        yield schema
        for key in (
            "anyOf",
            "allOf",
            "oneOf",
            "items",
            "not",
            "additionalProperties",
            "prefixItems",
        ):
            yield from nodes(schema.get(key))
        for key in ("properties", "$defs"):
            yield from nodes(list(schema.get(key, {}).values()))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# -------------------------------------------------------------------- doctor and the unforeseen


def test_doctor_of_a_sound_machine(capsys: Any) -> None:
    code, out, _ = run_main(capsys, "doctor")
    assert code == 0 and out.splitlines()[-1] == "All is well."
    for label in ("micromag", "python", "libraries", "cpu", "memory", "disk", "gpu", "compiler"):
        assert re.search(rf"^{label} +\S", out, re.M)
    assert out.count(": good, error") >= 2


def test_doctor_compares_the_devices(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_cupy.install(monkeypatch)
    code, out, _ = run_main(capsys, "doctor")
    assert code == 0 and "gpu         Fake GPU (sm_90)" in out
    assert out.count(": good, error") == 5 and "cpu against cuda: good" in out


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CXX", "/no/such/compiler")
    monkeypatch.setitem(sys.modules, "cupy", None)
    _find.cache_clear()
    yield
    _find.cache_clear()


@pytest.mark.usefixtures("no_compiler")
def test_without_a_compiler(here: Path, capsys: Any) -> None:
    code, out, _ = run_main(capsys, "doctor")
    assert code == 4 and "compiler    NONE: " in out and "is broken" in out
    code, _, err = run_main(capsys, "run", "wire.yaml")
    assert code == 4 and "correct CXX or unset it" in err


def test_doctor_notices_wrong_results(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("micromag.doctor.GAMMA_E", 1.7e11)
    code, out, _ = run_main(capsys, "doctor")
    assert code == 4 and "precession, cpu: WRONG" in out


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (KeyboardInterrupt(), 130, "stopped before anything was computed"),
        (MemoryError(), 4, "out of memory"),
        (ZeroDivisionError("oh"), 1, "ZeroDivisionError: oh\n\nThis is a bug in micromag"),
    ],
)
def test_the_unforeseen(
    error: BaseException, code: int, says: str, here: Path, capsys: Any, monkeypatch: Any
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr("micromag.config.load_config", fail)
    found, out, err = run_main(capsys, "validate", "wire.yaml")
    assert (found, out) == (code, "") and says in err
    assert ("Traceback" in err) == (code == 1)


# -------------------------------------------------------------------- the folder of the result


@pytest.mark.parametrize("command", ["run", "validate"])
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("wire.yaml", "wire.yaml is a file"),
        ("wire.yaml/below", "wire.yaml is a file"),
        ("nowhere", "nowhere is a link to nowhere"),
        ("closed/below", "there is no permission to write to"),
    ],
)
def test_a_folder_that_none_can_be(
    command: str, name: str, says: str, here: Path, capsys: Any
) -> None:
    (here / "nowhere").symlink_to(here / "absent")
    (here / "closed").mkdir(mode=0o500)
    if os.access(here / "closed", os.W_OK) and name.startswith("closed"):
        pytest.skip("this user may write everywhere")
    code, _, err = run_main(capsys, command, "wire.yaml", "-o", name)
    assert code == 2 and says in err and "choose another with -o DIR" in err
    assert err.startswith("-o  output.directory: ")


@pytest.mark.parametrize(
    ("option", "value"), [("--device", "gpu"), ("--precision", "half"), ("-o", "")]
)
def test_a_wrong_option_is_named_as_it_was_typed(
    option: str, value: str, here: Path, capsys: Any
) -> None:
    code, _, err = run_main(capsys, "run", "wire.yaml", option, value)
    assert code == 2 and err.startswith(f"{option}  ") and "--set" not in err


@pytest.mark.parametrize("threads", ["0", "many", "-2", "1.5"])
def test_a_number_of_threads_that_is_none(threads: str, here: Path, capsys: Any) -> None:
    code, _, err = run_main(capsys, "run", "wire.yaml", "--threads", threads)
    assert code == 2 and f"{threads!r} is not a number of threads: 1, 2, 3, ..." in err


def test_quiet_hides_no_warnings(here: Path, capsys: Any) -> None:
    still = ("--set", "torques.zhang_li={u: [0, 0, 0], beta: 0.1}")
    code, out, err = run_main(capsys, "run", "wire.yaml", "--quiet", *still)
    assert code == 0 and "warning" not in out
    assert "warning: zhang_li does nothing: its u is 0 in every stage" in err


def test_info_of_a_run_without_time(here: Path, capsys: Any) -> None:
    code, *_ = run_main(capsys, "run", "wire.yaml", "--set", "schedule=[relax, minimize]")
    assert code == 0
    _, out, _ = run_main(capsys, "info", "runs/wire")
    assert "3 of m, before and after the stages, in which no time passes" in out
    assert "every 1 fs" not in out
