"""Registries: the files of a package are the keys of the run file.

A term, shape, recipe, waveform or observable is one module whose file name is its key. Nothing else
has to be edited to add one, and a module is imported only when its key is used.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(Generic[T]):
    """The classes of a package by module name.

    Parameters
    ----------
    package
        Dotted name of the package whose modules are the keys, e.g. ``"micromag.terms"``.
    base
        Every key's module defines exactly one public subclass of this class.
    """

    def __init__(self, package: str, base: type[T]) -> None:
        self.package = package
        self.base = base

    @cache  # noqa: B019  (registries live as long as the process)
    def keys(self) -> tuple[str, ...]:
        """Return the keys, sorted, without importing their modules."""
        path = importlib.import_module(self.package).__path__
        names = (module.name for module in pkgutil.iter_modules(path))
        return tuple(sorted(n for n in names if n != "base" and not n.startswith("_")))

    @cache  # noqa: B019
    def get(self, key: str) -> type[T]:
        """Return the class of ``key``; raises KeyError when there is none."""
        if key not in self.keys():
            raise KeyError(key)
        module = importlib.import_module(f"{self.package}.{key}")
        found = [
            item
            for item in vars(module).values()
            if isinstance(item, type)
            and issubclass(item, self.base)
            and item.__module__ == module.__name__
            and not item.__name__.startswith("_")
        ]
        if len(found) != 1:
            raise TypeError(
                f"{module.__name__} must define exactly one public subclass of "
                f"{self.base.__name__}, found {[c.__name__ for c in found]}"
            )
        return found[0]

    def key_of(self, cls: type[T]) -> str:
        """Return the key of a registered class."""
        return cls.__module__.rpartition(".")[2]
