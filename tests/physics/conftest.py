"""A table of every measured value beside the expected one, at the end of ``pytest -v``."""

from __future__ import annotations

import pytest
from reference import comparisons


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not comparisons or terminalreporter.verbosity < 1:
        return
    terminalreporter.section("physics checks: measured against expected")
    for id, what, expected, measured, allowed in comparisons:
        values = f"expected {expected:<14.8g} measured {measured:<14.8g} +- {allowed:.2g}"
        terminalreporter.write_line(f"{id:16} {what:34} {values}")
