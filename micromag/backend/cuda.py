"""The CUDA backend: CuPy arrays, cubins from NVRTC, and programs as CUDA graphs.

This file and `cuda_fft` are the only ones that import cupy. They are thin on purpose: the kernels,
their argument types and their compilation are shared with the machines that have no GPU. Everything
runs on one stream.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cupy
import numpy as np
from cupy.cuda import runtime
from numpy.typing import ArrayLike, DTypeLike, NDArray

from micromag.backend import nvrtc
from micromag.backend.base import (
    Backend,
    Command,
    ConvolutionFFT,
    DeviceArray,
    Kernel,
    Module,
    Program,
    Source,
    Space,
    Step,
    host_values,
)
from micromag.backend.cuda_fft import CudaConvolutionFFT, cufft_module
from micromag.backend.fft_layout import ConvolutionLayout
from micromag.backend.signature import Signature
from micromag.errors import DeviceError

_CUDA_ERRORS = (runtime.CUDARuntimeError, cupy.cuda.driver.CUDADriverError)


class CudaBackend(Backend):
    """A CUDA device.

    Parameters
    ----------
    index
        Which device, counted as CUDA does (CUDA_VISIBLE_DEVICES applies).
    reason
        Why this device was taken, for the record.

    Setting the environment variable MICROMAG_CUDA_GRAPHS to 0 launches kernel by kernel, for
    debuggers and compute-sanitizer.
    """

    kind = "cuda"

    def __init__(self, index: int = 0, reason: str = "asked for") -> None:
        try:
            count = runtime.getDeviceCount()
        except _CUDA_ERRORS as error:
            raise DeviceError(
                f"no usable CUDA device ({error})",
                next_step="check the driver with nvidia-smi, or use device: cpu",
            ) from error
        if index >= count:
            raise DeviceError(
                "no such CUDA device", value=f"cuda:{index}", allowed=f"{count} found, from cuda:0"
            )
        self.index = index
        self.device = cupy.cuda.Device(index)
        self.arch = f"sm_{self.device.compute_capability}"
        self.graphs = os.environ.get("MICROMAG_CUDA_GRAPHS", "1") != "0"
        with self.device:
            self.stream = cupy.cuda.Stream(non_blocking=True)
        name = runtime.getDeviceProperties(index)["name"].decode()
        self.choice = f"cuda:{index} ({reason}): {name}"

    @contextmanager
    def active(self) -> Iterator[None]:
        """Make the device and its stream current, and CUDA's errors the program's."""
        try:
            with self.device, self.stream:
                yield
        except cupy.cuda.memory.OutOfMemoryError as error:
            raise DeviceError(
                "the simulation does not fit into the GPU's memory",
                value=error,
                allowed=f"{self.memory_free() / 2**30:.1f} GiB are free",
                next_step="use fewer cells or replicas, or precision: single",
            ) from error
        except _CUDA_ERRORS as error:
            raise DeviceError(
                "the GPU reported an error",
                value=error,
                next_step="set MICROMAG_CUDA_GRAPHS=0 and run under compute-sanitizer to find it",
            ) from error

    def compile(self, sources: Sequence[Source]) -> list[Module]:
        paths = nvrtc.cubins(sources, self.arch, self.monitor)
        return [CudaModule(self, s, path) for s, path in zip(sources, paths, strict=True)]

    def program(self, steps: Sequence[Step]) -> Program:
        return CudaProgram(self, steps)

    def convolution_fft(
        self,
        cells: tuple[int, int, int],
        lengths: tuple[int, int, int],
        replicas: int,
        components: int,
        dtype: DTypeLike,
    ) -> ConvolutionFFT:
        with self.active():
            return CudaConvolutionFFT(self, cells, lengths, replicas * components, np.dtype(dtype))

    def convolution_fft_bytes(
        self,
        cells: tuple[int, int, int],
        lengths: tuple[int, int, int],
        replicas: int,
        components: int,
        dtype: DTypeLike,
    ) -> int:
        layout = ConvolutionLayout(cells, lengths, replicas * components)
        # cuFFT's two large work areas are at most as large as the data of a transform.
        size = layout.array_size + layout.padded_size + 4 * layout.spectrum_size
        return size * np.dtype(dtype).itemsize

    def empty(self, shape: int | Sequence[int], dtype: DTypeLike) -> DeviceArray:
        with self.active():
            return cupy.empty(shape, dtype)

    def zeros(self, shape: int | Sequence[int], dtype: DTypeLike) -> DeviceArray:
        with self.active():
            return cupy.zeros(shape, dtype)

    def write(self, array: DeviceArray, values: ArrayLike) -> None:
        host = np.ascontiguousarray(host_values(array, values), array.dtype)
        with self.active():
            array.set(host, self.stream)
            self.stream.synchronize()  # the copy reads the host's memory

    def read_into(self, array: DeviceArray, out: NDArray[Any]) -> None:
        with self.active():
            array.get(stream=self.stream, out=out)
            self.stream.synchronize()

    def synchronize(self) -> None:
        with self.active():
            self.stream.synchronize()

    def memory_free(self) -> int:
        pooled = cupy.get_default_memory_pool().free_bytes()
        return int(self.device.mem_info[0]) + int(pooled)

    def memory_total(self) -> int:
        return int(self.device.mem_info[1])

    def info(self) -> dict[str, str]:
        properties = runtime.getDeviceProperties(self.index)
        return {
            "device": properties["name"].decode(),
            "backend": "cuda",
            "arch": self.arch,
            "driver": _version(runtime.driverGetVersion()),
            "cuda": _version(runtime.runtimeGetVersion()),
            "compiler": "NVRTC {}.{}".format(*nvrtc.version()),
            "flags": " ".join(nvrtc.FLAGS),
            "cupy": cupy.__version__,
            "cufft": str(cufft_module().getVersion()),
            "numpy": np.__version__,
        }

    def close(self) -> None:
        self.synchronize()
        with self.active():
            cupy.get_default_memory_pool().free_all_blocks()


class CudaModule(Module):
    """A cubin loaded by the driver."""

    def __init__(self, backend: CudaBackend, source: Source, path: Path) -> None:
        super().__init__(source)
        self.backend = backend
        self.module = cupy.RawModule(path=os.fspath(path))

    def _kernel(self, signature: Signature) -> Kernel:
        return CudaKernel(self, signature)


class CudaKernel(Kernel):
    """A kernel's entry in a cubin."""

    def __init__(self, module: CudaModule, signature: Signature) -> None:
        super().__init__(signature, module.source.precision)
        self.backend = module.backend
        with self.backend.active():
            self.function = module.module.get_function(signature.name)

    def _bind(self, space: Space, values: list[Any]) -> Command:
        return CudaCommand(self, space, values)


class CudaCommand(Command):
    """A launch with its grid and its arguments."""

    def __init__(self, kernel: CudaKernel, space: Space, values: list[Any]) -> None:
        self.name = kernel.signature.name
        self.backend = kernel.backend
        self.function = kernel.function
        self.grid, block = space.grid
        self.block = (block,)
        for value in values:
            if value is not None and not isinstance(value, np.generic | cupy.ndarray):
                raise DeviceError(
                    f"kernel {self.name} on the GPU was given an array of another device",
                    value=type(value).__name__,
                )
        self.arguments = (
            *(np.int32(n) for n in space.ints),
            *(np.uint64(0) if v is None else v for v in values),
        )

    def launch(self) -> None:
        """Enqueue on the current stream."""
        self.function(self.grid, self.block, self.arguments)

    def run(self) -> None:
        with self.backend.active():
            self.launch()


class CudaProgram(Program):
    """A list of launches and callables, recorded once as a CUDA graph and replayed.

    The first run is made step by step, so that everything is loaded and planned before the capture.
    Callables are recorded too: what they enqueue is replayed, what they do on the host is not.
    """

    def __init__(self, backend: CudaBackend, steps: Sequence[Step]) -> None:
        self.backend = backend
        # Keeps arrays, modules and plans alive as long as the graph.
        self.calls = [_launcher(step) for step in steps]
        self.graph: Any = None
        self.warm = False

    def run(self, times: int = 1) -> None:
        with self.backend.active():
            for _ in range(times):
                if not self.warm or not self.backend.graphs:
                    self._enqueue()
                    self.warm = True
                else:
                    self.graph = self.graph or self._capture()
                    self.graph.launch(self.backend.stream)

    def _enqueue(self) -> None:
        for call in self.calls:
            call()

    def _capture(self) -> Any:
        stream = self.backend.stream
        stream.begin_capture()
        try:
            self._enqueue()
        finally:
            graph = stream.end_capture()
        return graph


def _launcher(step: Step) -> Callable[[], object]:
    if isinstance(step, CudaCommand):
        return step.launch
    if isinstance(step, Command):
        raise DeviceError(f"kernel {step.name} is bound to another device")
    return step


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"
