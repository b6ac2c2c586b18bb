"""The configuration of a run: a YAML file to validated objects, and back.

Every mistake in a file is reported in one go, each with file, line, column and key path.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    StrictInt,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from micromag.analysis import ANALYSES, Analysis
from micromag.config_checks import check_analyses, check_noise, check_quantities
from micromag.config_problems import node_of, problems_of, raise_problems
from micromag.config_sections import (
    Material,
    Minimize,
    Output,
    Relax,
    Run,
    Section,
    Snapshots,
    Solver,
    StageField,
    Table,
)
from micromag.config_stages import loose_form, stage_overrides, stage_problems
from micromag.config_terms import EnergyField, TorquesField, check_regions
from micromag.geometry import ShapeField, parse_shape
from micromag.initial import InitialField, check_names
from micromag.keyed import KeyedMany
from micromag.mesh import Mesh
from micromag.observables import check_parts
from micromag.parameters import Collector, custom_error
from micromag.run_text import anchor_files, read_run_file, with_values
from micromag.surroundings import Surroundings
from micromag.sweep_axes import SweepField
from micromag.sweep_points import CHECKED, Expansion, sweep_points, with_first_values
from micromag.terms.base import Term
from micromag.yaml_source import Node, Place, Problem, SourceError, to_yaml

__all__ = [
    "Material",
    "Minimize",
    "Output",
    "Relax",
    "Run",
    "RunConfig",
    "Snapshots",
    "Solver",
    "Table",
    "json_schema",
    "load_config",
]


_PYTHON = Place("<python>", 0, 1)
_OBJECTS = {"mesh", "geometry", "regions", "initial", "schedule", "sweep"}
"""Sections that stay objects in the run-file form of what was built in Python."""


def _device(data: Any) -> str:
    if not isinstance(data, str) or not re.fullmatch(r"auto|cpu|cuda(:\d{1,3})?", data):
        raise custom_error("device", f"no device is called {data!r}", "auto, cpu, cuda, cuda:1")
    return data


def _empty_list(data: Any) -> Any:
    if isinstance(data, (list, tuple)) and not data:
        raise custom_error("schedule", "the schedule is empty", "relax, minimize and run stages")
    return data


def _check_terms(config: RunConfig, collect: Collector) -> None:
    """Note the terms that do not follow from the run around them."""
    for section, terms in (("energy", config.energy), ("torques", config.torques)):
        keys = [key for key, _ in terms]
        for number, (key, term) in enumerate(terms):
            place = (keys[:number].count(key),) if keys.count(key) > 1 else ()
            collect.run((section, key, *place), config.resolved, term, term)


class RunConfig(Section):
    """Everything that defines a run.

    =========  =========================================================================
    name       default
    =========  =========================================================================
    title      none; free text
    device     ``auto``: the first CUDA device, else the CPU; ``cpu``, ``cuda``, ``cuda:1``
    precision  ``single``; ``double``
    seed       1; every random number of the run comes from it
    mesh       required: `Mesh`
    geometry   the whole mesh: a shape
    regions    none: name -> shape; later ones win where they overlap
    material   required: `Material`
    energy     none: energy terms by key
    torques    none: torques by key
    initial    required: a recipe, or a recipe per region
    schedule   required: list of `Relax`, `Minimize`, `Run`
    solver     `Solver`
    output     `Output`
    sweep      none: key path -> values; every combination is one replica
    analysis   none: analyses by key
    =========  =========================================================================

    Raises
    ------
    ConfigErrors
        With everything that is wrong, also where it is built from Python objects.
    """

    title: str | None = None
    """Free text."""
    device: Annotated[str, BeforeValidator(_device)] = "auto"
    """Where to compute."""
    precision: Literal["single", "double"] = "single"
    """Floating-point precision of the state."""
    seed: Annotated[StrictInt, Field(ge=0, lt=2**64)] = 1
    """Seed of all random numbers."""
    mesh: Mesh
    """Grid of cells."""
    geometry: ShapeField = parse_shape({"box": {}})
    """Part of the mesh that is filled."""
    regions: dict[str, ShapeField] = Field(default_factory=dict)
    """Named parts with parameters of their own."""
    material: Material
    """Saturation magnetization and damping."""
    energy: EnergyField = ()
    """Energy terms with their keys."""
    torques: TorquesField = ()
    """Torques with their keys."""
    initial: InitialField
    """Initial magnetization."""
    schedule: Annotated[tuple[StageField, ...], BeforeValidator(_empty_list)]
    """Stages in order."""
    solver: Solver = Solver()
    """Time integration."""
    output: Output = Output()
    """Files."""
    sweep: SweepField = None
    """Values by key path; every combination is one replica."""
    analysis: Annotated[dict[str, Analysis], KeyedMany(ANALYSES, "analysis")] = Field(
        default_factory=dict
    )
    """What is made of the table at the end."""

    _root: Node | None = PrivateAttr(None)
    _directory: Path | None = PrivateAttr(None)
    _expansion: Expansion | None = PrivateAttr(None)
    _custom_code: bool = PrivateAttr(False)

    @model_validator(mode="wrap")
    @classmethod
    def _check_between_sections(
        cls, data: Any, handler: ModelWrapValidatorHandler[RunConfig], info: ValidationInfo
    ) -> RunConfig:
        collect = Collector()
        if isinstance(data, Mapping):
            check_regions(data, collect)
        config = None
        try:
            config = handler(data)
            check_names(config.initial, config.regions)
            _check_terms(config, collect)
            check_quantities(config)
            check_parts(config.output.table.columns, config.regions, config.mesh.cells[2])
            check_analyses(config)
            check_noise(config)
        except ValidationError as error:
            collect.merge((), error)
        except PydanticCustomError as error:
            where = {
                "quantity": ("output", "snapshots", "quantities"),
                "analysis": ("analysis",),
                "noise": ("energy",),
                "noise_step": ("solver",),
                "column_part": ("output", "table", "columns"),
            }.get(error.type, ("initial",))
            collect.add(where, error, None)
        collect.raise_if_any()
        assert config is not None
        return config

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RunConfig):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in type(self).model_fields)

    __hash__ = None  # type: ignore[assignment]

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of what the table holds: as asked for, and with a moving window where it is."""
        names = self.output.table.columns
        added = () if self.mesh.window is None else self.mesh.window.columns
        return (*names, *(name for name in added if name not in names))

    @property
    def custom_code_allowed(self) -> bool:
        """Whether code in the run file may run; this is no part of any run file or result."""
        return self._custom_code

    def allowing_custom_code(self, allowed: bool = True) -> RunConfig:
        """Return this configuration with leave, or without, to run the code that is in it."""
        config = self.model_copy()
        config._custom_code = allowed
        config._expansion = None
        return config

    def resolved(self, term: Term) -> Term:
        """Return a term with what follows from the run around it filled in; see `Term.resolved`."""
        return term.resolved(Surroundings(self.mesh, self.geometry, self.regions, self.material))

    def with_overrides(self, values: Mapping[str, Any]) -> RunConfig:
        """Return this configuration with values set at key paths, validated again.

        ``config.with_overrides({"torques.zhang_li.J": [0, 0, 0]})``; mappings are laid over
        mappings, all else is replaced. Files are found relative to the run file.

        Raises
        ------
        ConfigErrors
            For paths that do not exist and values that are wrong.
        """
        nodes = {k: node_of(v, Place(f"override {k}", 0, 1)) for k, v in values.items()}
        touched = {key.partition(".")[0].partition("[")[0].strip() for key in values}
        plain = touched | _OBJECTS if "sweep" in touched else touched
        try:
            config = self.rebuilt(with_values(self.tree(plain), nodes), touched)
        except SourceError as error:
            raise_problems(error.problems)
            raise
        return _with_checked_sweep(config) if "sweep" in touched else config

    def tree(self, touched: Collection[str]) -> Node:
        """Return the configuration as a run file's tree, with the places of what was read.

        Of what was built in Python only the sections ``touched`` are sure to be plain data.
        """
        if self._root is not None:
            return self._root
        data = loose_form(self)
        plain = self.model_dump(mode="json", by_alias=True, exclude_none=True, include={*touched})
        return node_of({**plain, **data} | {k: plain[k] for k in _OBJECTS & {*plain}}, _PYTHON)

    def rebuilt(self, tree: Node, touched: Collection[str], *, stages: bool = False) -> RunConfig:
        """Return the configuration of a tree that differs from this one's in some sections.

        Parameters
        ----------
        tree
            The tree.
        touched
            Sections to validate; the others are this configuration's own, which saves their time.
        stages
            Look also at what every stage overrides.

        Raises
        ------
        SourceError
            With everything that is wrong.
        """
        names = {info.alias or name: name for name, info in type(self).model_fields.items()}
        data = {key: getattr(self, name) for key, name in names.items() if key in tree.value}
        data |= {key: node.plain() for key, node in tree.value.items() if key in touched}
        problems: list[Problem] = []
        config: RunConfig | None = None
        try:
            config = RunConfig.model_validate(data, context=_context(self._directory))
        except ValidationError:
            config, problems = _validate(tree, self._directory)  # for the places of the problems
        if config is not None:
            config._root, config._directory = tree, self._directory
            config._custom_code = self._custom_code
        if stages:
            problems += _stage_problems(tree, self._directory, problems, config)
        if problems or config is None:
            raise SourceError(problems)
        return config

    def expansion(self) -> Expansion:
        """Return the maker of the replicas of the sweep; ValueError without one."""
        if self.sweep is None:
            raise ValueError("the run has no sweep")
        if self._expansion is None:
            self._expansion = Expansion(self, self.sweep)
        return self._expansion

    def resolved_yaml(self) -> str:
        """Return the whole configuration, defaults included, as a run file that gives it again."""
        data = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        if self.sweep is not None and any(key.startswith("mesh.size") for key in self.sweep.keys):
            del data["mesh"]["cell_size"]
            data["mesh"]["size"] = list(self.mesh.size)
        return to_yaml(data)


def load_config(path: str | Path, overrides: Iterable[str | tuple[str, str]] = ()) -> RunConfig:
    """Read and validate a run file.

    Parameters
    ----------
    path
        YAML file; see ``micromag schema`` for its keys.
    overrides
        Texts ``key.path=value`` that replace values, as of ``--set``; a pair of an option and such
        a text names that option in messages.

    Raises
    ------
    ConfigErrors
        With everything that is wrong, each at its line.
    UnreadableInputError
        If the run file, or only a file that it names, cannot be read.
    """
    path = Path(path)
    try:
        root = read_run_file(path, overrides)
    except SourceError as error:
        raise_problems(error.problems)
        raise
    output = root.value.setdefault("output", Node({}, root.place, root.place))
    if isinstance(output.value, dict) and "directory" not in output.value:
        output.value["directory"] = Node(f"runs/{path.stem}", output.place, output.key_place)
    for _, stage_values in stage_overrides(root):
        anchor_files(stage_values, path.parent)
    if "sweep" in root.value:
        anchor_files(root.value["sweep"], path.parent)
        root = _whole(root, path.parent)
    return _build(root, path.parent)


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of the run file."""
    schema = RunConfig.model_json_schema(by_alias=True)
    schema["properties"]["extends"] = {
        "description": "Run file, or list of them, over which this one is laid.",
        "type": ["string", "array"],
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _build(root: Node, directory: Path | None) -> RunConfig:
    """Validate a tree, what every stage overrides, and what the sweep gives."""
    config, problems = _validate(root, directory)
    if config is not None:
        config._root, config._directory = root, directory
    problems += _stage_problems(root, directory, problems, config)
    raise_problems(problems)
    assert config is not None
    return _with_checked_sweep(config)


def _with_checked_sweep(config: RunConfig) -> RunConfig:
    """Return a configuration with the values of its sweep looked at and in SI."""
    if config.sweep is None:
        return config
    sweep, expanded = config.expansion().checked()
    checked = config.model_copy(update={"sweep": sweep})
    checked._expansion = expanded
    if sweep.count <= CHECKED:
        sweep_points(checked)
    return checked


def _whole(root: Node, directory: Path) -> Node:
    """Return the tree of a run with a sweep, which need not repeat what the sweep gives."""
    if not _validate(root, directory)[1]:
        return root
    section, context = root.value["sweep"].plain(), _context(directory)
    try:
        sweep = TypeAdapter(SweepField).validate_python(section, context=context)
    except ValidationError:
        return root
    return root if sweep is None else with_first_values(root, sweep)


def _context(directory: Path | None) -> dict[str, Any]:
    return {} if directory is None else {"directory": directory}


def _validate(root: Node, directory: Path | None) -> tuple[RunConfig | None, list[Problem]]:
    try:
        return RunConfig.model_validate(root.plain(), context=_context(directory)), []
    except ValidationError as error:
        return None, problems_of(error, root, RunConfig)


def _stage_problems(
    root: Node, directory: Path | None, known: list[Problem], config: RunConfig | None
) -> list[Problem]:
    """Return what is wrong with the ``with`` of the stages, without what is wrong anyway."""

    def check(tree: Node, touched: Collection[str]) -> list[Problem]:
        if config is None:
            return _validate(tree, directory)[1]
        try:
            config.rebuilt(tree, touched)
        except SourceError as error:
            return list(error.problems)
        return []

    return stage_problems(root, known, check)
