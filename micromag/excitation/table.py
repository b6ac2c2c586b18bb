"""A waveform from measured or computed points."""

from __future__ import annotations

import itertools
from typing import Annotated, Any

import numpy as np
from pydantic import PrivateAttr, ValidationInfo, model_validator

from micromag.excitation.base import Emitter, Waveform
from micromag.input_file import UNREADABLE, InputFile
from micromag.parameters import Quantity, custom_error


class Table(Waveform):
    r"""Linear interpolation between points, constant before the first and after the last.

    .. math:: w(t) = y_i + (y_{i+1} - y_i) \frac{t - t_i}{t_{i+1} - t_i}

    ======  ====  =======  =====================================================================
    name    unit  default  meaning
    ======  ====  =======  =====================================================================
    file                   text file of two columns, t [s] and w; ``#`` begins a comment
    times   s              instead of a file: times, ascending
    values  1              and the values there
    ======  ====  =======  =====================================================================

    Raises
    ------
    pydantic.ValidationError
        If the times do not ascend, or the file has no two columns of finite numbers.
    """

    file: InputFile | None = None
    times: tuple[Annotated[float, Quantity("s")], ...] | None = None
    values: tuple[Annotated[float, Quantity("1")], ...] | None = None
    _t: tuple[float, ...] = PrivateAttr(())
    _y: tuple[float, ...] = PrivateAttr(())

    @model_validator(mode="after")
    def _read_points(self, info: ValidationInfo) -> Table:
        lists = (self.times, self.values)
        if (self.file is None) == (self.times is None) or (self.times is None) != (
            self.values is None
        ):
            what = "the points of a table come from a file or from two lists"
            raise custom_error("table", what, "file, or times and values")
        if self.file is not None:
            lists = _read_columns(self.file)
        times, values = (tuple(item or ()) for item in lists)
        if len(times) != len(values) or not times:
            what = f"{len(times)} times and {len(values)} values"
            raise custom_error("table", what, "as many times as values, at least one")
        if any(b <= a for a, b in itertools.pairwise(times)):
            raise custom_error("table", "the times of the table do not ascend", "ascending times")
        self._t, self._y = times, values
        return self

    def __call__(self, t: float) -> float:
        return float(np.interp(t, self._t, self._y))

    def emit(self, c: Emitter) -> str:
        return c.table(self._t, self._y)

    def corners(self, c: Emitter) -> str:
        return c.times(self._t)


def _read_columns(path: Any) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the two columns of a text file, separated by blanks, tabs or commas."""
    rows = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise custom_error(UNREADABLE, f"{path} is not a readable text file: {error}") from None
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].replace(",", " ").split()
        if not words:
            continue
        try:
            t, y = map(float, words)
        except ValueError:
            t = y = float("nan")
        if not (np.isfinite(t) and np.isfinite(y)):
            what = f"line {number} of {path} has no two finite numbers: {line.strip()[:60]!r}"
            raise custom_error(UNREADABLE, what, "two columns: t in s, and w")
        rows.append((t, y))
    return tuple(t for t, _ in rows), tuple(y for _, y in rows)
