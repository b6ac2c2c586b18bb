"""What pydantic found wrong, as problems at places of the run file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from micromag.errors import ConfigErrors, MicromagError, UnreadableInputError
from micromag.input_file import UNREADABLE
from micromag.parameters import name_of
from micromag.suggest import did_you_mean
from micromag.yaml_source import Loc, Node, Problem, path_text

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
    return [_problem(item, root, cls) for item in error.errors(include_url=False)]


def raise_problems(problems: Iterable[Problem]) -> None:
    """Raise ConfigErrors for problems, in the order of the text; nothing if there are none.

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
    raise ConfigErrors([str(p) for p in distinct])


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
    nodes = list(root.walk(loc))
    found, node = nodes[-1]
    what, allowed = context.get("what"), context.get("allowed", "")
    place = node.place if len(found) == len(loc) else node.key_place
    if kind == "extra_forbidden":
        place = node.key_place
        names = _field_names(cls, loc[:-1])
        what = what or f"unknown key {str(loc[-1])!r}{did_you_mean(str(loc[-1]), names)}"
        allowed = allowed or ", ".join(names)
    elif kind in ("unknown_key", "pair", "region"):
        place = node.key_place
    elif kind == "missing":
        what = what or f"the key {str(loc[-1])!r} is missing"
        if len(found) == len(loc):
            place = node.key_place
    elif kind == "literal_error":
        allowed = str(context.get("expected", "")).replace(" or ", ", ").replace("'", "")
        near = did_you_mean(str(item["input"]), allowed.split(", "))
        what = f"{name_of(item['input'])} is not allowed here{near}"
    elif what is None:
        what, allowed = _reworded(item, kind, context)
        if kind == "value_error":
            place = node.key_place
    return Problem(place, path_text(loc), str(what), str(allowed), kind == UNREADABLE)


def _reworded(item: Any, kind: str, context: Mapping[str, Any]) -> tuple[str, str]:
    """Return pydantic's own finding in a user's words."""
    value = name_of(item["input"])
    if kind in _PLAIN:
        return f"{value} is not {_PLAIN[kind]}", _PLAIN[kind]
    limits = {"greater_than": ">", "greater_than_equal": ">=", "less_than": "<"}
    limits |= {"less_than_equal": "<="}
    names = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt"}
    names |= {"less_than_equal": "le"}
    if kind in limits:
        return f"{value} is out of range", f"{limits[kind]} {context[names[kind]]}"
    if kind in ("too_short", "too_long"):
        return f"{context.get('actual_length')} entries", item["msg"].partition(" after ")[0]
    message = item["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if message.startswith("Input should"):
        return f"{value}: it {message[6:]}", ""
    return message, ""


def _field_names(cls: type[BaseModel], loc: Loc) -> list[str]:
    """Return the keys of the model at ``loc`` below ``cls``, empty where that is not known."""
    model: Any = cls
    for step in loc:
        if isinstance(step, int):
            continue
        fields = {_alias(name, info): info for name, info in model.model_fields.items()}
        model = _model_in(fields[step].annotation) if step in fields else None
        if model is None:
            return []
    return [_alias(name, info) for name, info in model.model_fields.items()]


def _alias(name: str, info: Any) -> str:
    return info.alias or name


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model in ``X``, ``X | None`` or ``tuple[X, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(argument) for argument in get_args(annotation))
    return next((model for model in found if model is not None), None)
