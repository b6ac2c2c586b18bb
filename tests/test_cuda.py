"""What only a GPU can show: graphs against step by step, and the GPU against the CPU."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_text import filtered_by, source

from micromag.backend import Backend, Cells, Chunks, Items, get_backend


def chain(backend: Backend, graphs: bool = True) -> list[np.ndarray]:
    """Run launches and transforms that depend on each other, and return all results."""
    if backend.kind == "cuda":
        backend.graphs = graphs
    nx, ny, nz, replicas = 70, 33, 4, 3
    (module,) = backend.compile([source("double")])
    start = np.random.default_rng(0).standard_normal((nz, ny, replicas, nx))
    fft = backend.convolution_fft((nx, ny, nz), (140, 66, 8), replicas, 1, "float64")
    ones = np.ones((8, 66, 1, 71))
    backend.write(fft.real_in, start)
    partial = backend.zeros((replicas, 5), "float64")
    counts, out = backend.zeros(300, "int32"), backend.zeros(300, "float64")
    cells = Cells(nx, replicas, ny * nz, 1)
    program = backend.program(
        [
            *fft.steps(filtered_by(backend, ones)),
            module.kernel("difference").bind(cells, fft.real_out, fft.real_in, 1e-6, 0),
            module.kernel("square_sums").bind(
                Chunks(nx, ny, nz, replicas, 5), fft.real_in, partial
            ),
            module.kernel("count_up").bind(Items(300), None, counts, 2**40, 0.5, out),
        ]
    )
    program.run(4)
    backend.synchronize()
    program.run(2)
    arrays = [fft.real_in, fft.real_out, partial, counts, out]
    results = [backend.download(array) for array in arrays]
    if backend.kind == "cuda":
        backend.graphs = True
    return results


def test_a_graph_gives_the_bits_of_single_launches(cuda_backend):
    for replayed, single in zip(chain(cuda_backend), chain(cuda_backend, False), strict=True):
        assert np.array_equal(replayed, single)


def test_the_gpu_agrees_with_the_cpu(cuda_backend):
    for gpu, cpu in zip(chain(cuda_backend), chain(get_backend("cpu")), strict=True):
        assert abs(gpu - cpu).max() <= 1e-11 * abs(cpu).max()


def test_the_largest_array_that_does_not_fit_is_refused(cuda_backend):
    from micromag.errors import DeviceError

    with pytest.raises(DeviceError, match="GPU's memory"):
        cuda_backend.empty(2 * cuda_backend.memory_total(), "uint8")
