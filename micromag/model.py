"""The right-hand side dm/dt of a run: mesh, materials and terms as tables and kernel text.

A `Model` is host data only: NumPy tables, per-cell arrays, and the text of the kernels that read
them. The engine puts it on a device.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micromag.backend.source import assemble
from micromag.codegen import Layout, Slot, corners_text, model_text, waves_text
from micromag.derived import with_total_damping
from micromag.errors import ConfigError
from micromag.ground import Ground, Terrain, is_endless
from micromag.parameters import Parameter, VectorParameter
from micromag.permission import require_permission
from micromag.terms import unique_names

if TYPE_CHECKING:
    from micromag.config import RunConfig
    from micromag.terms.base import Term

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Waves:
    """The parameters that depend on time: table columns, constants, and the text that evaluates.

    ``corners`` is the text that finds the next time at which a step has to end (``has_corners`` tells
    whether there are any), and ``longest_step`` [s] what no step may exceed; see
    `micromag.excitation.base.Waveform`.
    """

    columns: list[int]
    constants: list[float]
    text: str
    corners: str
    has_corners: bool
    longest_step: float


class _Constants:
    """Collects the numbers of waveforms, which stay data: see `micromag.excitation.base`."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def constant(self, value: float) -> str:
        self.values.append(float(value))
        return f"w[{len(self.values) - 1}]"

    def table(self, ts: Sequence[float], ys: Sequence[float]) -> str:
        first = len(self.values)
        self.values += [float(len(ts)), *map(float, ts), *map(float, ys)]
        return f"interpolate(w + {first}, t)"

    def times(self, times: Sequence[float], period: float = math.inf) -> str:
        first = len(self.values)
        self.values += [float(len(times)), float(period), *map(float, times)]
        return f"next_time(w + {first}, t)"


class Model:
    """Mesh, materials and terms of one or more replicas that share a structure.

    Parameters
    ----------
    configs
        One configuration per replica. They may differ in values only.
    currents
        False leaves the torques out, as relaxation does.
    noise
        False leaves out what is random, as relaxation does.
    shifts
        How far the window of each replica has moved along x and y [cells], shape ``(replica, 2)``;
        not at all by default.

    Attributes
    ----------
    terms
        Energy terms, noise and torques, in the order of the run file.
    names
        Name of each, its key, with a number where a kind occurs more than once.
    table
        Parameters, shape ``(replica, region, column)``.
    arrays
        Per-cell arrays by name, shape ``(replica, 1 or 3, nz, ny, nx)``.
    region
        Number of the region of every cell before any window moves, shape ``(nz, ny, nx)``.
    magnetic
        Cells with Ms > 0 before any window moves, shape ``(nz, ny, nx)``; `filled` knows the present.
    longest_step
        Step that the waveforms of each replica allow [s], shape ``(replica,)``.
    Ms
        Saturation magnetization [A/m], shape ``(replica, nz, ny, nx)``, 0 in empty cells.
    shifts
        As given, and as `move` has changed it since.

    Raises
    ------
    ConfigError
        No cell is magnetic, or the replicas differ in structure.
    UnreadableInputError
        A file with values per cell cannot be read.
    """

    def __init__(
        self,
        configs: Sequence[RunConfig],
        *,
        currents: bool = True,
        noise: bool = True,
        shifts: NDArray[np.int64] | None = None,
    ) -> None:
        configs = [with_total_damping(config) for config in configs]
        first = configs[0]
        self.configs = tuple(configs)
        self.mesh = first.mesh
        self.precision = first.precision
        named = _acting(first, currents, noise)
        self.terms: list[Term] = [first.resolved(term) for _, term in named]
        self.names = unique_names([key for key, _ in named])
        self._terrain = Terrain(self.mesh, first)
        self.region, self.region_names = self._terrain.regions
        self.layout, self.waves = _lay_out(first, self.terms, len(self.region_names))
        mine = (self.layout, self.waves)
        self._terms: list[list[Term]] = []
        tables, constants, steps = [], [], []
        for config in configs:
            terms = [config.resolved(term) for _, term in _acting(config, currents, noise)]
            self._terms.append(terms)
            layout, waves = _lay_out(config, terms, len(self.region_names))
            texts = [(model_text(x), w.text, w.corners) for x, w in (mine, (layout, waves))]
            if texts[0] != texts[1]:
                raise ConfigError(
                    "the replicas of a batch differ in more than values",
                    allowed="the same terms, regions and forms of every parameter",
                )
            tables.append(self._table(config, terms))
            constants.append(waves.constants)
            steps.append(waves.longest_step)
        self.table: FloatArray = np.stack(tables)
        self.wave_constants: FloatArray = np.array(constants, dtype=np.float64)
        self.longest_step: FloatArray = np.array(steps)
        self.magnetic = self._terrain.magnetic(configs)
        self.shifts = np.zeros((len(configs), 2), np.int64) if shifts is None else shifts.copy()
        grounds = [self._ground(i) for i in range(len(configs))]
        self.Ms: FloatArray = np.stack([ground.Ms for ground in grounds])
        self.arrays: dict[str, FloatArray] = {
            name: np.stack([ground.arrays[name] for ground in grounds])
            for name in grounds[0].arrays
        }
        self.region_here = (
            self.region if self.mesh.window is None else np.stack([g.region for g in grounds])
        )
        """Number of the region of every cell now: `region`, or with a window one per replica."""

    def _ground(self, replica: int) -> Ground:
        sx, sy = map(int, self.shifts[replica])
        config, terms = self.configs[replica], self._terms[replica]
        return self._terrain.ground(config, terms, self.layout, (sx, sy))

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Cells that the geometry fills, magnetic or not, before any window moves; ``(nz, ny, nx)``."""
        return self._terrain.inside

    def terms_of(self, replica: int) -> list[Term]:
        """Return `terms` with the values of one replica."""
        return self._terms[replica]

    @property
    def replicas(self) -> int:
        """Number of replicas."""
        return len(self.configs)

    @property
    def can_be_empty(self) -> bool:
        """Whether there are empty cells, or a moving window may come to some."""
        if self.mesh.window is None or not self.magnetic.all():
            return not self.magnetic.all()
        return not all(is_endless(config) for config in self.configs)

    def filled(self, replica: int) -> NDArray[np.bool_]:
        """Return the cells of one replica that are magnetic now, shape ``(nz, ny, nx)``."""
        return self.magnetic if self.mesh.window is None else self.Ms[replica] > 0

    def move(self, replica: int, cells: int) -> set[str]:
        """Move the window of one replica by some cells along its axis.

        Returns the names of what has changed: ``region``, ``Ms`` and names of `arrays`.
        """
        assert self.mesh.window is not None
        self.shifts[replica, self.mesh.window.number] += cells
        ground = self._ground(replica)
        new: dict[str, NDArray[Any]] = {"region": ground.region, "Ms": ground.Ms, **ground.arrays}
        old: dict[str, NDArray[Any]] = {"region": self.region_here, "Ms": self.Ms, **self.arrays}
        changed = {name for name in new if not np.array_equal(old[name][replica], new[name])}
        for name in changed:
            old[name][replica] = new[name]
        return changed

    @property
    def energy_names(self) -> list[str]:
        """Names of the energy terms, in the order of the kernels' sums."""
        return [n for n, t in zip(self.names, self.terms, strict=True) if t.kind == "energy"]

    @property
    def has_waves(self) -> bool:
        """Whether any parameter depends on time."""
        return bool(self.waves.columns)

    def kernel_text(self, name: str, definitions: Mapping[str, Any] | None = None) -> str:
        """Return the text of ``kernels/<name>`` for this model.

        ``definitions`` are macros, put in front of everything. Raises ConfigError where a term is code
        of the run file and may not run.
        """
        if any(term.runs_code for term in self.terms):
            require_permission(self.configs[0])
        macros = {
            "DIMENSIONS": 2 if self.mesh.cells[2] == 1 else 3,
            "HAS_EMPTY": int(self.can_be_empty),
            **{f"PERIODIC_{a}": int(p > 0) for a, p in zip("XYZ", self.mesh.periodic, strict=True)},
            **({"TWISTS": 1} if self.layout.twists else {}),
            **({f"CUT_{self.mesh.window.axis.upper()}": 1} if self.mesh.window else {}),
            **(definitions or {}),
        }
        prefix = "".join(f"#define {key} {value}\n" for key, value in macros.items())
        generated = {
            "model.cuh": model_text(self.layout),
            "waves.cuh": self.waves.text,
            "corners.cuh": self.waves.corners,
        }
        text = assemble(name, prefix=prefix, generated=generated)
        return text.replace("MODEL_ARGUMENTS", self.layout.arguments)

    def _table(self, config: RunConfig, terms: Sequence[Term]) -> FloatArray:
        table = np.zeros((len(self.region_names), self.layout.width))
        given: dict[str, Any] = {
            "gamma": config.material.gamma,
            **{f"inv_d{a}": 1 / d for a, d in zip("xyz", self.mesh.cell_size, strict=True)},
            "alpha": config.material.alpha,
            "Ms": config.material.Ms,
        }
        for i, term in enumerate(terms):
            given |= {f"t{i}.{name}": value for name, value in term.parameters().items()}
        for slot in self.layout.slots:
            columns = slice(slot.offset, slot.offset + slot.components)
            for row, region in enumerate(self.region_names):
                if slot.member == "inv_Ms":
                    Ms = config.material.Ms.of_region(region)
                    table[row, columns] = 1 / Ms if Ms > 0 else 0
                    continue
                value = given[slot.member]
                table[row, columns] = (
                    value.of_region(region) if isinstance(value, Parameter) else value
                )
        return table


def _acting(config: RunConfig, currents: bool, noise: bool) -> list[tuple[str, Term]]:
    """Return the terms that act, with their keys."""
    fields = [(key, term) for key, term in config.energy if noise or term.kind != "noise"]
    return [*fields, *(config.torques if currents else ())]


def _lay_out(config: RunConfig, terms: Sequence[Term], regions: int) -> tuple[Layout, Waves]:
    """Return where every parameter goes, and what depends on time."""
    windowed = config.mesh.window is not None
    layout = Layout(terms=list(terms), regions=regions, regions_per_replica=windowed)
    constants = _Constants()
    waves: list[tuple[str, list[int]]] = []
    corners: list[str] = []
    longest_step = math.inf

    def add(member: str, parameter: Parameter | None, seen: bool = True) -> None:
        nonlocal longest_step
        count = 3 if isinstance(parameter, VectorParameter) else 1
        data = None
        if parameter is not None and parameter.is_per_cell and seen:
            data = f"data_{len(layout.arrays)}"
            layout.arrays.append(data)
        by_region = parameter is not None and bool(parameter.regions)
        layout.slots.append(Slot(member, layout.width, count, by_region, data))
        if parameter is not None and parameter.waveform is not None:
            columns = list(range(layout.width, layout.width + count))
            waves.append((parameter.waveform.emit(constants), columns))
            corners.extend(filter(None, [parameter.waveform.corners(constants)]))
            longest_step = min(longest_step, parameter.waveform.longest_step())
        layout.width += count

    for name in ("gamma", "inv_dx", "inv_dy", "inv_dz"):
        add(name, None)
    add("alpha", config.material.alpha)
    add("Ms", config.material.Ms)
    layout.slots.append(Slot("inv_Ms", layout.width, 1, bool(config.material.Ms.regions)))
    layout.width += 1
    for i, term in enumerate(terms):
        for name, parameter in term.parameters().items():
            seen = name not in term.unseen
            if (
                seen or parameter.waveform is not None
            ):  # whose factor the operator takes from the table
                add(f"t{i}.{name}", parameter, seen)
            if name in term.interface and not parameter.is_uniform:
                array = f"faces_{i}_{name}"
                layout.faces.append((f"t{i}.{name}", array))
                layout.arrays.append(array)
        if term.kind == "noise":
            layout.noises.append((f"t{i}", f"noise_{i}"))
            layout.arrays.append(f"noise_{i}")
        if term.needs_field:
            layout.nonlocal_fields.append((f"t{i}", f"field_{i}"))
            layout.arrays.append(f"field_{i}")
            if config.mesh.window is not None:
                layout.ends.append((f"t{i}", f"ends_{i}"))
                layout.arrays.append(f"ends_{i}")
    count = len(constants.values)
    text, corner_text = waves_text(waves, count, layout.width), corners_text(corners, count)
    columns = [column for _, group in waves for column in group]
    return layout, Waves(columns, constants.values, text, corner_text, bool(corners), longest_step)
