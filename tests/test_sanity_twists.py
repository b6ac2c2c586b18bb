"""Warnings about Dzyaloshinskii-Moriya terms: each where it belongs, with its numbers."""

from __future__ import annotations

from typing import Any

import magnets as small
import pytest

from micromag.sanity import warnings

FILM: dict[str, Any] = {
    "exchange": {"A": 16e-12},
    "uniaxial_anisotropy": {"Ku1": 510e3, "axis": "+z"},
}


def found(edge: float, energy: dict[str, Any], **sections: Any) -> str:
    """Return the warnings of a film with cells of that edge."""
    mesh = {"cells": [64, 64, 1], "cell_size": [edge, edge, 1e-9]}
    return "\n".join(warnings(small.config(mesh=mesh, energy=energy, **sections)))


def test_a_film_below_the_critical_strength_has_no_warning():
    for D in (3.6e-3, -3.6e-3):
        assert found(2e-9, {**FILM, "interfacial_dmi": {"D": D}}) == ""
    helix = {"exchange": FILM["exchange"], "bulk_dmi": {"D": 3e-3}}
    assert found(2e-9, helix) == ""


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("interfacial_dmi", {"D": -3.7e-3}),
        ("dmi", {"Dx": [0, 3.7e-3, 0], "Dy": [-3.7e-3, 0, 0], "Dz": [0, 0, 0]}),
    ],
)
def test_above_the_critical_strength(key, body):
    text = found(2e-9, {**FILM, key: body})
    # D_c = 3.63710 mJ/m^2 for these constants.
    assert f"{key} of 3.7 mJ/m^2 is above D_c = 4 sqrt(A K_eff)/pi = 3.637" in text
    assert "spiral" in text


def test_only_the_region_above_it_is_named():
    D = {"default": 1e-3, "strong": 5e-3}
    regions = {"strong": {"box": {"size": [20e-9, 20e-9, 1]}}}
    text = found(2e-9, {**FILM, "interfacial_dmi": {"D": D}}, regions=regions)
    assert text.count("D_c") == 1 and "of region strong" in text


def test_cells_too_coarse_for_the_twist():
    # D a/2A = 3 mJ/m^2 * 6 nm / 32 pJ/m.
    text = found(6e-9, {"exchange": FILM["exchange"], "bulk_dmi": {"D": 3e-3}})
    assert "bulk_dmi may turn m by 0.56 rad from cell to cell" in text
    assert "at most 5.33" in text


def test_without_exchange_surfaces_are_left_out():
    energy = {"uniaxial_anisotropy": FILM["uniaxial_anisotropy"], "d2d_dmi": {"D": 1e-3}}
    assert "d2d_dmi has no exchange that holds m at surfaces" in found(2e-9, energy)
    energy["d2d_dmi"]["boundary"] = "open"
    assert "surfaces" not in found(2e-9, energy)


def test_an_unlikely_strength():
    text = found(2e-9, {**FILM, "interfacial_dmi": {"D": 3.0}})
    assert "interfacial_dmi.D is 3 J/m^2, outside of what is usual" in text
