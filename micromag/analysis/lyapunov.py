"""Order or chaos: how fast neighbouring states of a driven magnet part."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StrictInt, model_validator

from micromag.analysis._macrospin import direction_of, parting
from micromag.analysis._rows import last_stage, rows_of_stage
from micromag.analysis.base import Analysis
from micromag.errors import AnalysisError, NumericalError
from micromag.parameters import Quantity, custom_error

if TYPE_CHECKING:
    from micromag.config import RunConfig
    from micromag.output.runfile import RunFile

_WHERE = "analysis.lyapunov"
BLOCKS = 10
"""Parts of the time whose means tell the standard error."""
CERTAIN = 4.0
"""Standard errors by which an exponent differs from 0, if it does."""


class Exponent(NamedTuple):
    """A largest Lyapunov exponent and its standard error [1/s]."""

    value: float
    error: float


class Lyapunov(Analysis):
    r"""The largest Lyapunov exponent: the rate at which two nearby replicas of a run part.

    From the last snapshot of a stage on, two replicas go on under the fields and torques of the
    stage, the second one ``separation`` away from the first. After every interval its distance d is
    noted, and brought back to the separation :math:`d_0` without a change of direction:

    .. math:: \lambda = \frac{1}{N \tau} \sum_{i=1}^N \ln \frac{d_i}{d_0}

    The first tenth of the intervals, in which the distance turns into the direction that grows
    fastest, does not count; the standard error is that of the means of ten blocks. Above 0 the motion
    is chaotic: what is known of the start is lost in a few times 1/lambda. Where a macrospin of the run
    is known, the growth of a deviation by its linearised equation of motion, along a path of its own,
    stands beside it.

    ==========  ====  ============================================================================
    name        unit  default
    ==========  ====  ============================================================================
    for         s     required: time over which the separation is followed
    every       s     required: tau, some times shorter than 1/lambda
    separation  --    1e-5: :math:`d_0`, as a length of the difference of unit vectors (rms)
    stage       --    the last stage; number in the schedule, from 0
    ==========  ====  ============================================================================

    It is computed in double precision on the CPU, whatever the run had.

    Source: G. Benettin, L. Galgani and J.-M. Strelcyn, Phys. Rev. A 14, 2338 (1976); Z. Yang, S. Zhang
    and Y. C. Li, Phys. Rev. Lett. 99, 134101 (2007) for spin-torque oscillators.
    """

    needs_time = True

    duration: Annotated[float, Quantity("s", gt=0), Field(alias="for")]
    """Time over which the separation is followed [s]."""
    every: Annotated[float, Quantity("s", gt=0)]
    """Length of an interval [s]."""
    separation: Annotated[float, Quantity("1", ge=1e-8, le=1e-3)] = 1e-5
    """Distance of the two replicas at the start of every interval."""
    stage: Annotated[StrictInt, Field(ge=0)] | None = None
    """Number of the stage in the schedule, from 0."""

    @model_validator(mode="after")
    def _enough(self) -> Lyapunov:
        if self.intervals < 2 * BLOCKS:
            what = f"{self.intervals} intervals are too few to tell a rate"
            allowed = f"'for' at least {2 * BLOCKS} times 'every'"
            raise custom_error("lyapunov", what, allowed, "for")
        return self

    @property
    def intervals(self) -> int:
        """Number of intervals."""
        return round(self.duration / self.every)

    def unfit(self, config: RunConfig) -> str | None:
        """Return that there is noise or a window; see the base class."""
        if any(term.kind == "noise" for _, term in config.energy):
            return "with noise, neighbouring states part at any rate"
        if config.mesh.window is not None:
            return "neighbouring states are not followed by a window"
        return None

    def report(self, run: RunFile) -> str:
        """Return the exponent and what it means; raises AnalysisError where it cannot be told."""
        found = self.exponent(run)
        text = f"The largest Lyapunov exponent is {_told(found)}: {_meaning(found)}"
        try:
            model = self.model(run)
        except AnalysisError as error:
            return f"{text}; no macrospin beside it: {error.what}."
        return f"{text}; a linearised macrospin gives {_told(model)}."

    def exponent(self, run: RunFile) -> Exponent:
        """Return the exponent of the run; raises AnalysisError, also where a replica fails."""
        # The engine's side of the program lies above this one: see ignore_imports in pyproject.toml.
        from micromag.lyapunov import separations

        count, (m, t) = self.intervals, self._end(run)
        try:
            grown = separations(
                run, last_stage(run, self.stage), m, t,
                every=self.every, count=count, start=self.separation,
            )  # fmt: skip
        except NumericalError as error:
            raise AnalysisError(error.what, where=_WHERE) from None
        return exponent_of(grown, self.every)

    def model(self, run: RunFile) -> Exponent:
        """Return the exponent of the linearised macrospin; raises AnalysisError (NoModelError)."""
        from micromag.macrospin_model import macrospin_of

        count, (m, t) = self.intervals, self._end(run)
        spin = macrospin_of(run, last_stage(run, self.stage))
        filled = (m**2).sum(axis=0) > 0
        mean = direction_of(m[:, filled].mean(axis=1), _WHERE)
        return exponent_of(parting(spin, mean, t, self.every, count), self.every)

    def _end(self, run: RunFile) -> tuple[NDArray[np.float64], float]:
        """Return the last snapshot of the stage, and its time [s]."""
        stage = last_stage(run, self.stage)
        if not (run.table["stage"] == stage).any():
            raise AnalysisError(f"the table has no row of stage {stage}", where=_WHERE)
        rows, begin = rows_of_stage(run, stage)
        end = float(run.table["t"][rows[-1]])
        inside = np.flatnonzero((run.times >= begin) & (run.times <= end * (1 + 1e-9)))
        if not len(inside):
            raise AnalysisError("the stage has no snapshot to go on from", where=_WHERE)
        k = int(inside[-1])
        return np.asarray(run.field("m", k), dtype=np.float64), float(run.times[k])


def exponent_of(grown: NDArray[np.float64], every: float) -> Exponent:
    """Return mean and standard error of the rate [1/s], from ln(d/d_0) of intervals of a length [s]."""
    rates = grown[len(grown) // BLOCKS :] / every
    means = [float(block.mean()) for block in np.array_split(rates, BLOCKS)]
    return Exponent(float(rates.mean()), float(np.std(means, ddof=1)) / math.sqrt(BLOCKS))


def _told(found: Exponent) -> str:
    return f"{found.value * 1e-9:.3g} +- {found.error * 1e-9:.2g} per ns"


def _meaning(found: Exponent) -> str:
    if abs(found.value) < CERTAIN * found.error:
        return "neighbouring states neither part nor meet for certain"
    if found.value > 0:
        return f"chaos, neighbouring states part by e in {1e12 / found.value:.3g} ps"
    return "order, neighbouring states meet"
