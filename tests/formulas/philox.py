"""Philox4x32-10 and the noise of a run, written from the paper with NumPy's 64-bit integers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
MASK = np.uint64(0xFFFFFFFF)


def philox(counter: tuple[Any, Any, Any, Any], key: tuple[int, int]) -> list[NDArray[np.uint64]]:
    """Return four words of 32 bits for each counter of four such words."""
    c = [np.asarray(word, dtype=np.uint64) for word in np.broadcast_arrays(*counter)]
    k = [np.uint64(word) for word in key]
    for _ in range(10):
        a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [
            (b >> np.uint64(32)) ^ c[1] ^ k[0],
            b & MASK,
            (a >> np.uint64(32)) ^ c[3] ^ k[1],
            a & MASK,
        ]
        k = [
            (k[0] + np.uint64(0x9E3779B9)) & MASK,
            (k[1] + np.uint64(0xBB67AE85)) & MASK,
        ]
    return c


def deviates(shape: tuple[int, int, int], seed: int, step: int, stream: int = 0) -> Array:
    """Return the normal deviates of a step, shape ``(3, nz, ny, nx)``."""
    cells = np.arange(np.prod(shape), dtype=np.uint64).reshape(shape)
    words = philox((cells, step & 0xFFFFFFFF, step >> 32, stream), (seed & 0xFFFFFFFF, seed >> 32))
    u, first, v, second = (w.astype(np.float64) for w in words)
    # 31 bits of the length; the angle in the quadrant of its two highest bits, each of the width pi/2.
    r, s = (np.sqrt(-2 * np.log((np.floor(w / 2) + 0.5) / 2**31)) for w in (u, v))
    quarter = np.pi / 2
    phi, chi = (2 * np.pi * w / 2**32 - quarter / 2 for w in (first, second))
    return np.array([r * np.cos(phi), r * np.sin(phi), s * np.cos(chi)])
