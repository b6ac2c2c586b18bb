"""Current through a tunnel junction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from micromag.column import Column
from micromag.observables.base import Observable, Sample
from micromag.parameters import custom_error

if TYPE_CHECKING:
    from micromag.terms.base import Term


class JunctionCurrent(Observable):
    """Mean current density [A/m^2] that a voltage drives: column ``junction_current``.

    The mean is over all cells of the free layers of `TunnelJunction` terms with RA and TMR; it is 0
    where torques are left out, as in ``relax``. Its inverse times the voltage is the resistance-area
    product.

    Source: J. C. Slonczewski, Phys. Rev. B 39, 6995 (1989).
    """

    names: ClassVar[tuple[str, ...]] = ("junction_current",)

    def columns(self, name: str, energy_terms: Sequence[str]) -> list[Column]:
        """Return the one column."""
        return [Column("junction_current", "A/m^2", "mean current density through the junction")]

    def columns_with(
        self, name: str, energy_terms: Sequence[str], torques: Sequence[tuple[str, Term]]
    ) -> list[Column]:
        """Return the one column; PydanticCustomError where no torque knows a current."""
        if not any(term.conducts for _, term in torques):
            what = "junction_current: no torque of the run tells the current of a voltage"
            raise custom_error("column_part", what, "a tunnel_junction with RA and TMR")
        return self.columns(name, energy_terms)

    def values(self, name: str, sample: Sample) -> NDArray[np.float64]:
        """Return the mean current density, shape ``(replica, 1)``."""
        engine = sample.engine
        found = np.full((engine.model.replicas, 1), np.nan)
        for i in np.flatnonzero(sample.due).tolist():
            terms = [term for term in engine.model.terms_of(i) if term.conducts]
            if not terms:
                found[i, 0] = 0.0
                continue
            m, t = engine.m(i).astype(np.float64), float(engine.column("t")[i])
            currents = [term.current_density(engine.model, i, m, t) for term in terms]
            J = np.concatenate([current[~np.isnan(current)] for current in currents])
            found[i, 0] = J.mean() if J.size else np.nan
        return found
