"""Parameters with a value per cell: from a file or an array, checked like any other value."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from pydantic_core import PydanticCustomError

from micromag.errors import ConfigError, UnreadableInputError
from micromag.mesh import Mesh
from micromag.parameters import Parameter, Quantity, VectorParameter


def quantity_of(cls: type[BaseModel], name: str) -> Quantity:
    """Return what a class declares of one of its physical values; raises KeyError for others."""
    info = cls.model_fields[name]
    found: list[Any] = [*info.metadata]
    for part in typing.get_args(info.annotation):  # Annotated[..., Quantity(...)] | None
        found += getattr(part, "__metadata__", ())
    for item in found:
        if isinstance(item, Quantity):
            return item
    raise KeyError(name)


def cell_values(parameter: Parameter[Any], quantity: Quantity, mesh: Mesh) -> NDArray[np.float64]:
    """Return the values of a parameter that has one per cell, shape ``(1 or 3, nz, ny, nx)``.

    Directions are normalised; those of zero length stay zero, as in empty cells.

    Raises
    ------
    UnreadableInputError
        The file does not hold such values, or values out of range.
    ConfigError
        The array does not fit the mesh.
    """
    count = 3 if isinstance(parameter, VectorParameter) else 1
    shape = (count, *mesh.shape)
    if parameter.array is not None:
        values = np.asarray(parameter.array, dtype=np.float64)
        if values.shape not in (shape, mesh.shape) or values.size != np.prod(shape):
            raise ConfigError(
                "values per cell do not fit the mesh",
                value=f"shape {values.shape}",
                allowed=f"{shape if count == 3 else mesh.shape}",
            )
    else:
        assert parameter.file is not None
        values = read_cell_values(parameter.file, mesh, count)
        try:
            quantity.check_array(values)
        except PydanticCustomError as error:
            raise UnreadableInputError(
                error.message(), where=str(parameter.file), allowed=quantity.allowed
            ) from None
    values = values.reshape(shape)
    if quantity.unit_vector:
        length = np.sqrt((values**2).sum(axis=0))
        values = values / np.where(length > 0, length, 1)
    return values


def read_cell_values(path: Path, mesh: Mesh, components: int) -> NDArray[np.float64]:
    """Return the values of a file, shape ``(nz, ny, nx)`` or ``(3, nz, ny, nx)``.

    Parameters
    ----------
    path
        ``.npy`` array of that shape; one plane ``(ny, nx)`` will do where nz = 1.
    mesh
        Gives the number of cells.
    components
        1 or 3.

    Raises
    ------
    UnreadableInputError
        The file is not such an array, does not fit the mesh, or holds NaN or Inf.
    """
    where = str(path)
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UnreadableInputError(
            "not a readable .npy array",
            where=where,
            value=error,
            next_step="save the values with numpy.save",
        ) from None
    shape = mesh.shape if components == 1 else (components, *mesh.shape)
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu":
        raise UnreadableInputError("the file holds no real numbers", where=where, allowed="numbers")
    if mesh.shape[0] == 1 and values.shape == (*shape[:-3], *shape[-2:]):
        values = values.reshape(shape)
    if values.shape != shape:
        raise UnreadableInputError(
            "the array does not fit the mesh",
            where=where,
            value=f"shape {values.shape}",
            allowed=f"shape {shape}, in the order (z, y, x)",
        )
    if not np.isfinite(values).all():
        raise UnreadableInputError(
            "the array holds NaN or Inf", where=where, allowed="finite numbers"
        )
    return values.astype(np.float64)


def displaced(values: NDArray[Any], shift: tuple[int, int]) -> NDArray[Any]:
    """Return values per cell ``(..., ny, nx)`` as a mesh moved by ``shift`` (x, y) cells sees them.

    Beyond the mesh they go on with the outermost cells.
    """
    for axis, cells in zip((-1, -2), shift, strict=True):
        if cells:
            n = values.shape[axis]
            values = np.take(values, (np.arange(n) + cells).clip(0, n - 1), axis=axis)
    return values
