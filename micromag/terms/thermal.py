"""Thermal fluctuations: the random field of a heat bath."""

from __future__ import annotations

from typing import Annotated

from micromag.parameters import Quantity, ScalarParameter
from micromag.terms.base import Noise


class Thermal(Noise):
    r"""Random field of a heat bath, which with the damping keeps the magnet at a temperature.

    .. math::

        \langle B_i(t)\, B_j(t') \rangle = \frac{2 \alpha k_B T}{\gamma M_s V}\, \delta_{ij}\,
        \delta(t - t'), \qquad \sigma(B_i) = \sqrt{\frac{2 \alpha k_B T}{\gamma M_s V \Delta t}}

    in every cell of the volume V, in the sense of Stratonovich. The field is constant over a step
    dt: all stages see the same. The numbers belong to the run's ``seed``, the cell, and the number of
    the step, so that a run can be repeated, and replicas of one seed see the same noise.

    It acts in ``run`` stages; ``relax`` and ``minimize`` leave it out. It has no energy, and what is
    measured (``max_torque``, energies) is without it.

    The step decides how good the means are, not the error estimate, which takes the field as given:
    ``solver.dt``, or with an error control ``solver.max_dt``, is needed. If omega is the fastest spin
    wave's frequency, its energy is too low by (omega dt)^2/12 and with ``heun`` too high by
    (omega dt)^3/(8 alpha): 10 to 100 fs for cells of 5 nm. Halve the step and compare the means. A
    rejected step is repeated in shorter ones under the same field, to the end of the step that was
    tried first: neither drawing anew nor rescaling, which both cool the magnet.

    ===========  ====  ==================================  =====================================
    name         unit  shape                               meaning
    ===========  ====  ==================================  =====================================
    temperature  K     scalar; per region or cell, time    temperature; below 0 (by a waveform)
                                                           it counts as 0
    ===========  ====  ==================================  =====================================

    Source: W. F. Brown, Phys. Rev. 130, 1677 (1963); A. Lyberatos, D. V. Berkov and R. W. Chantrell,
    J. Phys.: Condens. Matter 5, 8911 (1993).
    """

    temperature: Annotated[ScalarParameter, Quantity("K", ge=0, time_dependent=True)]
    """Temperature [K]."""
