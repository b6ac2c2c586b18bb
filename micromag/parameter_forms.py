"""Reading a parameter from the forms that the run file and the Python API give it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
from pydantic import ValidationInfo

from micromag.input_file import resolve_input
from micromag.parameters import (
    Collector,
    Parameter,
    Quantity,
    VectorParameter,
    custom_error,
)

AnyParameter = TypeVar("AnyParameter", bound=Parameter[Any])


def read_parameter(
    cls: type[AnyParameter], quantity: Quantity, data: Any, info: ValidationInfo
) -> AnyParameter:
    """Return a parameter from any of its forms.

    The forms are: a value; ``{default: v, region: v, "a:b": v}``; ``{file: path}``;
    ``{value: <one of these>, waveform: {...}}``; a parameter; a NumPy array with the mesh's shape.

    Raises
    ------
    PydanticCustomError, pydantic.ValidationError
        What is wrong, at its place within ``data``.
    """
    if isinstance(data, cls):
        return data
    if isinstance(data, np.ndarray) and data.ndim >= 3:
        return _read_array(cls, quantity, data)
    if not isinstance(data, Mapping):
        return cls(_read_value(cls, quantity, data))
    if "value" in data or "waveform" in data:
        return _read_waveform(cls, quantity, data, info)
    if "file" in data:
        _refuse_others(data, ("file",))
        collect = Collector()
        path = collect.run(("file",), lambda item: resolve_input(item, info), data["file"], None)
        collect.raise_if_any()
        return cls(_read_value(cls, quantity, None, one=True), file=path)
    return _read_regions(cls, quantity, data)


def _read_value(cls: type[Parameter[Any]], quantity: Quantity, data: Any, one: bool = False) -> Any:
    if issubclass(cls, VectorParameter):
        return (1.0, 1.0, 1.0) if one else quantity.vector(data)
    return 1.0 if one else quantity.number(data)


def _refuse_others(data: Mapping[Any, Any], allowed: tuple[str, ...]) -> None:
    collect = Collector()
    for key in data:
        if key not in allowed:
            message = f"unknown key {key!r} beside {allowed[0]!r}"
            collect.add((key,), custom_error("extra_forbidden", message, ", ".join(allowed)), data)
    collect.raise_if_any()


def _read_waveform(
    cls: type[AnyParameter], quantity: Quantity, data: Mapping[Any, Any], info: ValidationInfo
) -> AnyParameter:
    from micromag.excitation import read_waveform

    if "waveform" in data and not quantity.time_dependent:
        raise custom_error("waveform", "this parameter cannot depend on time", "a value")
    _refuse_others(data, ("value", "waveform"))
    if "value" not in data:
        raise custom_error("missing", "a waveform needs the value that it multiplies", "value")
    collect = Collector()
    inner = collect.run(
        ("value",), lambda item: read_parameter(cls, quantity, item, info), data["value"], None
    )
    if inner is not None and inner.waveform is not None:
        collect.add(("value",), custom_error("waveform", "a waveform within a waveform"), data)
    waveform = None
    if "waveform" in data:
        waveform = collect.run(
            ("waveform",), lambda item: read_waveform(item, info), data["waveform"], None
        )
    collect.raise_if_any()
    return cls(inner.value, inner.regions, inner.pairs, inner.file, inner.array, waveform)


def _read_regions(
    cls: type[AnyParameter], quantity: Quantity, data: Mapping[Any, Any]
) -> AnyParameter:
    if "default" not in data:
        allowed = "default: value, region: value, ..."
        what = "a value per region needs also 'default', the value of the rest"
        raise custom_error("missing", what, allowed)
    collect = Collector()
    values: dict[str, Any] = {}
    pairs: dict[tuple[str, str], Any] = {}
    # An interface may be cut (0) or couple antiparallel (< 0) whatever the bulk's limits.
    free = Quantity(quantity.unit)
    for key, item in data.items():
        name = str(key)
        if ":" not in name:
            values[name] = collect.run(
                (key,), lambda item: _read_value(cls, quantity, item), item, 0.0
            )
        elif not quantity.pairs:
            what = f"{name!r}: this parameter has no value per pair of regions"
            collect.add((key,), custom_error("pair", what, "region names"), item)
        else:
            pair = _pair(name, collect)
            if pair in pairs:
                what = f"the pair {name!r} is given twice (a:b and b:a are one)"
                collect.add((key,), custom_error("pair", what), item)
            pairs[pair] = collect.run((key,), lambda item: _read_value(cls, free, item), item, 0.0)
    collect.raise_if_any()
    default = values.pop("default")
    return cls(default, values, pairs)


def _pair(name: str, collect: Collector) -> tuple[str, str]:
    first, _, second = name.partition(":")
    first, second = first.strip(), second.strip()
    if not first or not second or ":" in second or first == second:
        what = f"{name!r} does not name two regions"
        collect.add((name,), custom_error("pair", what, "'a:b' with two different regions"), name)
    return (first, second) if first <= second else (second, first)


def _read_array(
    cls: type[AnyParameter], quantity: Quantity, data: np.ndarray[Any, Any]
) -> AnyParameter:
    vector = issubclass(cls, VectorParameter)
    if data.ndim != 3 + vector or (vector and data.shape[0] != 3):
        wanted = "(3, nz, ny, nx)" if vector else "(nz, ny, nx)"
        raise custom_error("shape", f"an array of shape {data.shape}", f"shape {wanted}")
    array = np.array(data, dtype=np.float64)
    quantity.check_array(array)
    array.setflags(write=False)
    return cls(_read_value(cls, quantity, None, one=True), array=array)
