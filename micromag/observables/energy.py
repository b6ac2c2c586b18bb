"""Energies, total and per term."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micromag.column import Column
from micromag.observables.base import Observable, Sample


class Energy(Observable):
    """Energies [J]: ``energy`` is the total and one column per term, ``E_total`` the total alone.

    A term's column is ``E_zeeman``; of several given as a list, ``E_zeeman_0``, ``E_zeeman_1``, ...
    """

    names: ClassVar[tuple[str, ...]] = ("energy", "E_total")

    def columns(self, name: str, energy_terms: Sequence[str]) -> list[Column]:
        """Return E_total, and E_<term> of every term for ``energy``."""
        total = [Column("E_total", "J", "total energy")]
        if name == "E_total":
            return total
        return total + [Column(f"E_{term}", "J", f"energy of {term}") for term in energy_terms]

    def values(self, name: str, sample: Sample) -> NDArray[np.float64]:
        """Return the energies."""
        energies = sample.measurement.energies
        total = energies.sum(axis=1, keepdims=True)
        return total if name == "E_total" else np.concatenate([total, energies], axis=1)
