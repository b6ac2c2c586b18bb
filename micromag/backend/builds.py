"""Compiled files by the dozen: looked up, announced, built in parallel, given up when asked to."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from micromag.backend.cache import Cache, kernel_cache
from micromag.errors import Interrupted

LOOK_SECONDS = 0.05
"""How often a build asks whether it should go on."""


def _no_one(*args: object) -> None:
    """Tell nobody."""


def _go_on() -> bool:
    return False


@dataclass(frozen=True)
class BuildMonitor:
    """Who is told about compiling, and who may end it.

    Attributes
    ----------
    begun
        Called with the number of files, when something really has to be compiled.
    ended
        Called with the seconds it took.
    stop
        Looked at while it goes on; true ends it.
    """

    begun: Callable[[int], None] = _no_one
    ended: Callable[[float], None] = _no_one
    stop: Callable[[], bool] = _go_on


@dataclass(frozen=True)
class Build:
    """A file of the cache and how it is made.

    ``make(given_up, folder)`` returns the file that it has written to ``folder``, or raises
    Interrupted soon after the event ``given_up`` is set.
    """

    key: str
    suffix: str
    make: Callable[[threading.Event, Path], Path]


def built(builds: Sequence[Build], monitor: BuildMonitor) -> list[Path]:
    """Return the files of all builds, from the cache or made now.

    Raises
    ------
    DeviceError
        The compiler refuses one of them.
    Interrupted
        ``monitor.stop`` became true; whole files that were made by then stay in the cache.
    """
    cache = kernel_cache()
    found = {build.key: cache.find(build.key, build.suffix) for build in builds}
    missing = {build.key: build for build in builds if found[build.key] is None}
    if missing:
        began = time.monotonic()
        monitor.begun(len(missing))
        made = _make_all(list(missing.values()), cache, monitor.stop)
        monitor.ended(time.monotonic() - began)
        found |= dict(zip(missing, made, strict=True))
    return [path for build in builds if (path := found[build.key]) is not None]


def _make_all(builds: Sequence[Build], cache: Cache, stop: Callable[[], bool]) -> list[Path]:
    given_up = threading.Event()
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as workers:
        try:
            futures = [
                workers.submit(cache.build, b.key, b.suffix, partial(b.make, given_up))
                for b in builds
            ]
            while wait(futures, timeout=LOOK_SECONDS).not_done:
                if stop():
                    raise interrupted()
            return [future.result() for future in futures]
        except BaseException:  # also a Ctrl-C in a notebook: nothing must go on behind its back
            given_up.set()
            workers.shutdown(wait=False, cancel_futures=True)
            raise


def interrupted() -> Interrupted:
    """Return what ends a build that is no longer wanted."""
    return Interrupted("stopped while the kernels were compiled")


def run_compiler(
    command: Sequence[str], folder: Path, given_up: threading.Event
) -> tuple[int, str]:
    """Run a compiler in ``folder`` and return its exit status and what it complained about.

    Raises
    ------
    Interrupted
        ``given_up`` was set; the compiler and all that it had started are gone.
    """
    # In a session of its own: a Ctrl-C at the terminal is not for the compiler, whose death would
    # look like an error of the kernels.
    with subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as child:
        try:
            while True:
                try:
                    _, log = child.communicate(timeout=LOOK_SECONDS)
                    return child.returncode, log
                except subprocess.TimeoutExpired:
                    if given_up.is_set():
                        raise interrupted() from None
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            raise
