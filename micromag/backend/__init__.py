"""Devices: arrays, run-time compiled kernels, programs of launches, FFTs; on the CPU or a GPU."""

from __future__ import annotations

import re

from micromag.backend.base import (
    Backend,
    Cells,
    Chunks,
    Command,
    ConvolutionFFT,
    Items,
    Kernel,
    Module,
    Multiply,
    Program,
    Source,
    SpectrumBlock,
)
from micromag.errors import DeviceError

__all__ = [
    "Backend",
    "Cells",
    "Chunks",
    "Command",
    "ConvolutionFFT",
    "Items",
    "Kernel",
    "Module",
    "Multiply",
    "Program",
    "Source",
    "SpectrumBlock",
    "get_backend",
]


def get_backend(device: str = "auto", threads: int | None = None) -> Backend:
    """Return the backend of a device; ``backend.choice`` says which it is and why.

    Parameters
    ----------
    device
        "cpu", "cuda" (the first GPU), "cuda:1" (the second), or "auto": the first CUDA GPU that
        can be used, else the CPU.
    threads
        CPU threads, all that the process may use when None.

    Raises
    ------
    DeviceError
        There is no such device, or what it needs is not installed.
    """
    match = re.fullmatch(r"(auto|cpu|cuda)(?::(\d+))?", device)
    if match is None or (match[2] and match[1] != "cuda"):
        raise DeviceError(
            "no such device", value=device, allowed='"auto", "cpu", "cuda", "cuda:0", "cuda:1", ...'
        )
    if match[1] == "cpu":
        return _cpu(threads, "asked for")
    if match[1] == "cuda":
        return _cuda(int(match[2] or 0), "asked for")
    try:
        return _cuda(0, "the first CUDA device")
    except DeviceError as error:
        return _cpu(threads, error.what)


def _cuda(index: int, reason: str) -> Backend:
    try:
        from micromag.backend.cuda import CudaBackend
    except ImportError as error:
        raise DeviceError(
            "CuPy is not installed" if error.name == "cupy" else f"CuPy cannot be used ({error})",
            next_step="pip install 'micromag[cuda13]' (or cuda12), or use device: cpu",
        ) from error
    return CudaBackend(index, reason)


def _cpu(threads: int | None, reason: str) -> Backend:
    from micromag.backend.cpu import CpuBackend

    return CpuBackend(threads, reason)
