"""The CUDA backend's own logic, run against an imitation of CuPy on the CPU."""

from __future__ import annotations

from collections.abc import Iterator

import fake_cupy
import numpy as np
import pytest
import test_fft
from kernel_text import source

from micromag.backend import Backend, Cells, Chunks, Items, get_backend
from micromag.errors import DeviceError


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    fake_cupy.install(monkeypatch)
    with get_backend("cuda") as backend:
        yield backend
    monkeypatch.undo()


@pytest.mark.parametrize(("dtype", "tolerance"), test_fft.PRECISIONS)
@pytest.mark.parametrize(("cells", "lengths"), test_fft.GRIDS)
def test_transforms_follow_the_advanced_layout(fake, cells, lengths, dtype, tolerance):
    test_fft.check_against_the_full_transform(fake, cells, lengths, dtype, tolerance)


def test_a_program_is_run_once_and_then_replayed_as_a_graph(fake):
    (module,) = fake.compile([source()])
    counts, small = fake.zeros(5, "int32"), fake.zeros(5, "uint16")
    out = fake.zeros(5, "float64")
    host_calls = []
    command = module.kernel("count_up").bind(Items(5), small, counts, 2**40, 0.5, out)
    program = fake.program([command, lambda: host_calls.append(1), command])
    program.run()
    assert program.graph is None
    program.run(3)
    program.run()
    assert len(program.graph.calls) == 2
    assert fake.download(counts).tolist() == [10] * 5
    assert fake.download(small).tolist() == [20] * 5
    assert fake.download(out).tolist() == [2**40 + 0.5] * 5
    assert len(host_calls) == 2  # the first run and the capture


def test_graphs_can_be_switched_off(monkeypatch):
    monkeypatch.setenv("MICROMAG_CUDA_GRAPHS", "0")
    fake_cupy.install(monkeypatch)
    backend = get_backend("cuda:0")
    calls = []
    program = backend.program([lambda: calls.append(1)])
    program.run(4)
    assert len(calls) == 4 and program.graph is None


def test_cells_and_chunks_are_launched_on_their_grids(fake):
    (module,) = fake.compile([source("double")])
    a = np.random.default_rng(0).standard_normal((3, 2, 5, 67))
    device, out = fake.upload(a), fake.empty(a.shape, "float64")
    fake.program([module.kernel("difference").bind(Cells(67, 5, 2, 3), device, out, 2.0, 0)]).run()
    assert np.allclose(fake.download(out)[..., 1:-1], 2 * (a[..., 2:] - a[..., :-2]))
    partial = fake.zeros((3, 4), "float64")
    module.kernel("square_sums").bind(Chunks(67, 5, 2, 3, 4), device, partial).run()
    assert np.allclose(fake.download(partial).sum(axis=1), (a * a).sum(axis=(1, 2, 3)))


def test_arrays_are_written_in_place_with_conversion(fake):
    array = fake.zeros((2, 3), "float32")
    fake.write(array, [1, 2, 3])
    fake.write(array[1], np.array([4.0, 5.0, 6.0]))
    assert fake.download(array).tolist() == [[1, 2, 3], [4, 5, 6]]
    with pytest.raises(TypeError, match="complex"):
        fake.write(array, np.zeros(3, "complex64"))


def test_errors_say_what_to_do(fake):
    with pytest.raises(DeviceError, match="does not fit into the GPU's memory"):
        fake.empty((10**5, 10**5), "float64")
    with pytest.raises(DeviceError, match="cuda:1"):
        get_backend("cuda:1")
    (module,) = fake.compile([source()])
    with pytest.raises(DeviceError, match="array of another device"):
        module.kernel("square_sums").bind(Chunks(2, 2, 1, 1, 1), np.zeros(4, "f4"), None)
    host = get_backend("cpu")
    (host_module,) = host.compile([source()])
    command = host_module.kernel("square_sums").bind(
        Chunks(2, 2, 1, 1, 1), host.zeros(4, "f4"), host.zeros(1, "f8")
    )
    with pytest.raises(DeviceError, match="another device"):
        fake.program([command])


def test_info_names_what_ran(fake):
    info = fake.info()
    assert info["device"] == "Fake GPU" and info["driver"] == "13.1" and info["arch"] == "sm_90"
    assert "Fake GPU" in fake.choice
    assert fake.memory_free() == 2**30 and fake.memory_total() == 2**31
