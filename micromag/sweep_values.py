"""The values of a swept key: ranges, and columns of files.

Ranges are computed in rational arithmetic: the third of three values from 0.1 to 0.3 is the float
that ``0.3`` is, in whatever unit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

from micromag.input_file import UNREADABLE, resolve_input
from micromag.parameters import Collector, custom_error, name_of
from micromag.suggest import did_you_mean
from micromag.units import UnitError, parse, parse_unit

RANGE_KEYS = ("from", "to", "count", "step", "scale")
FILE_KEYS = ("file", "column", "unit")
FORMS = (
    "[value, ...], {from, to, count, scale: log}, {from, to, step}, {from, step, count}, "
    "{file: ..., column: ...}"
)
"""Every form of the values of a swept key."""

_DIGITS = Context(prec=40)
_QUANTITY = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*", re.DOTALL)
_INTEGER = re.compile(r"[+-]?\d{1,300}")
_HEADING = re.compile(r"(.*?)\s*(?:\(([^()]*(?:\([^()]*\)[^()]*)*)\)|\[([^\]]*)\])\s*")
Number = int | float | str
"""A value as the run file would have it: a number in SI, or a text with a unit."""


@dataclass(frozen=True)
class _End:
    """A number of a range with the unit that it was given in."""

    number: Fraction
    unit: str
    whole: bool

    def in_unit(self, unit: str) -> Fraction:
        """Return the number in another unit; raises UnitError where that cannot be."""
        if self.unit == unit or (self.number == 0 and not self.unit):
            return self.number
        if not self.unit or not unit:
            raise UnitError(f"{self.unit or unit!r} beside a number without a unit")
        mine, other = parse_unit(self.unit), parse_unit(unit)
        if mine.dimension != other.dimension:
            raise UnitError(f"the units {self.unit!r} and {unit!r} do not go together")
        return self.number * mine.scale / other.scale


# -------------------------------------------------------------------- ranges


def read_range(body: Mapping[str, Any], most: int) -> list[Number]:
    """Return the values of ``{from, to, count}``, ``{from, to, step}`` or ``{from, step, count}``.

    Parameters
    ----------
    body
        Its keys; ``scale: log`` makes the ratio of neighbours the same instead of the difference.
    most
        Largest number of values.

    Raises
    ------
    PydanticCustomError, pydantic.ValidationError
        With what is wrong.
    """
    collect = Collector()
    ends = {
        key: collect.run((key,), _end, body[key], None)
        for key in ("from", "to", "step")
        if key in body
    }
    count = collect.run(("count",), lambda data: _count(data, most), body.get("count"), None)
    scale = body.get("scale", "linear")
    if scale not in ("linear", "log"):
        near = did_you_mean(str(scale), ("linear", "log"))
        what = f"unknown scale {name_of(scale)}{near}"
        collect.add(("scale",), custom_error("scale", what, "linear, log"), scale)
    collect.raise_if_any()
    if "from" not in ends or len({"to", "step", "count"} & set(body)) != 2:
        raise custom_error("range", _no_range(body), FORMS)
    unit = next((end.unit for end in ends.values() if end.unit), "")
    try:
        numbers = {key: end.in_unit(unit) for key, end in ends.items()}
    except UnitError as error:
        what = f"{error}: give from, to and step in units of one kind"
        raise custom_error("range", what) from None
    whole = not unit and all(end.whole for end in ends.values())
    spread = _logarithmic if scale == "log" else _linear
    values = spread(numbers, count, most)
    return [_text(value, unit, whole) for value in values]


def _no_range(body: Mapping[str, Any]) -> str:
    """Return what is missing of a range, or that it has too much."""
    if len({"to", "step", "count"} & set(body)) > 2:
        return f"{', '.join(body)} are too many for a range: leave out step or count"
    missing = [key for key in ("from", "to") if key not in body]
    if "count" not in body and "step" not in body:
        missing.append("count or step")
    if "step" in body and "count" in body:
        missing.remove("to")
    verb = "is" if len(missing) == 1 else "are"
    return f"{' and '.join(missing)} {verb} missing"


def _linear(ends: Mapping[str, Fraction], count: int | None, most: int) -> list[Fraction]:
    start, end, step = ends["from"], ends.get("to"), ends.get("step")
    if step == 0:
        raise custom_error("range", "the step is 0", "a step towards the end")
    if end is None or step is None:
        assert count is not None
        if end is None:
            assert step is not None
            return [start + i * step for i in range(count)]
        _check_ends(start, end, count)
        return [start + (end - start) * i / max(count - 1, 1) for i in range(count)]
    intervals = (end - start) / step
    if intervals < 0:
        raise custom_error("range", "the range is empty: the step leads away from its end")
    if intervals >= most:
        what = f"the step is so short that there are {float(intervals):.3g} values"
        raise custom_error("range", what, f"at most {most}")
    return [start + i * step for i in range(math.floor(intervals) + 1)]


def short_of_end(body: Mapping[str, Any]) -> tuple[Number, Number] | None:
    """Return the last value of a valid range and its end, if its steps do not come to the end."""
    if not {"from", "to", "step"} <= set(body):
        return None
    ends = {key: _end(body[key]) for key in ("from", "to", "step")}
    unit = next((end.unit for end in ends.values() if end.unit), "")
    start, end, step = (ends[key].in_unit(unit) for key in ("from", "to", "step"))
    if ((end - start) / step).denominator == 1:
        return None
    return _text(start + (end - start) // step * step, unit, False), _text(end, unit, False)


def _logarithmic(ends: Mapping[str, Fraction], count: int | None, most: int) -> list[Fraction]:
    start, end = ends["from"], ends.get("to")
    if end is None or count is None:
        raise custom_error("range", "a logarithmic range has no step", "from, to, count")
    if start * end <= 0:
        what = "a logarithmic range cannot touch or cross 0"
        raise custom_error("range", what, "from and to of the same sign, both not 0")
    _check_ends(start, end, count)
    first = _DIGITS.ln(_decimal(abs(start)))
    span = _DIGITS.subtract(_DIGITS.ln(_decimal(abs(end))), first)
    sign = 1 if start > 0 else -1
    inner = []
    for i in range(1, count - 1):
        share = _DIGITS.divide(_DIGITS.multiply(span, Decimal(i)), Decimal(count - 1))
        value = Fraction(_DIGITS.exp(_DIGITS.add(first, share)))
        # The digits beyond those of the arithmetic are noise that would hide a round number.
        inner.append(sign * Fraction(f"{Context(prec=30).create_decimal(_decimal(value))}"))
    return [start, *inner, *([end] if count > 1 else [])]


def _check_ends(start: Fraction, end: Fraction, count: int) -> None:
    if start == end and count > 1:
        raise custom_error("range", f"from and to are equal: {count} times the same value")
    if count == 1 and start != end:
        what = "the one value of a range with count: 1 would be either of its ends"
        raise custom_error("range", what, "a list of one value: [value]")


def _end(data: Any) -> _End:
    if isinstance(data, bool) or not isinstance(data, (int, float, str)):
        raise custom_error("range", f"{name_of(data)} is not a number", "a number with its unit")
    if isinstance(data, str):
        match = _QUANTITY.fullmatch(data)
        try:
            parse(data)
        except UnitError as error:
            raise custom_error("range", str(error), "a number with its unit") from None
        assert match is not None
        return _End(Fraction(match[1]), match[2], False)
    if (isinstance(data, float) and not math.isfinite(data)) or abs(data) > 1e308:
        raise custom_error("range", f"{data!r} is not a finite number", "a number with its unit")
    return _End(Fraction(repr(data)), "", isinstance(data, int))


def _count(data: Any, most: int) -> int | None:
    if data is None:
        return None
    if isinstance(data, bool) or not isinstance(data, int):
        raise custom_error("range", f"{name_of(data)} is not a whole number", "1, 2, 3, ...")
    if not 1 <= data <= most:
        raise custom_error("range", f"{data} is out of range", f"1 to {most}")
    return data


def _text(value: Fraction, unit: str, whole: bool) -> Number:
    """Return a value as the run file would have it."""
    if not unit:
        return int(value) if whole and value.denominator == 1 else float(value)
    near = f"{float(value):.12g}"
    exact = (
        near if Fraction(near) == value else f"{Context(prec=25).create_decimal(_decimal(value))}"
    )
    return f"{exact} {unit}"


def _decimal(value: Fraction) -> Decimal:
    return _DIGITS.divide(Decimal(value.numerator), Decimal(value.denominator))


# -------------------------------------------------------------------- files


def read_column(
    body: Mapping[str, Any], info: ValidationInfo
) -> tuple[str, list[tuple[int, Number]]]:
    """Return the name of a file, and the values of a column with the numbers of their lines.

    Parameters
    ----------
    body
        ``file``, a text of one number per line, or of columns separated by commas, semicolons, tabs
        or blanks; ``column``, a name in its first line; ``unit``, unless the name has it in brackets.
    info
        Says where the file is looked for.

    Raises
    ------
    PydanticCustomError, pydantic.ValidationError
        With what is wrong; of the type ``UNREADABLE`` for what is wrong within the file.
    """
    collect = Collector()
    path = collect.run(("file",), lambda data: resolve_input(data, info), body["file"], None)
    unit = collect.run(("unit",), _unit, body.get("unit"), None)
    collect.raise_if_any()
    try:
        header, rows = _read_rows(path)
        index, heading_unit = _choose(path, header, rows, body.get("column"))
    except PydanticCustomError as error:
        collect.add(("column" if error.type == "column" else "file",), error, body)
        collect.raise_if_any()
        raise
    if unit and heading_unit and unit != heading_unit:
        what = f"the unit is {heading_unit!r} in the file and {unit!r} here"
        collect.add(("unit",), custom_error("unit", what, "one of the two"), unit)
        collect.raise_if_any()
    values = []
    for number, cells in rows:
        cell = cells[index] if index < len(cells) else ""
        try:
            values.append((number, _cell(path, number, cell, unit or heading_unit)))
        except PydanticCustomError as error:
            collect.add(("file",), error, body)
            collect.raise_if_any()
    return path.name, values


def _unit(data: Any) -> str:
    if data is None or data == "":
        return ""
    if not isinstance(data, str):
        raise custom_error("unit", f"{name_of(data)} is not a unit", "a unit such as mT")
    try:
        parse_unit(data)
    except UnitError as error:
        raise custom_error("unit", str(error), "a unit such as mT") from None
    return data.strip()


def _read_rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the cells of the heading, if there is one, and of the lines by their numbers."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise custom_error(UNREADABLE, f"{path} is not a readable text file: {error}") from None
    lines = [(n, line.partition("#")[0].strip()) for n, line in enumerate(text.splitlines(), 1)]
    lines = [(number, line) for number, line in lines if line]
    if not lines:
        raise custom_error(UNREADABLE, f"{path} holds no numbers", "one number per line")
    separator = next((s for s in ",;\t" if any(s in line for _, line in lines)), None)
    rows = [(number, _split(line, separator)) for number, line in lines]
    if any(_is_value(cell) for cell in rows[0][1]) or len(rows) == 1:
        return [], rows
    header, rows = rows[0][1], rows[1:]
    return [lines[0][1]] if len(rows[0][1]) == 1 and separator is None else header, rows


def _split(line: str, separator: str | None) -> list[str]:
    if separator is None and _is_value(line):
        return [line]  # also a number with a unit
    return [cell.strip().strip("\"'") for cell in line.split(separator)]


def _is_value(cell: str) -> bool:
    try:
        parse(cell)
    except UnitError:
        return False
    return True


def _choose(
    path: Path, header: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]], column: Any
) -> tuple[int, str]:
    """Return the index and the unit of a column."""
    names, units = zip(*map(_heading, header), strict=True) if header else ((), ())
    if column is None:
        if max(len(cells) for _, cells in rows) > 1:
            what = f"{path.name} has several columns: which one?"
            raise custom_error("file", what, f"column: {' or '.join(names) or 'name'}")
        column = names[0] if names else None
    elif column not in names:
        near = did_you_mean(str(column), names)
        what = f"{path.name} has no column {name_of(column)}{near}"
        raise custom_error("column", what, ", ".join(names) or "a first line with names")
    if column is None:
        return 0, ""
    index = names.index(column)
    try:
        return index, _unit(units[index])
    except PydanticCustomError as error:
        raise custom_error(UNREADABLE, f"{path.name}: {error.message()}") from None


def _heading(cell: str) -> tuple[str, str]:
    """Return name and unit of ``J (A/m^2)`` or ``J [A/m^2]``."""
    match = _HEADING.fullmatch(cell)
    return (match[1], match[2] or match[3] or "") if match else (cell, "")


def _cell(path: Path, number: int, cell: str, unit: str) -> Number:
    text = f"{cell} {unit}".strip()
    try:
        value, found = parse(text)
    except UnitError as error:
        what = f"line {number} of {path}: {error}"
        raise custom_error(UNREADABLE, what, "a number, or one with a unit") from None
    if found is not None:
        return text
    return int(cell) if _INTEGER.fullmatch(cell) else value
