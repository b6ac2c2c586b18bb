"""What a run tells of itself while it goes on: the listener, and stages in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from micromag.config_sections import Run, Stage

if TYPE_CHECKING:
    from micromag.integrators.relaxation import Progress


class Reporter(Protocol):
    """Is told how far the run has come."""

    def stage(self, number: int, total: int, text: str) -> None:
        """A stage begins."""

    def running(
        self, t: float, t_end: float, dt: float, steps: int, row: Mapping[str, float]
    ) -> None:
        """A run stage has come to time t; ``row`` is the last row of the table."""

    def relaxing(self, progress: Progress) -> None:
        """A relax or minimize stage goes on."""

    def message(self, text: str) -> None:
        """Something worth a line."""

    def warning(self, text: str) -> None:
        """Something that is likely to be wrong."""

    def compiling(self, files: int) -> None:
        """Kernels are compiled, which no earlier run has left in the cache."""

    def compiled(self, seconds: float) -> None:
        """They are, after so long."""


class SweepReporter(Reporter, Protocol):
    """Is told of a sweep as well."""

    def overall(self, text: str, fraction: float) -> None:
        """A sweep has come so far, 0 to 1."""


def describe_stages(stages: Sequence[Stage]) -> str:
    """Return a stage of all replicas in words: ``run for 5 ns``, ``run for 1 to 5 ns``."""
    if not isinstance(stages[0], Run):
        return type(stages[0]).__name__.lower()
    durations = [1e9 * stage.duration for stage in stages if isinstance(stage, Run)]
    low, high = min(durations), max(durations)
    return f"run for {low:.6g} ns" if low == high else f"run for {low:.6g} to {high:.6g} ns"


def describe_relaxation(converged: Sequence[Progress], total: int) -> str:
    """Return how the relaxation of some replicas of ``total`` ended well."""
    torque = max(progress.torques[-1] for progress in converged)
    counts = [progress.iterations[-1] for progress in converged]
    if total == 1:
        return (
            f"converged by {converged[0].reason}: largest torque {torque:.3g} T, "
            f"energy {converged[0].energies[-1]:.6g} J, {counts[0]} iterations"
        )
    return (
        f"{len(converged)} of {total} replicas converged: largest torque {torque:.3g} T, "
        f"{min(counts)} to {max(counts)} iterations"
    )
