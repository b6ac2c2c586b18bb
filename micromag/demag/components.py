"""The six components of the demagnetizing tensor: their order and their parity along each axis."""

from __future__ import annotations

COMPONENTS = ("xx", "yy", "zz", "xy", "xz", "yz")
"""Order of the tensor components in every array of this package."""

ODD_AXES: tuple[tuple[int, ...], ...] = ((), (), (), (0, 1), (0, 2), (1, 2))
"""Axes (0 = x, 1 = y, 2 = z) along which each component changes sign when the offset does."""
