"""Computes one batch: replicas of one structure in the same launches, a file for each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micromag.backend import Backend
from micromag.driver import Driver
from micromag.errors import NumericalError
from micromag.model import Model
from micromag.output.recorder import FileRecorder
from micromag.output.vtkhdf import VtkhdfWriter
from micromag.reporting import Reporter
from micromag.result_file import open_result
from micromag.sweep.standing import remove_unfinished, replica_path

if TYPE_CHECKING:
    from micromag.sweep_points import SweepPoint

Listener = Callable[["SweepPoint", str, str], None]
"""Is told of a replica that has ended: the point, the word for how, and why."""


class ReplicaRecorder(FileRecorder):
    """Writes the file of one replica and tells when it has ended.

    Parameters
    ----------
    writer
        The open file.
    point
        The replica.
    listener
        Told of its end.
    """

    def __init__(self, writer: VtkhdfWriter, point: SweepPoint, listener: Listener) -> None:
        super().__init__(writer)
        self._point = point
        self._listener = listener

    def ended(self, status: str, message: str) -> None:
        """Close the file, and pass it on."""
        super().ended(status, message)
        self._listener(self._point, status, message)


def run_batch(
    points: Sequence[SweepPoint],
    folder: Path,
    backend: Backend,
    provenance: Mapping[str, Any],
    reporter: Reporter,
    stop: Callable[[], bool],
    listener: Listener,
) -> None:
    """Compute replicas together; each leaves its file, however it ends.

    Parameters
    ----------
    points
        The replicas; of one structure.
    folder
        Where their files go. Files of these replicas that are there are replaced.
    backend
        Where to compute.
    provenance
        What is the same for all of them.
    reporter, stop, listener
        As of `Driver`, and who is told of replicas that have ended.

    Raises
    ------
    Interrupted
        ``stop`` became true; the files are valid up to there.
    MicromagError
        The batch as a whole cannot be computed, or the disk refuses.
    """
    configs = [point.config for point in points]
    recorders: list[ReplicaRecorder] = []
    try:
        for point, Ms in zip(points, Model(configs).Ms, strict=True):
            path = replica_path(folder, point.number)
            remove_unfinished(path)
            own = {
                "seed": point.config.seed,
                "replica": point.number,
                "label": point.label,
                "coordinates": json.dumps(dict(point.coordinates), default=str),
            }
            writer = open_result(path, point.config, Ms, {**provenance, **own})
            recorders.append(ReplicaRecorder(writer, point, listener))
        Driver(configs, backend, recorders, reporter, stop).run()
    except NumericalError:
        pass  # every replica has failed, and its recorder was told
    finally:
        for recorder in recorders:
            # Open are those files only whose replicas something else has kept from their end.
            recorder.writer.close("interrupted")
