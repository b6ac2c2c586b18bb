"""Velocity of a domain wall, fitted to its position, beside what theory says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, TypeGuard

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StrictInt

from micromag.analysis.base import Analysis
from micromag.constants import E_CHARGE, MU_B
from micromag.errors import AnalysisError
from micromag.parameters import Quantity

if TYPE_CHECKING:
    from micromag.output.runfile import RunFile

_STEADY = 0.05


class WallVelocity(Analysis):
    r"""Velocity of a wall in one stage: the slope of a straight line through x(t).

    Below the Walker threshold a wall driven by a current settles to

    .. math:: v = \frac{\beta}{\alpha} u, \qquad u = -\frac{P \mu_B}{e M_s} J

    which is stated beside the fit where the run has one Zhang-Li torque with uniform parameters.
    Central differences over cells of width h lower it by the factor 1 - h^2/(6 Delta^2), which is
    stated as well where the table has the wall's width. The
    fit's second half is compared with its first: a wall that has not settled, or oscillates, is
    called so.

    =====  ====  ==================================================
    name   unit  default
    =====  ====  ==================================================
    stage  --    the last run stage; number in the schedule, from 0
    after  s     0; the fit starts this long after the stage does
    =====  ====  ==================================================

    Source: A. Thiaville et al., Europhys. Lett. 69, 990 (2005).
    """

    stage: Annotated[StrictInt, Field(ge=0)] | None = None
    """Number of the stage in the schedule, from 0."""
    after: Annotated[float, Quantity("s", ge=0)] = 0.0
    """Start of the fit, counted from the start of the stage [s]."""

    def needed_columns(self) -> tuple[str, ...]:
        """Return the wall's position."""
        return ("wall_position",)

    def report(self, run: RunFile) -> str:
        """Return the fitted velocity and the theory's; raises AnalysisError without a wall."""
        t, x = self._track(run)
        velocity, error = fit_line(t, x)
        half = len(t) // 2
        early, late = fit_line(t[:half], x[:half])[0], fit_line(t[half:], x[half:])[0]
        text = f"The wall moves at {velocity:.3f} +- {error:.3f} m/s (fitted over {_span(t)})"
        if abs(early - late) > _STEADY * max(abs(velocity), 0.1):
            text += (
                f", not steadily: {early:.2f} m/s in the first half, {late:.2f} m/s in the second"
            )
        expected = _steady_velocity(run)
        if expected is not None:
            text += f"; below the Walker threshold beta u / alpha = {expected:.3f} m/s"
            text += _on_this_mesh(run, expected)
        return text + "."

    def _track(self, run: RunFile) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return time [s] and position [m] of the wall in the window of the fit."""
        table = run.table
        if "wall_position" not in table:
            raise AnalysisError(
                "the table has no wall position",
                where="analysis.wall_velocity",
                next_step="add wall_position to output.table.columns",
            )
        stages = table["stage"]
        stage = self.stage if self.stage is not None else int(stages.max(initial=0))
        begin = table["t"][stages < stage].max(initial=0.0)
        rows = (stages == stage) & (table["t"] >= begin + self.after)
        t, x = table["t"][rows], table["wall_position"][rows]
        if len(t) >= 4 and not np.isfinite(x).all():
            lost = t[~np.isfinite(x)][0]
            raise AnalysisError(
                "there is no wall in the magnet any more",
                where="analysis.wall_velocity",
                value=f"from t = {lost * 1e9:.4g} ns on",
                next_step="shorten the run, lower the current or lengthen the mesh",
            )
        if len(t) < 4:
            raise AnalysisError(
                "too few rows to fit a velocity",
                where="analysis.wall_velocity",
                value=f"{len(t)} rows of stage {stage}, {self.after * 1e9:.4g} ns after its start",
                allowed="at least 4",
                next_step="shorten output.table.every or analysis.wall_velocity.after",
            )
        return t, x


def fit_line(t: NDArray[np.float64], x: NDArray[np.float64]) -> tuple[float, float]:
    """Return slope and its standard error of the straight line through x(t), by least squares."""
    if len(t) < 3:
        return float("nan"), float("nan")
    s = t - t.mean()
    slope = float((s * x).sum() / (s * s).sum())
    rest = x - x.mean() - slope * s
    return slope, math.sqrt(float((rest**2).sum()) / (len(t) - 2) / float((s * s).sum()))


def _span(t: NDArray[np.float64]) -> str:
    return f"t = {t[0] * 1e9:.4g} to {t[-1] * 1e9:.4g} ns"


def _on_this_mesh(run: RunFile, expected: float) -> str:
    """Return what cells of width h leave of a velocity: the factor 1 - h^2/(6 Delta^2)."""
    if "wall_width" not in run.table:
        return ""
    h, width = run.mesh.cell_size[0], float(np.nanmedian(run.table["wall_width"]))
    left = expected * (1 - h**2 / (6 * width**2))
    return f", of which the mesh (h = {h * 1e9:.3g} nm, Delta = {width * 1e9:.3g} nm) leaves {left:.3f}"


def _steady_velocity(run: RunFile) -> float | None:
    """Return beta u_x / alpha [m/s] from the stored configuration, None where it is not one number."""
    import yaml

    config: dict[str, Any] = yaml.safe_load(run.config_text)
    torque = (config.get("torques") or {}).get("zhang_li")
    material = config["material"]
    if not isinstance(torque, dict):
        return None
    u = torque.get("u")
    if u is not None:
        along = u[0] if isinstance(u, list) else None
    else:
        J, P, Ms = torque.get("J"), torque.get("P"), material["Ms"]
        if not isinstance(J, list) or not all(map(_is_number, (P, Ms))):
            return None
        along = -float(J[0]) * float(P or 0) * MU_B / (E_CHARGE * float(Ms or 1))
        if torque.get("prefactor") == "zhang_li":
            along /= 1 + float(torque["beta"]) ** 2
    beta, alpha = torque.get("beta"), material["alpha"]
    if along is None or not _is_number(beta) or not _is_number(alpha) or not alpha:
        return None
    return beta * float(along) / alpha


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
