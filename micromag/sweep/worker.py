"""What runs on a worker of a cluster: looking at it, and one attempt at a batch.

Requests and answers are plain dictionaries, which workers with another version of the program can
read as well, so that they can be told what is wrong.
"""

from __future__ import annotations

import pickle
import platform
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micromag import __version__
from micromag.backend import get_backend
from micromag.errors import DeviceError, Interrupted, MicromagError
from micromag.estimate import check_memory
from micromag.output.provenance import git_commit
from micromag.progress import SilentReporter
from micromag.sweep.attempts import begin, is_given_up
from micromag.sweep.batch import run_batch
from micromag.sweep.batching import room_of
from micromag.sweep.local import collect_for, now
from micromag.sweep.progress import SweepProgress

if TYPE_CHECKING:
    from micromag.sweep_points import SweepPoint

ASK_EVERY = 0.5
"""Seconds between two looks at whether anybody still waits for the result."""
TELL_EVERY = 1.0
"""Seconds between two messages about how far a batch has come."""
FOLDER_SECONDS = 3.0
"""How long a network file system may take until a new folder is seen on another machine."""
_ALONE = threading.Lock()
"""One batch at a time in a process, however many threads the worker has."""


def same_program() -> dict[str, str]:
    """Return what must be the same on all machines."""
    return {
        "micromag": __version__,
        "commit of micromag": (git_commit() or "").removesuffix("-dirty"),
        "Python": ".".join(platform.python_version_tuple()[:2]),
    }


def look(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return what there is on this worker.

    Parameters
    ----------
    request
        ``session``: folder of the attempts; ``device``, ``threads``: as of `get_backend`.

    Returns
    -------
    dict
        ``program`` (see `same_program`), ``host``, ``problem`` (why it cannot compute, or empty) and,
        without a problem, ``choice`` and ``room`` (see `Room`) of its device.
    """
    found: dict[str, Any] = {"program": same_program(), "host": socket.gethostname()}
    try:
        _check_folder(Path(request["session"]))
        with get_backend(request["device"], request["threads"]) as backend:
            found |= {"choice": backend.choice, "room": asdict(room_of(backend)), "problem": ""}
    except MicromagError as error:
        found["problem"] = str(error)
    return found


def _check_folder(session: Path) -> None:
    """Raise DeviceError unless this worker can write to the folder of the sweep."""
    until = time.monotonic() + FOLDER_SECONDS
    while not session.is_dir():
        if time.monotonic() > until:
            raise DeviceError(
                "it does not see the folder of the sweep, which all machines must share",
                where=str(session.parent),
                next_step="choose a folder on a shared disk with -o DIR",
            )
        time.sleep(0.1)
    trial = session / f"trial_{uuid.uuid4().hex}"
    try:
        trial.touch(exist_ok=False)
        trial.unlink()
    except OSError as error:
        raise DeviceError(
            f"it cannot write to the folder of the sweep: {error.strerror}",
            where=str(session.parent),
        ) from error


def compute(request: Mapping[str, Any]) -> dict[str, Any]:
    """Compute a batch in a folder of its own, and return how it ended.

    Parameters
    ----------
    request
        ``session``, ``attempt``: where to write; ``points``: the pickled replicas; ``threads``;
        ``argv``; ``provenance``: what else is written into every file; ``topic``: of messages.

    Returns
    -------
    dict
        ``ended``: (number, status, message) of each replica that has; ``error``: why the batch as a
        whole could not be computed, or empty; ``interrupted``: whether nobody waited for it.
    """
    ended: list[tuple[int, str, str]] = []
    outcome: dict[str, Any] = {"ended": ended, "error": "", "interrupted": False}
    try:
        with _ALONE:
            _compute(request, lambda point, *how: ended.append((point.number, *how)))
    except Interrupted:
        outcome["interrupted"] = True
    except MicromagError as error:
        outcome["error"] = str(error)
    except OSError as error:
        outcome["error"] = f"{error.strerror}: {error.filename}"
    return outcome


def _compute(request: Mapping[str, Any], listener: Callable[[SweepPoint, str, str], None]) -> None:
    session, attempt = Path(request["session"]), request["attempt"]
    folder = begin(session, attempt)
    points: list[SweepPoint] = pickle.loads(request["points"])
    config = points[0].config
    with get_backend(config.device, request["threads"]) as backend:
        check_memory(config, backend)
        provenance = collect_for(config, backend.info(), request["argv"])
        provenance |= {**request["provenance"], "started": now()}
        progress = SweepProgress(_Sender(request["topic"], attempt), [], [points])
        progress.batch(points)
        asking = _Asking(lambda: is_given_up(session, attempt))
        run_batch(points, folder, backend, provenance, progress, asking, listener)


class _Asking:
    """Whether nobody waits for the attempt any more; the disk is asked now and then only."""

    def __init__(self, ask: Callable[[], bool]) -> None:
        self._ask = ask
        self._next = 0.0
        self._answer = False

    def __call__(self) -> bool:
        if not self._answer and time.monotonic() >= self._next:
            self._answer = self._ask()
            self._next = time.monotonic() + ASK_EVERY
        return self._answer


class _Sender(SilentReporter):
    """Sends warnings, and how far the batch has come, to the process that collects the sweep."""

    def __init__(self, topic: str, attempt: str) -> None:
        from distributed import get_worker

        self._worker = get_worker()
        self._topic = topic
        self._attempt = attempt
        self._next = 0.0

    def _send(self, **what: Any) -> None:
        self._worker.log_event(self._topic, {"attempt": self._attempt, **what})

    def overall(self, text: str, fraction: float) -> None:
        """Send the fraction."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + TELL_EVERY
            self._send(fraction=fraction)

    def warning(self, text: str) -> None:
        """Send it."""
        self._send(warning=text)
