"""What an analysis is: parameters in the run file, made of finished results."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Analysis(BaseModel):
    """Something made of the table and the snapshots of a finished run."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
    )
