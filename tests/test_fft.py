"""The pruned transforms: equal to the full padded ones, and the same bits in any batch."""

from __future__ import annotations

import numpy as np
import pytest

from micromag.backend import get_backend

GRIDS = [
    ((17, 9, 5), (36, 18, 10)),
    ((64, 16, 1), (128, 32, 1)),
    ((30, 1, 1), (60, 1, 1)),
    ((1, 12, 1), (1, 24, 1)),
    ((1, 1, 8), (1, 1, 16)),
    ((16, 12, 3), (16, 24, 6)),
    ((15, 10, 4), (15, 10, 4)),
    ((1, 1, 1), (1, 1, 1)),
]
PRECISIONS = [("float32", 3e-6), ("float64", 1e-14)]


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize(("cells", "lengths"), GRIDS)
def test_equals_the_full_transform_of_the_padded_grid(backend, cells, lengths, dtype, tolerance):
    check_against_the_full_transform(backend, cells, lengths, dtype, tolerance)


def check_against_the_full_transform(backend, cells, lengths, dtype, tolerance):
    (nx, ny, nz), (lx, ly, lz), batch = cells, lengths, 3
    rng = np.random.default_rng(1)
    fft = backend.convolution_fft(cells, lengths, batch, dtype)
    transfer = rng.standard_normal((lz, ly, batch, lx // 2 + 1))
    for _ in range(2):  # what one evaluation leaves behind must not enter the next
        field = rng.standard_normal((nz, ny, batch, nx)).astype(dtype)
        backend.write(fft.real_in, field)
        backend.program([fft.forward]).run()
        padded = np.zeros((lz, ly, batch, lx))
        padded[:nz, :ny, :, :nx] = field
        expected = np.fft.fftn(np.fft.rfft(padded, axis=3), axes=(0, 1))
        spectrum = backend.download(fft.spectrum)
        assert spectrum.shape == expected.shape
        assert abs(spectrum - expected).max() <= tolerance * abs(expected).max()

        backend.write(fft.spectrum, (expected * transfer).astype(spectrum.dtype))
        backend.program([fft.inverse]).run()
        full = np.fft.irfft(np.fft.ifftn(expected * transfer, axes=(0, 1)), lx, axis=3) * (
            lx * ly * lz
        )
        result = backend.download(fft.real_out)
        assert abs(result - full[:nz, :ny, :, :nx]).max() <= tolerance * abs(full).max()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("cells", "lengths"), [*GRIDS, ((61, 33, 1), (125, 66, 1)), ((20, 7, 6), (40, 14, 12))]
)
def test_a_replica_has_the_same_bits_alone_and_in_a_batch(backend, cells, lengths, dtype):
    nx, ny, nz = cells
    replicas = 8
    rng = np.random.default_rng(2)
    field = rng.standard_normal((nz, ny, replicas, 3, nx)).astype(dtype)
    together = backend.convolution_fft(cells, lengths, 3 * replicas, dtype)
    backend.write(together.real_in, field.reshape(nz, ny, 3 * replicas, nx))
    backend.program([together.forward]).run()
    spectra = backend.download(together.spectrum)
    backend.program([together.inverse]).run()
    results = backend.download(together.real_out)
    for r in range(replicas):
        mine = slice(3 * r, 3 * r + 3)
        alone = backend.convolution_fft(cells, lengths, 3, dtype)
        backend.write(alone.real_in, np.ascontiguousarray(field[:, :, r]))
        backend.program([alone.forward]).run()
        assert np.array_equal(backend.download(alone.spectrum), spectra[:, :, mine])
        backend.program([alone.inverse]).run()
        assert np.array_equal(backend.download(alone.real_out), results[:, :, mine])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_number_of_workers_changes_no_bit(dtype):
    cells, lengths = (130, 70, 7), (260, 140, 14)
    field = np.random.default_rng(3).standard_normal((7, 70, 3, 130)).astype(dtype)
    results = []
    for threads in (1, 2, 5):
        backend = get_backend("cpu", threads=threads)
        fft = backend.convolution_fft(cells, lengths, 3, dtype)
        assert fft.workers == threads
        backend.write(fft.real_in, field)
        fft.forward()
        spectrum = backend.download(fft.spectrum)
        fft.inverse()
        results.append((spectrum, backend.download(fft.real_out)))
    for spectrum, result in results[1:]:
        assert np.array_equal(spectrum, results[0][0])
        assert np.array_equal(result, results[0][1])


def test_the_estimate_of_the_memory_covers_the_arrays(backend):
    cells, lengths = (17, 9, 5), (36, 18, 10)
    fft = backend.convolution_fft(cells, lengths, 6, "float32")
    arrays = fft.real_in.nbytes + fft.spectrum.nbytes + fft.real_out.nbytes
    assert backend.convolution_fft_bytes(cells, lengths, 6, "float32") >= arrays
