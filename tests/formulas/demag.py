"""B = -mu0 sum_j N(r_i - r_j) Ms m_j, N summed directly from Newell's two functions.

Each tensor component is the second difference, along all three axes, of f or g over the corners of
both cells: N_xx = (1/(4 pi V)) sum f, N_xy the same of g (A. J. Newell et al., J. Geophys. Res. 98,
9551 (1993)). In double precision this is good for the few cells and images of the tests only.
"""

from __future__ import annotations

import itertools

import numpy as np

from formulas import dot

MU_0 = 1.25663706212e-6  # T m/A, CODATA 2018
SECOND_DIFFERENCE = {-1: -1, 0: 2, 1: -1}


def _f(x: float, y: float, z: float) -> float:
    x, y, z = abs(x), abs(y), abs(z)
    r = np.sqrt(x * x + y * y + z * z)
    value = (2 * x * x - y * y - z * z) * r / 6
    if x > 0 and y > 0 and z > 0:
        value -= x * y * z * np.arctan(y * z / (x * r))
    if y > 0 and x * x + z * z > 0:
        value += y / 2 * (z * z - x * x) * np.arcsinh(y / np.hypot(x, z))
    if z > 0 and x * x + y * y > 0:
        value += z / 2 * (y * y - x * x) * np.arcsinh(z / np.hypot(x, y))
    return value


def _g(x: float, y: float, z: float) -> float:
    z = abs(z)
    r = np.sqrt(x * x + y * y + z * z)
    value = -x * y * r / 3
    if x * x + y * y > 0:
        value += x * y * z * np.arcsinh(z / np.hypot(x, y))
    if y * y + z * z > 0:
        value += y / 6 * (3 * z * z - y * y) * np.arcsinh(x / np.hypot(y, z))
    if x * x + z * z > 0:
        value += x / 6 * (3 * z * z - x * x) * np.arcsinh(y / np.hypot(x, z))
    if z > 0:
        value -= z**3 / 6 * np.arctan2(x * y, z * r)
    if y != 0:
        value -= z * y * y / 2 * np.arctan(x * z / (y * r))
    if x != 0:
        value -= z * x * x / 2 * np.arctan(y * z / (x * r))
    return value


def _tensor(r: tuple[float, ...], d: tuple[float, ...]) -> np.ndarray:
    """Return N between two cells of edges d that are r apart, shape (3, 3)."""
    N = np.zeros((3, 3))
    for corner in itertools.product((-1, 0, 1), repeat=3):
        weight = np.prod([SECOND_DIFFERENCE[c] for c in corner])
        s = [r[i] + corner[i] * d[i] for i in range(3)]
        for i in range(3):
            j, k = (i + 1) % 3, (i + 2) % 3
            N[i, i] += weight * _f(s[i], s[j], s[k])
            off = weight * _g(s[i], s[j], s[k])
            N[i, j] += off
            N[j, i] += off
    return N / (4 * np.pi * d[0] * d[1] * d[2])


def _displacements(count: int, images: int) -> list[tuple[int, float]]:
    """Return the distances in cells along an axis, with their weights.

    On a periodic axis that is a window of 2 images + 1 periods around the target; what lies just on
    its two ends counts half.
    """
    if images == 0:
        return [(r, 1.0) for r in range(1 - count, count)]
    width = (2 * images + 1) * count
    return [
        (r, 0.5 if 2 * abs(r) == width else 1.0)
        for r in range(-width, width + 1)
        if 2 * abs(r) <= width
    ]


def field(m, p, magnet):
    unit = min(magnet.cell_size)
    d = tuple(edge / unit for edge in magnet.cell_size)
    count = m.shape[:0:-1]  # nx, ny, nz
    axes = [_displacements(n, images) for n, images in zip(count, magnet.periodic, strict=True)]
    M = magnet.Ms * m
    B = np.zeros_like(m)
    for steps in itertools.product(*axes):
        N = np.prod([weight for _, weight in steps]) * _tensor(
            tuple(r * edge for (r, _), edge in zip(steps, d, strict=True)), d
        )
        source = M
        for axis, (r, _) in enumerate(steps):
            source = np.roll(source, r, 3 - axis)
            if not magnet.periodic[axis]:
                wrapped = [slice(None)] * 4
                wrapped[3 - axis] = slice(0, r) if r > 0 else slice(count[axis] + r, None)
                if r:
                    source[tuple(wrapped)] = 0
        B -= MU_0 * np.einsum("ij,j...->i...", N, source)
    return B


def energy_density(m, p, magnet):
    return -0.5 * magnet.Ms * dot(m, field(m, p, magnet))
