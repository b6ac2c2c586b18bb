"""Energy minimisation by steepest descent with Barzilai-Borwein steps, on the device."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from micromag.backend.base import Backend
from micromag.engine import Engine
from micromag.integrators import clock as clk
from micromag.integrators.clock import Status
from micromag.model import Model

CURRENT, NEXT = clk.slot("CURRENT"), clk.slot("NEXT")
K_FIRST, K_LAST = clk.slot("K_FIRST"), clk.slot("K_LAST")


class Minimizer:
    r"""Moves every replica downhill in energy until its largest torque is small.

    .. math::

        m_{k+1} = m_k - \tau_k \frac{m_k + m_{k+1}}{2} \times (m_k \times B), \qquad
        \tau_k = \frac{s \cdot s}{s \cdot y} \text{ or } \frac{s \cdot y}{y \cdot y}

    with s the last change of m and y that of m x (m x B), the two steps in turn. Torques are left out:
    they have no energy.

    Parameters
    ----------
    model, backend
        What to minimise, and where.
    max_torque
        Stop when no cell has \|m x B\| above this [T]; one number, or one per replica.
    time
        Time at which waveforms are evaluated [s]; one number, or one per replica.

    Source: J. Barzilai and J. M. Borwein, IMA J. Numer. Anal. 8, 141 (1988); L. Exl et al., J. Appl.
    Phys. 115, 17D118 (2014).
    """

    def __init__(
        self, model: Model, backend: Backend, max_torque: ArrayLike, time: ArrayLike = 0.0
    ) -> None:
        self.engine = Engine(model, backend, slots=4, frozen_time=time)
        engine = self.engine
        self._partial = backend.zeros((model.replicas, engine.chunks.nchunk, 4), np.float64)
        (module,) = engine.compile([engine.source("minimizer.cu")])
        gradient, choose = module.kernel("gradient"), module.kernel("choose_descent")
        descend = module.kernel("descend").bind(engine.cells, engine.clock, engine.work)

        def evaluate(source: int, target: int, first: int) -> list[object]:
            return [
                *engine.update(source, 0.0),
                gradient.bind(
                    engine.chunks,
                    *engine.arguments(),
                    engine.clock,
                    source,
                    target,
                    engine.work,
                    self._partial,
                ),
                choose.bind(engine.items, engine.chunks.nchunk, first, self._partial, engine.clock),
            ]

        self._begin = backend.program(evaluate(CURRENT, K_FIRST, 1))  # type: ignore[arg-type]
        self._iterate = backend.program(
            [descend, *evaluate(NEXT, K_LAST, 0)]  # type: ignore[list-item]
        )
        engine.write_clock(status=float(Status.IDLE), max_torque=max_torque)

    def start(self, active: ArrayLike = True) -> None:
        """Evaluate the gradient of the state as it is now; replicas not ``active`` stay as they are."""
        status = np.where(active, float(Status.RUNNING), float(Status.IDLE))
        self.engine.write_clock(status=status, steps=0.0)
        self._begin.run()

    def steps(self, count: int) -> None:
        """Enqueue ``count`` iterations; replicas that have arrived do not move."""
        self._iterate.run(count)
