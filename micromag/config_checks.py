"""What must agree between the sections of a configuration."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic_core import PydanticCustomError

from micromag.config_sections import Run, Stage, has_currents
from micromag.observables import OBSERVABLES, observable_of, table_columns
from micromag.observables.base import MARK
from micromag.parameters import custom_error
from micromag.si_text import si
from micromag.terms import energy_names, term_quantities

if TYPE_CHECKING:
    from micromag.analysis.base import Analysis
    from micromag.config import RunConfig
    from micromag.config_sections import Solver
    from micromag.terms import Term


def check_quantities(config: RunConfig) -> None:
    """Refuse snapshots of the field of a term that the run does not have."""
    fields = [f"{kind}_{term}" for term in energy_names(config.energy) for kind in "Be"]
    known = ["m", *fields, *term_quantities(config.torques)]
    for quantity in config.output.snapshots.quantities:
        if quantity not in known:
            what = f"the run has no term for {quantity!r}"
            if quantity[:2] in ("B_", "e_"):
                what = f"the run has no energy term for {quantity!r}"
            raise custom_error("quantity", what, ", ".join(known))


def check_analyses(config: RunConfig) -> None:
    """Refuse an analysis of a column or a stage that the run does not have."""
    names = config.column_names
    found = {name: observable_of(name)() for name in names}
    terms = energy_names(config.energy)
    columns = [column.name for column in table_columns(names, found, terms, config.torques)]
    for key, analysis in config.analysis.items():
        for column in analysis.needed_columns():
            if column not in columns:
                known = _provider(column, terms, config.torques) or column
                what = f"the table has no column {column!r}; add {known} to output.table.columns"
                raise custom_error("analysis", what, ", ".join(columns), key)
        swept = None if config.sweep is None else config.sweep.keys
        for path in analysis.needed_swept_keys():
            if swept is not None and path not in swept:
                what = f"{path!r} is not swept"
                raise custom_error("analysis", what, ", ".join(swept), f"{key}.against")
        stage = getattr(analysis, "stage", None)
        if stage is not None and stage >= len(config.schedule):
            what = f"the schedule has no stage {stage}"
            allowed = f"0 to {len(config.schedule) - 1}"
            raise custom_error("analysis", what, allowed, f"{key}.stage")
        number = len(config.schedule) - 1 if stage is None else stage
        examined = config.schedule[number] if number >= 0 else None
        after = getattr(analysis, "after", None) or 0.0
        swept_stages = any(path.startswith("schedule") for path in swept or ())
        if isinstance(examined, Run) and not swept_stages and after >= examined.duration:
            what = f"the stage lasts no longer than {si(examined.duration, 's')}"
            raise custom_error("analysis", what, "a time before its end", f"{key}.after")
        unfit = analysis.unfit(config)
        if examined is not None and not swept_stages:
            unfit = unfit or _unfit_stage(analysis, examined, number, config)
        if unfit is not None:
            raise custom_error("analysis", unfit, "another analysis, or another run", key)


def _unfit_stage(analysis: Analysis, stage: Stage, number: int, config: RunConfig) -> str | None:
    """Return why nothing can be found in a stage, None where something can."""
    kind = type(stage).__name__.lower()
    if analysis.needs_time and not isinstance(stage, Run):
        return f"stage {number} is {kind}, in which no time passes"
    if analysis.needs_currents and not has_currents(stage):
        return (
            f"torques are off in stage {number}, {kind}; relax takes them in with  currents: true"
        )
    every = config.output.table.every
    if not isinstance(stage, Run) or every is None or "output.table.every" in stage.overrides:
        return None
    after = getattr(analysis, "after", None)
    rows = 1 + int((stage.duration / 2 if after is None else stage.duration - after) / every)
    if rows < analysis.fewest_rows:
        return f"it gets {rows} rows of stage {number} and needs at least {analysis.fewest_rows}"
    return None


def _provider(column: str, terms: Sequence[str], torques: Sequence[tuple[str, Term]]) -> str | None:
    """Return what stands for a column in ``output.table.columns``; None for one that nobody knows."""
    _, mark, part = column.partition(MARK)
    for key in OBSERVABLES.keys():
        cls = OBSERVABLES.get(key)
        for name in cls.names:
            if mark and not cls.by_part:
                continue
            full = f"{name}{mark}{part}"
            with suppress(PydanticCustomError):  # what the run cannot have
                if column in [c.name for c in cls().columns_with(full, terms, torques)]:
                    return full
    return None


def check_noise(config: RunConfig) -> None:
    """Refuse two temperatures, and steps of any length where there is noise."""
    keys = [key for key, term in config.energy if term.kind == "noise"]
    repeated = next((key for i, key in enumerate(keys) if key in keys[:i]), None)
    if repeated is not None:
        what = f"{repeated} is given more than once, and their noises would add up"
        raise custom_error("noise", what, f"one {repeated}, by region or cell")
    for stage in config.schedule:
        own = any(path.startswith("solver") for path in stage.overrides)
        missing = missing_step(config.solver) if keys and isinstance(stage, Run) else None
        if missing and not own:
            raise custom_error("noise_step", missing, STEP_OF_NOISE)


STEP_OF_NOISE = (
    "dt, 50 to 200 fs for permalloy in cells of 5 nm; or max_dt, with an error control below it"
)
"""What `missing_step` asks for."""


def missing_step(solver: Solver) -> str | None:
    """Return why the solver cannot integrate noise, None if it can."""
    if solver.dt is not None or solver.max_dt is not None:
        return None
    return (
        "thermal noise needs a step: the error control takes the noise of a step as given, and would "
        "make the step too long for the right means"
    )
