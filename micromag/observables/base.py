"""What an observable is: columns of the table, measured for every replica at once."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from micromag.column import Column

if TYPE_CHECKING:
    from micromag.engine import Engine, Measurement
    from micromag.terms.base import Term

T = TypeVar("T")

MARK = "@"
"""Between the name of a column and the part of the magnet that it is about."""
_LAYER = re.compile(r"z(0|[1-9]\d*)")


@dataclass(frozen=True)
class Part:
    """The part of the magnet that a column is about: all of it, one region or one layer.

    Attributes
    ----------
    name
        How it is written in the run file; empty for the whole magnet.
    """

    name: str = ""

    @property
    def layer(self) -> int | None:
        """Number of the layer, from 0 at the bottom; None when it is not a layer."""
        match = _LAYER.fullmatch(self.name)
        return int(match[1]) if match else None

    @property
    def region(self) -> str | None:
        """Name of the region; None when it is not a region."""
        return self.name if self.name and self.layer is None else None

    @property
    def words(self) -> str:
        """What to add to the description of a column."""
        if self.layer is not None:
            return f", layer {self.layer}"
        return f", region {self.name}" if self.name else ""


def split_name(name: str) -> tuple[str, Part]:
    """Return what is measured and where: ``wall_position@free`` is in the region ``free``."""
    column, _, part = name.partition(MARK)
    return column, Part(part)


class Sample:
    """The state at one instant; what several observables need is computed once.

    Parameters
    ----------
    engine
        The model on its device.
    memory
        What observables keep from row to row; whoever takes several samples of a run passes the same
        dictionary to all of them.
    due
        The replicas whose values are wanted, shape ``(replica,)``; all by default. Nothing of the
        others is remembered, and their values may be NaN.
    """

    def __init__(
        self,
        engine: Engine,
        memory: dict[Hashable, Any] | None = None,
        due: NDArray[np.bool_] | None = None,
    ) -> None:
        self.engine = engine
        self.memory: dict[Hashable, Any] = {} if memory is None else memory
        self.due = np.ones(engine.model.replicas, dtype=bool) if due is None else due
        self._found: dict[Hashable, Any] = {}

    @cached_property
    def measurement(self) -> Measurement:
        """Sums over the magnet."""
        return self.engine.measure()

    def once(self, key: Hashable, measure: Callable[[], T]) -> T:
        """Return what ``measure`` returned when it was first called for this key."""
        if key not in self._found:
            self._found[key] = measure()
        found: T = self._found[key]
        return found

    def region_number(self, part: Part) -> int | None:
        """Return the number of the part's region, None when it is no region."""
        names = self.engine.model.region_names
        return None if part.region is None else list(names).index(part.region)


class Observable(ABC):
    """A measured quantity.

    Attributes
    ----------
    names
        What the run file calls it in ``output.table.columns``: names of single columns, or a name
        that stands for several.
    by_part
        Whether a name may be followed by ``@`` and a region, or ``@z`` and the number of a layer.
    """

    names: ClassVar[tuple[str, ...]]
    by_part: ClassVar[bool] = False

    @classmethod
    def provides(cls, name: str) -> bool:
        """Return whether this observable has a column or group of that name, part included."""
        column, part = split_name(name)
        return column in cls.names and (MARK not in name or (cls.by_part and bool(part.name)))

    @abstractmethod
    def columns(self, name: str, energy_terms: Sequence[str]) -> list[Column]:
        """Return the columns that one of `names` stands for.

        ``energy_terms`` are the names of the model's energy terms.
        """

    def columns_with(
        self, name: str, energy_terms: Sequence[str], torques: Sequence[tuple[str, Term]]
    ) -> list[Column]:
        """Return the same where the torques, with their keys, have columns as well."""
        return self.columns(name, energy_terms)

    @abstractmethod
    def values(self, name: str, sample: Sample) -> NDArray[np.float64]:
        """Return the values of `columns`, shape ``(replica, columns)``, NaN where undefined."""


class PartObservable(Observable):
    """An observable whose names are single columns and may be about a part of the magnet."""

    by_part: ClassVar[bool] = True
    meanings: ClassVar[dict[str, tuple[str, str]]]
    """Unit and description of each name."""

    def columns(self, name: str, energy_terms: Sequence[str]) -> list[Column]:
        """Return the one column of that name."""
        column, part = split_name(name)
        unit, meaning = self.meanings[column]
        return [Column(name, unit, meaning + part.words)]

    def values(self, name: str, sample: Sample) -> NDArray[np.float64]:
        """Return the column, shape ``(replica, 1)``, NaN where undefined."""
        column, part = split_name(name)
        return self.measure(column, part, sample)[:, None]

    @abstractmethod
    def measure(self, column: str, part: Part, sample: Sample) -> NDArray[np.float64]:
        """Return one of `names` for a part of the magnet, shape ``(replica,)``."""


TIME_COLUMNS = (
    Column("t", "s", "time, counted over the run stages"),
    Column("step", "", "accepted steps of the run stages so far", integer=True),
    Column("dt", "s", "step that the solver would take next"),
    Column("stage", "", "number of the schedule's stage, from 0", integer=True),
)
"""Columns of every table."""


def table_columns(
    names: Sequence[str],
    observables: dict[str, Observable],
    energy_terms: Sequence[str],
    torques: Sequence[tuple[str, Term]],
) -> list[Column]:
    """Return all columns of a table, each once, in the order of the names."""
    columns = list(TIME_COLUMNS)
    for name in names:
        columns += observables[name].columns_with(name, energy_terms, torques)
    return list({column.name: column for column in columns}.values())
