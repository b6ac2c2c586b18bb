"""What may stand in a run file, as text: every name with its meaning, and the whole text of one."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from micromag.analysis import ANALYSES
from micromag.config_sections import (
    Material,
    Minimize,
    Output,
    Relax,
    Run,
    Snapshots,
    Solver,
    Table,
)
from micromag.errors import ConfigError
from micromag.excitation import WAVEFORMS
from micromag.geometry import SHAPES
from micromag.initial import RECIPES
from micromag.mesh import Mesh, Window
from micromag.observables import OBSERVABLES
from micromag.registry import Registry
from micromag.suggest import did_you_mean
from micromag.terms import TERMS
from micromag.transport.interface import HeavyMetal, Interface
from micromag.transport.resistivity import BlochGruneisen, ConstantResistivity, LinearResistivity
from micromag.transport.spin_hall import MechanismAngle, PublishedAngle, published_values

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


Entry = tuple[tuple[str, ...], type]
"""What the run file calls something, and the class that tells all of it."""

SECTIONS: tuple[Entry, ...] = (
    (("mesh",), Mesh),
    (("window",), Window),
    (("material",), Material),
    (("relax",), Relax),
    (("minimize",), Minimize),
    (("run",), Run),
    (("solver",), Solver),
    (("output",), Output),
    (("snapshots",), Snapshots),
    (("table",), Table),
)
SPINS: tuple[Entry, ...] = (
    (("theta_sh", "MechanismAngle"), MechanismAngle),
    (("theta_sh", "PublishedAngle"), PublishedAngle),
    (("interface", "Interface"), Interface),
    (("heavy_metal", "HeavyMetal"), HeavyMetal),
    (("rho", "ConstantResistivity"), ConstantResistivity),
    (("rho", "LinearResistivity"), LinearResistivity),
    (("rho", "BlochGruneisen"), BlochGruneisen),
)
"""What stands below the keys of torques, with the names that their docstrings use."""


def _parts() -> Iterator[tuple[str, Sequence[Entry]]]:
    """Yield each part of the run file, with what may stand in it."""
    yield "mesh, material, schedule, solver, output", SECTIONS
    for section, kinds in _KINDS:
        keys = [key for key in TERMS.keys() if TERMS.get(key).kind in kinds]
        yield section, [((key,), TERMS.get(key)) for key in keys]
    yield "torques.spin_orbit, torques.transport", SPINS
    registries: tuple[tuple[str, Registry[Any]], ...] = (
        ("geometry, regions", SHAPES),
        ("initial", RECIPES),
        ("waveform", WAVEFORMS),
        ("output.table.columns", OBSERVABLES),
        ("analysis", ANALYSES),
    )
    for section, registry in registries:
        yield section, [(_names(section, key), registry.get(key)) for key in registry.keys()]


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
    for section, entries in _parts():
        lines.append(f"{section}:")
        for known, cls in entries:
            names = ", ".join(known)
            if len(names) > _WIDTH:
                lines.append(f"  {names}")
                names = ""
            lines.append(f"  {names:<{_WIDTH}}  {_first_sentence(cls)}")
        lines.append("")
    lines.append("micromag describe NAME tells all of one: equation, keys, units, source.")
    return "\n".join(lines)


def describe(name: str) -> str:
    """Return all that is known of a name; raises ConfigError with the names there are."""
    found: list[str] = []
    known: list[str] = []
    for section, entries in _parts():
        for names, cls in entries:
            known += names
            if name in (*names, _key(section, cls)):
                found.append(f"{name} ({section})\n\n{inspect.getdoc(cls)}{_listed(cls)}")
    if not found:
        raise ConfigError(
            f"nothing in a run file is called {name!r}{did_you_mean(name, known)}",
            allowed=", ".join(dict.fromkeys(known)),
            next_step="micromag describe, without a name, lists them with their meaning",
        )
    return "\n\n\n".join(found)


def _key(section: str, cls: type) -> str:
    """Return the key of an observable, which is none of its columns."""
    if section != "output.table.columns":
        return ""
    return next(key for key in OBSERVABLES.keys() if OBSERVABLES.get(key) is cls)


def _listed(cls: type) -> str:
    """Return the published values, where they are what may be named."""
    if cls is not PublishedAngle:
        return ""
    lines = [
        f"  {key:<20}  {value.quoted}, {value.method}; {value.source}, doi:{value.doi}"
        for key, value in published_values().items()
    ]
    return "\n\n" + "\n".join(["Entries:", *lines])
