"""CUDA C++ text to cubin through NVRTC: the one compile path of the GPU kernels.

It needs the NVRTC library and no driver, so a machine without a GPU compiles what a GPU runs, byte
for byte. The library is called through its C interface, which has been stable since CUDA 11.1; so
nothing but NVIDIA's wheel (or a CUDA toolkit) has to be installed.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from threading import Event

from micromag.backend.base import Source
from micromag.backend.builds import Build, BuildMonitor, built, interrupted
from micromag.backend.cache import content_key
from micromag.backend.compiler import compile_error
from micromag.errors import DeviceError

FLAGS = (
    "-std=c++17",
    # Denormals of single precision are flushed, as CuPy's own kernels do; the CPU keeps them.
    "-ftz=true",
    # Functions without an annotation, lambdas among them, belong to the device.
    "--device-as-default-execution-space",
)
"""Options of every build."""
_FLOW = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
"""What NVRTC asks now and then while it compiles; 1 makes it give up."""


def cubins(sources: Sequence[Source], arch: str, monitor: BuildMonitor | None = None) -> list[Path]:
    """Return the cubin file of each source for ``arch`` ("sm_90"), compiled in parallel or cached.

    Raises
    ------
    DeviceError
        NVRTC is not installed, does not know ``arch``, or refuses the text.
    Interrupted
        ``monitor.stop`` became true.
    """
    return built([_build(source, arch) for source in sources], monitor or BuildMonitor())


def cubin(source: Source, arch: str) -> Path:
    """Return the cubin file of ``source`` for ``arch``, compiled or cached."""
    return cubins([source], arch)[0]


def _build(source: Source, arch: str) -> Build:
    options = _options(source, arch)
    key = content_key(text=source.text, options=options, compiler=["nvrtc", *version()])

    def make(given_up: Event, folder: Path) -> Path:
        made = folder / f"{source.name}.cubin"
        made.write_bytes(compile_cubin(source, arch, given_up))
        return made

    return Build(key, ".cubin", make)


def version() -> tuple[int, int]:
    """Return NVRTC's version; raises DeviceError where it is not installed."""
    major, minor = ctypes.c_int(), ctypes.c_int()
    _check(_library().nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)))
    return major.value, minor.value


def _options(source: Source, arch: str) -> list[str]:
    return [*FLAGS, f"-arch={arch}", *source.macro_flags]


def compile_cubin(source: Source, arch: str, given_up: Event | None = None) -> bytes:
    """Return the cubin of ``source`` for ``arch``, past the cache; raises as `cubins`."""
    options = _options(source, arch)
    library = _library()
    program = ctypes.c_void_p()
    name = f"{source.name}.cu".encode()
    _check(
        library.nvrtcCreateProgram(ctypes.byref(program), source.text.encode(), name, 0, None, None)
    )
    # It must live as long as the compilation.
    callback = _FLOW(lambda *_: int(given_up is not None and given_up.is_set()))
    try:
        if hasattr(library, "nvrtcSetFlowCallback"):  # since CUDA 12.8; older ones go on to the end
            _check(library.nvrtcSetFlowCallback(program, callback, None))
        encoded = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
        status = library.nvrtcCompileProgram(program, len(options), encoded)
        if given_up is not None and given_up.is_set():
            raise interrupted()
        if status:
            log = _read(program, "ProgramLog").decode(errors="replace").rstrip("\0")
            raise compile_error(
                source.name,
                "NVRTC {}.{}".format(*version()),
                log or _message(status),
                "a GPU newer than NVRTC needs a newer nvidia-cuda-nvrtc; "
                "otherwise this is a bug in the kernel source",
            )
        return _read(program, "CUBIN")
    finally:
        library.nvrtcDestroyProgram(ctypes.byref(program))


def _read(program: ctypes.c_void_p, what: str) -> bytes:
    """Return one of the program's outputs by NVRTC's pair of a size and a copy function."""
    library = _library()
    size = ctypes.c_size_t()
    _check(getattr(library, f"nvrtcGet{what}Size")(program, ctypes.byref(size)))
    buffer = ctypes.create_string_buffer(size.value)
    _check(getattr(library, f"nvrtcGet{what}")(program, buffer))
    return buffer.raw


def _check(status: int) -> None:
    if status:
        raise DeviceError("NVRTC failed", value=_message(status))


def _message(status: int) -> str:
    function = _library().nvrtcGetErrorString
    function.restype = ctypes.c_char_p
    text: bytes = function(status)
    return text.decode()


@cache
def _library() -> ctypes.CDLL:
    problems = []
    for candidate in _candidates():
        try:
            return ctypes.CDLL(candidate)
        except OSError as error:
            problems.append(str(error))
    raise DeviceError(
        "NVRTC, which compiles the GPU kernels, is not installed",
        next_step="pip install 'micromag[cuda13]' (or cuda12), or set CUDA_PATH to a CUDA toolkit",
    )


def _candidates() -> Iterator[str]:
    """NVIDIA's wheels (CUDA 13, then 12), a toolkit, and whatever the loader finds."""
    for folder in sys.path:
        for wheel in ("nvidia/cu13/lib", "nvidia/cuda_nvrtc/lib"):
            yield from _libraries(Path(folder or ".") / wheel)
    for variable in ("CUDA_PATH", "CUDA_HOME"):
        if os.environ.get(variable):
            yield from _libraries(Path(os.environ[variable]) / "lib64")
    yield from ("libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so")
    yield from _libraries(Path("/usr/local/cuda/lib64"))


def _libraries(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("libnvrtc.so*"), key=lambda p: len(p.name)):
        yield str(path)
