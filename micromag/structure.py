"""What the replicas of one batch must share: everything that is not a number of the run.

Kernels are made for the structure of a run file and never for its values, so runs of equal structure
run in the same launches.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel

from micromag.cell_values import cell_values, quantity_of
from micromag.config_sections import Material
from micromag.errors import MicromagError
from micromag.mesh import Mesh
from micromag.parameters import Parameter, ScalarParameter
from micromag.surroundings import Surroundings
from micromag.terms.base import Term

if TYPE_CHECKING:
    from micromag.config import RunConfig
    from micromag.config_sections import Stage
    from micromag.excitation.base import Waveform


def structure_key(config: RunConfig, known: dict[int, Hashable] | None = None) -> Hashable:
    """Return what tells structures apart; runs with equal keys can be replicas of one batch.

    These are the mesh, the device and the precision; the shapes; the terms, which of their parameters
    are given and in which form (uniform, by region, by cell, with which kind of waveform), and their
    options; which cells are empty; the stages with their methods and what they override; the method
    and whether its step is fixed; the columns and quantities of the output. All else are numbers that
    may differ: parameters, waveforms, seed, initial state, durations, periods, limits.

    Parameters
    ----------
    config
        The run.
    known
        Filled with what was found of sections that many runs share, by their identity: valid as long
        as these runs live.
    """
    known = {} if known is None else known
    shapes = [config.mesh, config.geometry, *config.regions.values()]
    return (
        config.device,
        config.precision,
        tuple(config.regions),
        tuple(_dump(section, known) for section in shapes),
        _terms(config),
        tuple(_stage(config, stage) for stage in config.schedule),
        _solver(config),
        config.output.table.columns,
        config.output.snapshots.quantities,
    )


def _dump(section: BaseModel, known: dict[int, Hashable]) -> Hashable:
    """Return a section with all its values."""
    if id(section) not in known:
        known[id(section)] = (type(section).__name__, section.model_dump_json())
    return known[id(section)]


def _terms(config: RunConfig) -> Hashable:
    material = config.material
    return (
        _form(material.alpha),
        _form(material.Ms),
        _empty_cells(material.Ms, config.mesh),
        tuple((key, _term(term)) for key, term in [*config.energy, *config.torques]),
        _shapes(config),
    )


def _shapes(config: RunConfig) -> Hashable:
    """Return what of the values of terms decides the shape of arrays."""
    terms = [term for _, term in [*config.energy, *config.torques]]
    if all(type(term).structure is Term.structure for term in terms):
        return None
    around = Surroundings(config.mesh, config.geometry, config.regions, config.material)
    return tuple(term.structure(around) for term in terms)


def _term(term: Term) -> Hashable:
    """Return the form of every parameter of a term, and the value of all else."""
    parts: list[Hashable] = []
    for name in type(term).model_fields:
        value = getattr(term, name)
        if name in term.numbers:
            parts.append(value is None)
        elif isinstance(value, Mapping):  # parameters by names of the user's own
            parts.append(tuple((k, type(v).__name__, _form(v)) for k, v in value.items()))
        else:
            parts.append(_form(value) if isinstance(value, Parameter) else repr(value))
    return tuple(parts)


def _form(parameter: Parameter) -> Hashable:
    wave = None if parameter.waveform is None else _wave(parameter.waveform)
    return bool(parameter.regions), bool(parameter.pairs), parameter.is_per_cell, wave


class _Emitter:
    """Counts the numbers of a waveform, which are no part of its structure; their count is."""

    def __init__(self) -> None:
        self.count = 0

    def constant(self, value: float) -> str:
        self.count += 1
        return "w"

    def table(self, times: Sequence[float], values: Sequence[float]) -> str:
        self.count += 2 * len(times)
        return "table"

    def times(self, times: Sequence[float], period: float = math.inf) -> str:
        self.count += len(times)
        return "times"


def _wave(waveform: Waveform) -> Hashable:
    emitter = _Emitter()
    return waveform.emit(emitter), waveform.corners(emitter), emitter.count


def _empty_cells(Ms: ScalarParameter, mesh: Mesh) -> Hashable:
    """Return what tells which cells Ms = 0 leaves empty."""
    empty = frozenset(name for name, value in Ms.regions.items() if value == 0)
    if Ms.array is not None:
        return empty, (Ms.array > 0).tobytes()
    if Ms.file is not None:
        return empty, _empty_cells_of_file(Ms.file, _stamp(Ms.file), mesh)
    return empty, Ms.value == 0


def _stamp(path: Path) -> Hashable:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=4096)
def _empty_cells_of_file(path: Path, stamp: Hashable, mesh: Mesh) -> Hashable:
    """Return the empty cells, or the path of a file that cannot be read: the run itself will tell."""
    parameter = ScalarParameter(1.0, file=path)
    try:
        values = cell_values(parameter, quantity_of(Material, "Ms"), mesh)
    except MicromagError:
        return str(path)
    return np.packbits(values > 0).tobytes()


def _stage(config: RunConfig, stage: Stage) -> Hashable:
    kind = (type(stage).__name__, getattr(stage, "method", None), getattr(stage, "currents", None))
    if not stage.overrides:
        return kind
    staged = config.with_overrides(stage.overrides)
    return (*kind, tuple(stage.overrides), _terms(staged), _solver(staged))


def _solver(config: RunConfig) -> Hashable:
    return config.solver.method, config.solver.dt is None
