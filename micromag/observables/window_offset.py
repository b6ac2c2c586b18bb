"""How far a moving window has come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micromag.column import Column
from micromag.mesh import Window
from micromag.observables.base import Observable, Sample


class WindowOffset(Observable):
    """Where the centre of the mesh is in the laboratory: 0 before a moving window moves.

    ===============  ====  =======================
    column           unit  meaning
    ===============  ====  =======================
    window_offset_x  m     displacement along x
    window_offset_y  m     displacement along y
    ===============  ====  =======================

    Both columns are in the table of every run with ``mesh.window``.
    """

    names: ClassVar[tuple[str, ...]] = Window.columns

    def columns(self, name: str, energy_terms: Sequence[str]) -> list[Column]:
        """Return the column of that name."""
        return [Column(name, "m", f"how far the mesh has moved along {name[-1]}")]

    def values(self, name: str, sample: Sample) -> NDArray[np.float64]:
        """Return the offset of every replica's mesh."""
        return sample.engine.window_offset[:, [self.names.index(name)]]
