"""Largest torque."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micromag.column import Column
from micromag.observables.base import Observable, Sample


class MaxTorque(Observable):
    r"""Largest torque on any cell, as a field: max \|m x B_eff\| [T], spin torques included.

    With X = -gamma m x B + T this is max \|X\|/gamma.
    """

    names: ClassVar[tuple[str, ...]] = ("max_torque",)

    def columns(self, name: str, energy_terms: Sequence[str]) -> list[Column]:
        """Return the one column."""
        return [Column("max_torque", "T", "largest |m x B_eff| of any cell, torques as fields")]

    def values(self, name: str, sample: Sample) -> NDArray[np.float64]:
        """Return the largest torque."""
        return sample.measurement.max_torque[:, None]
