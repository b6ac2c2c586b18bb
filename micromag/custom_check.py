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
from micromag.sweep_points import sweep_points
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
Array = NDArray[np.float64]


def compile_and_check(
    config: RunConfig, device: str | None = None, threads: int | None = None
) -> None:
    """Check the terms that are code on the run's device or another; see `check_custom_code`."""
    if code_in(config):
        with get_backend(device or config.device, threads) as backend:
            check_custom_code(config, backend)


def code_of(config: RunConfig) -> list[Term]:
    """Return the terms of a configuration that are code."""
    return [term for _, term in config.energy if term.runs_code]


def check_custom_code(config: RunConfig, backend: Backend) -> None:
    """Compile the terms that are code, and hold each one's field against its energy.

    The energy of a random state is differentiated by central differences in double precision, in
    a few cells and then in all at once, with waveforms at 1. Of a schedule every version is looked at
    that a stage brings, and all replicas of a sweep over expressions.

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
        version
        for run in _runs(config)
        for version in (
            run,
            *(run.with_overrides(s.overrides) for s in run.schedule if s.overrides),
        )
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


def _runs(config: RunConfig) -> list[RunConfig]:
    """Return the runs whose expressions may differ: the replicas of a sweep over these, or the run."""
    keys = () if config.sweep is None else config.sweep.keys
    if any(key.startswith("energy.") and ".parameters." not in key for key in keys):
        return [point.config for point in sweep_points(config)]
    return [config]


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
    compared = _Comparison(engine, model)
    if not compared.is_finite:
        raise _disagreement(
            config, loc, "the field or the energy density is not finite at random m"
        )
    difference = compared.in_cells() or compared.everywhere(mesh.cell_volume)
    if difference is not None:
        what = "the field is not the derivative of the energy density, B = -(1/Ms) de/dm"
        raise _disagreement(config, loc, what, difference)


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


class _Comparison:
    """Field and energy of one term in a random state."""

    def __init__(self, engine: Engine, model: Model) -> None:
        self.engine, self.name = engine, model.energy_names[0]
        self.Ms, self.magnetic = model.Ms[0], model.magnetic
        self.rng = np.random.default_rng(20)
        m = self.rng.normal(size=(3, *model.mesh.shape))
        self.m: Array = m * model.magnetic / np.sqrt((m**2).sum(axis=0))
        engine.set_m(self.m)
        self.B, self.density = (np.asarray(a, np.float64) for a in engine.term_field(self.name))
        self.rounding = 1e-12 / _STEP * float(np.abs(self.density).max())

    @property
    def is_finite(self) -> bool:
        """Whether there are a field and an energy in all cells."""
        B, density = self.B[:, self.magnetic], self.density[self.magnetic]
        return bool(np.isfinite(B).all() and np.isfinite(density).all())

    def in_cells(self) -> str | None:
        """Turn m in a few cells; return the first difference in words, None where there is none."""
        cells = np.argwhere(self.magnetic)
        for cell in cells[self.rng.permutation(len(cells))[:_CELLS]]:
            z, y, x = (int(i) for i in cell)
            m, B, Ms = self.m[:, z, y, x], self.B[:, z, y, x], float(self.Ms[z, y, x])
            for direction in np.linalg.svd(m[None])[2][1:]:
                turn = np.zeros_like(self.m)
                turn[:, z, y, x] = direction
                given, found = float(direction @ B), self._slope(turn) / -Ms
                allowed = TOLERANCE * max(abs(given), abs(found)) + self.rounding / Ms
                if abs(given - found) > allowed + 1e-9 * float(np.abs(B).max()):
                    return (
                        f"at m = ({_numbers(m)}) in cell (x, y, z) = ({x}, {y}, {z}), along "
                        f"({_numbers(direction)}): field {given:.6g} T, derivative of the energy "
                        f"{found:.6g} T"
                    )
        return None

    def everywhere(self, volume: float) -> str | None:
        """Turn m in all cells of a volume [m^3] each; return the difference in words, or None."""
        turn = self.rng.normal(size=self.m.shape) * self.magnetic
        turn -= (turn * self.m).sum(axis=0) * self.m
        turn /= np.sqrt((turn**2).sum(axis=0).max())
        work = self.Ms * (self.B * turn).sum(axis=0)
        given, found = -float(work.sum()), self._slope(turn)
        allowed = TOLERANCE * float(np.abs(work).sum()) + self.rounding * self.magnetic.sum()
        if abs(given - found) <= allowed:
            return None
        return (
            "all cells turned at random: -Ms B.dm of the field sums up to "
            f"{given * volume:.6g} J, the change of the energy to {found * volume:.6g} J"
        )

    def _slope(self, turn: Array) -> float:
        """Return the derivative of the energy, over a cell's volume, along ``turn`` [J/m^3]."""

        def density(angle: float) -> Array:
            turned = self.m + angle * turn
            length = np.sqrt((turned**2).sum(axis=0))
            self.engine.set_m(turned / np.where(length > 0, length, 1))
            return np.asarray(self.engine.term_field(self.name)[1], np.float64)

        # Richardson: the central differences of two steps leave an error of fourth order.
        rough, fine = (
            float((density(step) - density(-step)).sum()) / (2 * step)
            for step in (_STEP, _STEP / 2)
        )
        return (4 * fine - rough) / 3


def _numbers(v: Array) -> str:
    return ", ".join(f"{c:.3f}" for c in v)


def _disagreement(config: RunConfig, loc: Loc, what: str, value: str | None = None) -> ConfigError:
    place = _place(config, loc, "", None)
    where = f"{place}  {path_text(loc)}" if place.line else path_text(loc)
    return ConfigError(
        what,
        where=where,
        value=value,
        next_step="correct field or energy_density; an energy between neighbours counts half in each",
    )
