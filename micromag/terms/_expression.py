"""C expressions of the run file: checked, and rewritten as text of a kernel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

MAX_LENGTH = 4000
"""Longest expression, in characters."""

_TOKEN = re.compile(
    r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fF]?)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<op><=|>=|==|!=|&&|\|\||[-+*/%<>!?:,.()])",
    re.ASCII,
)
_HINTS = {
    "^": "a power is pow(a, b)",
    "=": "two values are compared with ==; an expression assigns nothing",
    "&": "and is &&",
    "|": "or is ||",
    ";": "one expression, not several statements",
    "{": "a vector is vec(x, y, z); there are no blocks",
    "}": "a vector is vec(x, y, z); there are no blocks",
    "[": "a vector is vec(x, y, z), and its components are .x, .y, .z",
    "]": "a vector is vec(x, y, z), and its components are .x, .y, .z",
}
SITE = {"m": "s.m", "Ms": "s.Ms", "inv_Ms": "s.inv_Ms", "gamma": "s.gamma"}
"""What an expression may call by a name of its own."""
POSITION = ("x", "y", "z")
"""Names of the coordinates of a cell's centre."""
CONSTANTS = {"pi": "3.14159265358979323846"}
ALIASES = {"abs": "fabs", "min": "fmin", "max": "fmax"}
"""Functions that C has for whole numbers alone, or not at all."""
_SITE_MEMBERS = ("m", "xm", "xp", "ym", "yp", "zm", "zp", "Ms", "inv_Ms", "gamma",
                 "inv_dx", "inv_dy", "inv_dz")  # fmt: skip
_FUNCTIONS = ("vec", "dot", "cross", "norm", "sin", "cos", "tan", "asin", "acos", "atan", "atan2",
              "sinh", "cosh", "tanh", "exp", "log", "sqrt", "pow", "abs", "min", "max", "floor",
              "ceil", "fmod", "real")  # fmt: skip
_C_WORDS = (
    "alignas alignof asm auto bool break case catch char class const continue default delete do double "
    "else enum explicit export extern false float for friend goto if inline int long mutable namespace "
    "new operator private protected public register return short signed sizeof static struct switch "
    "template this throw true try typedef typename union unsigned using virtual void volatile while V p "
    "energy"
)
RESERVED = frozenset(
    [*SITE, *ALIASES, *POSITION, *CONSTANTS, *_FUNCTIONS, *_C_WORDS.split(), "s", "B"]
)
"""Names that no parameter may have."""


class ExpressionError(ValueError):
    """A text is no expression; ``allowed`` says what is."""

    def __init__(self, what: str, allowed: str = "") -> None:
        super().__init__(what)
        self.allowed = allowed


@dataclass(frozen=True)
class Expression:
    """An expression, written for the kernel.

    Attributes
    ----------
    given
        As in the run file.
    text
        As in the kernel, on one line.
    names
        Names in it that are no members: parameters, coordinates, functions.
    columns
        For every character of ``text`` the place in ``given`` that it comes from.
    """

    given: str
    text: str
    names: frozenset[str]
    columns: tuple[int, ...]


def read_expression(given: str, parameters: Mapping[str, str]) -> Expression:
    """Return a C expression as the kernel has it.

    Numbers get the precision of the run, so that 1/2 is a half, and names of parameters become members
    of the term's struct. All else is left to the compiler; what it could not report at the right
    place, or what would reach beyond the expression, is refused here.

    Parameters
    ----------
    given
        The text.
    parameters
        C text of the parameters by name.

    Raises
    ------
    ExpressionError
        With what is wrong and at which character.
    """
    if not given.strip():
        raise ExpressionError("the expression is empty", "a C expression such as -K * m.z * m.z")
    if len(given) > MAX_LENGTH:
        raise ExpressionError(f"the expression has {len(given)} characters", f"up to {MAX_LENGTH}")
    names = {**SITE, **ALIASES, **{k: f"real({v})" for k, v in CONSTANTS.items()}, **parameters}
    pieces: list[str] = []
    columns: list[int] = []
    found: set[str] = set()
    before = ""
    for kind, token, place in _tokens(given):
        text = token
        if kind == "blank":
            pieces.append(" ")
            columns.append(place)
            continue
        if kind in ("number", "name") and before in ("number", "name", ")"):
            allowed = "units belong to parameters: K: 3 kJ/m^3" if before == "number" else ""
            raise _error(given, place, f"an operator is missing before {token!r}", allowed)
        if kind == "number":
            text = f"real({token.rstrip('fF')})"
        elif kind == "name" and before != ".":
            found.add(token)
            text = names.get(token, token)
        pieces.append(text)
        columns += [place] * len(text)
        before = token if kind == "op" else kind
    return Expression(given, "".join(pieces), frozenset(found), tuple(columns))


def _tokens(given: str) -> list[tuple[str, str, int]]:
    """Return kind, text and place of all words, numbers, signs and blanks."""
    found: list[tuple[str, str, int]] = []
    position, brackets = 0, []  # type: int, list[int]
    while position < len(given):
        if given[position].isspace():
            found.append(("blank", " ", position))
            position += 1
            continue
        if given.startswith(("//", "/*"), position):
            raise _error(given, position, "a comment", "comments of YAML, after #")
        if given.startswith(("++", "--", "<<", ">>"), position):
            raise _error(given, position, f"unexpected {given[position : position + 2]!r}")
        match = _TOKEN.match(given, position)
        if match is None or match.lastgroup is None:
            sign = given[position]
            raise _error(given, position, f"unexpected {sign!r}", _HINTS.get(sign, ""))
        token = match.group()
        if token == "(":
            brackets.append(position)
        elif token == ")":
            if not brackets:
                raise _error(given, position, "a bracket is closed that was not opened")
            brackets.pop()
        found.append((match.lastgroup, token, position))
        position = match.end()
    if brackets:
        raise _error(given, brackets[-1], "a bracket is not closed")
    return found


def _error(given: str, place: int, what: str, allowed: str = "") -> ExpressionError:
    shown = given if len(given) <= 120 else f"{given[:120]}..."
    return ExpressionError(f"{what} at character {place + 1} of {shown!r}", allowed)


def check_name(name: str) -> None:
    """Raise ExpressionError unless a parameter may be called ``name``."""
    if not re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII) or "__" in name:
        raise ExpressionError(
            f"{name!r} is no name for a parameter", "letters, digits and single _, a letter first"
        )
    if name in RESERVED:
        raise ExpressionError(
            f"{name!r} means something else in an expression", "another name for the parameter"
        )


def vocabulary(parameters: Mapping[str, object]) -> str:
    """Return the names that expressions know."""
    neighbours = ", ".join(f"s.{name}" for name in _SITE_MEMBERS[1:7])
    return (
        f"{', '.join([*parameters, *SITE, *POSITION, *CONSTANTS])}, {neighbours}, s.inv_dx, s.inv_dy, "
        f"s.inv_dz, B (in energy_density), {', '.join(_FUNCTIONS)}"
    )
