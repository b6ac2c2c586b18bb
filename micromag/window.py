"""A mesh that follows a texture: when it moves, by how much, and what its fresh cells hold.

The device decides. After every few accepted steps of a replica a small kernel finds how far the
texture is from the mesh's centre; where that is too far, the replica stands still until the host has
moved its mesh. When the host looks makes no difference to the result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micromag.errors import ConfigError, NumericalError
from micromag.integrators import clock as clk
from micromag.integrators.clock import Status
from micromag.mesh import Window

if TYPE_CHECKING:
    from micromag.backend.base import Command, Module, Program, Source
    from micromag.engine import Engine
    from micromag.mesh import Mesh

EVERY = 8
"""Accepted steps between two looks at where the texture is."""
TOLERANCE = 1 / 32
"""The texture may be off the centre by this share of the window, and at least by one and a half cells."""
LEAST_CONTRAST = 0.5
"""Two ends that differ by less than this in every component of m have no wall between them."""
LEAST_MOMENTS = 0.5
"""A skyrmion or core of less than this many full moments has gone."""

_KINDS = {"wall": 0, "skyrmion": 1, "core": 2}


class Follower:
    """Keeps the texture of every replica in the middle of its mesh.

    Parameters
    ----------
    engine
        The state; its mesh has a window.
    """

    def __init__(self, engine: Engine) -> None:
        window = engine.model.mesh.window
        assert window is not None
        self.engine = engine
        self.window = window

    def source(self) -> Source:
        """Return the translation unit of the kernels."""
        cells = self.engine.model.mesh.cells[self.window.number]
        return self.engine.source(
            "window.cu",
            AXIS=self.window.number,
            FOLLOW=_KINDS[self.window.follow],
            TOLERATED=f"{max(1.5, TOLERANCE * cells)!r}",
            LEAST_CONTRAST=f"{LEAST_CONTRAST!r}",
            LEAST_MOMENTS=f"{LEAST_MOMENTS!r}",
        )

    def bind(self, module: Module) -> list[Command]:
        """Take the compiled kernels; return the commands at the end of every step."""
        engine = self.engine
        sums, replicas = 12, engine.model.replicas
        self._partial = engine.backend.zeros((replicas, engine.chunks.nchunk, sums), np.float64)
        self._now = engine.backend.program(self._commands(module, every=1))
        return self._commands(module, EVERY)

    def _commands(self, module: Module, every: int) -> list[Command]:
        engine = self.engine
        look = module.kernel("look").bind(
            engine.chunks, every, engine.clock, engine.work, self._partial
        )
        decide = module.kernel("decide").bind(
            engine.items,
            engine.chunks.nchunk,
            engine.model.mesh.cells[self.window.number],
            every,
            self._partial,
            engine.clock,
        )
        return [look, decide]

    def start(self, prime: Program | None) -> None:
        """Bring the textures to the middle at once, whatever their number of steps."""
        self._now.run()
        self.catch_up(prime)

    def catch_up(self, prime: Program | None) -> None:
        """Move the mesh of every replica that waits for it, and let it go on.

        ``prime`` evaluates dm/dt of the replicas that run, where a method reuses it.
        """
        engine = self.engine
        clock = engine.read_clock()
        status = clock[:, clk.column("status")]
        waiting = np.flatnonzero(status == Status.OFF_CENTRE)
        if not len(waiting):
            return
        for replica in waiting:
            engine.move_window(int(replica), int(clock[replica, clk.column("off_centre")]))
        if prime is not None:
            # Of the others not one bit may change, so they are held meanwhile.
            alone = np.full(len(status), float(Status.IDLE))
            alone[waiting] = float(Status.RUNNING)
            engine.write_clock(status=alone)
            prime.run()
        status[waiting] = float(Status.RUNNING)
        engine.write_clock(status=status)


def moved_state(m: NDArray[Any], cells: int, axis: int, filled: NDArray[np.bool_]) -> NDArray[Any]:
    """Return a state ``(3, nz, ny, nx)`` as a mesh that has moved by some cells sees it.

    Fresh cells hold what the outermost plane of cells held. Cells that were empty there, or are
    filled for another reason, take the mean direction of the nearest plane that is not empty; cells
    that are empty now hold 0.

    Parameters
    ----------
    cells
        How far the mesh has moved along the axis.
    axis
        0 for x, 1 for y.
    filled
        Cells that are magnetic now, shape ``(nz, ny, nx)``.
    """
    place = -1 - axis
    n = m.shape[place]
    moved = np.take(m, (np.arange(n) + cells).clip(0, n - 1), axis=place)
    missing = filled & ~moved.any(axis=0)
    if missing.any():
        domains = np.moveaxis(_domains(m, place), 1, 0)[:, (np.arange(n) + cells).clip(0, n - 1)]
        shape = [3, 1, 1, 1]
        shape[place] = n
        moved = np.where(missing, domains.reshape(shape).astype(m.dtype), moved)
    return np.ascontiguousarray(moved * filled)


def _domains(m: NDArray[Any], place: int) -> NDArray[np.float64]:
    """Return the mean direction of every plane of cells, shape ``(n, 3)``; of empty ones a neighbour's."""
    others = tuple(a for a in (1, 2, 3) if a != m.ndim + place)
    sums = m.sum(axis=others, dtype=np.float64).T
    length = np.sqrt((sums**2).sum(axis=1))
    there = np.flatnonzero(length > 0)
    nearest = there[np.abs(np.arange(len(length))[:, None] - there).argmin(axis=1)]
    return sums[nearest] / length[nearest, None]


# -------------------------------------------------------------------- without a texture


def check_textures(states: NDArray[Any], mesh: Mesh) -> None:
    """Raise ConfigError if a window has nothing to follow in any of the states of all replicas.

    Where only some have nothing, they fail by themselves and the others go on.
    """
    window = mesh.window
    if window is not None and all(displacement(m, window) is None for m in states):
        raise ConfigError(
            f"the initial state has no {window.follow} for the window to follow",
            where="mesh.window.follow",
            value=_seen(states[0], window),
            allowed=_wanted(window),
            next_step="change the initial state, follow something else, or leave mesh.window out",
        )


def describe_loss(engine: Engine, replica: int) -> NumericalError:
    """Return an error that says that the texture of a replica has left its window."""
    window = engine.model.mesh.window
    assert window is not None
    clock = engine.read_clock()[replica]
    offset = engine.window_offset[replica, window.number]
    return NumericalError(
        f"the {window.follow} that the window follows has gone",
        where=f"t = {clock[clk.column('t')] * 1e9:.6g} ns, window at {window.axis} = "
        f"{offset * 1e9:.6g} nm",
        value=_seen(engine.m(replica), window),
        allowed=_wanted(window),
        next_step="it was annihilated, or left the mesh, the strip or its plane; look at the last "
        "snapshot, and lower the drive or take a longer window",
    )


def _wanted(window: Window) -> str:
    return {
        "wall": f"ends along {window.axis} that differ by more than {LEAST_CONTRAST} in a component "
        "of m",
        "skyrmion": f"moments against m_z of the ends along {window.axis}",
        "core": "cells with |m_z| > 1/2",
    }[window.follow]


def _seen(m: NDArray[Any], window: Window) -> str:
    if window.follow == "core":
        return f"largest |m_z| {np.abs(m[2]).max():.3g}"
    ends = (_mean(_end(m, window, place)) for place in (0, -1))
    texts = (f"({', '.join(f'{v:.3g}' for v in end)})" for end in ends)
    return "m at the ends " + " and ".join(texts)


def _end(m: NDArray[Any], window: Window, place: int) -> NDArray[np.float64]:
    return np.asarray(m.take(place, axis=-1 - window.number), dtype=np.float64)


def _mean(m: NDArray[np.float64]) -> NDArray[np.float64]:
    return m.sum(axis=(1, 2)) / max(1, int(m.any(axis=0).sum()))


def displacement(m: NDArray[Any], window: Window) -> float | None:
    """Return how far the texture of a state is from the mesh's centre [cells], None without one.

    The same formulas as in ``kernels/window.cu``, which decides while the run goes on.
    """
    m = np.asarray(m, dtype=np.float64)
    place = -1 - window.number
    n = m.shape[place]
    shape = [1, 1, 1]
    shape[place] = n
    cells = (np.arange(n) - (n - 1) / 2).reshape(shape)
    if window.follow == "wall":
        first, last = _mean(_end(m, window, 0)), _mean(_end(m, window, -1))
        q = int(np.abs(last - first).argmax())
        if not abs(last[q] - first[q]) > LEAST_CONTRAST:
            return None
        mean = m[q].sum() / m.any(axis=0).sum()
        return float(n * ((mean - last[q]) / (first[q] - last[q]) - 0.5))
    if window.follow == "skyrmion":
        background = np.sign(_end(m, window, 0)[2].sum() + _end(m, window, -1)[2].sum())
        weight = np.maximum(-background * m[2], 0)
    else:
        weight = np.where(np.abs(m[2]) > 0.5, m[2] ** 2, 0)
    total = weight.sum()
    return float((weight * cells).sum() / total) if total > LEAST_MOMENTS else None
