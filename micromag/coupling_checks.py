"""What a physicist would ask about what couples cells and layers: whether it acts, and where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from micromag.geometry import region_index
from micromag.magnets import all_values, has_energy
from micromag.mesh import Mesh
from micromag.si_text import si

if TYPE_CHECKING:
    from micromag.config import RunConfig

LAID_OUT = 2**20
"""Cells of a mesh up to which faces between regions are looked for."""


def coupling_warnings(config: RunConfig) -> Iterator[str]:
    """Yield what looks wrong about exchange and the coupling of layers, as sentences."""
    yield from _exchange(config)
    yield from _couplings(config)
    yield from _pairs(config)


def _exchange(config: RunConfig) -> Iterator[str]:
    if config.mesh.count > 1 and not has_energy(config, "exchange"):
        yield (
            "there is no exchange: neighbouring cells do not hold together; "
            "add  exchange: {A: ...}  to energy"
        )


def _couplings(config: RunConfig) -> Iterator[str]:
    """A coupling of layers that acts between all cells."""
    for key, term in config.energy:
        if key != "interlayer_exchange" or config.mesh.count == 1:
            continue
        for name, parameter in term.parameters().items():
            if any(all_values(parameter)):
                yield (
                    f"{key}.{name} is not for a pair of layers alone: it acts between all neighbouring "
                    'cells of a region; name the pair,  {default: 0, "free:fixed": ...}'
                )


def _pairs(config: RunConfig) -> Iterator[str]:
    """A value for the faces between two regions that share none."""
    given = [
        (key, term, name, pair)
        for key, term in (*config.energy, *config.torques)
        for name, parameter in term.parameters().items()
        for pair in parameter.pairs
    ]
    if not given or config.mesh.count > LAID_OUT or config.mesh.window is not None:
        return
    inside = config.geometry.mask(config.mesh)
    regions = region_index(config.mesh, config.regions)
    for key, _, name, pair in given:
        first, second = (inside & regions.mask(part) for part in pair)
        if first.any() and second.any() and not _touch(first, second, config.mesh):
            hint = ""
            if key == "interlayer_exchange":
                hint = ": the spacer takes no cells, so put the layers on each other"
            yield f"{key}.{name} of {':'.join(pair)} does nothing, for the two share no face{hint}"
        elif key == "interlayer_exchange" and (A := _direct(config, pair)):
            yield (
                f"exchange holds {':'.join(pair)} together as well, with 2 A/d of A = {si(A, 'J/m')}, beside "
                f'{key}; cut it:  exchange: {{A: {{..., "{":".join(pair)}": 0}}}}'
            )


def _direct(config: RunConfig, pair: tuple[str, str]) -> float:
    """Return the exchange constant between two regions [J/m], 0 where it is cut or not known."""
    total = 0.0
    for key, term in config.energy:
        A = term.parameters().get("A") if key == "exchange" else None
        if A is None or A.is_per_cell:
            continue
        first, second = (float(A.of_region(name)) for name in pair)
        between = 2 * first * second / (first + second) if first + second else 0.0
        total += float(A.pairs.get(pair, between))
    return total


def _touch(first: NDArray[np.bool_], second: NDArray[np.bool_], mesh: Mesh) -> bool:
    """Whether a cell of one lies beside a cell of the other."""
    for axis, periodic in enumerate(mesh.periodic):
        a, b = (np.moveaxis(part, 2 - axis, 0) for part in (first, second))
        if (a[:-1] & b[1:]).any() or (b[:-1] & a[1:]).any():
            return True
        if periodic and ((a[-1] & b[0]).any() or (b[-1] & a[0]).any()):
            return True
    return False
