"""As much of CuPy as the CUDA backend uses, on the CPU: for machines without a GPU.

Arrays are NumPy arrays, kernels are the host builds of the same sources, cuFFT's advanced layout is
followed literally, and a stream that is being captured records instead of doing. So the CUDA
backend's own logic (arguments, grids, layouts, graphs) runs in every test run. Pointers are plain
addresses: what is read and written is what CUDA would be asked to read and write.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from micromag.backend.base import CELL_BLOCK, ITEM_BLOCK, Cells, Chunks, Items, Source
from micromag.backend.cpu import CpuBackend

sources_by_path: dict[str, Source] = {}
"""Which source a "cubin" was made of."""


class FakeArray(np.ndarray):
    """A NumPy array with CuPy's attributes."""

    @property
    def data(self) -> Any:
        return SimpleNamespace(ptr=self.ctypes.data)

    def set(self, values: np.ndarray, stream: Any) -> None:
        assert values.flags.c_contiguous and self.flags.c_contiguous
        assert values.dtype == self.dtype and values.shape == self.shape
        assert not stream.recording
        np.asarray(self)[...] = values

    def get(self, stream: Any, out: np.ndarray) -> None:
        assert out.dtype == self.dtype and out.shape == self.shape and not stream.recording
        out[...] = self


class Stream:
    """Runs at once what is enqueued, or records it during a capture."""

    current: Stream | None = None

    def __init__(self, non_blocking: bool = False) -> None:
        assert non_blocking
        self.recording = False
        self.record: list[Callable[[], object]] = []
        self.outer: list[Stream | None] = []

    def __enter__(self) -> None:
        self.outer.append(Stream.current)
        Stream.current = self

    def __exit__(self, *exc: object) -> None:
        Stream.current = self.outer.pop()

    @property
    def ptr(self) -> int:
        return id(self)

    def begin_capture(self) -> None:
        self.recording, self.record = True, []

    def end_capture(self) -> Graph:
        self.recording = False
        return Graph(self.record)

    def synchronize(self) -> None:
        assert not self.recording


class Graph:
    """What a capture recorded."""

    def __init__(self, calls: list[Callable[[], object]]) -> None:
        self.calls = calls

    def launch(self, stream: Stream) -> None:
        assert calls_are_allowed(stream)
        for call in self.calls:
            call()


def calls_are_allowed(stream: Stream) -> bool:
    return Stream.current is stream and not stream.recording


def enqueue(call: Callable[[], object]) -> None:
    stream = Stream.current
    assert stream is not None, "work outside of the backend's stream"
    if stream.recording:
        stream.record.append(call)
    else:
        call()


def at(pointer: int, dtype: Any, count: int) -> np.ndarray:
    """Return ``count`` elements of memory."""
    size = np.dtype(dtype).itemsize * count
    return np.frombuffer((ctypes.c_char * size).from_address(pointer), dtype)


def strided(
    pointer: int, dtype: Any, length: int, stride: int, dist: int, count: int
) -> np.ndarray:
    """Return lines [b, k] at ``pointer + (b * dist + k * stride)`` elements."""
    item = np.dtype(dtype).itemsize
    extent = (count - 1) * dist + (length - 1) * stride + 1
    base = at(pointer, dtype, extent)
    return np.lib.stride_tricks.as_strided(base, (count, length), (dist * item, stride * item))


class PlanNd:
    """A one-dimensional cuFFT plan with an advanced layout."""

    kinds: ClassVar = {"R2C": 1, "C2R": 2, "C2C": 3, "D2Z": 4, "Z2D": 5, "Z2Z": 6}

    def __init__(
        self, shape, inembed, istride, idist, onembed, ostride, odist, fft_type, batch, order,
        last_axis, last_size,
    ):  # fmt: skip
        assert not Stream.current.recording, "a plan is made during a capture"
        assert inembed is not None and onembed is not None and len(shape) == 1 and shape[0] > 1
        self.n, self.batch = shape[0], batch
        self.source, self.target = (istride, idist), (ostride, odist)
        self.kind = next(k for k, v in self.kinds.items() if v == fft_type)

    def fft(self, a: FakeArray, out: FakeArray, direction: int) -> None:
        double = self.kind in ("D2Z", "Z2D", "Z2Z")
        real, cplx = ("f8", "c16") if double else ("f4", "c8")
        n, half = self.n, self.n // 2 + 1
        kind = self.kind.replace("D", "R").replace("Z", "C") if double else self.kind
        first, last = {"R2C": ((real, n), (cplx, half)), "C2R": ((cplx, half), (real, n))}.get(
            kind, ((cplx, n), (cplx, n))
        )
        first = (real, n) if kind == "R2C" else first
        source, target = a.data.ptr, out.data.ptr

        def transform() -> None:
            x = strided(source, *first, *self.source, self.batch)
            y = strided(target, *last, *self.target, self.batch)
            if kind == "R2C":
                y[...] = np.fft.rfft(x)
            elif kind == "C2R":
                y[...] = np.fft.irfft(x, n) * n
            else:
                y[...] = np.fft.fft(x) if direction < 0 else np.fft.ifft(x) * n

        enqueue(transform)


class RawModule:
    """The host build of the source that the "cubin" was made of."""

    def __init__(self, path: str) -> None:
        (self.module,) = CpuBackend(1).compile([sources_by_path[path]])

    def get_function(self, name: str) -> Callable[..., None]:
        kernel = self.module.kernel(name)
        signature = kernel.signature
        space_class = {"CELLS": Cells, "CHUNKS": Chunks, "ITEMS": Items}[signature.space]

        def launch(grid: tuple[int, ...], block: tuple[int], arguments: tuple[Any, ...]) -> None:
            count = len(arguments) - len(signature.arguments)
            leading, rest = arguments[:count], arguments[count:]
            assert all(type(n) is np.int32 for n in leading)
            for argument, value in zip(signature.arguments, rest, strict=True):
                if not argument.pointer:  # CuPy passes NumPy scalars by their own type
                    assert value.dtype == argument.dtype(self.module.source.precision)
            space = space_class(*(int(n) for n in leading))
            covers(space, grid, block[0])
            values = [None if type(v) is np.uint64 else v for v in rest]
            values = [np.asarray(v) if isinstance(v, FakeArray) else v for v in values]
            enqueue(kernel.bind(space, *values).run)

        return launch


def covers(space: Cells | Chunks | Items, grid: tuple[int, ...], block: int) -> None:
    """Check that the grid has the threads that ``portable.h`` expects."""
    if isinstance(space, Items):
        assert block == ITEM_BLOCK and grid[0] * block >= space.count and grid[1] == 1
    elif isinstance(space, Chunks):
        assert block == CELL_BLOCK and grid == (space.nchunk, space.nrep)
    else:
        assert block == CELL_BLOCK and grid[1] == space.nrep
        assert grid[0] * block >= space.nx * space.ny * space.nz > (grid[0] - 1) * block


def memset(pointer: int, value: int, size: int, stream: int) -> None:
    assert stream == Stream.current.ptr
    enqueue(lambda: ctypes.memset(pointer, value, size))


def memcpy_2d(dst, dpitch, src, spitch, width, height, kind, stream):
    assert stream == Stream.current.ptr and kind == 3 and width <= min(dpitch, spitch)

    def copy() -> None:
        for row in range(height):
            ctypes.memmove(dst + row * dpitch, src + row * spitch, width)

    enqueue(copy)


class Device:
    compute_capability = "90"
    mem_info = (2**30, 2**31)

    def __init__(self, index: int) -> None:
        self.id = index

    def __enter__(self) -> None: ...
    def __exit__(self, *exc: object) -> None: ...


class CudaError(RuntimeError): ...


class OutOfMemoryError(MemoryError): ...


def empty(shape: Any, dtype: Any) -> FakeArray:
    assert Stream.current is not None and not Stream.current.recording
    if np.prod(np.array(shape, float)) * np.dtype(dtype).itemsize > 2**30:
        raise OutOfMemoryError("out of memory")
    return np.full(shape, 77, dtype).view(FakeArray)


def zeros(shape: Any, dtype: Any) -> FakeArray:
    array = empty(shape, dtype)
    np.asarray(array)[...] = 0
    return array


def install(monkeypatch: Any) -> None:
    """Make ``import cupy`` find this, and the CUDA backend be imported anew."""
    runtime = SimpleNamespace(
        CUDARuntimeError=CudaError,
        getDeviceCount=lambda: 1,
        getDeviceProperties=lambda index: {"name": b"Fake GPU"},
        driverGetVersion=lambda: 13010,
        runtimeGetVersion=lambda: 12060,
        memcpyDeviceToDevice=3,
        memcpy2DAsync=memcpy_2d,
        memsetAsync=memset,
    )
    cufft = ModuleType("cupy.cuda.cufft")
    vars(cufft).update(
        {f"CUFFT_{k}": v for k, v in PlanNd.kinds.items()},
        PlanNd=PlanNd,
        getVersion=lambda: 12000,
        CuFFTError=CudaError,
    )
    cuda = ModuleType("cupy.cuda")
    vars(cuda).update(
        runtime=runtime,
        cufft=cufft,
        driver=SimpleNamespace(CUDADriverError=CudaError),
        memory=SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
        Device=Device,
        Stream=Stream,
        get_current_stream=lambda: Stream.current,
    )
    cupy = ModuleType("cupy")
    pool = SimpleNamespace(free_bytes=lambda: 0, free_all_blocks=lambda: None)
    vars(cupy).update(
        cuda=cuda,
        ndarray=FakeArray,
        empty=empty,
        zeros=zeros,
        RawModule=RawModule,
        __version__="fake",
        get_default_memory_pool=lambda: pool,
    )
    for module in (cupy, cuda, cufft):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    # Imported anew with this in place, and forgotten again with it.
    for name in ("micromag.backend.cuda", "micromag.backend.cuda_fft"):
        monkeypatch.setitem(sys.modules, name, None)
        del sys.modules[name]
    from micromag.backend import nvrtc

    def cubins(sources: Sequence[Source], arch: str, monitor: Any) -> list[str]:
        assert arch == "sm_90"
        paths = [f"/cubin/{len(sources_by_path) + i}" for i in range(len(sources))]
        sources_by_path.update(zip(paths, sources, strict=True))
        return paths

    monkeypatch.setattr(nvrtc, "cubins", cubins)
