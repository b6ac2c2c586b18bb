"""Axes of a sweep that change nothing, or end before their end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from micromag.sweep_axes import POINTS, ZIP
from micromag.sweep_points import Axis, axes_of
from micromag.sweep_values import short_of_end

if TYPE_CHECKING:
    from micromag.config import RunConfig


def idle_axes(config: RunConfig) -> Iterator[str]:
    """Yield a sentence for every axis with replicas that repeat others, or with a range cut short."""
    for axis in axes_of(config):
        yield from _repeated(axis)
        if axis.keys == ("seed",) and not _is_random(config):
            yield (
                "seed is swept, but nothing is random: there is no thermal noise and no random "
                "initial state, so that the replicas are equal"
            )
    yield from _cut_short(config)


def _repeated(axis: Axis) -> Iterator[str]:
    """Yield the first value that an axis has twice."""
    seen: dict[str, int] = {}
    for i, values in enumerate(axis.values):
        first = seen.setdefault(repr(values), i)
        if first != i:
            yield (
                f"the sweep has {axis.labels[i]} of {axis.name} more than once, at positions {first} "
                f"and {i}: the replicas are equal"
            )
            return


def _is_random(config: RunConfig) -> bool:
    """Whether anything draws random numbers, or another axis may let it."""
    assert config.sweep is not None
    swept = any(key.startswith(("initial", "energy")) for key in config.sweep.keys)
    noise = any(term.kind == "noise" for _, term in config.energy)
    return swept or noise or "random" in config.resolved_yaml().partition("\ninitial:")[2]


def _cut_short(config: RunConfig) -> Iterator[str]:
    """Yield the ranges whose steps do not come to their end."""
    section = config.tree({"sweep"}).value["sweep"].plain()
    for key, body in _ranges(section):
        if (found := short_of_end(body)) is not None:
            last, end = found
            yield f"the range of {key} ends at {last}, not at {end}: its step does not divide it"


def _ranges(section: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every range of the section with its key."""
    for key, body in section.items() if isinstance(section, Mapping) else ():
        if key == ZIP:
            for part in body if isinstance(body, list) else [body]:
                yield from _ranges(part)
        elif isinstance(body, Mapping) and key != POINTS:
            yield key, body
