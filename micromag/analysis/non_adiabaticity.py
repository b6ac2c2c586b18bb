"""The non-adiabatic torque of a spin accumulation, from the velocity of a wall that it drives."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StrictInt

from micromag.analysis._velocities import motion_of, track_of
from micromag.analysis.base import Analysis
from micromag.errors import AnalysisError
from micromag.parameters import Quantity

if TYPE_CHECKING:
    from micromag.output.runfile import RunFile


class NonAdiabaticity(Analysis):
    r"""The effective beta of a wall that `transport` drives below the Walker threshold.

    The steady velocity v is fitted as in `wall_velocity`; with the drift velocity
    u = -P mu_B J/(e Ms) the torque's non-adiabatic part is

    .. math:: f \beta = \alpha v / u .

    It stands beside that of slow textures and that of a wall of the measured width out of which spins
    diffuse, see `micromag.transport.conductors.uniform_gradient`, both lowered by h^2/(6 Delta^2), what
    central differences on cells of the length h leave of the slope.

    =====  ====  ===================================================
    name   unit  default
    =====  ====  ===================================================
    stage  --    the last run stage; number in the schedule, from 0
    after  s     0; the fit starts this long after the stage does
    =====  ====  ===================================================

    Source: S. Zhang and Z. Li, Phys. Rev. Lett. 93, 127204 (2004); A. Thiaville et al., Europhys. Lett. 69,
    990 (2005), for the velocity.
    """

    stage: Annotated[StrictInt, Field(ge=0)] | None = None
    """Number of the stage in the schedule, from 0."""
    after: Annotated[float, Quantity("s", ge=0)] = 0.0
    """Start of the fit, counted from the start of the stage [s]."""

    def needed_columns(self) -> tuple[str, ...]:
        """Return the wall's position and width."""
        return ("wall_position", "wall_width")

    def report(self, run: RunFile) -> str:
        """Return the effective beta and what theory makes of it; raises AnalysisError."""
        # The engine's side of the program lies above this one: see ignore_imports in pyproject.toml.
        from micromag.wall_model import spin_drift_of

        track = track_of(run, self.stage, None)
        motion = motion_of(run, track, self.after)
        if motion.kind in ("oscillating", "unsettled"):
            raise AnalysisError(
                "the wall has no steady velocity",
                where="analysis.non_adiabaticity",
                value=f"{motion.kind}, on average {motion.velocity:.3f} m/s",
                next_step="lower the current below the Walker threshold, or fit later (after)",
            )
        drift = spin_drift_of(run, track.stage, track.width)
        if not drift.u or not math.isfinite(track.width):
            raise AnalysisError(
                "no current flows along the wire", where="analysis.non_adiabaticity"
            )
        mesh = 1 - run.mesh.cell_size[0] ** 2 / (6 * track.width**2)
        found = drift.alpha * motion.velocity / drift.u
        error = abs(drift.alpha * motion.error / drift.u)
        return (
            f"A wall of Delta = {track.width * 1e9:.3g} nm moves at {motion.velocity:.3f} m/s, so "
            f"f beta = alpha v/u = {found:.4f} +- {error:.1g}; of slow textures it is "
            f"{mesh * drift.slow:.4f}, with the diffusion out of this wall {mesh * drift.wall:.4f}."
        )
