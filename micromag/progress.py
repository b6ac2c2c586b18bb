"""How a run tells its user how far it has come: a bar on a terminal, plain lines on a pipe."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from micromag.si_text import duration_text, si

if TYPE_CHECKING:
    from micromag.integrators.relaxation import Progress

PLAIN_EVERY = 60.0
"""Seconds between two plain lines."""
REDRAW_EVERY = 0.1
"""Seconds between two pictures of the bar."""
_END = 1 - 1e-9


class SilentReporter:
    """Says nothing. As a context manager it, like all reporters, cleans up behind itself."""

    def stage(self, number: int, total: int, text: str) -> None:
        """A stage begins."""

    def running(
        self, t: float, t_end: float, dt: float, steps: int, row: Mapping[str, float]
    ) -> None:
        """A run stage has come to time t [s]."""

    def relaxing(self, progress: Progress) -> None:
        """A relax or minimize stage goes on."""

    def overall(self, text: str, fraction: float) -> None:
        """A sweep has come so far, 0 to 1."""

    def message(self, text: str) -> None:
        """Something worth a line."""

    def warning(self, text: str) -> None:
        """Something that is likely to be wrong."""

    def compiling(self, files: int) -> None:
        """Kernels are compiled, which no earlier run has left in the cache."""

    def compiled(self, seconds: float) -> None:
        """They are, after so long."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is left to clean up."""


class QuietReporter(SilentReporter):
    """Warnings on the error stream, and nothing else."""

    def warning(self, text: str) -> None:
        """Write it to standard error."""
        print(f"warning: {printable(text)}", file=sys.stderr, flush=True)


class Pace:
    """How fast a run stage goes, measured from its first report: what comes before is preparation.

    Parameters
    ----------
    t_start
        Time [s] at which the stage begins.
    steps_before
        Steps of the stages before.
    clock
        Seconds of wall time.
    """

    def __init__(self, t_start: float, steps_before: int, clock: Callable[[], float]) -> None:
        self.t_start, self.steps_before = t_start, steps_before
        self._clock = clock
        self.begin = clock()
        self._first: tuple[float, float, int] | None = None
        self.t, self.t_end, self.dt, self.steps = t_start, t_start, 0.0, steps_before
        self.wall_position = math.nan

    def update(
        self, t: float, t_end: float, dt: float, steps: int, row: Mapping[str, float]
    ) -> None:
        """Take in a report."""
        self.t, self.t_end, self.dt, self.steps = t, t_end, dt, steps
        self.wall_position = row.get("wall_position", math.nan)
        if self._first is None:
            self._first = (self._clock(), t, steps)

    @property
    def fraction(self) -> float:
        """Part of the stage that is done, 0 to 1."""
        length = self.t_end - self.t_start
        return min(max((self.t - self.t_start) / length, 0.0), 1.0) if length > 0 else 0.0

    @property
    def finished(self) -> bool:
        """Whether the stage has come to its end."""
        return self.t_end > self.t_start and self.fraction >= _END

    @property
    def remaining(self) -> float:
        """Seconds of wall time that the rest of the stage takes; NaN as long as it is unknown."""
        wall, t, _ = self._since_first()
        return (self.t_end - self.t) * wall / t if wall > 0 and t > 0 else math.nan

    @property
    def speed(self) -> float:
        """Steps per second of wall time; NaN as long as it is unknown."""
        wall, _, steps = self._since_first()
        return steps / wall if wall > 0 and steps > 0 else math.nan

    def _since_first(self) -> tuple[float, float, int]:
        """Return wall time [s], simulated time [s] and steps since the first report."""
        if self._first is None:
            return 0.0, 0.0, 0
        began, t, steps = self._first
        return self._clock() - began, self.t - t, self.steps - steps

    def text(self) -> str:
        """Return time, percentage, remaining wall time, step, speed and the wall's place."""
        parts = [f"t = {si(self.t, 's')} of {si(self.t_end, 's')} ({100 * self.fraction:.0f} %)"]
        if math.isfinite(self.remaining):
            parts.append(f"ETA {duration_text(self.remaining)}")
        parts.append(f"dt = {si(self.dt, 's')}")
        if math.isfinite(self.speed):
            parts.append(f"{self.speed:.3g} steps/s")
        if math.isfinite(self.wall_position):
            parts.append(f"wall at {si(self.wall_position, 'm')}")
        return ", ".join(parts)

    def short_text(self) -> str:
        """Return the same for what a bar leaves of a line."""
        parts = [f"{si(self.t, 's', 3)} {100 * self.fraction:3.0f} %"]
        if math.isfinite(self.remaining):
            parts.append(f"ETA {duration_text(self.remaining)}")
        parts.append(f"dt {si(self.dt, 's', 3)}")
        if math.isfinite(self.speed):
            parts.append(f"{self.speed:.0f}/s")
        if math.isfinite(self.wall_position):
            parts.append(f"wall {si(self.wall_position, 'm', 3)}")
        return "  ".join(parts)

    def closing(self) -> str:
        """Return what the stage took."""
        taken = duration_text(self._clock() - self.begin)
        return f"  t = {si(self.t, 's')} after {self.steps - self.steps_before} steps, {taken}"


class PlainReporter(QuietReporter):
    """Plain lines: stages, messages, and one line a minute; warnings go to the error stream.

    Parameters
    ----------
    stream
        Where to write; standard output by default.
    every
        Seconds between two lines about one stage.
    clock
        Seconds of wall time.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        every: float = PLAIN_EVERY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stream = sys.stdout if stream is None else stream
        self.every = every
        self._clock = clock
        self._pace = Pace(0.0, 0, clock)
        self._spoke = clock()
        self._closed = True

    def stage(self, number: int, total: int, text: str) -> None:
        """Write which stage begins."""
        self._pace = Pace(self._pace.t_end, self._pace.steps, self._clock)
        self._spoke = self._clock()
        self._closed = False
        self.message(f"stage {number} ({number + 1} of {total}): {text}")

    def running(
        self, t: float, t_end: float, dt: float, steps: int, row: Mapping[str, float]
    ) -> None:
        """Write how far it is, once in a while, and what it took in the end."""
        self._pace.update(t, t_end, dt, steps, row)
        if self._pace.finished:
            if not self._closed:
                self._closed = True
                self.message(self._pace.closing())
        elif self._is_time():
            self.message(f"  {self._pace.text()}")

    def relaxing(self, progress: Progress) -> None:
        """Write how far it is, once in a while."""
        if self._is_time():
            self.message(f"  {relaxation_text(progress)}")

    def overall(self, text: str, fraction: float) -> None:
        """Write how far the sweep is, once in a while."""
        if self._is_time():
            self.message(f"  {text}")

    def message(self, text: str) -> None:
        """Write lines."""
        print(printable(text), file=self.stream, flush=True)

    def compiling(self, files: int) -> None:
        """Write that it takes a moment, and why."""
        self.message(
            f"  compiling {files} file{'s' if files > 1 else ''} of kernels (the first time for "
            "this kind of run; they are kept)"
        )

    def compiled(self, seconds: float) -> None:
        """Write how long it took if that was long; it is no part of the stage's time."""
        self._pace.begin += seconds
        if seconds > 1:
            self.message(f"  compiled in {duration_text(seconds)}")

    def _is_time(self) -> bool:
        now = self._clock()
        if now - self._spoke < self.every:
            return False
        self._spoke = now
        return True


class TerminalReporter(PlainReporter):
    """A bar under the lines, for a terminal.

    Parameters
    ----------
    stream
        The terminal; standard output by default.
    clock
        Seconds of wall time.
    """

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(stream, REDRAW_EVERY, clock)
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar
        from rich.table import Column

        self._console = Console(file=self.stream, force_terminal=True, highlight=False)
        self._bar = Bar(
            TextColumn("{task.description}", table_column=Column(no_wrap=True)),
            BarColumn(bar_width=12),
            TextColumn(
                "{task.fields[info]}",
                markup=False,
                table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1),
            ),
            console=self._console,
            auto_refresh=False,  # drawn when there is news, by no thread of its own
            transient=True,
            expand=True,
        )
        self._task: Any = None

    def stage(self, number: int, total: int, text: str) -> None:
        """Write which stage begins and start its bar."""
        self._remove()
        super().stage(number, total, text)
        self._task = self._bar.add_task(f"{number + 1}/{total}", total=None, info="")
        self._show()

    def running(
        self, t: float, t_end: float, dt: float, steps: int, row: Mapping[str, float]
    ) -> None:
        """Move the bar."""
        self._pace.update(t, t_end, dt, steps, row)
        if self._pace.finished:
            self._remove()
            super().running(t, t_end, dt, steps, row)
        elif self._is_time():
            self._draw(self._pace.short_text(), self._pace.fraction)

    def relaxing(self, progress: Progress) -> None:
        """Say below the lines how far it is."""
        if self._is_time():
            self._draw(relaxation_text(progress), None)

    def overall(self, text: str, fraction: float) -> None:
        """Move the bar of the sweep."""
        if self._task is None:
            self._task = self._bar.add_task("sweep", total=1.0, info=text)
            self._show()
        if self._is_time():
            self._draw(text, fraction)

    def compiling(self, files: int) -> None:
        """Write it, and below the lines what is going on."""
        super().compiling(files)
        self._draw("compiling", None)

    def warning(self, text: str) -> None:
        """Write it without tearing the bar, which may be on the same screen."""
        self._bar.stop()
        super().warning(text)
        if self._task is not None:
            self._show()

    def message(self, text: str) -> None:
        """Write lines above the bar."""
        self._console.print(printable(text), markup=False, soft_wrap=True)

    def _show(self) -> None:
        if not self._bar.live.is_started:
            self._bar.start()
            # A second Ctrl-C ends the process at once and must not leave it without a cursor.
            self._console.show_cursor(True)
        self._bar.refresh()

    def _draw(self, info: str, fraction: float | None) -> None:
        if self._task is None:
            return
        total = None if fraction is None else 1.0
        self._bar.update(self._task, total=total, completed=fraction or 0.0, info=info)
        self._bar.refresh()

    def _remove(self) -> None:
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None
            self._bar.refresh()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar off the screen."""
        self._remove()
        self._bar.stop()


def reporter_for(stream: TextIO, *, quiet: bool) -> SilentReporter:
    """Return the reporter that suits a stream: a bar on a terminal, plain lines elsewhere.

    Warnings go to standard error, also with ``quiet``.
    """
    if quiet:
        return QuietReporter()
    if stream.isatty() and os.environ.get("TERM") != "dumb":
        return TerminalReporter(stream)
    return PlainReporter(stream)


def relaxation_text(progress: Progress) -> str:
    """Return how far a relaxation is."""
    if not progress.iterations:
        return "relaxing"
    return (
        f"{progress.iterations[-1]} iterations, largest torque {si(progress.torques[-1], 'T')}, "
        f"energy {progress.energies[-1]:.6g} J"
    )


def printable(text: str) -> str:
    """Return a text without the characters that steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)
