"""Demagnetizing tensor between two equal cells that are near each other: Newell's closed form.

Newell, Williams and Dunlop, J. Geophys. Res. 98, 9551 (1993).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def _times_asinh(factor: Array, length: Array, radius: Array) -> Array:
    """Return ``factor * asinh(length / radius)``, and 0 at radius 0, where the product vanishes."""
    safe = np.where(radius > 0, radius, 1.0)
    return np.where(radius > 0, factor * np.arcsinh(length / safe), 0.0)


def _times_atan(factor: Array, numerator: Array, denominator: Array) -> Array:
    """Return ``factor * atan(numerator / denominator)``, and 0 where the denominator is 0.

    Wherever a denominator of Newell's formulas vanishes, the factor before the arctangent does.
    """
    safe = np.where(denominator != 0, denominator, 1.0)
    return np.where(denominator != 0, factor * np.arctan(numerator / safe), 0.0)


def newell_f(x: Array, y: Array, z: Array) -> Array:
    """Return Newell's function f, whose second differences give the diagonal component xx.

    f = y/2 (z^2 - x^2) asinh(y / sqrt(x^2 + z^2)) + z/2 (y^2 - x^2) asinh(z / sqrt(x^2 + y^2))
        - x y z atan(y z / (x R)) + (2 x^2 - y^2 - z^2) R / 6

    Parameters are broadcastable arrays of one length unit; f has that unit cubed.
    Source: Newell, Williams and Dunlop, J. Geophys. Res. 98, 9551 (1993).
    """
    x2, y2, z2 = x * x, y * y, z * z
    r = np.sqrt(x2 + y2 + z2)
    return (
        _times_asinh(0.5 * y * (z2 - x2), y, np.sqrt(x2 + z2))
        + _times_asinh(0.5 * z * (y2 - x2), z, np.sqrt(x2 + y2))
        - _times_atan(x * y * z, y * z, x * r)
        + (2 * x2 - y2 - z2) * r / 6
    )


def newell_g(x: Array, y: Array, z: Array) -> Array:
    """Return Newell's function g, whose second differences give the off-diagonal component xy.

    g = x y z asinh(z / sqrt(x^2 + y^2)) + y/6 (3 z^2 - y^2) asinh(x / sqrt(y^2 + z^2))
        + x/6 (3 z^2 - x^2) asinh(y / sqrt(x^2 + z^2)) - z^3/6 atan(x y / (z R))
        - z y^2/2 atan(x z / (y R)) - z x^2/2 atan(y z / (x R)) - x y R / 3

    Parameters are broadcastable arrays of one length unit; g has that unit cubed.
    Source: Newell, Williams and Dunlop, J. Geophys. Res. 98, 9551 (1993).
    """
    x2, y2, z2 = x * x, y * y, z * z
    r = np.sqrt(x2 + y2 + z2)
    return (
        _times_asinh(x * y * z, z, np.sqrt(x2 + y2))
        + _times_asinh(y * (3 * z2 - y2) / 6, x, np.sqrt(y2 + z2))
        + _times_asinh(x * (3 * z2 - x2) / 6, y, np.sqrt(x2 + z2))
        - _times_atan(z * z2 / 6, x * y, z * r)
        - _times_atan(0.5 * z * y2, x * z, y * r)
        - _times_atan(0.5 * z * x2, y * z, x * r)
        - x * y * r / 3
    )


def newell_tensor(x: Array, y: Array, z: Array, cell: tuple[float, float, float]) -> Array:
    """Return the tensor between two cells by the second differences of f and g.

    N_xx(r) = (1 / (4 pi V)) sum_{i,j,k in -1,0,1} w_i w_j w_k f(x + i a, y + j b, z + k c),
    w = (-1, 2, -1); N_xy the same with g; the others by permuting the axes.

    Parameters
    ----------
    x, y, z
        Offsets between the centres of the cells, 1-D arrays of equal length [any unit of length].
    cell
        Edges (a, b, c) of a cell, in the same unit.

    Returns
    -------
    Array of shape (6, len(x)), order xx, yy, zz, xy, xz, yz [1].

    Rounding errors of f (about 1e-16 (r + |cell|)^3) are divided by the cell volume and not by
    r^3: far away nothing is left of the result, so use this near the origin only.
    """
    a, b, c = cell
    scale = 1.0 / (4.0 * math.pi * a * b * c)
    return scale * np.stack(
        [
            _second_differences(newell_f, (x, y, z), (a, b, c)),
            _second_differences(newell_f, (y, z, x), (b, c, a)),
            _second_differences(newell_f, (z, x, y), (c, a, b)),
            _second_differences(newell_g, (x, y, z), (a, b, c)),
            _second_differences(newell_g, (x, z, y), (a, c, b)),
            _second_differences(newell_g, (y, z, x), (b, c, a)),
        ]
    )


def _second_differences(
    function: Callable[[Array, Array, Array], Array],
    offset: tuple[Array, Array, Array],
    step: tuple[float, float, float],
) -> Array:
    """Return minus the second difference of the function along each of the three axes."""
    shift = np.array([-1.0, 0.0, 1.0])
    weight = np.array([-1.0, 2.0, -1.0])
    u, v, w = (o[:, None] + shift * s for o, s in zip(offset, step, strict=True))
    values = function(u[:, :, None, None], v[:, None, :, None], w[:, None, None, :])
    # One axis after the other: the first difference removes the largest common part.
    return np.asarray(values @ weight @ weight @ weight, dtype=np.float64)
