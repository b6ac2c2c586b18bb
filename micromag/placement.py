"""Whether shapes, regions, files and the initial magnetization fit the mesh: found without a device.

Small meshes are laid out as a run does it. On large ones only what costs nothing is looked at; the
run itself finds the rest before it computes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from micromag.config_problems import raise_problems
from micromag.errors import ConfigError
from micromag.initial import InitialState
from micromag.model import Model
from micromag.run_text import PathError, split_path
from micromag.yaml_source import Problem

if TYPE_CHECKING:
    from micromag.config import RunConfig

LAID_OUT = 2**20
"""Meshes with more cells are not laid out."""
MAGNETIZED = 2**18
"""On meshes with more cells the initial magnetization is not made."""


@dataclass(frozen=True)
class Placement:
    """How the mesh is divided up, as fractions of its cells; nothing is known of a large mesh.

    Attributes
    ----------
    filled
        Magnetic cells, None if unknown.
    regions
        Magnetic cells of each region.
    """

    filled: float | None = None
    regions: dict[str, float] = field(default_factory=dict)


def check_placement(config: RunConfig) -> Placement:
    """Return how the mesh is divided up.

    Raises
    ------
    ConfigError
        A region holds no cell, no cell is magnetic, or the initial state does not fit; with its
        place in the run file.
    UnreadableInputError
        A file that belongs to the mesh is none, or does not fit it.
    """
    try:
        return _placement(config)
    except ConfigError as error:
        _raise_located(config, error)
        raise


def _placement(config: RunConfig) -> Placement:
    from micromag.driver import initial_state

    state, mesh = config.initial, config.mesh
    state.check(mesh)
    if mesh.count > LAID_OUT:
        return Placement()
    model = Model([config])
    if mesh.count <= MAGNETIZED:
        initial_state(config, model)
    elif isinstance(state, InitialState) and state.input_files():
        state.magnetization(mesh, np.random.default_rng(config.seed))
    regions = {
        name: float((model.magnetic & (model.region == number)).mean())
        for number, name in enumerate(model.region_names)
    }
    return Placement(float(model.magnetic.mean()), regions)


def _raise_located(config: RunConfig, error: ConfigError) -> None:
    """Raise the error again with its line, if it names a key of a run file."""
    root = config._root
    if root is None or error.where is None:
        return
    path = error.where.partition(",")[0]
    try:
        _, node = list(root.walk(split_path(path)))[-1]
    except PathError:
        return
    place = node.key_place if isinstance(node.value, dict) else node.place
    # Of a region the shape would be repeated, which stands in the file.
    shown = error.value is not None and not error.where.startswith("regions.")
    what = f"{error.what} ({error.value})" if shown else error.what
    what += f"; {error.next_step}" if error.next_step and not error.allowed else ""
    raise_problems([Problem(place, error.where, what, error.allowed or "")])
