"""The section ``sweep`` of the run file: axes of values, and what may be wrong with them.

Whether a value suits its key is found where the points are made: see `micromag.sweep_points`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import core_schema

from micromag.parameters import Collector, custom_error, name_of
from micromag.run_text import PathError, split_path
from micromag.suggest import did_you_mean
from micromag.sweep_values import FILE_KEYS, FORMS, RANGE_KEYS, read_column, read_range
from micromag.yaml_source import Loc

MAX_POINTS = 1_000_000
"""A sweep with more replicas than this is a mistake."""
ZIP, POINTS = "zip", "points"
_REFUSED = {
    "sweep": "a sweep has no sweep within",
    "analysis": "an analysis is made of the sweep as a whole",
    "extends": "every replica comes from this one file",
    "title": "a title says nothing of a run",
}


@dataclass(frozen=True)
class Given:
    """One value of one key.

    Attributes
    ----------
    value
        As of ``--set``: number, text with a unit, list, mapping.
    loc
        Where it stands within the section.
    origin
        Which one it is, in words; empty where ``loc`` says it.
    """

    value: Any
    loc: Loc
    origin: str = ""


@dataclass(frozen=True)
class SweptAxis:
    """One axis as the run file gives it.

    Attributes
    ----------
    name
        The key; ``zip``, ``zip_2``, ... or ``points`` where several keys go together.
    rows
        For every position the values by key path.
    labels
        Names of the positions, None where they have none.
    """

    name: str
    rows: tuple[Mapping[str, Given], ...]
    labels: tuple[str, ...] | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that any position sets."""
        return tuple(dict.fromkeys(key for row in self.rows for key in row))


@dataclass(frozen=True, eq=False)
class Sweep:
    """The axes of a sweep in the order of the run file; the last one varies fastest.

    Every combination of their positions is one replica. Any key path of the run file may be swept,
    elements of lists included, except ``output.directory``, ``title`` and ``analysis``; values are
    read as ``--set`` reads them.

    ==============  ==============================================================================
    key             value
    ==============  ==============================================================================
    ``key.path``    ``[value, ...]``; ``{from, to, count}``, ``{from, to, step}`` (to the last value
                    that is not beyond ``to``) or ``{from, step, count}``; ``{from, to, count,
                    scale: log}``; ``{file, column, unit}``
    ``zip``         ``{key.path: values, ...}`` of equal length, which go together: one axis; a list
                    of such mappings gives several
    ``points``      ``{name: {key.path: value, ...}, ...}``: one axis; a key that a point leaves out
                    has its value of the rest of the file
    ==============  ==============================================================================

    The seed is that of the run file for all replicas, unless ``seed`` is swept: replicas then draw
    the same random numbers and differ in nothing but what is swept.
    """

    axes: tuple[SweptAxis, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Positions along every axis."""
        return tuple(len(axis.rows) for axis in self.axes)

    @property
    def count(self) -> int:
        """Number of replicas."""
        return math.prod(self.shape)

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that is swept."""
        return tuple(key for axis in self.axes for key in axis.keys)

    def dump(self) -> dict[str, Any]:
        """Return the section with every value written out, which reads back as an equal sweep."""
        data: dict[str, Any] = {}
        zips = [axis for axis in self.axes if _is_zip(axis)]
        for axis in self.axes:
            if axis.labels is not None:
                rows = zip(axis.labels, axis.rows, strict=True)
                data[POINTS] = {
                    label: {key: given.value for key, given in row.items()} for label, row in rows
                }
            elif _is_zip(axis):
                columns = [_columns(one) for one in zips]
                data[ZIP] = columns[0] if len(columns) == 1 else columns
            else:
                data |= _columns(axis)
        return data

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sweep):
            return NotImplemented
        mine, theirs = self.dump(), other.dump()
        return list(mine) == list(theirs) and mine == theirs  # the order of the axes counts

    __hash__ = None  # type: ignore[assignment]


def read_sweep(data: Any, info: ValidationInfo) -> Sweep | None:
    """Return the sweep of a section, None for an empty one.

    Raises
    ------
    PydanticCustomError, pydantic.ValidationError
        With everything that is wrong, at its place within the section.
    """
    if data is None or isinstance(data, Sweep):
        return data
    if not isinstance(data, Mapping):
        allowed = "key.path: [values], zip: {...}, points: {...}"
        raise custom_error("sweep", f"a sweep is a mapping, not {name_of(data)}", allowed)
    if not data:
        return None
    collect, axes = Collector(), []
    for key, body in data.items():
        if key == ZIP:
            axes += _zips(body, info, collect)
        elif key == POINTS:
            axes += collect.run((key,), _points, body, [])
        else:

            def read(body: Any, key: str = key) -> list[SweptAxis]:
                return _one(key, body, info)

            axes += collect.run((key,), read, body, [])
    _check_distinct(axes, collect)
    collect.raise_if_any()
    sweep = Sweep(tuple(axes))
    if sweep.count > MAX_POINTS:
        factors = " x ".join(map(str, sweep.shape))
        what = f"{factors} = {sweep.count} replicas are too many"
        raise custom_error("sweep", what, f"at most {MAX_POINTS}")
    return sweep


def _one(key: str, body: Any, info: ValidationInfo) -> list[SweptAxis]:
    """Return the axis of a key."""
    _check_key(key)
    rows = tuple({key: given} for given in _values(body, (key,), info))
    return [SweptAxis(key, rows)]


def _zips(body: Any, info: ValidationInfo, collect: Collector) -> list[SweptAxis]:
    """Return an axis for every mapping whose keys go together."""
    many = isinstance(body, (list, tuple))
    if many and not body:
        collect.add((ZIP,), custom_error("zip", "an empty list", "{key: values, ...}"), body)
    axes = []
    for i, item in enumerate(body if many else [body]):
        loc: Loc = (ZIP, i) if many else (ZIP,)
        name = ZIP if i == 0 else f"{ZIP}_{i + 1}"

        def read(item: Any, loc: Loc = loc, name: str = name) -> list[SweptAxis]:
            return [_zip(name, item, loc, info)]

        axes += collect.run(loc, read, item, [])
    return axes


def _zip(name: str, body: Any, loc: Loc, info: ValidationInfo) -> SweptAxis:
    if not isinstance(body, Mapping) or not body:
        what = f"keys that go together are a mapping, not {name_of(body) if body else 'empty'}"
        raise custom_error("zip", what, "{key: values, key: values}")
    collect, columns = Collector(), {}
    for key, item in body.items():

        def read(item: Any, key: str = key) -> list[Given]:
            _check_key(key)
            return _values(item, (*loc, key), info)

        columns[key] = collect.run((key,), read, item, None)
    collect.raise_if_any()
    lengths = {key: len(values) for key, values in columns.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{key}: {length}" for key, length in lengths.items())
        what = f"the keys do not have equally many values ({found})"
        raise custom_error("zip", what, "as many values of each key")
    rows = zip(*columns.values(), strict=True)
    return SweptAxis(name, tuple(dict(zip(columns, row, strict=True)) for row in rows))


def _points(body: Any) -> list[SweptAxis]:
    """Return the axis of named points."""
    if not isinstance(body, Mapping) or not body:
        what = f"named points are a mapping, not {name_of(body) if body else 'empty'}"
        raise custom_error("points", what, "{name: {key: value, ...}, ...}")
    collect, rows = Collector(), []
    for name, point in body.items():
        if not isinstance(point, Mapping):
            what = f"the point {name!r} is a mapping of keys to values, not {name_of(point)}"
            collect.add((name,), custom_error("points", what, "{key: value, ...}"), point)
            continue
        for key in point:
            collect.run((name, key), _check_key, key, None)
        rows.append({key: Given(value, (POINTS, name, key)) for key, value in point.items()})
    collect.raise_if_any()
    return [SweptAxis(POINTS, tuple(rows), tuple(map(str, body)))]


def _values(body: Any, loc: Loc, info: ValidationInfo) -> list[Given]:
    """Return the values of a key in any of the forms, which stand at ``loc`` of the section."""
    if isinstance(body, (list, tuple)):
        if not body:
            raise custom_error("values", "an empty list of values", "at least one value")
        return [Given(value, (*loc, i)) for i, value in enumerate(body)]
    if not isinstance(body, Mapping):
        raise custom_error("values", f"a list of values is needed, not {name_of(body)}", FORMS)
    known = FILE_KEYS if "file" in body else RANGE_KEYS
    collect = Collector()
    for key in body:
        if key not in known:
            near = did_you_mean(str(key), known)
            what = f"unknown key {str(key)!r} of a sweep's values{near}"
            if not any(word in body for word in (*FILE_KEYS, *RANGE_KEYS)):
                what = f"{str(key)!r} does not tell values; a key is one path: {loc[-1]}.{key}"
            collect.add((key,), custom_error("unknown_key", what, FORMS), body)
    collect.raise_if_any()
    if "file" in body:
        name, lines = read_column(body, info)
        return [Given(value, loc, f"line {number} of {name}") for number, value in lines]
    values = read_range(body, MAX_POINTS)
    count = len(values)
    return [Given(value, loc, f"value {i} of {count}") for i, value in enumerate(values, 1)]


def _check_key(key: Any) -> None:
    """Raise PydanticCustomError for a key that is no path, or that no sweep may touch."""
    try:
        loc = split_path(str(key))
    except PathError as error:
        raise custom_error("unknown_key", str(error)) from None
    if loc[0] in _REFUSED:
        what = f"{str(loc[0])!r} cannot be swept: {_REFUSED[str(loc[0])]}"
        raise custom_error("unknown_key", what, "a key of the run itself")
    if loc[:2] == ("output", "directory"):
        what = "'output.directory' cannot be swept: every replica has a file in the one folder"
        raise custom_error("unknown_key", what, "a key of the run itself")


def _check_distinct(axes: list[SweptAxis], collect: Collector) -> None:
    """Note keys that two axes set, and keys within others."""
    places = [
        (_canonical(key), key, next(row[key] for row in axis.rows if key in row))
        for axis in axes
        for key in axis.keys
    ]
    places.sort(key=lambda place: [(isinstance(step, str), step) for step in place[0]])
    for (outer, first, _), (inner, second, given) in itertools.pairwise(places):
        if inner[: len(outer)] != outer:
            continue
        what = f"the key {second!r} is swept twice"
        if inner != outer:
            what = f"{second!r} is a part of {first!r}, which is swept as well"
        where = given.loc[: given.loc.index(second) + 1]
        collect.add(where, custom_error("unknown_key", what, "every key once"), second)


def _canonical(key: str) -> Loc:
    """Return the location of a key; ``energy.zeeman[0]`` and ``energy.zeeman`` are one."""
    loc = split_path(key)
    if loc[0] in ("energy", "torques") and loc[2:3] == (0,):
        return (*loc[:2], *loc[3:])
    return loc


def _is_zip(axis: SweptAxis) -> bool:
    return axis.labels is None and axis.name.partition("_")[0] == ZIP


def _columns(axis: SweptAxis) -> dict[str, list[Any]]:
    return {key: [row[key].value for row in axis.rows] for key in axis.keys}


class _SweepSection:
    """Metadata of the field: how it is read, written and described."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(
            read_sweep,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda sweep: None if sweep is None else sweep.dump()
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        number = {"type": ["number", "string"]}
        values = {
            "anyOf": [
                {"type": "array", "minItems": 1},
                {
                    "type": "object",
                    "properties": {
                        **dict.fromkeys(("from", "to", "step"), number),
                        "count": {"type": "integer", "minimum": 1, "maximum": MAX_POINTS},
                        "scale": {"enum": ["linear", "log"]},
                    },
                    "required": ["from"],
                    "additionalProperties": False,
                },
                {
                    "type": "object",
                    "properties": {key: {"type": "string"} for key in FILE_KEYS},
                    "required": ["file"],
                    "additionalProperties": False,
                },
            ]
        }
        together = {"type": "object", "additionalProperties": values, "minProperties": 1}
        return {
            "type": ["object", "null"],
            "properties": {
                ZIP: {"anyOf": [together, {"type": "array", "items": together, "minItems": 1}]},
                POINTS: {"type": "object", "additionalProperties": {"type": "object"}},
            },
            "additionalProperties": values,
        }


SweepField = Annotated[Sweep | None, _SweepSection()]
"""The field of the run file."""
