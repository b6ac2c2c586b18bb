"""What a physicist would ask about the torques of a run file: whether they act, and where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from micromag.cell_values import quantity_of
from micromag.config_sections import has_currents
from micromag.estimate import stages
from micromag.magnets import all_values, size_of
from micromag.mesh import AXES
from micromag.parameters import Parameter, VectorParameter

if TYPE_CHECKING:
    from micromag.config import RunConfig
    from micromag.terms.base import Term


def torque_warnings(config: RunConfig) -> Iterator[str]:
    """Yield what looks wrong about the torques of a run, as sentences."""
    yield from _idle(config)
    yield from _narrows(config)
    yield from _angles(config)


def _idle(config: RunConfig) -> Iterator[str]:
    """Torques that cannot act."""
    if not config.torques:
        return
    acting = [staged for staged, stage in stages(config) if has_currents(stage)]
    names = ", ".join(dict.fromkeys(key for key, _ in config.torques))
    if not acting:
        yield (
            f"{names} never acts: relax and minimize leave torques out; "
            "add a run stage, or  currents: true  to relax"
        )
        return
    for index, (key, term) in enumerate(config.torques):
        versions = [staged.torques[index][1] for staged in acting]
        given = " and ".join(name for name, _ in _drives(term))
        if all(_is_off(version) for version in versions):
            yield f"{key} does nothing: its {given or 'amplitude'} is 0 in every stage"
        elif key == "zhang_li" and all(_is_across(config, version) for version in versions):
            yield (
                f"{key} does nothing: its current flows along an axis with one cell, "
                "where m does not change"
            )


def _narrows(config: RunConfig) -> Iterator[str]:
    """A current that is the same in every cell, along a magnet whose cross-section is not."""
    inside = config.geometry.mask(config.mesh)
    for key, term in config.torques:
        solved = getattr(term, "distribution", "given") == "solved"
        if key not in ("zhang_li", "transport") or solved:
            continue
        for name, parameter in _drives(term):
            along = [axis for axis in range(3) if _changes(inside, axis)]
            if parameter.is_per_cell or not isinstance(parameter, VectorParameter):
                continue
            axis = next((a for a in along if any(v[a] for v in all_values(parameter))), None)
            if axis is not None:
                yield (
                    f"{key}.{name} is the same everywhere, but the cross-section changes along "
                    f"{AXES[axis]}: in notches and beside holes the current is denser; solve for it "
                    "with  transport: {distribution: solved, ...}, or give it from a file"
                )


def _angles(config: RunConfig) -> Iterator[str]:
    """Spin Hall angles that no metal has."""
    for key, term in config.torques:
        angle = getattr(term, "theta_sh", None)
        size = abs(angle) if isinstance(angle, float) else 0.0
        if size > 1:
            yield (
                f"{key}.theta_sh = {angle:g} is above 1; heavy metals have up to about 0.5, and it is "
                "a number, not percent or degrees"
            )


def _changes(inside: NDArray[np.bool_], axis: int) -> bool:
    """Whether the outline changes along an axis; across films and pillars, one cell, it does not."""
    across = np.moveaxis(inside, 2 - axis, 0)
    filled = across[across.any(axis=(1, 2))]
    return bool(len(across) > 1 and (filled != filled[:1]).any())


def _drives(term: Term) -> list[tuple[str, Parameter]]:
    """Return the parameters that drive a torque: those that may depend on time."""
    return [
        (name, parameter)
        for name, parameter in term.parameters().items()
        if quantity_of(type(term), name).time_dependent
    ]


def _is_off(term: Term) -> bool:
    return not term.acts_undriven and all(
        not parameter.is_per_cell and not any(map(size_of, all_values(parameter)))
        for _, parameter in _drives(term)
    )


def _is_across(config: RunConfig, term: Term) -> bool:
    """Whether every drive points along axes of one open cell."""
    flat = [n == 1 for n in config.mesh.cells]
    return all(
        not parameter.is_per_cell
        and isinstance(parameter, VectorParameter)
        and all(f or c == 0 for v in all_values(parameter) for c, f in zip(v, flat, strict=True))
        for _, parameter in _drives(term)
    )
