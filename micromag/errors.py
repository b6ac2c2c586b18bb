"""The exception tree: every message says what, where, the value, what is allowed and what to do next."""

from __future__ import annotations

from collections.abc import Sequence


class MicromagError(Exception):
    """Base of every error that a user can cause or cure; ``exit_code`` is what the command returns."""

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        value: object = None,
        allowed: str | None = None,
        next_step: str | None = None,
    ) -> None:
        self.what = what
        self.where = where
        self.value = value
        self.allowed = allowed
        self.next_step = next_step
        super().__init__(self.render())

    def render(self) -> str:
        """Return the message as the user reads it."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        lines = [head]
        if self.value is not None:
            lines.append(f"  value:   {self.value}")
        if self.allowed:
            lines.append(f"  allowed: {self.allowed}")
        if self.next_step:
            lines.append(f"  next:    {self.next_step}")
        return "\n".join(lines)


class ConfigError(MicromagError, ValueError):
    """The run file's text or values, the command line, or arguments in Python are wrong."""

    exit_code = 2


class ConfigErrors(ConfigError):
    """Several problems of one run file, or of the arguments of a class, reported in one go."""

    def __init__(self, problems: Sequence[str], source: str = "the run file") -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        head = f"{count} problem{'s' if count != 1 else ''} in {source}"
        super().__init__("\n".join([*self.problems, "", head]))


class NumericalError(MicromagError):
    """The computation failed: NaN, a collapsing time step, no convergence."""

    exit_code = 3


class DeviceError(MicromagError):
    """No such device, no compiler, a kernel that does not compile, or not enough memory or disk."""

    exit_code = 4


class OutputExistsError(MicromagError):
    """A result is there already, or another process is writing it."""

    exit_code = 5


class UnreadableInputError(MicromagError):
    """A file that the run names, or a result file, cannot be read."""

    exit_code = 6


class AnalysisError(MicromagError):
    """A finished result does not hold what an analysis needs; the result itself is whole."""


class Interrupted(MicromagError):
    """The user or the batch system asked the run to stop; what was written is valid."""

    exit_code = 130
