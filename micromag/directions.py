"""Directions in the run file, and the little vector algebra on host numbers that goes with them."""

from __future__ import annotations

from typing import Annotated

from micromag.parameters import Quantity, Vector

Direction = Annotated[Vector, Quantity("1", unit_vector=True)]
"""A unit vector: given as three numbers of any length above zero, or as ``x``, ``+z``, ``-y`` ..."""


def dot(a: Vector, b: Vector) -> float:
    """Return the scalar product of two vectors."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Vector, b: Vector) -> Vector:
    """Return the vector product ``a x b``."""
    return (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )


def combine(a: float, u: Vector, b: float, v: Vector) -> Vector:
    """Return ``a u + b v``."""
    return (a * u[0] + b * v[0], a * u[1] + b * v[1], a * u[2] + b * v[2])
