"""The base of all recipes for the initial magnetization."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BeforeValidator, ConfigDict

from micromag.arguments import Checked
from micromag.errors import ConfigError
from micromag.geometry import extent
from micromag.mesh import Mesh
from micromag.parameters import Vector, custom_error
from micromag.registry import Registry

Field = NDArray[np.float64]


def _sign(value: Any) -> int:
    if isinstance(value, bool) or value not in (-1, 1):
        raise custom_error("sign", f"{value!r} is not a sign", "1 or -1")
    return int(value)


Sign = Annotated[Literal[-1, 1], BeforeValidator(_sign)]
"""A sign as a number, such as the polarity of a core."""


class InitialState(Checked, ABC):
    """A recipe that gives every cell of a mesh a direction."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )

    @abstractmethod
    def magnetization(self, mesh: Mesh, rng: np.random.Generator) -> Field:
        """Return unit vectors of the magnetic moment, shape ``(3, nz, ny, nx)``.

        Cells outside the magnet are filled too; the caller empties them.

        Parameters
        ----------
        mesh
            The cells; the origin is the centre of the mesh.
        rng
            Source of the run's random numbers.

        Raises
        ------
        ConfigError
            If the recipe does not fit the mesh.
        """

    def check(self, mesh: Mesh) -> None:
        """Raise ConfigError unless the recipe fits the mesh, without making the magnetization."""

    def input_files(self) -> tuple[Path, ...]:
        """Return the files that this recipe reads."""
        return ()


RECIPES: Registry[InitialState] = Registry(
    "micromag.initial",
    InitialState,
)
"""All recipes by their key in the run file."""


def assemble(mesh: Mesh, mx: ArrayLike, my: ArrayLike, mz: ArrayLike) -> Field:
    """Return the vectors of three components that broadcast to the mesh, normalised."""
    m = np.stack([np.broadcast_to(np.asarray(c, float), mesh.shape) for c in (mx, my, mz)])
    # Scaled first, so that the squares of very short vectors do not underflow.
    m /= np.abs(m).max(axis=0)
    m /= np.sqrt((m * m).sum(axis=0))
    return m


def check_inside(mesh: Mesh, center: Vector, where: str) -> None:
    """Raise ConfigError unless a point lies in the mesh."""
    if all(abs(c) <= s / 2 for c, s in zip(center, mesh.size, strict=True)):
        return
    raise ConfigError(
        "the point lies outside the mesh",
        where=where,
        value=f"[{', '.join(f'{c * 1e9:.6g} nm' for c in center)}]",
        allowed=extent(mesh),
    )
