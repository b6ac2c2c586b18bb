"""Example values for the parameters of every registered term, also of new ones.

They are made up from the units and limits that a term declares. Where that gives no valid term
(parameters that depend on each other in a way nobody can guess), the class says by itself what it
can be tested with: ``example: ClassVar = {"K": 3e5, ...}``. What in it is no parameter is always given.
"""

from __future__ import annotations

import itertools
import typing
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from pydantic import ValidationError

from micromag.cell_values import quantity_of
from micromag.terms import TERMS, Term

TYPICAL = {
    "J/m": 1.3e-11, "J/m^2": 1e-3, "J/m^3": 4e5, "T": 0.2, "A/m": 5e5, "A/m^2": 2e12, "m/s": 80.0,
    "m": 3e-9, "s": 1e-9, "Hz": 2e9, "K": 300.0, "V": 0.5, "V/m": 1e8, "J": 1e-20, "J/V/m": 1e-13,
    "1": 0.3, "rad": 0.5, "J*m": 2e-30, "T*m^2/A": 1e-13,
    "J/m^2/V": 1e-3, "J/m^2/V^2": 1e-3,
}  # fmt: skip
"""Magnitude of a parameter by its unit; 1 for others."""


def _scalar(cls: type[Term], name: str, number: int) -> float:
    quantity = quantity_of(cls, name)
    value = TYPICAL.get(quantity.unit, 1.0) * (1.0, 0.6, 0.8, 0.45)[number % 4]
    candidates = [value, -value, *(x for x in (quantity.ge, quantity.le) if x is not None)]
    candidates += [x + value for x in (quantity.gt, quantity.ge) if x is not None]
    candidates += [x - value for x in (quantity.lt, quantity.le) if x is not None]
    return next(x for x in candidates if quantity._within(x))


def _vector(cls: type[Term], name: str, number: int) -> list[float]:
    """Return a vector; the directions of one term are perpendicular to each other."""
    frame = np.linalg.qr(np.random.default_rng(number).normal(size=(3, 3)))[0]
    vectors = [n for n, count in cls.declared_parameters().items() if count == 3]
    direction = frame[:, vectors.index(name) % 3]
    quantity = quantity_of(cls, name)
    scale = 1.0 if quantity.unit_vector else TYPICAL.get(quantity.unit, 1.0)
    return [float(x) for x in scale * direction]


def value(cls: type[Term], name: str, number: int = 0) -> Any:
    """Return a value for a parameter, another one for each ``number``."""
    given = getattr(cls, "example", {})
    if name in given:
        return given[name]
    return (_vector if cls.declared_parameters()[name] == 3 else _scalar)(cls, name, number)


@dataclass(frozen=True)
class Variant:
    """Which parameters of a term are given, and the values of its options."""

    names: tuple[str, ...]
    options: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        return "-".join([*self.names, *(f"{k}={v}" for k, v in self.options)]) or "plain"


def example(cls: type[Term], variant: Variant) -> dict[str, Any]:
    """Return what stands under the term's key in the run file."""
    return {name: value(cls, name) for name in variant.names} | dict(variant.options)


def accepts(cls: type[Term], data: Mapping[str, Any]) -> bool:
    """Return whether a term can be made of ``data``."""
    try:
        cls.model_validate(data)
    except ValidationError:
        return False
    return True


def variants(key: str) -> list[Variant]:
    """Return the largest and smallest sets of parameters that a term accepts, and its options."""
    cls = TERMS.get(key)
    names = tuple(cls.declared_parameters())
    extra = tuple((k, v) for k, v in getattr(cls, "example", {}).items() if k not in names)
    valid = [
        Variant(chosen, extra)
        for count in range(len(names) + 1)
        for chosen in itertools.combinations(names, count)
        # What follows from the run around a term would be another thing on each of the tests' meshes.
        if set(cls.filled_in) <= {*chosen} and accepts(cls, example(cls, Variant(chosen, extra)))
    ]
    sets = [set(v.names) for v in valid]
    pairs = list(zip(valid, sets, strict=True))
    largest = [v for v, mine in pairs if not any(mine < s for s in sets)]
    smallest = [v for v, mine in pairs if not any(mine > s for s in sets) and v not in largest]
    kept = [*largest, *smallest[:2]]
    for name, info in cls.model_fields.items():
        if typing.get_origin(info.annotation) is Literal:
            for choice in typing.get_args(info.annotation):
                more = [replace(v, options=((name, choice),)) for v in kept if not v.options]
                if choice != info.default:
                    kept += [v for v in more if accepts(cls, example(cls, v))]
    return kept
