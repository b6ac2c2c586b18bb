"""The disk cache of tensor spectra: hits, damage, many processes at once, its size."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from micromag.demag import cache, cached_spectrum, tensor_spectrum

MESH = ((12, 8, 3), (4e-9, 4e-9, 2e-9), (1, 0, 0))


def files(directory: Path, suffix: str = "tensor") -> list[Path]:
    return sorted(directory.glob(f"*.{suffix}"))


def forbid_computing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("computed although it is cached")

    monkeypatch.setattr(cache, "tensor_spectrum", refuse)


def test_second_call_reads_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cached_spectrum(*MESH, directory=tmp_path)
    assert np.array_equal(first.octant, tensor_spectrum(*MESH).octant)
    forbid_computing(monkeypatch)
    second = cached_spectrum(*MESH, directory=tmp_path)
    assert second.lengths == first.lengths
    assert np.array_equal(second.octant, first.octant)


def test_everything_that_matters_is_in_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells, edges, periodic = MESH
    cached_spectrum(cells, edges, periodic, directory=tmp_path)
    cached_spectrum((12, 8, 4), edges, periodic, directory=tmp_path)
    cached_spectrum(cells, (4e-9, 4e-9, np.nextafter(2e-9, 1)), periodic, directory=tmp_path)
    cached_spectrum(cells, edges, (2, 0, 0), directory=tmp_path)
    monkeypatch.setattr(cache, "ALGORITHM_VERSION", cache.ALGORITHM_VERSION + 1)
    cached_spectrum(cells, edges, periodic, directory=tmp_path)
    assert len(files(tmp_path)) == 5


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "header", "shape", "garbage"])
def test_damaged_file_is_recognised_and_replaced(tmp_path: Path, damage: str) -> None:
    expected = cached_spectrum(*MESH, directory=tmp_path).octant
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    lines = whole.split(b"\n", 3)
    broken = {
        "flip": whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:],
        "cut": whole[: len(whole) // 2],
        "empty": b"",
        "header": b"x" + whole[1:],
        "shape": b"\n".join([*lines[:2], b'[["a"], 3]', lines[3]]),
        "garbage": os.urandom(1000),
    }
    path.write_bytes(broken[damage])
    assert np.array_equal(cached_spectrum(*MESH, directory=tmp_path).octant, expected)
    assert path.read_bytes() == whole


def test_many_processes_fill_one_cache(tmp_path: Path) -> None:
    program = (
        "import hashlib; from micromag.demag import cached_spectrum\n"
        "for n in (20, 21, 20):\n"
        "    s = cached_spectrum((n, 16, 8), (2e-9, 2e-9, 2e-9))\n"
        "    print(hashlib.sha256(s.octant.tobytes()).hexdigest())\n"
    )
    environment = {**os.environ, "MICROMAG_CACHE_DIR": str(tmp_path)}
    root = Path(__file__).parent.parent
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            env=environment,
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    outputs = [process.communicate(timeout=60) for process in running]
    assert {process.returncode for process in running} == {0}
    assert len({out for out, _ in outputs}) == 1
    assert not any(err for _, err in outputs)
    assert len(files(tmp_path / "demag")) == 2
    assert not files(tmp_path / "demag", "part")


def test_oldest_files_go_when_the_limit_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meshes = [((8 + n, 8, 1), (1e-9, 1e-9, 1e-9)) for n in range(3)]
    for age, mesh in enumerate(meshes):
        cached_spectrum(*mesh, directory=tmp_path)
        newest = max(files(tmp_path), key=lambda p: p.stat().st_mtime_ns)
        os.utime(newest, (1000 + age, 1000 + age))
    cached_spectrum(*meshes[0], directory=tmp_path)  # used: it is not the oldest any more
    size = sum(path.stat().st_size for path in files(tmp_path))
    monkeypatch.setattr(cache, "SIZE_LIMIT", size)
    cached_spectrum((8, 8, 1), (1e-9, 1e-9, 3e-9), directory=tmp_path)
    assert len(files(tmp_path)) == 3
    forbid_computing(monkeypatch)
    cached_spectrum(*meshes[0], directory=tmp_path)
    cached_spectrum(*meshes[2], directory=tmp_path)
    with pytest.raises(AssertionError, match="computed"):
        cached_spectrum(*meshes[1], directory=tmp_path)


def test_abandoned_parts_are_removed(tmp_path: Path) -> None:
    old, fresh = tmp_path / "old.part", tmp_path / "fresh.part"
    old.touch()
    fresh.touch()
    os.utime(old, (1000, 1000))
    cached_spectrum(*MESH, directory=tmp_path)
    assert files(tmp_path, "part") == [fresh]


def test_unusable_folder_costs_time_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    blocked = tmp_path / "a_file"
    blocked.write_text("not a folder")
    spectrum = cached_spectrum(*MESH, directory=blocked)
    assert np.array_equal(spectrum.octant, tensor_spectrum(*MESH).octant)
    assert "not cached" in caplog.text


def test_folder_is_private_and_can_be_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MICROMAG_CACHE_DIR", str(tmp_path / "mine"))
    assert cache.cache_directory() == tmp_path / "mine" / "demag"
    cached_spectrum(*MESH)
    assert len(files(tmp_path / "mine" / "demag")) == 1
    if os.name == "posix":
        assert (tmp_path / "mine" / "demag").stat().st_mode & 0o077 == 0
    monkeypatch.delenv("MICROMAG_CACHE_DIR")
    assert cache.cache_directory().name == "demag"
    assert "micromag" in str(cache.cache_directory())
