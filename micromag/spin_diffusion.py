"""The spin accumulation on a device: solved before every evaluation of the torque that it exerts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from micromag.backend.base import Backend, Cells, Chunks, Items, Kernel, Program, Source
from micromag.backend.source import enumerators
from micromag.errors import NumericalError
from micromag.integrators import clock as clk
from micromag.terms.base import DeviceState, NonlocalField
from micromag.transport.conductors import (
    LENGTH,
    POTENTIAL,
    Layers,
    Materials,
    iterations,
    layers_of,
)

if TYPE_CHECKING:
    from micromag.model import Model

FloatArray = NDArray[np.float64]

DUE, RUN, ALL = range(3)
"""Choices of replicas, as ``Choice`` in the kernels."""
SLACK = 100.0
"""A replica fails whose solution is worse than allowed by more than this factor."""
START = 25
"""So many times as many iterations are allowed from no solution at all, and where something is measured."""
TOLERANCES = {"single": 1e-5, "double": 1e-7}
"""Residual of the equation relative to the spin accumulation, by precision."""
_MAX_CHUNKS = 256
_VECTORS = 7
_KERNELS = (
    "begin_solution", "prepare_solution", "apply_matrix", "choose_direction", "step_halfway", "step_on",
    "products", "judge_start", "set_alpha", "set_omega", "judge_step", "end_solution", "spin_field",
    "copy_potential",
)  # fmt: skip
_COLUMNS = enumerators("spin_diffusion.cu", "SolverColumn")


class Conductor(Protocol):
    """What the operator asks of the term that it belongs to, `micromag.terms.transport.Transport`."""

    sub_cells: int | None
    every: int | None
    tolerance: float | None
    max_iterations: int | None

    @property
    def mixes(self) -> bool: ...

    def materials(self, model: Model, replica: int) -> Materials: ...

    def planes(
        self, model: Model, replica: int, materials: Materials, layers: Layers
    ) -> FloatArray: ...

    def quantity(
        self, name: str, model: Model, replica: int, V: FloatArray, t: float
    ) -> FloatArray: ...


class SpinAccumulation(NonlocalField):
    r"""The spin potential of all replicas, found by iteration from that of the evaluation before.

    Parameters
    ----------
    model, backend
        The system, and where it is computed.
    terms
        The term as every replica has it.
    number
        Which of the model's terms it is.

    Attributes
    ----------
    field
        X with the torque per volume `micromag.transport.conductors.TORQUE` m x X, device array of the
        shape ``(replica, 3, nz, ny, nx)``.
    layers
        Sub-cells along z; their number is the same in all replicas.
    potential
        W, the spin potential in units of `micromag.transport.conductors.POTENTIAL` for the current
        without its waveform, device array of the shape ``(replica, 3, layer, ny, nx)``.
    """

    carries: ClassVar[bool] = True

    def __init__(
        self, model: Model, backend: Backend, terms: Sequence[Conductor], number: int
    ) -> None:
        term = terms[0]
        self._model, self._backend, self._term, self._terms = model, backend, term, terms
        nx, ny, nz = model.mesh.cells
        replicas = model.replicas
        dtype = np.dtype(np.float64 if model.precision == "double" else np.float32)
        materials = [t.materials(model, i) for i, t in enumerate(self._terms)]
        self.layers = layers_of(materials, model.mesh, term.sub_cells)
        count = self.layers.count
        data = [t.planes(model, i, materials[i], self.layers) for i, t in enumerate(self._terms)]
        shared = all(np.array_equal(other, data[0]) for other in data[1:])
        stacked = np.stack(data[:1] if shared else data)
        self._conductors = (
            backend.upload(stacked.astype(dtype)),
            0 if shared else stacked[0].size,
            backend.upload(self.layers.columns().astype(dtype)),
            backend.upload(self.layers.parent),
            count,
            *(edge / LENGTH for edge in model.mesh.cell_size[:2]),
        )
        self._first = backend.upload(self.layers.first)
        self._plane = Cells(nx, ny, 1, replicas)
        self._all = Cells(nx, ny, count, replicas)
        self._mesh = Cells(nx, ny, nz, replicas)
        self._items = Items(replicas)
        self._chunks = Chunks(nx, ny, count, replicas, min(ny * count, _MAX_CHUNKS))
        shape = (replicas, 3, count, ny, nx)
        self.field = backend.zeros((replicas, 3, nz, ny, nx), dtype)
        self.potential = backend.zeros(shape, dtype)
        self._kept, self._residual, self._shadow, self._direction, self._v, self._t = (
            backend.zeros(shape, dtype) for _ in range(_VECTORS - 1)
        )
        self._factors = backend.zeros((replicas, 9, count, ny, nx), dtype)
        self._partial = backend.zeros((replicas, self._chunks.nchunk, 3), np.float64)
        solver = np.zeros((replicas, len(_COLUMNS) - 1))
        solver[:, _column("solved_at")] = -np.inf
        self._solver = backend.upload(solver)
        self._pending = self._solver[:, _column("active")]
        self._tolerance = term.tolerance or TOLERANCES[model.precision]
        wanted = [iterations(one, model.mesh) for one in materials]
        self._most = term.max_iterations or max(wanted)
        self._table = _wave_columns(model, number)
        self._kernels = self._compile()
        self._programs: dict[int, tuple[Program, Program]] = {}

    def _compile(self) -> dict[str, Kernel]:
        macros = {"MIXING": int(self._term.mixes)}
        text = self._model.kernel_text("spin_diffusion.cu", macros)
        source = Source("spin_diffusion.cu", text, {}, self._model.precision)
        (module,) = self._backend.compile([source])
        return {name: module.kernel(name) for name in _KERNELS}

    # ---------------------------------------------------------------- see the base class

    def commands(self, state: DeviceState, source: int) -> list[Any]:
        """See the base class."""
        most, pending = self._most, self._pending
        return [
            *self._begin(state, source, DUE),
            *self._backend.repeat(self._iteration(state, source), most, pending),
            self._kernels["end_solution"].bind(
                self._items, SLACK * self._tolerance, self._solver, state.clock
            ),
            self._torque(state, source),
        ]

    def start(self, state: DeviceState) -> None:
        """See the base class; raises NumericalError where the iteration does not converge."""
        self._solve(state, RUN)

    def refresh(self, state: DeviceState) -> None:
        """See the base class; raises NumericalError where the iteration does not converge."""
        kernels, field = self._kernels, self._torque(state, clk.slot("CURRENT"))
        keep = kernels["copy_potential"].bind(self._all, self.potential, self._kept)
        restore = kernels["copy_potential"].bind(self._all, self._kept, self.potential)
        keep.run()
        self._solve(state, ALL)
        field.run()
        restore.run()

    def quantity(self, name: str, state: DeviceState) -> list[FloatArray]:
        """See the base class; of the present state, the mean over the sub-cells of a cell."""
        keep = self._backend.download(self.potential)
        self._solve(state, ALL)
        W = self._backend.download(self.potential).astype(np.float64)
        self._backend.write(self.potential, keep)
        first = self.layers.first[:-1]
        means = np.add.reduceat(W, first, axis=2) / np.diff(self.layers.first)[:, None, None]
        t = self._backend.download(state.clock)[:, clk.column("t")]
        return [
            self._terms[i].quantity(name, self._model, i, POTENTIAL * means[i], float(t[i]))
            for i in range(len(means))
        ]

    def describe_failure(self, replica: int, when: str) -> NumericalError | None:
        """See the base class."""
        failure = self._backend.download(self._solver)[replica, _column("failure")]
        if not failure:
            return None
        return unsolved(failure, self._most, f"torques.transport, {when}")

    # ---------------------------------------------------------------- solving

    def _solve(self, state: DeviceState, choice: int) -> None:
        """Iterate until the replicas chosen are solved; the host waits."""
        if choice not in self._programs:
            begin = self._backend.program(self._begin(state, clk.slot("CURRENT"), choice))
            some = [*self._iteration(state, clk.slot("CURRENT"))] * self._most
            self._programs[choice] = begin, self._backend.program(some)
        begin, iterate = self._programs[choice]
        begin.run()
        for _ in range(START):
            solver = self._backend.download(self._solver)
            pending = np.flatnonzero(solver[:, _column("active")])
            if not len(pending):
                return
            iterate.run()
        residual, size = (solver[pending[0], _column(name)] for name in ("residual", "size"))
        with np.errstate(divide="ignore", invalid="ignore"):
            error = float(np.sqrt(residual / size))
        raise unsolved(error, START * self._most)

    def _begin(self, state: DeviceState, source: int, choice: int) -> list[Any]:
        """Return the commands that find the residual at slot ``source`` of the work array."""
        kernels, solver, residual = self._kernels, self._solver, self._residual
        magnet = (state.clock, state.work, source)
        return [
            kernels["begin_solution"].bind(
                self._items, state.clock, choice, self._term.every or 0, solver
            ),
            kernels["prepare_solution"].bind(
                self._plane,
                *self._conductors,
                *magnet,
                solver,
                self.potential,
                self._factors,
                residual,
            ),
            self._products(residual, residual, residual, self.potential),
            self._judge("judge_start"),
        ]

    def _iteration(self, state: DeviceState, source: int) -> list[Any]:
        kernels, solver, residual = self._kernels, self._solver, self._residual
        p, v, t = self._direction, self._v, self._t

        def image(of: Any, into: Any) -> Any:
            magnet = (state.clock, state.work, source)
            return kernels["apply_matrix"].bind(
                self._plane, *self._conductors, *magnet, solver, self._factors, of, into
            )

        def fold(name: str) -> Any:
            return kernels[name].bind(self._items, self._chunks.nchunk, self._partial, solver)

        return [
            kernels["choose_direction"].bind(self._all, solver, residual, v, p, self._shadow),
            image(p, v),
            self._products(self._shadow, v, v, v),
            fold("set_alpha"),
            kernels["step_halfway"].bind(self._all, solver, v, residual),
            image(residual, t),
            self._products(t, residual, t, t),
            fold("set_omega"),
            kernels["step_on"].bind(self._all, solver, p, t, residual, self.potential),
            self._products(self._shadow, residual, residual, self.potential),
            self._judge("judge_step"),
        ]

    def _products(self, a: Any, b: Any, c: Any, d: Any) -> Any:
        return self._kernels["products"].bind(self._chunks, self._solver, a, b, c, d, self._partial)

    def _judge(self, name: str) -> Any:
        numbers = (self._chunks.nchunk, self._tolerance, self._partial, self._solver)
        return self._kernels[name].bind(self._items, *numbers)

    def _torque(self, state: DeviceState, source: int) -> Any:
        return self._kernels["spin_field"].bind(
            self._mesh,
            *self._conductors,
            state.clock,
            state.work,
            source,
            self._first,
            self.potential,
            state.table,
            state.base_table,
            *self._table,
            self.field,
        )


def unsolved(error: float, most: int, where: str = "torques.transport") -> NumericalError:
    """Return the error of a replica whose spin accumulation has this relative residual."""
    return NumericalError(
        "the spin accumulation does not converge",
        where=where,
        value=f"relative residual {error:.2g} after {most} iterations",
        next_step="raise max_iterations or tolerance, or try precision: double; spin diffusion lengths "
        "of hundreds of cells make it slow",
    )


def operator_bytes(cells: tuple[int, int, int], layers: int, planes: int, itemsize: int) -> int:
    """Return the memory of the operator on a mesh of (nx, ny, nz) cells [bytes]."""
    nx, ny, nz = cells
    vectors = 3 * _VECTORS + 9
    return nx * ny * ((planes + 3) * nz + vectors * layers) * itemsize


def _wave_columns(model: Model, number: int) -> tuple[int, int, int]:
    """Return rows and width of a replica's table of parameters, and where J is; -1 without a waveform."""
    layout = model.layout
    places = {slot.member: slot.offset for slot in layout.slots}
    return layout.regions, layout.width, places.get(f"t{number}.J", -1)


def _column(name: str) -> int:
    return _COLUMNS.index(f"SOLVER_{name.upper()}")
