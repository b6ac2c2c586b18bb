"""What went wrong when a replica fails: the cell, the time, and the likely cause."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micromag.errors import NumericalError
from micromag.integrators import clock as clk
from micromag.integrators.clock import Status
from micromag.si_text import si
from micromag.window import describe_loss

if TYPE_CHECKING:
    from micromag.config_sections import Minimize, Relax
    from micromag.engine import Engine

FAILED = (Status.FAILED_NAN, Status.FAILED_STEP, Status.FAILED_LOST, Status.FAILED_FIELD)
BEYOND = 1e4
"""A waveform larger than this is named when a run fails."""
AHEAD = 1e-6
"""How far ahead in time, as a part of it, waveforms are looked at when a run fails."""
STABLE = 2.8
"""|lambda| dt at which an explicit fourth-order Runge-Kutta step of an oscillation becomes unstable."""
UNSTABLE = 2.0
"""A fixed step that is so many times longer than the longest stable one is refused."""


def failed_replicas(clock: NDArray[np.float64]) -> list[int]:
    """Return the numbers of the replicas that have failed, from what `Engine.read_clock` returned."""
    return [int(i) for i in np.flatnonzero(np.isin(clock[:, clk.column("status")], FAILED))]


def describe_failure(engine: Engine, replica: int = 0) -> NumericalError:
    """Return an error that says where and when a replica failed, and what to try."""
    clock = engine.read_clock()[replica]
    if clock[clk.column("status")] == Status.FAILED_LOST:
        return describe_loss(engine, replica)
    if clock[clk.column("status")] == Status.FAILED_FIELD:
        when = _moment(engine, clock, replica)
        errors = (op.describe_failure(replica, when) for op in engine.fields.values())
        return next(error for error in errors if error is not None)
    collapsed = clock[clk.column("status")] == Status.FAILED_STEP
    cell, from_values = _failing_cell(engine, replica)
    where = _moment(engine, clock, replica)
    if cell is not None:
        where += f", cell (x, y, z) = {cell}"
    dt = clock[clk.column("dt")]
    if collapsed:
        return NumericalError(
            "the time step has collapsed",
            where=where,
            value=f"dt = {dt:.3g} s, error of the last attempt {clock[clk.column('error')]:.3g}",
            allowed=f"error below {clock[clk.column('max_error')]:.3g} with dt above "
            f"{clock[clk.column('min_dt')]:.3g} s",
            next_step="likely max_error is below what this precision can resolve, or a parameter is "
            "off by orders of magnitude (the cell named turns fastest); try precision: double, a "
            "larger max_error or a smaller min_dt",
        )
    cause = (
        "likely a field, current or material value is NaN, far too large or far too small; "
        "check units and files, and the waveforms at this time"
    )
    moving = engine.frozen_time is None
    found = _odd_waveform(engine, replica, clock[clk.column("t")], dt) if moving else None
    if found is not None:
        cause = f"every cell is affected: {found}; change the waveform, or end the run before"
    fixed = moving and engine.model.configs[replica].solver.dt is not None
    if fixed and not from_values and found is None:
        limit = stable_step(engine, replica)
        if dt > limit:
            cause = (
                f"likely the fixed step is too long: about {si(limit, 's', 2)} is stable for the "
                "exchange and anisotropy here; shorten solver.dt or leave it out"
            )
    value = f"dt = {dt:.3g} s" if fixed else None
    return NumericalError(
        "m is no longer a number (NaN or Inf)", where=where, value=value, next_step=cause
    )


def _odd_waveform(engine: Engine, replica: int, t: float, dt: float) -> str | None:
    """Return which parameter's waveform is no number, or beyond all bounds, in the step from ``t``."""
    config = engine.model.configs[replica]
    # An adaptive step has become short on the way to a pole, which lies a little ahead.
    times = (t, t + dt, round(t, 18), t + AHEAD * t)
    for section, terms in (("energy", config.energy), ("torques", config.torques)):
        for key, term in terms:
            for name, parameter in term.parameters().items():
                values = [parameter.waveform(x) for x in times] if parameter.waveform else []
                for x, value in zip(times, values, strict=False):
                    if not math.isfinite(value):
                        return f"the waveform of {section}.{key}.{name} is {value} at {x:.6g} s"
                if values and max(map(abs, values)) > BEYOND:
                    size = max(map(abs, values))
                    return f"the waveform of {section}.{key}.{name} is {size:.3g} at {t:.6g} s"
    return None


def _moment(engine: Engine, clock: NDArray[np.float64], replica: int) -> str:
    steps = int(clock[clk.column("steps")])
    if engine.frozen_time is None:
        return f"t = {clock[clk.column('t')] * 1e9:.6g} ns, step {steps}"
    t = np.broadcast_to(engine.frozen_time, engine.model.replicas)[replica]
    return f"t = {t * 1e9:.6g} ns, step {steps} of the relaxation"


def _failing_cell(engine: Engine, replica: int) -> tuple[tuple[int, int, int] | None, bool]:
    """Return the cell (x, y, z) where it begins, and whether the parameters there are to blame.

    A number that is none spreads to the neighbours from stage to stage, so the states and rates are
    looked through in the order in which they come about. After a collapse it is the fastest cell.
    """
    m, trial = engine.m(replica), engine.trial(replica)
    torque = engine.torque_field(replica)
    for state in (m, torque, trial):
        bad = np.argwhere(~np.isfinite(state).all(axis=0))
        if len(bad):
            return _xyz(bad[0]), state is torque
    if engine.status()[replica] != Status.FAILED_STEP:
        return None, False
    with np.errstate(over="ignore"):
        speed = (torque.astype(np.float64) ** 2).sum(axis=0)
    return _xyz(np.unravel_index(int(speed.argmax()), speed.shape)), False


def _xyz(place: Sequence[Any] | NDArray[np.intp]) -> tuple[int, int, int]:
    z, y, x = (int(i) for i in place)
    return x, y, z


def stable_step(engine: Engine, replica: int = 0) -> float:
    """Return about the longest stable fixed step of one replica [s], see `stable_steps`."""
    return float(stable_steps(engine, [replica])[0])


def stable_steps(engine: Engine, replicas: Sequence[int]) -> NDArray[np.float64]:
    r"""Return about the longest stable fixed steps of some replicas [s].

    .. math:: \Delta t = \frac{2.8}{\gamma B_{max}}, \quad B_{max} \text{ the largest field of any cell}

    evaluated for the chequered state, which exchange makes precess fastest.
    """
    model = engine.model
    before = {i: engine.m(i) for i in replicas}
    parity = np.indices(model.mesh.shape).sum(axis=0) % 2
    chequered = np.zeros((3, *model.mesh.shape))
    chequered[2] = np.where(parity == 0, 1.0, -1.0)
    for i in replicas:
        engine.set_m(chequered, i)
    largest = np.full(len(before), 1e-6)
    for name in model.energy_names:
        fields = np.nan_to_num(engine.term_fields(name)[0][list(before)])
        largest += np.sqrt((fields**2).sum(axis=1)).max(axis=(1, 2, 3))
    for i, m in before.items():
        engine.put_m(m, i)
    return STABLE / (np.array([model.configs[i].material.gamma for i in before]) * largest)


def long_step(step: float, limit: float) -> str:
    """Return what is said of a fixed step [s] beyond the longest stable one."""
    return (
        f"the fixed step of {si(step, 's', 3)} is longer than about {si(limit, 's', 2)}, beyond which "
        "the fastest spin waves of this mesh are unstable; shorten or remove solver.dt"
    )


def unstable_step(step: float, limit: float) -> NumericalError:
    """Return the error of a fixed step [s] so far beyond the longest stable one that m is noise."""
    return NumericalError(
        "the fixed step is unstable: the fastest spin waves of this mesh would fill it with noise",
        where="solver.dt",
        value=si(step, "s", 3),
        allowed=f"about {si(limit, 's', 2)}",
        next_step="shorten solver.dt, or leave it out with an adaptive method such as rk45",
    )


def not_converged(
    stage: Relax | Minimize, number: int, iterations: int, torque: float
) -> NumericalError:
    """Return the error of a relaxation that has come to its limit."""
    return NumericalError(
        f"{type(stage).__name__.lower()} did not converge",
        where=f"schedule[{number}]",
        value=f"largest torque {torque:.3g} T after {iterations} iterations",
        allowed=f"below {stage.max_torque:.3g} T within {stage.max_iterations} iterations",
        next_step="raise max_iterations or max_torque, or start from a better initial state; "
        "the state reached is the last snapshot of the output file",
    )
