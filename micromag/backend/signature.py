"""The kernels' argument types, read from the kernel source itself.

A kernel is declared ``KERNEL name(SPACE, type arg, ...)`` with SPACE one of CELLS, CHUNKS, ITEMS
(``kernels/portable.h``). The declaration is the only place where argument types live: both backends
check and convert what Python passes against it, and the host's entry points are generated from it.
"""

from __future__ import annotations

import numbers
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

SPACES = {"CELLS": 4, "CHUNKS": 5, "ITEMS": 1}
"""Launch spaces and the number of leading ``int`` arguments that each stands for."""

_DTYPES: dict[str, np.dtype[Any]] = {
    "float": np.dtype(np.float32),
    "double": np.dtype(np.float64),
    "char": np.dtype(np.int8),
    "unsigned char": np.dtype(np.uint8),
    "short": np.dtype(np.int16),
    "unsigned short": np.dtype(np.uint16),
    "int": np.dtype(np.int32),
    "unsigned": np.dtype(np.uint32),
    "unsigned int": np.dtype(np.uint32),
    "long long": np.dtype(np.int64),
    "unsigned long long": np.dtype(np.uint64),
}
_COMPLEX = {
    np.dtype(np.complex64): np.dtype(np.float32),
    np.dtype(np.complex128): np.dtype(np.float64),
}
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*$", re.MULTILINE)
_HEAD = re.compile(r"\bKERNEL\s+(\w+)\s*\(")


@dataclass(frozen=True)
class Argument:
    """One argument of a kernel: its name, C type without qualifiers, and how it is passed."""

    name: str
    ctype: str
    pointer: bool = False
    const: bool = False

    def dtype(self, precision: str) -> np.dtype[Any]:
        """Return the element type, where ``real`` is float32 or float64 by ``precision``."""
        if self.ctype == "real":
            return np.dtype(np.float64 if precision == "double" else np.float32)
        return _DTYPES[self.ctype]


@dataclass(frozen=True)
class Signature:
    """A kernel's name, launch space and the arguments after it."""

    name: str
    space: str
    arguments: tuple[Argument, ...]

    def convert(self, args: Sequence[Any], precision: str) -> list[Any]:
        """Check ``args`` and turn scalars into NumPy scalars of the kernel's types.

        Arrays are returned as they are, ``None`` for a pointer stays ``None`` (a null pointer).
        Raises TypeError or ValueError with the kernel's and the argument's name.
        """
        if len(args) != len(self.arguments):
            names = ", ".join(a.name for a in self.arguments)
            raise TypeError(
                f"kernel {self.name} takes {len(self.arguments)} arguments after its launch space "
                f"({names}), got {len(args)}"
            )
        return [self._convert(a, v, precision) for a, v in zip(self.arguments, args, strict=True)]

    def _convert(self, argument: Argument, value: Any, precision: str) -> Any:
        where = f"kernel {self.name}, argument {argument.name}"
        wanted = argument.dtype(precision)
        if not argument.pointer:
            return _scalar(value, wanted, where)
        if value is None:
            return None
        found = getattr(value, "dtype", None)
        if found is None or not hasattr(value, "flags"):
            raise TypeError(f"{where}: expected an array of {wanted}, got {type(value).__name__}")
        if _COMPLEX.get(found, found) != wanted:
            raise TypeError(f"{where}: expected an array of {wanted}, got one of {found}")
        if not value.flags.c_contiguous:
            raise ValueError(f"{where}: the array is not contiguous")
        if not argument.const and not getattr(value.flags, "writeable", True):
            raise ValueError(f"{where}: the array is read-only")
        return value


def _scalar(value: Any, wanted: np.dtype[Any], where: str) -> Any:
    """Convert a number, refusing what would lose its meaning (a fraction to int, an overflow)."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    allowed = numbers.Integral if wanted.kind in "iu" else numbers.Real
    if isinstance(value, bool | np.bool_) or not isinstance(value, allowed):
        raise TypeError(f"{where}: expected {wanted}, got {value!r} ({type(value).__name__})")
    if isinstance(value, numbers.Integral) and wanted.kind in "iu":
        limits = np.iinfo(wanted)
        if not limits.min <= int(value) <= limits.max:
            raise ValueError(f"{where}: {value} does not fit {wanted}")
    return wanted.type(value)


def parse_signatures(text: str) -> dict[str, Signature]:
    """Return the kernels declared in ``text`` by name.

    Declarations must not depend on the preprocessor: the text has to be specialised before.
    Raises ValueError on a declaration that is not understood.
    """
    code = _DIRECTIVE.sub("#", _COMMENT.sub(" ", text))
    found: dict[str, Signature] = {}
    for head in _HEAD.finditer(code):
        name = head[1]
        end = code.find(")", head.end())
        inside = code[head.end() : end]
        if end < 0 or "(" in inside or "#" in inside:
            raise ValueError(f"kernel {name}: its argument list is not a plain list of arguments")
        if name in found:
            raise ValueError(f"kernel {name} is declared twice")
        found[name] = _parse(name, [part.strip() for part in inside.split(",")])
    return found


def _parse(name: str, parts: list[str]) -> Signature:
    if parts[0] not in SPACES:
        raise ValueError(
            f"kernel {name}: the first argument is {parts[0]!r}, not one of {', '.join(SPACES)}"
        )
    return Signature(name, parts[0], tuple(_parse_argument(name, part) for part in parts[1:]))


def _parse_argument(kernel: str, text: str) -> Argument:
    words = re.sub(r"\*", " * ", text).split()
    const = "const" in words
    pointer = words.count("*")
    kept = [w for w in words if w not in ("const", "*", "RESTRICT", "__restrict__")]
    ctype, name = " ".join(kept[:-1]), kept[-1] if kept else ""
    if pointer > 1 or not name or (ctype != "real" and ctype not in _DTYPES):
        known = ", ".join(["real", *_DTYPES])
        raise ValueError(f"kernel {kernel}: argument {text!r} is not one of the types {known}")
    return Argument(name, ctype, pointer == 1, const)


def host_wrapper(signature: Signature) -> str:
    """Return the C source of ``<name>_host(lo, hi, a)``, which unpacks an array of pointers.

    A pointer argument is the element itself, a scalar is what the element points to; so a bound
    launch is plain data and the thread pool can run a list of them without Python.
    """
    count = SPACES[signature.space]
    values = [f"*(const int*)a[{i}]" for i in range(count)]
    for i, argument in enumerate(signature.arguments, start=count):
        qualified = f"const {argument.ctype}" if argument.const else argument.ctype
        values.append(
            f"({qualified}*)a[{i}]" if argument.pointer else f"*(const {argument.ctype}*)a[{i}]"
        )
    return (
        f'extern "C" __attribute__((visibility("default")))\n'
        f"void {signature.name}_host(long lo, long hi, void* const* a) {{\n"
        f"  {signature.name}(lo, hi, {', '.join(values)});\n}}\n"
    )
