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
    ``solver.dt``, or with an error control ``solver.max_dt``, is needed. Of the energy of a spin wave
    of frequency omega, (omega dt)^2/12 is missing with any method; ``heun`` adds (omega dt)^3/(8
    alpha), ``rk4`` all but nothing. ``micromag validate`` warns where the fastest wave is off by more
    than 5 %. For permalloy in cells of 5 nm, 0.2 ps is good with ``rk4``, and 0.1 ps with ``heun`` if
    alpha is 0.1 or more. Halve the step and compare the means.

    A rejected step is repeated in shorter ones under the same field, to the end of the step that was
    tried first. To draw anew would drop the noise that asks for short steps, and to scale it with the
    step would let it act for a shorter time than other noise: both cool the magnet.

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
