"""Requests to stop: noted by a signal handler, looked at between steps."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any


class StopRequest:
    """Catches SIGINT and SIGTERM while it is entered.

    The first signal is only noted, so that the step in hand ends and files stay whole; after a second
    SIGINT the process ends at once (the files are valid at every instant).

    Attributes
    ----------
    signal_name
        The signal that came, ``"SIGINT"`` or ``"SIGTERM"``; None as long as none has.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.signal_name: str | None = None
        self._previous: dict[signal.Signals, Any] = {}

    def __bool__(self) -> bool:
        return self.signal_name is not None

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal_name = signal.Signals(number).name
        # The default handlers come back: a second Ctrl-C is not held up by anything.
        signal.signal(number, signal.SIG_DFL)

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            self._previous = {s: signal.signal(s, self._note) for s in self.SIGNALS}
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
