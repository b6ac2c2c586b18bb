"""Rows of the table that an analysis looks at, and what it says about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from micromag.errors import AnalysisError

if TYPE_CHECKING:
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


def rows_of_stage(run: RunFile, stage: int) -> tuple[NDArray[np.intp], float]:
    """Return the rows of a stage, with the one of the state it starts from, and its start [s]."""
    stages = run.table["stage"]
    rows = np.flatnonzero(stages == stage)
    before = np.flatnonzero(stages < stage)[-1:]
    rows = np.concatenate([before, rows])
    begin = float(run.table["t"][rows[0]]) if len(rows) else 0.0
    return rows, begin


def late_rows(
    run: RunFile, stage: int, after: float | None, fewest: int, where: str
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the rows of a stage from a time on that counts from its start, and their times [s].

    By default its second half. Raises AnalysisError where there are fewer rows than ``fewest``.
    """
    rows, begin = rows_of_stage(run, stage)
    t = np.asarray(run.table["t"][rows], dtype=np.float64)
    skip = (t[-1] - begin) / 2 if after is None and len(t) else after or 0.0
    late = t >= begin + skip
    if late.sum() < fewest:
        raise AnalysisError(
            f"too few rows of stage {stage}",
            where=where,
            value=f"{late.sum()} rows",
            allowed=f"at least {fewest}",
            next_step="shorten output.table.every, lengthen the run or lower 'after'",
        )
    return rows[late], t[late]


def credited(text: str, source: str | None) -> str:
    """Return a published value with where it is from."""
    return f"published: {text} ({source})" if source else f"published: {text}"


def with_unit(value: float, unit: str) -> str:
    """Return a number with its unit, if it has one."""
    return f"{value:.5g} {unit}" if unit else f"{value:.5g}"
