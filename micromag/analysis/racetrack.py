"""Walls that current pulses move from place to place along a racetrack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StrictInt

from micromag.analysis._rows import column_of, last_stage, rows_of_stage
from micromag.analysis.base import Analysis
from micromag.errors import AnalysisError
from micromag.parameters import Quantity

if TYPE_CHECKING:
    from micromag.output.runfile import RunFile

_WHERE = "analysis.racetrack"
KEPT = 0.1
"""Part of the distance between two places by which walls may miss them."""
SAMPLES = 4000


class Racetrack(Analysis):
    r"""How far each pulse of a train moves every wall, and whether the bits between the walls are kept.

    The positions x of the walls are compared at the ends of the periods of the train. The places where
    walls rest (notches) have the distance ``spacing``; a bit is kept if all walls advance by the same
    whole number of places. Beside it stands how far the pulse would carry a free wall below the Walker
    threshold, without inertia:

    .. math:: x = \frac{1}{\alpha} \int_0^T \beta u \, dt

    =========  ====  =======================================================================
    name       unit  default
    =========  ====  =======================================================================
    positions  --    required: columns of positions, ``[wall_position@a, wall_position@b]``
    period     s     required: period of the train of pulses
    spacing    m     required: distance between the places where walls rest
    stage      --    the last stage; number in the schedule, from 0
    =========  ====  =======================================================================

    Source: S. S. P. Parkin, M. Hayashi and L. Thomas, Science 320, 190 (2008).
    """

    positions: Annotated[tuple[str, ...], Field(min_length=1)]
    """Columns of the walls' positions."""
    period: Annotated[float, Quantity("s", gt=0)]
    """Period of the pulses [s]."""
    spacing: Annotated[float, Quantity("m", gt=0)]
    """Distance between two places where walls rest [m]."""
    stage: Annotated[StrictInt, Field(ge=0)] | None = None
    """Number of the stage in the schedule, from 0."""

    def needed_columns(self) -> tuple[str, ...]:
        """Return what it reads of the table."""
        return self.positions

    def report(self, run: RunFile) -> str:
        """Return the displacements pulse by pulse; raises AnalysisError when a wall is lost."""
        places = self.places(run)
        steps = np.diff(places, axis=0)
        lines = []
        for number, moved in enumerate(steps, 1):
            nm, whole = (
                " and ".join(f"{x:.{k}f}" for x in moved * s)
                for s, k in ((1e9, 1), (1 / self.spacing, 2))
            )
            lines.append(f"Pulse {number} moves the walls by {nm} nm, {whole} places.")
        free = _free_way(run, last_stage(run, self.stage), self.period)
        if free is not None:
            lines.append(f"It would carry a free wall by beta u / alpha = {free * 1e9:.1f} nm.")
        advance = steps / self.spacing
        kept = np.abs(advance - np.rint(advance)).max() < KEPT
        kept = bool(kept and (np.rint(advance) == np.rint(advance[:, :1])).all())
        if places.shape[1] > 1:
            first, last = (np.ptp(x) * 1e9 for x in (places[0], places[-1]))
            state = "kept" if kept else "not kept"
            lines.append(
                f"The outer walls are {last:.1f} nm apart, {first:.1f} nm at the start: "
                f"what is stored between them is {state}."
            )
        return " ".join(lines)

    def places(self, run: RunFile) -> NDArray[np.float64]:
        """Return where the walls are at the start and after every pulse [m], shape (pulses + 1, walls).

        Raises AnalysisError when a column is missing, a wall is lost or the stage ends too early.
        """
        rows, begin = rows_of_stage(run, last_stage(run, self.stage))
        t = run.table["t"][rows] - begin
        pulses = int(np.floor(t[-1] / self.period + 1e-6)) if len(t) else 0
        if pulses < 1:
            raise AnalysisError(
                "the stage ends before the first period of the pulses does",
                where=_WHERE,
                value=f"{(t[-1] if len(t) else 0) * 1e9:.4g} ns",
                allowed=f"at least {self.period * 1e9:.4g} ns",
            )
        ends = self.period * np.arange(pulses + 1)
        found = []
        for name in self.positions:
            x = column_of(run, name, _WHERE)[rows]
            lost = np.flatnonzero(~np.isfinite(x))
            if len(lost):
                raise AnalysisError(
                    f"there is no {name} any more",
                    where=_WHERE,
                    value=f"from t = {t[lost[0]] * 1e9:.4g} ns of the stage on",
                    next_step="lower the current, shorten the pulses or lengthen the mesh",
                )
            found.append(np.interp(ends, t, x))
        return np.stack(found, axis=1)


def _free_way(run: RunFile, stage: int, period: float) -> float | None:
    """Return how far a pulse carries a free wall [m]; None for other drives than drifting spins."""
    # The engine's side of the program lies above this one: see ignore_imports in pyproject.toml.
    from micromag.wall_model import drive_of, start_of

    try:
        drive = drive_of(run, stage)
    except AnalysisError:
        return None
    begin = start_of(run, stage)
    times = begin + (np.arange(SAMPLES) + 0.5) * period / SAMPLES
    pushes = [drive.at(float(t)) for t in times]
    if not drive.alpha or any(p.field.any() or p.damping_like.any() for now in pushes for p in now):
        return None
    return float(np.mean([sum(p.beta_u for p in now) for now in pushes]) * period / drive.alpha)
