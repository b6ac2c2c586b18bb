"""Quantities as text, parameters in all their forms."""

from __future__ import annotations

import contextlib
import math
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from micromag.constants import MU_0
from micromag.parameters import Quantity, ScalarParameter, Vector, VectorParameter
from micromag.units import UnitError, to_si


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("4 nm", "m", 4e-9),
        ("3nm", "m", 3e-9),
        ("5 µm", "m", 5e-6),
        ("5 \u03bcm", "m", 5e-6),
        ("2 Å", "m", 2e-10),
        ("2e11 A/m^2", "A/m^2", 2e11),
        ("2e7 A/cm^2", "A/m^2", 2e11),
        ("580 kA/m", "A/m", 580e3),
        ("800 emu/cc", "A/m", 800e3),
        ("800 emu/cm3", "A/m", 800e3),
        ("0.8 MJ/m^3", "J/m^3", 0.8e6),
        ("8e6 erg/cc", "J/m^3", 0.8e6),
        ("15 pJ/m", "J/m", 15e-12),
        ("15 J m^-1", "J/m", 15.0),
        ("1.3 mJ/m²", "J/m^2", 1.3e-3),
        ("10 Oe", "T", 1e-3),
        ("1 kG", "T", 0.1),
        ("100 ps", "s", 1e-10),
        ("2 GHz", "Hz", 2e9),
        ("2e9 1/s", "Hz", 2e9),
        ("-10 m/s", "m/s", -10.0),
        ("20 uOhm cm", "Ohm m", 2e-7),
        ("1 eV", "J", 1.602176634e-19),
        ("1.76e11 rad/(s T)", "rad/(s T)", 1.76e11),
        ("1.76e11 rad/s/T", "rad/(s T)", 1.76e11),
        ("180 deg", "rad", math.pi),
        ("30 %", "1", 0.3),
        ("0.5", "1", 0.5),
        ("300 K", "K", 300.0),
        ("1 N/A^2", "T m/A", 1.0),
    ],
)
def test_quantity(text: str, unit: str, value: float) -> None:
    assert to_si(text, unit) == value


def test_field_strength_becomes_a_field() -> None:
    assert to_si("1000 A/m", "T") == pytest.approx(1000 * MU_0, rel=1e-15)


@given(st.integers(-999, 999), st.sampled_from([("nm", -9), ("ps", -12), ("kA/m", 3)]))
def test_text_is_the_nearest_float(number: int, unit: tuple[str, int]) -> None:
    si = {"nm": "m", "ps": "s", "kA/m": "A/m"}[unit[0]]
    assert to_si(f"{number} {unit[0]}", si) == float(number * Fraction(10) ** unit[1])


@pytest.mark.parametrize(
    ("text", "unit", "says"),
    [
        ("4 nm", "s", "is a length (m), but a time (s) is needed"),
        ("1 T", "A/m", "is a magnetic field (T), but a magnetization or field strength (A/m)"),
        ("15 pJ", "J/m", "is an energy (J), but an energy per length (J/m)"),
        ("4 m/s^3", "m", "is a quantity in m s^-3"),
        ("4 nmm", "m", "unknown unit 'nmm'; did you mean 'nm'"),
        ("13 pJm", "J/m", "unknown unit 'pJm'; did you mean 'pJ/m'?"),
        ("580 kAm", "A/m", "unknown unit 'kAm'; did you mean 'kA/m'?"),
        ("4", "m", "has no unit, but a length (m) is needed"),
        ("nm", "m", "not a number with a unit"),
        ("1.2.3 nm", "m", "not a number with a unit"),
        ("4 nm/", "m", "cannot read the unit"),
        ("4 (m", "m", "a bracket is open"),
        ("4 m)", "m", "cannot read the unit"),
        ("4 m^x", "m", "whole exponent"),
        ("4 m^99", "m", "too large"),
        ("1e999 m", "m", "too large"),
        ("", "m", "not a number"),
        ("inf m", "m", "not a number"),
    ],
)
def test_no_quantity(text: str, unit: str, says: str) -> None:
    with pytest.raises(UnitError) as caught:
        to_si(text, unit)
    assert says in str(caught.value)


@given(st.text(max_size=30))
def test_any_text_is_a_quantity_or_a_unit_error(text: str) -> None:
    with contextlib.suppress(UnitError):
        assert math.isfinite(to_si(text, "m"))


class Sample(BaseModel):
    """A model with every kind of parameter."""

    A: Annotated[ScalarParameter, Quantity("J/m", ge=0, pairs=True)] = ScalarParameter(1.0)
    B: Annotated[VectorParameter, Quantity("T", time_dependent=True)] = VectorParameter((0, 0, 0))
    axis: Annotated[Vector, Quantity("1", unit_vector=True)] = (0.0, 0.0, 1.0)
    d: Annotated[float, Quantity("m", gt=0)] | None = None


def test_one_value() -> None:
    A = Sample(A="15 pJ/m").A
    assert A.value == 15e-12 and A.is_uniform and A.of_region("notch") == 15e-12


def test_values_by_region_and_pair() -> None:
    A = Sample(A={"default": 1, "a": "2 J/m", "b:a": 0, "default:b": -1}).A
    assert A.regions == {"a": 2.0}
    assert A.pairs == {("a", "b"): 0.0, ("b", "default"): -1.0}
    assert (A.of_region("a"), A.of_region("c")) == (2.0, 1.0)
    assert set(A.region_names) == {"a", "b"} and not A.is_uniform


def test_array() -> None:
    values = np.arange(6.0).reshape(1, 2, 3)
    A = Sample(A=values).A
    assert A.value == 1.0 and A.array is not None and A.is_per_cell
    assert np.array_equal(A.array, values) and not A.array.flags.writeable
    assert Sample(A=values).A == A != Sample(A=values + 1).A
    for wrong in (values - 1, values * np.nan, np.zeros((3, 1, 2, 3))):
        with pytest.raises(ValidationError):
            Sample(A=wrong)
    assert Sample(B=np.zeros((3, 1, 2, 3))).B.value == (1.0, 1.0, 1.0)


def test_file_counts_from_the_run_file(tmp_path: Path) -> None:
    (tmp_path / "A.npy").write_bytes(b"")
    sample = Sample.model_validate({"A": {"file": "A.npy"}}, context={"directory": tmp_path})
    assert sample.A.file == tmp_path / "A.npy"


@given(st.tuples(*[st.floats(-1e30, 1e30)] * 3).filter(lambda v: max(map(abs, v)) > 1e-30))
def test_directions_are_normalised_once(v: Any) -> None:
    once = Sample(axis=v).axis
    assert math.hypot(*once) == pytest.approx(1, abs=1e-15)
    assert Sample(axis=once).axis == once


def test_names_of_directions() -> None:
    assert Sample(axis="-y").axis == (0.0, -1.0, 0.0)


@pytest.mark.parametrize(
    "data",
    [
        {"A": 3e-12},
        {"A": {"default": 0.1, "a": 0.2, "b:a": 0.3, "x": 1e-300}},
        {"B": [0, 0.1, "10 mT"]},
        {"B": {"value": [0, 0, 1], "waveform": {"expression": "exp(-(t/1 ns)^2)"}}},
        {
            "B": {
                "value": {"default": [0, 0, 1], "a": [1, 1, 1]},
                "waveform": {"sine": {"frequency": 1}},
            }
        },
        {"axis": [1, 2, 3], "d": "1 nm"},
    ],
)
def test_dump_reads_back_equal(data: dict[str, Any]) -> None:
    sample = Sample(**data)
    again = Sample(**sample.model_dump(mode="json"))
    assert again == sample
    assert again.model_dump(mode="json") == sample.model_dump(mode="json")


def test_every_wrong_part_has_its_own_error() -> None:
    with pytest.raises(ValidationError) as caught:
        Sample(
            A={"default": -1, "n": "4 nm", "x:x": 2},
            B={"value": [0, "1 nm", None], "waveform": {"sin": {}}},
            axis=[0, 0, 0],
            d="0 m",
        )
    places = {error["loc"] for error in caught.value.errors()}
    assert places == {
        ("A", "default"),
        ("A", "n"),
        ("A", "x:x"),
        ("B", "value", 1),
        ("B", "value", 2),
        ("B", "waveform", "sin"),
        ("axis",),
        ("d",),
    }
