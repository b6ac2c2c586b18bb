"""Result files: stock VTK reads them, nothing committed is lost, and bad files are told so."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from micromag.errors import MicromagError, OutputExistsError, UnreadableInputError
from micromag.mesh import Mesh
from micromag.output.layout import chunk_shape, from_nano, nano
from micromag.output.reader import RunFile
from micromag.output.vtkhdf import CellField, Column, VtkhdfWriter

CHECKER = Path(__file__).parent / "tools" / "check_vtkhdf.py"
COLUMNS = (
    Column("t", "s", "simulated time"),
    Column("step", integer=True),
    Column("stage", integer=True),
    Column("m_x"),
    Column("E_total", "J", "total energy"),
)
CONFIG = """
title: Wall in a wire
schedule:
  - relax: {}
  - run: {for: 2 ns}
"""
Write = Callable[..., VtkhdfWriter]


def assert_vtk_reads(path: Path, *options: str) -> str:
    """Run the acceptance script, which reads the file with VTK in a process of its own."""
    command = [sys.executable, str(CHECKER), str(path), "--compare-h5", "/VTKHDF/CellData/m"]
    done = subprocess.run([*command, *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def state(mesh: Mesh, k: int, empty: bool = False) -> np.ndarray:
    """A different unit vector in every cell and snapshot."""
    z, y, x = np.indices(mesh.shape)
    angle = 0.1 * x + 0.3 * y + 0.7 * z + k
    m = np.stack([np.cos(angle), np.sin(angle), np.zeros(mesh.shape)])
    if empty:
        m[:, :, 0, 0] = 0
    return m


@pytest.fixture
def mesh() -> Mesh:
    return Mesh(cells=(5, 4, 3), cell_size=(4e-9, 3e-9, 1e-9), periodic=(2, 0, 0))


@pytest.fixture
def new(tmp_path: Path, mesh: Mesh) -> Write:
    def make(name: str = "run.vtkhdf", mesh: Mesh = mesh, **options: object) -> VtkhdfWriter:
        defaults = {"columns": COLUMNS, "config_text": CONFIG, "provenance": {"device": "cpu"}}
        return VtkhdfWriter(tmp_path / name, mesh, **(defaults | options))  # type: ignore[arg-type]

    return make


def test_stock_vtk_reads_it_after_every_commit(new: Write, mesh: Mesh) -> None:
    writer = new(static={"Ms": np.full(mesh.shape, 8e5)})
    for k in range(3):
        writer.write_snapshot(k * 1e-10, {"m": state(mesh, k, empty=True)})
        printed = assert_vtk_reads(writer.path, "--min-steps", "2")
        assert "spacing     (4.0, 3.0, 1.0)" in printed
        assert "nx,ny,nz = (5, 4, 3)" in printed
    writer.close()
    printed = assert_vtk_reads(writer.path, "--min-steps", "3")
    assert "times       0 .. 0.2 [0.0, 0.1, 0.2]" in printed


@pytest.mark.parametrize("cells", [(6, 5, 1), (7, 1, 1), (1, 4, 3)])
def test_thin_meshes(new: Write, cells: tuple[int, int, int]) -> None:
    mesh = Mesh(cells=cells, cell_size=(2e-9, 5e-9, 3e-9))
    with new(mesh=mesh, compression="gzip") as writer:
        writer.write_snapshot(0.0, {"m": state(mesh, 0)})
        writer.write_snapshot(1e-9, {"m": state(mesh, 1)})
    assert_vtk_reads(writer.path)
    np.testing.assert_allclose(RunFile(writer.path).m(1), state(mesh, 1), atol=1e-7)


def test_what_is_written_is_read(new: Write, mesh: Mesh) -> None:
    fields = [CellField("m"), CellField("B_demag", 3, "T"), CellField("E_density", 1, "J/m^3")]
    energy = np.arange(60.0).reshape(mesh.shape)
    ms = np.where(np.indices(mesh.shape)[2] == 0, 0, 8e5)
    rows = np.column_stack([np.arange(7) * 1e-12, np.arange(7), np.ones(7), *np.ones((2, 7))])
    with new(quantities=fields, static={"Ms": ms}, provenance={"seed": 7, "gpu": True}) as writer:
        for k in range(3):
            m = state(mesh, k)
            data = {"m": m, "B_demag": -m, "E_density": energy + k}
            writer.write_snapshot(k * 3e-10, data)
        writer.append_rows(rows)
        for i in range(4):
            values = {"iteration": 10 * i, "energy": -1e-18 * i, "max_torque": 0.1}
            writer.append_relax(0, values)
    run = RunFile(writer.path)
    assert len(run) == 3
    assert run.times.tolist() == [0, 3e-10, 6e-10]
    np.testing.assert_array_equal(run.m(-1), state(mesh, 2).astype("f4"))
    np.testing.assert_array_equal(run.field("B_demag", 1), -state(mesh, 1).astype("f4"))
    np.testing.assert_array_equal(run.field("E_density", 2), energy + 2)
    np.testing.assert_array_equal(run.static["Ms"], ms)
    assert run.quantities == {"m": "", "B_demag": "T", "E_density": "J/m^3"}
    assert run.mesh == mesh
    assert list(run.table) == [c.name for c in COLUMNS]
    np.testing.assert_array_equal(run.table["t"], rows[:, 0])
    assert run.table["step"].dtype == np.int64
    assert run.units["E_total"] == "J" and run.descriptions["t"] == "simulated time"
    assert run.relax_history["0"]["iteration"].tolist() == [0, 10, 20, 30]
    assert run.config_text == CONFIG
    assert run.provenance["seed"] == 7 and run.provenance["gpu"] is True
    assert run.status == "finished" and run.provenance["wall_time"] > 0
    assert_vtk_reads(writer.path)


def test_one_snapshot_is_one_although_stored_twice(new: Write, mesh: Mesh) -> None:
    with new() as writer:
        writer.write_snapshot(0.0, {"m": state(mesh, 0)})
        assert RunFile(writer.path).times.tolist() == [0]
    assert len(RunFile(writer.path)) == 1
    assert_vtk_reads(writer.path)
    with h5py.File(writer.path) as file:
        assert file["VTKHDF/Steps"].attrs["NSteps"] == 2


def test_equal_time_replaces_and_earlier_is_refused(new: Write, mesh: Mesh) -> None:
    with new() as writer:
        writer.write_snapshot(0.0, {"m": state(mesh, 0)})
        writer.write_snapshot(0.0, {"m": state(mesh, 1)})
        np.testing.assert_allclose(RunFile(writer.path).m(0), state(mesh, 1), atol=1e-7)
        writer.write_snapshot(1e-9, {"m": state(mesh, 2)})
        writer.write_snapshot(1e-9, {"m": state(mesh, 3)})
        with pytest.raises(ValueError, match="times must increase"):
            writer.write_snapshot(0.5e-9, {"m": state(mesh, 3)})
    run = RunFile(writer.path)
    assert run.times.tolist() == [0, 1e-9]
    np.testing.assert_allclose(run.m(0), state(mesh, 1), atol=1e-7)
    np.testing.assert_allclose(run.m(1), state(mesh, 3), atol=1e-7)
    assert_vtk_reads(writer.path)


def test_rows_count_only_after_their_commit(new: Write, mesh: Mesh) -> None:
    writer = new()
    writer.write_snapshot(0.0, {"m": state(mesh, 0)})
    writer.append_rows(np.ones((3, len(COLUMNS))))
    assert len(RunFile(writer.path).table["t"]) == 0
    writer.flush()
    assert len(RunFile(writer.path).table["t"]) == 3
    writer.append_rows(np.ones(len(COLUMNS)))
    writer.write_snapshot(1e-9, {"m": state(mesh, 0)})
    assert len(RunFile(writer.path).table["t"]) == 4
    writer.append_rows(np.ones((5000, len(COLUMNS))))
    assert len(RunFile(writer.path).table["t"]) == 5004
    with h5py.File(writer.path, "r", locking=False) as file:
        assert file["table"].attrs["rows"] == 5004
    writer.close()


def test_more_steps_than_one_block_of_offsets(new: Write) -> None:
    mesh = Mesh(cells=(2, 1, 1), cell_size=(1e-9, 1e-9, 1e-9))
    with new(mesh=mesh, static={"Ms": np.ones(mesh.shape)}) as writer:
        for k in range(1030):
            writer.write_snapshot(k * 1e-12, {"m": state(mesh, k)})
    assert_vtk_reads(writer.path, "--min-steps", "1030", "--max-steps-read", "5")
    np.testing.assert_allclose(RunFile(writer.path).m(1029), state(mesh, 1029), atol=1e-6)


def test_wrong_arrays_are_refused(new: Write, mesh: Mesh) -> None:
    with new() as writer:
        with pytest.raises(ValueError, match="shape"):
            writer.write_snapshot(0.0, {"m": np.zeros((3, 1, 1, 1))})
        with pytest.raises(ValueError, match="lacks"):
            writer.write_snapshot(0.0, {})
        with pytest.raises(ValueError, match="not among"):
            writer.write_snapshot(0.0, {"m": state(mesh, 0), "B": state(mesh, 0)})
        with pytest.raises(ValueError, match="5 columns"):
            writer.append_rows(np.zeros((2, 3)))
        with pytest.raises(ValueError, match="must increase"):
            writer.write_snapshot(float("nan"), {"m": state(mesh, 0)})
        writer.write_snapshot(0.0, {"m": state(mesh, 0)})
    with pytest.raises(OutputExistsError):
        new()


WRITER_SCRIPT = """
import sys
import numpy as np
from micromag.mesh import Mesh
from micromag.output.vtkhdf import Column, VtkhdfWriter

mesh = Mesh(cells=(16, 16, 2), cell_size=(1e-9, 1e-9, 1e-9))
columns = [Column("t", "s"), *(Column(f"c{i}") for i in range(12))]
writer = VtkhdfWriter(sys.argv[1], mesh, columns=columns, static={"Ms": np.ones(mesh.shape)})
for k in range(100_000):
    angle = np.full(mesh.shape, 1e-3 * k)
    m = np.stack([np.cos(angle), np.sin(angle), 0 * angle])
    writer.append_rows(np.full((2, 13), k))
    writer.append_relax(k // 100, {"iteration": k, "energy": -k})
    writer.write_snapshot(k * 1e-12, {"m": m})
    print(k + 1, flush=True)
"""


def killed_writer(path: Path, seconds: float) -> int:
    """Kill -9 a process that writes as fast as it can; return how many snapshots it had told."""
    log = path.with_suffix(".log")
    with log.open("w") as out:
        process = subprocess.Popen([sys.executable, "-c", WRITER_SCRIPT, str(path)], stdout=out)
        deadline = time.monotonic() + 30
        while not log.stat().st_size and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
    return int(log.read_text().rsplit("\n", 2)[-2])


def test_kill_9_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    rng = np.random.default_rng(int(time.time()))
    for attempt in range(7):
        path = tmp_path / f"{attempt}.vtkhdf"
        told = killed_writer(path, rng.uniform(0.01, 0.3))
        run = RunFile(path)
        assert told <= len(run) <= told + 1
        assert run.status == "running"
        np.testing.assert_allclose(run.times, np.arange(len(run)) * 1e-12, rtol=1e-12)
        for k in range(len(run)):
            np.testing.assert_allclose(run.m(k)[0, 0, 0, 0], np.cos(1e-3 * k), atol=1e-6)
        assert len(run.table["t"]) >= 2 * told
        for values in run.table.values():
            np.testing.assert_array_equal(values, np.repeat(np.arange(len(values) // 2), 2))
        assert sum(len(h["energy"]) for h in run.relax_history.values()) >= told
        assert_vtk_reads(path, "--max-steps-read", "3")


@pytest.mark.parametrize("limit", [700_000, 903_000])
def test_a_full_disk_is_an_error_and_keeps_what_was_committed(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "run.vtkhdf"
    script = f"""
import resource, signal, sys
from micromag.errors import MicromagError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), unlimited[1]))
try:
    exec({WRITER_SCRIPT!r})
except MicromagError as error:
    print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)  # a full disk has room for a hole
    writer.close()
"""
    command = [sys.executable, "-c", script, str(path), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "cannot write the result: File too large" in done.stdout, done.stderr
    assert "Traceback" not in done.stderr
    told = int(done.stdout.partition(str(path))[0].split()[-1])
    assert len(RunFile(path)) >= told
    assert_vtk_reads(path, "--max-steps-read", "3")


def test_a_folder_stands_for_its_only_result(tmp_path: Path, new: Write, mesh: Mesh) -> None:
    with new() as writer:
        writer.write_snapshot(0, {"m": state(mesh, 0)})
    assert RunFile(writer.path.parent).path == writer.path
    with pytest.raises(UnreadableInputError, match="no result in this folder"):
        RunFile(Path(__file__).parent)
    shutil.copy(writer.path, writer.path.with_name("other.vtkhdf"))
    with pytest.raises(UnreadableInputError, match="several results in this folder"):
        RunFile(writer.path.parent)


def test_no_permission_is_an_error_for_the_user(tmp_path: Path, mesh: Mesh) -> None:
    with pytest.raises(MicromagError, match="cannot write the result"):
        VtkhdfWriter(tmp_path / "no" / "such" / "run.vtkhdf", mesh)


def test_xarray_names_axes_and_coordinates(new: Write, mesh: Mesh) -> None:
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    with new(static={"Ms": np.ones(mesh.shape)}) as writer:
        for k in range(3):
            writer.write_snapshot(k * 1e-10, {"m": state(mesh, k)})
            writer.append_rows([k * 1e-10, k, 0, 0.5, 1e-18])
    with xarray.open_datatree(writer.path, engine="h5netcdf", phony_dims="sort") as tree:
        m = tree["VTKHDF/CellData"]["m"]
        assert m.dims == ("time", "z", "y", "x", "comp")
        assert m.coords["x"].attrs["units"] == "nm"
        picked = m.sel(time=0.1, x=4.0, y=1.5, z=0.0, comp=1, method="nearest")
        assert picked.item() == pytest.approx(state(mesh, 1)[1, 1, 2, 3])
        assert tree["table"]["E_total"].dims == ("t",)
        assert tree["table"]["E_total"].attrs["unit"] == "J"


def test_summary(new: Write, mesh: Mesh) -> None:
    ms = np.full(mesh.shape, 580e3)
    ms[:, 0] = 0
    with new(static={"Ms": ms}, provenance={"device": "NVIDIA H200", "version": "1.0"}) as writer:
        for i in range(3):
            values = {"iteration": i, "energy": 1e-18 * (1 - i), "max_torque": 0.1}
            writer.append_relax(0, values)
        for k in range(5):
            writer.write_snapshot(k * 5e-10, {"m": state(mesh, k)})
            writer.append_rows([k * 5e-10, k, 1, 0.5 * k, -1e-18])
    text = RunFile(writer.path).summary()
    for part in (
        "Wall in a wire",
        "finished",
        "5 x 4 x 3 cells of 4 x 3 x 1 nm, 20 x 12 x 3 nm in all",
        "x (2 each side)",
        "75 % of the cells, Ms = 580000 A/m",
        "NVIDIA H200",
        "5 of m, t = 0 s to 2 ns every 500 ps",
        "0  relax  2 iterations, E = 1e-18 -> -1e-18 J, max torque 0.1 T",
        "1  run for 2 ns  t = 0 s to 2 ns, 5 rows",
        "version",
    ):
        assert part in text, text
    assert max(map(len, text.splitlines())) < 140


def test_summary_of_a_run_that_was_killed_before_anything(new: Write, mesh: Mesh) -> None:
    writer = new(config_text="", columns=())
    writer.close("interrupted")
    text = RunFile(writer.path).summary()
    assert "none of m" in text and "interrupted" in text


def bad_files(folder: Path, good: Path) -> dict[str, Path]:
    content = good.read_bytes()
    files = {
        name: folder / f"{name}.vtkhdf" for name in ("text", "empty", "short", "half", "other")
    }
    files["text"].write_text("mesh: {cells: [1, 1, 1]}\n")
    files["empty"].write_bytes(b"")
    files["short"].write_bytes(content[:100])
    files["half"].write_bytes(content[: len(content) // 2])
    with h5py.File(files["other"], "w") as file:
        file["data"] = np.zeros(3)
    files["missing"] = folder / "missing.vtkhdf"
    files["folder"] = folder
    files["scrambled"] = folder / "scrambled.vtkhdf"
    files["scrambled"].write_bytes(content[:48] + bytes(reversed(content[48:])))
    return files


@pytest.mark.parametrize(
    "kind", ["text", "empty", "short", "half", "other", "missing", "folder", "scrambled"]
)
def test_unreadable_results_are_told_so(new: Write, mesh: Mesh, tmp_path: Path, kind: str) -> None:
    with new() as writer:
        writer.write_snapshot(0.0, {"m": state(mesh, 0)})
    path = bad_files(tmp_path, writer.path)[kind]
    with pytest.raises(UnreadableInputError) as caught:
        RunFile(path).summary()
    assert caught.value.where == str(path) and caught.value.next_step


def test_what_is_not_in_a_result_is_told(new: Write, mesh: Mesh) -> None:
    with new() as writer:
        writer.write_snapshot(0.0, {"m": state(mesh, 0)})
    run = RunFile(writer.path)
    for k in (1, -2):
        with pytest.raises(UnreadableInputError, match="no snapshot"):
            run.m(k)
    with pytest.raises(UnreadableInputError, match="no quantity 'B'"):
        run.field("B")


def test_a_copy_taken_while_writing_is_a_valid_file(new: Write, mesh: Mesh, tmp_path: Path) -> None:
    writer = new()
    for k in range(4):
        writer.write_snapshot(k * 1e-10, {"m": state(mesh, k)})
    copy = shutil.copy(writer.path, tmp_path / "look.vtkhdf")
    writer.close()
    assert_vtk_reads(Path(copy), "--min-steps", "4")


def test_chunks_stay_below_the_limit_of_hdf5() -> None:
    assert chunk_shape((4, 8, 16, 3), 4) == (1, 4, 8, 16, 3)
    large = chunk_shape((2000, 1000, 1000, 3), 4)
    assert large[2:] == (1000, 1000, 3) and np.prod([float(n) for n in large]) * 4 < 2**32
    flat = chunk_shape((1, 30_000, 30_000), 4)
    assert flat[3] == 30_000 and np.prod([float(n) for n in flat]) * 4 < 2**32


@pytest.mark.parametrize("value", [0.0, 3e-9, 1.1e-12, 4e-10, -2.5e-7])
def test_nanometres_are_round_numbers_and_come_back(value: float) -> None:
    assert from_nano(nano(value)) == value
    assert len(repr(nano(value))) < 10
