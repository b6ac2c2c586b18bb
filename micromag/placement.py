"""Whether shapes, regions, files and the initial magnetization fit the mesh: found without a device.

Small meshes are laid out as a run does it. On large ones only what costs nothing is looked at; the
run itself finds the rest before it computes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from micromag.config_problems import raise_problems
from micromag.errors import ConfigError, ConfigErrors, MicromagError
from micromag.estimate import Kind, check_total_memory
from micromag.initial import InitialState
from micromag.limits import check_limits
from micromag.model import Model
from micromag.run_text import PathError, split_path
from micromag.yaml_source import Node, Problem

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
        Cells of each region within the geometry, with or without Ms.
    """

    filled: float | None = None
    regions: dict[str, float] = field(default_factory=dict)


def check_run(config: RunConfig, kind: Kind) -> Placement:
    """Return how the mesh is divided up, if the run can be made at all.

    Parameters
    ----------
    config
        The run.
    kind
        Kind of the device; none is asked.

    Raises
    ------
    DeviceError
        The mesh is larger than the machine's memory, or the result than the space on the disk.
    ConfigError
        A region holds no cell, no cell is magnetic, the initial state does not fit, or the run
        could never come to its end.
    UnreadableInputError
        A file that belongs to the mesh is none, or does not fit it.

    All of them name the line of the run file.
    """
    try:
        check_total_memory(config, kind)
        check_limits(config)
        return _placement(config)
    except ConfigErrors:
        raise
    except MicromagError as error:
        _raise_located(config, error)
        raise


def _placement(config: RunConfig) -> Placement:
    from micromag.driver import initial_state
    from micromag.window import check_textures

    state, mesh = config.initial, config.mesh
    state.check(mesh)
    if mesh.count > LAID_OUT:
        return Placement()
    model = Model([config])
    if mesh.count <= MAGNETIZED:
        check_textures(initial_state(config, model)[None], mesh)
    elif isinstance(state, InitialState) and state.input_files():
        state.magnetization(mesh, np.random.default_rng(config.seed))
    regions = {
        name: float((model.inside & (model.region == number)).mean())
        for number, name in enumerate(model.region_names)
    }
    return Placement(float(model.magnetic.mean()), regions)


def _raise_located(config: RunConfig, error: MicromagError) -> None:
    """Raise the error again with its line, if that can be found."""
    root, where = config._root, error.where
    node = _named(root, where) if root is not None and where is not None else None
    if node is None or where is None:
        return
    place = node.key_place if isinstance(node.value, dict) else node.place
    if isinstance(error, ConfigError):
        # Of a region the shape would be repeated, which stands in the file.
        shown = error.value is not None and not where.startswith("regions.")
        what = f"{error.what} ({error.value})" if shown else error.what
        allowed = error.allowed or ""
        if error.next_step and allowed:
            allowed += f"; next: {error.next_step}"
        elif error.next_step:
            what += f"; {error.next_step}"
        raise_problems([Problem(place, where, what, allowed)])
    excerpt = place.excerpt()
    raise type(error)(
        f"{error.what}\n{excerpt}" if excerpt else error.what,
        where=f"{place}  {where}",
        value=error.value,
        allowed=error.allowed,
        next_step=error.next_step,
    ) from None


def _named(root: Node, where: str) -> Node | None:
    """Return the value at a key path, or the one that names a file."""
    name = os.path.basename(where)
    for node in _descendants(root):
        if isinstance(node.value, str) and os.path.basename(node.value) == name:
            return node
    try:
        return list(root.walk(split_path(where.partition(",")[0])))[-1][1]
    except PathError:
        return None


def _descendants(node: Node) -> Iterator[Node]:
    yield node
    children = node.value.values() if isinstance(node.value, dict) else node.value
    for child in children if isinstance(node.value, dict | list) else ():
        yield from _descendants(child)
