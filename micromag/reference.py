"""What may stand in a run file, as text: every name with its meaning, and the whole text of one."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator

from micromag.analysis import ANALYSES
from micromag.errors import ConfigError
from micromag.excitation import WAVEFORMS
from micromag.geometry import SHAPES
from micromag.initial import RECIPES
from micromag.observables import OBSERVABLES
from micromag.registry import Registry
from micromag.suggest import did_you_mean
from micromag.terms import TERMS

_KINDS = (
    ("energy", ("energy", "noise")),
    ("torques", ("torque",)),
)
_SIGNS = {"cdot": ".", "dots": "...", "setminus": "without", "cap": "and", "cup": "or"}
_PLAIN: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r":[a-z]+:`([^`]*)`"), r"\1"),
    (re.compile(r"``"), ""),
    (re.compile(r"\\(?:mathbf|text)\{(\w+)\}"), r"\1"),
    (re.compile(r"\\le\b"), "<="),
    (re.compile(r"\\(?:cdot|dots|setminus|cap|cup)\b"), lambda m: _SIGNS[m[0][1:]]),
    (re.compile(r"\\[,;|]"), lambda m: "|" if m[0] == "\\|" else " "),
    (re.compile(r"\\([A-Za-z]+)"), r"\1"),
)
"""What makes a docstring's sentence plain text."""
_WIDTH = 20


def _parts() -> Iterator[tuple[str, Registry[object], list[str]]]:
    """Yield each part of the run file, with its classes and their keys."""
    for section, kinds in _KINDS:
        keys = [key for key in TERMS.keys() if TERMS.get(key).kind in kinds]
        yield section, TERMS, keys  # type: ignore[misc]
    for section, registry in (
        ("geometry, regions", SHAPES),
        ("initial", RECIPES),
        ("waveform", WAVEFORMS),
        ("output.table.columns", OBSERVABLES),
        ("analysis", ANALYSES),
    ):
        yield section, registry, list(registry.keys())  # type: ignore[misc]


def _names(section: str, key: str) -> tuple[str, ...]:
    """Return what the run file calls a class: its key, or of an observable its columns."""
    return OBSERVABLES.get(key).names if section == "output.table.columns" else (key,)


def _first_sentence(cls: type) -> str:
    text = " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())
    for pattern, plain in _PLAIN:
        text = pattern.sub(plain, text)
    return text


def overview() -> str:
    """Return every name that the run file knows, by section, each with a line of meaning."""
    lines = []
    for section, registry, keys in _parts():
        lines.append(f"{section}:")
        for key in keys:
            names = ", ".join(_names(section, key))
            if len(names) > _WIDTH:
                lines.append(f"  {names}")
                names = ""
            lines.append(f"  {names:<{_WIDTH}}  {_first_sentence(registry.get(key))}")
        lines.append("")
    lines.append("micromag describe NAME tells all of one: equation, keys, units, source.")
    return "\n".join(lines)


def describe(name: str) -> str:
    """Return all that is known of a name; raises ConfigError with the names there are."""
    found: list[str] = []
    known: list[str] = []
    for section, registry, keys in _parts():
        for key in keys:
            names = _names(section, key)
            known += names
            if name in (*names, key):
                found.append(f"{name} ({section})\n\n{inspect.getdoc(registry.get(key))}")
    if not found:
        raise ConfigError(
            f"nothing in a run file is called {name!r}{did_you_mean(name, known)}",
            allowed=", ".join(dict.fromkeys(known)),
            next_step="micromag describe, without a name, lists them with their meaning",
        )
    return "\n\n\n".join(found)
