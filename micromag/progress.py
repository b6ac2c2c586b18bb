"""How a run tells its user how far it has come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from micromag.integrators.relaxation import Progress


class SilentReporter:
    """Says nothing."""

    def stage(self, number: int, total: int, text: str) -> None:
        """Say nothing."""

    def running(self, t: float, t_end: float, dt: float, steps: int, row: Mapping[str, float]) -> None:
        """Say nothing."""

    def relaxing(self, progress: Progress) -> None:
        """Say nothing."""

    def message(self, text: str) -> None:
        """Say nothing."""
