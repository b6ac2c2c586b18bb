"""The result file of one replica, made from its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from micromag.derived import derived_notes
from micromag.output.vtkhdf import CellField, VtkhdfWriter
from micromag.recording import columns_of
from micromag.terms import term_quantities

if TYPE_CHECKING:
    from micromag.config import RunConfig


def open_result(
    path: Path, config: RunConfig, Ms: NDArray[Any], provenance: Mapping[str, Any]
) -> VtkhdfWriter:
    """Return the open file that takes the rows and snapshots of a run.

    Parameters
    ----------
    path
        The file; it must not exist.
    config
        The run.
    Ms
        Saturation magnetization [A/m], shape ``(nz, ny, nx)``.
    provenance
        See `micromag.output.provenance.collect`.

    Raises
    ------
    OutputExistsError
        If the file exists.
    MicromagError
        If the disk refuses.
    """
    notes = derived_notes(config)
    return VtkhdfWriter(
        path,
        config.mesh,
        [cell_field(name, config) for name in config.output.snapshots.quantities],
        columns_of(config),
        config.resolved_yaml(),
        {**provenance, "derived": "; ".join(notes)} if notes else provenance,
        {"Ms": Ms},
        config.output.compression,
    )


def cell_field(quantity: str, config: RunConfig) -> CellField:
    """Return how a snapshot quantity is stored; see `micromag.recording.snapshot_fields`."""
    if quantity == "m":
        return CellField("m", 3, "", "unit vector of the magnetization")
    of_terms = term_quantities(config.torques)
    if quantity in of_terms:
        return CellField(quantity, 3, *of_terms[quantity])
    kind, _, term = quantity.partition("_")
    if kind == "B":
        return CellField(quantity, 3, "T", f"field of {term}")
    return CellField(quantity, 1, "J/m^3", f"energy density of {term}")
