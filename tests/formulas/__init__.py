"""Independent formulas of every term, one module per key, written from the equations with NumPy.

A module ``formulas/<key>.py`` defines, for an energy term,

    energy_density(m, p, magnet) -> (nz, ny, nx) [J/m^3]
    field(m, p, magnet)          -> (3, nz, ny, nx) [T]

and for a torque

    torque(m, p, magnet)         -> (3, nz, ny, nx) [1/s]

and for noise, given Gilbert's alpha, the step [s], the seed, and the number of steps before

    field(p, magnet, alpha, dt, seed, step) -> (3, nz, ny, nx) [T]

where ``p`` carries every parameter of the term as an array over the cells (None where it is not
given) and whatever else the term has as it is. Values outside the magnet do not matter. Optional:

    POLAR = ("J",)       vector parameters that are mirrored like arrows; others like moments
    ODD = ("D",)         scalar parameters that change sign in a mirror
    MIRRORS = "xyz"      axes whose reversal is a symmetry; all by default
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Magnet:
    """What a formula may look at beside m and the term's own parameters.

    Attributes
    ----------
    Ms
        Saturation magnetization [A/m], 0 in empty cells.
    gamma
        Gyromagnetic ratio [rad/(s T)].
    cell_size
        Edges (x, y, z) of a cell [m].
    periodic
        Images on each side of every axis; 0 is open.
    pairs
        For each parameter the cells' region numbers and the values between pairs of them.
    """

    Ms: Array
    gamma: float
    cell_size: tuple[float, float, float]
    periodic: tuple[int, int, int]
    region: NDArray[np.int_]
    pairs: Mapping[str, Mapping[tuple[int, int], float]]

    def beside(self, a: Array, axis: int, side: int) -> tuple[Array, NDArray[np.bool_]]:
        """Return a at the neighbour of every cell, and whether there is a magnetic one.

        ``axis`` is 0, 1, 2 for x, y, z and ``side`` is 1 or -1.
        """
        array_axis = a.ndim - 1 - axis
        there = np.roll(a, -side, array_axis)
        exists = np.roll(self.Ms > 0, -side, 2 - axis) & (self.Ms > 0)
        if not self.periodic[axis]:
            edge = [slice(None)] * 3
            edge[2 - axis] = slice(-1, None) if side == 1 else slice(0, 1)
            exists[tuple(edge)] = False
        return there, exists

    def inverse_Ms(self) -> Array:
        """Return 1/Ms, 0 in empty cells."""
        return np.divide(1, self.Ms, out=np.zeros_like(self.Ms), where=self.Ms > 0)


def dot(a: Array, b: Array) -> Array:
    """Return the scalar product of two fields of vectors."""
    return (a * b).sum(axis=0)


def cross(a: Array, b: Array) -> Array:
    """Return the vector product of two fields of vectors."""
    return np.cross(a, b, axis=0)
