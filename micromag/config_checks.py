"""What must agree between the sections of a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from micromag.observables import observable_of, table_columns
from micromag.parameters import custom_error
from micromag.terms import unique_names

if TYPE_CHECKING:
    from micromag.config import RunConfig


def check_quantities(config: RunConfig) -> None:
    """Refuse snapshots of the field of a term that the run does not have."""
    terms = unique_names([key for key, _ in config.energy])
    for quantity in config.output.snapshots.quantities:
        if quantity != "m" and quantity.partition("_")[2] not in terms:
            what = f"the run has no energy term for {quantity!r}"
            allowed = ", ".join(["m", *(f"{kind}_{term}" for term in terms for kind in "Be")])
            raise custom_error("quantity", what, allowed)


def check_analyses(config: RunConfig) -> None:
    """Refuse an analysis of a column or a stage that the run does not have."""
    names = config.column_names
    found = {name: observable_of(name)() for name in names}
    terms = unique_names([key for key, _ in config.energy])
    columns = [column.name for column in table_columns(names, found, terms)]
    for key, analysis in config.analysis.items():
        for column in analysis.needed_columns():
            if column not in columns:
                what = f"the table has no column {column!r}; add it to output.table.columns"
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
