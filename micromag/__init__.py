"""micromag: a micromagnetic solver for magnetic textures driven by electric current.

The names below are the public interface; each is imported when it is first used.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "micromag.config": [
        "Material",
        "Minimize",
        "Relax",
        "Run",
        "RunConfig",
        "Solver",
        "load_config",
    ],
    "micromag.errors": [
        "ConfigError",
        "DeviceError",
        "MicromagError",
        "NumericalError",
        "UnreadableInputError",
    ],
    "micromag.job": ["run"],
    "micromag.mesh": ["Mesh", "Window"],
    "micromag.output.runfile": ["RunFile"],
    "micromag.output.sweep_file": ["SweepFile"],
    "micromag.simulation": ["Simulation", "load"],
}
_HOME = {name: module for module, names in _PUBLIC.items() for name in names}
_REGISTRIES = (
    ("micromag.terms", "TERMS"),
    ("micromag.geometry", "SHAPES"),
    ("micromag.initial", "RECIPES"),
    ("micromag.excitation", "WAVEFORMS"),
)


def __getattr__(name: str) -> Any:
    """Return a public name, or the class of a term, shape, recipe or waveform by its class name."""
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    if name[:1].isupper():
        for package, attribute in _REGISTRIES:
            registry = getattr(importlib.import_module(package), attribute)
            for key in registry.keys():
                if key.replace("_", "") == name.lower():
                    return registry.get(key)
    # With these Python says which name was probably meant.
    what = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(what, name=name, obj=sys.modules[__name__])


def __dir__() -> list[str]:
    """Return the public names, among them the classes of all terms, shapes, recipes and waveforms."""
    packages = [importlib.import_module(package) for package, _ in _REGISTRIES]
    registries = [getattr(p, a) for p, (_, a) in zip(packages, _REGISTRIES, strict=True)]
    classes = [registry.get(key).__name__ for registry in registries for key in registry.keys()]
    return sorted({*_HOME, *classes, "__version__"})
