"""Every variant of the kernels that runs are likely to need, as the texts that a backend is given.

A backend that only writes down what it should compile stands in for a device, so the list of
kernels is the engine's own and cannot fall behind it. Terms come from the registry: a new one is
covered by being there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError
from term_examples import accepts, example, variants

from micromag.backend.base import Kernel, Module, Program, Source
from micromag.backend.cpu import CpuBackend, CpuKernel, CpuModule
from micromag.backend.signature import Signature
from micromag.config import Minimize, Relax, Run, RunConfig, load_config
from micromag.integrators.minimizer import Minimizer
from micromag.integrators.runge_kutta import RungeKutta
from micromag.integrators.tableaus import TABLEAUS
from micromag.model import Model
from micromag.terms import TERMS, Term

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
REGION = "left"


@dataclass(frozen=True)
class Structure:
    """A structure of a run file: what decides the text of the kernels."""

    name: str
    config: RunConfig


# -------------------------------------------------------------------- what a run compiles


class _UncompiledModule(CpuModule):
    """Knows its kernels and checks the arguments of launches, but there is nothing to launch."""

    def __init__(self, source: Source) -> None:
        Module.__init__(self, source)
        self.threads = 1

    def _kernel(self, signature: Signature) -> Kernel:
        return _UncompiledKernel(self, signature)


class _UncompiledKernel(CpuKernel):
    def __init__(self, module: CpuModule, signature: Signature) -> None:
        Kernel.__init__(self, signature, module.source.precision)
        self.module = module
        self.address = 0


class _NoProgram(Program):
    def run(self, times: int = 1) -> None: ...


class RecordingBackend(CpuBackend):
    """Keeps the sources that it is asked to compile."""

    def __init__(self) -> None:
        super().__init__(threads=1)
        self.sources: list[Source] = []

    def compile(self, sources: Sequence[Source]) -> list[Module]:
        self.sources += sources
        return [_UncompiledModule(source) for source in sources]

    def program(self, steps: Sequence[Any]) -> Program:
        return _NoProgram()


ON_DEMAND = ("wall.cu", "wall_motion.cu", "texture.cu")
"""Translation units that an engine compiles when a column of the table needs them."""


def sources_of(config: RunConfig) -> list[Source]:
    """Return the translation units that the schedule of ``config`` makes a device compile.

    Those of the columns that follow walls, skyrmions and cores are among them, asked for or not.
    """
    backend = RecordingBackend()
    for stage in config.schedule:
        if isinstance(stage, Run):
            tableau = TABLEAUS[config.solver.method]
            engine = RungeKutta(Model([config]), backend, tableau, dt=config.solver.dt).engine
        elif isinstance(stage, Relax):
            model = Model([config], currents=stage.currents, noise=False)
            tableau = TABLEAUS[stage.method]
            engine = RungeKutta(model, backend, tableau, relax=True, frozen_time=0.0).engine
        elif isinstance(stage, Minimize):
            model = Model([config], currents=False, noise=False)
            engine = Minimizer(model, backend, stage.max_torque).engine
        for name in ON_DEMAND:
            engine.module(name)
    return backend.sources


def distinct_sources(structures: Iterable[Structure]) -> list[tuple[str, Source]]:
    """Return every different translation unit, named after the first structure that needs it."""
    found: dict[tuple[str, str], tuple[str, Source]] = {}
    for structure in structures:
        for source in sources_of(structure.config):
            name = f"{structure.name}: {source.name}"
            found.setdefault((source.text, source.precision), (name, source))
    return list(found.values())


# -------------------------------------------------------------------- forms of parameters


def by_region(cls: type[Term], form: dict[str, Any]) -> dict[str, Any]:
    """Return ``form`` with all that a parameter may depend on, but cells."""
    wave = {"sine": {"frequency": 1e9}}
    for name in cls.declared_parameters().keys() & form.keys():
        regions = {"default": form[name], REGION: form[name]}
        pairs = {**regions, f"default:{REGION}": form[name]}
        candidates: list[Any] = [{"value": v, "waveform": wave} for v in (pairs, regions)]
        for candidate in [*candidates, pairs, regions]:
            if accepts(cls, {**form, name: candidate}):
                form = {**form, name: candidate}
                break
    return form


def by_cell(cls: type[Term], form: dict[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
    """Return ``form`` with an array of values per cell for every parameter."""
    arrays = {name: np.asarray(form[name]) for name in cls.declared_parameters() if name in form}
    return form | {
        name: np.broadcast_to(array[..., None, None, None], (*array.shape, *shape))
        for name, array in arrays.items()
    }


# -------------------------------------------------------------------- structures

Terms = list[tuple[type[Term], dict[str, Any]]]

_SHORT = {"method": "heun", "dt": 1e-14}
"""Two stages show all that a term alone can do to a stage; the others differ in their weights."""


def _config(terms: Terms, grid: Mapping[str, Any], **sections: Any) -> RunConfig:
    parts: dict[str, list[Any]] = {"energy": [], "noise": [], "torque": []}
    for cls, form in terms:
        parts[cls.kind].append(cls.model_validate(form))
    data = {
        "material": {"Ms": 8e5, "alpha": 0.1},
        "initial": {"uniform": {"direction": "+z"}},
        "schedule": [{"run": {"for": 1e-9}}, "minimize"],
        "solver": {"max_dt": 1e-13},  # which noise needs
        "energy": parts["energy"] + parts["noise"],
        "torques": parts["torque"],
        **grid,
        **sections,
    }
    return RunConfig.model_validate(data).allowing_custom_code()


def _grids() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the run file's precision and mesh: float and double, 2-D and 3-D, open and periodic."""
    for precision, layers, images in product(["single", "double"], [1, 3], [0, 1]):
        name = f"{precision}, {2 if layers == 1 else 3}-D, {'periodic' if images else 'open'}"
        mesh = {"cells": [8, 4, layers], "cell_size": [4e-9] * 3, "periodic": [images] * 3}
        yield name, {"precision": precision, "mesh": mesh}


def all_terms() -> Terms:
    """Return every registered term with as many parameters as it takes."""
    largest = {key: max(variants(key), key=lambda v: len(v.names)) for key in TERMS.keys()}
    return [(TERMS.get(key), example(TERMS.get(key), v)) for key, v in largest.items()]


def term_structures() -> Iterator[Structure]:
    """Yield no term, each term alone in each of its variants, and all together, on every grid.

    All terms come three times: uniform, by region with waveforms and empty cells, and by cell. A
    term alone is compiled for a method of two stages.
    """
    everything = all_terms()
    half = {REGION: {"box": {"size": [8e-9, 1, 1]}}}
    for name, grid in _grids():
        shape = tuple(reversed(grid["mesh"]["cells"]))
        yield Structure(f"no term, {name}", _config([], grid))
        for key in TERMS.keys():
            cls = TERMS.get(key)
            for given in variants(key):
                terms = [(cls, example(cls, given))]
                yield Structure(f"{key} ({given}), {name}", _config(terms, grid, solver=_SHORT))
        yield Structure(f"all terms, {name}", _config(everything, grid))
        regional = [(cls, by_region(cls, form)) for cls, form in everything]
        material = {"Ms": {"default": 8e5, REGION: 4e5}, "alpha": {"default": 0.1, REGION: 0.2}}
        yield Structure(
            f"all terms by region, {name}",
            _config(
                regional,
                grid,
                material=material,
                regions=half,
                geometry={"ellipse": {"size": [30e-9, 15e-9]}},
            ),
        )
        local = [(cls, by_cell(cls, form, shape)) for cls, form in everything]
        material = {"Ms": np.full(shape, 8e5), "alpha": np.full(shape, 0.1)}
        yield Structure(f"all terms by cell, {name}", _config(local, grid, material=material))


def method_structures() -> Iterator[Structure]:
    """Yield every Runge-Kutta method with all terms, with its error estimate and with fixed steps."""
    _, grid = next(_grids())
    for method, tableau in TABLEAUS.items():
        for dt in [1e-14] if tableau.error_weights is None else [None, 1e-14]:
            solver = {"method": method, **({"max_dt": 1e-13} if dt is None else {"dt": dt})}
            schedule = [{"run": {"for": 1e-9}}]
            if tableau.error_weights is not None:
                schedule.append({"relax": {"method": method}})  # type: ignore[dict-item]
            config = _config(all_terms(), grid, solver=solver, schedule=schedule)
            yield Structure(f"all terms, {method}{', fixed step' if dt else ''}", config)


def _goes_with(term: tuple[type[Term], Any], grid: Mapping[str, Any], sections: Any) -> bool:
    """Return whether a run file with this mesh takes the term; some refuse a moving window."""
    try:
        _config([term], grid, **sections)
    except ValidationError:
        return False
    return True


def window_structures() -> Iterator[Structure]:
    """Yield a moving window that follows each kind of texture, with all terms, along x and y."""
    half = {REGION: {"box": {"size": [8e-9, 1, 1]}}}
    regional = [(cls, by_region(cls, form)) for cls, form in all_terms()]
    material = {"Ms": {"default": 8e5, REGION: 4e5}, "alpha": 0.1}
    for precision, layers, follow, axis in [
        ("single", 1, "wall", "x"),
        ("single", 3, "skyrmion", "y"),
        ("double", 1, "core", "x"),
    ]:
        mesh = {
            "cells": [8, 8, layers],
            "cell_size": [4e-9] * 3,
            "window": {"follow": follow, "axis": axis},
        }
        grid = {"precision": precision, "mesh": mesh}
        sections = {"material": material, "regions": half}
        everything = [term for term in regional if _goes_with(term, grid, sections)]
        name = f"all terms, window along {axis} on a {follow}"
        yield Structure(name, _config(everything, grid, **sections))


def config_structures() -> Iterator[Structure]:
    """Yield every shipped run file as it is, then moved to every grid."""
    for path in sorted(CONFIGS.glob("*.yaml")):
        config = load_config(path)
        yield Structure(path.name, config)
        for name, grid in _grids():
            nx, ny, _ = config.mesh.cells
            mesh = {**grid["mesh"], "cells": [nx, ny, grid["mesh"]["cells"][2]]}
            del mesh["cell_size"]
            if config.mesh.window:  # moves along an axis that is not periodic
                mesh["periodic"][config.mesh.window.number] = 0
            moved = config.with_overrides({"precision": grid["precision"], "mesh": mesh})
            yield Structure(f"{path.name}, {name}", moved)


OPPOSITE = ("single, 3-D, open", "double, 2-D, periodic")
"""Two grids that have everything in which grids differ."""


def thinned(structures: Iterable[Structure]) -> Iterator[Structure]:
    """Yield those of the structures that come on every grid on the two that are opposite, and all others."""
    names = tuple(name for name, _ in _grids())
    for structure in structures:
        if structure.name.endswith(OPPOSITE) or not structure.name.endswith(names):
            yield structure


def all_structures() -> Iterator[Structure]:
    """Yield everything above."""
    yield from term_structures()
    yield from method_structures()
    yield from window_structures()
    yield from config_structures()
