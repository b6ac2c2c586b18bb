"""Python threads that share a list of tasks, for work that releases the interpreter's lock."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


class Team:
    """The caller and ``threads - 1`` helpers.

    Tasks are claimed one by one; the caller claims too and waits only for tasks that a helper has
    begun, so that a helper which the operating system does not schedule costs nothing.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._helpers: ThreadPoolExecutor | None = None
        self._process = 0

    def run(self, count: int, task: Callable[[int, int], None]) -> None:
        """Call ``task(worker, number)`` for every number below ``count``.

        No two tasks run at the same time with the same ``worker``, which is below ``threads``.
        What a task raises is raised here, once all others have ended.
        """
        wanted = min(self.threads, count) - 1
        if wanted < 1:
            for number in range(count):
                task(0, number)
            return
        numbers = deque(range(count))

        def work(worker: int) -> None:
            while True:
                try:
                    number = numbers.popleft()
                except IndexError:
                    return
                task(worker, number)

        started = [self._pool().submit(work, worker + 1) for worker in range(wanted)]
        try:
            work(0)
        finally:
            numbers.clear()
            for helper in started:
                if not helper.cancel():
                    helper.result()

    def _pool(self) -> ThreadPoolExecutor:
        """Return the helpers; threads do not survive a fork, so a child gets its own."""
        if self._helpers is None or self._process != os.getpid():
            self._helpers = ThreadPoolExecutor(self.threads - 1, "micromag-fft")
            self._process = os.getpid()
        return self._helpers
