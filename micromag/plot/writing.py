"""Pictures into files, and the numbers beside them."""

from __future__ import annotations

import csv
import importlib.util
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micromag.errors import ConfigError, MicromagError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = (".png", ".pdf", ".svg")
"""Kinds of pictures that can be written."""
RESOLUTION = 200
"""Dots per inch of a PNG."""


class MissingLibraryError(MicromagError):
    """A library that only pictures need is not installed."""

    exit_code = 4


def require_matplotlib() -> None:
    """Raise MissingLibraryError where matplotlib is not installed."""
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingLibraryError(
            "pictures need matplotlib, which is not installed",
            next_step="pip install 'micromag[plot]'",
        )


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches; raises MissingLibraryError."""
    require_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def check_ending(path: Path) -> Path:
    """Return the path of a picture; raises ConfigError for an ending that is no kind of picture."""
    if path.suffix.lower() not in ENDINGS:
        raise ConfigError(
            "the ending of a picture's name says its kind",
            where=str(path),
            value=path.suffix or "no ending",
            allowed=", ".join(ENDINGS),
        )
    return path


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, PDF or SVG, by the ending; an older picture of the name is replaced.

    Raises
    ------
    ConfigError
        For another ending.
    MicromagError
        If the disk refuses.
    """
    from matplotlib import rc_context

    check_ending(path)
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        # Text stays text, so that a journal can set it in its own type.
        with rc_context({"pdf.fonttype": 42, "svg.fonttype": "none"}):
            figure.savefig(partial, dpi=RESOLUTION, metadata=None)
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise MicromagError(f"cannot be written: {error.strerror}", where=str(path)) from error


def write_rows(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a CSV; what is not known (NaN) stays empty. Raises MicromagError if the disk refuses."""
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(head)
            writer.writerows([_cell(item) for item in row] for row in rows)
    except OSError as error:
        raise MicromagError(f"cannot be written: {error.strerror}", where=str(path)) from error


def _cell(item: Any) -> Any:
    """Return an entry as it is written: numbers with 9 digits, texts in one line."""
    if isinstance(item, float):  # NumPy's are, too
        return f"{item + 0.0:.9g}" if math.isfinite(item) else ""  # no -0
    if isinstance(item, (list, tuple)):
        return " ".join(str(_cell(part)) for part in item)
    return " ".join(item.split()) if isinstance(item, str) else item
