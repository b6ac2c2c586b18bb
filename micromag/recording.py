"""What replicas leave behind: rows and snapshots, measured together and handed to each one's recorder."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from micromag.column import Column
from micromag.integrators.relaxation import Progress
from micromag.observables import Observable, Sample, observable_of, table_columns
from micromag.terms import energy_names, term_quantities

if TYPE_CHECKING:
    from micromag.config import RunConfig
    from micromag.engine import Engine

FloatArray = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Recorder(Protocol):
    """Takes what one replica leaves behind."""

    def rows(self, rows: NDArray[np.float64]) -> None:
        """Take rows of the table, shape ``(rows, columns)``."""

    def snapshot(self, t: float, fields: Mapping[str, NDArray[Any]]) -> None:
        """Take fields of shape ``(3, nz, ny, nx)`` or ``(nz, ny, nx)`` at time t [s].

        With a moving window also its offset: numbers ``window_offset_x``, ``window_offset_y`` [m].
        """

    def relaxation(self, stage: int, progress: Progress) -> None:
        """Take the history of a relax or minimize stage."""

    def ended(self, status: str, message: str) -> None:
        """Take the word for how the replica ended, and why: nothing more will come.

        The words are ``finished``, ``ended`` (before its time), ``failed`` and ``interrupted``.
        """


class Recording:
    """The recorders of all replicas, and what is measured for them.

    Parameters
    ----------
    configs, recorders
        One of each per replica.
    """

    def __init__(self, configs: Sequence[RunConfig], recorders: Sequence[Recorder]) -> None:
        self.recorders = tuple(recorders)
        self.columns = columns_of(configs[0])
        self._torques = configs[0].torques
        self._observables: dict[str, Observable] = {
            name: observable_of(name)() for name in configs[0].column_names
        }
        self._memory: dict[Hashable, Any] = {}
        self._last = np.full((len(configs), len(self.columns)), np.nan)
        names = [column.name for column in self.columns]
        self._wall = names.index("wall_position") if _needs_wall(configs[0]) else None
        self._had_wall = np.zeros(len(configs), np.bool_)

    def rows(self, engine: Engine, due: Mask, t: FloatArray, steps: FloatArray, stage: int) -> None:
        """Record a row of the replicas that are ``due``, at times t [s] after so many steps."""
        if not due.any():
            return
        sample = Sample(engine, self._memory, due)
        values = {
            "t": t,
            "step": steps,
            "dt": engine.column("free_dt"),
            "stage": np.full(len(t), float(stage)),
        }
        for name, observable in self._observables.items():
            found = observable.values(name, sample)
            columns = observable.columns_with(name, engine.model.energy_names, self._torques)
            values |= {c.name: found[:, i] for i, c in enumerate(columns)}
        table = np.stack([values[column.name] for column in self.columns], axis=1)
        self._last[due] = table[due]
        if self._wall is not None:
            self._had_wall |= np.isfinite(self._last[:, self._wall])
        for i in np.flatnonzero(due):
            self.recorders[i].rows(table[i : i + 1])

    def snapshots(
        self, engine: Engine, due: Mask, t: FloatArray, quantities: Sequence[str]
    ) -> None:
        """Record a snapshot of the replicas that are ``due``, at times t [s]."""
        chosen: list[int] = np.flatnonzero(due).tolist()
        fields = {i: window_fields(engine, i) for i in chosen}
        for quantity in quantities if chosen else ():
            for i, values in snapshot_fields(engine, quantity, chosen).items():
                fields[i][quantity] = values
        for i, taken in fields.items():
            self.recorders[i].snapshot(float(t[i]), taken)

    def without_wall(self) -> Mask:
        """Return which replicas have lost the wall that an analysis needs, by their last rows.

        A run about something else may go on: a wall that sweeps through a mesh reverses it.
        """
        if self._wall is None:
            return np.zeros_like(self._had_wall)
        return self._had_wall & ~np.isfinite(self._last[:, self._wall])

    def last_row(self, replica: int) -> dict[str, float]:
        """Return the last row of one replica, NaN as long as there is none."""
        names = [column.name for column in self.columns]
        return dict(zip(names, map(float, self._last[replica]), strict=True))


def _needs_wall(config: RunConfig) -> bool:
    return any("wall_position" in each.needed_columns() for each in config.analysis.values())


def columns_of(config: RunConfig) -> list[Column]:
    """Return the columns of a run's table."""
    names = config.column_names
    observables = {name: observable_of(name)() for name in names}
    return table_columns(names, observables, energy_names(config.energy), config.torques)


def window_fields(engine: Engine, replica: int) -> dict[str, NDArray[Any]]:
    """Return what a snapshot says of a moving window: its offset [m], one number per axis."""
    window = engine.model.mesh.window
    offset = engine.window_offset[replica]
    return {} if window is None else dict(zip(window.columns, offset, strict=True))


def snapshot_fields(
    engine: Engine, quantity: str, replicas: Sequence[int]
) -> dict[int, NDArray[Any]]:
    """Return the field of a snapshot of some replicas.

    ``m``, ``B_<term>`` [T], ``e_<term>`` [J/m^3], or what `Term.quantities` has.
    """
    if quantity == "m":
        return {i: engine.m(i) for i in replicas}
    config = engine.model.configs[0]
    if quantity in term_quantities(config.torques):
        found = engine.quantity_fields(quantity)
        return {i: found[i] for i in replicas}
    kind, _, term = quantity.partition("_")
    field, density = engine.term_fields(term)
    return {i: (field if kind == "B" else density)[i] for i in replicas}
