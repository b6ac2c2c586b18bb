"""What ``micromag validate`` prints: what would happen if the run were started."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from micromag.backend.memory import host_memory_free
from micromag.cell_values import quantity_of
from micromag.config_sections import Relax, Run, Stage
from micromag.derived import derived_notes
from micromag.estimate import (
    Kind,
    device_bytes,
    host_bytes,
    output_size,
    stage_outputs,
)
from micromag.geometry import SHAPES
from micromag.initial import RECIPES, Painting
from micromag.magnets import magnets
from micromag.output.folder import existing_results
from micromag.parameters import Parameter
from micromag.permission import code_in
from micromag.placement import Placement
from micromag.si_text import bytes_text, si, si_vector
from micromag.sweep_points import sweep_points
from micromag.sweep_preview import (
    batch_lines,
    check_replicas,
    replica_warnings,
    sweep_bytes,
    sweep_lines,
)

if TYPE_CHECKING:
    from micromag.config import RunConfig

LABEL = 12
Lines = Iterator[tuple[str, str]]


def preview(config: RunConfig) -> str:
    """Return what a run would do, with warnings: mesh, materials, terms, stages, output, memory.

    Raises
    ------
    DeviceError
        The mesh is larger than any memory.
    ConfigError
        Shapes, regions or the initial state do not fit the mesh.
    UnreadableInputError
        A file that belongs to the mesh is none, or does not fit it.
    """
    kind = expected_kind(config)
    placement = check_replicas(config, kind)
    swept = config.sweep is not None
    one = sweep_points(config, [0])[0].config
    lines: list[tuple[str, str]] = [
        *(sweep_lines(config) if swept else ()),
        *_mesh(one, placement),
        *_lengths(one),
        *_terms("energy", one.energy),
        *_terms("torques", one.torques),
        *_derived(one),
        ("initial", _initial(one)),
        *_schedule(one),
        *(batch_lines(config, kind) if swept else _output(config)),
        *_device(config, kind),
    ]
    text = [f"{label:<{LABEL}}{value}" for label, value in lines]
    found = [*replica_warnings(config), *_machine_warnings(config, kind)]
    text += ["", *(f"warning: {sentence}" for sentence in found)] if found else []
    return "\n".join([*([config.title, ""] if config.title else []), *text])


def expected_kind(config: RunConfig) -> Kind:
    """Return the kind of device that a run would take, without looking for one."""
    if config.device == "auto":
        return "cuda" if _has_cupy() else "cpu"
    return "cpu" if config.device == "cpu" else "cuda"


def _has_cupy() -> bool:
    """Whether CuPy is there; it is not imported, for that would look for a GPU."""
    return importlib.util.find_spec("cupy") is not None


def _mesh(config: RunConfig, placement: Placement) -> Lines:
    mesh = config.mesh
    nx, ny, nz = mesh.cells
    images = [f"{a} ({n} images)" for a, n in zip("xyz", mesh.periodic, strict=True) if n]
    borders = f"periodic along {', '.join(images)}" if images else "open"
    if mesh.window is not None:
        borders += f"; follows a {mesh.window.follow} along {mesh.window.axis}"
    yield (
        "mesh",
        f"{nx} x {ny} x {nz} cells of {si_vector(mesh.cell_size, 'm')}, "
        f"{si_vector(mesh.size, 'm')} in all, {borders}",
    )
    filled = "" if placement.filled is None else f", {_percent(placement.filled)} of the cells"
    yield "magnet", f"{SHAPES.key_of(type(config.geometry))}{filled}"
    for name in config.regions:
        part = placement.regions.get(name)
        size = "" if part is None else f": {_percent(part)} of the cells"
        yield "", f"region {name}{size}"
    yield "material", _values(config.material)


def _lengths(config: RunConfig) -> Lines:
    """Exchange length and wall parameter of the regions, where they differ."""
    regions: dict[str, list[str]] = {}
    for magnet in magnets(config):
        if magnet.A == 0:
            continue
        text = f"exchange length {si(magnet.exchange_length, 'm')}"
        if magnet.wall_parameter is not None:
            text += f", wall parameter {si(magnet.wall_parameter, 'm')}"
        regions.setdefault(text, []).append(magnet.region)
    for i, (text, names) in enumerate(regions.items()):
        place = f" in {', '.join(names)}" if len(regions) > 1 else ""
        yield "" if i else "lengths", f"{text}{place}"


def _terms(section: str, terms: Any) -> Lines:
    label = section
    for key, term in terms:
        yield label, f"{key}  {_values(term)}".rstrip()
        label = ""
    if not terms:
        yield label, "none"


def _derived(config: RunConfig) -> Lines:
    label = "derived"
    for note in derived_notes(config):
        yield label, note
        label = ""


def _initial(config: RunConfig) -> str:
    if isinstance(config.initial, Painting):
        parts = config.initial.recipes.items()
        return ", ".join(f"{name}: {RECIPES.key_of(type(recipe))}" for name, recipe in parts)
    return f"{RECIPES.key_of(type(config.initial))}  {_values(config.initial)}".rstrip()


def _schedule(config: RunConfig) -> Lines:
    label = "schedule"
    outputs = stage_outputs(config)
    for number, (stage, (rows, snapshots)) in enumerate(zip(config.schedule, outputs, strict=True)):
        changes = f", with {', '.join(stage.overrides)}" if stage.overrides else ""
        count = f"{_count(rows, 'row')}, {_count(snapshots, 'snapshot')}"
        yield label, f"{number}  {_stage(config, stage)}{changes}: {count}"
        label = ""


def _stage(config: RunConfig, stage: Stage) -> str:
    if isinstance(stage, Run):
        solver = config.solver
        step = (
            f"steps of {si(solver.dt, 's')}" if solver.dt else f"error below {solver.max_error:g}"
        )
        return f"run for {si(stage.duration, 's')} by {solver.method}, {step}"
    limit: Any = stage
    torques = ", torques on" if isinstance(stage, Relax) and stage.currents else ""
    return f"{type(stage).__name__.lower()} until |m x B| < {si(limit.max_torque, 'T')}{torques}"


def _output(config: RunConfig) -> Lines:
    size = output_size(config)
    quantities = ", ".join(config.output.snapshots.quantities)
    yield "output", f"{os.path.join(config.output.directory, 'run.vtkhdf')}"
    yield (
        "",
        f"{_count(size.rows, 'row')} of {size.columns} columns, "
        f"{_count(size.snapshots, 'snapshot')} of {quantities}: about {bytes_text(size.bytes)}",
    )


def _device(config: RunConfig, kind: Kind) -> Lines:
    on_device, on_host = device_bytes(config, kind), host_bytes(config)
    name = {"auto": "auto: the first CUDA device, else the CPU"}.get(config.device, config.device)
    yield "device", f"{name}; {config.precision} precision"
    if config.sweep is not None:
        return
    if kind == "cpu":
        free = bytes_text(host_memory_free())
        yield "memory", f"{bytes_text(on_device + on_host)} of the host's {free} that are free"
    else:
        yield "memory", f"{bytes_text(on_device)} on the GPU, {bytes_text(on_host)} on the host"


def _machine_warnings(config: RunConfig, kind: Kind) -> Iterator[str]:
    """What is in the way on this machine at this time."""
    if code_in(config) and not config.custom_code_allowed:
        yield (
            f"{', '.join(code_in(config))} is code, which is compiled and runs as a program with all "
            "your rights: it needs --allow-custom-code"
        )
    if config.device.startswith("cuda") and not _has_cupy():
        yield "CuPy, which runs on a GPU need, is not installed here: see  micromag doctor"
    need = host_bytes(config) + (device_bytes(config) if kind == "cpu" else 0)
    if need > host_memory_free():
        free = bytes_text(host_memory_free())
        yield f"the run needs {bytes_text(need)} of memory, of which {free} are free at present"
    folder = Path(os.path.abspath(config.output.directory))
    if config.sweep is not None and existing_results(folder):
        yield (
            f"there is a result in {config.output.directory}: if it is of this sweep, what is done is "
            "kept; --overwrite moves it aside, -o DIR writes elsewhere"
        )
    elif existing_results(folder):
        yield (
            f"there is a result in {config.output.directory}; --overwrite moves it aside, "
            "--skip-existing keeps it, -o DIR writes elsewhere"
        )
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free_disk, size = shutil.disk_usage(there).free, _size(config)
    if size > free_disk:
        yield f"the result takes {bytes_text(size)}, the disk has {bytes_text(free_disk)} free"


def _size(config: RunConfig) -> int:
    return output_size(config).bytes if config.sweep is None else sweep_bytes(config)


# -------------------------------------------------------------------- values


def _values(section: BaseModel) -> str:
    """Return the parameters of a section that say something, with their units."""
    parts = []
    for name, info in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, Parameter):
            parts.append(f"{name} = {_parameter(value, quantity_of(type(section), name).unit)}")
        elif value is not None and (info.is_required() or value != info.default):
            parts.append(f"{info.alias or name} = {_plain(value, _unit(type(section), name))}")
    return ", ".join(parts)


def _unit(cls: type[BaseModel], name: str) -> str:
    try:
        return quantity_of(cls, name).unit
    except KeyError:
        return ""


def _parameter(parameter: Parameter, unit: str) -> str:
    if parameter.file is not None:
        text = f"from {parameter.file.name}"
    elif parameter.array is not None:
        text = "an array"
    else:
        text = _number(parameter.value, unit)
        by_region = [f"{k}: {_number(v, unit)}" for k, v in parameter.regions.items()]
        by_region += [f"{':'.join(k)}: {_number(v, unit)}" for k, v in parameter.pairs.items()]
        text = f"{text} ({', '.join(by_region)})" if by_region else text
    if parameter.waveform is not None:
        kind = next(iter(parameter.waveform.keyed_dump()))
        text += f" times {kind}"
    return text


def _number(value: Any, unit: str) -> str:
    return si_vector(value, unit) if isinstance(value, tuple) else si(value, unit)


def _plain(value: Any, unit: str) -> str:
    if isinstance(value, BaseModel):
        return f"{{{_values(value)}}}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return si(value, unit) if unit else f"{value:.6g}"
    if unit and isinstance(value, tuple) and all(isinstance(item, float) for item in value):
        return si_vector(value, unit)
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_plain(item, unit)}' for key, item in value.items())}}}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(_plain(item, unit) for item in value)}]"
    return str(value)


def _percent(fraction: float) -> str:
    return "all" if fraction == 1 else f"{100 * fraction:.3g} %"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
