"""When a quantity first passes a level: a switching time, a zero of the mean magnetization."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StrictInt

from micromag.analysis._rows import column_of, credited, last_stage, rows_of_stage
from micromag.analysis.base import Analysis
from micromag.errors import AnalysisError
from micromag.parameters import Quantity

if TYPE_CHECKING:
    from micromag.output.runfile import RunFile

_WHERE = "analysis.crossing"


class Crossing(Analysis):
    r"""The first time at which a column of the table passes a level in one stage.

    Between the rows k and k + 1 on either side of the level c the column y is taken as straight:

    .. math:: t = t_k + (t_{k+1} - t_k) \frac{c - y_k}{y_{k+1} - y_k}

    which is off by about :math:`|\ddot y / 8 \dot y| (t_{k+1} - t_k)^2`. Time counts from the start
    of the stage.

    =========  ====  ========================================================
    name       unit  default
    =========  ====  ========================================================
    column     --    required: a column of the table, e.g. ``m_x``
    level      --    0, in the SI unit of the column
    direction  --    ``any``; ``rising``, ``falling``
    stage      --    the last stage; number in the schedule, from 0
    after      s     0; earlier crossings of the stage do not count
    published  s     none; a time to state beside the one found
    source     --    none; where ``published`` is from
    =========  ====  ========================================================

    Source: straight-line interpolation.
    """

    column: str
    """Column of the table."""
    level: Annotated[float, Quantity("1")] = 0.0
    """Value to be passed, in the SI unit of the column."""
    direction: Literal["any", "rising", "falling"] = "any"
    """Which crossings count."""
    stage: Annotated[StrictInt, Field(ge=0)] | None = None
    """Number of the stage in the schedule, from 0."""
    after: Annotated[float, Quantity("s", ge=0)] = 0.0
    """Crossings before this time of the stage do not count [s]."""
    published: Annotated[float, Quantity("s", gt=0)] | None = None
    """Time to state beside the one found [s]."""
    source: str | None = None
    """Where ``published`` is from."""

    def needed_columns(self) -> tuple[str, ...]:
        """Return what it reads of the table."""
        return (self.column,)

    def report(self, run: RunFile) -> str:
        """Return the time of the crossing; raises AnalysisError when there is none."""
        found = self.time(run)
        text = f"{self.column} passes {self.level:g} at t = {found * 1e9:.5g} ns"
        stage = last_stage(run, self.stage)
        if rows_of_stage(run, stage)[1] > 0:
            text += f" of stage {stage}"
        if self.published is not None:
            off = found - self.published
            text += "; " + credited(f"{self.published * 1e9:.5g} ns", self.source)
            text += f", difference {off * 1e12:+.3g} ps ({100 * off / self.published:+.2g} %)"
        return text + "."

    def time(self, run: RunFile) -> float:
        """Return when the level is passed, counted from the start of the stage [s].

        Raises AnalysisError when it is not.
        """
        y = column_of(run, self.column, _WHERE)
        rows, begin = rows_of_stage(run, last_stage(run, self.stage))
        t = run.table["t"][rows] - begin
        y = y[rows][t >= self.after] - self.level
        t = t[t >= self.after]
        rising, falling = (y[:-1] < 0) & (y[1:] >= 0), (y[:-1] > 0) & (y[1:] <= 0)
        chosen = {"any": rising | falling, "rising": rising, "falling": falling}[self.direction]
        if not chosen.any():
            raise self._never(y + self.level)
        k = int(np.flatnonzero(chosen)[0])
        return float(t[k] - (t[k + 1] - t[k]) * y[k] / (y[k + 1] - y[k]))

    def _never(self, y: NDArray[np.float64]) -> AnalysisError:
        how = "" if self.direction == "any" else f" {self.direction}"
        return AnalysisError(
            f"{self.column} never passes {self.level:g}{how}",
            where=_WHERE,
            value=_range(y),
            next_step="lengthen the run, or shorten output.table.every",
        )


def _range(y: NDArray[np.float64]) -> str:
    known = y[np.isfinite(y)]
    between = f"{known.min():.5g} to {known.max():.5g} in " if len(known) else ""
    return f"{between}{len(known)} rows"
