"""Waveforms: against their formulas, and the emitted C against the Python."""

from __future__ import annotations

import ctypes
import math
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from micromag.excitation import WAVEFORMS, Waveform, read_waveform
from micromag.excitation._formula import FormulaError, parse_formula

PS = 1e-12
PULSE = {"start": "1 ps", "duration": "3 ps", "rise": "1 ps", "fall": "2 ps", "low": -1, "high": 3}
CASES: dict[str, tuple[dict[str, Any], Callable[[float], float]]] = {
    "constant": ({"constant": {"value": 2}}, lambda t: 2.0),
    "sine": (
        {"sine": {"frequency": "50 GHz", "phase": "90 deg", "amplitude": 2, "offset": 0.5}},
        lambda t: 0.5 + 2 * math.cos(2 * math.pi * 50e9 * t),
    ),
    "sinc": (
        {"sinc": {"frequency": "100 GHz", "center": "5 ps"}},
        lambda t: (
            1.0
            if t == 5 * PS
            else math.sin(2e11 * math.pi * (t - 5 * PS)) / (2e11 * math.pi * (t - 5 * PS))
        ),
    ),
    "ramp": (
        {"ramp": {"start": "2 ps", "duration": "4 ps", "from": 1, "to": -1}},
        lambda t: 1 - 2 * min(max((t / PS - 2) / 4, 0), 1),
    ),
    "expression": (
        {"expression": "exp(-((t - 5 ps)/2 ps)^2) * -sin(2*pi*1e11*t) + heaviside(t - 3 ps)"},
        lambda t: (
            -math.exp(-(((t - 5 * PS) / (2 * PS)) ** 2)) * math.sin(2e11 * math.pi * t)
            + (t >= 3 * PS)
        ),
    ),
    "functions": (
        {
            "expression": "sinc(t/1ps) + tanh(t/1 ps)*abs(-2**2)"
            " + max(min(t/1 ps, 3), sqrt(2)) + step(-1)"
        },
        lambda t: (
            (math.sin(t / PS) / (t / PS) if t else 1.0)
            + 4 * math.tanh(t / PS)
            + max(min(t / PS, 3), math.sqrt(2))
        ),
    ),
}
TIMES = [i * 0.37 * PS for i in range(40)] + [5 * PS]


def waveform(data: Any) -> Waveform:
    return read_waveform(data)


@pytest.mark.parametrize("name", CASES)
def test_formula(name: str) -> None:
    data, expected = CASES[name]
    w = waveform(data)
    for t in TIMES:
        assert w(t) == pytest.approx(expected(t), rel=1e-12, abs=1e-12)


def test_pulse_and_train() -> None:
    once = waveform({"pulse": PULSE})
    points = {0: -1, 0.999: -1, 1.5: 1, 2: 3, 4.9: 3, 6: 1, 7.1: -1, 50: -1}
    for t, value in points.items():
        assert once(t * PS) == pytest.approx(value, abs=1e-9)
    train = waveform({"pulse": {**PULSE, "period": "10 ps"}})
    for t, value in points.items():
        assert train(t * PS + (30 * PS if t >= 1 else 0)) == pytest.approx(value, abs=1e-9)
    square = waveform({"pulse": {"duration": "1 ps"}})
    assert [square(t * PS) for t in (-0.1, 0, 0.9, 1.1)] == [0, 1, 1, 0]


def test_table_interpolates_and_holds_its_ends(tmp_path: Path) -> None:
    path = tmp_path / "table.txt"
    path.write_text("# t  w\n0 1\n\n1e-12, 3 # comment\n3e-12\t-1\n")
    w = waveform({"table": {"file": str(path)}})
    assert [w(t * PS) for t in (-1, 0, 0.5, 2, 3, 9)] == pytest.approx([1, 1, 2, 1, -1, -1])
    inline = waveform({"table": {"times": ["0 ps", "1 ps", "3 ps"], "values": [1, 3, -1]}})
    assert inline(2 * PS) == pytest.approx(w(2 * PS))


class Collected:
    """Numbers go into one array, as on the device."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def constant(self, value: float) -> str:
        self.values.append(value)
        return f"w[{len(self.values) - 1}]"

    def table(self, times: Sequence[float], values: Sequence[float]) -> str:
        first = len(self.values)
        self.values += [len(times), *times, *values]
        return f"interpolate(w + {first}, t)"


INTERPOLATE = """
#include <math.h>
static double interpolate(const double *p, double t) {
    int n = (int)p[0];
    const double *x = p + 1, *y = x + n;
    if (t <= x[0]) return y[0];
    for (int i = 1; i < n; ++i)
        if (t < x[i]) return y[i-1] + (y[i] - y[i-1]) * (t - x[i-1]) / (x[i] - x[i-1]);
    return y[n-1];
}
"""


@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++")
def test_emitted_c_is_the_same_function(tmp_path: Path) -> None:
    data = [case for case, _ in CASES.values()]
    data += [{"pulse": PULSE}, {"pulse": {**PULSE, "period": "10 ps"}}]
    data += [{"pulse": {"duration": "1 ps"}}]
    data += [{"table": {"times": [0, PS, 3 * PS], "values": [1, 3, -1]}}]
    waves, text, constants = [waveform(item) for item in data], INTERPOLATE, []
    for i, w in enumerate(waves):
        collected = Collected()
        body = w.emit(collected)
        text += f'extern "C" double f{i}(const double *w, double t) {{ return {body}; }}\n'
        constants.append(collected.values)
    (tmp_path / "waves.cpp").write_text(text)
    command = ["g++", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", "waves.so", "waves.cpp"]
    subprocess.run(command, cwd=tmp_path, check=True)
    library = ctypes.CDLL(str(tmp_path / "waves.so"))
    for i, w in enumerate(waves):
        function = library[f"f{i}"]
        function.restype = ctypes.c_double
        numbers = (ctypes.c_double * (len(constants[i]) or 1))(*constants[i])
        for t in [-PS, *TIMES]:
            assert function(numbers, ctypes.c_double(t)) == pytest.approx(
                w(t), rel=1e-12, abs=1e-12
            )


@pytest.mark.parametrize("key", WAVEFORMS.keys())
def test_text_depends_on_structure_only(key: str) -> None:
    forms = {
        "constant": [{"value": 1}, {"value": 0}],
        "expression": ["exp(-t/1 ns) * 3", "exp(-t/0.5 ns) * 0"],
        "pulse": [{"duration": 1}, {"duration": 2, "rise": 1, "fall": 1, "low": 3, "start": 1}],
        "ramp": [{"duration": 1}, {"duration": 2, "start": 1, "from": 1, "to": 0}],
        "sinc": [{"frequency": 1, "center": 0}, {"frequency": 2, "center": 1}],
        "sine": [{"frequency": 1}, {"frequency": 2, "amplitude": 0, "phase": 1, "offset": 1}],
        "table": [{"times": [0, 1], "values": [0, 1]}, {"times": [0, 2], "values": [1, 1]}],
    }[key]
    first, second = (waveform({key: form}).emit(Collected()) for form in forms)
    assert first == second


@pytest.mark.parametrize("key", WAVEFORMS.keys())
def test_docstrings_name_equation_and_units(key: str) -> None:
    text = WAVEFORMS.get(key).__doc__ or ""
    assert "unit" in text and "default" in text
    assert key == "expression" or ".. math::" in text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("-2^2", -4),
        ("2^3^2", 512),
        ("2^-1", 0.5),
        ("8 / 2 / 2", 2),
        ("1 - 2 - 3", -4),
        ("--1", 1),
        ("(1 + 2) * 3", 9),
        ("2 ns * 3 GHz", 6),
        ("1 ns^2", 1e-18),
        ("pi", math.pi),
        ("1e3", 1e3),
        ("1/0", math.nan),
        ("log(-1)", math.nan),
        ("exp(1e9)", math.inf),
    ],
)
def test_formula_value(text: str, value: float) -> None:
    assert parse_formula(text).value(0.0) == pytest.approx(value, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "unexpected 'the end'"),
        ("1 +", "unexpected 'the end'"),
        ("2 t", "an operator is missing before 't'"),
        ("sin t", "unknown name 'sin'"),
        ("sin(t", "')' is missing"),
        ("sin()", "unexpected ')'"),
        ("sin(t, t)", "sin takes 1 argument"),
        ("max(t)", "max takes 2 argument"),
        ("t t", "unexpected 't'"),
        ("x + 1", "unknown name 'x'"),
        ("t; import os", "unexpected ';'"),
        ("t.real", "unexpected '.'"),
        ("1 parsec", "unknown unit 'parsec'"),
        ("(" * 300 + "t", "too deep a nesting"),
        ("2^" * 100 + "t", "too many powers"),
        ("t" + " + t" * 500, "the formula is too long"),
    ],
)
def test_formula_error(text: str, says: str) -> None:
    with pytest.raises(FormulaError) as caught:
        parse_formula(text)
    assert says in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sin(t)", "the argument of sin is a time (s), but a pure number is needed"),
        ("exp(-t)", "the argument of exp is a time (s)"),
        ("sin(t/1 nm)", "the argument of sin is a quantity in m^-1 s"),
        ("t", "the formula is a time (s), but a pure number is needed"),
        ("cos(2*pi*1 GHz*t) * 1 mT", "the formula is a magnetic field (T)"),
        ("sinc((t - 5 nm) * 1 GHz)", "two different things in a time (s) - a length (m)"),
        ("max(1 ns, 2 mT) / t", "two different things in max(a time (s), a magnetic field (T))"),
        ("2^(t - 1 ns)", "the exponent is a time (s)"),
        ("(1 + 1 ns)^0.5", "the formula is a quantity in s^1/2"),
        ("1 + (1 ns)^(t/1 ns)", "a changing power of a time (s)"),
    ],
)
def test_dimensions_of_a_formula(text: str, says: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(says)):
        waveform({"expression": text})


@pytest.mark.parametrize(
    "text",
    [
        "sin(2*pi*1 GHz*t)",
        "sin(2*pi*9e9*t) + 1",
        "step(t - 3e-10) * heaviside(2 ns - t)",
        "sqrt(t^2 + (1 ps)^2) / 1 ns",
        "(1 ns / (t + 1 ns))^-0.5",
        "1e9 * min(t, 1 ns)",
    ],
)
def test_formulas_of_right_dimension(text: str) -> None:
    assert math.isfinite(waveform({"expression": text})(1e-10))


def test_wrong_waveforms() -> None:
    for data in (
        {"sine": {}},
        {"sine": {"frequency": 0}},
        {"table": {}},
        {"table": {"times": [0], "values": [1, 2]}},
        {"pulse": {"duration": "2 ns", "period": "1 ns"}},
        {"expression": "1/t"},
        {"sine": {"frequency": 1}, "sinc": {"frequency": 1}},
        "sine",
    ):
        with pytest.raises((ValidationError, ValueError)):
            waveform(data)


def test_dumps_read_back() -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(dict[str, Any])
    for data, _ in CASES.values():
        w = waveform(data)
        assert waveform(adapter.dump_python(w.keyed_dump())) == w
