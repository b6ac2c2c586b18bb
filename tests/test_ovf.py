"""OVF and NumPy files: every flavour is read, what we write comes back, bad files are told."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from micromag.errors import UnreadableInputError
from micromag.mesh import Mesh
from micromag.output.ovf import read_ovf, write_ovf
from micromag.output.reader import read_field, read_magnetization
from micromag.output.vtkhdf import VtkhdfWriter

NX, NY, NZ = 3, 2, 2
CELL = (4e-9, 5e-9, 2e-9)
CHECK = {"4": ("f", 1234567.0), "8": ("d", 123456789012345.0)}


def vector(x: int, y: int, z: int) -> tuple[float, float, float]:
    """A unit vector that is different in every cell and exact in single precision."""
    sign = -1.0 if y else 1.0
    return [(sign, 0.0, 0.0), (0.0, sign, 0.0), (0.6, 0.0, 0.8 * sign)][(x + z) % 3]


def expected() -> np.ndarray:
    m = np.zeros((3, NZ, NY, NX))
    for z in range(NZ):
        for y in range(NY):
            for x in range(NX):
                m[:, z, y, x] = vector(x, y, z)
    return m


def hand_made(version: int, kind: str, factor: float = 1.0, **changes: str) -> bytes:
    """Write an OVF file by the words of the specification, value by value."""
    first = "OOMMF: rectangular mesh v1.0" if version == 1 else "OOMMF OVF 2.0"
    entries = {"Title": "m", "meshtype": "rectangular", "meshunit": "m"}
    entries |= {"xbase": "2e-9", "ybase": "2.5e-9", "zbase": "1e-9"}
    entries |= {"xnodes": str(NX), "ynodes": str(NY), "znodes": str(NZ)}
    entries |= {"xstepsize": "4e-9", "ystepsize": "5e-9", "zstepsize": "2e-9"}
    entries |= {"xmin": "0", "ymin": "0", "zmin": "0"}
    entries |= {"xmax": "12e-9", "ymax": "10e-9", "zmax": "4e-9"}
    if version == 1:
        entries |= {"valueunit": "", "valuemultiplier": "1.0"}
        entries |= {"ValueRangeMinMag": "1", "ValueRangeMaxMag": "1"}
    else:
        entries |= {"valuedim": "3", "valuelabels": "m_x m_y m_z", "valueunits": "1 1 1"}
    entries |= changes
    head = [f"# {first}", "## a comment", "# Segment count: 1", "# Begin: Segment"]
    head += ["# Begin: Header", "#", *(f"# {k}: {v}" for k, v in entries.items())]
    head += ["# End: Header", f"# Begin: Data {kind}", ""]
    cells = [(x, y, z) for z in range(NZ) for y in range(NY) for x in range(NX)]
    values = [factor * component for cell in cells for component in vector(*cell)]
    if kind == "Text":
        rows = [" ".join(repr(v) for v in values[i : i + 3]) for i in range(0, len(values), 3)]
        data = ("\n".join(rows) + "\n").encode()
    else:
        letter, check = CHECK[kind[-1]]
        order = ">" if version == 1 else "<"
        data = struct.pack(f"{order}{len(values) + 1}{letter}", check, *values) + b"\n"
    return "\n".join(head).encode() + data + f"# End: Data {kind}\n# End: Segment\n".encode()


@pytest.mark.parametrize("kind", ["Text", "Binary 4", "Binary 8"])
@pytest.mark.parametrize("version", [1, 2])
def test_every_flavour_is_read(tmp_path: Path, version: int, kind: str) -> None:
    path = tmp_path / "start.omf"
    path.write_bytes(hand_made(version, kind))
    data = read_magnetization(path)
    np.testing.assert_allclose(data.m, expected(), atol=1e-7)
    np.testing.assert_allclose(np.linalg.norm(data.m, axis=0), 1, rtol=1e-15)
    assert data.cell_size == pytest.approx(CELL)
    assert data.origin == pytest.approx((0, 0, 0), abs=1e-20)


def test_other_writers_spelling(tmp_path: Path) -> None:
    content = hand_made(2, "Text").replace(b"Begin: Data Text", b"begin :  data TEXT")
    content = content.replace(b"# xnodes: 3", b"# XNodes:3 ## nodes").replace(b"\n", b"\r\n")
    path = tmp_path / "start.ovf"
    path.write_bytes(content)
    np.testing.assert_allclose(read_ovf(path).values, expected())


def test_magnetization_in_amperes_per_metre_is_normalised(tmp_path: Path) -> None:
    path = tmp_path / "start.omf"
    path.write_bytes(hand_made(1, "Binary 4", valueunit="A/m", valuemultiplier="8e5"))
    data = read_ovf(path)
    np.testing.assert_allclose(np.linalg.norm(data.values, axis=0), 8e5, rtol=1e-6)
    np.testing.assert_allclose(read_magnetization(path).m, expected(), atol=1e-7)


def test_nanometres_as_unit_of_the_mesh(tmp_path: Path) -> None:
    path = tmp_path / "start.ovf"
    steps = {"xstepsize": "4", "ystepsize": "5", "zstepsize": "2"}
    bases = {"xbase": "2", "ybase": "2.5", "zbase": "1"}
    path.write_bytes(hand_made(2, "Text", meshunit="nm", **steps, **bases))
    assert read_ovf(path).cell_size == pytest.approx(CELL)


@pytest.mark.parametrize("representation", ["text", "binary 4", "binary 8"])
@pytest.mark.parametrize("components", [1, 3])
def test_what_is_written_is_read(tmp_path: Path, representation: str, components: int) -> None:
    values = np.random.default_rng(1).standard_normal((components, 4, 3, 5))
    path = tmp_path / "field.ovf"
    write_ovf(path, values, CELL, unit="T", representation=representation, time=1e-9)
    data = read_ovf(path)
    tolerance = 1e-7 if representation == "binary 4" else 0
    np.testing.assert_allclose(data.values, values, rtol=tolerance)
    assert data.unit == "T"
    assert data.cell_size == pytest.approx(CELL)
    assert data.origin == pytest.approx((-10e-9, -7.5e-9, -4e-9))
    assert [p.name for p in tmp_path.iterdir()] == ["field.ovf"]


def faulty() -> dict[str, bytes]:
    good = hand_made(2, "Binary 4")
    text = hand_made(2, "Text")
    cut = good.index(b"# Begin: Data")
    return {
        "cut in the data": good[:-60],
        "cut in the header": good[:cut],
        "cut text": text[: text.index(b"# End: Data")],
        "too few numbers": hand_made(2, "Text", znodes="3"),
        "more nodes than data": hand_made(2, "Binary 8", xnodes="100000", ynodes="100000"),
        "fewer nodes than data": hand_made(2, "Binary 4", xnodes="2"),
        "no nodes": hand_made(2, "Text", xnodes="none"),
        "negative nodes": hand_made(2, "Text", xnodes="-3"),
        "half a node": hand_made(2, "Text", xnodes="2.5"),
        "zero step": hand_made(2, "Text", xstepsize="0"),
        "four components": hand_made(2, "Text", valuedim="4"),
        "irregular": hand_made(1, "Text", meshtype="irregular"),
        "furlongs": hand_made(2, "Text", meshunit="furlong"),
        "check value": good.replace(struct.pack("<f", 1234567.0), b"\0\0\0\0"),
        "a word": text.replace(b"0.6", b"abc", 1),
        "version 3": text.replace(b"OVF 2.0", b"OVF 3.0"),
        "two segments": text.replace(b"count: 1", b"count: 2"),
        "data kind": text.replace(b"Data Text", b"Data Hex"),
        "not a number": text.replace(b"0.6", b"nan", 1),
        "length 0.5": hand_made(2, "Text", factor=0.5),
        "all empty": hand_made(2, "Text", factor=0.0),
        "garbage": bytes(range(256)) * 4,
        "empty": b"",
        "newlines": b"\n" * 100,
        "one line": b"# OOMMF OVF 2.0" + b"x" * 100_000,
    }


@pytest.mark.parametrize("fault", faulty())
def test_faulty_files_are_told_so(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "start.ovf"
    path.write_bytes(faulty()[fault])
    with pytest.raises(UnreadableInputError) as caught:
        read_magnetization(path)
    assert caught.value.where == str(path)
    assert caught.value.exit_code == 6


@pytest.mark.parametrize("axis", [0, -1])
def test_numpy_arrays(tmp_path: Path, axis: int) -> None:
    path = tmp_path / "start.npy"
    m = expected()[:, :, :, :2]
    m[:, 0, 0, 0] = 0
    np.save(path, np.moveaxis(m, 0, axis).astype("f4"))
    data = read_magnetization(path)
    np.testing.assert_allclose(data.m, m, atol=1e-7)
    assert data.cell_size is None and data.origin is None


def test_a_scalar_array_is_a_field_but_no_magnetization(tmp_path: Path) -> None:
    path = tmp_path / "Ms.npy"
    np.save(path, np.full((2, 3, 4), 8e5))
    assert read_field(path).values.shape == (1, 2, 3, 4)
    with pytest.raises(UnreadableInputError, match="three components"):
        read_magnetization(path)


@pytest.mark.parametrize(
    "array",
    [
        np.ones((2, 2)),
        np.ones((4, 2, 2, 2)),
        np.array(["a"] * 3),
        np.array([{"a": 1}], dtype=object),
        np.ones((3, 0, 1, 1)),
        np.full((3, 1, 1, 1), np.inf),
        np.ones((3, 1, 1, 1), dtype=complex),
    ],
    ids=["2-D", "four", "text", "pickle", "no cells", "infinite", "complex"],
)
def test_arrays_that_are_no_magnetization(tmp_path: Path, array: np.ndarray) -> None:
    path = tmp_path / "start.npy"
    np.save(path, array, allow_pickle=True)
    with pytest.raises(UnreadableInputError):
        read_magnetization(path)


def test_a_cut_numpy_file(tmp_path: Path) -> None:
    path = tmp_path / "start.npy"
    np.save(path, expected())
    content = path.read_bytes()
    for length in (7, 40, len(content) - 8):
        path.write_bytes(content[:length])
        with pytest.raises(UnreadableInputError):
            read_magnetization(path)


def test_results_are_starts_of_new_runs(tmp_path: Path) -> None:
    mesh = Mesh(cells=(NX, NY, NZ), cell_size=CELL)
    path = tmp_path / "run.vtkhdf"
    with VtkhdfWriter(path, mesh, static={"Ms": np.full(mesh.shape, 8e5)}) as writer:
        writer.write_snapshot(0.0, {"m": -expected()})
        writer.write_snapshot(1e-9, {"m": expected()})
    np.testing.assert_allclose(read_magnetization(path).m, expected(), atol=1e-7)
    np.testing.assert_allclose(read_magnetization(path, 0).m, -expected(), atol=1e-7)
    data = read_field(path, name="Ms")
    assert data.values.shape == (1, NZ, NY, NX) and data.unit == "A/m"
    assert data.cell_size == pytest.approx(CELL)
    with pytest.raises(UnreadableInputError, match="no snapshot 5"):
        read_magnetization(path, 5)


def test_a_result_with_nan_is_told_with_the_cell(tmp_path: Path) -> None:
    mesh = Mesh(cells=(NX, NY, NZ), cell_size=CELL)
    path = tmp_path / "run.vtkhdf"
    m = expected()
    m[1, 1, 0, 2] = np.nan
    with VtkhdfWriter(path, mesh) as writer:
        writer.write_snapshot(0.0, {"m": m})
    with pytest.raises(UnreadableInputError, match=r"\(2, 0, 1\)"):
        read_magnetization(path)


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match="no such file"):
        read_magnetization(tmp_path / "none.ovf")
    (tmp_path / "run.vtkhdf").write_bytes(b"x")
    with pytest.raises(UnreadableInputError, match=r"run\.vtkhdf"):
        read_magnetization(tmp_path)
