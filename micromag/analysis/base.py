"""What an analysis is: parameters in the run file, made of finished results."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import ConfigDict

from micromag.arguments import Checked
from micromag.errors import AnalysisError, UnreadableInputError

if TYPE_CHECKING:
    from micromag.config import RunConfig
    from micromag.output.runfile import RunFile
    from micromag.output.sweep_file import SweepFile


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

    def report_sweep(self, sweep: SweepFile, folder: Path) -> list[str]:
        """Return what was found in the replicas of a sweep; files of it go into ``folder``.

        By default a sentence per replica, behind its label.
        """
        sentences = []
        for replica in sweep.replicas:
            try:
                found = self.report(sweep.run(replica.number))
            except (AnalysisError, UnreadableInputError) as error:
                found = replica.message or error.what
            sentences.append(f"{replica.label}: {found}")
        return sentences

    def needed_columns(self) -> tuple[str, ...]:
        """Return the columns of the table without which nothing can be found."""
        return ()

    needs_time: ClassVar[bool] = False
    """Whether its stage has to be one in which time passes."""
    needs_currents: ClassVar[bool] = False
    """Whether torques have to act in its stage."""
    fewest_rows: ClassVar[int] = 0
    """Rows of its stage without which nothing can be found, from `after` on."""

    def unfit(self, config: RunConfig) -> str | None:
        """Return why nothing can be found in what a run file makes, None where something can."""
        return None

    def needed_swept_keys(self) -> tuple[str, ...]:
        """Return the key paths that a sweep has to sweep."""
        return ()
