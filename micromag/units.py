"""Quantities as text: ``"15 pJ/m"`` to an SI number, checked for dimension.

The run file needs few units, read fast and exactly: the arithmetic is rational, so that ``"3 nm"``
is the float nearest to 3e-9 (3 * 1e-9 is not), and nothing heavy is imported.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from typing import NamedTuple

from micromag.constants import MU_0

Dimension = tuple[int, int, int, int, int]
"""Exponents of kg, m, s, A, K."""

_BASE_NAMES = ("kg", "m", "s", "A", "K")
_NONE: Dimension = (0, 0, 0, 0, 0)


class UnitError(ValueError):
    """A text is no quantity, its unit is unknown, or its dimension is not the one needed."""


class Unit(NamedTuple):
    """A unit: its size in SI and its dimension."""

    scale: Fraction
    dimension: Dimension


_TESLA: Dimension = (1, 0, -2, -1, 0)
_FIELD_STRENGTH: Dimension = (0, -1, 0, 1, 0)

# name: (size in SI, exponents of kg m s A K, takes SI prefixes)
_UNITS: dict[str, tuple[str, Dimension, bool]] = {
    "1": ("1", _NONE, False),
    "%": ("0.01", _NONE, False),
    "rad": ("1", _NONE, True),
    "deg": ("0.017453292519943295769", _NONE, False),
    "g": ("1e-3", (1, 0, 0, 0, 0), True),
    "m": ("1", (0, 1, 0, 0, 0), True),
    "s": ("1", (0, 0, 1, 0, 0), True),
    "A": ("1", (0, 0, 0, 1, 0), True),
    "K": ("1", (0, 0, 0, 0, 1), True),
    "Hz": ("1", (0, 0, -1, 0, 0), True),
    "N": ("1", (1, 1, -2, 0, 0), True),
    "Pa": ("1", (1, -1, -2, 0, 0), True),
    "J": ("1", (1, 2, -2, 0, 0), True),
    "W": ("1", (1, 2, -3, 0, 0), True),
    "C": ("1", (0, 0, 1, 1, 0), True),
    "V": ("1", (1, 2, -3, -1, 0), True),
    "F": ("1", (-1, -2, 4, 2, 0), True),
    "Ohm": ("1", (1, 2, -3, -2, 0), True),
    "S": ("1", (-1, -2, 3, 2, 0), True),
    "Wb": ("1", (1, 2, -2, -1, 0), True),
    "T": ("1", _TESLA, True),
    "H": ("1", (1, 2, -2, -2, 0), True),
    "eV": ("1.602176634e-19", (1, 2, -2, 0, 0), True),
    "Angstrom": ("1e-10", (0, 1, 0, 0, 0), False),
    "cc": ("1e-6", (0, 3, 0, 0, 0), False),
    "erg": ("1e-7", (1, 2, -2, 0, 0), True),
    "emu": ("1e-3", (0, 2, 0, 1, 0), True),
    # As the fields that people mean: 1 Oe and 1 G are 0.1 mT.
    "Oe": ("1e-4", _TESLA, True),
    "G": ("1e-4", _TESLA, True),
}
_ALIASES = {
    "ohm": "Ohm",
    "\u03a9": "Ohm",  # Greek capital omega
    "\u2126": "Ohm",  # ohm sign
    "\u00c5": "Angstrom",  # A with ring
    "\u212b": "Angstrom",  # angstrom sign
    "\u00b0": "deg",
}
_SPELT_OUT = {
    "oersted": "Oe", "gauss": "G", "tesla": "T", "meter": "m", "metre": "m", "second": "s",
    "joule": "J", "ampere": "A", "kelvin": "K", "hertz": "Hz", "degree": "deg", "degrees": "deg",
}  # fmt: skip
_PREFIXES = {
    "a": -18, "f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "c": -2, "d": -1,
    "k": 3, "M": 6, "G": 9, "T": 12, "P": 15,
}  # fmt: skip
_REPLACEMENTS = str.maketrans(
    {
        "\u00b5": "u",  # micro sign
        "\u03bc": "u",  # Greek mu
        "\u00b7": " ",
        "\u00d7": " ",
        "\u00b2": "^2",
        "\u00b3": "^3",
        "\u207b": "^-",
        "\u00b9": "1",
    }
)

_NAMES = {
    "1": "a pure number",
    "m": "a length",
    "m^2": "an area",
    "m^3": "a volume",
    "s": "a time",
    "Hz": "a frequency",
    "m/s": "a velocity",
    "K": "a temperature",
    "A": "a current",
    "A/m": "a magnetization or field strength",
    "A/m^2": "a current density",
    "T": "a magnetic field",
    "J": "an energy",
    "J/m": "an energy per length",
    "J/m^2": "an energy per area",
    "J/m^3": "an energy density",
    "V": "a voltage",
    "V/m": "an electric field",
    "Ohm": "a resistance",
    "Ohm m": "a resistivity",
    "rad/(s T)": "a gyromagnetic ratio",
}

_NUMBER = re.compile(
    r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)(?![\d.,])\s*(.*?)\s*", re.DOTALL
)
_TOKEN = re.compile(
    r"\s*(?:(?P<name>[^\W\d_]+|%|°|1(?![\d.]))|(?P<op>\*\*|[*/^()])|(?P<int>-?\d+))"
)


def parse(text: str) -> tuple[float, Unit | None]:
    """Return the SI value of ``text`` and its unit, None where it has none; raises UnitError."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise UnitError(f"{text!r} is not a number with a unit")
    number, unit_text = match.groups()
    if not unit_text:
        return float(number), None
    unit = parse_unit(unit_text)
    return _to_float(Fraction(number) * unit.scale), unit


def to_si(text: str, unit: str) -> float:
    """Return ``text`` in the SI unit ``unit``.

    A field strength (A/m) is converted by mu0 where a field in T is needed. A text without a unit
    is taken where a pure number is needed, and nowhere else.

    Raises
    ------
    UnitError
        If the text is no quantity or has another dimension; the message names both.
    """
    wanted = parse_unit(unit).dimension
    value, given = parse(text)
    if given is None:
        if wanted == _NONE:
            return value
        raise UnitError(f"{text!r} has no unit, but {describe(unit)} is needed")
    if given.dimension == wanted:
        return value
    if wanted == _TESLA and given.dimension == _FIELD_STRENGTH:
        return value * MU_0
    raise UnitError(f"{text!r} is {_describe(given.dimension)}, but {describe(unit)} is needed")


@cache
def parse_unit(text: str) -> Unit:
    """Return the size and dimension of a unit such as ``"MJ/m^3"`` or ``"rad/(s T)"``."""
    tokens: list[tuple[str, str]] = []
    position = 0
    plain = text.translate(_REPLACEMENTS).strip()
    while position < len(plain):
        match = _TOKEN.match(plain, position)
        if match is None or match.lastgroup is None:
            raise UnitError(f"cannot read the unit {text!r}")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    unit, rest = _product(tokens, text)
    if rest:
        raise UnitError(f"cannot read the unit {text!r}")
    return unit


def describe(unit: str) -> str:
    """Return what a unit measures, e.g. ``"a length (m)"``."""
    return _describe(parse_unit(unit).dimension, unit)


def describe_dimension(dimension: Dimension) -> str:
    """Return what a quantity of a dimension is, e.g. ``"a length (m)"``."""
    return _describe(dimension)


@cache
def _describe(dimension: Dimension, unit: str | None = None) -> str:
    for text, name in _NAMES.items():
        if parse_unit(text).dimension == dimension:
            return name if text == "1" else f"{name} ({unit or text})"
    return f"a quantity in {unit or _base_text(dimension)}"


def _base_text(dimension: Dimension) -> str:
    powers = zip(_BASE_NAMES, dimension, strict=True)
    return " ".join(name if p == 1 else f"{name}^{p}" for name, p in powers if p)


def _to_float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        raise UnitError("the number is too large") from None


def _product(tokens: list[tuple[str, str]], text: str) -> tuple[Unit, list[tuple[str, str]]]:
    """Read factors joined by a blank, ``*`` or ``/``, from left to right."""
    unit, tokens = _factor(tokens, text)
    while tokens and tokens[0] != ("op", ")"):
        sign = 1
        if tokens[0][1] in ("*", "/"):
            sign = -1 if tokens[0][1] == "/" else 1
            tokens = tokens[1:]
        factor, tokens = _factor(tokens, text)
        unit = _times(unit, factor, sign)
    return unit, tokens


def _factor(tokens: list[tuple[str, str]], text: str) -> tuple[Unit, list[tuple[str, str]]]:
    if not tokens:
        raise UnitError(f"cannot read the unit {text!r}")
    (kind, token), tokens = tokens[0], tokens[1:]
    if token == "(":
        unit, tokens = _product(tokens, text)
        if not tokens:
            raise UnitError(f"a bracket is open in the unit {text!r}")
        tokens = tokens[1:]
    elif kind == "name":
        unit = _lookup(token)
    else:
        raise UnitError(f"cannot read the unit {text!r}")
    if tokens and tokens[0][1] in ("^", "**"):
        tokens = tokens[1:]
        if not tokens or tokens[0][0] not in ("int", "name") or not _is_integer(tokens[0][1]):
            raise UnitError(f"a whole exponent is needed in the unit {text!r}")
    if tokens and _is_integer(tokens[0][1]):
        power = int(tokens[0][1])
        if not -9 <= power <= 9:
            raise UnitError(f"the exponent {power} in the unit {text!r} is too large")
        unit = _times(Unit(Fraction(1), _NONE), unit, power)
        tokens = tokens[1:]
    return unit, tokens


def _is_integer(token: str) -> bool:
    return token.lstrip("-").isdigit()


def _times(left: Unit, right: Unit, power: int) -> Unit:
    kg, m, s, a, k = (x + power * y for x, y in zip(left.dimension, right.dimension, strict=True))
    return Unit(left.scale * right.scale**power, (kg, m, s, a, k))


def _with_slash(name: str) -> str:
    """Return ``pJ/m`` for ``pJm``: a known quantity in which a slash was forgotten; "" if none is."""
    for end in range(1, len(name)):
        numerator, denominator = name[:end], name[end:]
        if _is_known(numerator) and denominator in _UNITS:
            quotient = _times(_lookup(numerator), _lookup(denominator), -1)
            if any(parse_unit(text).dimension == quotient.dimension != _NONE for text in _NAMES):
                return f"{numerator}/{denominator}"
    return ""


def _is_known(name: str) -> bool:
    stem = name[1:]
    return name in _UNITS or (name[0] in _PREFIXES and stem in _UNITS and _UNITS[stem][2])


def _lookup(name: str) -> Unit:
    name = _ALIASES.get(name, name)
    if name in _UNITS:
        scale, dimension, _ = _UNITS[name]
        return Unit(Fraction(scale), dimension)
    prefix, stem = name[:1], _ALIASES.get(name[1:], name[1:])
    if prefix in _PREFIXES and stem in _UNITS and _UNITS[stem][2]:
        scale, dimension, _ = _UNITS[stem]
        return Unit(Fraction(scale) * Fraction(10) ** _PREFIXES[prefix], dimension)
    from micromag.suggest import did_you_mean  # only on the way to an error

    near = _with_slash(name) or _SPELT_OUT.get(name.lower())
    if near:
        raise UnitError(f"unknown unit {name!r}; did you mean {near!r}?")
    common = [*_UNITS, *(p + u for u in ("m", "s", "A", "J", "T", "Hz", "Oe") for p in _PREFIXES)]
    raise UnitError(f"unknown unit {name!r}{did_you_mean(name, common)}")
