"""The text of ``micromag info`` about a sweep: axes, replicas, final values, failures."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from micromag.errors import UnreadableInputError
from micromag.output.runfile import RunFile
from micromag.output.summary import LABEL, provenance_lines, size_text
from micromag.si_text import si

if TYPE_CHECKING:
    from micromag.output.sweep_file import Replica, SweepAxis, SweepFile

MOST_REPLICAS = 24
"""Lines of the table of final values."""
MOST_COLUMNS = 4
MOST_FAILURES = 10
USUAL = ("m_", "E_", "max_torque")
"""Columns that are shown only where there are no others."""
TIME_COLUMNS = ("t", "step", "dt", "stage")


def summarize_sweep(sweep: SweepFile) -> str:
    """Return the summary of a sweep."""
    under_way = _under_way(sweep)
    blocks = [
        _head(sweep),
        [*_axes(sweep), *_replicas(sweep, under_way)],
        _final_values(sweep),
        _unfinished(sweep, under_way),
        _troubles(sweep),
        provenance_lines(sweep.provenance),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _head(sweep: SweepFile) -> list[str]:
    title = [sweep.title] if sweep.title else []
    size = size_text(sweep.path.stat().st_size)
    state = "" if sweep.finished else ", not finished: the command that began it goes on"
    return [*title, f"{sweep.path}  ({size}, sweep of {len(sweep)} replicas{state})"]


def _axes(sweep: SweepFile) -> list[str]:
    lines: list[str] = []
    for axis in sweep.axes:
        label = "" if lines else "axes"
        count = f"{len(axis)} position{'s' if len(axis) > 1 else ''}"
        names = ", ".join(axis.keys)
        lines.append(f"{label:<{LABEL}}{axis.dimension}: {names}, {count}, {_span(axis)}")
    return lines


def _span(axis: SweepAxis) -> str:
    """Return the values of an axis: all of them if they are few, else the first and the last."""
    key = axis.keys[0]
    values = [position.get(key) for position in axis.values]
    unit = f" {axis.units[key]}" if axis.units.get(key) not in (None, "", "1") else ""
    if len(axis.keys) > 1 or not all(isinstance(value, (int, float)) for value in values):
        texts, unit = list(axis.labels), ""
    else:
        texts = [f"{value:.6g}" for value in values]
    if len(texts) > 6:
        texts = [*texts[:2], "...", texts[-1]]
    return ("; " if unit == "" else " ").join(texts) + unit


def _replicas(sweep: SweepFile, under_way: Mapping[int, RunFile]) -> list[str]:
    counts = Counter(
        "unfinished" if replica.number in under_way else replica.status
        for replica in sweep.replicas
    )
    words = ", ".join(f"{count} {status}" for status, count in counts.items())
    rows = int(np.max(sweep.rows, initial=0))
    return [
        f"{'replicas':<{LABEL}}{words}",
        f"{'table':<{LABEL}}up to {rows} rows of {len(sweep.columns)} columns",
    ]


def _under_way(sweep: SweepFile) -> dict[int, RunFile]:
    """Return the readable files of replicas that the table does not have: they were being computed."""
    found = {}
    for replica in sweep.replicas:
        if replica.status == "waiting" and replica.path.exists():
            with contextlib.suppress(UnreadableInputError):
                found[replica.number] = RunFile(replica.path)
    return found


def _unfinished(sweep: SweepFile, under_way: Mapping[int, RunFile]) -> list[str]:
    """Return how far the replicas came that were not computed to their end."""
    lines = []
    for number, run in under_way.items():
        t = run.table["t"]
        reached = si(float(t[-1]), "s") if len(t) else "nothing yet"
        label = sweep.replicas[number].label
        lines.append(f"unfinished {number} ({label})  t = {reached} reached")
    more = len(lines) - MOST_FAILURES
    return [*lines[:MOST_FAILURES], *([f"... {more} more"] if more > 0 else [])]


def _final_values(sweep: SweepFile) -> list[str]:
    done = [replica for replica in sweep.replicas if sweep.rows[replica.place]]
    if not done:
        return []
    names = _shown_columns(sweep.columns)
    final = {name: sweep.final(name) for name in names}
    heads = [f"{n} ({sweep.units[n]})" if sweep.units[n] else n for n in names]
    widths = [max(len(head), 12) + 2 for head in heads]
    wide = max(len(replica.label) for replica in done)
    lines = ["final values", f"  {'':6}{'':<{wide}}" + _cells(heads, widths)]
    for replica in done[:MOST_REPLICAS]:
        values = [f"{final[name][replica.place]:.6g}" for name in names]
        lines.append(f"  {replica.number:<6}{replica.label:<{wide}}" + _cells(values, widths))
    if len(done) > MOST_REPLICAS:
        lines.append(f"  ... {len(done) - MOST_REPLICAS} more")
    return lines


def _cells(texts: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(f"{text:>{width}}" for text, width in zip(texts, widths, strict=True))


def _shown_columns(columns: Sequence[str]) -> list[str]:
    own = [name for name in columns if name not in TIME_COLUMNS]
    special = [name for name in own if not name.startswith(USUAL)]
    return ["t", *(special or own)[:MOST_COLUMNS]]


def _troubles(sweep: SweepFile) -> list[str]:
    """Return which replicas failed or ended before their time, and why."""
    found = [replica for replica in sweep.replicas if replica.message]
    lines = [line for replica in found[:MOST_FAILURES] for line in _trouble(replica)]
    if len(found) > MOST_FAILURES:
        lines.append(f"... {len(found) - MOST_FAILURES} more")
    return lines


def _trouble(replica: Replica) -> list[str]:
    first, *rest = replica.message.splitlines()
    return [
        f"{replica.status} {replica.number} ({replica.label})  {first}",
        *(f"  {line}" for line in rest),
    ]
