"""Velocity of a domain wall, fitted to its position, beside what theory says."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StrictInt

from micromag.analysis._velocities import (
    WHERE,
    Velocities,
    measure_sweep,
    motion_of,
    track_of,
    write_csv,
)
from micromag.analysis._velocity_words import described, told
from micromag.analysis.base import Analysis
from micromag.errors import AnalysisError
from micromag.parameters import Quantity

if TYPE_CHECKING:
    from micromag.output.runfile import RunFile
    from micromag.output.sweep_file import SweepFile

PICTURE = "velocity.png"
"""What a sweep leaves in its folder, beside the CSV of the same name."""


class WallVelocity(Analysis):
    r"""Velocity of a wall in one stage, and of a sweep the curve of them beside a model.

    The velocity is the slope of a straight line through x(t), with the standard error

    .. math:: \sigma_v^2 = \tau \frac{\sum_i r_i^2}{(n - 2) \sum_i (t_i - \bar t)^2}
              + \frac{(v_2 - v_1)^2}{4}

    r are the residuals and tau their integrated autocorrelation time in rows, since rows are not
    independent; v_1 and v_2 are the velocities in the two halves of the window and count if they
    differ by more than twice their noise. A wall whose halves differ by more than 5 % has not
    settled and is called so. Above the Walker threshold, where the wall's angle turns (or, without
    the column ``wall_angle``, x(t) comes back to its line periodically), the velocity is the mean
    over whole periods and the error that of the mean of the single ones.

    Below the Walker threshold a wall driven by a current settles to

    .. math:: v = \frac{\beta}{\alpha} u, \qquad u = -\frac{P \mu_B}{e M_s} J

    which is stated beside a single run's fit where nothing else drives the wall, and everything is
    uniform and constant in time. Central differences over cells of width h lower it by the factor
    1 - h^2/(6 Delta^2), which is stated as well where the table has the wall's width.

    A sweep leaves ``velocity.csv``, one row per replica, and ``velocity.png``: the points, the
    one-dimensional model with all torques and fields of the run (its width, hard axis and
    Dzyaloshinskii-Moriya interaction are measured at the relaxed wall), and x(t) of every run.

    =======  ====  ==================================================================
    name     unit  default
    =======  ====  ==================================================================
    stage    --    the last run stage; number in the schedule, from 0
    after    s     0; the fit starts this long after the stage does
    against  --    the first swept current, velocity or field; the figure's abscissa
    part     --    the whole magnet; a region, or ``z0`` for layer 0: the wall there
    =======  ====  ==================================================================

    Source: A. Thiaville et al., Europhys. Lett. 69, 990 (2005); A. Mougin et al., Europhys. Lett.
    78, 57007 (2007); A. D. Sokal, in Functional Integration, NATO ASI B 361 (1997), for tau.
    """

    stage: Annotated[StrictInt, Field(ge=0)] | None = None
    """Number of the stage in the schedule, from 0."""
    after: Annotated[float, Quantity("s", ge=0)] = 0.0
    """Start of the fit, counted from the start of the stage [s]."""
    against: str | None = None
    """Swept key that is the abscissa of the figure."""
    part: str | None = None
    """Region or layer whose wall is meant: ``wall_position@part``."""

    def needed_columns(self) -> tuple[str, ...]:
        """Return the wall's position."""
        return (f"wall_position@{self.part}" if self.part else "wall_position",)

    def needed_swept_keys(self) -> tuple[str, ...]:
        """Return the abscissa, if it is named."""
        return () if self.against is None else (self.against,)

    def report(self, run: RunFile) -> str:
        """Return the fitted velocity and the theory's; raises AnalysisError without a wall."""
        track = track_of(run, self.stage, self.part)
        motion = motion_of(run, track, self.after)
        text = described(motion)
        expected = _steady_velocity(run, track.stage)
        if expected is not None and motion.kind != "oscillating":
            text += f"; below the Walker threshold beta u / alpha = {expected:.3f} m/s"
            text += _on_this_mesh(run, expected, track.width)
        return text + "."

    def report_sweep(self, sweep: SweepFile, folder: Path) -> list[str]:
        """Return what the curves show, and write ``velocity.csv`` and ``velocity.png``.

        Raises AnalysisError when ``against`` was not swept, MicromagError if the disk refuses.
        """
        return self.write(sweep, folder / PICTURE)

    def write(self, sweep: SweepFile, picture: Path) -> list[str]:
        """Return what the curves show, and write the picture and a CSV of the same name beside it.

        Raises AnalysisError when ``against`` was not swept or no run has a velocity (there is then no
        picture), MicromagError if the disk refuses.
        """
        from micromag.plot.velocity_figure import velocity_figure
        from micromag.plot.writing import MissingLibraryError, write_figure

        found = self.measure(sweep)
        numbers = picture.with_suffix(".csv")
        write_csv(found, numbers)
        sentences = [told(found, curve) for curve in found.curves]
        missing = [p for p in found.points if p.motion is None]
        if missing:
            named = "; ".join(f"{p.label or p.number}: {p.note or p.status}" for p in missing[:3])
            more = f"; and {len(missing) - 3} more" if len(missing) > 3 else ""
            if len(missing) == len(found.points):
                raise AnalysisError(
                    f"no run of the sweep has a velocity, so there is no picture ({named}{more})",
                    where=WHERE,
                    next_step=f"why, run by run, is in the column note of {_path(numbers)}",
                )
            sentences.append(f"No velocity of {len(missing)} of {len(sweep)} runs: {named}{more}.")
        try:
            write_figure(velocity_figure(found), picture)
        except MissingLibraryError as error:
            why = f"{error.what} ({error.next_step})"
            return [*sentences, f"The velocities are in {_path(numbers)}; {why}."]
        return [*sentences, f"The velocities are in {_path(numbers)} and {_path(picture)}."]

    def measure(self, sweep: SweepFile) -> Velocities:
        """Return the velocities of a sweep, sorted into curves; raises as `report_sweep`."""
        return measure_sweep(
            sweep, stage=self.stage, after=self.after, against=self.against, part=self.part
        )


def _path(path: Path) -> str:
    return os.path.relpath(path)


def _on_this_mesh(run: RunFile, expected: float, width: float) -> str:
    """Return what cells of width h leave of a velocity: the factor 1 - h^2/(6 Delta^2)."""
    if not math.isfinite(width):
        return ""
    h = run.mesh.cell_size[0]
    left = expected * (1 - h**2 / (6 * width**2))
    return f", of which the mesh (h = {h * 1e9:.3g} nm, Delta = {width * 1e9:.3g} nm) leaves {left:.3f}"


def _steady_velocity(run: RunFile, stage: int) -> float | None:
    """Return beta u / alpha [m/s] of a stage; None where something else drives the wall as well."""
    # The engine's side of the program lies above this one: see ignore_imports in pyproject.toml.
    from micromag.wall_model import current_of, drive_of

    try:
        drive = drive_of(run, stage)
        _, u = current_of(run, stage)
    except AnalysisError:
        return None
    pushes = drive.at(0.0)
    if math.isnan(u) or not drive.is_constant or not drive.alpha:
        return None
    if any(push.field.any() or push.damping_like.any() for push in pushes):
        return None
    return sum(push.beta_u for push in pushes) / drive.alpha
