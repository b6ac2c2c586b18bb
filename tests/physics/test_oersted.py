"""Fields of currents in straight conductors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from reference import NM, check, note
from scipy.integrate import dblquad

import micromag as mm
from micromag.constants import MU_0
from micromag.errors import ConfigErrors
from micromag.model import Model
from micromag.structure import structure_key
from micromag.terms.oersted import Pillar, Strip

STRIP = Strip(width=40 * NM, thickness=6 * NM, center=(0, 3 * NM, -2 * NM))


def film(cells: tuple[int, int, int], cell: float = 5 * NM, **sections: Any) -> mm.Simulation:
    given: dict[str, Any] = {
        "precision": "double",
        "mesh": mm.Mesh(cells=cells, cell_size=(cell, cell, cell)),
        "material": {"Ms": 8e5, "alpha": 0.1},
        "initial": {"uniform": {"direction": [0, 0, 1]}},
    }
    return mm.Simulation(device="cpu", **(given | sections))


def test_a_wire_follows_amperes_law():
    entry = check("oe_wire")
    at_edge, inside, outside = entry.numbers("4.0", "2.0", "2.0")
    sim = film(
        (51, 51, 1), energy=[mm.Oersted(pillar={"radius": 50 * NM}, I=entry.number("1") * 1e-3)]
    )
    B = sim.field("oersted")[:, 0] * 1e3
    centre = 25
    for cells, expected, what in ((10, at_edge, "R"), (5, inside, "R/2"), (20, outside, "2R")):
        # Counter-clockwise about a current along +z: along +y at +x, along -x at +y.
        entry.agrees(B[1, centre, centre + cells], expected, f"B({what}) at +x [mT]")
        entry.agrees(-B[0, centre + cells, centre], expected, f"B({what}) at +y [mT]")
    assert abs(B[2]).max() == 0 and abs(B[:, centre, centre]).max() == 0


def test_a_current_density_is_its_current_over_the_area():
    J = 1e12
    fields = [
        film((6, 4, 2), energy=[mm.Oersted(**given)]).field("oersted")
        for given in (
            {"pillar": {"radius": 50 * NM}, "J": J},
            {"pillar": {"radius": 50 * NM}, "I": J * np.pi * (50 * NM) ** 2},
        )
    ]
    assert np.allclose(*fields, rtol=1e-13, atol=0)
    strip = {"width": 30 * NM, "thickness": 2 * NM}
    fields = [
        film((6, 4, 2), energy=[mm.Oersted(strip=strip, **given)]).field("oersted")
        for given in ({"J": J}, {"I": J * 60 * NM**2})
    ]
    assert np.allclose(*fields, rtol=1e-13, atol=1e-20)


def test_a_pillar_of_finite_height_has_the_field_of_a_thin_wire_of_that_length():
    pillar = Pillar(radius=10 * NM, height=60 * NM, center=(0, 0, 5 * NM))
    x, y, z = np.array([50 * NM]), np.array([-20 * NM]), np.array([22 * NM])
    current = pillar.area
    ends = np.linspace(-25 * NM, 35 * NM, 200001)
    middle = (ends[1:] + ends[:-1]) / 2
    distance = np.sqrt(x**2 + y**2 + (z - middle) ** 2)
    integral = (np.hypot(x, y) / distance**3).sum() * np.diff(ends)[0]
    size = MU_0 * current / (4 * np.pi) * integral
    expected = size * np.array([-y[0], x[0], 0]) / np.hypot(x, y)
    assert np.allclose(pillar.unit_field(x, y, z)[:, 0], expected, rtol=1e-8, atol=0)
    endless = Pillar(radius=10 * NM).unit_field(x, y, z)
    long = Pillar(radius=10 * NM, height=1e-3).unit_field(x, y, z)
    assert np.allclose(long, endless, rtol=1e-6)


@pytest.mark.parametrize("along", ["x", "y"])
@pytest.mark.parametrize(
    "place", [(5, 4, 30), (1, 22, 1.5), (0, -70, -2), (-9, 3, -40), (8, 3, -2)]
)
def test_a_strip_has_the_integral_of_biot_and_savart(along, place):
    strip = STRIP.model_copy(update={"along": along})
    x, y, z = (
        np.array([c * NM]) for c in (place if along == "x" else (place[1], place[0], place[2]))
    )
    across = (y - 3 * NM if along == "x" else x) / NM
    above = z / NM + 2

    def integral(part: int) -> float:
        u, v = float(across[0]), float(above[0])

        def integrand(b: float, a: float) -> float:
            square = (u - a) ** 2 + (v - b) ** 2
            return ((u - a, v - b)[part] / square) if square else 0.0

        pieces = [
            dblquad(integrand, *sorted((u0, u1)), *sorted((v0, v1)), epsabs=1e-10, epsrel=1e-9)[0]
            for u0, u1 in _split(-20, 20, u)
            for v0, v1 in _split(-3, 3, v)
        ]
        return MU_0 * NM / (2 * np.pi) * sum(pieces)

    horizontal, vertical = integral(0), integral(1)
    expected = [0, -vertical, horizontal] if along == "x" else [vertical, 0, -horizontal]
    found = strip.unit_field(x, y, z)[:, 0]
    largest = np.abs(expected).max()
    assert np.abs(found - expected).max() <= 1e-7 * max(largest, MU_0 * NM / 10)


def _split(low: float, high: float, at: float) -> list[tuple[float, float]]:
    """Return the interval, cut where the integrand is singular."""
    return [(low, at), (at, high)] if low < at < high else [(low, high)]


def test_a_wide_strip_is_a_sheet():
    wide = Strip(width=1e-3, thickness=6 * NM)
    zero = np.zeros(2)
    B = wide.unit_field(zero, zero, np.array([4 * NM, -4 * NM]))
    for value, sign in zip(B[1], (-1, 1), strict=True):
        note("sheet", "B_y above and below, over mu0 J t/2", sign, value / (MU_0 * 3 * NM), 1e-4)
        assert value == pytest.approx(sign * MU_0 * 3 * NM, rel=1e-4)
    assert np.abs(B[[0, 2]]).max() <= 1e-9 * np.abs(B).max()
    along_y = wide.model_copy(update={"along": "y"}).unit_field(zero, zero, np.array([4e-9, -4e-9]))
    assert np.allclose(along_y[0], -B[1]) and np.abs(along_y[1:]).max() <= 1e-9 * np.abs(B).max()


@pytest.mark.parametrize(
    ("conductor", "axis", "inside"),
    [
        (STRIP, 0, (3 * NM, 9 * NM, -3 * NM)),
        (STRIP.model_copy(update={"along": "y"}), 1, (-12 * NM, 0.0, -1 * NM)),
        (Pillar(radius=20 * NM, center=(1 * NM, 0, 0)), 2, (8 * NM, -5 * NM, 0.0)),
    ],
    ids=["strip along x", "strip along y", "pillar"],
)
def test_the_curl_is_the_current_and_there_is_no_divergence(conductor, axis, inside):
    outside = (70 * NM, 80 * NM, 30 * NM)
    for place, current in ((inside, 1.0), (outside, 0.0)):
        h = 1e-3 * NM
        gradient = np.zeros((3, 3))
        for k in range(3):
            steps = np.zeros((3, 2))
            steps[k] = h, -h
            B = conductor.unit_field(*(np.array(place)[:, None] + steps))
            gradient[k] = (B[:, 0] - B[:, 1]) / (2 * h)
        curl = np.array([gradient[(k + 1) % 3, (k + 2) % 3] - gradient[(k + 2) % 3, (k + 1) % 3]
                         for k in range(3)])  # fmt: skip
        expected = np.zeros(3)
        expected[axis] = MU_0 * current
        assert np.abs(curl - expected).max() <= 1e-6 * MU_0
        assert abs(np.trace(gradient)) <= 1e-6 * MU_0


def test_corners_and_the_axis_are_finite():
    edges = np.array([-20 * NM, 20 * NM])
    y, z = (a.ravel() for a in np.meshgrid(edges + 3 * NM, np.array([-5 * NM, 1 * NM])))
    assert np.isfinite(STRIP.unit_field(np.zeros(4), y, z)).all()
    one = np.zeros(1)
    tall = Pillar(radius=10 * NM, height=20 * NM)
    assert np.array_equal(tall.unit_field(one, one, np.array([10 * NM])), np.zeros((3, 1)))


def test_a_waveform_of_the_current_is_one_of_the_field():
    wave = {"expression": "exp(-(t / 1 ns)^2)"}
    sim = film(
        (3, 1, 1),
        energy=[
            mm.Oersted(pillar={"radius": "50 nm"}, J={"value": "1e12 A/m^2", "waveform": wave})
        ],
    )
    still = film((3, 1, 1), energy=[mm.Oersted(pillar={"radius": "50 nm"}, J="1e12 A/m^2")])
    before = still.field("oersted")
    assert np.allclose(sim.field("oersted"), before)
    sim.run(1e-9)
    assert np.allclose(sim.field("oersted"), before * np.exp(-1), rtol=1e-9)


def test_currents_of_a_sweep_share_their_kernels():
    mesh = {"cells": (4, 3, 1), "cell_size": (5e-9,) * 3}
    fields = []
    for J in (1e11, -3e11):
        term = mm.Oersted(strip={"width": "12 nm", "thickness": "5 nm"}, J=J)
        fields.append(film((4, 3, 1), mesh=mm.Mesh(**mesh), energy=[term]))
    configs = [sim.config for sim in fields]
    assert structure_key(configs[0]) == structure_key(configs[1])
    both = Model(configs)
    (array,) = both.arrays.values()
    for i, sim in enumerate(fields):
        J = both.table[i, 0, both.layout.slots[-1].offset]
        assert np.allclose(J * array[i], sim.field("oersted"), rtol=1e-12)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"J": 1e12}, "the conductor is missing"),
        ({"pillar": {"radius": 1e-8}}, "the current is missing: J or I"),
        ({"pillar": {"radius": 1e-8}, "J": 1e12, "I": 1e-3}, "the current is given twice"),
        (
            {"pillar": {"radius": 1e-8}, "strip": {"width": 1e-8, "thickness": 1e-9}, "J": 1e12},
            "the conductor is given twice",
        ),
        ({"pillar": {"radius": 1e-8}, "J": 1e12, "B": [0, 0, 1]}, "the field is given twice"),
        ({"pillar": {"radius": 0}, "J": 1e12}, "out of range"),
        ({"strip": {"width": "3 nm"}, "J": 1e12}, "the key 'thickness' is missing"),
        ({"pillar": {"radios": "3 nm"}, "J": 1e12}, "did you mean 'radius'"),
        ({"pillar": 3e-9, "J": 1e12}, "is not a mapping"),
        ({"strip": {"width": 1e-8, "thickness": 1e-9, "along": "z"}, "J": 1e12}, "not allowed"),
        ({"pillar": {"radius": 1e-8}, "J": {"default": 1e12, "left": 0}}, "has one value"),
        ({"pillar": {"radius": 1e-8}, "J": "1 mA"}, "is a current (A), but"),
    ],
)
def test_contradictions_are_refused(given, says):
    with pytest.raises(ConfigErrors) as caught:
        mm.Oersted(**given)
    assert says in str(caught.value)


def test_a_window_may_not_leave_the_conductor():
    mesh = mm.Mesh(cells=(16, 1, 1), cell_size=(5e-9,) * 3, window={"follow": "wall"})
    strip = {"width": "20 nm", "thickness": "5 nm"}
    with pytest.raises(ConfigErrors, match="where the window moves"):
        film((16, 1, 1), mesh=mesh, energy=[mm.Oersted(pillar={"radius": "9 nm"}, J=1e12)])
    sim = film((16, 1, 1), mesh=mesh, energy=[mm.Oersted(strip=strip, J=1e12)])
    assert sim.field("oersted").shape == (3, 1, 1, 16)
