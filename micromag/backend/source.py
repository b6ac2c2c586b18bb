"""Reads kernel sources and makes them one self-contained text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

_INCLUDE = re.compile(r'^[ \t]*#include "([^"]+)"[ \t]*$', re.MULTILINE)


def kernel_root() -> Traversable:
    """Return the folder ``kernels``: inside the installed package, or beside it in a checkout."""
    packaged = resources.files("micromag") / "kernels"
    if packaged.is_dir():
        return packaged
    return Path(__file__).resolve().parents[2] / "kernels"


@cache
def read_kernel_file(name: str) -> str:
    """Return the text of ``kernels/<name>``; raises FileNotFoundError."""
    return kernel_root().joinpath(name).read_text(encoding="utf-8")


@cache
def enumerators(file: str, name: str) -> list[str]:
    """Return the names in ``enum <name>`` of ``kernels/<file>``, in their order."""
    body = re.search(rf"enum {name} \{{(.*?)\}}", read_kernel_file(file), re.DOTALL)
    assert body is not None, f"kernels/{file} has no enum {name}"
    text = re.sub(r"//[^\n]*", "", body[1])
    return [item.strip() for item in text.split(",") if item.strip()]


def has_kernel_file(name: str) -> bool:
    """Return whether ``kernels/<name>`` exists."""
    return kernel_root().joinpath(name).is_file()


def assemble(name: str, *, prefix: str = "", generated: Mapping[str, str] | None = None) -> str:
    """Return ``kernels/<name>`` with every ``#include "..."`` replaced by that file's text, once.

    Parameters
    ----------
    name
        File to start from, e.g. ``"llg.cu"``.
    prefix
        Text before everything else (definitions that the headers look at).
    generated
        Files that exist only for this run, by the name under which they are included.
    """
    seen: set[str] = set()
    virtual = generated or {}

    def expand(text: str) -> str:
        def replace(match: re.Match[str]) -> str:
            target = match[1]
            if target in seen:
                return ""
            seen.add(target)
            body = virtual[target] if target in virtual else read_kernel_file(target)
            return expand(body.replace("#pragma once\n", ""))

        return _INCLUDE.sub(replace, text)

    return prefix + expand(read_kernel_file(name))
