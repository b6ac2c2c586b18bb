"""The direction in which a current moves a skyrmion."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StrictInt

from micromag.analysis._rows import column_of, last_stage, late_rows, rows_of_stage
from micromag.analysis.base import Analysis
from micromag.errors import AnalysisError
from micromag.parameters import Quantity

if TYPE_CHECKING:
    from micromag.output.runfile import RunFile

_WHERE = "analysis.skyrmion_hall_angle"
COLUMNS = ("skyrmion_x", "skyrmion_y")
FEWEST_ROWS = 4
STILL = 0.01
"""A slower skyrmion has no direction [m/s]."""


class SkyrmionHallAngle(Analysis):
    r"""Velocity of a skyrmion, and the angle of its path to the x axis, beside the Thiele equation.

    Straight lines are fitted to the positions x(t) and y(t); the angle is
    :math:`\arctan(v_y / v_x)`, between -90 and 90 degrees. Beside it stands

    .. math:: (G - \alpha D)\, v = F

    with the gyrocoupling G (4 pi Q off the diagonal), the dissipation D and the force F of all
    torques, all taken from the last snapshot of the stage and the field engine. The equation knows
    neither edges nor other textures; where the skyrmion feels none it is exact for a steady motion.

    ======  ====  ====================================================================
    name    unit  default
    ======  ====  ====================================================================
    stage   --    the last stage; number in the schedule, from 0
    after   s     half of the stage; what comes before in the stage does not count
    ======  ====  ====================================================================

    Source: A. A. Thiele, Phys. Rev. Lett. 30, 230 (1973); W. Jiang et al., Nature Phys. 13, 162 (2017).
    """

    needs_time = True
    fewest_rows = FEWEST_ROWS

    stage: Annotated[StrictInt, Field(ge=0)] | None = None
    """Number of the stage in the schedule, from 0."""
    after: Annotated[float, Quantity("s", ge=0)] | None = None
    """Time of the stage that is left out [s]."""

    def needed_columns(self) -> tuple[str, ...]:
        """Return the position of the skyrmion."""
        return COLUMNS

    def report(self, run: RunFile) -> str:
        """Return velocity and angle; raises AnalysisError where there is no skyrmion, or no path."""
        v = self.velocity(run)
        text = f"The skyrmion moves at {_told(v)}"
        try:
            model = self.model(run)
        except AnalysisError as error:
            return f"{text}; no Thiele equation beside it: {error.what}."
        return f"{text}; the Thiele equation gives {_told(model)}."

    def velocity(self, run: RunFile) -> NDArray[np.float64]:
        """Return (v_x, v_y) [m/s] by straight lines; raises AnalysisError where there are none."""
        stage = last_stage(run, self.stage)
        rows, t = late_rows(run, stage, self.after, FEWEST_ROWS, _WHERE)
        found = []
        for axis, name in enumerate(COLUMNS):
            x = column_of(run, name, _WHERE)[rows]
            lost = np.flatnonzero(~np.isfinite(x))
            if len(lost) == len(x):
                raise AnalysisError(
                    f"there is no skyrmion in stage {stage}",
                    where=_WHERE,
                    next_step="start from one: initial: {skyrmion: {kind: neel}}",
                )
            if len(lost):
                raise AnalysisError(
                    "there is no skyrmion any more",
                    where=_WHERE,
                    value=f"from t = {t[lost[0]] * 1e9:.4g} ns on",
                    next_step="lower the current, or enlarge the mesh",
                )
            if run.mesh.periodic[axis]:  # it comes back on the other side
                x = np.unwrap(x, period=run.mesh.size[axis])
            found.append(np.polyfit(t - t[0], x, 1)[0])
        return np.array(found)

    def model(self, run: RunFile) -> NDArray[np.float64]:
        """Return (v_x, v_y) [m/s] of the Thiele equation; raises AnalysisError (NoModelError)."""
        # The engine's side of the program lies above this one: see ignore_imports in pyproject.toml.
        from micromag.skyrmion_model import rigid_velocity

        stage = last_stage(run, self.stage)
        rows, begin = rows_of_stage(run, stage)
        end = run.table["t"][rows[-1]]
        inside = np.flatnonzero((run.times > begin) & (run.times <= end * (1 + 1e-9)))
        if not len(inside):
            raise AnalysisError("the stage has no snapshot to take its shape from", where=_WHERE)
        return rigid_velocity(run, stage, np.asarray(run.field("m", int(inside[-1])), dtype=float))


def _told(v: NDArray[np.float64]) -> str:
    if np.hypot(*v) < STILL:
        return "less than 1 cm/s"
    angle = math.degrees(math.atan(v[1] / v[0])) if v[0] else math.copysign(90.0, v[1])
    return f"({v[0]:.2f}, {v[1]:.2f}) m/s, at {angle:.1f} degrees to the x axis"
