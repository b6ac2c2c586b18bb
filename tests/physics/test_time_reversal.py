"""``micromag analyze time-reversal``: which torques lead back to the start, and which do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from magnets import GAMMA, random_m
from reference import NS, PS, check
from term_examples import example, variants

from micromag.cli import main
from micromag.config import RunConfig
from micromag.errors import ConfigError
from micromag.excitation import read_waveform
from micromag.model import _Constants
from micromag.terms import TERMS
from micromag.time_reversal import Backwards, Leg, TimeReversal, reversed_term

MS = 8e5
SPIN: dict[str, Any] = {
    "device": "cpu",
    "mesh": {"cells": [1, 1, 1], "cell_size": [5e-9, 5e-9, 5e-9]},
    "material": {"Ms": MS, "alpha": 0.1},
    "energy": {
        "zeeman": {"B": [0.05, 0, 0.1]},
        "uniaxial_anisotropy": {"Ku1": 0.25 * MS, "axis": [0, 0, 1]},
    },
    "torques": {
        "spin_torque": [{"sigma": [0, 1, 0], "B_FL": 0.03}, {"sigma": [0, 1, 0], "B_DL": 0.03}]
    },
    "initial": {"uniform": {"direction": [0.6, 0.3, 0.7]}},
    "schedule": [{"run": {"for": 0.5 * NS}}],
}
BAR = {
    **SPIN,
    "mesh": {"cells": [8, 3, 1], "cell_size": [4e-9, 4e-9, 3e-9]},
    "energy": {
        "zeeman": {"B": [0.05, 0, 0.1]},
        "exchange": {"A": 1.3e-11},
        "demag": {},
        "interfacial_dmi": {"D": 1e-3},
    },
    "initial": {"random": {}},
    "schedule": [{"run": {"for": 5 * PS}}],
}
SOT = {"J": [3e12, 0, 0], "normal": "+z"}
VALVE = {"J": 5e11, "p": [0.6, 0, 0.8], "Lambda": 1.5}
REACTIVE: dict[str, Any] = {
    "zhang_li": {"J": [6e12, 2e12, 0], "P": 0.6, "beta": 0.0},
    "spin_orbit": {**SOT, "theta_FL": 0.2, "rashba": 1e-31},
    "slonczewski": {**VALVE, "P": 0.0, "epsilon_prime": 0.3},
    "s_d_exchange": {"S": [300, 200, 0], "J_sd": 1.6e-20},
}
DISSIPATIVE: dict[str, Any] = {
    "zhang_li": {**REACTIVE["zhang_li"], "beta": 0.2},
    "spin_orbit": {**SOT, "theta_DL": 0.2},
    "slonczewski": {**VALVE, "P": 0.5},
}


def legs(sections: dict[str, Any], **options: Any) -> dict[str, Leg]:
    found = TimeReversal(RunConfig.model_validate(sections), **options).run()
    return {leg.name: leg for leg in found.legs}


def write(folder: Path, sections: dict[str, Any]) -> str:
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump(sections), encoding="utf-8")
    return str(path)


def test_the_command_tells_the_torques_apart(tmp_path, capsys):
    file = write(tmp_path, SPIN)
    assert main(["analyze", "time-reversal", file, "--tolerance", "1e-8"]) == 0
    text = capsys.readouterr().out
    rows = {line.split("  ")[1]: line.split() for line in text.splitlines() if line[:2] == "  "}
    assert "dissipative;" in rows["spin_torque_1"] and "dissipative;" in rows["all torques"]
    field_like = rows["spin_torque_0"]
    assert "reactive;" in field_like
    check("treversal_FL").agrees(float(field_like[1]), what="distance of -m to m0, by the command")
    assert "Reactive (m returns): spin_torque_0; with a dissipative part" in text
    assert not list(tmp_path.glob("runs*"))


def test_the_command_stands_in_the_help(capsys):
    assert main(["--help"]) == 0
    assert "analyze" in capsys.readouterr().out
    assert main(["analyze", "--help"]) == 0
    assert "time-reversal" in capsys.readouterr().out


def test_the_adiabatic_torque_leads_back_and_the_non_adiabatic_does_not():
    adiabatic = legs({**BAR, "torques": {"zhang_li": REACTIVE["zhang_li"]}})
    assert adiabatic["zhang_li"].verdict(1e-8) == "reactive"
    assert adiabatic["zhang_li"].effect > 0.01
    both = legs({**BAR, "torques": {"zhang_li": DISSIPATIVE["zhang_li"]}})
    assert both["no torque"].verdict(1e-8) == "reactive"
    assert both["zhang_li"].largest > 0.01


@pytest.mark.slow
def test_reactive_torques_lead_back():
    found = legs({**BAR, "torques": REACTIVE})
    assert {leg.verdict(1e-8) for leg in found.values()} == {"reactive"}
    assert all(found[key].effect > 1e-3 for key in REACTIVE)


@pytest.mark.slow
def test_dissipative_torques_do_not():
    found = legs({**BAR, "torques": DISSIPATIVE})
    assert {name for name, leg in found.items() if leg.verdict(1e-6) == "dissipative"} == {
        *DISSIPATIVE,
        "all torques",
    }
    assert all(found[key].largest > 1e-3 for key in DISSIPATIVE)


def test_a_torque_that_cannot_act_is_not_called_reactive():
    uniform = {**SPIN, "torques": {"zhang_li": DISSIPATIVE["zhang_li"]}}
    assert legs(uniform)["zhang_li"].verdict(1e-6) == "without effect"


def test_waveforms_run_backwards():
    steps = {"pulse": {"start": 3 * PS, "duration": 10 * PS, "fall": 5 * PS, "period": 40 * PS}}
    sine = {"sine": {"frequency": 1e10, "phase": 0.4}}
    sections = {
        **SPIN,
        "energy": {
            **SPIN["energy"],
            "zeeman": [
                SPIN["energy"]["zeeman"],
                {"B": {"value": [0, 0.3, 0], "waveform": steps}},
                {"B": {"value": [0, 0, 0.2], "waveform": sine}},
            ],
        },
        "torques": {
            "spin_torque": {"sigma": [0, 1, 0], "B_FL": {"value": 0.05, "waveform": steps}}
        },
    }
    found = legs(sections, duration=70 * PS, tolerance=1e-8)
    assert {leg.verdict(1e-8) for leg in found.values()} == {"reactive"}
    assert found["spin_torque"].effect > 0.01


@pytest.mark.parametrize(
    "wave",
    [
        {"pulse": {"start": 1e-10, "duration": 2e-10, "rise": 1e-10}},
        {"pulse": {"start": 1e-10, "duration": 2e-10, "period": 5e-10}},
        {"table": {"times": [0.0, 4e-10, 9e-10], "values": [0.0, 1.0, 0.3]}},
        {"sinc": {"frequency": 5e9, "center": 4e-10}},
        {"expression": "sin(2e10 * t) * step(t - 3e-10)"},
    ],
    ids=lambda wave: next(iter(wave)),
)
def test_a_waveform_backwards(wave):
    end = 8e-10
    inner = read_waveform(wave)
    backwards = Backwards(inner=inner, end=end)
    for t in np.linspace(1.3e-11, 7.9e-10, 17):
        assert backwards(t) == inner(end - t)
    corners = backwards.corners(_Constants())
    assert (corners is None) == (inner.corners(_Constants()) is None)


def test_the_corners_of_a_train_of_pulses_are_reflected():
    train = read_waveform({"pulse": {"start": 1e-10, "duration": 2e-10, "period": 5e-10}})
    constants = _Constants()
    Backwards(inner=train, end=8e-10).corners(constants)
    count, _, *times = constants.values
    assert count == 4
    np.testing.assert_allclose(sorted(times), [0, 2e-10, 5e-10, 7e-10], atol=1e-22)


@pytest.mark.parametrize(
    ("key", "values", "odd"),
    [
        ("zeeman", {"B": [1, 2, 3]}, {"B": (-1, -2, -3)}),
        ("spin_torque", {"sigma": [0, 0, 1], "B_DL": 0.1}, {"sigma": (0, 0, -1)}),
        ("zhang_li", {"u": [5, 0, 0], "beta": 0.1}, {"u": (-5, 0, 0)}),
        ("s_d_exchange", {"S": [5, 0, 0], "J_sd": 1e-20}, {"S": (-5, 0, 0)}),
        ("spin_orbit", {**SOT, "theta_DL": 0.1}, {"J": (-3e12, 0, 0)}),
        ("slonczewski", {**VALVE, "P": 0.3}, {"p": (-0.6, 0, -0.8)}),
        ("oersted", {"pillar": {"radius": 1e-8}, "I": 1e-3}, {"I": -1e-3}),
        ("vcma", {"xi": 1e-13, "t": 1e-9, "axis": [0, 0, 1], "E": 1e8}, {}),
    ],
)
def test_what_changes_sign(key, values, odd):
    term = TERMS.get(key).model_validate(values)
    back = reversed_term(term, 1e-9)
    for name in type(term).model_fields:
        old, new = getattr(term, name), getattr(back, name)
        if name in odd:
            assert new.value == pytest.approx(odd[name])
        else:
            assert new == old


def test_values_by_region_change_sign():
    values = {"default": [1, 0, 0], "left": [0, 2, 0]}
    back = reversed_term(TERMS.get("zeeman").model_validate({"B": values}), 0.0)
    assert back.B.value == (-1, 0, 0)
    assert back.B.regions["left"] == (0, -2, 0)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"schedule": ["relax"]}, "no run stage"),
        (
            {
                "energy": {**SPIN["energy"], "thermal": {"temperature": 300}},
                "solver": {"max_dt": 1e-13},
            },
            "noise has no way back",
        ),
        ({"sweep": {"seed": [1, 2]}}, "a sweep"),
    ],
    ids=["nothing to run", "noise", "sweep"],
)
def test_what_cannot_be_reversed_is_refused(tmp_path, capsys, changed, words):
    code = main(["analyze", "time-reversal", write(tmp_path, {**SPIN, **changed})])
    text = capsys.readouterr().err
    assert code == 2
    assert words in text and "next:" in text
    assert "Traceback" not in text


def test_a_tolerance_below_the_errors_is_refused():
    with pytest.raises(ConfigError, match="tolerance"):
        TimeReversal(RunConfig.model_validate(SPIN), tolerance=1e-14)


def test_errors_that_hide_the_answer_are_told(tmp_path, capsys):
    file = write(tmp_path, SPIN)
    code = main(["analyze", "time-reversal", file, "--tolerance", "1e-10", "--for", "1 ns"])
    assert code == 3
    assert "not even precession comes back" in capsys.readouterr().err


@pytest.mark.parametrize("time", ["soon", "5 T", "0 ns"])
def test_a_wrong_time_is_a_wrong_command_line(tmp_path, capsys, time):
    assert main(["analyze", "time-reversal", write(tmp_path, SPIN), "--for", time]) == 2
    assert "--for" in capsys.readouterr().err


def test_every_field_of_the_package_changes_sign():
    kinds = {key: TERMS.get(key) for key in TERMS.keys()}
    fields = {key: cls for key, cls in kinds.items() if cls.kind == "energy" and not cls.runs_code}
    sections = {
        **SPIN,
        "mesh": {"cells": [4, 3, 2], "cell_size": [4e-9, 4e-9, 3e-9]},
        "energy": {key: example(cls, variants(key)[0]) for key, cls in fields.items()},
        "torques": {},
    }
    test = TimeReversal(RunConfig.model_validate(sections))
    test.check_parity(random_m((2, 3, 4)))
    assert {"zeeman", "oersted", "demag", "vcma", "interlayer_exchange"} <= set(fields)


def test_torques_say_what_is_odd():
    for key in TERMS.keys():
        cls = TERMS.get(key)
        if cls.kind == "torque":
            assert cls.odd, f"{key} does not say which of its parameters time reversal turns"
        known = {*cls.model_fields, *cls.declared_parameters(), "field"}
        assert set(cls.odd) <= known, key


def test_a_field_of_the_users_own_that_stays_is_refused(tmp_path, capsys):
    custom = {
        "field": "vec(0, 0, bias)",
        "energy_density": "-Ms * m.z * bias",
        "parameters": {"bias": 0.1},
    }
    file = write(tmp_path, {**SPIN, "energy": {**SPIN["energy"], "custom": custom}})
    assert main(["analyze", "time-reversal", file, "--allow-custom-code"]) == 2
    text = capsys.readouterr().err
    assert "energy.custom" in text and "does not change sign" in text


def test_the_stages_before_give_the_start():
    """A moment at rest in the field of the stage before moves in that of the run."""
    turned = {"for": 50 * PS, "with": {"energy.zeeman.B": [0, 0.2, 0]}}
    sections = {
        **SPIN,
        "torques": {},
        "energy": {"zeeman": {"B": [0, 0, 0.2]}},
        "schedule": [{"relax": {"max_torque": 1e-9}}, {"run": turned}],
    }
    leg = legs(sections)["no torque"]
    # It precesses about y by gamma B t.
    assert leg.moved == pytest.approx(2 * np.sin(0.5 * GAMMA * 0.2 * 50 * PS), rel=1e-6)
    assert leg.largest < 1e-9


def test_damping_by_spin_pumping_is_off_as_well():
    metal = {"thickness": 5e-9, "conductivity": 5e6, "spin_diffusion_length": 1.5e-9}
    pumped = {**SOT, "spin_pumping": True, "interface": {"Gr": 5e14}, "heavy_metal": metal}
    found = legs({**SPIN, "torques": {"spin_orbit": pumped}}, duration=0.1 * NS)
    assert found["spin_orbit"].largest < 1e-9
