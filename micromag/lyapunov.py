"""The largest Lyapunov exponent of a run: two nearby replicas, whose separation is renormalised."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from micromag.backend import get_backend
from micromag.health import describe_failure, failed_replicas
from micromag.integrators.runge_kutta import RungeKutta
from micromag.integrators.tableaus import TABLEAUS
from micromag.model import Model
from micromag.wall_drive import NoModelError
from micromag.wall_model import stage_config

if TYPE_CHECKING:
    from micromag.output.runfile import RunFile

FloatArray = NDArray[np.float64]

SHARE = 1e-4
"""Largest error of m in one step, in parts of the separation."""


def separations(
    run: RunFile, stage: int, m: FloatArray, t: float, *, every: float, count: int, start: float
) -> FloatArray:
    r"""Return ln(d/d_0) for every interval: how two neighbours part, and are brought together again.

    Both replicas run in the same launches in double precision, with all fields and torques of the
    stage. After each interval the second one is put back to the distance d_0 from the first, on the
    line between the two; d is the root of the mean square of the distance of unit vectors over the
    magnet.

    Parameters
    ----------
    run, stage
        Whose fields, torques and damping.
    m
        Where the first one starts, shape ``(3, nz, ny, nx)``.
    t
        When it starts [s]; waveforms go on from there.
    every
        Length of an interval [s].
    count
        Number of intervals.
    start
        d_0.

    Raises
    ------
    NoModelError
        The run has noise or a moving window.
    NumericalError
        A replica has failed.

    Source: G. Benettin, L. Galgani and J.-M. Strelcyn, Phys. Rev. A 14, 2338 (1976).
    """
    config = stage_config(run, stage).model_copy(update={"precision": "double"})
    if any(term.kind == "noise" for _, term in config.energy):
        raise NoModelError("with noise, neighbouring states part at any rate")
    if config.mesh.window is not None:
        raise NoModelError("the mesh moves with a window")
    with get_backend("cpu") as backend:
        stepper = RungeKutta(
            Model([config, config]), backend, TABLEAUS["rk45"], max_error=SHARE * start
        )
        engine = stepper.engine
        filled = engine.model.filled(0)
        rng = np.random.default_rng(config.seed)
        offset = rng.standard_normal(m.shape) * filled
        offset -= m * (m * offset).sum(axis=0)
        grown = []
        first, second = m, m + _scaled(offset, start, filled)
        for number in range(count):
            engine.set_m(first, 0)
            engine.set_m(second, 1)
            stepper.start(t + number * every)
            stepper.aim(t + (number + 1) * every)
            while left := stepper.steps_to_stop():
                stepper.steps(left)
                if failed := failed_replicas(engine.read_clock()):
                    raise describe_failure(engine, failed[0])
            first, second = (np.asarray(engine.m(i), dtype=np.float64) for i in (0, 1))
            offset = second - first
            grown.append(math.log(_size(offset, filled) / start))
            second = first + _scaled(offset, start, filled)
    return np.array(grown)


def _size(offset: FloatArray, filled: NDArray[np.bool_]) -> float:
    return float(np.sqrt((offset**2).sum() / filled.sum()))


def _scaled(offset: FloatArray, size: float, filled: NDArray[np.bool_]) -> FloatArray:
    return offset * (size / _size(offset, filled))
