"""From a run file and its overrides to one tree: ``extends``, ``--set``, ``with``."""

from __future__ import annotations

import contextlib
import copy
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from micromag.yaml_source import Loc, Node, Place, Problem, SourceError, path_text, read_yaml

_STEP = re.compile(r"\s*([^.\[\]\s]+)\s*((?:\[\d+\])*)\s*")
_EXCLUSIVE = (("cell_size", "size"),)
"""Keys of `mesh` of which an override replaces the other."""
_MANY = ("energy", "torques")
"""Sections in which a list gives several terms of one kind."""
_OPTIONAL = ("energy", "torques", "regions", "analysis", "sweep")
"""Sections that ``null`` takes away."""
_FORMS = ("default", "value", "file")
"""Keys that tell the forms of a parameter apart."""


def read_run_file(path: Path, overrides: Iterable[str | tuple[str, str]] = ()) -> Node:
    """Return the tree of a run file, merged over what it extends, with ``key.path=value`` applied.

    An override is such a text, or an option of the command line with the text that it stands for.

    Raises
    ------
    SourceError
        With everything that is wrong with the texts.
    """
    root = _read_with_bases(path, str(path), ())
    problems: list[Problem] = []
    given: list[tuple[str, Loc]] = []
    for override in overrides:
        text = override if isinstance(override, str) else override[1]
        option = f"--set {text.partition('=')[0].strip()}"
        option, shown = (option, text) if isinstance(override, str) else (override[0], "")
        try:
            given.append((option, _apply_option(root, option, text, shown)))
        except SourceError as error:
            problems += error.problems
    problems += [problem for option, loc in given for problem in _without_effect(root, option, loc)]
    if problems:
        raise SourceError(problems)
    for key in _OPTIONAL:
        if key in root.value and root.value[key].value is None:
            del root.value[key]
    return root


def with_values(root: Node, values: Mapping[str, Node]) -> Node:
    """Return a copy of the tree with values set at dotted paths; raises SourceError."""
    result = copy.copy(root)
    problems: list[Problem] = []
    for key, node in values.items():
        try:
            loc = locate(result, key)
            _unshare(result, loc)
            set_value(result, loc, copy.copy(node))
        except PathError as error:
            problems.append(Problem(node.key_place, key, str(error), error.allowed))
    if problems:
        raise SourceError(problems)
    return result


def _unshare(root: Node, loc: Loc) -> None:
    """Copy what lies on the way to ``loc``, so that a value set there leaves the rest alone."""
    here = root
    for step in loc:
        here.value = copy.copy(here.value)
        child = _below(here, step)
        if child is None:
            return
        here.value[step] = here = copy.copy(child)
    here.value = copy.copy(here.value)


class PathError(ValueError):
    """A key path is none, or does not fit the tree; ``allowed`` says what would."""

    def __init__(self, what: str, allowed: str = "") -> None:
        super().__init__(what)
        self.allowed = allowed


def split_path(text: str) -> Loc:
    """Return the location of ``torques.zhang_li.J[0]``; raises PathError."""
    loc: list[str | int] = []
    for part in text.split("."):
        match = _STEP.fullmatch(part)
        if match is None:
            raise PathError(f"{text!r} is not a key path such as torques.zhang_li.J[0]")
        loc.append(match[1])
        loc += [int(index) for index in re.findall(r"\d+", match[2])]
    return tuple(loc)


def locate(root: Node, text: str) -> Loc:
    """Return the location of a key path in a tree, where a key may itself be a path.

    ``sweep.material.alpha[1]`` is the second entry of the key ``material.alpha`` of ``sweep``, and
    ``schedule[0].run.with.material.alpha`` the one key of ``with``; raises PathError.
    """
    steps = split_path(text)
    loc: list[str | int] = []
    here: Node | None = root
    while len(loc) < len(steps) and steps:
        rest = steps[len(loc) :]
        step, taken = rest[0], 1
        keys = here.value if here is not None and isinstance(here.value, dict) else {}
        if isinstance(step, str) and step not in keys:
            for count in range(len(rest), 1, -1):
                if path_text(rest[:count]) in keys:
                    step, taken = path_text(rest[:count]), count
                    break
            else:
                if _holds_paths(tuple(loc), step):
                    step, taken = path_text(rest), len(rest)
        steps = (*steps[: len(loc)], step, *rest[taken:])
        here = _below(here, step)
        loc.append(step)
    return tuple(loc)


def _below(node: Node | None, step: str | int) -> Node | None:
    if node is None:
        return None
    children: Any = node.value if isinstance(node.value, (dict, list)) else {}
    try:
        child: Node = children[step]
    except (KeyError, IndexError, TypeError):
        return None
    return child


def _holds_paths(loc: Loc, key: str) -> bool:
    """Whether ``key`` in the mapping at ``loc`` begins a key path and is no word of the format."""
    if loc[-1:] == ("with",) or loc == ("sweep", "zip"):
        return True
    if loc == ("sweep",):
        return key not in ("zip", "points")
    return len(loc) == 3 and loc[:2] in (("sweep", "zip"), ("sweep", "points"))


def set_value(root: Node, loc: Loc, node: Node) -> None:
    """Put ``node`` at ``loc`` of the tree, making mappings on the way; raises PathError.

    A mapping is laid over what is there as in a file that extends another. A sweep as a whole
    replaces the other: axes that add up unseen would multiply the replicas.
    """
    here = root
    for i, step in enumerate(loc[:-1]):
        here = _child(here, step, loc[: i + 1], node)
    step = loc[-1]
    if isinstance(step, int) or not isinstance(here.value, dict):
        old = _child(here, step, loc, node)
        old.value, old.place, old.key_place = node.value, node.place, node.key_place
        return
    fresh = step not in here.value or loc == ("sweep",)
    merged = {step: node if fresh else _merge(here.value[step], node, loc)}
    if loc[:-1] == ("mesh",):
        _drop_exclusive(here.value, merged)
    here.value |= merged


def _child(here: Node, step: str | int, loc: Loc, new: Node) -> Node:
    """Return the node below ``here``; one that is missing or empty becomes a mapping."""
    shown = path_text(loc[:-1])
    if isinstance(step, int):
        if step == 0 and len(loc) == 3 and loc[0] in _MANY and isinstance(here.value, dict):
            return here  # the only term of its kind, not written as a list
        if not isinstance(here.value, list):
            raise PathError(f"{shown} is not a list")
        if step >= len(here.value):
            count = len(here.value)
            allowed = f"[0] to [{count - 1}]" if count > 1 else "[0]" if count else ""
            raise PathError(f"{shown} has {count} entries", allowed)
        items: list[Node] = here.value
        return items[step]
    if here.value is None:
        here.value = {}
    if not isinstance(here.value, dict):
        raise PathError(f"{shown} is not a mapping, so it has no {step!r}")
    children: dict[str, Node] = here.value
    return children.setdefault(step, Node({}, new.place, new.key_place))


def _merge(base: Node, over: Node, loc: Loc) -> Node:
    """Return ``over`` laid over ``base``: mappings key by key, all else replaced.

    An empty mapping replaces as well, so that ``analysis={}`` takes away what was there; only a file
    that holds nothing but ``extends`` leaves its base alone.
    """
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    if _is_choice(loc) and list(base.value) != list(over.value):
        return over
    if not over.value and not loc:
        return base
    if not over.value or _is_other_form(base.value, over.value):
        return over
    merged = dict(base.value)
    if loc == ("mesh",):
        _drop_exclusive(merged, over.value)
    for key, node in over.value.items():
        merged[key] = _merge(merged[key], node, (*loc, key)) if key in merged else node
    return Node(merged, over.place, over.key_place)


def _is_choice(loc: Loc) -> bool:
    """Whether a mapping at ``loc`` chooses one thing by its key, so that keys must not add up."""
    return (
        loc in (("initial",), ("geometry",))
        or loc[-1:] == ("waveform",)
        or (len(loc) == 2 and loc[0] == "regions")
        or (len(loc) >= 2 and loc[0] == "sweep" and loc[1] != "points")
    )


def _is_other_form(base: Mapping[str, Node], over: Mapping[str, Node]) -> bool:
    """Whether a parameter is given in another form: by region, by file, or with a waveform."""
    return any(key in over and key not in base for key in _FORMS)


def _drop_exclusive(base: dict[str, Node], over: Mapping[str, Node]) -> None:
    for pair in _EXCLUSIVE:
        for key, other in (pair, pair[::-1]):
            if key in over and other not in over:
                base.pop(other, None)


def _without_effect(root: Node, option: str, loc: Loc) -> Iterator[Problem]:
    """Yield a problem if the sweep replaces the value of an option in every replica."""
    for key, where in _swept_keys(root):
        with contextlib.suppress(PathError):
            swept = split_path(key)
            if loc[: len(swept)] == swept:
                what = f"{key} is swept, so a value for it alone has no effect"
                allowed = f"--set 'sweep.{where}', or --set 'sweep={{}}' for no sweep at all"
                yield Problem(Place(option, 0, 1), "", what, allowed)


def _swept_keys(root: Node) -> Iterator[tuple[str, str]]:
    """Yield the keys that have a value of their own in every replica, and how to replace it."""
    sweep = root.value.get("sweep")
    for key, node in sweep.value.items() if sweep and isinstance(sweep.value, dict) else ():
        if key not in ("zip", "points"):
            yield key, f"{key}=[VALUE]"
            continue
        if key == "zip":
            many = isinstance(node.value, list)
            for i, part in enumerate(node.value if many else [node]):
                where = f"zip[{i}]" if many else "zip"
                yield from ((inner, f"{where}.{inner}=[VALUE, ...]") for inner in _keys(part))
            continue
        points = list(node.value.items()) if isinstance(node.value, dict) else []
        for inner in _keys(points[0][1]) if points else ():
            if all(inner in _keys(point) for _, point in points):
                yield inner, f"points.{points[0][0]}.{inner}=VALUE"


def _keys(node: Node) -> list[str]:
    return list(node.value) if isinstance(node.value, dict) else []


def _apply_option(root: Node, option: str, text: str, shown: str) -> Loc:
    """Apply one ``key.path=value`` and return the key's location; ``shown`` is what was typed."""
    key, equals, value = text.partition("=")
    column = len(key) + 2
    try:
        if not equals:
            raise PathError(f"{text!r} is not of the form key.path=value")
        loc = locate(root, key.strip())
        node = read_yaml(value, option) if value.strip() else Node(None, Place(option, 0, 1))
        _move(node, lambda place: Place(option, 0, place.column + column - 1, shown))
        set_value(root, loc, node)
        return loc
    except PathError as error:
        raise SourceError(
            [Problem(Place(option, 0, 1, shown), "", str(error), error.allowed)]
        ) from None
    except SourceError as error:
        problems = [
            Problem(Place(option, 0, p.place.column + column - 1, shown), p.path, p.what, p.allowed)
            for p in error.problems
        ]
        raise SourceError(problems) from None


def _move(node: Node, move: Callable[[Place], Place]) -> None:
    node.place, node.key_place = move(node.place), move(node.key_place)
    children = node.value.values() if isinstance(node.value, dict) else node.value
    if isinstance(node.value, (dict, list)):
        for child in children:
            _move(child, move)


def _read_with_bases(
    path: Path, shown: str, seen: tuple[Path, ...], at: Place | None = None
) -> Node:
    """Read a file and merge it over the files that it extends."""
    resolved = Path(os.path.abspath(path))
    if resolved in seen:
        assert at is not None
        raise SourceError([Problem(at, "extends", f"{shown} extends itself in a circle")])
    root = read_yaml(_read_text(path, shown, at), shown)
    if not isinstance(root.value, dict):
        what = "a run file is a mapping of keys such as mesh, material and schedule"
        raise SourceError([Problem(root.place, "", what)])
    if not root.value:
        what = "the file is empty; a run file has keys such as mesh, material and schedule"
        raise SourceError([Problem(Place(shown, 0, 1), "", what)])
    if "extends" not in root.value:
        return root
    extends = root.value.pop("extends")
    names = extends.value if isinstance(extends.value, list) else [extends]
    merged: Node | None = None
    for name in names:
        if not isinstance(name.value, str) or not name.value.strip():
            what = "extends names a run file, or a list of them"
            raise SourceError([Problem(name.place, "extends", what)])
        base_path = path.parent / Path(name.value).expanduser()
        base = _read_with_bases(base_path, str(base_path), (*seen, resolved), name.place)
        anchor_files(base, base_path.parent)
        merged = base if merged is None else _merge(merged, base, ())
    return root if merged is None else _merge(merged, root, ())


def anchor_files(node: Node, folder: Path) -> None:
    """Make the file names in a tree absolute, counted from ``folder``."""
    if isinstance(node.value, list):
        for child in node.value:
            anchor_files(child, folder)
    if not isinstance(node.value, dict):
        return
    for key, child in node.value.items():
        if key in ("file", "path") and isinstance(child.value, str):
            child.value = os.path.abspath(folder / Path(child.value).expanduser())
        anchor_files(child, folder)


def _read_text(path: Path, shown: str, at: Place | None) -> str:
    place, key = (at, "extends") if at is not None else (Place(shown, 0, 1), "")
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        what = f"the run file {shown} cannot be read: {reason}"
        raise SourceError([Problem(place, key, what, unreadable=True)]) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        what = f"this is not a text file (byte 0x{data[error.start]:02x} is not UTF-8)"
        raise SourceError([Problem(Place(shown, line, column), "", what)]) from None
