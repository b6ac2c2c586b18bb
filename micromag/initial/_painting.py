"""Recipes by region, the field type that reads either form, and what both come to on a mesh."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, RootModel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from micromag.errors import ConfigError
from micromag.geometry import Regions
from micromag.initial.base import RECIPES, Field, InitialState
from micromag.keyed import Keyed, dump_keyed, read_keyed
from micromag.mesh import Mesh
from micromag.parameters import custom_error

_RECIPE = Keyed(RECIPES, "recipe")


class Painting(RootModel[dict[str, Annotated[InitialState, _RECIPE]]]):
    """A recipe for every region: ``{default: {uniform: {...}}, core: {vortex: {...}}}``."""

    @property
    def recipes(self) -> Mapping[str, InitialState]:
        """The recipes by region name."""
        return self.root

    def check(self, mesh: Mesh) -> None:
        """Raise ConfigError unless every recipe fits the mesh."""
        for recipe in self.root.values():
            recipe.check(mesh)

    def input_files(self) -> tuple[Path, ...]:
        """Return the files that the recipes read."""
        return tuple(path for recipe in self.root.values() for path in recipe.input_files())


class _OneOrPainting:
    """Pydantic metadata: one recipe, or a mapping of region names to recipes."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        def dump(value: InitialState | Painting) -> dict[str, Any]:
            if isinstance(value, Painting):
                return {name: dump_keyed(RECIPES, part) for name, part in value.recipes.items()}
            return dump_keyed(RECIPES, value)

        return core_schema.with_info_plain_validator_function(
            _read, serialization=core_schema.plain_serializer_function_ser_schema(dump)
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        one = _RECIPE.__get_pydantic_json_schema__(schema, handler)
        part = {"type": "object", "minProperties": 1, "maxProperties": 1}
        names = {"not": {"enum": list(RECIPES.keys())}}
        painting = {"type": "object", "additionalProperties": part, "propertyNames": names}
        return {"anyOf": [one, painting | {"minProperties": 1}]}


InitialField = Annotated[InitialState | Painting, _OneOrPainting()]
"""What ``initial`` holds: ``{recipe: {...}}`` or ``{region: {recipe: {...}}, ...}``."""


def _read(value: Any, info: core_schema.ValidationInfo) -> InitialState | Painting:
    if isinstance(value, InitialState | Painting):
        return value
    if not isinstance(value, Mapping) or not value:
        return read_keyed(RECIPES, _RECIPE.what, value, info)
    known = RECIPES.keys()
    mixed = [str(key) for key in value if key in known]
    if len(value) == 1 and (mixed or not _is_recipe(next(iter(value.values())))):
        return read_keyed(RECIPES, _RECIPE.what, value, info)
    if len(mixed) == len(value):
        raise custom_error(
            "initial", f"several recipes: {', '.join(mixed)}", "one recipe, or region: recipe"
        )
    if mixed:
        raise custom_error(
            "initial",
            f"{', '.join(mixed)}: a recipe among the names of regions",
            "one recipe, or region: recipe with regions that are not called like a recipe",
        )
    return Painting.model_validate(value, context=info.context)


def _is_recipe(value: Any) -> bool:
    """Whether a value looks like a recipe: one key, which is known."""
    known = RECIPES.keys()
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in known


def check_names(state: InitialState | Painting, regions: Iterable[str]) -> None:
    """Check the region names of a painting against those that there are (without ``default``).

    Raises
    ------
    PydanticCustomError
        If the painting names a region that does not exist, or one recipe is given and a region has the
        same name, so that it could mean either.
    """
    names = ("default", *regions)
    if isinstance(state, InitialState):
        key = RECIPES.key_of(type(state))
        if key in names:
            raise custom_error(
                "initial",
                f"{key!r} is a recipe and also a region",
                "regions that are not called like the recipe",
            )
        return
    unknown = [name for name in state.recipes if name not in names]
    if unknown:
        raise custom_error("initial", f"no region is called {unknown[0]!r}", ", ".join(names))


def initial_magnetization(
    state: InitialState | Painting,
    mesh: Mesh,
    rng: np.random.Generator,
    *,
    regions: Regions | None = None,
    filled: NDArray[np.bool_] | None = None,
) -> Field:
    """Return the initial magnetization of a run, shape ``(3, nz, ny, nx)``, 0 in empty cells.

    In a painting every region's recipe is made on the whole mesh, with the same random numbers, and
    cut out; so ``random`` gives a cell the same direction whatever the other regions do.

    Parameters
    ----------
    state
        A recipe or a painting.
    mesh, rng
        As in ``InitialState.magnetization``.
    regions
        The region of every cell; needed for a painting.
    filled
        The cells of the magnet, shape ``(nz, ny, nx)``; all by default.

    Raises
    ------
    ConfigError
        If a cell of the magnet lies in a region without a recipe, or a file is empty there.
    """
    filled = np.ones(mesh.shape, dtype=bool) if filled is None else filled
    if isinstance(state, InitialState):
        m = state.magnetization(mesh, rng)
    else:
        m = _paint(state, mesh, rng, regions, filled)
    empty = filled & ~m.any(axis=0)
    if empty.any():
        raise ConfigError(
            f"there is no initial magnetization for {np.count_nonzero(empty)} cells of the magnet",
            where="initial",
            value=f"the first of them is [x, y, z] = {np.argwhere(empty)[0][::-1].tolist()}",
            allowed="a file with a direction in every cell of the magnet",
            next_step="geometry: {file: ...} of the same file fills only the cells it fills",
        )
    return np.where(filled, m, 0.0)


def _paint(
    painting: Painting,
    mesh: Mesh,
    rng: np.random.Generator,
    regions: Regions | None,
    filled: NDArray[np.bool_],
) -> Field:
    """Return every region's own recipe, cut out of the whole mesh."""
    regions = regions or Regions(np.zeros(mesh.shape, dtype=np.int32), ("default",))
    missing = [
        name
        for number, name in enumerate(regions.names)
        if name not in painting.recipes and ((regions.numbers == number) & filled).any()
    ]
    if missing and "default" not in painting.recipes:
        raise ConfigError(
            f"there is no initial magnetization for {', '.join(missing)}",
            where="initial",
            value=f"recipes for {', '.join(painting.recipes)}",
            allowed="a recipe for every region, or one called default for the rest",
        )
    m = np.zeros((3, *mesh.shape))
    chosen = {name: painting.recipes.get(name) for name in regions.names}
    for recipe_name, recipe in painting.recipes.items():
        numbers = [
            k
            for k, name in enumerate(regions.names)
            if name == recipe_name or (recipe_name == "default" and chosen[name] is None)
        ]
        mask = np.isin(regions.numbers, numbers)
        m[:, mask] = recipe.magnetization(mesh, deepcopy(rng))[:, mask]
    return m
