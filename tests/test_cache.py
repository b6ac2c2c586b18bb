"""The cache of compiled kernels: keys, damage, many processes, limits, privacy."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from kernel_text import BODY, source

from micromag.backend import Items, cache, get_backend, nvrtc
from micromag.backend.compiler import host_compiler
from micromag.errors import DeviceError

WORKER = """
import sys
import numpy as np
from kernel_text import source
from micromag.backend import Items, get_backend
backend = get_backend("cpu", threads=1)
(module,) = backend.compile([source()])
counts, out = backend.zeros(2, "int32"), backend.zeros(2, "float64")
module.kernel("count_up").bind(Items(2), None, counts, 1, 1.0, out).run()
assert counts.tolist() == [1, 1]
print(sys.argv[1])
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for this test."""
    monkeypatch.setenv("MICROMAG_CACHE_DIR", str(tmp_path))
    return tmp_path / "kernels"


def count_up() -> list[int]:
    backend = get_backend("cpu", threads=1)
    (module,) = backend.compile([source()])
    counts, out = backend.zeros(2, "int32"), backend.zeros(2, "float64")
    module.kernel("count_up").bind(Items(2), None, counts, 1, 1.0, out).run()
    return counts.tolist()


def kernel_files(folder: Path) -> list[Path]:
    """The compiled test kernels; the pool may be there or not."""
    return sorted(p for p in folder.iterdir() if p.suffix == ".so")


def test_a_second_compilation_is_a_look_up(folder, monkeypatch):
    get_backend("cpu").compile([source()])
    before = [(p.name, p.stat().st_ino) for p in kernel_files(folder)]
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: pytest.fail("compiled again"))
    get_backend("cpu").compile([source()])
    assert [(p.name, p.stat().st_ino) for p in kernel_files(folder)] == before


def test_everything_that_decides_the_result_is_in_the_key(monkeypatch):
    compiler = host_compiler()
    base = source()
    other_header = source(body=BODY.replace("v * v", "v * v * v"))
    keys = {
        compiler.key(s)
        for s in (base, other_header, source("double"), source(PERIODIC_X=1), source(PERIODIC_X=0))
    }
    assert len(keys) == 5
    assert compiler.key(base) == compiler.key(source())
    assert compiler.key(base) != compiler.key(base, ("-pthread",))
    newer = type(compiler)(compiler.command, compiler.version + "1", compiler.family)
    assert newer.key(base) != compiler.key(base)
    monkeypatch.setattr("micromag.backend.compiler.cpu_identity", lambda: "another processor")
    assert compiler.key(base) not in keys


def test_architectures_have_cubins_of_their_own(folder):
    paths = {nvrtc.cubin(source(), arch) for arch in ("sm_75", "sm_90")}
    assert len(paths) == 2


@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty"])
def test_a_damaged_library_is_rebuilt(folder, damage):
    assert count_up() == [1, 1]
    for path in kernel_files(folder):
        whole = path.read_bytes()
        path.unlink()  # what a process has loaded must not change under it
        path.write_bytes({"truncated": whole[:5000], "garbage": b"?" * 100, "empty": b""}[damage])
    assert count_up() == [1, 1]
    for path in kernel_files(folder):
        assert path.stat().st_size > 5000


def test_a_library_that_does_not_load_is_rebuilt(folder):
    compiler = host_compiler()
    folder.mkdir(parents=True)

    def build(place: Path) -> Path:
        made = place / "wrong.so"
        made.write_bytes(b"intact, but not a library")
        return made

    from micromag.backend.cpu import load_library

    wrong = cache.kernel_cache().build(compiler.key(source()), ".so", build)
    load_library(compiler, source())
    assert not wrong.exists()


def test_two_processes_at_once_fill_one_cache(folder):
    here = Path(__file__).parent
    path = os.pathsep.join([str(here.parent), str(here), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(i)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for i in range(2)
    ]
    outputs = [w.communicate(timeout=60)[0].strip() for w in workers]
    assert [w.returncode for w in workers] == [0, 0] and outputs == ["0", "1"]
    assert not [p for p in folder.iterdir() if p.name.startswith("build-")]
    assert count_up() == [1, 1]


def make(folder: Path, content: bytes):
    def build(place: Path) -> Path:
        made = place / "made"
        made.write_bytes(content)
        return made

    return build


def test_the_least_recently_used_entries_go_first(tmp_path):
    store = cache.Cache(tmp_path, limit=250)
    paths = {}
    for age, key in ((300, "old"), (200, "middle"), (100, "new")):
        paths[key] = store.build(key, ".so", make(tmp_path, key.encode().ljust(100)))
        os.utime(paths[key], (time.time() - age, time.time() - age))
        if key == "middle":
            assert store.find("old", ".so") == paths["old"]  # use makes it young
    assert paths["old"].exists() and not paths["middle"].exists() and paths["new"].exists()


def test_the_remains_of_a_killed_build_are_cleared(tmp_path):
    store = cache.Cache(tmp_path)
    dead, alive = tmp_path / "build-dead", tmp_path / "build-alive"
    dead.mkdir()
    alive.mkdir()
    os.utime(dead, (1, 1))
    store.build("key", ".so", make(tmp_path, b"x"))
    assert not dead.exists() and alive.exists()


def test_a_failed_build_leaves_nothing(tmp_path):
    def fail(place: Path) -> Path:
        (place / "half").write_bytes(b"x")
        raise DeviceError("no")

    with pytest.raises(DeviceError):
        cache.Cache(tmp_path).get("key", ".so", fail)
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_private_and_another_users_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROMAG_CACHE_DIR", str(tmp_path / "open"))
    (tmp_path / "open" / "kernels").mkdir(parents=True, mode=0o777)
    store = cache.kernel_cache()
    assert store.directory == tmp_path / "open" / "kernels"
    assert store.directory.stat().st_mode & 0o777 == 0o700
    monkeypatch.setenv("MICROMAG_CACHE_DIR", str(tmp_path / "theirs"))
    monkeypatch.setattr(os, "getuid", lambda: 123456)
    with pytest.raises(DeviceError, match="another user"):
        cache.kernel_cache()


def test_without_a_writable_place_a_folder_of_the_process_is_used(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("MICROMAG_CACHE_DIR", str(tmp_path / "file"))
    directory = cache.kernel_cache().directory
    assert directory.is_dir() and directory.stat().st_mode & 0o777 == 0o700
    assert cache.kernel_cache().directory == directory
