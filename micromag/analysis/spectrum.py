"""The spectrum of what oscillates: a spin-torque oscillator, a resonance, spin waves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field, StrictInt

from micromag.analysis._oscillations import (
    FEWEST_ROWS,
    WHERE,
    Curve,
    Oscillations,
    Point,
    measure_sweep,
    model_line,
    series_of,
    write_csv,
)
from micromag.analysis._rows import last_stage
from micromag.analysis._spectra import Line, line_of
from micromag.analysis._sweep_curves import report_curves
from micromag.analysis.base import Analysis
from micromag.errors import AnalysisError
from micromag.parameters import Quantity
from micromag.si_text import si

if TYPE_CHECKING:
    from micromag.output.runfile import RunFile
    from micromag.output.sweep_file import SweepFile

NUMBERS = "spectrum.csv"
"""What a sweep leaves in its folder, beside the picture of the same name."""


STEADY = 3e-3
"""An amplitude that changes by less than this part in 1/f is told as it is."""


class Spectrum(Analysis):
    r"""Frequency and amplitude of the strongest oscillation of a column of the table.

    The column's amplitudes are those of its Fourier transform under a Hann window; of the strongest
    line frequency and amplitude are told between the bins. A sweep leaves ``spectrum.csv`` and
    ``spectrum.png``: all spectra, and the frequency against what was swept.

    For a component of the mean magnetization the macrospin of the run stands beside it, with all
    fields and torques of the run, through the same analysis. A macrospin with one axis of symmetry,
    polarised along it, takes from the torque what damping loses at

    .. math:: f = \frac{\gamma}{2 \pi} \frac{a_J}{\alpha}

    =======  ====  ====================================================================
    name     unit  default
    =======  ====  ====================================================================
    column   --    ``m_x``; a column of the table
    stage    --    the last stage; number in the schedule, from 0
    after    s     half of the stage; what comes before in the stage does not count
    against  --    the first swept current, voltage or field; the figure's abscissa
    =======  ====  ====================================================================

    Source: T. Grandke, IEEE Trans. Instrum. Meas. 32, 350 (1983); for the oscillator K. J. Lee,
    O. Redon and B. Dieny, Appl. Phys. Lett. 86, 022505 (2005).
    """

    needs_time = True
    fewest_rows = FEWEST_ROWS

    column: str = "m_x"
    """Column of the table."""
    stage: Annotated[StrictInt, Field(ge=0)] | None = None
    """Number of the stage in the schedule, from 0."""
    after: Annotated[float, Quantity("s", ge=0)] | None = None
    """Time of the stage that is left out [s]."""
    against: str | None = None
    """Swept key that is the abscissa of the figure."""

    def needed_columns(self) -> tuple[str, ...]:
        """Return what it reads of the table."""
        return (self.column,)

    def needed_swept_keys(self) -> tuple[str, ...]:
        """Return the abscissa, if it is named."""
        return () if self.against is None else (self.against,)

    def report(self, run: RunFile) -> str:
        """Return the strongest line; raises AnalysisError where the rows do not tell one."""
        stage = last_stage(run, self.stage)
        t, y = series_of(run, self.column, stage, self.after)
        line = line_of(t, y)
        text = f"{self.column} {_oscillates(line)}"
        try:
            model = model_line(run, self.column, stage, self.after)
        except AnalysisError as error:
            return f"{text}; no macrospin beside it: {error.what}."
        return f"{text}; a macrospin with the same fields and torques {_oscillates(model)}."

    def report_sweep(self, sweep: SweepFile, folder: Path) -> list[str]:
        """Return what the curves show, and write ``spectrum.csv`` and ``spectrum.png``.

        Raises AnalysisError when ``against`` was not swept or nothing is known of any run, MicromagError
        if the disk refuses.
        """
        from micromag.plot.spectrum_figure import spectrum_figure

        found = measure_sweep(sweep, self.column, self.stage, self.after, self.against)
        write_csv(found, folder / NUMBERS)
        return report_curves(
            [_told(found, curve) for curve in found.curves], found.points,
            [p for p in found.points if p.amplitudes is None],
            folder / NUMBERS, lambda: spectrum_figure(found), WHERE,
        )  # fmt: skip


# --------------------------------------------------------------------------------------- words


def _oscillates(line: Line | None) -> str:
    if line is None:
        return "does not oscillate"
    text = f"oscillates at {si(line.frequency, 'Hz', 4)} with an amplitude of {line.amplitude:.3g}"
    return text + _lasting(line)


def _lasting(line: Line) -> str:
    """Return whether the oscillation dies out or grows within some hundred periods."""
    if abs(line.growth) < STEADY * line.frequency:
        return ""
    word = "dies out" if line.growth < 0 else "grows"
    return f", which {word} by e in {si(1 / abs(line.growth), 's', 3)}"


def _told(found: Oscillations, curve: Curve) -> str:
    """Return a curve in a sentence: its ends, where it is still, and how far the macrospin is off."""
    known = [p for p in curve.points if p.amplitudes is not None]
    going = [p for p in known if p.line is not None]
    where = f"{curve.label}: " if curve.label else ""
    if not going:
        text = f"{where}{found.column} does not oscillate in any of {len(known)} runs"
        return f"{text}; no macrospin beside it: {curve.note}." if curve.note else f"{text}."
    ends = going[:1] + going[1:][-1:]
    text = f"{where}{found.column} oscillates at " + ", and ".join(_at(found, p) for p in ends)
    if still := [p for p in known if p.line is None]:
        text += f"; it does not at {found.name} = {', '.join(_value(found, p) for p in still)}"
    if curve.note:
        return f"{text}; no macrospin beside it: {curve.note}."
    return f"{text}. {_compared(found, known)}"


def _value(found: Oscillations, point: Point) -> str:
    return si(point.value, found.unit or "1")


def _at(found: Oscillations, point: Point) -> str:
    assert point.line is not None
    value = f"{found.name} = {_value(found, point)}" if found.name != "replica" else point.label
    text = f"{si(point.line.frequency, 'Hz', 4)} for {value}{_lasting(point.line)}"
    if point.model is not None:
        text += f" (a macrospin at {si(point.model.frequency, 'Hz', 4)})"
    return text


def _compared(found: Oscillations, known: Sequence[Point]) -> str:
    unlike = sum((p.line is None) != (p.model is None) for p in known)
    off = {
        abs(p.line.frequency / p.model.frequency - 1): p for p in known if p.line and p.model
    } or {math.nan: known[0]}
    middle, largest = float(np.median(list(off))), max(off)
    text = f"They differ from the macrospin's by {100 * middle:.2g} % (median)"
    text += f", at most {100 * largest:.2g} % at {_value(found, off[largest])}"
    if unlike:
        text += (
            f"; {unlike} of {len(known)} runs oscillate where it does not, or the other way round"
        )
    return text + "."
