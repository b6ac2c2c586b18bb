"""Where a run ends: columns of the table, beside published values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field, StrictInt, model_validator

from micromag.analysis._rows import column_of, credited, last_stage, rows_of_stage, with_unit
from micromag.analysis.base import Analysis
from micromag.errors import AnalysisError
from micromag.parameters import Quantity, custom_error

if TYPE_CHECKING:
    from micromag.output.runfile import RunFile

_WHERE = "analysis.final_values"


class FinalValues(Analysis):
    """Values of columns of the table at the end of one stage.

    =========  ====  ===============================================================
    name       unit  default
    =========  ====  ===============================================================
    columns    --    required: columns of the table, e.g. ``[m_x, m_y]``
    stage      --    the last stage; number in the schedule, from 0
    published  --    none; column -> value in its SI unit, to state beside the result
    source     --    none; where ``published`` is from
    =========  ====  ===============================================================

    Source: the table.
    """

    columns: Annotated[tuple[str, ...], Field(min_length=1)]
    """Columns of the table."""
    stage: Annotated[StrictInt, Field(ge=0)] | None = None
    """Number of the stage in the schedule, from 0."""
    published: dict[str, Annotated[float, Quantity("1")]] = Field(default_factory=dict)
    """Values to state beside the result, by column, in SI."""
    source: str | None = None
    """Where ``published`` is from."""

    @model_validator(mode="after")
    def _published_columns(self) -> FinalValues:
        stray = [name for name in self.published if name not in self.columns]
        if stray:
            what = f"a value of {stray[0]!r} is published, which is not among the columns"
            raise custom_error("final_values", what, ", ".join(self.columns))
        return self

    def needed_columns(self) -> tuple[str, ...]:
        """Return what it reads of the table."""
        return tuple(self.columns)

    def report(self, run: RunFile) -> str:
        """Return the values; raises AnalysisError when a column or the stage is not there."""
        values = self.values(run)
        stage = last_stage(run, self.stage)
        listed = ", ".join(
            f"{name} = {with_unit(value, run.units[name])}" for name, value in values.items()
        )
        text = f"At the end of stage {stage} {listed}"
        if self.published:
            listed = ", ".join(
                f"{name} = {with_unit(value, run.units[name])}"
                for name, value in self.published.items()
            )
            off = ", ".join(
                f"{values[name] - value:+.2g}" for name, value in self.published.items()
            )
            text += f"; {credited(listed, self.source)}, difference {off}"
        return text + "."

    def values(self, run: RunFile) -> dict[str, float]:
        """Return the values by column, in SI; raises AnalysisError as `report`."""
        stage = last_stage(run, self.stage)
        table = {name: column_of(run, name, _WHERE) for name in self.columns}
        if not np.any(run.table["stage"] == stage):
            raise AnalysisError(f"the table has no row of stage {stage}", where=_WHERE)
        last = rows_of_stage(run, stage)[0][-1]
        return {name: float(values[last]) for name, values in table.items()}
