"""What an observable is: columns of the table, measured for every replica at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from micromag.column import Column

if TYPE_CHECKING:
    from micromag.engine import Engine, Measurement


class Sample:
    """The state at one instant; what several observables need is computed once.

    Parameters
    ----------
    engine
        The model on its device.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._profiles: dict[int, NDArray[np.float64]] = {}

    @cached_property
    def measurement(self) -> Measurement:
        """Sums over the magnet."""
        return self.engine.measure()

    def profile(self, axis: int) -> NDArray[np.float64]:
        """Mean of m over the planes normal to an axis, shape ``(replica, 3, n)``."""
        if axis not in self._profiles:
            self._profiles[axis] = self.engine.profile(axis)
        return self._profiles[axis]


class Observable(ABC):
    """A measured quantity.

    Attributes
    ----------
    names
        What the run file calls it in ``output.table.columns``: names of single columns, or a name
        that stands for several.
    """

    names: ClassVar[tuple[str, ...]]

    @abstractmethod
    def columns(self, name: str, energy_terms: Sequence[str]) -> list[Column]:
        """Return the columns that one of `names` stands for.

        ``energy_terms`` are the names of the model's energy terms.
        """

    @abstractmethod
    def values(self, name: str, sample: Sample) -> NDArray[np.float64]:
        """Return the values of `columns`, shape ``(replica, columns)``, NaN where undefined."""


TIME_COLUMNS = (
    Column("t", "s", "time, counted over the run stages"),
    Column("step", "", "accepted steps of the run stages so far", integer=True),
    Column("dt", "s", "step that the solver would take next"),
    Column("stage", "", "number of the schedule's stage, from 0", integer=True),
)
"""Columns of every table."""


def table_columns(
    names: Sequence[str], observables: dict[str, Observable], energy_terms: Sequence[str]
) -> list[Column]:
    """Return all columns of a table, each once, in the order of the names."""
    columns = list(TIME_COLUMNS)
    for name in names:
        columns += observables[name].columns(name, energy_terms)
    return list({column.name: column for column in columns}.values())
