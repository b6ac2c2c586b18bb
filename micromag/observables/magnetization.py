"""Mean magnetization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micromag.column import Column
from micromag.observables.base import Observable, Sample


class Magnetization(Observable):
    """Mean of m over the magnetic cells: columns m_x, m_y, m_z [1]."""

    names: ClassVar[tuple[str, ...]] = ("m",)

    def columns(self, name: str, energy_terms: Sequence[str]) -> list[Column]:
        """Return the three components."""
        return [Column(f"m_{a}", "", f"mean of m_{a} over the magnetic cells") for a in "xyz"]

    def values(self, name: str, sample: Sample) -> NDArray[np.float64]:
        """Return the mean of m."""
        return sample.measurement.m
