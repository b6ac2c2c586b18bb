"""The thread pool: the same bits for any number of threads, forks, several callers."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest
from kernel_text import source

from micromag.backend import Cells, Chunks, Program, get_backend
from micromag.backend.cpu import _pool

NX, NY, NZ, REPLICAS = 96, 48, 3, 5


def step_program(threads: int) -> tuple[Program, list[np.ndarray]]:
    """A chain in which every launch reads what the one before it wrote."""
    backend = get_backend("cpu", threads=threads)
    (module,) = backend.compile([source()])
    start = np.random.default_rng(5).standard_normal((REPLICAS, NZ, NY, NX)).astype("float32")
    a, b = backend.upload(start), backend.zeros(start.shape, "float32")
    partial = backend.zeros((REPLICAS, 6), "float64")
    difference, sums = module.kernel("difference"), module.kernel("square_sums")
    cells = Cells(NX, NY, NZ, REPLICAS)
    steps = [
        difference.bind(cells, a, b, 0.25, 0),
        difference.bind(cells, b, a, 1.25, 0),
        sums.bind(Chunks(NX, NY, NZ, REPLICAS, 6), a, partial),
    ]
    return backend.program(steps), [a, b, partial]


def run(threads: int, times: int = 60) -> list[bytes]:
    program, arrays = step_program(threads)
    program.run(times)
    return [array.tobytes() for array in arrays]


def test_the_number_of_threads_changes_no_bit():
    expected = run(1)
    for threads in (2, 3, 7):
        assert run(threads) == expected


def test_many_short_launches_with_workers_stay_in_order():
    expected = run(1, 2000)
    assert run(2, 2000) == expected
    assert _pool().pool_workers() >= 1


def test_small_launches_stay_on_the_calling_thread():
    backend = get_backend("cpu", threads=8)
    (module,) = backend.compile([source()])
    a, b = backend.zeros((1, 1, 64, 256), "float32"), backend.zeros((1, 1, 64, 256), "float32")
    kernel = module.kernel("difference")

    def threads_for(nx: int, ny: int) -> int:
        return kernel.bind(Cells(nx, ny, 1, 1), a, b, 1.0, 0).entry[4]

    assert [threads_for(*n) for n in ((64, 64), (127, 128), (256, 64), (256, 32))] == [1, 1, 2, 1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_has_workers_of_its_own():
    expected = run(2)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            own = _pool().pool_workers() == 0
            same = run(2) == expected
            status = 0 if own and same and _pool().pool_workers() == 1 else 2
        finally:
            os._exit(status)
    _, result = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(result) == 0
    assert run(2) == expected


def test_two_callers_at_once_do_not_disturb_each_other():
    expected = run(1, 300)
    results: list[list[bytes]] = []
    callers = [threading.Thread(target=lambda: results.append(run(2, 300))) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert results == [expected] * 3


@pytest.mark.parametrize("threads", [1, 2])
def test_numbers_below_the_normal_range_count_as_zero(threads):
    """They are a hundred times slower than others; a GPU's single precision has none either."""
    tiny = np.float32(1e-42)
    backend = get_backend("cpu", threads=threads)
    (module,) = backend.compile([source()])
    a = backend.upload(np.full((REPLICAS, NZ, NY, 4 * NX), tiny))
    b = backend.upload(np.ones(a.shape, "float32"))
    difference = module.kernel("difference")
    backend.program([difference.bind(Cells(4 * NX, NY, NZ, REPLICAS), a, b, 0.25, 0)]).run()
    assert not b.any()
    assert tiny * np.float32(1) > 0, "the caller's own arithmetic is as it was"
