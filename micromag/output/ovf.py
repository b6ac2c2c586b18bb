"""OVF, the vector field format of OOMMF, mumax3 and Ubermag: 1.0 and 2.0 are read, 2.0 is written.

Both versions have a text header and text, binary 4 or binary 8 data, x fastest. They differ where
it bites: binary data are big-endian in 1.0 and little-endian in 2.0, and only 1.0 has a value
multiplier.

Source: M. J. Donahue and D. G. Porter, OOMMF User's Guide, NISTIR 6376 (1999), chapter "Vector
field file format (OVF)".
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from micromag.errors import UnreadableInputError
from micromag.output.field_data import FieldData
from micromag.output.runfile import first_bytes

CHECK_VALUES = {4: 1234567.0, 8: 123456789012345.0}
LENGTHS = {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "um": 1e-6, "µm": 1e-6, "nm": 1e-9, "a": 1e-10}
REPRESENTATIONS = ("text", "binary 4", "binary 8")
LINE_LIMIT = 4096
END_OF_TEXT = re.compile(rb"^\s*#\s*end\s*:", re.IGNORECASE | re.MULTILINE)


@dataclass
class _Header:
    path: Path
    version: int = 0
    data_kind: str = ""
    data_start: int = 0
    entries: dict[str, str] = field(default_factory=dict)

    def error(self, what: str, **more: str) -> UnreadableInputError:
        return UnreadableInputError(f"OVF file: {what}", where=str(self.path), **more)

    def numbers(self, names: Sequence[str], default: float | None = None) -> tuple[float, ...]:
        values = []
        for name in names:
            text = self.entries.get(name)
            if text is None and default is not None:
                values.append(default)
                continue
            try:
                values.append(float(text))  # type: ignore[arg-type]
            except (TypeError, ValueError):
                raise self.error(f"the header lacks a number for {name}", value=str(text)) from None
        return tuple(values)


def read_ovf(path: str | os.PathLike[str]) -> FieldData:
    """Read an OVF 1.0 or 2.0 file on a rectangular mesh.

    Returns
    -------
    FieldData
        Values (components, nz, ny, nx), multiplied by the header's value multiplier; cell size and
        lower corner in m; unit of the first component as the file gives it.

    Raises
    ------
    UnreadableInputError
        If the file is missing, cut short, irregular, or its header and data do not agree.
    """
    path = Path(path)
    first_bytes(path, 1)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableInputError(f"cannot be read: {error.strerror}", where=str(path)) from error
    header = _read_header(path, content)
    counts = [_count(header, name) for name in ("xnodes", "ynodes", "znodes")]
    components = _count(header, "valuedim") if header.version == 2 else 3
    if components not in (1, 3):
        raise header.error("1 or 3 values per cell are understood", value=str(components))
    total = components * counts[0] * counts[1] * counts[2]
    numbers = _read_text(header, content, total) if header.data_kind == "text" else None
    if numbers is None:
        numbers = _read_binary(header, content, total)
    if header.version == 1:
        numbers = numbers * header.numbers(["valuemultiplier"], 1.0)[0]
    values = np.ascontiguousarray(np.moveaxis(numbers.reshape(*counts[::-1], components), -1, 0))
    cell_size, origin = _geometry(header)
    units = header.entries.get("valueunits" if header.version == 2 else "valueunit", "").split()
    unit = units[0].strip("{}") if units else ""
    return FieldData(values, cell_size, origin, "" if unit == "1" else unit)


def _read_header(path: Path, content: bytes) -> _Header:
    header, position = _Header(path), 0
    while not header.data_kind:
        end = content.find(b"\n", position, position + LINE_LIMIT)
        if end < 0:
            raise header.error("the header ends before any data", next_step="write the file again")
        line = content[position:end].decode("utf-8", "replace").strip()
        position = end + 1
        if line.startswith("##") or not line.lstrip("# "):
            continue
        if not line.startswith("#"):
            raise header.error("text where a header line is expected", value=line[:60])
        _read_line(header, line[1:].strip())
    header.data_start = position
    return header


def _read_line(header: _Header, line: str) -> None:
    if not header.version:
        if not (found := re.search(r"(?:v|ovf)\s*([12])\.", line, re.IGNORECASE)):
            raise header.error("the first line names no version 1.0 or 2.0", value=line[:60])
        header.version = int(found[1])
        return
    name, _, value = line.partition(":")
    name, value = re.sub(r"[\s_-]", "", name).lower(), value.partition("##")[0].strip()
    if name == "begin" and value.lower().startswith("data"):
        kind = " ".join(value.lower().split()[1:])
        if kind not in REPRESENTATIONS:
            known = ", ".join(REPRESENTATIONS)
            raise header.error("unknown kind of data", value=value, allowed=known)
        header.data_kind = kind
    elif name == "segmentcount" and value != "1":
        raise header.error("more than one segment", value=value, next_step="split the file")
    elif name == "meshtype" and value.lower() != "rectangular":
        raise header.error("the mesh is not rectangular", value=value)
    else:
        header.entries[name] = value


def _count(header: _Header, name: str) -> int:
    [value] = header.numbers([name])
    if not value.is_integer() or not 1 <= value < 2**31:
        raise header.error(f"{name} must be a whole number above 0", value=f"{value:g}")
    return int(value)


def _geometry(
    header: _Header,
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    unit = header.entries.get("meshunit", "m").lower()
    if unit not in LENGTHS:
        raise header.error("unknown unit of the mesh", value=unit, allowed=", ".join(LENGTHS))
    size = header.numbers(["xstepsize", "ystepsize", "zstepsize"])
    base = header.numbers(["xbase", "ybase", "zbase"])
    if not all(0 < step < np.inf for step in size) or not np.all(np.isfinite(base)):
        raise header.error("the cell size must be positive and the base finite", value=str(size))
    scale = LENGTHS[unit]
    (ax, ay, az), (bx, by, bz) = size, base  # the base is the centre of the first cell
    corner = (scale * (bx - ax / 2), scale * (by - ay / 2), scale * (bz - az / 2))
    return (scale * ax, scale * ay, scale * az), corner


def _read_text(header: _Header, content: bytes, total: int) -> NDArray[np.float64]:
    end = END_OF_TEXT.search(content, header.data_start)
    if end is None:
        raise header.error("the data end before `End: Data Text`", next_step="copy the file again")
    lines = content[header.data_start : end.start()].splitlines()
    words = b" ".join(line.partition(b"#")[0] for line in lines).split()
    if len(words) != total:
        found = f"{len(words)}, the header says {total}"
        raise header.error("the number of values does not fit the header", value=found)
    try:
        return np.array(words, dtype="S").astype(np.float64)
    except ValueError as error:
        raise header.error(f"not a number among the data ({error})") from None


def _read_binary(header: _Header, content: bytes, total: int) -> NDArray[np.float64]:
    width = int(header.data_kind[-1])
    start, stop = header.data_start + width, header.data_start + width * (total + 1)
    if len(content) < stop:
        raise header.error(
            "the data end early",
            value=f"{len(content)} bytes, the header asks for {stop}",
            next_step="copy the file again",
        )
    # By the rule 1.0 is big-endian and 2.0 little-endian; the check value tells what was written.
    for order in (">", "<"):
        check = np.frombuffer(content, f"{order}f{width}", 1, header.data_start)[0]
        if check == CHECK_VALUES[width]:
            break
    else:
        raise header.error("the check value of the data is wrong", next_step="copy it as binary")
    if not content[stop : stop + 64].lstrip().startswith(b"#"):
        raise header.error("the data do not end where the header says")
    return np.frombuffer(content, f"{order}f{width}", total, start).astype(np.float64)


def write_ovf(
    path: str | os.PathLike[str],
    values: ArrayLike,
    cell_size: tuple[float, float, float],
    origin: tuple[float, float, float] | None = None,
    *,
    title: str = "m",
    labels: Sequence[str] | None = None,
    unit: str = "1",
    representation: str = "binary 4",
    time: float | None = None,
) -> None:
    """Write an OVF 2.0 file; a file of that name is replaced in one go.

    Parameters
    ----------
    values
        Shape (components, nz, ny, nx) with 1 or 3 components.
    cell_size
        Edges of a cell (x, y, z) in m.
    origin
        Lower corner (x, y, z) in m; by default the centre of the grid is at 0.
    labels, unit
        Names of the components and their common unit.
    representation
        ``text``, ``binary 4`` or ``binary 8``.
    time
        Simulated time in s, put into the description.
    """
    data = np.asarray(values, dtype=np.float64)
    if data.ndim != 4 or data.shape[0] not in (1, 3):
        raise ValueError(f"shape (1 or 3, nz, ny, nx) expected, not {data.shape}")
    if representation not in REPRESENTATIONS:
        raise ValueError(f"representation is one of {REPRESENTATIONS}, not {representation!r}")
    components, *shape = data.shape
    cells = (shape[2], shape[1], shape[0])
    if origin is None:
        ox, oy, oz = (-n * a / 2 for n, a in zip(cells, cell_size, strict=True))
        origin = (ox, oy, oz)
    if labels is None:
        labels = [f"{title}_{axis}" for axis in "xyz"] if components == 3 else [title]
    lines = [
        "# OOMMF OVF 2.0",
        "# Segment count: 1",
        "# Begin: Segment",
        "# Begin: Header",
        f"# Title: {title}",
        *([f"# Desc: Total simulation time: {time:.15g} s"] if time is not None else []),
        "# meshtype: rectangular",
        "# meshunit: m",
        f"# valuedim: {components}",
        f"# valuelabels: {' '.join(labels)}",
        f"# valueunits: {' '.join([unit] * components)}",
    ]
    for axis, n, a, low in zip("xyz", cells, cell_size, origin, strict=True):
        edges = {"min": low, "max": low + n * a, "base": low + a / 2, "stepsize": a}
        lines += [f"# {axis}{name}: {float(value)!r}" for name, value in edges.items()]
        lines += [f"# {axis}nodes: {n}"]
    kind = representation.title()
    lines += ["# End: Header", f"# Begin: Data {kind}", ""]
    rows = np.moveaxis(data, 0, -1).reshape(-1, components)
    ending = f"# End: Data {kind}\n# End: Segment\n".encode()
    if representation == "text":
        body = "".join(" ".join(repr(float(v)) for v in row) + "\n" for row in rows).encode()
    else:
        width = int(representation[-1])
        body = np.concatenate([[CHECK_VALUES[width]], rows.ravel()]).astype(f"<f{width}").tobytes()
        body += b"\n"
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_bytes("\n".join(lines).encode() + body + ending)
    os.replace(partial, path)
