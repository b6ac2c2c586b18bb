"""What pydantic found wrong, as problems at places of the run file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from micromag.errors import ConfigErrors, MicromagError, UnreadableInputError
from micromag.input_file import UNREADABLE
from micromag.parameters import key_problem, name_of
from micromag.suggest import did_you_mean
from micromag.yaml_source import Loc, Node, Place, Problem, path_text

_PLAIN = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def problems_of(error: ValidationError, root: Node, cls: type[BaseModel]) -> list[Problem]:
    """Return the problems of a validation, each at the place of its value or of what lacks it."""
    items = error.errors(include_url=False)
    problems = [(tuple(item["loc"]), _problem(item, root, cls)) for item in items]
    # A misspelt key is one mistake: that the right one is missing needs no second message.
    meant = {
        (loc[:-1], match[1])
        for loc, problem in problems
        if (match := re.search(r"did you mean '([^']+)'", problem.what))
        and "unknown key" in problem.what
    }
    missing = [item["type"] == "missing" for item in items]
    return [
        problem
        for (loc, problem), is_missing in zip(problems, missing, strict=True)
        if not (is_missing and loc and (loc[:-1], loc[-1]) in meant)
    ]


def node_of(data: Any, place: Place, key_place: Place | None = None) -> Node:
    """Return plain data as a tree, all of it at one place."""
    key_place = key_place or place
    if isinstance(data, Mapping):
        children = {str(k): node_of(v, place) for k, v in data.items()}
        return Node(children, place, key_place)
    if isinstance(data, (list, tuple)):
        return Node([node_of(item, place) for item in data], place, key_place)
    return Node(data, place, key_place)


def raise_problems(problems: Iterable[Problem], source: str = "the run file") -> None:
    """Raise ConfigErrors for problems of a source, in the order of the text; nothing without any.

    Raises
    ------
    UnreadableInputError
        If all that is wrong is a file that cannot be read.
    ConfigErrors
        If there is anything else.
    """
    # Of two files (a base and what extends it) each keeps its problems together.
    distinct = sorted(
        {(p.place, p.path, p.what): p for p in problems}.values(),
        key=lambda p: (p.place.file, p.place.line, p.place.column),
    )
    if not distinct:
        return
    if all(p.unreadable for p in distinct):
        raise _unreadable(distinct)
    raise ConfigErrors([str(p) for p in distinct], source)


def _unreadable(problems: list[Problem]) -> MicromagError:
    first, *others = problems
    place = first.place
    excerpt = place.excerpt()
    what = "\n".join([first.what + (f"\n{excerpt}" if excerpt else ""), *map(str, others)])
    if not first.path and not place.line:
        return UnreadableInputError(what)
    return UnreadableInputError(what, where=f"{place}  {first.path}", allowed=first.allowed)


def _problem(item: Any, root: Node, cls: type[BaseModel]) -> Problem:
    kind, loc = item["type"], tuple(item["loc"])
    context: Mapping[str, Any] = item.get("ctx") or {}
    loc += tuple(context["key"].split(".")) if context.get("key") else ()
    nodes = list(root.walk(loc))
    found, node = nodes[-1]
    lacking = len(found) < len(loc) and isinstance(node.value, (dict, list))
    place = node.key_place if lacking or _is_about_key(kind, node) else node.place
    if "what" not in context and isinstance(loc[-1] if loc else 0, str):
        model = _model_at(cls, loc[:-1])
        context = context if model is None else {**context, **key_problem(kind, model, loc[-1])}
    what, allowed = context.get("what"), context.get("allowed", "")
    if what is None:
        what, allowed = _reworded(item, kind, context, node)
    # Within a short form, as the path of `initial.file: start.ovf`, there is no key to point at.
    shown = loc if lacking or len(found) == len(loc) or kind == "missing" else found
    return Problem(place, path_text(shown), str(what), str(allowed), kind == UNREADABLE)


def _is_about_key(kind: str, node: Node) -> bool:
    """Whether the key is wrong and not the value; a mapping is known by its key, too."""
    about = ("extra_forbidden", "unknown_key", "pair", "region", "missing")
    return kind in about or isinstance(node.value, dict)


def _reworded(item: Any, kind: str, context: Mapping[str, Any], node: Node) -> tuple[str, str]:
    """Return pydantic's own finding in a user's words."""
    value = name_of(item["input"])
    if kind == "literal_error":
        allowed = str(context.get("expected", "")).replace(" or ", ", ").replace("'", "")
        near = did_you_mean(str(item["input"]), allowed.split(", "))
        return f"{value} is not allowed here{near}", allowed
    if kind == "missing" and isinstance(node.value, list):
        return f"{len(node.value)} entries are not enough", ""
    if kind in _PLAIN:
        return f"{value} is not {_PLAIN[kind]}", _PLAIN[kind]
    limits = {"greater_than": ">", "greater_than_equal": ">=", "less_than": "<"}
    limits |= {"less_than_equal": "<="}
    names = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt"}
    names |= {"less_than_equal": "le"}
    if kind in limits:
        return f"{value} is out of range", f"{limits[kind]} {context[names[kind]]}"
    if kind in ("too_short", "too_long"):
        too, bound = ("few", "min") if kind == "too_short" else ("many", "max")
        least = "at least" if kind == "too_short" else "at most"
        allowed = f"{least} {context.get(f'{bound}_length')}"
        return f"{context.get('actual_length')} entries are too {too}", allowed
    message = item["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if message.startswith("Input should"):
        return f"{value}: it {message[6:]}", ""
    return message, ""


def _model_at(cls: type[BaseModel], loc: Loc) -> type[BaseModel] | None:
    """Return the model at ``loc`` below ``cls``, None where that is not known."""
    model: type[BaseModel] | None = cls
    for step in loc:
        if model is not None and isinstance(step, str):
            fields = {info.alias or name: info for name, info in model.model_fields.items()}
            model = _model_in(fields[step].annotation) if step in fields else None
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model in ``X``, ``X | None`` or ``tuple[X, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(argument) for argument in get_args(annotation))
    return next((model for model in found if model is not None), None)
