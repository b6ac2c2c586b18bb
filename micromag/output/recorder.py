"""Where the rows and snapshots of a replica go: a file, or memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from micromag.output.vtkhdf import VtkhdfWriter

LEAST_GAP = 1e-15
"""Snapshots of one instant (before and after a relaxation) are kept apart by this much time [s]:
readers need times that increase."""


class History(Protocol):
    """What a relaxation tells of its way."""

    iterations: list[int]
    energies: list[float]
    torques: list[float]


class FileRecorder:
    """Writes into a ``.vtkhdf`` file.

    Parameters
    ----------
    writer
        The open file.
    """

    def __init__(self, writer: VtkhdfWriter) -> None:
        self.writer = writer
        self._last = -np.inf

    def rows(self, rows: NDArray[np.float64]) -> None:
        """Append rows of the table, shape ``(rows, columns)``."""
        self.writer.append_rows(rows)

    def snapshot(self, t: float, fields: Mapping[str, NDArray[Any]]) -> None:
        """Append a snapshot at time t [s], or right after the last one if that has the same time."""
        self._last = max(t, self._last + LEAST_GAP)
        self.writer.write_snapshot(self._last, fields)

    def relaxation(self, stage: int, progress: History) -> None:
        """Write the history of a relaxation."""
        self.writer.append_relax(
            stage,
            {
                "iteration": np.array(progress.iterations),
                "energy": np.array(progress.energies),
                "max_torque": np.array(progress.torques),
            },
        )

    def ended(self, status: str, message: str) -> None:
        """Note how the replica ended, and why, and close the file."""
        if message:
            self.writer.update_provenance({"message": message})
        self.writer.close(status)


class MemoryRecorder:
    """Keeps rows and snapshots as arrays.

    Attributes
    ----------
    times, snapshots
        Time [s] and fields of each snapshot.
    histories
        Relaxation histories by stage.
    status, message
        How the replica ended, and why; empty before that.
    """

    def __init__(self) -> None:
        self._rows: list[NDArray[np.float64]] = []
        self.times: list[float] = []
        self.snapshots: list[dict[str, NDArray[Any]]] = []
        self.histories: dict[int, History] = {}
        self.status = self.message = ""

    def rows(self, rows: NDArray[np.float64]) -> None:
        """Keep rows of the table, shape ``(rows, columns)``."""
        self._rows.append(rows.copy())

    @property
    def table(self) -> NDArray[np.float64]:
        """All rows, shape ``(rows, columns)``."""
        return np.concatenate(self._rows) if self._rows else np.zeros((0, 0))

    def snapshot(self, t: float, fields: Mapping[str, NDArray[Any]]) -> None:
        """Keep a snapshot at time t [s]."""
        self.times.append(t)
        self.snapshots.append({name: values.copy() for name, values in fields.items()})

    def relaxation(self, stage: int, progress: History) -> None:
        """Keep the history of a relaxation."""
        self.histories[stage] = progress

    def ended(self, status: str, message: str) -> None:
        """Keep how the replica ended, and why."""
        self.status, self.message = status, message
