"""Thermal noise in the run file: what is refused, what is warned of, and where it takes part."""

from __future__ import annotations

from typing import Any

import magnets as small
import numpy as np
import pytest

import micromag as mm
from micromag.backend import get_backend
from micromag.driver import Driver
from micromag.errors import ConfigError, ConfigErrors
from micromag.estimate import device_bytes
from micromag.integrators.tableaus import TABLEAUS
from micromag.magnets import fastest_mode
from micromag.noise_checks import energy_error
from micromag.output.recorder import MemoryRecorder
from micromag.progress import SilentReporter
from micromag.sanity import warnings
from micromag.structure import structure_key

FILM: dict[str, Any] = {
    "mesh": {"cells": [16, 16, 1], "cell_size": [5e-9] * 3},
    "material": {"Ms": 8e5, "alpha": 0.1},
    "energy": {"exchange": {"A": 13e-12}, "thermal": {"temperature": 300}},
    "schedule": ["relax", {"run": {"for": 1e-12}}],
    "solver": {"method": "rk4", "dt": 2e-13},
}


def film(**sections: Any) -> mm.RunConfig:
    return small.config(**small.merged(FILM, sections))


def found(**sections: Any) -> str:
    return "\n".join(warnings(film(**sections)))


# ------------------------------------------------------------------------------------- refused


def problems(**sections: Any) -> str:
    """Return what ``micromag`` says of a film built in Python with other sections."""
    with pytest.raises(ConfigErrors) as caught:
        mm.RunConfig(**{**small.DEFAULTS, **FILM, **sections})
    return str(caught.value)


def test_noise_needs_a_step():
    text = problems(solver={"method": "rk45"})
    assert "thermal noise needs a step" in text and "max_dt" in text and "solver" in text
    for solver in ({"dt": 1e-13}, {"max_dt": 1e-13}):
        assert film(solver={"method": "rk45", **solver}).solver
    small.config(**{**FILM, "solver": {}, "schedule": ["relax"]})  # relaxing knows no noise


def test_a_stage_may_give_the_step():
    schedule = [{"run": {"for": 1e-12, "with": {"solver.dt": 1e-13}}}]
    small.config(**{**FILM, "solver": {"method": "rk45"}, "schedule": schedule})


def test_a_simulation_in_python_is_told_so_too():
    sim = mm.Simulation(
        device="cpu",
        mesh=mm.Mesh(cells=(4, 4, 1), cell_size=(5e-9, 5e-9, 5e-9)),
        material=mm.Material(Ms=8e5, alpha=0.1),
        energy=[mm.Thermal(temperature=300)],
        initial={"uniform": {"direction": [0, 0, 1]}},
    )
    with pytest.raises(ConfigError, match="thermal noise needs a step"):
        sim.run(1e-12)


def test_temperatures_that_cannot_be():
    assert "-1" in problems(energy={"thermal": {"temperature": -1}})
    assert "more than once" in problems(
        energy={"thermal": [{"temperature": 1}, {"temperature": 2}]}
    )
    assert "belongs under energy" in problems(torques={"thermal": {"temperature": 1}})
    assert "missing" in problems(energy={"thermal": {}})
    assert "e_thermal" in problems(output={"snapshots": {"quantities": ["e_thermal"]}})


# ------------------------------------------------------------------------------------ warned of


def test_a_good_run_has_no_warnings():
    assert found() == ""
    assert found(solver={"method": "heun", "dt": 1e-13}) == ""


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"material": {"alpha": 0}}, "thermal does nothing: alpha is 0"),
        ({"energy": {"thermal": {"temperature": 0}}}, "its temperature is 0 in every stage"),
        ({"schedule": ["relax"]}, "thermal never acts: relax and minimize leave noise out"),
        ({"solver": {"dt": 6e-13}}, "solver.dt = 600 fs with rk4 gives the fastest spin wave"),
        ({"solver": {"method": "heun", "dt": 4e-13}}, "too much energy"),
        ({"solver": {"method": "heun", "dt": 1e-12}}, "with heun makes the fastest spin wave unstable"),
        (
            {"mesh": {"cell_size": [1e-9] * 3}, "solver": {"dt": 2e-14},
             "energy": {"exchange": {"A": 0}, "thermal": {"temperature": 1e5}}},
            "the noise turns m by",
        ),
    ],
)  # fmt: skip
def test_warnings(sections, words):
    assert words in found(**sections)


def test_the_longest_of_adaptive_steps_counts():
    text = "\n".join(warnings(small.config(**{**FILM, "solver": {"max_dt": 1e-12}})))
    assert "solver.max_dt = 1 ps with rk45 gives the fastest spin wave" in text


def test_the_step_that_is_recommended_keeps_the_promise():
    text = found(material={"alpha": 0.01}, solver={"method": "heun", "dt": 2e-13})
    recommended = float(text.split("energy: ")[1].split(" fs")[0]) * 1e-15
    config = film()
    error = energy_error(TABLEAUS["heun"], fastest_mode(config) * recommended, 0.01)
    assert 0.02 < error <= 0.05


def test_a_wave_that_does_not_turn_has_no_error():
    assert energy_error(TABLEAUS["rk4"], 0.0, 0.1) == 0
    for phase in (0.05, 0.1):  # to lowest order the noise is averaged over the step
        for method in ("rk4", "rk45"):
            expected = -(phase**2) / 12
            assert energy_error(TABLEAUS[method], phase, 0.01) == pytest.approx(expected, rel=0.05)


# -------------------------------------------------------------------------------- taking part


def driven(configs: list[mm.RunConfig]) -> np.ndarray:
    """Return the final states of a batch."""
    recorders = [MemoryRecorder() for _ in configs]
    driver = Driver(configs, get_backend("cpu"), recorders, SilentReporter())
    driver.run()
    assert driver.m is not None
    return driver.m


def test_seeds_are_replicas_of_one_batch():
    """Also where noise acts, a replica of a schedule is bit for bit the run of its own seed."""
    schedule = ["relax", {"run": {"for": 1.1e-12}}, "minimize", {"run": {"for": 1e-12}}]
    configs = [film(seed=seed, schedule=schedule) for seed in (1, 2, 1)]
    assert len({structure_key(config) for config in configs}) == 1
    together = driven(configs)
    for i in (0, 1):
        assert np.array_equal(driven([configs[i]])[0], together[i])
    assert np.array_equal(together[0], together[2])
    assert not np.array_equal(together[0], together[1])


def test_the_second_run_stage_has_other_noise_than_the_first():
    """The count of steps goes on, and so does the noise."""
    still = {"energy": {"exchange": {"A": 0}, "thermal": {"temperature": 1}}}
    one, two = (
        driven([film(**still, schedule=[{"run": {"for": 4e-13}}] * count)])[0] for count in (1, 2)
    )
    start = np.array([1.0, 0, 0])[:, None, None, None]
    a, b = (one - start)[1:].ravel(), (two - one)[1:].ravel()
    assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(a.size)


def test_relaxation_ends_in_the_ground_state():
    sim = mm.Simulation(
        **{**small.DEFAULTS, **FILM, "initial": {"random": {}}, "schedule": ["relax"]}
    )
    for stage in (sim.relax, sim.minimize):
        stage()
        assert sim.max_torque() < 1e-5
    sim.relax(currents=True)
    assert sim.max_torque() < 1e-5
    assert set(sim.energies()) == {"exchange", "total"}


def test_memory_counts_the_noise():
    def needed(energy: dict[str, Any]) -> int:
        return device_bytes(small.config(**{**FILM, "energy": energy}))

    exchange = {"exchange": {"A": 13e-12}}
    more = needed({**exchange, "thermal": {"temperature": 1}}) - needed(exchange)
    assert 0 <= more - 3 * 8 * 256 < 100
