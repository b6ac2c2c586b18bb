"""Where in time a formula may do something: its bends and jumps, and how fast it oscillates.

Formulas are not analysed in general. Looked at are the parts that are linear in t, as ``t - 1 ns`` in
``heaviside(t - 1 ns)`` or in ``exp(-((t - 1 ns) / 20 ps)^2)``: where they vanish is where a formula
bends, jumps or peaks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from micromag.excitation._formula import Call, Node, Number, Time

_OSCILLATING = ("sin", "cos", "tan", "sinc")


@dataclass(frozen=True)
class Landmarks:
    """Times [s] at which steps end, and the longest step [s] between them."""

    times: tuple[float, ...]
    longest_step: float


class _Line(NamedTuple):
    """offset + slope t; ``timed`` if t occurs at all, whatever its factor."""

    offset: float
    slope: float
    timed: bool

    @property
    def zero(self) -> float:
        """Where it vanishes, infinite where it does not."""
        zero = -self.offset / self.slope if self.slope else math.inf
        return zero if math.isfinite(zero) else math.inf


def landmarks(tree: Node) -> Landmarks:
    """Return the landmarks of a formula. Their number depends on its structure only."""
    return Landmarks(tuple(_zeros(tree)), min(_steps(tree), default=math.inf))


def _zeros(node: Node) -> Iterator[float]:
    line = _line(node)
    if line is not None:
        if line.timed:
            yield line.zero
        return
    if isinstance(node, Call):
        if node.name in ("min", "max"):
            difference = _line(Call("-", node.arguments))
            if difference is not None and difference.timed:
                yield difference.zero
        for item in node.arguments:
            yield from _zeros(item)


def _steps(node: Node) -> Iterator[float]:
    """Yield a quarter of the period of everything that oscillates at a constant rate."""
    if isinstance(node, Call):
        for item in node.arguments:
            line = _line(item)
            if node.name in _OSCILLATING and line is not None and line.slope:
                yield math.pi / 2 / abs(line.slope)
            yield from _steps(item)


def _line(node: Node) -> _Line | None:
    """Return a formula that is linear in t as such, None for others."""
    if isinstance(node, Number):
        return _Line(node.number, 0.0, False)
    if isinstance(node, Time):
        return _Line(0.0, 1.0, True)
    if not isinstance(node, Call):
        return None
    parts = [_line(item) for item in node.arguments]
    if any(part is None for part in parts):
        return None
    lines = [part for part in parts if part is not None]
    if not any(line.timed for line in lines):
        return _Line(node.value(0.0), 0.0, False)
    a, b = lines if len(lines) == 2 else (lines[0], lines[0])
    if node.name == "neg":
        return _Line(-a.offset, -a.slope, True)
    if node.name in "+-":
        sign = 1 if node.name == "+" else -1
        return _Line(a.offset + sign * b.offset, a.slope + sign * b.slope, True)
    if node.name == "*" and not (a.timed and b.timed):
        factor, line = (b, a) if a.timed else (a, b)
        return _Line(factor.offset * line.offset, factor.offset * line.slope, True)
    if node.name == "/" and not b.timed and b.offset:
        return _Line(a.offset / b.offset, a.slope / b.offset, True)
    return None
