"""The Python interface: a run built from objects or from a run file, stage by stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micromag.backend import Backend, get_backend
from micromag.column import Columns
from micromag.config import Minimize, Relax, Run, RunConfig, load_config
from micromag.custom_check import check_custom_code, code_of
from micromag.driver import Driver, initial_state
from micromag.engine import Engine
from micromag.errors import ConfigError
from micromag.model import Model
from micromag.output.recorder import MemoryRecorder
from micromag.permission import require_permission
from micromag.progress import SilentReporter
from micromag.suggest import did_you_mean
from micromag.terms import term_quantities


class Simulation:
    """A magnet that can be relaxed, driven, measured and changed.

    Parameters
    ----------
    config
        A resolved run file; instead of it, its sections may be given as keywords:
        ``Simulation(mesh=Mesh(...), material=Material(...), energy=[Exchange(A=...)], ...)``.
    device
        Overrides the run file's device.
    threads
        Threads on the CPU; all by default.
    allow_custom_code
        Whether the expressions of custom terms may be compiled and run: a program with all your rights.

    Raises
    ------
    ConfigErrors
        The sections are wrong or do not fit together.
    DeviceError
        No such device, no compiler, or not enough memory.

    Examples
    --------
    >>> import micromag as mm
    >>> sim = mm.Simulation(
    ...     device="cpu",
    ...     mesh=mm.Mesh(cells=(64, 1, 1), cell_size=(2e-9, 2e-9, 2e-9)),
    ...     material=mm.Material(Ms=580e3, alpha=0.1),
    ...     energy=[mm.Exchange(A=15e-12), mm.UniaxialAnisotropy(Ku1=0.8e6, axis=(0, 0, 1))],
    ...     initial={"domain_wall": {"kind": "bloch", "from": "+z", "to": "-z"}},
    ... )
    >>> sim.relax()
    >>> sim.m.shape
    (3, 1, 1, 64)
    """

    def __init__(
        self,
        config: RunConfig | None = None,
        *,
        device: str | None = None,
        threads: int | None = None,
        allow_custom_code: bool = False,
        **sections: Any,
    ) -> None:
        if config is None:
            config = RunConfig(**{"schedule": ["relax"], **sections})
        elif not isinstance(config, RunConfig):
            raise ConfigError(
                "a simulation is made of sections by name, or of one RunConfig",
                where="Simulation",
                value=repr(config),
                allowed="mesh=..., material=..., initial=..., energy=[...], ...",
                next_step="micromag.load(path) makes it of a run file",
            )
        elif sections:
            raise ConfigError(
                "a whole configuration and sections beside it",
                where="Simulation",
                value=", ".join(sections),
                allowed="one of the two",
                next_step="RunConfig.with_overrides changes values of a configuration",
            )
        if config.sweep is not None:
            raise ConfigError(
                "a simulation is one run, and this run file is a sweep",
                where="sweep",
                value=f"{config.sweep.count} replicas",
                next_step="micromag.run(PATH) computes all of them and returns the SweepFile; leave "
                "the section out for one run",
            )
        if allow_custom_code:
            config = config.allowing_custom_code()
        require_permission(config)
        self.config = config
        self.backend: Backend = get_backend(device or config.device, threads)
        check_custom_code(config, self.backend)
        self._recorder = MemoryRecorder()
        self._driver = Driver([config], self.backend, [self._recorder], SilentReporter())
        self._engine: Engine | None = None

    # ---------------------------------------------------------------- stages

    def relax(self, **options: Any) -> None:
        """Relax without precession; ``options`` are those of the run file's ``relax`` stage.

        Raises NumericalError when it does not converge.
        """
        self._execute(Relax(**options))

    def minimize(self, **options: Any) -> None:
        """Minimise the energy; ``options`` are those of ``minimize``. Raises NumericalError."""
        self._execute(Minimize(**options))

    def run(self, duration: float, **options: Any) -> None:
        """Integrate for ``duration`` [s]; ``options`` are those of ``run``. Raises NumericalError."""
        self._execute(Run(**{"for": duration, **options}))

    def run_schedule(self) -> None:
        """Work through the run file's schedule."""
        self._engine = None
        self._driver.run()

    def _execute(self, stage: Relax | Minimize | Run) -> None:
        self._engine = None
        self._driver.execute([stage])

    def set(self, values: Mapping[str, Any]) -> None:
        """Change values from here on, by key path: ``{"torques.zhang_li.J": (0, 0, 0)}``.

        Raises ConfigErrors as a run file's ``with:`` does.
        """
        config = self.config.with_overrides(values)
        if code_of(config) != code_of(self.config):
            check_custom_code(config, self.backend)
        self.config = config
        self._driver.configs = (self.config,)
        self._engine = None

    # ---------------------------------------------------------------- state

    @property
    def t(self) -> float:
        """Time [s], counted over `run`."""
        return float(self._driver.t[0])

    @property
    def m(self) -> NDArray[Any]:
        """Magnetization, unit vectors, shape ``(3, nz, ny, nx)``; 0 in empty cells.

        Set it to such an array or to one direction ``(x, y, z)``; it is normalised.
        """
        return self._measuring().m()

    @m.setter
    def m(self, values: NDArray[Any]) -> None:
        engine = self._measuring()
        given = np.asarray(values, dtype=np.float64)
        given = given.reshape(3, 1, 1, 1) if given.shape == (3,) else given
        if not np.isfinite(given).all():
            raise ConfigError("m holds NaN or Inf", where="Simulation.m", allowed="finite numbers")
        shape = (3, *self.config.mesh.shape)
        if given.shape not in ((3, 1, 1, 1), shape):
            raise ConfigError(
                "this is no magnetization of the mesh",
                where="Simulation.m",
                value=f"shape {given.shape}",
                allowed=f"shape {shape}, which is (3, nz, ny, nx), or one direction (x, y, z)",
            )
        if not (given.any(axis=0) | ~engine.model.magnetic).all():
            raise ConfigError(
                "m is zero in cells of the magnet",
                where="Simulation.m",
                allowed="a direction in every cell of the magnet",
            )
        engine.set_m(np.broadcast_to(given, shape))
        self._driver.m = engine.m()[None]

    @property
    def m_on_device(self) -> Any:
        """The device's array of m: CuPy on a GPU, NumPy on the CPU."""
        return self._measuring().m_on_device()

    @property
    def table(self) -> dict[str, NDArray[np.float64]]:
        """Rows recorded so far, by column name, SI units."""
        rows = self._recorder.table
        columns = self._driver.columns if len(rows) else []
        return Columns({column.name: rows[:, i] for i, column in enumerate(columns)})

    @property
    def snapshots(self) -> list[tuple[float, dict[str, NDArray[Any]]]]:
        """Times [s] and fields recorded so far."""
        return list(zip(self._recorder.times, self._recorder.snapshots, strict=True))

    # ---------------------------------------------------------------- measuring

    def energies(self) -> dict[str, float]:
        """Return the energy of each term and their sum, ``total`` [J]."""
        engine = self._measuring()
        values = engine.measure().energies[0]
        named = dict(zip(engine.model.energy_names, map(float, values), strict=True))
        return {**named, "total": float(values.sum())}

    def max_torque(self) -> float:
        r"""Return the largest \|m x B_eff\| of any cell, torques as fields [T]."""
        return float(self._measuring().measure().max_torque[0])

    def torque(self) -> NDArray[Any]:
        r"""Return -m x B_eff of every cell with the torques written as fields [T].

        Shape ``(3, nz, ny, nx)``. Multiplied by gamma it is dm/dt without damping.
        """
        return self._measuring().torque_field()

    def field(self, term: str) -> NDArray[Any]:
        """Return the field of one energy term [T], shape ``(3, nz, ny, nx)``; raises ConfigError."""
        return self._of_term(term)[0]

    def energy_density(self, term: str) -> NDArray[Any]:
        """Return the energy density of one term [J/m^3], shape ``(nz, ny, nx)``; raises ConfigError."""
        return self._of_term(term)[1]

    def quantity(self, name: str) -> NDArray[Any]:
        """Return what a term knows besides fields, like the spin accumulation ``S`` [A/m].

        Shape ``(3, nz, ny, nx)``; raises ConfigError where no term of the run has it.
        """
        known = term_quantities(self.config.torques)
        if name not in known:
            raise ConfigError(
                f"the run has no quantity {name!r}{did_you_mean(str(name), known)}",
                allowed=", ".join(known) or "none: no term of the run has any",
            )
        return self._measuring().quantity_fields(name)[0]

    def _of_term(self, term: str) -> tuple[NDArray[Any], NDArray[Any]]:
        engine = self._measuring()
        names = engine.model.energy_names
        if term not in names:
            raise ConfigError(
                f"the run has no energy term {term!r}{did_you_mean(str(term), names)}",
                allowed=", ".join(names) or "none: the run has no energy terms",
            )
        return engine.term_field(term)

    def _measuring(self) -> Engine:
        """Return an engine that holds the present state under the present parameters."""
        if self._engine is None:
            model = Model([self.config], noise=False, shifts=self._driver.shifts)
            engine = Engine(model, self.backend, slots=2, frozen_time=self.t)
            engine.compile([])
            m = self._driver.m
            engine.set_m(initial_state(self.config, model) if m is None else m[0])
            self._engine = engine
        return self._engine


def load(path: str | Path, overrides: Iterable[str] = (), **options: Any) -> Simulation:
    """Return the simulation of a run file; nothing is computed or written yet.

    Parameters
    ----------
    path
        The YAML file.
    overrides
        As ``--set``: ``["solver.max_error=1e-6"]``.
    options
        ``device``, ``threads`` and ``allow_custom_code`` of `Simulation`.

    Raises
    ------
    ConfigErrors
        All that is wrong in the file.
    UnreadableInputError
        A file cannot be read.
    """
    return Simulation(load_config(path, overrides), **options)
