"""Demagnetizing tensor between two equal cells that are far from each other: a multipole series.

The tensor is the double cell average of the point-dipole kernel,

    N_ij(r) = -(V / 4 pi) d_i d_j < 1 / |r + u| >,      V = a b c,

where u = u_1 - u_2 is the difference of two points, one in each cell. Along an axis of edge a its
density is the triangle (1 - |u| / a) / a on [-a, a], whose moments are
< u^2k > = 2 a^2k / ((2k + 1)(2k + 2)). Expanding in u,

    < 1 / |r + u| > = sum_n sum_{k+l+m=n} c_k c_l c_m a^2k b^2l c^2m d_x^2k d_y^2l d_z^2m (1 / r),
    c_k = 2 / (2k + 2)!.

The term n falls as (|cell| / r)^2n against the dipole, n = 0. With d_z^2 = -d_x^2 - d_y^2 and the
sums over k, l, m done once per cell, the six components of order n are six homogeneous polynomials
of (x, y, z) over r^(4n + 5). They are harmonic, so the trace vanishes in every order. No term
cancels against another, unlike the differences of Newell's functions.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .components import ODD_AXES

Array = NDArray[np.float64]
Polynomial = dict[tuple[int, int, int], float]

MAX_TERMS = 8
"""Number of terms n = 0 .. 7 that the series offers: up to the derivative of order 16 of 1/r."""


def _differentiate(polynomial: Polynomial, power: int, axis: int) -> Polynomial:
    """Return Q = r^2 dP - power x P, so that d (P / r^power) = Q / r^(power + 2) along an axis."""
    result: Polynomial = {}

    def add(exponents: tuple[int, int, int], other: int, change: int, value: float) -> None:
        moved = list(exponents)
        moved[axis] += change
        if change < 0:
            moved[other] += 2
        key = (moved[0], moved[1], moved[2])
        result[key] = result.get(key, 0) + value

    for exponents, value in polynomial.items():
        order = exponents[axis]
        # Along the axis itself r^2 d_axis and -power x_axis give the same monomial.
        add(exponents, axis, 1, (order - power) * value)
        if order:
            for other in {0, 1, 2} - {axis}:
                add(exponents, other, -1, order * value)
    return result


@lru_cache(maxsize=1)
def _even_derivatives() -> dict[tuple[int, int], Polynomial]:
    """Return P of d_x^2k d_y^2l (1/r) = P / r^(4 (k + l) + 1) by (k, l), as exact integers."""
    table: dict[tuple[int, int], Polynomial] = {(0, 0): {(0, 0, 0): 1}}
    for k in range(MAX_TERMS):
        for m in range(MAX_TERMS - k):
            if (k, m) == (0, 0):
                continue
            axis, source = (1, (k, m - 1)) if m else (0, (k - 1, 0))
            power = 4 * (k + m) - 3
            once = _differentiate(table[source], power, axis)
            table[k, m] = _differentiate(once, power + 2, axis)
    return table


def _moment_weights(n: int, cell: tuple[float, float, float]) -> dict[tuple[int, int], float]:
    """Return the weight of d_x^2k d_y^2l in the term n, the derivatives along z eliminated."""
    a2, b2, c2 = (edge * edge for edge in cell)
    c = [2.0 / math.factorial(2 * k + 2) for k in range(n + 1)]
    weights = {(k, n - k): 0.0 for k in range(n + 1)}
    for k in range(n + 1):
        for m in range(n + 1 - k):
            s = n - k - m
            value = c[k] * c[m] * c[s] * a2**k * b2**m * c2**s
            for j in range(s + 1):
                weights[k + j, n - k - j] += (-1) ** s * math.comb(s, j) * value
    return weights


def _monomials(terms: int) -> list[tuple[int, int, int]]:
    """Return (n, i, j) of the basis functions (|cell|/r)^2n (x/r)^2i (y/r)^2j in their order."""
    return [(n, i, j) for n in range(terms) for i in range(n + 2) for j in range(n + 2 - i)]


class FarField:
    """The multipole series of one cell shape.

    Parameters
    ----------
    cell
        Edges (a, b, c) of a cell [any unit of length]. Their ratios alone enter the result.
    """

    def __init__(self, cell: tuple[float, float, float]) -> None:
        self.volume = math.prod(cell)
        self.radius = math.hypot(*cell)
        """Length of the cell's diagonal: the far corner of the volume that u explores."""
        self._coefficients = self._expand(cell)

    def _expand(self, cell: tuple[float, float, float]) -> Array:
        """Return the coefficients (6, number of basis functions) of the six polynomials."""
        unit = (cell[0] / self.radius, cell[1] / self.radius, cell[2] / self.radius)
        index = {monomial: k for k, monomial in enumerate(_monomials(MAX_TERMS))}
        coefficients = np.zeros((6, len(index)))
        for n in range(MAX_TERMS):
            potential: Polynomial = {}
            for key, weight in _moment_weights(n, unit).items():
                for exponents, value in _even_derivatives()[key].items():
                    potential[exponents] = potential.get(exponents, 0.0) + weight * value
            power = 4 * n + 1
            for row, axes in enumerate([(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]):
                kernel = _differentiate(potential, power, axes[0])
                kernel = _differentiate(kernel, power + 2, axes[1])
                for (i, j), value in _on_sphere(kernel, ODD_AXES[row]).items():
                    coefficients[row, index[n, i, j]] += value
        return coefficients * (-self.volume / (4.0 * math.pi))

    def reach(self, terms: int, tolerance: float) -> float:
        """Return the distance beyond which so many terms are enough [unit of the cell].

        The first omitted term n is estimated as (|cell| / r)^2n of the dipole: along the long axis
        a of a needle it is exactly (a / r)^2n, in every other direction and shape it is less.
        """
        return float(self.radius * tolerance ** (-0.5 / terms))

    def __call__(self, x: Array, y: Array, z: Array, terms: int = MAX_TERMS) -> Array:
        """Return the tensor (6, len(x)) [1] at the offsets (1-D arrays), with so many terms."""
        r2 = x * x + y * y + z * z
        r = np.sqrt(r2)
        ux, uy, uz = x / r, y / r, z / r
        u2, v2, rho2 = ux * ux, uy * uy, self.radius**2 / r2
        monomials = _monomials(terms)
        basis = np.empty((len(monomials), len(x)))
        place = {monomial: k for k, monomial in enumerate(monomials)}
        for k, (n, i, j) in enumerate(monomials):
            if j:
                np.multiply(basis[k - 1], v2, out=basis[k])
            elif i:
                np.multiply(basis[place[n, i - 1, 0]], u2, out=basis[k])
            elif n:
                np.multiply(basis[place[n - 1, 0, 0]], rho2, out=basis[k])
            else:
                basis[k] = 1.0
        tensor = self._coefficients[:, : len(monomials)] @ basis
        tensor /= r2 * r
        tensor[3] *= ux * uy
        tensor[4] *= ux * uz
        tensor[5] *= uy * uz
        return np.asarray(tensor, dtype=np.float64)


def _on_sphere(polynomial: Polynomial, odd_axes: tuple[int, ...]) -> dict[tuple[int, int], float]:
    """Return the polynomial on r = 1 as one of (x^2, y^2), after division by its odd factors.

    z^2 = 1 - x^2 - y^2 is inserted; the odd factors of an off-diagonal component stay outside.
    """
    result: dict[tuple[int, int], float] = {}
    for exponents, value in polynomial.items():
        i, j, k = ((e - (axis in odd_axes)) // 2 for axis, e in enumerate(exponents))
        for p in range(k + 1):
            for q in range(k + 1 - p):
                factor = math.comb(k, p) * math.comb(k - p, q) * (-1) ** (p + q)
                key = (i + p, j + q)
                result[key] = result.get(key, 0.0) + factor * value
    return result
