"""What a physicist would ask about a run file before starting it: sentences with numbers and a cure.

Nothing here is an error. Each check returns the warnings it has; `warnings` collects them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from micromag.cell_values import quantity_of
from micromag.config_sections import Relax, Run
from micromag.constants import GAMMA_E
from micromag.coupling_checks import coupling_warnings
from micromag.demag.tensor import padded_lengths
from micromag.driver import LEAST_ERROR
from micromag.estimate import output_size, stage_outputs, stages
from micromag.health import STABLE, UNSTABLE, long_step
from micromag.magnets import fastest_mode, has_energy, magnets, size_of, value_in
from micromag.mesh import AXES
from micromag.noise_checks import noise_warnings
from micromag.si_text import bytes_text, duration_text, si
from micromag.torque_checks import torque_warnings

if TYPE_CHECKING:
    from micromag.config import RunConfig

MANY_STEPS = 1e8
"""A run with more steps than this takes weeks."""
MANY_ROWS = 10_000_000
LONG_SECONDS = 300.0
"""Nobody waits longer for the tensor of the stray field without a word."""
PAIR_SECONDS = 3e-7
"""The tensor between two cells takes about this long, measured on one core."""
THICK = 4
"""One cell may be this many exchange lengths thick before it hides a twist of m."""
LARGEST_TURN = 0.5
"""Angle between neighbouring cells [rad] beyond which central differences are far off."""
FAST_PRIME = 13
"""FFTs of lengths with a larger prime factor are slow."""

_PLAUSIBLE = {
    # Largest and smallest values of real magnets and experiments, some way beyond the records.
    "A/m": (1e3, 3e6),
    "J/m": (1e-14, 1e-10),
    "J/m^2": (1e-7, 0.1),
    "J/m^3": (1e-2, 1e8),
    "T": (1e-9, 100.0),
    "A/m^2": (1e6, 1e14),
}
_CELL_EDGES = (5e-11, 1e-6)


def warnings(config: RunConfig, *, running: bool = False) -> list[str]:
    """Return what looks wrong about a run, as sentences; nothing if all is well.

    When it is ``running``, what the driver finds out more precisely is left to it.
    """
    checks = [check for check in _CHECKS if not (running and check is _fixed_steps)]
    return list(dict.fromkeys(text for check in checks for text in check(config)))


# -------------------------------------------------------------------- the mesh


def _cells(config: RunConfig) -> Iterator[str]:
    """Cell edges against the exchange length and the wall parameter."""
    has_demag = has_energy(config, "demag")
    for magnet in magnets(config):
        if magnet.A == 0:
            continue
        place = "" if magnet.region == "default" else f" of region {magnet.region}"
        limits = []
        if has_demag:
            limits.append((magnet.exchange_length, "exchange length sqrt(2 A/(mu0 Ms^2))"))
        if magnet.wall_parameter is not None:
            limits.append((magnet.wall_parameter, "wall parameter sqrt(A/K_eff)"))
        edges = [
            (edge, axis)
            for edge, n, axis in zip(config.mesh.cell_size, config.mesh.cells, AXES, strict=True)
            if n > 1
        ]
        limit, name = min(limits, default=(math.inf, ""))
        too_long = [(edge, axis) for edge, axis in edges if edge > limit * (1 + 1e-9)]
        if too_long:
            edge, _ = max(too_long)
            along = " and ".join(axis for _, axis in too_long)
            yield (
                f"the cells are {si(edge, 'm')} long along {along}, more than the {name} of "
                f"{si(limit, 'm')}{place}: walls and vortices stick to the lattice of cells; "
                f"use cells of at most {si(limit / 1.5, 'm')}"
            )
        thickness = config.mesh.cell_size[2]
        if has_demag and config.mesh.cells[2] == 1 and thickness > THICK * magnet.exchange_length:
            yield (
                f"the film is {si(thickness, 'm')} thick and one cell, "
                f"{thickness / magnet.exchange_length:.2g} exchange lengths{place}: m cannot change "
                "through the thickness; use several cells along z"
            )


def _edges(config: RunConfig) -> Iterator[str]:
    """Cells of an unlikely size: a forgotten unit."""
    for edge, axis in zip(config.mesh.cell_size, AXES, strict=True):
        if not _CELL_EDGES[0] <= edge <= _CELL_EDGES[1]:
            yield (
                f"the cells are {si(edge, 'm')} long along {axis}; a number without a unit is in "
                "metres: write  4 nm"
            )


def tensor_seconds(config: RunConfig) -> float:
    """Return about how long the tensor of the stray field takes [s]; 0 where there is none."""
    if not has_energy(config, "demag"):
        return 0.0
    axes = zip(config.mesh.cells, config.mesh.periodic, strict=True)
    pairs = math.prod((n // 2 + 1) * (2 * images + 1) if images else n for n, images in axes)
    return PAIR_SECONDS * pairs


def _transforms(config: RunConfig) -> Iterator[str]:
    """The stray field: many images cost time, and so do periodic axes of an unlucky length."""
    seconds = tensor_seconds(config)
    if not seconds:
        return
    if seconds > LONG_SECONDS:
        yield (
            f"the tensor of the stray field takes about {duration_text(seconds)} when it is not in "
            "the cache; use fewer images (mesh.periodic) or fewer cells"
        )
    lengths = padded_lengths(config.mesh.cells, config.mesh.periodic)
    for length, images, axis in zip(lengths, config.mesh.periodic, AXES, strict=True):
        prime = _largest_prime(length)
        if images and prime > FAST_PRIME:
            yield (
                f"the {length} cells along the periodic axis {axis} have the prime factor {prime}, "
                f"which makes the stray field slow; {_fast_number(length)} cells would be fast"
            )


# -------------------------------------------------------------------- the terms


def parameter_sizes(config: RunConfig) -> Iterator[tuple[str, str, str, float]]:
    """Yield key path, name and unit of every parameter, with its size in each region.

    Those that only files know are left out.
    """
    owners: list[tuple[str, str, Any]] = [("", "material", config.material)]
    owners += [("energy.", key, term) for key, term in config.energy]
    owners += [("torques.", key, term) for key, term in config.torques]
    for prefix, owner, section in owners:
        for name in type(section).model_fields:
            parameter = getattr(section, name)
            if not hasattr(parameter, "of_region"):
                continue
            unit = quantity_of(type(section), name).unit
            for region in ("default", *parameter.regions):
                size = size_of(value_in(parameter, region))
                yield f"{prefix}{owner}.{name}", f"{owner}.{name}", unit, size


def implausible_values(config: RunConfig) -> Iterator[tuple[str, str]]:
    """Yield key paths of material constants and excitations of an unlikely size, with a sentence."""
    for path, name, unit, size in parameter_sizes(config):
        low, high = _PLAUSIBLE.get(unit, (0.0, math.inf))
        if size and not low <= size <= high:
            yield (
                path,
                f"{name} is {si(size, unit)}, outside of what is usual ({si(low, unit)} to "
                f"{si(high, unit)}); a number without a unit is in {unit}",
            )


def _values(config: RunConfig) -> Iterator[str]:
    """Material constants and excitations of an unlikely size: a wrong unit."""
    yield from (sentence for _, sentence in implausible_values(config))
    gamma = config.material.gamma
    if not 0.5 < gamma / GAMMA_E < 2:
        yield (
            f"material.gamma is {gamma:.4g} rad/(s T); the free electron's is {GAMMA_E:.4g}, and that "
            "of magnets within a few percent of it"
        )
    damping = max([config.material.alpha.value, *config.material.alpha.regions.values()])
    if damping > 1 and not config.material.alpha.is_per_cell:
        yield f"the damping alpha = {damping:g} is above 1; most magnets have 0.001 to 0.5"


def _twists(config: RunConfig) -> Iterator[str]:
    """Dzyaloshinskii-Moriya terms against exchange and anisotropy."""
    terms = [(key, term) for key, term in config.energy if term.twists]
    for key, term in terms:
        if term.flags().get("open") == 0 and not any(t.stiffness for _, t in config.energy):
            yield (
                f"{key} has no exchange that holds m at surfaces: they are left out of it, as with "
                "boundary: open"
            )
    for magnet in magnets(config):
        if magnet.A == 0 or len(terms) != 1:
            continue
        ((key, term),) = terms
        values = [value_in(parameter, magnet.region) for parameter in term.parameters().values()]
        strength = max(map(size_of, values))
        place = "" if magnet.region == "default" else f" of region {magnet.region}"
        edges = zip(config.mesh.cell_size, config.mesh.cells, strict=True)
        turn = strength * max((edge for edge, n in edges if n > 1), default=0.0) / (2 * magnet.A)
        if turn > LARGEST_TURN:
            longest = LARGEST_TURN * 2 * magnet.A / strength
            yield (
                f"{key} may turn m by {turn:.2g} rad from cell to cell{place}; use cells of at most "
                f"{si(longest, 'm')}"
            )
        if magnet.wall_parameter is None:
            continue
        critical = 4 * magnet.A / (math.pi * magnet.wall_parameter)
        if strength > critical:
            yield (
                f"{key} of {si(strength, 'J/m^2')} is above D_c = 4 sqrt(A K_eff)/pi = "
                f"{si(critical, 'J/m^2')}{place}: walls lower the energy, so that the ground state is "
                "a spiral and domains break up"
            )


# -------------------------------------------------------------------- time and output


def _times(config: RunConfig) -> Iterator[str]:
    """Durations and steps against the fastest mode."""
    mode = fastest_mode(config)
    for number, (staged, stage) in enumerate(stages(config)):
        if not isinstance(stage, Run) or not mode:
            continue
        steps, dt = stage.duration * mode, staged.solver.dt
        name = f"stage {number} (run for {si(stage.duration, 's')})"
        if steps > MANY_STEPS:
            yield (
                f"{name} needs some {steps:.0e} steps, because the fastest spin wave of these cells "
                f"turns by 1 rad in {si(1 / mode, 's')}; a number without a unit is in seconds"
            )
        if steps < 0.01:
            yield f"{name} ends before anything can move: the fastest mode turns by {steps:.1g} rad"
        if dt is not None and dt > stage.duration:
            yield f"the fixed step of {si(dt, 's')} is longer than {name}"


def _fixed_steps(config: RunConfig) -> Iterator[str]:
    """Fixed steps against the longest stable one."""
    mode = fastest_mode(config)
    for staged, stage in stages(config):
        dt = staged.solver.dt
        if isinstance(stage, Run) and dt is not None and dt * mode > STABLE:
            refused = "; a run refuses it" if dt * mode > UNSTABLE * STABLE else ""
            yield long_step(dt, STABLE / mode) + refused


def _precision(config: RunConfig) -> Iterator[str]:
    least = LEAST_ERROR[config.precision]
    errors = [
        config.solver.max_error,
        *(s.max_error for s in config.schedule if isinstance(s, Relax)),
    ]
    if config.precision == "single" and min(errors) < least:
        yield (
            f"max_error = {min(errors):g} is below what single precision can tell ({least:g}); "
            "use precision: double"
        )


def _output(config: RunConfig) -> Iterator[str]:
    """Periods that do not fit the schedule, and too much output."""
    end = sum(stage.duration for stage in config.schedule if isinstance(stage, Run))
    output = config.output
    periods = (("table", output.table.every), ("snapshots", output.snapshots.every))
    for name, every in periods:
        if every is not None and end and every > end:
            yield (
                f"output.{name}.every is {si(every, 's')}, longer than all run stages together "
                f"({si(end, 's')})"
            )
    late = [t for t in output.snapshots.at if t > end]
    if late:
        yield (f"there is no snapshot at {si(late[0], 's')}: the run stages end at {si(end, 's')}")
    size = output_size(config)
    if size.rows > MANY_ROWS:
        yield f"the table gets {size.rows:.3g} rows; lengthen output.table.every"
    if size.bytes > 100e9:
        yield f"the result takes {bytes_text(size.bytes)}; lengthen output.snapshots.every"


def _analyses(config: RunConfig) -> Iterator[str]:
    """Whether the fit of a wall's velocity finds what it needs."""
    analysis: Any = config.analysis.get("wall_velocity")
    if analysis is None:
        return
    runs = [i for i, stage in enumerate(config.schedule) if isinstance(stage, Run)]
    name = "analysis.wall_velocity"
    number = runs[-1] if analysis.stage is None and runs else analysis.stage
    if number not in runs:
        yield f"{name} needs a run stage; the run stages are {', '.join(map(str, runs)) or 'none'}"
        return
    stage: Any = config.schedule[number]
    rows = list(stage_outputs(config))[number][0] * (1 - analysis.after / stage.duration)
    if rows < 4:
        yield f"{name} gets {rows:.0f} rows and needs at least 4; shorten output.table.every"


# -------------------------------------------------------------------- helpers

_CHECKS: tuple[Callable[[RunConfig], Iterator[str]], ...] = (
    _edges,
    _values,
    coupling_warnings,
    _twists,
    _cells,
    _transforms,
    torque_warnings,
    noise_warnings,
    _times,
    _fixed_steps,
    _precision,
    _output,
    _analyses,
)


def _largest_prime(number: int) -> int:
    largest, factor = 1, 2
    while factor * factor <= number:
        while number % factor == 0:
            largest, number = factor, number // factor
        factor += 1
    return max(largest, number)


def _fast_number(least: int) -> int:
    while _largest_prime(least) > FAST_PRIME:
        least += 1
    return least
