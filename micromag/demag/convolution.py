"""The demagnetizing field on a device: M to the transforms, times the tensor, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micromag.backend.base import Backend, Cells, Command, Source, SpectrumBlock
from micromag.constants import MU_0
from micromag.demag import cached_spectrum
from micromag.demag.ends import StripEnds
from micromag.terms.base import DeviceState, NonlocalField

if TYPE_CHECKING:
    from micromag.model import Model


class DemagField(NonlocalField):
    """B(r_i) = -mu0 sum_j N(r_i - r_j) Ms m_j by pruned FFTs, for all replicas at once.

    Attributes
    ----------
    field
        B [T], device array of shape ``(replica, 3, nz, ny, nx)``.
    ends
        With a moving window, B [T] of the strip beyond the mesh; as `field`.
    """

    def __init__(self, model: Model, backend: Backend) -> None:
        mesh = model.mesh
        replicas = model.replicas
        dtype = np.dtype(np.float64 if model.precision == "double" else np.float32)
        spectrum = cached_spectrum(mesh.cells, mesh.cell_size, mesh.periodic)
        lx, ly, lz = spectrum.lengths
        scale = -MU_0 / (lx * ly * lz)
        self.field = backend.zeros((replicas, 3, *mesh.shape), dtype)
        self._fft = backend.convolution_fft(mesh.cells, spectrum.lengths, replicas, 3, dtype)
        self._backend = backend
        self._Ms, self._Ms_strides = _saturation(model, backend, dtype)
        if mesh.window is not None:
            self._strip_ends = StripEnds(mesh)
            self.ends = backend.zeros((replicas, 3, *mesh.shape), dtype)
        text = model.kernel_text("demag.cu")
        source = Source("demag.cu", text, {}, model.precision)
        module = backend.compile([source])[0]
        nx, ny, nz = mesh.cells
        self._cells = Cells(nx, ny, nz, replicas)
        self._load = module.kernel("load_magnetization")
        kernel = module.kernel("multiply_tensor")
        octant = (spectrum.octant * scale).astype(dtype)
        tensors: dict[int, Any] = {}

        def multiply(block: SpectrumBlock) -> Command:
            planes, rows, fields, columns = block.values.shape
            x = slice(block.x, block.x + columns)
            if x.start not in tensors:
                tensors[x.start] = backend.upload(np.ascontiguousarray(octant[..., x]))
            space = Cells(columns, rows, planes, fields // 3)
            return kernel.bind(space, block.y, ly, tensors[x.start], block.values)

        self._convolve = self._fft.steps(multiply)
        self._store = module.kernel("store_field").bind(self._cells, self._fft.real_out, self.field)

    def commands(self, state: DeviceState, source: int) -> list[Any]:
        """Return the commands that fill `field` from slot ``source`` of the work array."""
        place = (state.clock, state.work, source)
        load = self._load.bind(self._cells, *place, self._Ms, *self._Ms_strides, self._fft.real_in)
        return [load, *self._convolve, self._store]

    def update_Ms(self, replica: int, Ms: NDArray[np.float64]) -> None:
        """See the base class; a uniform Ms does not change, since m is 0 in empty cells."""
        if self._Ms_strides[1]:
            self._backend.write(self._Ms[replica], Ms.astype(self._Ms.dtype))

    def update_ends(self, replica: int, m: NDArray[Any], Ms: NDArray[np.float64]) -> None:
        """See the base class."""
        field = self._strip_ends.field(m, Ms)
        self._backend.write(self.ends[replica], field.astype(self.ends.dtype))


def _saturation(model: Model, backend: Backend, dtype: Any) -> tuple[Any, tuple[int, int]]:
    """Return Ms on the device and its strides per replica and per cell.

    Uniform Ms is one number per replica: empty cells have m = 0.
    """
    if model.mesh.window is None:
        inside = model.Ms[:, model.magnetic]
        uniform = bool((inside == inside[:, :1]).all())
    else:  # which may come to a part with another Ms
        uniform = all(config.material.Ms.is_uniform for config in model.configs)
    if uniform:
        return backend.upload(model.Ms.max(axis=(1, 2, 3)).astype(dtype)), (1, 0)
    return backend.upload(model.Ms.astype(dtype)), (model.mesh.count, 1)
