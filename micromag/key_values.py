"""What a configuration holds at a key path: the value in SI, its unit, and what to call it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from micromag.cell_values import quantity_of
from micromag.parameters import Parameter
from micromag.run_text import split_path
from micromag.si_text import si, si_vector
from micromag.yaml_source import Loc, path_text

if TYPE_CHECKING:
    from micromag.config import RunConfig

_NOTHING = object()


def value_at(config: RunConfig, loc: Loc) -> tuple[Any, str]:
    """Return the value at a location and its SI unit.

    The value is a number, text, list or the run-file form of a parameter, and None where there is no
    value or one of another kind; the unit is ``""`` where there is none.
    """
    if "with" in loc:
        index = loc.index("with")
        overrides = getattr(config.schedule[int(loc[1])], "overrides", {})
        staged = config.with_overrides(overrides)
        return value_at(staged, split_path(path_text(loc[index + 1 :])))
    here: Any = config
    unit = ""
    for step in loc:
        here, found = _child(here, step)
        unit = found or unit
        if here is _NOTHING or here is None:
            return None, unit
    return _plain(here), unit


def _child(here: Any, step: str | int) -> tuple[Any, str]:
    """Return what lies below, and its unit where that is known."""
    if isinstance(here, Parameter):
        return _in_parameter(here, step), ""
    if isinstance(here, BaseModel):
        return _in_model(here, step)
    if isinstance(here, Mapping):
        return here.get(step, _NOTHING), ""
    if isinstance(here, tuple | list):
        if isinstance(step, int):
            return (here[step] if step < len(here) else _NOTHING), ""
        terms = [item[1] for item in here if isinstance(item, tuple) and item[0] == step]
        return (terms[0] if len(terms) == 1 else terms or _NOTHING), ""
    return _NOTHING, ""


def _in_parameter(parameter: Parameter, step: str | int) -> Any:
    if isinstance(step, int):
        value = parameter.value
        return value[step] if isinstance(value, tuple) and step < 3 else _NOTHING
    if step == "value":
        data = parameter.dump()
        inner = data["value"] if isinstance(data, Mapping) and "value" in data else data
        return inner if parameter.is_per_cell or parameter.regions else parameter.value
    named = {"default": parameter.value, "waveform": parameter.waveform, "file": parameter.file}
    pairs = {":".join(pair): value for pair, value in parameter.pairs.items()}
    return {**named, **parameter.regions, **pairs}.get(step, _NOTHING)


def _in_model(model: BaseModel, step: str | int) -> tuple[Any, str]:
    cls = type(model)
    for name, info in cls.model_fields.items():
        if step in (name, info.alias):
            try:
                unit = quantity_of(cls, name).unit
            except KeyError:
                unit = ""
            return getattr(model, name), unit
    # ``{run: {...}}`` and ``{domain_wall: {...}}`` are read as the object itself; so is a term that
    # a list holds alone.
    if step in (0, cls.__name__.lower(), cls.__module__.rpartition(".")[2]):
        return model, ""
    return getattr(model, "root", {}).get(step, _NOTHING), ""


def _plain(value: Any) -> Any:
    if isinstance(value, Parameter):
        return value.dump() if value.array is None else None
    if isinstance(value, tuple | list):
        items = [_plain(item) for item in value]
        return None if any(item is None for item in items) else items
    if isinstance(value, Path):
        return str(value)
    return value if isinstance(value, bool | int | float | str | dict) else None


# -------------------------------------------------------------------- words


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Return what keys are called beside one another: ``J[0]`` for ``torques.zhang_li.J[0]``."""
    short = {key: _short(split_path(key)) for key in keys}
    names = list(short.values())
    return {key: name if names.count(name) == 1 else key for key, name in short.items()}


def _short(loc: Loc) -> str:
    start = {"material": 1, "energy": 2, "torques": 2}.get(str(loc[0]))
    if start is None:
        words = [i for i, step in enumerate(loc) if isinstance(step, str)]
        start = words[-1]
    elif loc[start : start + 1] and isinstance(loc[start], int):
        start += 1
    # The amplitude of what has a waveform is still J, not a value.
    return path_text(tuple(step for step in loc[start:] if step != "value")) or path_text(loc)


def value_texts(values: Sequence[Any], unit: str) -> list[str]:
    """Return values as people read them, with as many digits as tell them apart."""
    different = len({repr(value) for value in values})
    texts: list[str] = []
    for digits in range(4, 18):
        texts = [_value_text(value, unit, digits) for value in values]
        if len(set(texts)) >= different:
            break
    return texts


def _value_text(value: Any, unit: str, digits: int) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        if isinstance(value, int) and not unit:
            return str(value)
        return si(float(value), unit or "1", digits)
    if isinstance(value, list | tuple):
        if unit and all(isinstance(item, int | float) for item in value):
            if digits == 4:
                return si_vector(tuple(map(float, value)), unit)
            return f"[{', '.join(f'{item:.{digits}g}' for item in value)}] {unit}"
        return f"[{', '.join(_value_text(item, unit, digits) for item in value)}]"
    if isinstance(value, Mapping):
        parts = (f"{key}: {_value_text(item, unit, digits)}" for key, item in value.items())
        return re.sub(r"\s+", " ", f"{{{', '.join(parts)}}}")
    return str(value)
