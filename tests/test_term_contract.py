"""What every term promises, checked for every file in ``micromag/terms``, also for new ones.

Parameters are made up, see ``term_examples.py``. The formula to compare with is
``tests/formulas/<key>.py``.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import re
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from formulas import Magnet
from magnets import GAMMA, config, measuring_engine, random_m, rate, stepper
from pydantic import ValidationError
from term_examples import Variant, example, value, variants

from micromag.backend.source import read_kernel_file
from micromag.cell_values import quantity_of
from micromag.config import RunConfig
from micromag.terms import TERMS, Term

CELLS, CELL_SIZE = (7, 5, 3), (4e-9, 3e-9, 5e-9)
REGIONS = ("default", "left", "right")
KEYS = TERMS.keys()


CASES = [
    pytest.param(key, v, id=f"{key}-{v}")
    for key in KEYS
    if TERMS.get(key).kind != "noise"  # fields and torques of a state; noise has its own test
    for v in variants(key)
]
NOISE_CASES = [(key, v) for key in KEYS if TERMS.get(key).kind == "noise" for v in variants(key)]
ENERGY_CASES = [case for case in CASES if TERMS.get(case.values[0]).kind == "energy"]


@pytest.mark.parametrize("key", KEYS)
def test_examples_can_be_made_up(key):
    assert variants(key), (
        f"no valid {key} can be made of its units and limits: add to {TERMS.get(key).__name__} a "
        "class variable 'example' with a value for each parameter"
    )


# ---------------------------------------------------------------------------- configurations


@dataclass(frozen=True)
class Case:
    """A term on a mesh, for the solver and for the formula."""

    config: RunConfig
    p: SimpleNamespace
    magnet: Magnet
    m: np.ndarray
    alpha: np.ndarray

    @property
    def inside(self) -> np.ndarray:
        return self.magnet.Ms > 0


def _given(value: Any, cells: np.ndarray, form: str, by_region: list[Any], path: Path) -> Any:
    """Return a parameter in one of the run file's forms, given its values over the cells."""
    if form == "value":
        return value
    if form == "region":
        return dict(zip(REGIONS, by_region, strict=True))
    if form == "array":
        return cells
    np.save(path, cells)
    return {"file": str(path)}


def make(
    key: str,
    variant: Variant,
    tmp_path: Path,
    form: str = "value",
    *,
    holes: bool = False,
    cells: tuple[int, int, int] = CELLS,
    arrange: Any = lambda a, name: a,
    **sections: Any,
) -> Case:
    """Return a case whose parameters, material included, all come in one form.

    Forms: value, region, array, file, and ``mixed``, one after the other. ``arrange`` rearranges
    everything that is given over the cells: ``arrange(array, name)``.
    """
    cls = TERMS.get(key)
    shape = cells[::-1]
    rng = np.random.default_rng(7)
    region = arrange(rng.integers(0, 3, size=shape), "region")
    filled = arrange(rng.random(shape) > 0.2 if holes else np.ones(shape, bool), "geometry")
    forms = itertools.cycle(("region", "array", "value") if form == "mixed" else (form,))
    masks = {}
    for number, name in enumerate(["geometry", *REGIONS[1:]]):
        masks[name] = {"file": str(tmp_path / f"mask_{name}.npy")}
        np.save(masks[name]["file"], filled if number == 0 else region == number)
    options = {n: i.default for n, i in cls.model_fields.items()} | dict(variant.options)
    p = SimpleNamespace(**options | dict.fromkeys(cls.declared_parameters()))

    def spread(name: str, one_of: Any, *, same: bool = False) -> tuple[Any, np.ndarray]:
        mine = next(forms)
        numbers = np.zeros(3, int) if same or mine == "value" else np.arange(3)
        by_region = [one_of(int(n)) for n in numbers]
        if mine in ("array", "file") and not same:
            choice = arrange(rng.integers(0, 4, size=shape), name)
            table = np.array([one_of(n) for n in range(4)])
        else:
            choice, table = region, np.array(by_region)
        values = np.moveaxis(table[choice], -1, 0) if table.ndim == 2 else table[choice]
        return _given(one_of(0), values, mine, by_region, tmp_path / f"{name}.npy"), values

    material, values = {}, {}
    for name, base in (("Ms", 8e5), ("alpha", 0.2)):
        material[name], values[name] = spread(
            name, lambda n, base=base: base * (1, 0.7, 0.55, 0.8)[n]
        )
    body: dict[str, Any] = dict(variant.options)
    for name in variant.names:
        # Directions may have to be perpendicular: mixed forms keep one frame over all cells.
        fixed = form == "mixed" and quantity_of(cls, name).unit_vector
        body[name], array = spread(name, lambda n, name=name: value(cls, name, n), same=fixed)
        setattr(p, name, array)
    section = "torques" if cls.kind == "torque" else "energy"
    settings = {
        "mesh": {"cells": list(cells), "cell_size": list(CELL_SIZE)},
        "geometry": masks.pop("geometry"),
        "regions": masks,
        "material": material,
        section: {key: body},
        **sections,
    }
    periodic = tuple(settings["mesh"].get("periodic", (0, 0, 0)))
    magnet = Magnet(values["Ms"] * filled, GAMMA, CELL_SIZE, periodic, region, {})
    m = random_m(shape, seed=3) * filled
    return Case(config(**settings), p, magnet, m, values["alpha"])


def formula(key: str) -> ModuleType:
    """Return the independent formula of a term."""
    path = Path(__file__).parent / "formulas" / f"{key}.py"
    if not path.is_file():
        pytest.fail(f"the term {key} has no independent formula: write {path}, see its package")
    return importlib.import_module(f"formulas.{key}")


def expected_rate(key: str, case: Case) -> np.ndarray:
    """Return dm/dt by the formula and the Landau-Lifshitz-Gilbert equation."""
    m = case.m
    with np.errstate(invalid="ignore"):
        if TERMS.get(key).kind == "energy":
            X = -GAMMA * np.cross(m, formula(key).field(m, case.p, case.magnet), axis=0)
        else:
            X = formula(key).torque(m, case.p, case.magnet)
    X = np.where(case.inside, X, 0)
    return (X + case.alpha * np.cross(m, X, axis=0)) / (1 + case.alpha**2)


def assert_close(found: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    """Compare relative to the largest entry."""
    scale = np.abs(expected).max()
    assert np.abs(found - expected).max() <= tolerance * scale


def check_against_formula(key: str, case: Case, backend: Any, tolerance: float) -> None:
    expected = expected_rate(key, case)
    assert_close(rate(case.config, backend, case.m), expected, tolerance)
    engine = measuring_engine(case.config, backend, case.m)
    X = expected - case.alpha * np.cross(case.m, expected, axis=0)
    assert_close(engine.torque_field() * GAMMA, X, tolerance)
    largest = np.sqrt((X**2).sum(axis=0)).max()
    assert engine.measure().max_torque[0] * GAMMA == pytest.approx(largest, rel=tolerance)
    if TERMS.get(key).kind == "torque":
        return
    B, e = engine.term_field(key)
    written = formula(key)
    field = np.where(case.inside, written.field(case.m, case.p, case.magnet), 0)
    density = np.where(case.inside, written.energy_density(case.m, case.p, case.magnet), 0)
    assert_close(np.where(case.inside, B, 0), field, tolerance)
    assert_close(e, density, tolerance)
    total = density.sum() * case.config.mesh.cell_volume
    magnitude = np.abs(density).sum() * case.config.mesh.cell_volume
    assert abs(engine.measure().energies[0, 0] - total) <= tolerance * magnitude


# ----------------------------------------------------------------------------------- physics


@pytest.mark.parametrize("key", [key for key in KEYS if TERMS.get(key).kind != "noise"])
def test_the_examples_do_something(key, tmp_path):
    largest = max(variants(key), key=lambda v: len(v.names))
    assert np.abs(expected_rate(key, make(key, largest, tmp_path))).max() > 1e8


@pytest.mark.parametrize("form", ["value", "region", "array", "mixed"])
@pytest.mark.parametrize(("key", "variant"), CASES)
def test_field_energy_and_torque_follow_the_formula(key, variant, form, tmp_path, backend):
    case = make(key, variant, tmp_path, form, holes=form != "value")
    check_against_formula(key, case, backend, 2e-10)


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("form", ["value", "region", "array", "mixed"])
@pytest.mark.parametrize(("key", "variant"), NOISE_CASES)
def test_noise_follows_the_formula(key, variant, form, precision, tmp_path, backend):
    """The field of two steps by the formula, and nothing of it in what is measured."""
    case = make(key, variant, tmp_path, form, holes=form != "value", precision=precision, seed=9)
    dt = 1e-14
    made = stepper(case.config, backend, case.m[None], "euler", dt=dt)
    made.aim(2 * dt)
    for step in range(2):
        m = made.engine.m().astype(float)
        made.steps(1)
        k = backend.download(made.engine.work[made._slots.k(0), 0]).astype(float)
        B = formula(key).field(case.p, case.magnet, case.alpha, dt, case.config.seed, step)
        X = np.where(case.inside, -GAMMA * np.cross(m, B, axis=0), 0)
        expected = (X + case.alpha * np.cross(m, X, axis=0)) / (1 + case.alpha**2)
        assert np.abs(expected).max() > 1e9
        assert_close(k, expected, 1e-5)  # the deviates are single precision
        assert (k[:, ~case.inside] == 0).all()
    assert made.engine.measure().max_torque[0] == 0
    assert made.engine.model.energy_names == []


@pytest.mark.parametrize("periodic", [(2, 0, 0), (1, 1, 1)])
@pytest.mark.parametrize(("key", "variant"), CASES)
def test_periodic_axes_follow_the_formula(key, variant, periodic, tmp_path, backend):
    cells = (4, 3, 2 if all(periodic) else 1)
    mesh = {"cells": list(cells), "cell_size": list(CELL_SIZE), "periodic": list(periodic)}
    case = make(key, variant, tmp_path, "array", holes=True, cells=cells, mesh=mesh)
    check_against_formula(key, case, backend, 2e-10)


@pytest.mark.parametrize(("key", "variant"), ENERGY_CASES)
def test_the_field_is_the_derivative_of_the_energy(key, variant, tmp_path, backend):
    case = make(key, variant, tmp_path, "region", holes=True)
    rng = np.random.default_rng(11)
    volume = case.config.mesh.cell_volume
    engine = measuring_engine(case.config, backend, case.m)
    B = engine.term_field(key)[0]
    everywhere = rng.normal(size=case.m.shape)
    one_cell = np.zeros_like(everywhere)
    z, y, x = (int(i[len(i) // 2]) for i in np.nonzero(case.inside))
    one_cell[:, z, y, x] = everywhere[:, z, y, x]
    for direction in (everywhere, one_cell):
        v = (direction - (direction * case.m).sum(axis=0) * case.m) * case.inside

        def energy(angle: float, v: np.ndarray = v) -> float:
            engine.set_m(case.m + angle * v)
            return float(engine.measure().energies[0, 0])

        # Richardson: the central differences of two steps leave an error of fourth order.
        h = 1e-2 / np.abs(v).max()
        slopes = [(energy(s) - energy(-s)) / (2 * s) for s in (h, h / 2)]
        slope = (4 * slopes[1] - slopes[0]) / 3
        expected = -volume * (case.magnet.Ms * (B * v).sum(axis=0)).sum()
        scale = volume * (case.magnet.Ms * np.abs(B * v).sum(axis=0)).sum()
        assert slope == pytest.approx(expected, abs=1e-7 * scale)


@pytest.mark.parametrize(("key", "variant"), CASES)
def test_single_precision_agrees_with_double(key, variant, tmp_path, backend):
    case = make(key, variant, tmp_path, "region", holes=True)
    single = case.config.model_copy(update={"precision": "single"})
    exact = rate(case.config, backend, case.m)
    assert_close(rate(single, backend, case.m), exact, 5e-6)
    if TERMS.get(key).kind == "energy":
        mine, other = (measuring_engine(c, backend, case.m) for c in (single, case.config))
        for found, expected in zip(mine.term_field(key), other.term_field(key), strict=True):
            assert_close(found, expected, 5e-6)


@pytest.mark.parametrize("form", ["value", "region"])
@pytest.mark.parametrize(("key", "variant"), CASES)
def test_no_torque_and_no_energy_in_empty_cells(key, variant, form, tmp_path, backend):
    case = make(key, variant, tmp_path, form, holes=True)
    empty = ~case.inside
    assert 5 < empty.sum() < 50
    assert (rate(case.config, backend, case.m)[:, empty] == 0).all()
    engine = measuring_engine(case.config, backend, case.m)
    assert (engine.m()[:, empty] == 0).all()
    if TERMS.get(key).kind == "energy":
        B, e = engine.term_field(key)
        assert (e[empty] == 0).all()
        if not TERMS.get(key).nonlocal_field:
            # What is not a field of its own there is none.
            alone = formula(key).field(case.m * 0, case.p, case.magnet)
            assert np.allclose(B[:, empty], alone[:, empty])


@pytest.mark.parametrize(("key", "variant"), CASES)
def test_the_torque_is_perpendicular_to_m(key, variant, tmp_path, backend):
    case = make(key, variant, tmp_path, "region", holes=True)
    k = rate(case.config, backend, case.m)
    assert np.abs((k * case.m).sum(axis=0)).max() <= 1e-14 * np.abs(k).max()


@pytest.mark.parametrize(("key", "variant"), CASES)
def test_periodic_magnets_may_be_shifted(key, variant, tmp_path, backend):
    mesh = {"cells": [6, 4, 2], "cell_size": list(CELL_SIZE), "periodic": [1, 1, 1]}
    results = []
    for shift in ((0, 0, 0), (1, 1, 2), (0, 3, 5)):

        def arrange(a: np.ndarray, name: str, shift: tuple[int, ...] = shift) -> np.ndarray:
            return np.roll(a, shift, (-3, -2, -1))

        case = make(key, variant, tmp_path, "array", cells=(6, 4, 2), arrange=arrange, mesh=mesh)
        back = tuple(-s for s in shift)
        m = random_m((2, 4, 6), seed=5)
        k = rate(case.config, backend, np.roll(m, shift, (-3, -2, -1)))
        results.append(np.roll(k, back, (-3, -2, -1)))
    for other in results[1:]:
        assert_close(other, results[0], 1e-12)


@pytest.mark.parametrize(("key", "variant"), CASES)
def test_mirrored_magnets_have_mirrored_torques(key, variant, tmp_path, backend):
    written = formula(key)
    cls = TERMS.get(key)
    case = make(key, variant, tmp_path, "array", holes=True)
    k = rate(case.config, backend, case.m)
    section = "energy" if cls.kind == "energy" else "torques"
    for axis in getattr(written, "MIRRORS", "xyz"):
        number = "xyz".index(axis)
        signs = np.where(np.arange(3) == number, 1.0, -1.0)[:, None, None, None]

        def mirror(a: np.ndarray, polar: bool = False) -> np.ndarray:
            flipped = np.flip(a, a.ndim - 1 - number)  # noqa: B023
            return flipped if a.ndim == 3 else flipped * (-signs if polar else signs)  # noqa: B023

        body: dict[str, Any] = dict(variant.options)
        for name in variant.names:
            body[name] = mirror(getattr(case.p, name), name in getattr(written, "POLAR", ()))
            if name in getattr(written, "ODD", ()):
                body[name] = -body[name]
        masks = {}
        filled = tmp_path / "mirrored.npy"
        np.save(filled, mirror(case.inside))
        other = config(
            mesh={"cells": list(CELLS), "cell_size": list(CELL_SIZE)},
            geometry={"file": str(filled)},
            regions=masks,
            material={"Ms": mirror(case.config.material.Ms.array), "alpha": mirror(case.alpha)},
            **{section: {key: body}},
        )
        assert_close(rate(other, backend, mirror(case.m)), mirror(k), 1e-11)


# ------------------------------------------------------------------------ forms and interface


@pytest.mark.parametrize(("key", "variant"), CASES)
def test_a_file_is_the_array_in_it(key, variant, tmp_path, backend):
    results = []
    for form in ("array", "file"):
        case = make(key, variant, tmp_path, form, holes=True)
        results.append(rate(case.config, backend, case.m))
    assert np.array_equal(*results)


@pytest.mark.parametrize("form", ["value", "region", "array"])
@pytest.mark.parametrize(("key", "variant"), CASES)
def test_time_dependent_parameters_take_a_factor(key, variant, form, tmp_path, backend):
    cls = TERMS.get(key)
    names = [n for n in variant.names if quantity_of(cls, n).time_dependent]
    if not names:
        pytest.skip("no parameter of this term depends on time")
    case = make(key, variant, tmp_path, form)
    section = "energy" if cls.kind == "energy" else "torques"
    ((_, term),) = getattr(case.config, section)
    factor = 0.375
    waveform = {"expression": f"{factor} + 0 * t"}
    body = {n: getattr(term, n) for n in [*variant.names, *dict(variant.options)]}
    body |= {n: {"value": body[n], "waveform": waveform} for n in names}
    for name in names:
        setattr(case.p, name, factor * getattr(case.p, name))
    terms = [cls.model_validate(body)]
    timed = RunConfig.model_validate({**dict(case.config), section: terms, "schedule": ["relax"]})
    check_against_formula(key, replace(case, config=timed), backend, 2e-10)


@pytest.mark.parametrize("key", KEYS)
def test_snippet_and_class_agree_on_names(key):
    cls = TERMS.get(key)
    text = re.sub(r"//[^\n]*", "", read_kernel_file(f"terms/{key}.cuh"))
    extra = {"energy": r", real& energy", "noise": r", real alpha, V noise"}.get(cls.kind, "")
    head = rf"INLINE V {key}\(const Site& s, const {cls.__name__}& p{extra}\) {{"
    assert re.search(head, text), f"kernels/terms/{key}.cuh does not define: {head}"
    used = set(re.findall(r"\bp\.(\w+)", text))
    faces = {f"{n}{suffix}" for n in cls.interface for suffix in ("_face", "_varies")}
    field = {"field"} if cls.nonlocal_field else set()
    field |= {"ends"} if cls.nonlocal_field and cls.kind == "energy" else set()  # of moving windows
    parameters = set(cls.declared_parameters())
    flags = {f for v in variants(key) for f in _flags(cls, v)}
    assert {*cls.unseen} <= parameters and cls.nonlocal_field >= bool(cls.unseen)
    parameters -= {*cls.unseen}  # for the operator behind the field
    assert used <= parameters | faces | field | flags, (
        "the snippet reads what the class does not have"
    )
    assert parameters | field | flags <= used, "the snippet ignores what the class declares"
    assert set(cls.interface) <= parameters
    for name in cls.declared_parameters():
        quantity = quantity_of(cls, name)
        assert quantity.pairs == (name in cls.interface)
        assert not (quantity.pairs and quantity.time_dependent), "faces do not depend on time"
    bare = re.sub(r"\breal\([^()]*\)", "", text)
    assert not re.search(r"\d\.|\de-?\d", bare), "a number with a point that is not real(...)"


def _flags(cls: type[Term], variant: Variant) -> list[str]:
    return list(cls.model_validate(example(cls, variant)).flags())


@pytest.mark.parametrize("key", KEYS)
def test_the_docstring_is_complete(key):
    cls = TERMS.get(key)
    text = inspect.getdoc(cls) or ""
    first = text.split("\n\n")[0]
    assert first.endswith(".") and "\n" not in first, "one sentence comes first"
    assert ".. math::" in text, "the equation is missing"
    assert re.search(r"^Source: .*\d{4}", text, re.MULTILINE), "the source is missing"
    rows = dict(re.findall(r"^(\w+) +(\S+)  ", text, re.MULTILINE))
    for name, info in cls.model_fields.items():
        assert info.description, f"{name} has no description"
        assert (info.alias or name) in rows, f"the table has no row for {name}"
        if name in cls.declared_parameters():
            unit = quantity_of(cls, name).unit
            assert rows[name] == unit, (
                f"{name} is in {rows[name]} by the table, in {unit} by its type"
            )
            if unit != "1":
                assert f"[{unit}]" in info.description


@pytest.mark.parametrize("key", KEYS)
def test_parameters_are_refused_in_other_units(key):
    cls = TERMS.get(key)
    for name, count in cls.declared_parameters().items():
        wrong = ["3 kg", "3 kg", "3 kg"] if count == 3 else "3 kg"
        with pytest.raises(ValidationError) as caught:
            cls.model_validate({name: wrong})
        mine = [e for e in caught.value.errors() if e["loc"][0] == name]
        assert mine and "3 kg" in mine[0]["msg"]
