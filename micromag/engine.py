"""A model on a device: its arrays, its kernels, and what can be measured of its state."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from micromag.backend import Backend, Cells, Chunks, Items, Module, Source
from micromag.errors import ConfigError
from micromag.integrators import clock as clk
from micromag.integrators.clock import Status
from micromag.terms.base import DeviceState
from micromag.window import moved_state

if TYPE_CHECKING:
    from micromag.backend import Program
    from micromag.model import Model

T = TypeVar("T")

_MAX_CHUNKS = 256
"""Chunks of a sum, at most. Fixed by the mesh alone, so that sums do not depend on the batch."""


@dataclass(frozen=True)
class Measurement:
    """Sums over the magnet, one entry per replica.

    Attributes
    ----------
    m
        Mean of m over the magnetic cells, shape ``(replica, 3)``.
    energies
        Energy of each term [J], shape ``(replica, terms)``.
    max_torque
        Largest \\|m x B\\| with the torques written as fields [T], shape ``(replica,)``.
    """

    m: NDArray[np.float64]
    energies: NDArray[np.float64]
    max_torque: NDArray[np.float64]


class Engine:
    """The state of all replicas of a model on one device.

    Parameters
    ----------
    model
        What to compute.
    backend
        Where.
    slots
        Number of state arrays that the time stepper or the minimiser needs.
    frozen_time
        Waveforms keep the value of this time [s] (one number, or one per replica), as relaxation
        needs it; None lets them run.

    Attributes
    ----------
    work
        State arrays, shape ``(slot, replica, 3, nz, ny, nx)``; see ``kernels/clock.h``.
    constants
        Numbers of the waveforms, shape ``(replica, constant)``.
    noise
        Arrays of the terms that are noise, by name; the time stepper fills them.
    clock
        The device's record of every replica, shape ``(replica, column)``.
    """

    def __init__(
        self, model: Model, backend: Backend, slots: int, frozen_time: ArrayLike | None = None
    ) -> None:
        self.model = model
        self.frozen_time = frozen_time
        self.backend = backend
        self.dtype = np.dtype(np.float64 if model.precision == "double" else np.float32)
        nx, ny, nz = model.mesh.cells
        replicas = model.replicas
        self.cells = Cells(nx, ny, nz, replicas)
        self.chunks = Chunks(nx, ny, nz, replicas, min(ny * nz, _MAX_CHUNKS))
        self.items = Items(replicas)
        self.work = backend.zeros((slots, replicas, 3, nz, ny, nx), self.dtype)
        self.clock = backend.zeros((replicas, clk.columns()), np.float64)
        self._upload_tables()
        self.fields = {
            name: model.terms[int(member[1:])].make_nonlocal(model, backend)
            for member, name in model.layout.nonlocal_fields
        }
        self._arrays |= {name: operator.field for name, operator in self.fields.items()}
        members, noises = dict(model.layout.nonlocal_fields), model.layout.noises
        self._arrays |= {name: self.fields[members[m]].ends for m, name in model.layout.ends}
        self.noise = {name: backend.zeros(self.work.shape[1:], self.dtype) for _, name in noises}
        self._arrays |= self.noise
        self.state = DeviceState(self.work, self.clock, self.table, self.base_table)
        self._sums = 3 + model.layout.energies + 1
        self._partial = backend.zeros((replicas, self.chunks.nchunk, self._sums), np.float64)
        self._result = backend.zeros((replicas, self._sums), np.float64)
        self._refresh: Program | None = None
        self._modules: dict[str, Module] = {}
        self._prepared: dict[Hashable, Any] = {}

    def _upload_tables(self) -> None:
        model, backend = self.model, self.backend
        with np.errstate(over="ignore"):
            table = model.table.astype(self.dtype)
        if not np.isfinite(table).all():
            largest = model.table[~np.isfinite(table)][0]
            most = float(np.finfo(np.float64 if model.precision == "double" else np.float32).max)
            raise ConfigError(
                "a parameter does not fit the precision of the run",
                value=f"{largest:g} in SI units",
                allowed=f"numbers up to {most:.3g} in {model.precision} precision",
                next_step="check its unit, or set precision: double",
            )
        self.base_table = backend.upload(table)
        self.table = backend.upload(table)
        self.constants = backend.upload(
            model.wave_constants if model.wave_constants.size else np.zeros((model.replicas, 1))
        )
        self._arrays: dict[str, Any] = {
            name: backend.upload(np.ascontiguousarray(values, dtype=self.dtype))
            for name, values in model.arrays.items()
        }
        self._region = backend.upload(model.region_here.astype(np.uint32))

    def sources(self) -> list[Source]:
        """Return the translation units that every run needs."""
        names = ["observables.cu", *(["waveforms.cu"] if self.model.has_waves else [])]
        return [self.source(name) for name in names]

    def source(self, name: str, label: str = "", **definitions: Any) -> Source:
        """Return one translation unit of ``kernels/`` for this model."""
        text = self.model.kernel_text(name, definitions)
        return Source(label or name, text, {}, self.model.precision)

    def compile(self, extra: Sequence[Source]) -> list[Module]:
        """Compile the engine's own kernels and ``extra`` together; return the modules of the latter."""
        own = self.sources()
        modules = self.backend.compile([*own, *extra])
        self._bind_own(modules[0], modules[1] if len(own) > 1 else None)
        return modules[len(own) :]

    def _bind_own(self, observables: Module, waves: Module | None) -> None:
        self._wave_kernel = waves.kernel("update_parameters") if waves else None
        if self._wave_kernel is not None and self.frozen_time is not None:
            self.write_clock(t=self.frozen_time)
            self.backend.program(self._update_parameters(0.0)).run()
            self._wave_kernel = None
        current, operators = clk.slot("CURRENT"), self.fields.values()
        fields = [op.commands(self.state, current) for op in operators if not op.carries]
        updates = [*self._update_parameters(0.0), *(command for part in fields for command in part)]
        self._refresh = self.backend.program(updates) if updates else None
        measure = observables.kernel("measure").bind(
            self.chunks, *self.arguments(), self.clock, self.work, self._partial
        )
        fold = observables.kernel("fold_chunks").bind(
            Items(self.model.replicas * self._sums), self.chunks.nchunk, self._partial, self._result
        )
        self._measure = self.backend.program([measure, fold])
        self._observables = observables

    def arguments(self) -> list[Any]:
        """Return the model's part of the kernels' arguments."""
        layout = self.model.layout
        named = {"par": self.table, "region": self._region, **self._arrays}
        return [named[name] for name in layout.argument_names]

    def update(self, source: int, fraction: float) -> list[Any]:
        """Return the commands before an evaluation of slot ``source`` at t + fraction dt.

        They bring the time-dependent parameters and the nonlocal fields up to date.
        """
        commands = self._update_parameters(fraction)
        for operator in self.fields.values():
            commands += operator.commands(self.state, source)
        return commands

    def _update_parameters(self, fraction: float) -> list[Any]:
        if self._wave_kernel is None:
            return []
        layout = self.model.layout
        space = Items(self.model.replicas * layout.regions)
        tables = (self.base_table, self.table)
        arguments = (layout.regions, fraction, self.clock, self.constants, *tables)
        return [self._wave_kernel.bind(space, *arguments)]

    def start(self) -> None:
        """Bring what nonlocal fields carry from step to step up to date with the replicas that run."""
        for operator in self.fields.values():
            operator.start(self.state)

    def refresh(self) -> None:
        """Bring parameters and nonlocal fields up to date with the state as it is, of all replicas."""
        if self._refresh is not None:
            self._refresh.run()
        for operator in self.fields.values():
            if operator.carries:
                operator.refresh(self.state)

    # ---------------------------------------------------------------- state

    def read_clock(self) -> NDArray[np.float64]:
        """Return a copy of the clock, after all that was enqueued."""
        return self.backend.download(self.clock)

    def write_clock(self, **values: Any) -> None:
        """Set columns of the clock by name, one value or one per replica."""
        clock = self.read_clock()
        for name, value in values.items():
            clock[:, clk.column(name)] = value
        self.backend.write(self.clock, clock)

    def column(self, name: str) -> NDArray[np.float64]:
        """Return one column of the clock, shape ``(replica,)``."""
        return self.read_clock()[:, clk.column(name)]

    def status(self) -> list[Status]:
        """Return what each replica is doing."""
        return [Status(int(value)) for value in self.column("status")]

    def m(self, replica: int = 0) -> NDArray[Any]:
        """Return the magnetization of one replica, shape ``(3, nz, ny, nx)``."""
        return self.backend.download(self.m_on_device(replica))

    def m_on_device(self, replica: int = 0) -> Any:
        """Return the device's own array of one replica's magnetization."""
        return self.work[int(self.column("parity")[replica]), replica]

    def trial(self, replica: int = 0) -> NDArray[Any]:
        """Return the state that the last attempted step led to, accepted or not."""
        return self.backend.download(self.work[1 - int(self.column("parity")[replica]), replica])

    def set_m(self, m: NDArray[Any], replica: int = 0) -> None:
        """Set the magnetization of one replica; it is normalised, and 0 in empty cells."""
        values = np.asarray(m, dtype=np.float64) * self.model.filled(replica)
        length = np.sqrt((values**2).sum(axis=0))
        self.put_m((values / np.where(length > 0, length, 1)).astype(self.dtype), replica)

    def put_m(self, m: NDArray[Any], replica: int = 0) -> None:
        """Set the magnetization of one replica to unit vectors as they are, 0 in empty cells."""
        self.backend.write(self.m_on_device(replica), m)
        if self.model.layout.ends:
            for operator in self.fields.values():
                operator.update_ends(replica, m, self.model.Ms[replica])

    # ---------------------------------------------------------------- moving window

    @property
    def window_offset(self) -> NDArray[np.float64]:
        """How far the mesh of each replica has moved along x and y [m], shape ``(replica, 2)``.

        Positions in the laboratory are those in the mesh plus this.
        """
        return self.model.shifts * np.array(self.model.mesh.cell_size[:2])

    def move_window(self, replica: int, cells: int) -> None:
        """Move the mesh of one replica by whole cells along the window's axis.

        The magnet stays where it is in the laboratory: its state and all that belongs to places move
        through the mesh, and fresh cells continue the domain. dm/dt is that of before.
        """
        model, window = self.model, self.model.mesh.window
        assert window is not None
        m = self.m(replica)
        changed = model.move(replica, cells)
        for name in changed & model.arrays.keys():
            values = model.arrays[name][replica].astype(self.dtype)
            self.backend.write(self._arrays[name][replica], values)
        if "region" in changed:
            values = model.region_here[replica].astype(np.uint32)
            self.backend.write(self._region[replica], values)
        if "Ms" in changed:
            for operator in self.fields.values():
                operator.update_Ms(replica, model.Ms[replica])
        self.put_m(moved_state(m, cells, window.number, model.filled(replica)), replica)

    # ---------------------------------------------------------------- measuring

    def measure(self) -> Measurement:
        """Return the mean magnetization, the energies and the largest torque of every replica."""
        self.refresh()
        self._measure.run()
        sums = self.backend.download(self._result)
        cells = np.array([self.model.filled(i).sum() for i in range(self.model.replicas)])
        return Measurement(
            m=sums[:, :3] / cells[:, None],
            energies=sums[:, 3:-1] * self.model.mesh.cell_volume,
            max_torque=sums[:, -1].copy(),
        )

    def module(self, name: str) -> Module:
        """Return ``kernels/<name>`` compiled for this model, which happens when it is first needed."""
        if name not in self._modules:
            (self._modules[name],) = self.backend.compile([self.source(name)])
        return self._modules[name]

    def prepared(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what ``make`` returned when it was first called for this key.

        For commands and their arrays: binding one costs more than running it on a small mesh.
        """
        if key not in self._prepared:
            self._prepared[key] = make()
        found: T = self._prepared[key]
        return found

    def chosen(self, region: int | None) -> list[Any]:
        """Return the arguments of kernels that look at one region, or at all cells (None).

        They are clock, state, region numbers, the number wanted, and how far apart the replicas'
        region numbers lie, 0 where all share them.
        """
        stride = self.model.mesh.count if self._region.ndim == 4 else 0
        wanted = -1 if region is None else region
        return [self.clock, self.work, self._region, wanted, stride]

    def term_field(self, name: str, replica: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the field [T] and the energy density [J/m^3] of one energy term.

        Shapes ``(3, nz, ny, nx)`` and ``(nz, ny, nx)``; raises ValueError for an unknown name.
        """
        field, density = self.term_fields(name)
        return field[replica], density[replica]

    def term_fields(self, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the same of every replica, with the replica as the first axis."""
        number = self.model.energy_names.index(name)
        shape = (self.model.replicas, 3, *self.model.mesh.shape)
        field = self.backend.zeros(shape, self.dtype)
        density = self.backend.zeros((shape[0], *shape[2:]), self.dtype)
        command = self._observables.kernel("term_field").bind(
            self.cells, *self.arguments(), self.clock, self.work, number, field, density
        )
        self.refresh()
        command.run()
        return self.backend.download(field), self.backend.download(density)

    def quantity_fields(self, name: str) -> list[NDArray[Any]]:
        """Return a vector field that a term's operator knows, of every replica; 0 where it does not act.

        Shape ``(3, nz, ny, nx)`` each; see `micromag.terms.base.Term.quantities`.
        """
        for member, array in self.model.layout.nonlocal_fields:
            if name in self.model.terms[int(member[1:])].quantities:
                return self.fields[array].quantity(name, self.state)
        return [np.zeros((3, *self.model.mesh.shape))] * self.model.replicas

    def torque_field(self, replica: int = 0) -> NDArray[Any]:
        r"""Return -m x B_eff of every cell with the torques written as fields [T].

        Shape ``(3, nz, ny, nx)``; its largest length is `Measurement.max_torque`.
        """
        field = self.backend.zeros((self.model.replicas, 3, *self.model.mesh.shape), self.dtype)
        command = self._observables.kernel("torque_field").bind(
            self.cells, *self.arguments(), self.clock, self.work, field
        )
        self.refresh()
        command.run()
        return self.backend.download(field)[replica]
