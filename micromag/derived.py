"""What follows from a configuration beyond what it states: total damping, derived parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from micromag.parameters import ScalarParameter
from micromag.si_text import si
from micromag.surroundings import Surroundings
from micromag.terms import Term, unique_names

if TYPE_CHECKING:
    from micromag.config import RunConfig


def derived_notes(config: RunConfig) -> list[str]:
    """Return in sentences what the terms derive from what is given, and the damping that results."""
    around = surroundings_of(config)
    named = [*config.energy, *config.torques]
    names = unique_names([key for key, _ in named])
    notes = [
        f"{name}: {note}"
        for name, (_, term) in zip(names, named, strict=True)
        for note in config.resolved(term).notes(around)
    ]
    given, total = config.material.alpha, with_total_damping(config).material.alpha
    regions = () if total is given else around.region_index.names
    for region in regions:
        alpha, sum_ = given.of_region(region), total.of_region(region)
        if sum_ != alpha:
            place = f" in the region {region!r}" if len(regions) > 1 else ""
            notes.append(
                f"alpha = {sum_:.6g}{place}: {alpha:.6g} as given and {sum_ - alpha:.6g} by spin pumping"
            )
    return [*notes, *_shortened_steps(config)]


def _shortened_steps(config: RunConfig) -> list[str]:
    """Return that output at its times shortens a fixed step, if it does."""
    dt, output = config.solver.dt, config.output
    periods = {"table": output.table.every, "snapshots": output.snapshots.every}
    shorter = {name: every for name, every in periods.items() if every and dt and every < dt}
    if not shorter:
        return []
    name = min(shorter, key=lambda name: shorter[name])
    return [
        f"output.{name}.every shortens the fixed step of {si(dt or 0.0, 's')} to {si(shorter[name], 's')}: "
        "steps end at the times of output"
    ]


def with_total_damping(config: RunConfig) -> RunConfig:
    """Return a configuration with what its terms add to alpha in the material."""
    terms = [term for _, term in [*config.energy, *config.torques]]
    if all(type(term).added_damping is Term.added_damping for term in terms):
        return config
    around = surroundings_of(config)
    resolved = [config.resolved(term) for term in terms]
    added = [x for term in resolved if (x := term.added_damping(around)) is not None]
    if not added:
        return config
    alpha = config.material.alpha
    regions = dict.fromkeys([*alpha.regions, *(name for x in added for name in x.regions)])
    total = ScalarParameter(
        alpha.value + sum(x.value for x in added),
        {r: alpha.of_region(r) + sum(x.of_region(r) for x in added) for r in regions},
    )
    material = config.material.model_copy(update={"alpha": total})
    return config.model_copy(update={"material": material})


def surroundings_of(config: RunConfig) -> Surroundings:
    """Return what the terms of a configuration may ask of it."""
    return Surroundings(config.mesh, config.geometry, config.regions, config.material)
