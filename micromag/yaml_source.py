"""YAML 1.2 scalars, places of every value, duplicate keys refused: run files as trees, and back.

A plain YAML 1.1 loader reads ``13e-12`` as text and ``no`` as a boolean; this one does neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

Loc = tuple[str | int, ...]
"""Keys and indices from the root to a value."""

MAX_NODES = 200_000
"""Most values of a run file, so that nested aliases cannot fill the memory."""
MAX_DEPTH = 100
"""Deepest nesting of a run file."""

_INT = re.compile(r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)"
    r"|\.(?:nan|NaN|NAN)"
)
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_NULL = re.compile(r"~|null|Null|NULL|")
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Place:
    """A place in a text: file (or option), line and column from 1, and the line itself."""

    file: str
    line: int
    column: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def excerpt(self) -> str:
        """Return the source line with a caret below the column."""
        start = max(0, self.column - 80)
        text = self.text[start : start + 110].replace("\t", " ")
        if not text.strip():
            return ""
        number = f"{self.line:5d}" if self.line else "     "
        return f"{number} | {text}\n      | {' ' * (self.column - 1 - start)}^"


@dataclass(frozen=True)
class Problem:
    """Something wrong with a run: what, where, what is allowed."""

    place: Place
    path: str
    what: str
    allowed: str = ""
    unreadable: bool = False

    def __str__(self) -> str:
        where = f"{self.place}  {self.path}" if self.path else str(self.place)
        allowed = f"; allowed: {self.allowed}" if self.allowed else ""
        excerpt = self.place.excerpt()
        return f"{where}: {self.what}{allowed}" + (f"\n{excerpt}" if excerpt else "")


class SourceError(Exception):
    """Problems found while reading a text into a tree."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)))


@dataclass
class Node:
    """A value with its places: a mapping or list of nodes, or a scalar.

    ``key_place`` is where the key of the value stands, or the value itself where it has none.
    """

    value: Any
    place: Place
    key_place: Place = field(default=Place("", 0, 1))

    def plain(self) -> Any:
        """Return the value as dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def walk(self, loc: Loc) -> Iterator[tuple[Loc, Node]]:
        """Yield the nodes on the way to ``loc``, this one first, as far as there are any."""
        node, done = self, ()  # type: Node, Loc
        yield done, node
        for step in loc:
            try:
                node = node.value[step]
            except (KeyError, IndexError, TypeError):
                return
            done = (*done, step)
            yield done, node


def read_yaml(text: str, file: str) -> Node:
    """Return the tree of a YAML text; raises SourceError with all problems found."""
    lines = text.splitlines()
    builder = _Builder(file, lines)
    try:
        loader = _Loader(text)
        document = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if "end of stream" in str(error.problem) and error.context_mark is not None:
            mark = error.context_mark  # where it began, not where the text ends
        raise SourceError([Problem(builder.place(mark), "", _syntax_message(error))]) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        what = f"the character U+{_code(error.character):04X} is not allowed in YAML"
        raise SourceError([Problem(Place(file, line, column), "", what)]) from None
    except RecursionError:
        raise SourceError([Problem(Place(file, 1, 1), "", "too deep a nesting")]) from None
    if document is None:
        return Node({}, Place(file, 1, 1, lines[0] if lines else ""), Place(file, 1, 1))
    node = builder.build(document, ())
    if builder.problems:
        raise SourceError(builder.problems)
    return node


def to_yaml(data: Any) -> str:
    """Return plain data as YAML that `read_yaml` reads back as equal data."""
    text: str = yaml.dump(
        data,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=100,
        default_flow_style=None,
    )
    return text


def path_text(loc: Sequence[str | int]) -> str:
    """Return ``torques.zhang_li.J[0]`` for the location of a value."""
    text = ""
    for step in loc:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def _code(character: Any) -> int:
    return character if isinstance(character, int) else ord(character)


def _syntax_message(error: yaml.MarkedYAMLError) -> str:
    what = str(error.problem or error.context or "not YAML")
    if "'\\t'" in what:
        return "a tab: YAML is indented with spaces"
    if "mapping values are not allowed" in what:
        return "a second ':' in one line, a wrong indentation, or no blank after a ':' above"
    context = f" ({error.context})" if error.context and error.problem else ""
    return f"this is not YAML: {what}{context}"


class _Loader(yaml.SafeLoader):
    """The safe loader's parser with the scalars of YAML 1.2."""


class _Dumper(yaml.SafeDumper):
    """Writes text in quotes wherever `_Loader` would read something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _resolvers() -> dict[Any, Any]:
    table: dict[Any, Any] = {}
    for name, pattern, first in (
        ("bool", _BOOL, "tTfF"),
        ("int", _INT, "-+0123456789"),
        ("float", _FLOAT, "-+.0123456789"),
        ("null", _NULL, ["~", "n", "N", ""]),
    ):
        whole = re.compile(f"(?:{pattern.pattern})\\Z")
        for character in first:
            table.setdefault(character, []).append((_TAG + name, whole))
    return table


_Loader.yaml_implicit_resolvers = _resolvers()
# Also what a YAML 1.1 reader takes for a boolean or a date goes in quotes.
_Dumper.yaml_implicit_resolvers = {
    character: [*_resolvers().get(character, []), *others]
    for character, others in yaml.SafeDumper.yaml_implicit_resolvers.items()
}


class _Builder:
    """Turns PyYAML's nodes into ours, noting problems instead of stopping at the first."""

    def __init__(self, file: str, lines: list[str]) -> None:
        self.file = file
        self.lines = lines
        self.problems: list[Problem] = []
        self.count = 0

    def place(self, mark: Any) -> Place:
        if mark is None:
            return Place(self.file, 1, 1)
        text = self.lines[mark.line] if mark.line < len(self.lines) else ""
        return Place(self.file, mark.line + 1, mark.column + 1, text)

    def problem(self, mark: Any, loc: Loc, what: str, allowed: str = "") -> None:
        self.problems.append(Problem(self.place(mark), path_text(loc), what, allowed))

    def build(self, node: yaml.Node, loc: Loc) -> Node:
        place = self.place(node.start_mark)
        self.count += 1
        if len(loc) > MAX_DEPTH or self.count > MAX_NODES:
            self.problem(node.start_mark, loc[:9], "too many values, or one that contains itself")
            raise SourceError(self.problems)
        if isinstance(node, yaml.MappingNode):
            return Node(self.mapping(node, loc), place, place)
        if isinstance(node, yaml.SequenceNode):
            items = [self.build(item, (*loc, i)) for i, item in enumerate(node.value)]
            return Node(items, place, place)
        return Node(self.scalar(node, loc), place, place)

    def mapping(self, node: yaml.MappingNode, loc: Loc) -> dict[str, Node]:
        result: dict[str, Node] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.problem(key_node.start_mark, loc, "a key must be a plain word")
                continue
            key, inner = key_node.value, (*loc, key_node.value)
            if key in result:
                first = result[key].key_place
                what = f"duplicate key {key!r}, given already in line {first.line}"
                self.problem(key_node.start_mark, inner, what, "one of the two")
                continue
            result[key] = self.build(value_node, inner)
            result[key].key_place = self.place(key_node.start_mark)
        return result

    def scalar(self, node: yaml.Node, loc: Loc) -> Any:
        text, tag = node.value, node.tag.removeprefix(_TAG)
        if tag == "str":
            return text
        pattern = {"int": _INT, "float": _FLOAT, "bool": _BOOL, "null": _NULL}.get(tag)
        if pattern is None or not pattern.fullmatch(text):
            self.problem(node.start_mark, loc, f"{text!r} cannot be read as {node.tag}")
            return None
        if tag == "int":
            return _integer(text)
        if tag == "float":
            return float(re.sub(r"\.(?=[iInN])", "", text))
        return text.lower() == "true" if tag == "bool" else None


def _integer(text: str) -> int | float:
    if text.startswith(("0x", "0o")):
        return int(text, 0)
    return int(text) if len(text) < 300 else float(text)
