"""A place of its own for every attempt at a batch, so that no two ever write to the same files.

A worker that computes a batch for somebody else writes into ``.attempts.<session>/<attempt>/`` in the
folder of the sweep. Only the process that holds the folder's lock moves files from there to their
place. An attempt that is given up, because its worker seems to be lost, may go on for a while: what it
writes is in nobody's way.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from micromag.errors import MicromagError
from micromag.output.sweep_file import Replica
from micromag.sweep.standing import replica_path, standing

if TYPE_CHECKING:
    from micromag.sweep_points import SweepPoint

SESSIONS = ".attempts."
"""Beginning of the names of folders that hold attempts."""
GIVEN_UP = ".given_up"
"""Ending of the file that tells an attempt that nobody waits for it."""
REMOVALS = 5
PAUSE = 0.1
"""Trials to remove a folder in which somebody may still write, and seconds between them."""


class Attempts:
    """The attempts of one session, seen from the process that started them.

    Parameters
    ----------
    folder
        The folder of the sweep, which this process has locked.

    Attributes
    ----------
    path
        Where the attempts write.

    Raises
    ------
    MicromagError
        The disk refuses.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"{SESSIONS}{secrets.token_hex(4)}"
        self._folder = folder
        try:
            self.path.mkdir()
        except OSError as error:
            raise MicromagError(
                f"cannot make room for the workers: {error.strerror}",
                where=str(folder),
                next_step="check space, quota and permissions",
            ) from error

    def give_up(self, name: str) -> None:
        """Tell an attempt to end after its step in hand; nobody waits for it."""
        with contextlib.suppress(OSError):
            (self.path / f"{name}{GIVEN_UP}").touch()

    def take(self, name: str, points: Sequence[SweepPoint]) -> None:
        """Move the files of an attempt to their place; raises MicromagError."""
        for point in points:
            source = replica_path(self.path / name, point.number)
            if source.exists():
                _move(source, replica_path(self._folder, point.number))
        shutil.rmtree(self.path / name, ignore_errors=True)

    def rescue(self, name: str, points: Sequence[SweepPoint]) -> dict[int, Replica]:
        """Move to their place the replicas that a lost attempt has finished, and return them."""
        return _rescue(self.path / name, self._folder, points)

    def remove(self) -> None:
        """Remove everything that was not moved to its place; attempts that still run end."""
        for _ in range(REMOVALS):
            shutil.rmtree(self.path, ignore_errors=True)
            if not self.path.exists():
                break
            time.sleep(PAUSE)  # an attempt that is about to end has just made a file


def rescue_all(folder: Path, points: Sequence[SweepPoint]) -> None:
    """Take what earlier sessions, which were killed, have finished; remove the rest of them.

    Parameters
    ----------
    folder
        The folder of the sweep, which this process has locked.
    points
        All replicas.
    """
    for session in sorted(folder.glob(f"{SESSIONS}*")):
        for attempt in sorted(path for path in session.iterdir() if path.is_dir()):
            _rescue(attempt, folder, points)
        shutil.rmtree(session, ignore_errors=True)


def _rescue(attempt: Path, folder: Path, points: Sequence[SweepPoint]) -> dict[int, Replica]:
    finished = standing(attempt, points, retry_failed=False)
    wanted = [point for point in points if point.number in finished]
    there = standing(folder, wanted, retry_failed=True)
    taken = {n: replica for n, replica in finished.items() if n not in there}
    for number in taken:
        _move(replica_path(attempt, number), replica_path(folder, number))
    return taken


def _move(source: Path, target: Path) -> None:
    try:
        os.replace(source, target)
        # Left by a replica that was killed in this place before its first snapshot.
        target.with_name(f"{target.name}.partial").unlink(missing_ok=True)
    except OSError as error:
        raise MicromagError(
            f"cannot move a result to its place: {error.strerror}",
            where=str(target),
            next_step="check permissions; the same command goes on",
        ) from error


# -------------------------------------------------------------------- seen from a worker


def begin(session: Path, name: str) -> Path:
    """Return the new folder of an attempt; raises FileExistsError if it was begun before."""
    path = session / name
    path.mkdir()
    return path


def is_given_up(session: Path, name: str) -> bool:
    """Return whether nobody waits for an attempt any more."""
    return not (session / name).is_dir() or (session / f"{name}{GIVEN_UP}").exists()
