"""What an analysis is: parameters in the run file, made of finished results."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from pydantic import ConfigDict

from micromag.arguments import Checked

if TYPE_CHECKING:
    from micromag.output.runfile import RunFile


class Analysis(Checked):
    """Something made of the table and the snapshots of a finished run."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
    )

    @abstractmethod
    def report(self, run: RunFile) -> str:
        """Return what was found, as a sentence or a few; raises AnalysisError when nothing can be."""

    def needed_columns(self) -> tuple[str, ...]:
        """Return the columns of the table without which nothing can be found."""
        return ()
