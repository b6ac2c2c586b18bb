"""Terms that are code of the run file: do they compile, and is the field that of the energy?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micromag.backend import Backend, get_backend
from micromag.config_problems import raise_problems
from micromag.engine import Engine
from micromag.errors import ConfigError, DeviceError
from micromag.model import Model
from micromag.permission import code_in, require_permission
from micromag.terms import Term
from micromag.yaml_source import Place, Problem, path_text

if TYPE_CHECKING:
    from micromag.config import RunConfig

TOLERANCE = 1e-4
"""Largest difference between the field and the derivative of the energy, relative to the field."""
_CELLS = 3
"""Cells in which the two are compared."""
_STEP = 1e-3
"""Change of m [rad] of the differences."""
_COMPLAINT = re.compile(
    r"custom_[0-9a-f]+\.([a-z_]+)(?:\.(\d))?(?::\d+:(\d+):|\(\d+\):)\s*(?:fatal )?error:?\s*(.*)"
)
_LABEL = re.compile(r"^// (custom_[0-9a-f]+(?:\.[a-z_]+(?:\.\d)?)?)$", re.MULTILINE)
Loc = tuple[str | int, ...]


def compile_and_check(
    config: RunConfig, device: str | None = None, threads: int | None = None
) -> None:
    """Check the terms that are code on the run's device or another; see `check_custom_code`."""
    if code_in(config):
        with get_backend(device or config.device, threads) as backend:
            check_custom_code(config, backend)


def check_custom_code(config: RunConfig, backend: Backend) -> None:
    """Compile the terms that are code, and hold each one's field against its energy.

    The energy of a random state is differentiated by central differences in double precision, in
    a few cells, with waveforms at 1. Of a sweep or a schedule every version is looked at that a stage
    brings; replicas differ in values only.

    Raises
    ------
    ConfigError
        Code may not run, does not compile, or its field is not the derivative of its energy.
    DeviceError
        There is no compiler.
    """
    if not code_in(config):
        return
    require_permission(config)
    versions = [
        config,
        *(config.with_overrides(s.overrides) for s in config.schedule if s.overrides),
    ]
    known: set[str] = set()
    for version in versions:
        keys = [key for key, term in version.energy if term.runs_code]
        numbers = dict.fromkeys(keys, 0)
        for key, term in version.energy:
            if not term.runs_code:
                continue
            number, numbers[key] = numbers[key], numbers[key] + 1
            loc: Loc = ("energy", key, number) if keys.count(key) > 1 else ("energy", key)
            if (what := term.model_dump_json()) not in known:
                known.add(what)
                _check(version, key, term, loc, backend)


class _LabelledModel(Model):
    """A model in whose kernels a compiler calls every expression by its name."""

    def kernel_text(self, name: str, definitions: Mapping[str, Any] | None = None) -> str:
        """Return the text; see the base class."""
        return _LABEL.sub(r'#line 1 "\1"', super().kernel_text(name, definitions))


def _check(config: RunConfig, key: str, term: Term, loc: Loc, backend: Backend) -> None:
    mesh = config.mesh.model_copy(update={"window": None})
    alone = config.model_copy(
        update={
            "mesh": mesh, "energy": ((key, _steady(term)),), "torques": (), "precision": "double",
        }
    )  # fmt: skip
    model = _LabelledModel([alone])
    engine = Engine(model, backend, slots=2, frozen_time=0.0)
    refused = None
    try:
        engine.compile([])
    except DeviceError as error:
        refused = error
    if refused is not None:
        _raise_located(config, term, loc, str(refused.value))
        raise refused
    _compare(config, engine, model, loc)


def _steady(term: Term) -> Term:
    """Return a term without its waveforms, which may be 0 at the beginning."""
    given: Any = getattr(term, "given")  # noqa: B009  (of this kind of term alone)
    return term.model_copy(
        update={"given": type(given)({k: replace(v, waveform=None) for k, v in given.items()})}
    )


# ------------------------------------------------------------------------------- the compiler


def _raise_located(config: RunConfig, term: Term, loc: Loc, log: str) -> None:
    """Raise the compiler's complaints about expressions at their places in the run file."""
    lines, problems = log.splitlines(), []
    for i, line in enumerate(lines):
        match = _COMPLAINT.search(line)
        if match is None:
            continue
        part, component, column, words = match.groups()
        label = (part, None if component is None else int(component))
        expression = getattr(term, "expressions")()[label]  # noqa: B009
        columns = expression.columns
        number = int(column) if column else _pointed_at(lines[i + 1 :], expression.text)
        at = columns[min(number, len(columns)) - 1] if number else None
        inner: Loc = (part,) if component is None else (part, int(component))
        place = _place(config, (*loc, *inner), expression.given, at)
        where = "" if at is None else f" at character {at + 1} of {expression.given!r}"
        what = f"the compiler says: {_plain(words)}{where}"
        problems.append(Problem(place, path_text((*loc, *inner)), what, _vocabulary(term)))
    if not problems and "custom_" in log:
        place = _place(config, loc, "", None)
        what = f"the compiler says: {_plain(log.strip().splitlines()[0])}"
        problems.append(Problem(place, path_text(loc), what, _vocabulary(term)))
    raise_problems(problems[:4])


def _plain(words: str) -> str:
    """Return a compiler's words with the user's names of parameters."""
    words = re.sub(r"\b(?:p\.)?(?:Custom_[0-9a-f]+::)?value_|\b(?:Site|V)::", "", words)
    return words.translate(str.maketrans("‘’", "''"))


def _pointed_at(lines: list[str], text: str) -> int | None:
    """Return the column of an expression below which a compiler that names none puts its caret."""
    for above, line in pairwise(lines):
        if line.strip() == "^" and text in above:
            return line.index("^") - above.index(text) + 1
    return None


def _vocabulary(term: Term) -> str:
    from micromag.terms._expression import vocabulary

    return vocabulary(getattr(term, "given"))  # noqa: B009


def _place(config: RunConfig, loc: Loc, text: str, at: int | None) -> Place:
    """Return where an expression stands in the run file, or a character of it on the same line."""
    nodes = list(config.tree({"energy"}).walk(loc))
    _, node = nodes[-1]
    place = node.key_place if isinstance(node.value, dict) else node.place
    start = place.text.find(text, place.column - 1) if place.text and "\n" not in text else -1
    if at is None or start < 0:
        return place
    return Place(place.file, place.line, start + at + 1, place.text)


# --------------------------------------------------------------------- field and energy


def _compare(config: RunConfig, engine: Engine, model: Model, loc: Loc) -> None:
    rng = np.random.default_rng(20)
    m = rng.normal(size=(3, *model.mesh.shape))
    m *= model.magnetic / np.sqrt((m**2).sum(axis=0))
    name = model.energy_names[0]
    engine.set_m(m)
    B, density = (np.asarray(a, np.float64) for a in engine.term_field(name))
    if not (np.isfinite(B[:, model.magnetic]).all() and np.isfinite(density[model.magnetic]).all()):
        raise _disagreement(
            config, loc, "the field or the energy density is not finite at random m"
        )
    cells = np.argwhere(model.magnetic)
    for cell in cells[rng.permutation(len(cells))[:_CELLS]]:
        z, y, x = (int(i) for i in cell)
        Ms, here, field = float(model.Ms[0, z, y, x]), m[:, z, y, x], B[:, z, y, x]
        across = np.linalg.svd(here[None])[2][1:]
        slopes = [_slope(engine, name, m, (z, y, x), direction) / -Ms for direction in across]
        given = across @ field
        scale = max(float(np.abs(given).max()), float(np.abs(slopes).max()))
        if np.abs(given - slopes).max() > TOLERANCE * scale:
            worst = int(np.abs(given - slopes).argmax())
            u = ", ".join(f"{c:.3f}" for c in here)
            v = ", ".join(f"{c:.3f}" for c in across[worst])
            raise _disagreement(
                config,
                loc,
                "the field is not the derivative of the energy density, B = -(1/Ms) de/dm",
                f"at m = ({u}) in cell (x, y, z) = ({x}, {y}, {z}), along ({v}): field "
                f"{given[worst]:.6g} T, derivative of the energy {slopes[worst]:.6g} T",
            )


def _slope(
    engine: Engine,
    name: str,
    m: NDArray[np.float64],
    cell: tuple[int, int, int],
    direction: NDArray[np.float64],
) -> float:
    """Return the derivative of the energy, over a cell's volume, as m turns in one cell [J/m^3]."""

    def density(angle: float) -> NDArray[np.float64]:
        turned = m.copy()
        turned[(slice(None), *cell)] = (
            np.cos(angle) * m[(slice(None), *cell)] + np.sin(angle) * direction
        )
        engine.set_m(turned)
        return np.asarray(engine.term_field(name)[1], np.float64)

    # Richardson: the central differences of two steps leave an error of fourth order.
    rough, fine = (
        float((density(step) - density(-step)).sum()) / (2 * step) for step in (_STEP, _STEP / 2)
    )
    return (4 * fine - rough) / 3


def _disagreement(config: RunConfig, loc: Loc, what: str, value: str | None = None) -> ConfigError:
    place = _place(config, loc, "", None)
    where = f"{place}  {path_text(loc)}" if place.line else path_text(loc)
    return ConfigError(
        what,
        where=where,
        value=value,
        next_step="correct field or energy_density; an energy between neighbours counts half in each",
    )
