"""Rows of the table that an analysis looks at, and what it says about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from micromag.errors import AnalysisError

if TYPE_CHECKING:
    from micromag.config import RunConfig
    from micromag.output.runfile import RunFile


def column_of(run: RunFile, name: str, where: str) -> NDArray[np.float64]:
    """Return a column of the table; raises AnalysisError, naming those there are."""
    if name not in run.table:
        raise AnalysisError(
            f"the table has no column {name!r}",
            where=where,
            allowed=", ".join(run.table),
            next_step="correct the name, or add it to output.table.columns",
        )
    return np.asarray(run.table[name], dtype=np.float64)


def last_stage(run: RunFile, stage: int | None) -> int:
    """Return the number of the stage that was asked for, by default the last one in the table."""
    return stage if stage is not None else int(run.table["stage"].max(initial=0))


def not_in_time(config: RunConfig, stage: int | None) -> str | None:
    """Return that no time passes in the stage that was asked for, None if some does."""
    number = len(config.schedule) - 1 if stage is None else stage
    examined = config.schedule[number]
    if hasattr(examined, "duration"):
        return None
    return f"stage {number} is {type(examined).__name__.lower()}, in which no time passes"


def rows_of_stage(run: RunFile, stage: int) -> tuple[NDArray[np.intp], float]:
    """Return the rows of a stage, with the one of the state it starts from, and its start [s]."""
    stages = run.table["stage"]
    rows = np.flatnonzero(stages == stage)
    before = np.flatnonzero(stages < stage)[-1:]
    rows = np.concatenate([before, rows])
    begin = float(run.table["t"][rows[0]]) if len(rows) else 0.0
    return rows, begin


def credited(text: str, source: str | None) -> str:
    """Return a published value with where it is from."""
    return f"published: {text} ({source})" if source else f"published: {text}"


def with_unit(value: float, unit: str) -> str:
    """Return a number with its unit, if it has one."""
    return f"{value:.5g} {unit}" if unit else f"{value:.5g}"
