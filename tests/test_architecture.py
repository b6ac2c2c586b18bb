"""Rules of the house that the import layers in ``pyproject.toml`` cannot say."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import micromag
from micromag.analysis import ANALYSES
from micromag.excitation import WAVEFORMS
from micromag.geometry import SHAPES
from micromag.initial import RECIPES
from micromag.observables import OBSERVABLES
from micromag.terms import TERMS

PACKAGE = Path(micromag.__file__).parent
REGISTRIES = [TERMS, SHAPES, RECIPES, WAVEFORMS, OBSERVABLES, ANALYSES]
KERNELS = PACKAGE.parent / "kernels"
WORDS = {word for key in TERMS.keys() for word in (key, key.replace("_", " "))} | {"anisotropy"}


def modules(folder: str = "") -> list[Path]:
    return sorted((PACKAGE / folder).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Return the dotted names that a module imports, at its top or inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda r: r.package)
def test_what_is_found_by_key_is_imported_by_nobody_else(registry):
    """Then a new term, shape, ... needs no line in any other file."""
    keys = {f"{registry.package}.{key}" for key in registry.keys()}
    home = PACKAGE.parent.joinpath(*registry.package.split("."))
    for path in modules():
        if home not in path.parents:
            assert not keys & imported(path), path


@pytest.mark.parametrize("path", [PACKAGE / "driver.py", *modules("backend")], ids=lambda p: p.name)
def test_the_driver_and_the_backends_name_no_term(path):
    text = path.read_text(encoding="utf-8").lower()
    assert not [word for word in WORDS if re.search(rf"(?<![a-z]){word}(?![a-z])", text)]


def test_a_term_is_two_files():
    snippets = {path.stem for path in (KERNELS / "terms").glob("*.cuh")}
    assert snippets == set(TERMS.keys())
