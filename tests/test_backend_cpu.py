"""Kernels through compile, bind and program, on every backend that there is; and the compilers."""

from __future__ import annotations

import os
import stat
import sys

import numpy as np
import pytest
from kernel_text import BODY, source

from micromag.backend import Cells, Chunks, Items, get_backend
from micromag.backend.compiler import host_compiler
from micromag.errors import DeviceError


def difference(a: np.ndarray, factor: float, shift: int) -> np.ndarray:
    """The formula of the test kernel, with open ends."""
    padded = np.pad(a, [(0, 0)] * (a.ndim - 1) + [(1, 1)], mode="edge")
    below = np.concatenate([a[..., 1:, :], a[..., -1:, :]], axis=-2)
    return factor * (padded[..., 2:] - padded[..., :-2]) + shift * below


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("cells", [(17, 9, 5), (1, 4, 3), (2, 1, 1), (300, 128, 1)])
def test_kernels_over_cells_match_numpy(backend, cells, precision):
    nx, ny, nz = cells
    dtype = "float64" if precision == "double" else "float32"
    a = np.random.default_rng(0).standard_normal((2, nz, ny, nx)).astype(dtype)
    (module,) = backend.compile([source(precision)])
    device, out = backend.upload(a), backend.empty(a.shape, dtype)
    command = module.kernel("difference").bind(Cells(nx, ny, nz, 2), device, out, 0.25, 3)
    backend.program([command]).run()
    tolerance = 1e-14 if precision == "double" else 3e-6
    assert abs(backend.download(out) - difference(a, 0.25, 3)).max() < tolerance


def test_chunked_sums_match_numpy(backend):
    a = np.random.default_rng(1).standard_normal((3, 2, 30, 41)).astype("float32")
    (module,) = backend.compile([source()])
    partial = backend.zeros((3, 7), "float64")
    command = module.kernel("square_sums").bind(Chunks(41, 30, 2, 3, 7), backend.upload(a), partial)
    backend.program([command]).run()
    expected = (a.astype("float64") ** 2).sum(axis=(1, 2, 3))
    assert np.allclose(backend.download(partial).sum(axis=1), expected, rtol=1e-13)


def test_a_program_runs_launches_and_callables_in_order(backend):
    (module,) = backend.compile([source()])
    counts, out = backend.zeros(3, "int32"), backend.zeros(3, "float64")
    count_up = module.kernel("count_up")
    first = count_up.bind(Items(3), None, counts, 5, 0.5, out)
    last = count_up.bind(Items(3), None, counts, 9, 0.25, out)
    seen = []
    program = backend.program([first, lambda: seen.append("between"), last])
    program.run()
    assert backend.download(counts).tolist() == [2] * 3 and seen == ["between"]
    assert backend.download(out).tolist() == [9.25] * 3
    program.run(4)
    backend.synchronize()
    assert backend.download(counts).tolist() == [10] * 3
    backend.program([first, last]).run(times=5)
    assert backend.download(counts).tolist() == [20] * 3
    program.run(times=0)
    first.run()
    assert backend.download(counts).tolist() == [21] * 3


def test_arrays_are_written_and_read_in_place(backend):
    array = backend.zeros((2, 3), "float32")
    backend.write(array, [1, 2, 3])
    backend.write(array[1], np.array([4.0, 5.0, 6.0]))
    out = np.empty((2, 3), "float32")
    backend.read_into(array, out)
    assert out.tolist() == [[1, 2, 3], [4, 5, 6]]
    copy = backend.download(array)
    backend.write(array, 0)
    assert copy[1, 2] == 6  # a download is a copy
    with pytest.raises(TypeError, match="complex64"):
        backend.write(array, np.zeros(3, "complex64"))
    with pytest.raises(ValueError, match="broadcast"):
        backend.write(array, np.zeros(4))
    assert backend.upload(np.arange(3)).dtype == np.int64


def test_wrong_launch_spaces_and_names_are_refused(backend):
    (module,) = backend.compile([source()])
    with pytest.raises(KeyError, match="no kernel sum, only count_up, difference, square_sums"):
        module.kernel("sum")
    with pytest.raises(TypeError, match="runs over CELLS, not ITEMS"):
        module.kernel("difference").bind(Items(3))
    with pytest.raises(ValueError, match="impossible launch space"):
        module.kernel("difference").bind(Cells(0, 1, 1, 1), None, None, 1.0, 1)


def test_an_array_that_does_not_fit_is_a_device_error(backend):
    for shape in ((10**6, 10**6, 10**6, 8), 2 * backend.memory_total()):
        with pytest.raises(DeviceError, match="does not fit") as caught:
            backend.empty(shape, "float64")
        assert caught.value.exit_code == 4
    assert 0 < backend.memory_free() <= backend.memory_total()


def test_what_the_kernels_are_made_for_is_in_the_record(backend):
    info = backend.info()
    assert {"device", "backend", "compiler", "flags", "numpy"} <= set(info)
    assert all(isinstance(v, str) and v for v in info.values())


def test_arrays_start_at_cache_lines():
    backend = get_backend("cpu")
    arrays = [backend.empty(n, "float32") for n in (1, 3, 100, (7, 5))]
    assert all(a.ctypes.data % 64 == 0 for a in arrays)


def test_devices_are_named_and_unknown_ones_refused():
    assert get_backend("cpu", threads=3).choice.endswith("3 threads")
    assert get_backend("auto").kind in ("cpu", "cuda")
    for name in ("gpu", "cpu:1", "cuda:", "CUDA", ""):
        with pytest.raises(DeviceError, match="no such device"):
            get_backend(name)
    with pytest.raises(DeviceError, match="positive"):
        get_backend("cpu", threads=0)


def test_a_compile_error_shows_the_compilers_first_complaint():
    broken = source(body=BODY + "\nint forgotten = missing_name;\n")
    with pytest.raises(DeviceError, match="missing_name") as caught:
        get_backend("cpu").compile([broken])
    assert "cannot compile the kernels 'test'" in str(caught.value)


def test_without_a_compiler_the_remedy_is_named(monkeypatch, tmp_path):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DeviceError, match=r"pip install 'micromag\[compiler\]'.*apt install g\+\+"):
        host_compiler()


def test_a_compiler_with_a_version_in_its_name_is_found(monkeypatch, tmp_path):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("clang++-9", "clang++-16"):
        script = tmp_path / name
        script.write_text("#!/bin/sh\necho 'Debian clang version 16.0.6'\n")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    found = host_compiler()
    assert found.command == ("clang++-16",) and found.family == "clang"
    assert "-nostdlib++" in found.flags


def test_the_compiler_named_in_cxx_is_taken_or_complained_about(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler -m64")
    with pytest.raises(DeviceError, match="CXX does not run"):
        host_compiler()
    monkeypatch.setenv("CXX", f"{sys.executable} -m ziglang c++")
    pytest.importorskip("ziglang")
    assert host_compiler().family == "zig"


@pytest.mark.slow
def test_zig_builds_the_kernels_too(monkeypatch):
    pytest.importorskip("ziglang")
    monkeypatch.setenv("CXX", f"{sys.executable} -m ziglang c++")
    backend = get_backend("cpu", threads=2)
    (module,) = backend.compile([source()])
    a = np.random.default_rng(0).standard_normal((1, 1, 128, 300)).astype("float32")
    out = backend.empty(a.shape, "float32")
    cells = Cells(300, 128, 1, 1)
    module.kernel("difference").bind(cells, backend.upload(a), out, 0.25, 3).run()
    assert abs(out - difference(a, 0.25, 3)).max() < 3e-6


def test_the_processor_and_the_affinity_are_known():
    info = get_backend("cpu").info()
    if hasattr(os, "sched_getaffinity"):
        assert int(info["threads"]) == len(os.sched_getaffinity(0))
