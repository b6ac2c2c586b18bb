"""The text of ``micromag info``: what is in a result file, for a reader with ten seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from micromag.output.recorder import LEAST_GAP

if TYPE_CHECKING:
    from micromag.output.runfile import RunFile

LABEL = 12
PREFIXES = ((1e-3, "mm"), (1e-6, "um"), (1e-9, "nm"), (1e-12, "pm"))
TIMES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"), (1e-12, "ps"), (1e-15, "fs"))
SHOWN_ELSEWHERE = {"status", "message", "device", "precision", "finished", "wall_time"}
STATUS = {
    "running": "not closed: still running, or killed (what is in it is valid)",
    "finished": "finished",
}


def summarize(run: RunFile) -> str:
    """Return the summary of a result: mesh, device, times, stages, table and provenance."""
    blocks = [_head(run), _body(run), _table(run), provenance_lines(run.provenance)]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _line(label: str, text: str) -> str:
    return f"{label:<{LABEL}}{text}"


def _head(run: RunFile) -> list[str]:
    title = _config(run).get("title")
    size = run.path.stat().st_size
    status = STATUS.get(run.status, run.status)
    lines = [*([str(title)] if title else []), f"{run.path}  ({size_text(size)}, {status})"]
    why = str(run.provenance.get("message", ""))
    return [*lines, *(f"  {line}" for line in why.splitlines())]


def _body(run: RunFile) -> list[str]:
    mesh = run.mesh
    size = f"{_by(mesh.cells)} cells of {_lengths(mesh.cell_size)}, {_lengths(mesh.size)} in all"
    lines = [_line("mesh", size)]
    images = [f"{axis} ({n} each side)" for axis, n in zip("xyz", mesh.periodic, strict=True) if n]
    if images:
        lines.append(_line("periodic", ", ".join(images)))
    if "Ms" in run.static and run.static["Ms"].any():
        filled = run.static["Ms"] > 0
        low, high = np.min(run.static["Ms"], where=filled, initial=np.inf), run.static["Ms"].max()
        value = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        cells = "all" if filled.all() else f"{100 * filled.mean():.3g} % of the"
        lines.append(_line("magnet", f"{cells} cells, Ms = {value} A/m"))
    device = run.provenance.get("device")
    if device:
        precision = run.provenance.get("precision", "")
        lines.append(_line("device", f"{device}{', ' + str(precision) if precision else ''}"))
    wall = run.provenance.get("wall_time") or 0.0
    if wall:
        ended = run.provenance.get("finished", "")
        lines.append(_line("wall time", f"{wall:.3g} s, ended {ended}"))
    lines.append(_line("snapshots", _snapshots(run)))
    lines += _stages(run)
    return lines


def _snapshots(run: RunFile) -> str:
    names = ", ".join(f"{n} ({unit})" if unit else n for n, unit in run.quantities.items())
    if not len(run):
        return f"none of {names}"
    if len(run) == 1:
        return f"1 of {names}, at t = {_time(run.times[0])}"
    gaps = np.diff(run.times)
    if gaps.max() < 1.5 * LEAST_GAP:
        apart = f"kept {_time(LEAST_GAP)} apart, for readers need times that increase"
        return (
            f"{len(run)} of {names}, before and after the stages, in which no time passes ({apart})"
        )
    every = f" every {_time(gaps[0])}" if np.ptp(gaps) < 1e-6 * gaps[0] else ""
    return f"{len(run)} of {names}, t = {_time(run.times[0])} to {_time(run.times[-1])}{every}"


def _stages(run: RunFile) -> list[str]:
    """One line per stage: what the schedule says, what the table and the relax history show."""
    schedule = _config(run).get("schedule")
    planned = [_stage_name(item) for item in schedule] if isinstance(schedule, list) else []
    table, histories = run.table, run.relax_history
    seen = {int(k) for k in histories if k.isdigit()}
    if "stage" in table:
        seen |= {int(s) for s in np.unique(table["stage"]) if s >= 0}
    lines: list[str] = []
    for number in range(max([len(planned) - 1, *seen], default=-1) + 1):
        parts = [planned[number] if number < len(planned) else "stage"]
        if number not in seen:
            parts.append("nothing recorded")
        if history := histories.get(str(number)):
            parts.append(_history(history))
        if "stage" in table and "t" in table and (rows := table["stage"] == number).any():
            t = table["t"][rows]
            if t[-1] > t[0]:
                parts.append(f"t = {_time(t[0])} to {_time(t[-1])}, {rows.sum()} rows")
        lines.append(_line("" if lines else "stages", f"{number}  {'  '.join(parts)}"))
    return lines


def _stage_name(item: Any) -> str:
    if not isinstance(item, dict) or len(item) != 1:
        return str(item)
    [(name, options)] = item.items()
    length = options.get("for") if isinstance(options, dict) else None
    if isinstance(length, (int, float)):
        length = _time(float(length))
    return f"{name} for {length}" if length is not None else str(name)


def _history(history: dict[str, Any]) -> str:
    count = len(next(iter(history.values()), ()))
    if not count:
        return "no iterations"
    last = history["iteration"][-1] if "iteration" in history else count
    parts = [f"{int(last)} iterations"]
    if "energy" in history:
        parts.append(f"E = {history['energy'][0]:.6g} -> {history['energy'][-1]:.6g} J")
    if "max_torque" in history:
        parts.append(f"max torque {history['max_torque'][-1]:.3g} T")
    return ", ".join(parts)


def _table(run: RunFile) -> list[str]:
    if not run.units:
        return []
    rows = len(next(iter(run.table.values())))
    head = _line("table", f"{rows} row{'s' if rows != 1 else ''}")
    if not rows:
        return [f"{head}, columns: {' '.join(run.units)}"]
    width = max(len(name) for name in run.units) + 2
    lines = [head, f"  {'column':<{width}}{'unit':<8}{'first':>14}{'last':>14}"]
    for name, values in run.table.items():
        first, last = (_number(values[i]) for i in (0, -1))
        lines.append(f"  {name:<{width}}{run.units[name]:<8}{first:>14}{last:>14}")
    return lines


def provenance_lines(provenance: Mapping[str, Any]) -> list[str]:
    """Return where a result comes from, without what is shown elsewhere."""
    libraries = provenance.get("libraries")
    repeated = set(libraries) if isinstance(libraries, dict) else set()
    if str(provenance.get("cpu_threads")) == str(provenance.get("threads")):
        repeated.add("cpu_threads")
    hidden = repeated | set(SHOWN_ELSEWHERE)
    entries = {k: v for k, v in provenance.items() if k not in hidden and v not in ("", None)}
    if not entries:
        return []
    width = max(len(key) for key in entries) + 2
    return ["provenance", *(f"  {key:<{width}}{_entry(value)}" for key, value in entries.items())]


def _entry(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _config(run: RunFile) -> dict[str, Any]:
    import yaml

    try:
        data = yaml.safe_load(run.config_text)
    except yaml.YAMLError:
        return {}
    return data if isinstance(data, dict) else {}


def _number(value: Any) -> str:
    return f"{int(value)}" if isinstance(value, np.integer) else f"{float(value):.6g}"


def _by(values: Iterable[float]) -> str:
    return " x ".join(f"{value:.6g}" for value in values)


def _lengths(values: tuple[float, float, float]) -> str:
    scale, unit = next((p for p in PREFIXES if max(values) >= p[0]), PREFIXES[-1])
    return f"{_by(value / scale for value in values)} {unit}"


def _time(t: float) -> str:
    scale, unit = next((p for p in TIMES if abs(t) >= 0.999999 * p[0]), TIMES[0])
    return f"{t / scale:.6g} {unit}"


def size_text(count: float) -> str:
    """Return a number of bytes in words."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
