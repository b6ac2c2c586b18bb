"""What the stages of the schedule override, found in a run file's tree."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from micromag.config_sections import stage_path_error
from micromag.parameters import Parameter
from micromag.run_text import PathError, split_path, with_values
from micromag.terms import TERMS
from micromag.yaml_source import Loc, Node, Problem, SourceError

Check = Callable[[Node, Collection[str]], Iterable[Problem]]
"""Returns what is wrong with a tree that differs from the run's in some sections."""


def stage_problems(root: Node, known: Iterable[Problem], check: Check) -> list[Problem]:
    """Return what is wrong with the ``with`` of the stages, without what is wrong anyway."""
    seen = {(problem.place, problem.what) for problem in known}
    return [
        Problem(p.place, f"{prefix}: {p.path}", p.what, p.allowed, p.unreadable)
        for prefix, overrides in stage_overrides(root)
        for p in _override_problems(root, overrides.value, check)
        if (p.place, p.what) not in seen
    ]


def stage_overrides(root: Node) -> Iterator[tuple[str, Node]]:
    """Yield the ``with`` mappings of all stages, with their paths."""
    schedule = root.value.get("schedule")
    entries = schedule.value if schedule is not None and isinstance(schedule.value, list) else ()
    for i, entry in enumerate(entries):
        for kind, stage in entry.value.items() if isinstance(entry.value, dict) else ():
            overrides = stage.value.get("with") if isinstance(stage.value, dict) else None
            if overrides is not None and isinstance(overrides.value, dict):
                yield f"schedule[{i}].{kind}.with", overrides


def _override_problems(
    root: Node, overrides: Mapping[str, Node], check: Check
) -> Iterable[Problem]:
    problems = []
    for key, node in overrides.items():
        try:
            path = split_path(key)
            reason = stage_path_error(path) or _absent_term(root, path)
        except PathError as error:
            reason = str(error)
        if reason:
            problems.append(Problem(node.key_place, key, reason))
    if problems:
        return problems
    try:
        return check(with_values(root, overrides), {str(split_path(key)[0]) for key in overrides})
    except SourceError as error:
        return error.problems


def _absent_term(root: Node, path: Loc) -> str | None:
    """Return why a stage cannot change a term: because the run does not have it."""
    if path[0] not in ("energy", "torques") or len(path) < 2:
        return None
    section = root.value.get(path[0])
    there = section.value if section is not None and isinstance(section.value, dict) else {}
    if path[1] in there or path[1] not in TERMS.keys():
        return None
    return (
        f"the run has no {path[1]}, so a stage cannot change it; list it under {path[0]}: with the "
        "values that hold in all other stages"
    )


def loose_form(config: BaseModel) -> dict[str, Any]:
    """Return the run-file form of a configuration; what stages cannot override stays an object."""
    data: dict[str, Any] = {}
    for name, info in type(config).model_fields.items():
        value = getattr(config, name)
        if name in ("energy", "torques"):
            grouped: dict[str, Any] = {}
            for key, term in value:
                grouped.setdefault(key, []).append(loose_form(term))
            value = {k: v[0] if len(v) == 1 else v for k, v in grouped.items()}
        elif name in ("material", "solver", "output", "snapshots", "table"):
            value = loose_form(value)
        elif isinstance(value, Parameter) and value.array is None:
            value = value.dump()
        if value is not None:
            data[info.alias or name] = value
    return data
