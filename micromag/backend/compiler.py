"""The host's C++ compiler: finding one, its flags, turning source text into a shared library."""

from __future__ import annotations

import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from threading import Event

from micromag.backend.base import Source
from micromag.backend.builds import Build, BuildMonitor, built, run_compiler
from micromag.backend.cache import content_key, kernel_cache
from micromag.errors import DeviceError

_REMEDY = (
    "install a C++ compiler (pip install 'micromag[compiler]', or apt install g++), "
    "or name one in the environment variable CXX"
)
_TARGET = "-mcpu=native" if platform.machine() in ("aarch64", "arm64") else "-march=native"
# No -ffast-math: it gains nothing here and its start-up code changes the process's rounding of
# denormals. Contraction to FMA is what NVRTC does by default too.
_FLAGS = (
    "-std=c++17",
    "-O3",
    _TARGET,
    "-fno-math-errno",
    "-fno-trapping-math",
    "-ffp-contract=fast",
    "-fno-exceptions",
    "-fno-rtti",
    "-fvisibility=hidden",
    "-shared",
    "-fPIC",
)
# g++ keeps a struct of parameters whole beyond some 100 bytes, and does not vectorise what reads it.
_SPLIT_STRUCTS = "--param=sra-max-scalarization-size-Ospeed=65536"


@dataclass(frozen=True)
class HostCompiler:
    """A C++ compiler driver: the command, its version line and its family (gcc, clang, zig)."""

    command: tuple[str, ...]
    version: str
    family: str

    @property
    def flags(self) -> tuple[str, ...]:
        """The options of every build."""
        if self.family == "gcc":
            return (*_FLAGS, _SPLIT_STRUCTS)
        # The kernels need headers only; linking zig's libc++ would cost a minute at first use.
        extra = ("-fno-sanitize=undefined",) if self.family == "zig" else ()
        return (*_FLAGS, "-nostdlib++", *extra)

    def library(self, source: Source, extra: Sequence[str] = ()) -> Path:
        """Return the shared library of ``source`` from the cache, compiling it where it is missing.

        Raises DeviceError with the compiler's first complaints.
        """
        return built([self.build(source, extra)], BuildMonitor())[0]

    def build(self, source: Source, extra: Sequence[str] = ()) -> Build:
        """Return how the shared library of ``source`` is made, and its place in the cache."""
        key = self.key(source, extra)
        return Build(key, ".so", lambda gone, folder: self._compile(source, extra, folder, gone))

    def rebuild(self, source: Source, extra: Sequence[str] = ()) -> Path:
        """Compile ``source`` whatever the cache holds."""
        build = self.build(source, extra)
        return kernel_cache().build(build.key, build.suffix, partial(build.make, Event()))

    def key(self, source: Source, extra: Sequence[str] = ()) -> str:
        """Return the cache key: all that decides what the library will be."""
        return content_key(
            text=source.text,
            macros=source.macros,
            flags=[*self.flags, *extra],
            compiler=[*self.command, self.version],
            cpu=cpu_identity(),
        )

    def _compile(self, source: Source, extra: Sequence[str], folder: Path, given_up: Event) -> Path:
        text, made = folder / f"{source.name}.cpp", folder / f"{source.name}.so"
        text.write_text(source.text, encoding="utf-8")
        command = [
            *self.command, *self.flags, *source.macro_flags, text.name, "-o", made.name, *extra,
        ]  # fmt: skip
        # In its folder, because zig puts a cache where it runs.
        status, log = run_compiler(command, folder, given_up)
        if status or not made.exists():
            raise compile_error(
                source.name,
                " ".join(self.command),
                log,
                "if the compiler is broken or too old (C++17 is needed), name another in CXX; "
                "otherwise this is a bug in the kernel source",
            )
        return made


def compile_error(name: str, compiler: str, log: str, next_step: str) -> DeviceError:
    """Return the error that shows the first complaints of a compiler's ``log``."""
    lines = [line.rstrip() for line in log.splitlines() if line.strip()]
    start = next((i for i, line in enumerate(lines) if "error" in line.lower()), 0)
    shown = "\n           ".join(lines[start : start + 8]) or "(it printed nothing)"
    return DeviceError(
        f"{compiler} cannot compile the kernels '{name}'", value=shown, next_step=next_step
    )


def host_compiler() -> HostCompiler:
    """Return the compiler to use: $CXX, else c++, g++, clang++ (also versioned), else zig.

    Raises DeviceError naming the remedy where there is none.
    """
    return _find(os.environ.get("CXX", ""), os.environ.get("PATH", ""))


@cache
def _find(chosen: str, path: str) -> HostCompiler:
    if chosen:
        found = _identify(tuple(shlex.split(chosen)))
        if found is None:
            raise DeviceError(
                "the compiler named by the environment variable CXX does not run",
                value=chosen,
                next_step="correct CXX or unset it",
            )
        return found
    for command in _candidates(path):
        found = _identify(command)
        if found is not None:
            return found
    raise DeviceError("no C++ compiler found to build the kernels with", next_step=_REMEDY)


def _candidates(path: str) -> Iterator[tuple[str, ...]]:
    for name in ("c++", "g++", "clang++"):
        yield (name,)
    for stem in ("g++", "clang++"):
        versioned = {
            entry.name
            for folder in path.split(os.pathsep)
            if folder
            for entry in Path(folder).glob(f"{stem}-[0-9]*")
        }
        for name in sorted(versioned, key=lambda n: (len(n), n), reverse=True):
            yield (name,)
    if importlib.util.find_spec("ziglang") is not None:
        yield (sys.executable, "-m", "ziglang", "c++")


def _identify(command: tuple[str, ...]) -> HostCompiler | None:
    """Return the compiler behind ``command``, or None where it does not run."""
    if not command or shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(
            [*command, "--version"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode or not done.stdout.strip():
        return None
    family = "gcc"
    if "clang" in done.stdout.lower():
        family = "zig" if any("zig" in Path(word).name for word in command) else "clang"
    return HostCompiler(command, done.stdout.splitlines()[0].strip(), family)


@cache
def cpu_identity() -> str:
    """Return what -march=native depends on: the processor's model and instruction sets."""
    wanted = ("model name", "flags", "Features", "CPU part", "CPU implementer")
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    first = text.split("\n\n", 1)[0].splitlines()
    kept = [line for line in first if line.partition(":")[0].strip() in wanted]
    return f"{platform.machine()} " + " ".join(" ".join(line.split()) for line in kept)


@cache
def cpu_name() -> str:
    """Return the processor's name."""
    for part in cpu_identity().split("model name : ")[1:]:
        return part.partition(" flags")[0]
    return platform.processor() or platform.machine()
