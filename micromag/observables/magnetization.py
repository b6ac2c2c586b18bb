"""Mean magnetization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micromag.column import Column
from micromag.observables._walls import profiles
from micromag.observables.base import MARK, Observable, Sample, split_name


class Magnetization(Observable):
    """Mean of m over the magnetic cells: columns m_x, m_y, m_z [1].

    A name may be followed by a part of the magnet: ``m@free`` stands for the means over the region
    ``free``, in columns ``m_x@free``, ``m_y@free`` and ``m_z@free``, ``m@z0`` for those over the lowest
    layer. NaN where the part has no magnetic cell.
    """

    names: ClassVar[tuple[str, ...]] = ("m",)
    by_part: ClassVar[bool] = True

    def columns(self, name: str, energy_terms: Sequence[str]) -> list[Column]:
        """Return the three components."""
        part = split_name(name)[1]
        where = f"{MARK}{part.name}" if part.name else ""
        return [
            Column(f"m_{a}{where}", "", f"mean of m_{a} over the magnetic cells{part.words}")
            for a in "xyz"
        ]

    def values(self, name: str, sample: Sample) -> NDArray[np.float64]:
        """Return the mean of m, shape ``(replica, 3)``."""
        part = split_name(name)[1]
        if not part.name:
            return sample.measurement.m
        sums = profiles(sample, part).sum(axis=2)
        with np.errstate(invalid="ignore"):
            return np.where(sums[:, 3:] > 0, sums[:, :3] / sums[:, 3:], np.nan)
