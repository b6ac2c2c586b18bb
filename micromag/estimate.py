"""How much memory a run needs and how much it will write, before anything is allocated.

The sums follow what `Model`, `Engine`, the steppers and the convolution allocate; a test counts the
real arrays beside them. Python's integers do not overflow, so a mesh may be as absurd as it likes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from micromag.backend.cpu import available_threads
from micromag.backend.fft_blocks import BlockedLayout
from micromag.backend.fft_layout import ConvolutionLayout
from micromag.config_sections import Minimize, Run, Stage
from micromag.demag.tensor import padded_lengths
from micromag.derived import surroundings_of
from micromag.errors import DeviceError
from micromag.integrators.clock import slot
from micromag.integrators.tableaus import TABLEAUS
from micromag.observables import observable_of, table_columns
from micromag.parameters import Parameter, VectorParameter
from micromag.si_text import bytes_text
from micromag.terms import energy_names

if TYPE_CHECKING:
    from micromag.backend import Backend
    from micromag.config import RunConfig
    from micromag.config_sections import Output
    from micromag.terms.base import Term

Kind = Literal["cpu", "cuda"]
"""Kinds of devices, as of `Backend.kind`."""

LARGEST_GPU = 2**40
"""No GPU has more memory than this [bytes]; what needs more is refused without asking one."""
_SAME = 1e-9  # as in `Timetable`
_SUM_CHUNKS = 256
_CHUNK_ROWS = 1024  # numbers of a table are stored by the thousand, as in `output.columns`
_HISTORY_COLUMNS = 3
_METADATA = 2**18  # as in `output.vtkhdf`
_SMALL = 2**26
"""Needs below this are never refused: the free memory of a busy machine is not that exact."""


@dataclass(frozen=True)
class OutputSize:
    """What a run writes; of the histories of relaxations the first thousand iterations.

    Attributes
    ----------
    rows, columns
        Of the table.
    snapshots
        Number of them.
    bytes
        Of the result file, without compression.
    """

    rows: int
    columns: int
    snapshots: int
    bytes: int


# -------------------------------------------------------------------- memory


def device_bytes(config: RunConfig, kind: Kind = "cpu") -> int:
    """Return the memory of the arrays on the device at the largest stage of a run [bytes].

    Parameters
    ----------
    config
        The run.
    kind
        "cuda" counts cuFFT's work areas, and the rows padded for it.
    """
    return max(
        _engine_bytes(staged, stage, _terms(staged, stage), kind)
        for staged, stage in stages(config)
    )


def host_bytes(config: RunConfig) -> int:
    """Return the memory that the host needs besides, at its peak [bytes].

    These are the arrays of `Model`, the initial magnetization in double precision and, where there
    is a stray field, its tensor on the way to the device.
    """
    count = config.mesh.count
    # The initial m, its square and norm, and the same once more when it is normalised.
    transient = 116 * count
    kept = 0
    for staged, stage in stages(config):
        terms = _terms(staged, stage)
        cells = 8 * _cell_values(config, terms) + 24 * _faces(terms)
        # Region, geometry, magnetic cells and Ms; the driver's copy of m.
        kept = max(kept, (14 + 24) * count + cells * count)
        if any(term.kind == "energy" and term.nonlocal_field for term in terms):
            transient = max(transient, 132 * _octant(config))
            kept += _ends_bytes(config)
    return kept + transient


def _ends_bytes(config: RunConfig) -> int:
    """Return what the host keeps for the strip beyond a moving window: complex planes of a tensor."""
    mesh = config.mesh
    if mesh.window is None:
        return 0
    number = mesh.window.number
    lengths = padded_lengths(mesh.cells, mesh.periodic)
    return 6 * 16 * mesh.cells[number] * (lengths[1 - number] // 2 + 1) * lengths[2]


def check_memory(config: RunConfig, backend: Backend) -> None:
    """Raise DeviceError if a run does not fit into the free memory of its device."""
    _require(config, _least_bytes(config), backend.memory_total(), "the memory of the device")
    on_device = device_bytes(config, "cuda" if backend.kind == "cuda" else "cpu")
    on_host = host_bytes(config)
    if backend.kind == "cpu":
        _require(config, on_device + on_host, backend.memory_free(), "the free memory")
        return
    from micromag.backend.memory import host_memory_free

    _require(config, on_device, backend.memory_free(), "the free memory of the GPU")
    _require(config, on_host, host_memory_free(), "the free memory of the host")


def check_total_memory(config: RunConfig, kind: Kind) -> None:
    """Raise DeviceError if a run cannot fit whatever else is going on; no GPU is asked."""
    from micromag.backend.memory import host_memory_total

    total = LARGEST_GPU if kind == "cuda" else host_memory_total()
    name = "the memory of any GPU" if kind == "cuda" else "the memory of this machine"
    _require(config, _least_bytes(config), total, name)
    on_device, on_host = device_bytes(config, kind), host_bytes(config)
    if kind == "cuda":
        _require(config, on_device, total, name)
    else:
        on_host += on_device
    _require(config, on_host, host_memory_total(), "the memory of this machine")


def _least_bytes(config: RunConfig) -> int:
    """Return what the state alone takes: to refuse an absurd mesh, nothing else is looked at."""
    slots = max(_slots(staged, stage) for staged, stage in stages(config))
    return 3 * slots * config.mesh.count * _itemsize(config)


def _require(config: RunConfig, need: int, there: int, name: str) -> None:
    if need <= max(there, _SMALL):
        return
    nx, ny, nz = config.mesh.cells
    cure = "use fewer cells" + (", or precision: single" if config.precision == "double" else "")
    raise DeviceError(
        f"the run does not fit into {name}",
        where="mesh.cells",
        value=f"{nx} x {ny} x {nz} cells in {config.precision} precision need {bytes_text(need)}",
        allowed=f"{bytes_text(there)} are there",
        next_step=f"{cure}; a method with fewer stages (solver.method: rk23) needs less as well",
    )


def stages(config: RunConfig) -> Iterator[tuple[RunConfig, Stage]]:
    """Yield every stage with the configuration that holds in it."""
    for stage in config.schedule:
        yield (config.with_overrides(stage.overrides) if stage.overrides else config), stage


def _terms(config: RunConfig, stage: Stage) -> list[Term]:
    """Return the terms that act in a stage."""
    currents = isinstance(stage, Run) or getattr(stage, "currents", False)
    fields = [t for _, t in config.energy if t.kind != "noise" or isinstance(stage, Run)]
    acting = [*fields, *(term for _, term in (config.torques if currents else ()))]
    return [config.resolved(term) for term in acting]


def _engine_bytes(config: RunConfig, stage: Stage, terms: list[Term], kind: Kind) -> int:
    count, item = config.mesh.count, _itemsize(config)
    reals = 3 * _slots(config, stage) + (0 if isinstance(stage, Minimize) else 1)
    reals += _cell_values(config, terms) + 3 * _faces(terms)
    reals += 3 * sum(term.kind == "noise" for term in terms)
    if set(config.output.snapshots.quantities) != {"m"}:
        reals += 4  # field and energy density of one term, while a snapshot is taken
    total = reals * count * item + 4 * count  # the region of every cell is a 32-bit number
    for term in terms:
        if term.needs_field and term.kind == "energy":
            total += _convolution_bytes(config, kind)
        elif term.needs_field:
            total += term.field_bytes(surroundings_of(config), item)
    sums = 3 + len(energy_names(config.energy)) + 1
    _, ny, nz = config.mesh.cells
    total += min(ny * nz, _SUM_CHUNKS) * 8 * (sums + 4)
    width = 8 + sum(_components(p) for term in terms for p in term.parameters().values())
    return total + 2 * (1 + len(config.regions)) * width * item


def _slots(config: RunConfig, stage: Stage) -> int:
    """Return the number of state arrays that a stage needs."""
    if isinstance(stage, Minimize):
        return slot("SLOT_FREE")
    method = getattr(stage, "method", config.solver.method)
    return slot("SLOT_FREE") + 2 + TABLEAUS[method].stages


def _convolution_bytes(config: RunConfig, kind: Kind) -> int:
    """Return what a nonlocal field needs: tensor, transforms, field, and Ms where it varies."""
    mesh, item = config.mesh, _itemsize(config)
    lengths = padded_lengths(mesh.cells, mesh.periodic)
    reals = 6 * _octant(config) + 3 * mesh.count
    if mesh.window is not None:
        reals += 3 * mesh.count  # the field of the strip beyond its ends
    if not config.material.Ms.is_uniform:
        reals += mesh.count
    if kind == "cpu":
        blocked = BlockedLayout(mesh.cells, lengths, 1, 3, item, available_threads())
        return reals * item + blocked.size
    # As `CudaBackend.convolution_fft_bytes`, which needs a GPU to be asked.
    layout = ConvolutionLayout(mesh.cells, lengths, 3)
    reals += layout.array_size + layout.padded_size + 4 * layout.spectrum_size
    return reals * item


def _octant(config: RunConfig) -> int:
    """Return the number of frequencies for which the tensor is stored."""
    lengths = padded_lengths(config.mesh.cells, config.mesh.periodic)
    return math.prod(length // 2 + 1 for length in lengths)


def _cell_values(config: RunConfig, terms: list[Term]) -> int:
    """Return how many numbers per cell the parameters that vary from cell to cell have."""
    material = (config.material.Ms, config.material.alpha)
    given = [*material, *(p for term in terms for p in term.parameters().values())]
    return sum(_components(parameter) for parameter in given if parameter.is_per_cell)


def _faces(terms: list[Term]) -> int:
    """Return how many parameters have a value per face between cells."""
    return sum(
        not term.parameters()[name].is_uniform
        for term in terms
        for name in term.interface
        if name in term.parameters()
    )


def _components(parameter: Parameter) -> int:
    return 3 if isinstance(parameter, VectorParameter) else 1


def _itemsize(config: RunConfig) -> int:
    return 8 if config.precision == "double" else 4


# -------------------------------------------------------------------- output


def output_size(config: RunConfig) -> OutputSize:
    """Return how much a run writes if it comes to its end."""
    rows, snapshots = 1, 1
    for more_rows, more_snapshots in stage_outputs(config):
        rows, snapshots = rows + more_rows, snapshots + more_snapshots
    names = config.column_names
    observables = {name: observable_of(name)() for name in names}
    energies = energy_names(config.energy)
    columns = len(table_columns(names, observables, energies, config.torques))
    quantities = config.output.snapshots.quantities
    per_cell = sum(1 if quantity.startswith("e_") else 3 for quantity in quantities)
    # The first snapshot is stored twice as long as it is the only one; Ms is stored besides.
    values = config.mesh.count * (per_cell * max(snapshots, 2) + 1)
    relaxations = sum(not isinstance(stage, Run) for stage in config.schedule)
    chunks = columns * -(-rows // _CHUNK_ROWS) + _HISTORY_COLUMNS * relaxations
    # Times twice, and the place of every quantity in every snapshot.
    chunks += (3 + len(quantities)) * -(-snapshots // _CHUNK_ROWS)
    size = 4 * values + 8 * _CHUNK_ROWS * chunks + _METADATA
    return OutputSize(rows, columns, snapshots, size)


def output_bytes(config: RunConfig) -> int:
    """Return the size of the result file without compression [bytes]."""
    return output_size(config).bytes


def stage_outputs(config: RunConfig) -> Iterator[tuple[int, int]]:
    """Yield the numbers of rows and snapshots of every stage, without the initial ones."""
    t = 0.0
    for staged, stage in stages(config):
        if not isinstance(stage, Run):
            yield 1, 1
            continue
        yield event_counts(t, t + stage.duration, staged.output)
        t += stage.duration


def event_counts(start: float, end: float, output: Output) -> tuple[int, int]:
    """Return the numbers of rows and snapshots that `Timetable` makes from ``start`` to ``end``."""
    last = end - _SAME * (end - start)
    rows = _multiples(output.table.every, start, last)
    snapshots = _multiples(output.snapshots.every, start, last)
    snapshots += sum(start * (1 + _SAME) < t < last for t in output.snapshots.at)
    return rows + 1, snapshots + 1


def _multiples(every: float | None, start: float, last: float) -> int:
    """Return how many multiples of a period lie between two times."""
    if every is None:
        return 0
    first = math.floor(start / every + _SAME) + 1
    return max(0, math.ceil(last / every) - first)
