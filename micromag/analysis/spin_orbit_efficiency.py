"""Efficiencies of a spin-orbit torque from the tilt of a magnet at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field, StrictInt

from micromag.analysis._macrospin import direction_of
from micromag.analysis._rows import column_of, last_stage
from micromag.analysis.base import Analysis
from micromag.errors import AnalysisError
from micromag.transport.spin_hall import MechanismAngle

if TYPE_CHECKING:
    from micromag.config import RunConfig
    from micromag.macrospin_model import SpinOrbitFields
    from micromag.output.runfile import RunFile

_WHERE = "analysis.spin_orbit_efficiency"
AXES = ("m_x", "m_y", "m_z")
AT_REST = 1e-3
"""Largest torque at which a magnet counts as being at rest, in parts of the current's field."""
ROUNDING = 1e-6
"""A field smaller than this part of the other one is told as 0."""
MECHANISMS = {
    "intrinsic": "intrinsic",
    "skew_scattering": "skew scattering",
    "side_jump": "side jump",
}


class SpinOrbitEfficiency(Analysis):
    r"""The efficiencies of a spin-orbit torque, as an experiment finds them: from a magnet that it tilts.

    The current has tilted the magnet, which is at rest: the torque of its own field and of the applied
    one, which the field engine weighs, is in balance with those of the current,

    .. math:: m \times \left(N m + B + B_{FL}\, \sigma + B_{DL}\, m \times \sigma\right) = 0, \qquad
              \theta_{DL, FL} = \frac{2 e M_s t}{\hbar J} B_{DL, FL}

    Beside them stand the spin Hall angle of the run file's model with its mechanisms, and the
    efficiencies that follow from it. The moments have to be parallel, the torque the only one.

    =====  ====  =============================================================
    name   unit  default
    =====  ====  =============================================================
    stage  --    the last stage; number in the schedule, from 0
    =====  ====  =============================================================

    Source: M. Hayashi, J. Kim, M. Yamanouchi and H. Ohno, Phys. Rev. B 89, 144425 (2014).
    """

    needs_currents = True

    stage: Annotated[StrictInt, Field(ge=0)] | None = None
    """Number of the stage in the schedule, from 0."""

    def needed_columns(self) -> tuple[str, ...]:
        """Return the mean magnetization, and whether it is at rest."""
        return (*AXES, "max_torque")

    def unfit(self, config: RunConfig) -> str | None:
        """Return that other torques act; see the base class."""
        torques = [key for key, _ in config.torques]
        if torques != ["spin_orbit"]:
            return (
                f"the run is to have one torque, spin_orbit, and has {', '.join(torques) or 'none'}"
            )
        return None

    def report(self, run: RunFile) -> str:
        """Return efficiencies and angle; raises AnalysisError where they do not follow."""
        found = self.fields(run)
        fields = np.array([found.damping_like, found.field_like])
        fields[np.abs(fields) < ROUNDING * np.abs(fields).max()] = 0.0
        (B_DL, B_FL), (damping, field) = 1e3 * fields, fields / found.per_angle
        text = f"The tilt tells {B_DL:.4g} mT damping-like, {B_FL:.4g} mT field-like"
        return f"{text}: theta_DL = {damping:.4g}, theta_FL = {field:.4g}; {_theory(found)}."

    def fields(self, run: RunFile) -> SpinOrbitFields:
        """Return the fields of the current; raises AnalysisError where they do not follow."""
        # The engine's side of the program lies above this one: see ignore_imports in pyproject.toml.
        from micromag.macrospin_model import spin_orbit_fields

        stage = last_stage(run, self.stage)
        rows = np.flatnonzero(run.table["stage"] == stage)
        if not len(rows):
            raise AnalysisError(f"the table has no row of stage {stage}", where=_WHERE)
        m = np.array([column_of(run, name, _WHERE)[rows[-1]] for name in AXES])
        found = spin_orbit_fields(run, stage, direction_of(m, _WHERE))
        if max(abs(found.damping_like), abs(found.field_like)) < ROUNDING * found.per_angle:
            raise AnalysisError(
                f"the current does not tilt the magnet in stage {stage}",
                where=_WHERE,
                next_step="relax leaves torques out: relax: {currents: true, max_torque: ...}",
            )
        torque = float(column_of(run, "max_torque", _WHERE)[rows[-1]])
        if torque > AT_REST * np.hypot(found.damping_like, found.field_like):
            raise AnalysisError(
                "the magnet is not at rest under the current",
                where=_WHERE,
                value=f"torque {torque:.3g} T",
                next_step="end with a stage relax: {currents: true, max_torque: ...}",
            )
        return found


def _theory(found: SpinOrbitFields) -> str:
    """Return what the run file says of the efficiencies."""
    term = found.term
    given = [0.0 if p is None else p.value for p in (term.theta_DL, term.theta_FL)]
    more = found.field_like_theory / found.per_angle - given[1]
    if abs(more) < ROUNDING * (abs(given[0]) + abs(given[1])):
        more = 0.0
    text = f"theory has theta_DL = {given[0]:.4g}, theta_FL = {given[1] + more:.4g}"
    if more:
        text += f" (of it {more:.4g} by other fields of the current along sigma)"
    angle = term.angle()
    if angle is None:
        return text
    text += f" from theta_SH = {angle:.4g}"
    model = term.theta_sh
    parts = model.parts() if isinstance(model, MechanismAngle) else {}
    told = [f"{MECHANISMS[name]} {value:.4g}" for name, value in parts.items() if value]
    return f"{text} ({', '.join(told)})" if told else text
