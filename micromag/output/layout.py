"""The groups, datasets and attributes of a ``.vtkhdf`` file, created before a run starts.

The layout is VTKHDF 2.0 ImageData with a leading time axis, which ParaView (5.12 on) opens by
itself as a time series; dimension scales name the axes for xarray. Lengths inside ``/VTKHDF`` are
in nm and times in ns, because cameras and picking dislike 1e-9; attributes say so. All else is SI.

Source: Kitware, "VTKHDF file format", VTK documentation, https://docs.vtk.org (2024).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from micromag.mesh import Mesh, Window

OFFSET_BLOCK = 1024
MAX_CHUNK_BYTES = 1 << 31  # HDF5 allows chunks below 4 GiB


@dataclass(frozen=True)
class CellField:
    """A quantity stored with every snapshot: a scalar (1 component) or a vector (3) per cell."""

    name: str
    components: int = 3
    unit: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        if self.components not in (1, 3):
            raise ValueError(f"{self.name}: 1 or 3 components, not {self.components}")
        if not self.name or "/" in self.name or self.name.startswith("."):
            raise ValueError(f"{self.name!r} is not a name for a cell field")


def nano(value: float) -> float:
    """Return a value in units of 1e-9 without the rounding noise of the product (3e-9 -> 3.0)."""
    return float(f"{value * 1e9:.15g}")


def from_nano(value: float) -> float:
    """Return the value of a number in units of 1e-9; the inverse of :func:`nano`."""
    return float(f"{value / 1e9:.15g}")


def chunk_shape(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Return the chunk of one snapshot of ``shape``, cut along z, then y, where it is too large."""
    chunk = list(shape)
    for axis in range(len(chunk)):
        rest = itemsize * int(np.prod(chunk[axis + 1 :]))
        chunk[axis] = max(1, min(chunk[axis], MAX_CHUNK_BYTES // rest))
        if chunk[axis] > 1:
            break
    return (1, *chunk)


@dataclass
class Layout:
    """Handles of everything that grows while a run is written."""

    steps: h5py.Group
    values: h5py.Dataset
    time: h5py.Dataset
    fields: dict[str, h5py.Dataset]
    offsets: dict[str, h5py.Dataset]
    static_offsets: dict[str, h5py.Dataset]


def create_layout(
    file: h5py.File,
    mesh: Mesh,
    fields: Sequence[CellField],
    static: Mapping[str, NDArray[Any]],
    compression: str | None,
) -> Layout:
    """Create ``/VTKHDF`` in an empty file.

    Parameters
    ----------
    fields
        The quantities of every snapshot; dataset shape (T, nz, ny, nx[, 3]), float32.
    static
        Arrays (nz, ny, nx) that do not change, such as Ms (A/m); dataset shape (1, nz, ny, nx).
    compression
        None or ``"gzip"`` (level 1 with shuffle); readers of VTK know no faster filter.
    """
    root = file.create_group("VTKHDF")
    _image_attributes(root, mesh)
    # Steps and its Values come first and side by side: what one flush commits is then one write.
    steps = root.create_group("Steps")
    steps.attrs.create("NSteps", np.int64(0))
    steps.attrs.create("first_is_doubled", np.int64(0))
    values = steps.create_dataset("Values", (0,), "f8", maxshape=(None,), chunks=(OFFSET_BLOCK,))
    values.attrs["unit"] = "ns"
    scales = _scales(root, mesh, bool(static))
    options = {"compression": "gzip", "compression_opts": 1, "shuffle": True} if compression else {}
    layout = Layout(steps, values, scales["time"], {}, {}, {})
    if mesh.window is not None:
        _create_window_offset(root, steps, layout)
    cells, offsets = root.create_group("CellData"), steps.create_group("CellDataOffsets")
    for field in fields:
        tail = mesh.shape + ((3,) if field.components == 3 else ())
        data = cells.create_dataset(
            field.name,
            (0, *tail),
            "f4",
            maxshape=(None, *tail),
            chunks=chunk_shape(tail, 4),
            **options,
        )
        _label(data, field.unit, field.description, [scales[n] for n in ("time", *"zyx", "comp")])
        if field.name == "m":
            data.attrs["Attribute"] = np.bytes_("Vectors")  # fixed-length ASCII, as VTK wants it
        layout.fields[field.name] = data
        layout.offsets[field.name] = _offsets(offsets, field.name, np.arange(OFFSET_BLOCK))
    for name, array in static.items():
        data = cells.create_dataset(
            name,
            data=np.asarray(array, dtype="f4").reshape(1, *mesh.shape),
            chunks=chunk_shape(mesh.shape, 4),
            **options,
        )
        unit = "A/m" if name == "Ms" else ""
        meaning = "" if mesh.window is None else "at the start, before the window moves"
        _label(data, unit, meaning, [scales[n] for n in ("static", *"zyx")])
        layout.static_offsets[name] = _offsets(offsets, name, np.zeros(OFFSET_BLOCK))
    return layout


def _create_window_offset(root: h5py.Group, steps: h5py.Group, layout: Layout) -> None:
    """Create the numbers that say, snapshot by snapshot, how far a moving window has come [nm].

    The origin of the image is one attribute and cannot follow.
    """
    numbers, offsets = root.create_group("FieldData"), steps.create_group("FieldDataOffsets")
    for name in Window.columns:
        data = numbers.create_dataset(name, (0,), "f8", maxshape=(None,), chunks=(OFFSET_BLOCK,))
        meaning = f"how far the mesh has moved along {name[-1]}; the Origin is that of the start"
        _label(data, "nm", meaning, [layout.time])
        layout.fields[name] = data
        layout.offsets[name] = _offsets(offsets, name, np.arange(OFFSET_BLOCK))


def _image_attributes(root: h5py.Group, mesh: Mesh) -> None:
    nx, ny, nz = mesh.cells
    root.attrs.create("Version", np.array([2, 0], dtype="i8"))
    root.attrs["Type"] = np.bytes_("ImageData")  # VTK 9.3 and 9.4 refuse variable-length text here
    root.attrs.create("WholeExtent", np.array([0, nx, 0, ny, 0, nz], dtype="i8"))
    root.attrs.create("Origin", np.array([nano(x) for x in mesh.lower_corner]))
    root.attrs.create("Spacing", np.array([nano(x) for x in mesh.cell_size]))
    root.attrs.create("Direction", np.eye(3).ravel())
    root.attrs["length_unit"] = "nm"
    root.attrs["time_unit"] = "ns"
    root.attrs.create("periodic_images", np.array(mesh.periodic, dtype="i8"))


def _scales(root: h5py.Group, mesh: Mesh, static: bool) -> dict[str, h5py.Dataset]:
    """Create the dimension scales that give xarray its dimensions and coordinates."""
    scales = {
        "time": root.create_dataset("time", (0,), "f8", maxshape=(None,), chunks=(OFFSET_BLOCK,)),
        "comp": root.create_dataset("comp", data=np.arange(3)),
    }
    for axis, name in enumerate("xyz"):
        centres = np.asarray(mesh.centres(axis), dtype=float)
        scales[name] = root.create_dataset(name, data=[nano(x) for x in centres])
    if static:
        scales["static"] = root.create_dataset("static", data=np.zeros(1, dtype="i8"))
    for name, scale in scales.items():
        scale.make_scale(name)
        unit = {"time": "ns", "x": "nm", "y": "nm", "z": "nm"}.get(name)
        if unit:
            scale.attrs["unit"] = unit
            scale.attrs["units"] = unit  # the name that xarray labels its plots with
    return scales


def _label(data: h5py.Dataset, unit: str, description: str, scales: Sequence[h5py.Dataset]) -> None:
    data.attrs["unit"] = unit
    if description:
        data.attrs["description"] = description
    for axis, scale in zip(range(data.ndim), scales, strict=False):
        data.dims[axis].attach_scale(scale)


def _offsets(group: h5py.Group, name: str, rows: NDArray[Any]) -> h5py.Dataset:
    # Longer than the number of steps on purpose: the offsets then change once in a thousand steps.
    return group.create_dataset(
        name, data=rows.astype("i8"), maxshape=(None,), chunks=(OFFSET_BLOCK,)
    )


def write_provenance(group: h5py.Group, entries: Mapping[str, Any]) -> None:
    """Set attributes of ``/provenance``: numbers and text as they are, all else as JSON."""
    for key, value in entries.items():
        if value is None:
            value = ""
        elif isinstance(value, bool) or not isinstance(value, (str, int, float, np.number)):
            value = json.dumps(value, default=str)
        if key in group.attrs and not isinstance(value, str):
            group.attrs.modify(key, value)
        else:
            group.attrs[key] = value
