"""Formulas of the time: text to a tree that evaluates itself and writes itself as C.

sum     = product (("+" | "-") product)*
product = sign (("*" | "/") sign)*
sign    = ("+" | "-")* power
power   = atom (("^" | "**") sign)?
atom    = number [unit] | "t" | "pi" | function "(" sum ("," sum)* ")" | "(" sum ")"
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from micromag.excitation.base import Emitter
from micromag.suggest import did_you_mean
from micromag.units import Dimension, UnitError, parse, parse_unit

MAX_DEPTH = 60
"""Deepest nesting of a formula, so that no text can exhaust the stack."""
MAX_TOKENS = 400
"""Longest formula, in words and signs, for the same reason; longer ones are better tables."""


class FormulaError(ValueError):
    """A text is no formula."""

    def __init__(self, what: str, allowed: str = "") -> None:
        super().__init__(what)
        self.allowed = allowed


class Node(Protocol):
    """A node of the tree."""

    def value(self, t: float) -> float:
        """Return the value at time ``t`` [s]; NaN or infinite where there is none."""

    def emit(self, c: Emitter) -> str:
        """Return the C text, bracketed so that it fits anywhere."""


def _quiet(function: Callable[..., float]) -> Callable[..., float]:
    """Return the function with NaN or infinity where Python raises."""

    def call(*args: float) -> float:
        try:
            return function(*args)
        except OverflowError:
            return math.inf
        except (ValueError, ZeroDivisionError):
            return math.nan

    return call


def _sinc(x: float) -> float:
    return math.sin(x) / x if x != 0 else 1.0


def _step(x: float) -> float:
    return 1.0 if x >= 0 else 0.0


# name: (number of arguments, Python function, C text)
FUNCTIONS: dict[str, tuple[int, Callable[..., float], str]] = {
    "sin": (1, math.sin, "sin({0})"),
    "cos": (1, math.cos, "cos({0})"),
    "tan": (1, math.tan, "tan({0})"),
    "exp": (1, math.exp, "exp({0})"),
    "log": (1, math.log, "log({0})"),
    "sqrt": (1, math.sqrt, "sqrt({0})"),
    "abs": (1, math.fabs, "fabs({0})"),
    "tanh": (1, math.tanh, "tanh({0})"),
    "min": (2, min, "fmin({0}, {1})"),
    "max": (2, max, "fmax({0}, {1})"),
    "heaviside": (1, _step, "({0} >= 0.0 ? 1.0 : 0.0)"),
    "step": (1, _step, "({0} >= 0.0 ? 1.0 : 0.0)"),
    "sinc": (1, _sinc, "(sin(fmax(fabs({0}), 1e-300)) / fmax(fabs({0}), 1e-300))"),
}
OPERATORS: dict[str, tuple[Callable[..., float], str]] = {
    "+": (lambda a, b: a + b, "({0} + {1})"),
    "-": (lambda a, b: a - b, "({0} - {1})"),
    "*": (lambda a, b: a * b, "({0} * {1})"),
    "/": (lambda a, b: a / b, "({0} / {1})"),
    "^": (math.pow, "pow({0}, {1})"),
    "neg": (lambda a: -a, "(-{0})"),
}


@dataclass(frozen=True)
class Number:
    """A number in SI; ``dimension`` is None where no unit was given."""

    number: float
    dimension: Dimension | None = None

    def value(self, t: float) -> float:
        return self.number

    def emit(self, c: Emitter) -> str:
        return c.constant(self.number)


@dataclass(frozen=True)
class Time:
    def value(self, t: float) -> float:
        return t

    def emit(self, c: Emitter) -> str:
        return "t"


@dataclass(frozen=True)
class Call:
    name: str
    arguments: tuple[Node, ...]

    def value(self, t: float) -> float:
        function = OPERATORS[self.name][0] if self.name in OPERATORS else FUNCTIONS[self.name][1]
        return _quiet(function)(*(item.value(t) for item in self.arguments))

    def emit(self, c: Emitter) -> str:
        text = OPERATORS[self.name][1] if self.name in OPERATORS else FUNCTIONS[self.name][2]
        return text.format(*(item.emit(c) for item in self.arguments))


_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)"
    r"|(?P<name>[^\W\d]\w*)|(?P<op>\*\*|[-+*/^(),]))"
)


def parse_formula(text: str) -> Node:
    """Return the tree of a formula; raises FormulaError that points at the place."""
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.depth = 0
        self.tokens: list[tuple[str, str, int]] = []
        position, end = 0, len(text.rstrip())
        while position < end:
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                position += len(text[position:]) - len(text[position:].lstrip())
                raise self.error(f"unexpected {text[position]!r}", position)
            kind = match.lastgroup
            self.tokens.append((kind, match[kind], match.start(kind)))
            position = match.end()
        if len(self.tokens) > MAX_TOKENS:
            raise self.error("the formula is too long", end, f"up to {MAX_TOKENS} words and signs")
        self.tokens.append(("end", "", end))

    def error(self, what: str, position: int, allowed: str = "") -> FormulaError:
        text = self.text if len(self.text) <= 120 else f"{self.text[:120]}..."
        return FormulaError(f"{what} at character {position + 1} of {text!r}", allowed)

    def parse(self) -> Node:
        node = self.sum()
        kind, token, position = self.tokens[0]
        if kind != "end":
            raise self.error(f"unexpected {token!r}", position, "an operator + - * / ^ or the end")
        return node

    def take(self, *tokens: str) -> str | None:
        if self.tokens[0][0] == "op" and self.tokens[0][1] in tokens:
            return self.tokens.pop(0)[1]
        return None

    def expect(self, token: str) -> None:
        if not self.take(token):
            _, found, position = self.tokens[0]
            raise self.error(f"{token!r} is missing before {found or 'the end'!r}", position)

    def sum(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error("too deep a nesting", self.tokens[0][2], f"up to {MAX_DEPTH} brackets")
        node = self.product()
        while operator := self.take("+", "-"):
            node = Call(operator, (node, self.product()))
        self.depth -= 1
        return node

    def product(self) -> Node:
        node = self.sign()
        while operator := self.take("*", "/"):
            node = Call(operator, (node, self.sign()))
        return node

    def sign(self) -> Node:
        negative = False
        while operator := self.take("+", "-"):
            negative ^= operator == "-"
        node = self.power()
        return Call("neg", (node,)) if negative else node

    def power(self) -> Node:
        node = self.atom()
        if self.take("^", "**"):
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise self.error("too many powers", self.tokens[0][2])
            node = Call("^", (node, self.sign()))
            self.depth -= 1
        return node

    def atom(self) -> Node:
        if self.take("("):
            node = self.sum()
            self.expect(")")
            return node
        kind, token, position = self.tokens.pop(0)
        if kind == "number":
            return self.quantity(token)
        if kind == "name" and self.tokens[0][1] == "(":
            return self.call(token, position)
        if token == "t":
            return Time()
        if token == "pi":
            return Number(math.pi, parse_unit("1").dimension)
        if kind == "name":
            near = did_you_mean(token, ["t", "pi", *FUNCTIONS])
            raise self.error(f"unknown name {token!r}{near}", position, self.names)
        found = token or "the end"
        raise self.error(
            f"unexpected {found!r}", position, "a number, t, pi, a function or a bracket"
        )

    @property
    def names(self) -> str:
        return f"t, pi, {', '.join(FUNCTIONS)}"

    def quantity(self, number: str) -> Node:
        kind, name, position = self.tokens[0]
        if kind != "name":
            return Number(float(number))
        if name in ("t", "pi") or self.tokens[1][1] == "(":
            raise self.error(
                f"an operator is missing before {name!r}", position, f"{number} * {name}"
            )
        try:
            value, unit = parse(f"{number} {name}")
        except UnitError as error:
            raise self.error(str(error), position) from None
        self.tokens.pop(0)
        return Number(value, unit.dimension if unit is not None else None)

    def call(self, name: str, position: int) -> Node:
        if name not in FUNCTIONS:
            near = did_you_mean(name, FUNCTIONS)
            raise self.error(f"unknown function {name!r}{near}", position, ", ".join(FUNCTIONS))
        count = FUNCTIONS[name][0]
        self.expect("(")
        arguments = [self.sum()]
        while self.take(","):
            arguments.append(self.sum())
        self.expect(")")
        if len(arguments) != count:
            raise self.error(f"{name} takes {count} argument(s), not {len(arguments)}", position)
        return Call(name, tuple(arguments))
