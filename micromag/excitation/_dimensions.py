"""Dimensions in a formula of the time: sums of like quantities, functions of pure numbers.

A number without a unit stands in SI for whatever its place needs: ``2e10`` in ``sin(2e10 * t)`` is a
rate. What has a unit, ``t`` and ``pi`` are held to their dimensions.
"""

from __future__ import annotations

from fractions import Fraction

from micromag.excitation._formula import Call, FormulaError, Node, Number, Time
from micromag.units import Dimension, describe_dimension, parse_unit

PURE = parse_unit("1").dimension
TIME = parse_unit("s").dimension

_LIKE = {"+": "{0} + {1}", "-": "{0} - {1}", "min": "min({0}, {1})", "max": "max({0}, {1})"}
_KEEPING = ("neg", "abs")
_OF_ANYTHING = ("heaviside", "step")
"""Functions of a sign, which no unit changes."""


def check_dimensions(tree: Node) -> None:
    """Raise FormulaError unless a formula is a pure number, made of parts that fit together."""
    _require_pure(dimension_of(tree), "the formula")


def dimension_of(node: Node) -> Dimension | None:
    """Return the dimension of a part, None if numbers without a unit leave it open."""
    if isinstance(node, Time):
        return TIME
    if isinstance(node, Number):
        return node.dimension
    assert isinstance(node, Call)
    if node.name == "^":
        return _power(*node.arguments)
    parts = [dimension_of(item) for item in node.arguments]
    if node.name in _LIKE:
        return _like(node.name, *parts)
    if node.name in ("*", "/"):
        return _scaled(parts[0], parts[1], 1 if node.name == "*" else -1)
    if node.name in _KEEPING:
        return parts[0]
    if node.name in _OF_ANYTHING:
        return PURE
    if node.name == "sqrt":
        return _scaled(PURE, parts[0], Fraction(1, 2))
    _require_pure(parts[0], f"the argument of {node.name}")
    return PURE


def _require_pure(dimension: Dimension | None, what: str) -> None:
    if dimension is not None and dimension != PURE:
        found = describe_dimension(dimension)
        hint = "divide by a time, as in t / 1 ns" if dimension == TIME else "units that cancel"
        raise FormulaError(f"{what} is {found}, but a pure number is needed", hint)


def _like(name: str, a: Dimension | None, b: Dimension | None) -> Dimension | None:
    if a is not None and b is not None and a != b:
        shown = _LIKE[name].format(describe_dimension(a), describe_dimension(b))
        raise FormulaError(f"two different things in {shown}", "quantities of one dimension")
    return b if a is None else a


def _scaled(a: Dimension | None, b: Dimension | None, power: int | Fraction) -> Dimension | None:
    """Return the dimension of ``a * b^power``."""
    if a is None or b is None:
        return None
    kg, m, s, ampere, kelvin = (x + power * y for x, y in zip(a, b, strict=True))
    return (kg, m, s, ampere, kelvin)  # type: ignore[return-value]  # fractions of sqrt


def _power(base: Node, exponent: Node) -> Dimension | None:
    _require_pure(dimension_of(exponent), "the exponent")
    dimension = dimension_of(base)
    if dimension is None or dimension == PURE:
        return dimension
    sign, number = 1, exponent
    if isinstance(exponent, Call) and exponent.name == "neg":
        sign, number = -1, exponent.arguments[0]
    if not isinstance(number, Number):
        what = f"a changing power of {describe_dimension(dimension)}"
        raise FormulaError(what, "a number as the exponent, or a pure number as the base")
    return _scaled(PURE, dimension, Fraction(sign * number.number).limit_denominator(1000))
