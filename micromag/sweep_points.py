"""From the section ``sweep`` to the replicas: axes in SI, one configuration per point, batches."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from micromag.config_problems import node_of, raise_problems
from micromag.key_values import short_names, value_at, value_texts
from micromag.run_text import locate, with_values
from micromag.structure import structure_key
from micromag.sweep_axes import Given, Sweep, SweptAxis
from micromag.yaml_source import Node, Problem, SourceError, path_text

if TYPE_CHECKING:
    from micromag.config import RunConfig

CHECKED = 1000
"""Of a sweep with more replicas, reading the run file looks at every position of every axis alone,
and `sweep_points` at the combinations."""
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
Row = Mapping[str, Given]


@dataclass(frozen=True)
class Axis:
    """One axis of a sweep.

    Attributes
    ----------
    name
        The key path; ``zip``, ``zip_2``, ... or ``points`` where several keys go together.
    keys
        Every key path that the axis sets.
    values
        For every position the values of all keys: SI numbers, lists of them, texts, or run-file data.
        A key that a named point leaves alone has the value of the rest of the run file.
    labels
        What a position is called.
    units
        SI unit of every key, ``""`` where it has none.
    """

    name: str
    keys: tuple[str, ...]
    values: tuple[Mapping[str, Any], ...]
    labels: tuple[str, ...]
    units: Mapping[str, str]


@dataclass(frozen=True)
class SweepPoint:
    """One replica of a sweep.

    Attributes
    ----------
    number
        From 0, the last axis fastest.
    place
        Position along every axis.
    coordinates
        Value of every swept key.
    label
        What it is called: ``J[0] = 1e11 A/m^2, alpha = 0.1``.
    config
        Its run file, without the sweep. Run alone it repeats the replica exactly.
    """

    number: int
    place: tuple[int, ...]
    coordinates: Mapping[str, Any]
    label: str
    config: RunConfig


def axes_of(config: RunConfig) -> list[Axis]:
    """Return the axes of a sweep, none without one.

    Raises
    ------
    ConfigErrors
        For values that do not suit their keys.
    """
    if config.sweep is None:
        return []
    return config.expansion().axes


def sweep_points(config: RunConfig, numbers: Iterable[int] | None = None) -> list[SweepPoint]:
    """Return the replicas of a sweep in their order; a run without a sweep is one replica.

    The seed of a replica is that of the run file unless ``seed`` is swept: the replicas then
    differ in nothing but what is swept, and draw the same random numbers.

    Parameters
    ----------
    config
        The run.
    numbers
        Numbers of the replicas that are wanted; all by default.

    Raises
    ------
    ConfigErrors
        For values that do not suit their keys or one another.
    """
    if config.sweep is None:
        return [SweepPoint(0, (), {}, "", config)]
    wanted = range(config.sweep.count) if numbers is None else numbers
    expansion = config.expansion()
    return [expansion.point(number) for number in wanted]


def batches(
    points: Sequence[SweepPoint], fits: Callable[[Sequence[SweepPoint]], bool]
) -> list[list[SweepPoint]]:
    """Return the replicas in groups that run together: of one structure, and not too many.

    Parameters
    ----------
    points
        The replicas.
    fits
        Whether so many fit the device; more of them never fit where fewer do not. A replica that
        does not even fit alone is a batch of its own.
    """
    groups: dict[Hashable, list[SweepPoint]] = {}
    known: dict[int, Hashable] = {}
    for point in points:
        groups.setdefault(structure_key(point.config, known), []).append(point)
    return [part for group in groups.values() for part in _parts(group, fits)]


def _parts(
    group: list[SweepPoint], fits: Callable[[Sequence[SweepPoint]], bool]
) -> Iterator[list[SweepPoint]]:
    """Yield a group in parts that fit, about equally large."""
    rest = group
    while rest:
        low, high = 1, len(rest)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if fits(rest[:middle]) else (low, middle - 1)
        size = math.ceil(len(rest) / math.ceil(len(rest) / low))
        size = size if fits(rest[:size]) else low
        yield rest[:size]
        rest = rest[size:]


# -------------------------------------------------------------------- configurations


class Expansion:
    """Makes the axes and configurations of a sweep; every configuration is validated as a whole.

    Sections that no key touches are taken over from the run's own configuration as they are, so that
    a point costs what its keys cost.
    """

    def __init__(self, config: RunConfig, sweep: Sweep) -> None:
        self.config = config
        self.sweep = sweep
        sections = {key.partition(".")[0].partition("[")[0] for key in sweep.keys}
        root = config.tree({*sections, "sweep"})
        self.section = root.value.get("sweep", Node({}, root.place, root.key_place))
        without = {key: node for key, node in root.value.items() if key != "sweep"}
        self.root = Node(without, root.place, root.key_place)
        self.locs = {key: locate(self.root, key) for key in sweep.keys}
        self.names = short_names(sweep.keys)
        self._made: dict[int, SweepPoint] = {}

    def checked(self) -> tuple[Sweep, Expansion]:
        """Look at every position of every axis; return the sweep in SI, and its own expansion.

        Raises
        ------
        ConfigErrors, UnreadableInputError
            With everything that is wrong.
        """
        sweep = Sweep(
            tuple(
                self._in_si(axis, configs)
                for axis, configs in zip(self.sweep.axes, self.positions, strict=True)
            )
        )
        expansion = copy.copy(self)
        expansion.sweep = sweep
        return sweep, expansion

    @cached_property
    def positions(self) -> list[list[RunConfig]]:
        """A configuration per position of every axis, the other axes at their first.

        Raises ConfigErrors, UnreadableInputError with everything that is wrong.
        """
        problems: list[Problem] = []
        configs = [self._positions(number, problems) for number in range(len(self.sweep.axes))]
        raise_problems(_gathered(problems))
        return [[config for config in axis if config is not None] for axis in configs]

    def _positions(self, number: int, problems: list[Problem]) -> list[RunConfig | None]:
        """Return a configuration per position of an axis, the other axes at their first."""
        firsts = [axis.rows[0] for axis in self.sweep.axes]
        others = {k: v for i, row in enumerate(firsts) if i != number for k, v in row.items()}
        configs: list[RunConfig | None] = []
        for i, row in enumerate(self.sweep.axes[number].rows):
            if number > 0 and i == 0 and problems:
                configs.append(None)  # the same as the first of the first axis
                continue
            try:
                configs.append(self.make({**others, **row}, stages=True))
            except SourceError as error:
                configs.append(None)
                everything = {
                    **row,
                    **others,
                }  # in this order the position itself is suspected first
                problems += [self._placed(problem, everything) for problem in error.problems]
        return configs

    def make(self, row: Row, *, stages: bool = False) -> RunConfig:
        """Return the configuration with the values of a row; raises SourceError."""
        tree = with_values(
            self.root, {key: _node(self.section, given) for key, given in row.items()}
        )
        return self.config.rebuilt(tree, {str(self.locs[key][0]) for key in row}, stages=stages)

    def _in_si(self, axis: SweptAxis, configs: Sequence[RunConfig]) -> SweptAxis:
        rows = []
        for row, config in zip(axis.rows, configs, strict=True):
            found = dict(row)
            for key, given in row.items():
                value, _ = value_at(config, self.locs[key])
                if value is not None:
                    found[key] = replace(given, value=value)
            rows.append(found)
        return replace(axis, rows=tuple(rows))

    @cached_property
    def axes(self) -> list[Axis]:
        """The axes in SI; raises ConfigErrors."""
        found = []
        for axis, configs in zip(self.sweep.axes, self.positions, strict=True):
            values, units = [], dict.fromkeys(axis.keys, "")
            for row, config in zip(axis.rows, configs, strict=True):
                value, unit = {}, ""
                for key in axis.keys:
                    value[key], unit = value_at(config, self.locs[key])
                    if value[key] is None and key in row:
                        value[key] = row[key].value
                    units[key] = unit or units[key]
                values.append(value)
            labels = axis.labels or _labels(axis.keys, values, units, self.names)
            found.append(Axis(axis.name, axis.keys, tuple(values), labels, units))
        return found

    def point(self, number: int) -> SweepPoint:
        """Return one replica; raises ConfigErrors, UnreadableInputError."""
        if number not in self._made:
            self._made[number] = self._point(number)
        return self._made[number]

    def _point(self, number: int) -> SweepPoint:
        place = unravel(number, self.sweep.shape)
        row: dict[str, Given] = {}
        coordinates: dict[str, Any] = {}
        parts = []
        for i, swept, axis in zip(place, self.sweep.axes, self.axes, strict=True):
            row |= swept.rows[i]
            coordinates |= axis.values[i]
            alone = swept.labels is None and len(axis.keys) == 1
            name = self.names[axis.keys[0]]
            parts.append(f"{name} = {axis.labels[i]}" if alone else axis.labels[i])
        label = ", ".join(parts)
        try:
            # A stage's own values are kept as they were written, not in SI: those are made anew.
            alone = len(self.sweep.axes) == 1 and not any(".with." in key for key in row)
            config = self.positions[0][number] if alone else self.make(row)
        except SourceError as error:
            problems = [self._placed(problem, row) for problem in error.problems]
            told = (replace(p, what=f"replica {number} ({label}): {p.what}") for p in problems)
            raise_problems(told)
            raise
        return SweepPoint(number, place, coordinates, label, config)

    def _placed(self, problem: Problem, row: Row) -> Problem:
        """Return a problem of a configuration at the swept value that causes it."""

        key = max(row, key=lambda key: _shared(key, problem.path))
        given = row[key]
        node = list(self.section.walk(given.loc))[-1][1]
        inside = problem.path.startswith(path_text(self.locs[key]))
        what = problem.what if problem.path == key else f"{problem.path}: {problem.what}"
        if given.origin:
            what = f"{given.origin} ({given.value}): {what}"
        place = problem.place if inside and problem.place.text else node.place
        path = f"sweep.{path_text(given.loc)}"
        return Problem(place, path, what, problem.allowed, problem.unreadable)


def with_first_values(root: Node, sweep: Sweep) -> Node:
    """Return the tree of a run in which what only the sweep gives has its first value.

    A required value that every replica has from the sweep need not be given twice.
    """
    missing = {
        key: _node(root.value["sweep"], axis.rows[0][key])
        for axis in sweep.axes
        for key in axis.keys
        if all(key in row for row in axis.rows)
        and len(list(root.walk(locate(root, key)))) <= len(locate(root, key))
    }
    try:
        return with_values(root, missing)
    except SourceError:
        return root


def _node(section: Node, given: Given) -> Node:
    """Return the tree of a value, which knows its place in the run file."""
    found, node = list(section.walk(given.loc))[-1]
    if found == given.loc and not given.origin and node.plain() == given.value:
        return node
    return node_of(given.value, node.place, node.key_place)


def unravel(number: int, shape: Sequence[int]) -> tuple[int, ...]:
    """Return the position along every axis of a replica, the last axis fastest."""
    place = []
    for length in reversed(shape):
        number, i = divmod(number, length)
        place.append(i)
    return tuple(reversed(place))


def _shared(key: str, path: str) -> int:
    """Return how many characters two key paths have in common at their beginning."""
    pairs = enumerate(zip(key, path, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(key), len(path)))


def _labels(
    keys: Sequence[str],
    values: Sequence[Mapping[str, Any]],
    units: Mapping[str, str],
    names: Mapping[str, str],
) -> tuple[str, ...]:
    """Return what the positions of an axis are called: by their values."""
    texts = {key: value_texts([row[key] for row in values], units[key]) for key in keys}
    if len(keys) == 1:
        return tuple(texts[keys[0]])
    return tuple(
        ", ".join(f"{names[key]} = {texts[key][i]}" for key in keys) for i in range(len(values))
    )


def _gathered(problems: Sequence[Problem]) -> list[Problem]:
    """Return problems with those that differ only in the value told once, for the first."""
    kinds: dict[Hashable, list[Problem]] = {}
    for problem in dict.fromkeys(problems):
        path, what = (_NUMBER.sub("#", text) for text in (problem.path, problem.what))
        kinds.setdefault((path, what), []).append(problem)
    found = []
    for first, *others in kinds.values():
        more = f"; so {'is' if len(others) == 1 else 'are'} {len(others)} more" if others else ""
        found.append(replace(first, what=f"{first.what}{more}"))
    return found


__all__ = ["Axis", "Sweep", "SweepPoint", "axes_of", "batches", "structure_key", "sweep_points"]
