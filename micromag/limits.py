"""What cannot work, whatever the machine's patience: refused before anything is computed or written.

What is merely unwise is a warning of `sanity`; what does not fit the memory is refused by `estimate`.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from micromag.config_sections import Run
from micromag.errors import ConfigError, DeviceError
from micromag.estimate import OutputSize, output_size, stages
from micromag.magnets import fastest_mode
from micromag.mesh import AXES
from micromag.output.folder import check_folder
from micromag.sanity import implausible_values, parameter_sizes, tensor_seconds
from micromag.si_text import bytes_text, duration_text, si

if TYPE_CHECKING:
    from micromag.config import RunConfig

MOST_STEPS = 1e12
"""Months on any machine."""
MOST_ROWS = 1e10
"""Nobody reads a table of more rows, and writing one takes weeks."""
MOST_IMAGES = 100_000
"""On each side of an axis; the field of what lies beyond is far below the rounding."""
MOST_SECONDS = 30 * 86400.0
"""Longest time for the tensor of the stray field [s]."""
BEST_COMPRESSION = 1000
"""Deflate never makes data smaller than by about this factor."""


def check_limits(config: RunConfig) -> None:
    """Refuse a run that cannot come to its end, naming the value that is most likely wrong.

    Raises
    ------
    ConfigError
        More steps, rows or periodic images than any run can have, a number that its precision cannot
        hold, or a folder that none can be.
    DeviceError
        The result is larger than what is free on the disk.
    """
    _check_images(config)
    check_precision(config)
    _check_steps(config)
    size = output_size(config)
    if size.rows > MOST_ROWS:
        raise ConfigError(
            f"the table would get {size.rows:.3g} rows; lengthen the period",
            where="output.table.every",
            allowed=f"at most {MOST_ROWS:.0e} rows",
        )
    folder = check_folder(config.output.directory, where="output.directory")
    check_disk(config, size, folder)


def check_precision(config: RunConfig, whose: str = "") -> None:
    """Raise ConfigError if a parameter is larger than the numbers of the run's precision.

    ``whose`` goes before the sentence.
    """
    most = float(np.finfo(np.float64 if config.precision == "double" else np.float32).max)
    for path, _, unit, size in parameter_sizes(config):
        if not size <= most:
            raise ConfigError(
                f"{whose}the value does not fit {config.precision} precision",
                where=path,
                value=f"{size:g} {unit}".rstrip(" 1"),
                allowed=f"up to {most:.3g}",
                next_step="check the unit, or set precision: double",
            )


def check_disk(config: RunConfig, size: OutputSize, folder: Path) -> None:
    """Raise DeviceError if a result cannot fit on the disk of ``folder``."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    least = size.bytes // BEST_COMPRESSION if config.output.compression else size.bytes
    if least <= free:
        return
    if not free:
        raise DeviceError(
            f"nothing can be written to the disk of this folder: 0 B are free in {there}",
            where="output.directory",
            next_step="choose another folder with -o DIR",
        )
    raise DeviceError(
        "the result does not fit on the disk",
        where="output.snapshots" if size.snapshots > 2 else "output",
        value=f"{size.snapshots} snapshots of {_by(config)} cells and {size.rows} rows take "
        f"{bytes_text(size.bytes)}",
        allowed=f"{bytes_text(free)} are free in {os.path.relpath(there)}",
        next_step="lengthen output.snapshots.every, write fewer quantities, or name a folder on "
        "another disk with -o DIR",
    )


def _by(config: RunConfig) -> str:
    return " x ".join(map(str, config.mesh.cells))


def _check_images(config: RunConfig) -> None:
    seconds = tensor_seconds(config)
    if not seconds:
        return
    for axis, images in zip(AXES, config.mesh.periodic, strict=True):
        if images > MOST_IMAGES:
            raise ConfigError(
                f"{images} periodic images on each side along {axis} are too many; 5 to 100 are usual",
                where="mesh.periodic",
                allowed=f"0 (open) to {MOST_IMAGES}",
            )
    if seconds > MOST_SECONDS:
        raise ConfigError(
            "the stray field of so many cells and periodic images takes "
            f"{duration_text(seconds)} to prepare; use fewer images or fewer cells",
            where="mesh.periodic",
            allowed=f"what takes up to {duration_text(MOST_SECONDS)}",
        )


def _check_steps(config: RunConfig) -> None:
    mode = fastest_mode(config)
    for number, (staged, stage) in enumerate(stages(config)):
        fixed = staged.solver.dt
        dt = fixed or (1 / mode if mode else float("inf"))
        if not isinstance(stage, Run) or stage.duration / dt <= MOST_STEPS:
            continue
        steps = f"{si(stage.duration, 's')} would take some {stage.duration / dt:.0e} steps"
        for path, sentence in () if fixed else implausible_values(staged):
            raise ConfigError(f"{sentence} ({steps})", where=path)
        step = "the fixed step is" if fixed else "the fastest spin wave asks for steps of"
        raise ConfigError(
            f"{steps}: {step} {si(dt, 's')}; a number without a unit is in seconds",
            where=f"schedule[{number}].run.for",
            allowed=f"at most {MOST_STEPS:.0e} steps, {si(MOST_STEPS * dt, 's')}",
        )
