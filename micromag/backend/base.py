"""What a backend offers: device arrays, compiled kernels, programs of launches, and FFTs.

The backend knows no physics. It is given source text, arrays and launch spaces.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from micromag.backend.builds import BuildMonitor
from micromag.backend.signature import Signature, parse_signatures

DeviceArray = Any
"""A NumPy array on the CPU, a CuPy array on a GPU."""

CELL_BLOCK = 256
"""Threads of a GPU block that works on cells or on a chunk of them."""
ITEM_BLOCK = 128
"""Threads of a GPU block that works on items."""


@dataclass(frozen=True)
class Cells:
    """One thread per cell and replica; the host's unit of work is an x-row."""

    nx: int
    ny: int
    nz: int
    nrep: int

    kind = "CELLS"

    @property
    def ints(self) -> tuple[int, ...]:
        """The leading arguments of the kernel."""
        return (self.nx, self.ny, self.nz, self.nrep)

    @property
    def units(self) -> int:
        """Number of pieces that the host may cut the work into."""
        return self.nrep * self.nz * self.ny

    @property
    def work(self) -> int:
        """Number of cells, the measure of the work."""
        return self.units * self.nx

    @property
    def grid(self) -> tuple[tuple[int, int], int]:
        """Blocks and threads per block on a GPU."""
        return (-(-self.nx * self.ny * self.nz // CELL_BLOCK), self.nrep), CELL_BLOCK


@dataclass(frozen=True)
class Chunks:
    """A fixed number of chunks of cells per replica, for sums whose order never changes."""

    nx: int
    ny: int
    nz: int
    nrep: int
    nchunk: int

    kind = "CHUNKS"

    @property
    def ints(self) -> tuple[int, ...]:
        """The leading arguments of the kernel."""
        return (self.nx, self.ny, self.nz, self.nrep, self.nchunk)

    @property
    def units(self) -> int:
        """Number of pieces that the host may cut the work into."""
        return self.nrep * self.nchunk

    @property
    def work(self) -> int:
        """Number of cells, the measure of the work."""
        return self.nx * self.ny * self.nz * self.nrep

    @property
    def grid(self) -> tuple[tuple[int, int], int]:
        """Blocks and threads per block on a GPU."""
        return (self.nchunk, self.nrep), CELL_BLOCK


@dataclass(frozen=True)
class Items:
    """``count`` independent items."""

    count: int

    kind = "ITEMS"

    @property
    def ints(self) -> tuple[int, ...]:
        """The leading argument of the kernel."""
        return (self.count,)

    @property
    def units(self) -> int:
        """Number of pieces that the host may cut the work into."""
        return self.count

    @property
    def work(self) -> int:
        """Number of items, the measure of the work."""
        return self.count

    @property
    def grid(self) -> tuple[tuple[int, int], int]:
        """Blocks and threads per block on a GPU."""
        return (-(-self.count // ITEM_BLOCK), 1), ITEM_BLOCK


Space = Cells | Chunks | Items


@dataclass(frozen=True)
class Source:
    """One translation unit: self-contained text, macro definitions and what ``real`` means.

    ``precision`` is "single" or "double"; "double" defines ``PRECISION_DOUBLE``.
    """

    name: str
    text: str
    defines: Mapping[str, str | int | None] = field(default_factory=dict)
    precision: str = "single"

    def __post_init__(self) -> None:
        if self.precision not in ("single", "double"):
            raise ValueError(f"precision is {self.precision!r}, expected 'single' or 'double'")

    @property
    def macros(self) -> dict[str, str | None]:
        """All definitions, sorted by name; ``None`` is a macro without a value."""
        merged = {k: None if v is None else str(v) for k, v in self.defines.items()}
        if self.precision == "double":
            merged["PRECISION_DOUBLE"] = None
        return dict(sorted(merged.items()))

    @property
    def macro_flags(self) -> list[str]:
        """The definitions as compiler options."""
        return [f"-D{k}" if v is None else f"-D{k}={v}" for k, v in self.macros.items()]


class Command(ABC):
    """A kernel bound to a launch space and arguments."""

    name: str

    @abstractmethod
    def run(self) -> None:
        """Launch at once, outside of any program."""


Step = Command | Callable[[], object]
"""What a program is made of."""


class Program(ABC):
    """A list of commands and callables, run in order as often as wanted."""

    @abstractmethod
    def run(self, times: int = 1) -> None:
        """Run the whole list ``times`` times. Asynchronous on a GPU."""


class Kernel(ABC):
    """A compiled kernel."""

    def __init__(self, signature: Signature, precision: str) -> None:
        self.signature = signature
        self.precision = precision

    def bind(self, space: Space, *args: Any) -> Command:
        """Return a launch over ``space`` with ``args`` checked and converted to the kernel's types.

        The command keeps the arrays alive. Raises TypeError or ValueError where an argument does
        not fit, and DeviceError where an array lives on another device.
        """
        if space.kind != self.signature.space:
            raise TypeError(
                f"kernel {self.signature.name} runs over {self.signature.space}, not {space.kind}"
            )
        if space.work < 1 or space.units < 1 or max(space.ints) > np.iinfo(np.int32).max:
            raise ValueError(f"kernel {self.signature.name}: impossible launch space {space}")
        return self._bind(space, self.signature.convert(args, self.precision))

    @abstractmethod
    def _bind(self, space: Space, values: list[Any]) -> Command: ...


class Module(ABC):
    """A compiled translation unit."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.signatures = parse_signatures(source.text)

    def kernel(self, name: str) -> Kernel:
        """Return the kernel ``name``; raises KeyError when the source declares none."""
        if name not in self.signatures:
            known = ", ".join(sorted(self.signatures))
            raise KeyError(f"{self.source.name} has no kernel {name}, only {known}")
        return self._kernel(self.signatures[name])

    @abstractmethod
    def _kernel(self, signature: Signature) -> Kernel: ...


@dataclass(frozen=True)
class SpectrumBlock:
    """A part of the spectrum: contiguous ``values`` of shape (Lz, rows, fields, columns), complex.

    ``fields`` are the components of some replicas. The first column is the frequency ``x``; the
    first row is the frequency that ``y``, an array of one int32, holds when the launch runs.
    """

    values: DeviceArray
    x: int
    y: DeviceArray


Multiply = Callable[[SpectrumBlock], Command]
"""Returns the launch that multiplies a part of the spectrum in place."""


class ConvolutionFFT(ABC):
    """Convolutions by transforms of a zero-padded grid that skip the lines of zeros.

    ``real_in``, ``real_out``: shape (nz, ny, replicas * components, nx), real. The transforms are
    unnormalised: forth and back together multiply by Lx Ly Lz. The arrays stay where they are.
    """

    real_in: DeviceArray
    real_out: DeviceArray

    @abstractmethod
    def steps(self, multiply: Multiply) -> list[Step]:
        """Return the steps from ``real_in`` to ``real_out``.

        They transform ``real_in``, padded with zeros, multiply the spectrum, transform back and keep
        what lies in the cells. ``multiply`` is asked for every part that the spectrum is cut into;
        the parts of different replicas may share their memory.
        """


class Backend(ABC):
    """A device with its arrays, kernels, programs and transforms."""

    kind: str
    """"cpu" or "cuda"."""
    choice: str
    """Which device this is and why it was taken, as a sentence."""
    monitor: BuildMonitor = BuildMonitor()
    """Who is told when kernels are compiled, and may end it."""

    @abstractmethod
    def compile(self, sources: Sequence[Source]) -> list[Module]:
        """Compile in parallel, through the cache on disk.

        Raises DeviceError with the compiler's first complaints, Interrupted if `monitor` asks for it.
        """

    @abstractmethod
    def program(self, steps: Sequence[Step]) -> Program:
        """Return the steps as one program. Callables must not synchronise the device."""

    def repeat(self, steps: Sequence[Step], most: int, pending: DeviceArray) -> list[Step]:
        """Return steps that run ``steps`` until ``pending`` is 0 everywhere, ``most`` times at most.

        The steps must do nothing then: a device that the host does not wait for runs them all.
        """
        return [*steps] * most

    @abstractmethod
    def convolution_fft(
        self,
        cells: tuple[int, int, int],
        lengths: tuple[int, int, int],
        replicas: int,
        components: int,
        dtype: DTypeLike,
    ) -> ConvolutionFFT:
        """Return the transforms of real fields of (nx, ny, nz) cells.

        There are ``components`` of them per replica. They are padded to ``lengths`` = (Lx, Ly, Lz);
        ``dtype`` is float32 or float64.
        """

    @abstractmethod
    def convolution_fft_bytes(
        self,
        cells: tuple[int, int, int],
        lengths: tuple[int, int, int],
        replicas: int,
        components: int,
        dtype: DTypeLike,
    ) -> int:
        """Return the memory that ``convolution_fft`` takes, work areas included [bytes]."""

    @abstractmethod
    def empty(self, shape: int | Sequence[int], dtype: DTypeLike) -> DeviceArray:
        """Return an uninitialised device array; raises DeviceError when it does not fit."""

    @abstractmethod
    def zeros(self, shape: int | Sequence[int], dtype: DTypeLike) -> DeviceArray:
        """Return a device array of zeros; raises DeviceError when it does not fit."""

    def upload(self, array: ArrayLike) -> DeviceArray:
        """Return a device copy of a host array."""
        host = np.asarray(array)
        target = self.empty(host.shape, host.dtype)
        self.write(target, host)
        return target

    def download(self, array: DeviceArray) -> NDArray[Any]:
        """Return a host copy of a device array, after all that was enqueued before."""
        host = np.empty(array.shape, array.dtype)
        self.read_into(array, host)
        return host

    @abstractmethod
    def write(self, array: DeviceArray, values: ArrayLike) -> None:
        """Overwrite a device array in place, after all that was enqueued before.

        ``values`` may be changed as soon as this returns.
        """

    @abstractmethod
    def read_into(self, array: DeviceArray, out: NDArray[Any]) -> None:
        """Copy a device array into a host array, after all that was enqueued before."""

    @abstractmethod
    def synchronize(self) -> None:
        """Wait until all enqueued work is done."""

    @abstractmethod
    def memory_free(self) -> int:
        """Memory that new arrays can take [bytes]."""

    @abstractmethod
    def memory_total(self) -> int:
        """Memory of the device [bytes]."""

    @abstractmethod
    def info(self) -> dict[str, str]:
        """Device, driver, compiler, flags and library versions, for the record."""

    @abstractmethod
    def close(self) -> None:
        """Release what the backend holds; arrays and programs must not be used afterwards."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def host_values(array: DeviceArray, values: ArrayLike) -> NDArray[Any]:
    """Return ``values`` in the shape of ``array``; raises TypeError where its type loses them."""
    host = np.asarray(values)
    if not np.can_cast(host.dtype, array.dtype, "same_kind"):
        raise TypeError(
            f"values of type {host.dtype} cannot be written to an array of {array.dtype}"
        )
    return np.broadcast_to(host, array.shape)
