"""One engine for every explicit Runge-Kutta method: the tableau becomes the kernels' constants.

A step is: the stages, each one fused kernel (field, torque, LLG, stage sum, normalisation); the
largest error of each chunk of cells; and one small kernel that accepts or rejects, replica by
replica, and picks the next step. Nothing of it waits for the host.

The stage values are normalised before the right-hand side sees them, which continues f off the unit
sphere as f(m/|m|) and keeps the method's order; the new state is normalised as well.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from micromag.backend.base import Backend, Program, Source
from micromag.engine import Engine
from micromag.integrators import clock as clk
from micromag.integrators.clock import Status
from micromag.integrators.noise import NoiseSource
from micromag.integrators.tableaus import Tableau
from micromag.model import Model
from micromag.window import Follower

CURRENT, NEXT = clk.slot("CURRENT"), clk.slot("NEXT")
K_FIRST, K_LAST = clk.slot("K_FIRST"), clk.slot("K_LAST")
FREE = clk.slot("SLOT_FREE")

FIRST_ROTATION = 1e-3
"""The first adaptive step turns the fastest moment by about this much [rad]."""


class _Slots:
    """Which state array each stage reads and writes; ``fsal``: the last k is the next first one."""

    def __init__(self, tableau: Tableau, fsal: bool) -> None:
        self.tableau = tableau
        self.fsal = fsal
        self.count = FREE + 2 + tableau.stages

    def k(self, stage: int) -> int:
        """Slot of k_stage, stages counted from 0."""
        if self.fsal and stage == 0:
            return K_FIRST
        if self.fsal and stage == self.tableau.stages - 1:
            return K_LAST
        return FREE + 2 + stage

    def y(self, stage: int) -> int:
        """Slot of the state at which stage ``stage`` is evaluated; ``stages`` is the new state."""
        last = self.tableau.stages - (1 if self.fsal else 0)
        if stage == 0:
            return CURRENT
        return NEXT if stage >= last else FREE + stage % 2


class RungeKutta:
    """Advances every replica of a model, each with a time and a step of its own.

    Where terms of the model are noise, it is constant over a step, and the error estimate takes it as a
    field like any other: the longest step decides how good the means are.

    Parameters
    ----------
    model, backend
        What to integrate, and where.
    tableau
        The method.
    dt
        Fixed step [s]; None lets the error choose (embedded methods only).
    max_error
        Largest allowed error of m in one step, as a length of the difference of unit vectors.
    min_dt, max_dt
        Limits of the step [s]; below ``min_dt`` a replica fails. Waveforms that run add limits of
        their own, see `micromag.excitation.base.Waveform`. These four are one number, or one per
        replica.
    relax
        True leaves out the precession.
    frozen_time
        Time [s] at which the waveforms stand still; None lets them run.
    """

    def __init__(
        self,
        model: Model,
        backend: Backend,
        tableau: Tableau,
        *,
        dt: ArrayLike | None = None,
        max_error: ArrayLike = 1e-5,
        min_dt: ArrayLike = 1e-19,
        max_dt: ArrayLike = np.inf,
        relax: bool = False,
        frozen_time: ArrayLike | None = None,
    ) -> None:
        if dt is None and tableau.embedded_order is None:
            raise ValueError(f"{tableau.name} has no error estimate: it needs a fixed dt")
        self.tableau = tableau
        self.adaptive = dt is None
        self._follows_waves = self.adaptive and frozen_time is None and model.has_waves
        # Where a waveform jumps between two steps, and with other noise, the next begins with another k.
        jumps = frozen_time is None and model.waves.has_corners
        noisy = bool(model.layout.noises)
        self._slots = _Slots(tableau, tableau.first_same_as_last and not (jumps or noisy))
        self.engine = Engine(model, backend, self._slots.count, frozen_time)
        self._error = backend.zeros((model.replicas, *model.mesh.shape), self.engine.dtype)
        self._partial = backend.zeros(
            (model.replicas, self.engine.chunks.nchunk), self.engine.dtype
        )
        follows = model.mesh.window is not None and not relax and frozen_time is None
        self._follower = Follower(self.engine) if follows else None
        self._noise = NoiseSource(self.engine) if noisy else None
        self._compile()
        self.engine.write_clock(
            status=float(Status.IDLE),
            t_stop=np.inf,
            free_dt=dt if dt is not None else 0.0,
            max_error=max_error,
            min_dt=min_dt,
            max_dt=np.minimum(max_dt, model.longest_step) if self._follows_waves else max_dt,
            relax=float(relax),
        )

    # ---------------------------------------------------------------- kernels

    def _compile(self) -> None:
        engine, stages = self.engine, self.tableau.stages
        order = (self.tableau.embedded_order or 0) + 1
        sources = [
            engine.source(
                "stepper.cu",
                ORDER=f"{order}.0",
                ADAPTIVE=int(self.adaptive),
                CORNERS=int(self._follows_waves),
                NOISY=int(self._noise is not None),
            ),
            *(self._stage_source(i) for i in range(stages)),
        ]
        if self._slots.fsal:
            sources.append(self._stage_source(0, alone=True))
        if self._follower is not None:
            sources.append(self._follower.source())
        if self._noise is not None:
            sources.append(self._noise.source())
        stepper, *modules = engine.compile(sources)
        commands: list[Any] = [] if self._noise is None else self._noise.bind(modules.pop())
        for i in range(stages):
            if i > 0 or not self._slots.fsal:
                commands += engine.update(self._slots.y(i), float(self.tableau.c[i]))
            commands.append(self._stage_command(modules[i]))
        commands += [
            stepper.kernel("largest_error").bind(engine.chunks, self._error, self._partial),
            stepper.kernel("control").bind(
                engine.items, engine.chunks.nchunk, self._partial, engine.constants, engine.clock
            ),
        ]
        if self._follower is not None:
            commands += self._follower.bind(modules.pop())
        self._step = engine.backend.program(commands)
        self._arm = engine.backend.program(
            [stepper.kernel("arm").bind(engine.items, engine.constants, engine.clock)]
        )
        self._prime: Program | None = None
        if self._slots.fsal:
            self._prime = engine.backend.program(
                [*engine.update(CURRENT, 0.0), self._stage_command(modules[-1])]
            )

    def _stage_command(self, module: Any) -> Any:
        engine = self.engine
        return module.kernel("stage").bind(
            engine.cells, *engine.arguments(), engine.clock, engine.work, self._error
        )

    def _stage_source(self, i: int, *, alone: bool = False) -> Source:
        """Return the kernel of stage i; ``alone`` only evaluates k (before the first step)."""
        slots, tableau = self._slots, self.tableau
        last = i == tableau.stages - 1
        has_next = not alone and not (last and slots.fsal)
        weights = tableau.b if last else tableau.a[i + 1]
        # A method without an error estimate reports the angle turned, which shows a NaN as well.
        error_weights = tableau.error_weights or tuple(
            Fraction(int(j == i)) for j in range(tableau.stages)
        )
        has_error = last and not alone
        used = set()
        if has_next:
            used |= {j for j in range(i) if weights[j]}
        if has_error:
            used |= {j for j in range(i) if error_weights[j]}
        definitions: dict[str, Any] = {
            "EVALUATES": int(alone or i > 0 or not slots.fsal),
            "SOURCE": slots.y(i),
            "K_SLOT": slots.k(i),
            "LOAD_ROWS": " ".join(
                f"const real* k_{slots.k(j)} = SLOT({slots.k(j)});" for j in sorted(used)
            ),
            "HAS_NEXT": int(has_next),
            "NEXT_SLOT": slots.y(i + 1),
            "HAS_ERROR": int(has_error),
        }
        if has_next:
            definitions["NEXT_SUM"] = self._sum(weights, i)
        if has_error:
            definitions["ERROR_SUM"] = self._sum(error_weights, i)
        label = f"{tableau.name} stage {i + 1}{' alone' if alone else ''}"
        return self.engine.source("llg.cu", label, **definitions)

    def _sum(self, weights: tuple[Fraction, ...], i: int) -> str:
        """Return the C expression of sum_j weights_j k_j, of which k_i is at hand as ``k``."""
        parts = []
        for j, weight in enumerate(weights[: i + 1]):
            if weight:
                k = "k" if j == i else f"K({self._slots.k(j)})"
                parts.append(f"real({float(weight)!r}) * {k}")
        return " + ".join(parts) or "real(0) * k"

    # ---------------------------------------------------------------- time

    def start(self, t: ArrayLike = 0.0, active: ArrayLike = True) -> None:
        """Make replicas ready to step from time t [s], from the state as it is now.

        Those that are not ``active`` stay as they are, whatever is done to the others.
        """
        status = np.where(active, float(Status.RUNNING), float(Status.IDLE))
        self.engine.write_clock(status=status, t=t, retry=0.0, dt=0.0, noise_end=-np.inf)
        self.engine.start()
        if self._prime is not None:
            self._prime.run()
        if self._follower is not None:
            self._follower.start(self._prime)
        if self.adaptive:
            free = self.engine.column("free_dt")
            fresh = self._first_step()
            least, longest = self.engine.column("min_dt"), self.engine.column("max_dt")
            self.engine.write_clock(free_dt=np.where(free > 0, free, fresh).clip(least, longest))

    def _first_step(self) -> Any:
        gamma = np.array([c.material.gamma for c in self.engine.model.configs])
        torque = self.engine.measure().max_torque
        # fmax: a torque that is no number must not become the step; the step itself will find it.
        return FIRST_ROTATION / (gamma * np.fmax(torque, 1e-3))

    def aim(self, t_stop: Any) -> None:
        """Set the next time at which each replica stops [s]; replicas past it wait."""
        clock = self.engine.read_clock()
        clock[:, clk.column("t_stop")] = t_stop
        status = clock[:, clk.column("status")]
        behind = clock[:, clk.column("t")] < clock[:, clk.column("t_stop")]
        alive = (status == Status.RUNNING) | (status == Status.WAITING)
        status[alive] = np.where(behind[alive], Status.RUNNING, Status.WAITING)
        self.engine.backend.write(self.engine.clock, clock)
        self._arm.run()

    def steps(self, count: int) -> None:
        """Enqueue ``count`` attempts; replicas that wait or have failed do not move."""
        self._step.run(count)
        if self._follower is not None:
            self._follower.catch_up(self._prime)

    def steps_to_stop(self) -> int:
        """Return about how many steps the slowest running replica has before it, at least 1."""
        clock = self.engine.read_clock()
        running = clock[:, clk.column("status")] == Status.RUNNING
        if not running.any():
            return 0
        left = (clock[:, clk.column("t_stop")] - clock[:, clk.column("t")])[running]
        dt = clock[:, clk.column("free_dt")][running]
        with np.errstate(divide="ignore"):  # a step of 0 is about to be told as a failure
            return int(min(max(1, np.ceil((left / dt).max())), 1 << 20))
