"""Switching of a magnet by a torque: when, from which drive on, and what a macrospin does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StrictInt, StringConstraints

from micromag.analysis._sweep_curves import DRIVES, report_curves
from micromag.analysis._switches import (
    WHERE,
    Curve,
    Point,
    Switches,
    components_of,
    first_run,
    measure_sweep,
    model_of,
    switch_of,
    write_csv,
)
from micromag.analysis.base import Analysis
from micromag.errors import AnalysisError
from micromag.observables.base import MARK
from micromag.si_text import si

if TYPE_CHECKING:
    from micromag.config import RunConfig
    from micromag.output.runfile import RunFile
    from micromag.output.sweep_file import SweepFile

NUMBERS = "switching.csv"
"""What a sweep leaves in its folder, beside the picture of the same name."""


class Switching(Analysis):
    r"""Whether and when a component of the mean magnetization changes sides, beside a macrospin.

    A run has switched if the component has the other sign in its last row than at the start of the
    stage; its time is that of the first zero, on a straight line between two rows. A sweep is
    sorted into curves against one swept key, each with the values between which switching begins, on
    either side of 0, and leaves ``switching.csv`` and ``switching.png``.

    Beside it stands the macrospin of the run: a magnet with parallel moments under

    .. math:: \dot m = \frac{X + \alpha\, m \times X}{1 + \alpha^2}, \qquad
              X = -\gamma\, m \times (N m + B) - \gamma\, a_J\, m \times (m \times \sigma)

    with all fields and torques of the run; N is weighed by the field engine at the uniformly
    magnetized magnet. It starts from the run's mean magnetization. Its threshold is where, under a drive that
    is raised slowly, the equilibrium is lost: where deviations from it begin to grow, as at

    .. math:: a_J = \alpha B_K

    for sigma along the easy axis, or where it ceases to exist, as for sigma across the easy axis with
    a field B_x along the current: there the largest value of
    :math:`\tfrac12 B_K \sin 2\theta - B_x \cos\theta` is :math:`a_J`, which is about
    :math:`B_K/2 - B_x/\sqrt2`. Values at the end of the stage count; between the swept ones, and
    from the nearest ones to 0, the drive is taken as straight.

    =======  ====  ==================================================================
    name     unit  default
    =======  ====  ==================================================================
    column   --    ``m_z``; ``m_x``, ``m_y``, of a part of the magnet ``m_z@free``
    stage    --    the first run stage; number in the schedule, from 0
    against  --    the first swept voltage, current or field; the figure's abscissa
    =======  ====  ==================================================================

    Source: J. Z. Sun, Phys. Rev. B 62, 570 (2000); K.-S. Lee et al., Appl. Phys. Lett. 102, 112410
    (2013).
    """

    column: Annotated[str, StringConstraints(pattern=r"^m_[xyz](@\w+)?$")] = "m_z"
    """Component that changes sides."""
    stage: Annotated[StrictInt, Field(ge=0)] | None = None
    """Number of the stage in the schedule, from 0."""
    against: str | None = None
    """Swept key that is the abscissa of the figure."""

    def needed_columns(self) -> tuple[str, ...]:
        """Return all components: the macrospin starts from them."""
        return components_of(self.column)

    def unfit(self, config: RunConfig) -> str | None:
        """Return that the mean is over more than what a torque switches; see the base class."""
        regions = {getattr(term, "region", None) for _, term in config.torques} - {None}
        if len(regions) != 1 or MARK in self.column:
            return None
        free = regions.pop()
        return (
            f"{self.column} is the mean over the whole magnet, and the torque acts on the region {free}: "
            f"column: {self.column}@{free}, with m@{free} in output.table.columns"
        )

    def needed_swept_keys(self) -> tuple[str, ...]:
        """Return the abscissa, if it is named."""
        return () if self.against is None else (self.against,)

    def report(self, run: RunFile) -> str:
        """Return whether and when it switched; raises AnalysisError where it cannot be said."""
        stage = first_run(run, self.stage)
        found = switch_of(run, self.column, stage)
        text = f"{self.column} goes from {found.begin:.3g} to {found.end:.3g}: "
        text += f"it switches, {_passes(found.time)}" if found.switched else "it does not switch"
        try:
            model = model_of(run, self.column, stage)
        except AnalysisError as error:
            return f"{text}; no macrospin beside it: {error.what}."
        told = f"does so {_passes(model.time)}" if model.switched else "does not"
        return f"{text}; a macrospin with the same fields and torques {told}."

    def report_sweep(self, sweep: SweepFile, folder: Path) -> list[str]:
        """Return what the curves show, and write ``switching.csv`` and ``switching.png``.

        Raises AnalysisError when ``against`` was not swept or nothing is known of any run, MicromagError
        if the disk refuses.
        """
        from micromag.plot.switching_figure import switching_figure

        found = measure_sweep(sweep, column=self.column, stage=self.stage, against=self.against)
        write_csv(found, folder / NUMBERS)
        return report_curves(
            [_told(found, curve) for curve in found.curves], found.points,
            [p for p in found.points if p.found is None],
            folder / NUMBERS, lambda: switching_figure(found), WHERE,
        )  # fmt: skip


# --------------------------------------------------------------------------------------- words


def _passes(time: float) -> str:
    return f"passing 0 at {time * 1e9:.3g} ns"


def _told(found: Switches, curve: Curve) -> str:
    """Return a curve in a sentence."""
    sides = [text for sign in (1, -1) if (text := _side(found, curve, sign))]
    where = f"{curve.label}: " if curve.label else ""
    text = f"{where}{found.column} " + "; ".join(sides)
    return f"{text}; no macrospin beside it: {curve.note}." if curve.note else f"{text}."


def _side(found: Switches, curve: Curve, sign: int) -> str:
    """Return what happens on one side of 0, and what the macrospin does there."""
    points = curve.side(sign)
    if not points:
        return ""
    value = f"{found.name} " if found.name != "replica" else ""
    text = _range(points, [p.found is not None and p.found.switched for p in points], found, value)
    limit = curve.threshold(sign)
    if any(p.model is not None for p in points):
        if limit is None:
            stays = "; a slowly driven macrospin stays stable"
            text += stays if found.unit in DRIVES else ""
        else:
            text += (
                f"; a slowly driven macrospin becomes unstable at {si(limit, found.unit or '1')}"
            )
        text += _times(points, found)
    return text


def _range(points: Sequence[Point], switched: Sequence[bool], found: Switches, value: str) -> str:
    """Return between which values switching begins."""
    texts = [si(p.value, found.unit or "1") for p in points]
    if not any(switched):
        return f"does not switch up to {value}= {texts[-1]}"
    first = switched.index(True)
    text = f"switches from {value}= {texts[first]} on"
    if first:
        text = f"begins to switch between {value}= {texts[first - 1]} and {texts[first]}"
    back = [t for t, s in zip(texts[first:], switched[first:], strict=True) if not s]
    return text + (f" (but not at {', '.join(back)})" if back else "")


def _times(points: Sequence[Point], found: Switches) -> str:
    """Return the times of the first and the last switch beside the macrospin's."""
    both = [
        (p, p.found.time, p.model.time)
        for p in points
        if p.found and p.model and p.found.switched and p.model.switched
    ]
    unlike = sum(
        p.found.switched != p.model.switched for p in points if p.found is not None and p.model
    )
    text = ""
    for p, time, model in both[:1] + both[1:][-1:]:
        if math.isfinite(time) and math.isfinite(model):
            text += f"{', and' if text else ''} at {si(p.value, found.unit or '1')} "
            text += f"{time * 1e9:.3g} ns ({model * 1e9:.3g} ns)"
    text = f"; time to m = 0 (the macrospin's in brackets){text}" if text else ""
    if unlike:
        text += f"; {unlike} of {len(points)} runs end on another side than the macrospin"
    return text
