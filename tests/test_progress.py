"""Reports of progress: plain lines once a minute, a bar on a terminal, nothing when quiet."""

from __future__ import annotations

import contextlib
import io
import math
from typing import Any

import pytest

from micromag.integrators.relaxation import Progress
from micromag.progress import (
    Pace,
    PlainReporter,
    QuietReporter,
    SilentReporter,
    TerminalReporter,
    printable,
    reporter_for,
)


class Clock:
    """Wall time that the test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def drive(reporter: SilentReporter, clock: Clock) -> None:
    """Report a relaxation and a run of 10 ns that does 1 ns and 500 steps every 10 s."""
    reporter.message("a run")
    reporter.stage(0, 2, "relax")
    for i in range(13):
        clock.now += 10
        progress = Progress(iterations=[20 * i], energies=[-1e-18 * i], torques=[1e-3 / (i + 1)])
        reporter.relaxing(progress)
    reporter.stage(1, 2, "run for 10 ns")
    reporter.compiling(3)
    clock.now += 5
    reporter.compiled(5.0)
    for i in range(11):
        row = {"wall_position": i * 1e-9}
        reporter.running(i * 1e-9, 1e-8, 2e-12, 500 * i, row)
        clock.now += 10
    reporter.running(1e-8, 1e-8, 2e-12, 5000, {})


def test_plain_lines_once_a_minute() -> None:
    clock, stream = Clock(), io.StringIO()
    drive(PlainReporter(stream, clock=clock), clock)
    assert stream.getvalue().splitlines() == [
        "a run",
        "stage 0 (1 of 2): relax",
        "  100 iterations, largest torque 166.7 uT, energy -5e-18 J",
        "  220 iterations, largest torque 83.33 uT, energy -1.1e-17 J",
        "stage 1 (2 of 2): run for 10 ns",
        "  compiling 3 files of kernels (the first time for this kind of run; they are kept)",
        "  compiled in 5 s",
        "  t = 6 ns of 10 ns (60 %), ETA 40 s, dt = 2 ps, 50 steps/s, wall at 6 nm",
        "  t = 10 ns after 5000 steps, 2 min",
    ]


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    clock, stream = Clock(), io.StringIO()
    with TerminalReporter(stream, clock) as reporter:
        drive(reporter, clock)
    text = stream.getvalue()
    for part in ("a run\n", "stage 1 (2 of 2): run for 10 ns\n", "1/2", "2/2", "\x1b[2K"):
        assert part in text
    assert "5 ns  50 %  ETA 50 s  dt 2 ps  50/s  wall 5 nm" in text
    assert "  t = 10 ns after 5000 steps, 2 min\n" in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l"), "the cursor is hidden"


def test_the_cursor_is_never_hidden_for_long() -> None:
    # A second Ctrl-C ends the process without any clean-up.
    stream = io.StringIO()
    reporter = TerminalReporter(stream)
    reporter.stage(0, 1, "relax")
    assert stream.getvalue().count("\x1b[?25l") == stream.getvalue().count("\x1b[?25h") == 1
    reporter.__exit__(None, None, None)


def test_the_terminal_is_whole_after_an_error() -> None:
    stream = io.StringIO()
    with contextlib.suppress(ValueError), TerminalReporter(stream) as reporter:
        reporter.stage(0, 1, "relax")
        raise ValueError
    assert stream.getvalue().rstrip().endswith("\x1b[?25h")


def test_silence() -> None:
    reporter = SilentReporter()
    drive(reporter, Clock())


def test_compiling_is_no_part_of_a_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, stream = Clock(), io.StringIO()
    reporter = PlainReporter(stream, clock=clock)
    reporter.stage(0, 1, "run for 1 ns")
    reporter.compiling(1)
    clock.now += 50
    reporter.compiled(50.0)
    clock.now += 2
    reporter.running(1e-9, 1e-9, 1e-12, 10, {})
    assert "compiling 1 file of kernels" in stream.getvalue()
    assert stream.getvalue().endswith("  t = 1 ns after 10 steps, 2 s\n")


@pytest.mark.parametrize("kind", [QuietReporter, PlainReporter, TerminalReporter])
def test_warnings_go_to_the_error_stream(kind: Any, capsys: Any) -> None:
    reporter = kind() if kind is QuietReporter else kind(io.StringIO())
    reporter.stage(0, 1, "relax")
    reporter.warning("the step is long\x07")
    reporter.__exit__(None, None, None)
    assert capsys.readouterr().err == "warning: the step is long?\n"


def test_pace_before_it_is_known() -> None:
    pace = Pace(0.0, 0, Clock())
    assert pace.fraction == 0 and not pace.finished and math.isnan(pace.remaining)
    pace.update(1e-9, 4e-9, 1e-12, 10, {})
    assert pace.text() == "t = 1 ns of 4 ns (25 %), dt = 1 ps"
    assert pace.short_text() == "1 ns  25 %  dt 1 ps"


def test_a_lost_wall_is_not_shown() -> None:
    pace = Pace(0.0, 0, Clock())
    pace.update(1e-9, 4e-9, 1e-12, 10, {"wall_position": math.nan})
    assert "wall" not in pace.text()


class Stream(io.StringIO):
    def __init__(self, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


@pytest.mark.parametrize(
    ("is_terminal", "term", "quiet", "kind"),
    [
        (True, "xterm", False, TerminalReporter),
        (True, "dumb", False, PlainReporter),
        (False, "xterm", False, PlainReporter),
        (True, "xterm", True, QuietReporter),
    ],
)
def test_the_reporter_suits_the_stream(
    is_terminal: bool, term: str, quiet: bool, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    assert type(reporter_for(Stream(is_terminal), quiet=quiet)) is kind


def test_titles_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[31mb\u009b\nc \u03b1") == "a?[31mb?\nc \u03b1"
    stream = io.StringIO()
    TerminalReporter(stream).message("[red]walls[/red] \x07")
    assert stream.getvalue() == "[red]walls[/red] ?\n"
