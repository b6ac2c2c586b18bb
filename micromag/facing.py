"""The moments of one layer as another one sees them across a spacer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micromag.backend.base import Backend, Cells, Source
from micromag.terms.base import DeviceState, NonlocalField

if TYPE_CHECKING:
    from micromag.model import Model


class FacingMoments(NonlocalField):
    """For every cell m of the polarising layer's nearest cell in the same column, 0 without one.

    Parameters
    ----------
    model, backend
        Where the field is needed.
    region
        Name of the polarising layer.
    axis
        0, 1, 2: the axis of the columns.
    above
        Whether the layer is the one that lies on the positive side of the cells.

    Attributes
    ----------
    field
        Device array of shape ``(replica, 3, nz, ny, nx)``.
    """

    def __init__(self, model: Model, backend: Backend, region: str, axis: int, above: bool) -> None:
        layer = model.magnetic & (model.region == list(model.region_names).index(region))
        dtype = np.dtype(np.float64 if model.precision == "double" else np.float32)
        nx, ny, nz = model.mesh.cells
        self.field = backend.zeros((model.replicas, 3, nz, ny, nx), dtype)
        self._cells = Cells(nx, ny, nz, model.replicas)
        self._from = backend.upload(facing_cells(layer, axis, above))
        text = model.kernel_text("polariser.cu")
        module = backend.compile([Source("polariser.cu", text, {}, model.precision)])[0]
        self._gather = module.kernel("gather_moments")

    def commands(self, state: DeviceState, source: int) -> list[Any]:
        """Return the commands that fill `field` from slot ``source`` of the work array."""
        place = (state.clock, state.work, source)
        return [self._gather.bind(self._cells, *place, self._from, self.field)]


def facing_cells(layer: NDArray[np.bool_], axis: int, above: bool) -> NDArray[np.int32]:
    """Return for every cell the number of the nearest one of a layer on one side of it, else -1.

    Shape ``(nz, ny, nx)``, as of ``layer``. Cells of the layer itself get -1.
    """
    numbers = np.where(layer, np.arange(layer.size).reshape(layer.shape), -1)
    columns = np.moveaxis(numbers, 2 - axis, 0)
    columns = columns[::-1] if above else columns  # so that the layer comes before its cells
    found = np.full(columns.shape, -1, np.int32)
    last = np.full(columns.shape[1:], -1)
    for i, here in enumerate(columns):
        found[i] = np.where(here < 0, last, -1)
        last = np.where(here >= 0, here, last)
    found = found[::-1] if above else found
    return np.ascontiguousarray(np.moveaxis(found, 0, 2 - axis))
