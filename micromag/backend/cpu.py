"""The CPU backend: kernels in shared libraries, launched from lists by a thread pool in C."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from micromag.backend.base import (
    Backend,
    Command,
    ConvolutionFFT,
    Kernel,
    Module,
    Program,
    Source,
    Space,
    Step,
    host_values,
)
from micromag.backend.builds import built
from micromag.backend.cache import kernel_cache
from micromag.backend.compiler import HostCompiler, cpu_name, host_compiler
from micromag.backend.fft_blocks import BlockedLayout
from micromag.backend.memory import host_memory_free, host_memory_total
from micromag.backend.signature import Signature, host_wrapper, parse_signatures
from micromag.backend.source import read_kernel_file
from micromag.errors import DeviceError

WORK_PER_THREAD = 8192
"""Cells (or items) below which another thread costs more than it gives."""
_CHUNKS_PER_THREAD = 4
_ALIGNMENT = 64
_ALWAYS_FITS = 2**26


class CpuBackend(Backend):
    """The processor that the program runs on.

    Parameters
    ----------
    threads
        Threads that share a launch, those that this process may use when None. The results do not
        depend on it.
    reason
        Why this device was taken, for the record.
    """

    kind = "cpu"

    def __init__(self, threads: int | None = None, reason: str = "asked for") -> None:
        self.threads = available_threads() if threads is None else threads
        if self.threads < 1:
            raise DeviceError("the number of threads must be positive", value=threads)
        plural = "s" if self.threads > 1 else ""
        self.choice = f"cpu ({reason}): {cpu_name()}, {self.threads} thread{plural}"

    def compile(self, sources: Sequence[Source]) -> list[Module]:
        compiler = host_compiler()
        # The pool, which launches them, is made along with the first of them.
        wanted = [(_with_wrappers(source), ()) for source in sources] + [_pool_source()]
        built([compiler.build(*item) for item in wanted], self.monitor)
        return [CpuModule(source, compiler, self.threads) for source in sources]

    def program(self, steps: Sequence[Step]) -> Program:
        return CpuProgram(steps)

    def repeat(self, steps: Sequence[Step], most: int, pending: NDArray[Any]) -> list[Step]:
        program = CpuProgram(steps)

        def until_done() -> None:
            for _ in range(most):
                if not pending.any():
                    return
                program.run()

        return [until_done]

    def convolution_fft(
        self,
        cells: tuple[int, int, int],
        lengths: tuple[int, int, int],
        replicas: int,
        components: int,
        dtype: DTypeLike,
    ) -> ConvolutionFFT:
        from micromag.backend.cpu_fft import CpuConvolutionFFT

        layout = self._blocked(cells, lengths, replicas, components, dtype)
        return CpuConvolutionFFT(self, layout, np.dtype(dtype))

    def convolution_fft_bytes(
        self,
        cells: tuple[int, int, int],
        lengths: tuple[int, int, int],
        replicas: int,
        components: int,
        dtype: DTypeLike,
    ) -> int:
        return self._blocked(cells, lengths, replicas, components, dtype).size

    def _blocked(
        self,
        cells: tuple[int, int, int],
        lengths: tuple[int, int, int],
        replicas: int,
        components: int,
        dtype: DTypeLike,
    ) -> BlockedLayout:
        itemsize = np.dtype(dtype).itemsize
        return BlockedLayout(cells, lengths, replicas, components, itemsize, self.threads)

    def empty(self, shape: int | Sequence[int], dtype: DTypeLike) -> NDArray[Any]:
        kind = np.dtype(dtype)
        extent = (shape,) if isinstance(shape, int) else tuple(shape)
        size = kind.itemsize
        for n in extent:  # Python integers: the product of an absurd mesh must not wrap around
            size *= int(n)
        try:
            # Linux hands out more than there is and kills the process that uses it.
            if size > _ALWAYS_FITS and size > self.memory_free():
                raise MemoryError
            raw = np.empty(size + _ALIGNMENT, np.uint8)
        except (MemoryError, ValueError) as error:
            raise DeviceError(
                "the simulation does not fit into memory",
                value=f"{size / 2**30:.1f} GiB asked for in one array",
                allowed=f"{self.memory_free() / 2**30:.1f} GiB are free",
                next_step="use fewer cells or replicas, or precision: single",
            ) from error
        start = -raw.ctypes.data % _ALIGNMENT
        return raw[start : start + size].view(kind).reshape(extent)

    def zeros(self, shape: int | Sequence[int], dtype: DTypeLike) -> NDArray[Any]:
        array = self.empty(shape, dtype)
        array.fill(0)
        return array

    def write(self, array: NDArray[Any], values: ArrayLike) -> None:
        np.copyto(array, host_values(array, values), casting="same_kind")

    def read_into(self, array: NDArray[Any], out: NDArray[Any]) -> None:
        np.copyto(out, array, casting="no")

    def synchronize(self) -> None:
        """Nothing runs behind the caller's back."""

    def memory_free(self) -> int:
        return host_memory_free()

    def memory_total(self) -> int:
        return host_memory_total()

    def info(self) -> dict[str, str]:
        compiler = host_compiler()
        return {
            "device": cpu_name(),
            "backend": "cpu",
            "threads": str(self.threads),
            "system": platform.platform(),
            "compiler": compiler.version,
            "flags": " ".join(compiler.flags),
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": version("scipy"),
        }

    def close(self) -> None:
        """The pool belongs to the process and its threads sleep when there is no work."""


class CpuModule(Module):
    """A shared library with one entry point per kernel."""

    def __init__(self, source: Source, compiler: HostCompiler, threads: int) -> None:
        super().__init__(source)
        self.threads = threads
        self.library = load_library(compiler, _with_wrappers(source))

    def _kernel(self, signature: Signature) -> Kernel:
        return CpuKernel(self, signature)


def _with_wrappers(source: Source) -> Source:
    """Return a source with an entry point for each of its kernels."""
    wrappers = "".join(host_wrapper(s) for s in parse_signatures(source.text).values())
    return Source(source.name, f"{source.text}\n{wrappers}", source.defines, source.precision)


class CpuKernel(Kernel):
    """A kernel's entry point."""

    def __init__(self, module: CpuModule, signature: Signature) -> None:
        super().__init__(signature, module.source.precision)
        self.module = module
        entry = getattr(module.library, f"{signature.name}_host")
        self.address = ctypes.cast(entry, ctypes.c_void_p).value or 0

    def _bind(self, space: Space, values: list[Any]) -> Command:
        return CpuCommand(self, space, values)


class CpuCommand(Command):
    """A launch as plain data: an entry point, an array of pointers, and how to cut the work."""

    def __init__(self, kernel: CpuKernel, space: Space, values: list[Any]) -> None:
        self.name = kernel.signature.name
        self.kernel = kernel
        scalars = [np.array(value, np.int32) for value in space.ints]
        self.values = [*scalars, *(_in_memory(self.name, v) for v in values)]
        pointers = [0 if v is None else v.ctypes.data for v in self.values]
        self.arguments = np.array(pointers, np.uintp)
        threads = min(kernel.module.threads, space.work // WORK_PER_THREAD, space.units)
        chunks = min(space.units, _CHUNKS_PER_THREAD * threads) if threads > 1 else 1
        self.entry = (
            kernel.address,
            self.arguments.ctypes.data,
            space.units,
            max(chunks, 1),
            max(threads, 1),
        )

    def run(self) -> None:
        CpuProgram([self]).run()

    def alone(self) -> Callable[[], None]:
        """Return what launches it in the calling thread only."""
        return LaunchList([self], alone=True).run


def _in_memory(kernel: str, value: Any) -> NDArray[Any] | None:
    if value is None or isinstance(value, np.ndarray):
        return value
    if isinstance(value, np.generic):
        return np.array(value)
    raise DeviceError(
        f"kernel {kernel} on the CPU was given an array of another device",
        value=type(value).__name__,
    )


class LaunchList:
    """Consecutive launches, run by one call into the pool, or ``alone`` by the calling thread."""

    def __init__(self, commands: list[CpuCommand], *, alone: bool = False) -> None:
        self.commands = commands  # keeps the arguments alive
        self.entries = np.array([c.entry for c in commands], np.int64)
        if alone:
            self.entries[:, 3:] = 1  # one chunk, one thread
        self.pool_run = _pool().pool_run
        self.address = self.entries.ctypes.data

    def run(self, times: int = 1) -> None:
        self.pool_run(self.address, len(self.entries), times)


class CpuProgram(Program):
    """Lists of launches with Python callables between them."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.parts: list[LaunchList | Callable[[], object]] = []
        for is_launch, group in groupby(steps, key=lambda s: isinstance(s, Command)):
            members: list[Any] = list(group)
            self.parts.extend([LaunchList(members)] if is_launch else members)

    def run(self, times: int = 1) -> None:
        if len(self.parts) == 1 and isinstance(self.parts[0], LaunchList):
            self.parts[0].run(times)
            return
        for _ in range(times):
            for part in self.parts:
                if isinstance(part, LaunchList):
                    part.run(1)
                else:
                    part()


def available_threads() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_library(compiler: HostCompiler, source: Source, extra: Sequence[str] = ()) -> ctypes.CDLL:
    """Compile or find ``source`` and load it; one that does not load is compiled once more."""
    path = compiler.library(source, extra)
    try:
        return ctypes.CDLL(os.fspath(path))
    except OSError:
        kernel_cache().drop(path)
    path = compiler.rebuild(source, extra)
    try:
        return ctypes.CDLL(os.fspath(path))
    except OSError as error:
        raise DeviceError(
            f"the compiled kernels '{source.name}' cannot be loaded",
            value=error,
            next_step="a folder mounted noexec does this: set MICROMAG_CACHE_DIR to another one",
        ) from error


def _pool_source() -> tuple[Source, tuple[str, ...]]:
    """Return the thread pool and what the compiler needs to know besides."""
    return Source("pool", read_kernel_file("host/pool.cpp")), ("-pthread",)


@cache
def _pool() -> ctypes.CDLL:
    """Return the thread pool, one per process."""
    library = load_library(host_compiler(), *_pool_source())
    library.pool_run.argtypes = [ctypes.c_void_p, ctypes.c_long, ctypes.c_long]
    library.pool_run.restype = None
    library.pool_workers.restype = ctypes.c_long
    return library
