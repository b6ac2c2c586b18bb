"""Demagnetizing tensor at middle distances: Gauss quadrature of the point-dipole kernel.

Between the cells that are so near that Newell's differences are exact and those so far that the
multipole series converges lies a shell, wide for flat and long cells, where neither does. There

    N_ij(r) = (V / 4 pi) < delta_ij / s^3 - 3 s_i s_j / s^5 >,      s = r + u,

with u = u_1 - u_2 distributed along each axis as the triangle (1 - |u| / a) / a on [-a, a], is
summed over the nodes of the Gauss rule that belongs to this very weight. All weights are positive
and every node contributes a traceless tensor: nothing cancels.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LADDER = (2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 32, 40, 48, 64, 96)
"""Numbers of nodes along an axis that are used, so that few different rules arise."""

_CHUNK = 1 << 16


@lru_cache(maxsize=64)
def triangle_rule(count: int) -> tuple[Array, Array]:
    """Return nodes and weights of the Gauss rule for the weight 1 - |t| on [-1, 1].

    The recurrence of the orthogonal polynomials is built by Stieltjes' procedure on a composite
    Gauss-Legendre rule that integrates them exactly; nodes and weights follow from its Jacobi
    matrix (Golub and Welsch, Math. Comp. 23, 221 (1969)). The weights add up to 1.
    """
    t, w = np.polynomial.legendre.leggauss(count + 1)
    points = np.concatenate([(t - 1) / 2, (t + 1) / 2])
    measure = np.concatenate([w, w]) / 2 * (1 - np.abs(points))
    previous, current = np.zeros_like(points), np.full_like(points, 1 / math.sqrt(measure.sum()))
    beta = np.zeros(count)
    for k in range(1, count):
        following = points * current - beta[k - 1] * previous
        beta[k] = math.sqrt(float(measure @ following**2))
        previous, current = current, following / beta[k]
    jacobi = np.diag(beta[1:], 1) + np.diag(beta[1:], -1)
    nodes, vectors = np.linalg.eigh(jacobi)
    weights = vectors[0] ** 2
    # Symmetric to the last bit, so that odd components vanish exactly where they must.
    return (nodes - nodes[::-1]) / 2, (weights + weights[::-1]) / 2


def nodes_needed(
    x: Array, y: Array, z: Array, cell: tuple[float, float, float], tolerance: float
) -> NDArray[np.int64]:
    """Return how many nodes each axis needs at the offsets, shape (3, len(x)).

    Along an axis of edge a the kernel is singular at u = -x +- i d, d being the distance of the
    cells across that axis. A rule of n nodes converges as rho^-2n, where rho is the sum of the half
    axes of the ellipse with foci -a, a through that point (in units of a). Numbers beyond the
    ladder mean that the rule is not good enough there (the cells touch or almost do).
    """
    offset = np.stack([x, y, z])
    edge = np.array(cell)[:, None]
    gap = np.maximum(offset - edge, 0.0)
    needed = np.empty(offset.shape, dtype=np.int64)
    for axis in range(3):
        across = np.hypot(gap[axis - 1], gap[axis - 2])
        s = (offset[axis] + 1j * across) / edge[axis]
        rho = np.abs(s + np.sqrt(s - 1) * np.sqrt(s + 1))
        decay = 2.0 * np.log(np.maximum(rho, 1.0 + 1e-6))
        needed[axis] = np.ceil(-math.log(tolerance) / decay).astype(np.int64)
    return needed


def on_ladder(needed: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the next number of nodes on the ladder for each entry, its top for what exceeds it."""
    ladder = np.array(LADDER)
    return np.asarray(ladder[np.searchsorted(ladder[:-1], needed)], dtype=np.int64)


def quadrature_tensor(
    x: Array, y: Array, z: Array, cell: tuple[float, float, float], nodes: tuple[int, int, int]
) -> Array:
    """Return the tensor by a product rule with so many nodes along x, y and z.

    Parameters
    ----------
    x, y, z
        Offsets between the centres of cells that do not touch, 1-D arrays [any unit of length].
    cell
        Edges (a, b, c) of a cell, in the same unit.
    nodes
        Numbers of nodes along the axes.

    Returns
    -------
    Array of shape (6, len(x)), order xx, yy, zz, xy, xz, yz [1].
    """
    rules = [triangle_rule(count) for count in nodes]
    u, v, w = (edge * rule[0] for edge, rule in zip(cell, rules, strict=True))
    weight = math.prod(cell) / (4.0 * math.pi) * np.einsum("i,j,k->ijk", *(r[1] for r in rules))
    weights = weight.reshape(-1, 1)
    shift = [grid.reshape(-1, 1) for grid in np.meshgrid(u, v, w, indexing="ij")]
    tensor = np.empty((6, len(x)))
    step = max(1, _CHUNK // len(weights))
    for start in range(0, len(x), step):
        part = slice(start, start + step)
        sx, sy, sz = x[part] + shift[0], y[part] + shift[1], z[part] + shift[2]
        s2 = sx * sx + sy * sy + sz * sz
        dipole = weights / (s2 * np.sqrt(s2))
        triple = 3.0 * dipole / s2
        isotropic = dipole.sum(axis=0)
        for row, product in enumerate((sx * sx, sy * sy, sz * sz)):
            tensor[row, part] = isotropic - (triple * product).sum(axis=0)
        for row, product in enumerate((sx * sy, sx * sz, sy * sz)):
            tensor[3 + row, part] = -(triple * product).sum(axis=0)
    return tensor
