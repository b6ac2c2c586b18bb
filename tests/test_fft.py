"""The pruned convolution: equal to the full padded one, the same bits in any batch and any pieces."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from kernel_text import filtered_by

from micromag.backend import Backend, fft_blocks, get_backend
from micromag.backend.fft_blocks import BlockedLayout, cut
from micromag.backend.team import Team

GRIDS = [
    ((17, 9, 5), (36, 18, 10)),
    ((64, 16, 1), (128, 32, 1)),
    ((30, 1, 1), (60, 1, 1)),
    ((1, 12, 1), (1, 24, 1)),
    ((1, 1, 8), (1, 1, 16)),
    ((16, 12, 3), (16, 24, 6)),
    ((20, 1, 5), (40, 1, 10)),
    ((15, 10, 4), (15, 10, 4)),
    ((1, 1, 1), (1, 1, 1)),
]
MORE_GRIDS = [*GRIDS, ((61, 33, 1), (125, 66, 1)), ((20, 7, 6), (40, 14, 12))]
PRECISIONS = [("float32", 3e-6), ("float64", 1e-14)]
Numbers = tuple[int, int, int]


def random_transfer(lengths: Numbers, dtype: str, components: int = 3) -> np.ndarray:
    lx, ly, lz = lengths
    shape = (lz, ly, components, lx // 2 + 1)
    return np.random.default_rng(4).standard_normal(shape).astype(dtype)


def convolver(
    backend: Backend, cells: Numbers, lengths: Numbers, replicas: int, dtype: str
) -> Callable[[np.ndarray], np.ndarray]:
    """Return what convolves fields of shape (nz, ny, replicas * 3, nx) with the same transfer."""
    fft = backend.convolution_fft(cells, lengths, replicas, 3, dtype)
    program = backend.program(fft.steps(filtered_by(backend, random_transfer(lengths, dtype))))

    def convolve(fields: np.ndarray) -> np.ndarray:
        backend.write(fft.real_in, fields)
        program.run()
        return backend.download(fft.real_out)

    return convolve


def random_fields(cells: Numbers, replicas: int, dtype: str) -> np.ndarray:
    nx, ny, nz = cells
    rng = np.random.default_rng(2)
    return rng.standard_normal((nz, ny, replicas * 3, nx)).astype(dtype)


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize(("cells", "lengths"), GRIDS)
def test_equals_the_full_convolution_of_the_padded_grid(backend, cells, lengths, dtype, tolerance):
    check_against_the_full_transform(backend, cells, lengths, dtype, tolerance)


def check_against_the_full_transform(backend, cells, lengths, dtype, tolerance):
    (nx, ny, nz), (lx, ly, lz) = cells, lengths
    convolve = convolver(backend, cells, lengths, 2, dtype)
    transfer = np.tile(random_transfer(lengths, dtype), (1, 1, 2, 1))
    for seed in range(2):  # what one evaluation leaves behind must not enter the next
        rng = np.random.default_rng(seed)
        fields = rng.standard_normal((nz, ny, 6, nx)).astype(dtype)
        padded = np.zeros((lz, ly, 6, lx))
        padded[:nz, :ny, :, :nx] = fields
        product = np.fft.fftn(np.fft.rfft(padded, axis=3), axes=(0, 1)) * transfer
        full = np.fft.irfft(np.fft.ifftn(product, axes=(0, 1)), lx, axis=3) * (lx * ly * lz)
        assert abs(convolve(fields) - full[:nz, :ny, :, :nx]).max() <= tolerance * abs(full).max()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("cells", "lengths"), MORE_GRIDS)
def test_a_replica_has_the_same_bits_alone_and_in_a_batch(backend, cells, lengths, dtype):
    replicas = 8
    fields = random_fields(cells, replicas, dtype)
    together = convolver(backend, cells, lengths, replicas, dtype)(fields)
    alone = convolver(backend, cells, lengths, 1, dtype)
    for r in range(replicas):
        mine = slice(3 * r, 3 * r + 3)
        assert np.array_equal(alone(fields[:, :, mine]), together[:, :, mine])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("replicas", [1, 5])
@pytest.mark.parametrize(("cells", "lengths"), MORE_GRIDS)
def test_pieces_and_threads_change_no_bit(monkeypatch, cells, lengths, replicas, threads, dtype):
    fields = random_fields(cells, replicas, dtype)
    expected = convolver(get_backend("cpu", threads=1), cells, lengths, replicas, dtype)(fields)
    monkeypatch.setattr(fft_blocks, "BLOCK_BYTES", 2000)
    monkeypatch.setattr(fft_blocks, "ONE_BLOCK_BYTES", 2000)
    monkeypatch.setattr(fft_blocks, "ROW_BYTES", 1000)
    for from_points in (0, 3 * np.prod(lengths)):  # threads inside a group, or one for each
        monkeypatch.setattr(fft_blocks, "THREADS_FROM", from_points)
        convolve = convolver(get_backend("cpu", threads=threads), cells, lengths, replicas, dtype)
        for _ in range(3):
            assert np.array_equal(convolve(fields), expected)


@pytest.mark.parametrize(
    ("cells", "lengths", "replicas", "threads", "inside", "across"),
    [
        ((64, 16, 1), (128, 32, 1), 1, 8, 1, 1),
        ((64, 16, 1), (128, 32, 1), 64, 8, 1, 8),
        ((1024, 1024, 1), (2048, 2048, 1), 1, 8, 8, 1),
        ((1024, 1024, 1), (2048, 2048, 1), 64, 8, 8, 1),
        ((128, 128, 64), (256, 256, 128), 2, 2, 2, 1),
    ],
)
def test_every_frequency_and_every_replica_is_in_a_piece(
    cells, lengths, replicas, threads, inside, across
):
    layout = BlockedLayout(cells, lengths, replicas, 3, 4, threads)
    assert (layout.threads_inside, layout.threads_across) == (inside, across)
    covered = np.zeros((lengths[1], lengths[0] // 2 + 1), int)
    for y, x in layout.blocks:
        covered[y, x] += 1
        shape = (y.stop - y.start, x.stop - x.start)
        assert shape[0] <= layout.block_shape[1] and shape[1] <= layout.block_shape[3]
    assert (covered == 1).all()
    reached = {r for first in layout.groups for r in range(first, first + layout.together)}
    assert reached == set(range(replicas))
    block = 8 * np.prod(layout.block_shape)
    assert block <= fft_blocks.ONE_BLOCK_BYTES


def test_a_spectrum_is_cut_into_whole_vectors():
    assert [s.stop - s.start for s in cut(1025, 32)] == [32] * 32 + [1]
    assert cut(5, 100) == (slice(0, 5),)


def test_the_estimate_of_the_memory_covers_the_arrays(backend):
    cells, lengths = (17, 9, 5), (36, 18, 10)
    fft = backend.convolution_fft(cells, lengths, 2, 3, "float32")
    arrays = fft.real_in.nbytes + fft.real_out.nbytes
    assert backend.convolution_fft_bytes(cells, lengths, 2, 3, "float32") >= arrays


@pytest.mark.parametrize(("cells", "replicas"), [((64, 16, 1), 64), ((300, 200, 3), 2)])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_estimate_of_the_memory_is_what_is_allocated(monkeypatch, cells, replicas, threads):
    lengths = tuple(2 * n if n > 1 else 1 for n in cells)
    backend = get_backend("cpu", threads=threads)
    multiply = filtered_by(backend, random_transfer(lengths, "float32"))
    sizes = []
    zeros = backend.zeros

    def counted(shape, dtype):
        array = zeros(shape, dtype)
        sizes.append(array.nbytes)
        return array

    monkeypatch.setattr(backend, "zeros", counted)
    backend.convolution_fft(cells, lengths, replicas, 3, "float32").steps(multiply)
    estimate = backend.convolution_fft_bytes(cells, lengths, replicas, 3, "float32")
    assert sum(sizes) <= estimate <= 1.5 * sum(sizes)


def test_a_team_does_every_task_once_and_passes_on_what_goes_wrong():
    team = Team(3)
    done = []
    team.run(100, lambda worker, number: done.append((worker, number)))
    assert sorted(number for _, number in done) == list(range(100))
    assert {worker for worker, _ in done} <= {0, 1, 2}

    def fail(worker: int, number: int) -> None:
        if number == 7:
            raise RuntimeError("task 7")

    with pytest.raises(RuntimeError, match="task 7"):
        team.run(20, fail)


def test_no_two_tasks_of_a_team_use_the_same_worker_at_once():
    busy = [threading.Lock() for _ in range(4)]

    def task(worker: int, number: int) -> None:
        assert busy[worker].acquire(blocking=False)
        sum(range(1000))
        busy[worker].release()

    for _ in range(50):
        Team(4).run(20, task)
