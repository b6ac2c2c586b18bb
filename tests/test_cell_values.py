"""Parameters with a value per cell: read, checked and normalised like any other value."""

from __future__ import annotations

import numpy as np
import pytest
from magnets import config, measuring_engine, random_m, rate

from micromag.backend import get_backend
from micromag.cell_values import cell_values, quantity_of
from micromag.config import Material
from micromag.errors import ConfigError, UnreadableInputError
from micromag.mesh import Mesh
from micromag.model import Model
from micromag.terms import TERMS

CELLS = {"cells": [4, 3, 2], "cell_size": [2e-9, 2e-9, 2e-9]}
SHAPE = (2, 3, 4)


@pytest.mark.parametrize("form", ["array", "file"])
def test_directions_are_normalised_in_every_cell(form, tmp_path):
    rng = np.random.default_rng(1)
    axis = random_m(SHAPE, seed=2)
    scaled = axis * rng.uniform(0.1, 5, SHAPE)
    m = random_m(SHAPE, seed=3)
    rates = []
    for values in (axis, scaled):
        given = values
        if form == "file":
            np.save(tmp_path / "axis.npy", values)
            given = {"file": str(tmp_path / "axis.npy")}
        anisotropy = {"uniaxial_anisotropy": {"Ku1": 5e5, "axis": given}}
        rates.append(rate(config(mesh=CELLS, energy=anisotropy), get_backend("cpu"), m))
    assert np.allclose(*rates, rtol=1e-13)


def test_a_direction_of_zero_length_stays_zero():
    axis = np.zeros((3, *SHAPE))
    axis[2, 0] = 2.0
    anisotropy = {"uniaxial_anisotropy": {"Ku1": 5e5, "axis": axis}}
    engine = measuring_engine(
        config(mesh=CELLS, energy=anisotropy), get_backend("cpu"), random_m(SHAPE)
    )
    field = engine.term_field("uniaxial_anisotropy")[0]
    assert (field[:, 1] == 0).all() and np.isfinite(field).all() and (field[2, 0] != 0).all()


@pytest.mark.parametrize(
    ("section", "name", "low"),
    [("material", "Ms", -1.0), ("material", "alpha", -0.1), ("exchange", "A", -1e-12)],
)
def test_values_in_files_obey_the_limits(section, name, low, tmp_path):
    values = np.ones(SHAPE)
    values[0, 1, 2] = low
    np.save(tmp_path / "values.npy", values)
    given = {name: {"file": str(tmp_path / "values.npy")}}
    sections = {"mesh": CELLS, "material": {"Ms": 8e5, "alpha": 0.1}}
    if section == "material":
        sections["material"] |= given
    else:
        sections["energy"] = {section: given}
    with pytest.raises(UnreadableInputError, match="out of range") as caught:
        Model([config(**sections)])
    assert "values.npy" in str(caught.value)


def test_arrays_that_do_not_fit_the_mesh_are_refused():
    with pytest.raises(ConfigError, match="do not fit the mesh"):
        Model([config(mesh=CELLS, material={"Ms": np.full((2, 4, 3), 8e5), "alpha": 0.1})])


def test_what_a_class_declares_is_found_behind_optional_fields():
    assert quantity_of(Material, "Ms").unit == "A/m"
    assert quantity_of(TERMS.get("zhang_li"), "J").time_dependent
    with pytest.raises(KeyError):
        quantity_of(TERMS.get("zhang_li"), "prefactor")


def test_planes_from_a_file_serve_meshes_of_one_layer(tmp_path):
    plane = np.arange(12.0).reshape(3, 4)
    np.save(tmp_path / "plane.npy", plane)
    mesh = Mesh(cells=(4, 3, 1), cell_size=(1e-9, 1e-9, 1e-9))
    material = Material.model_validate({"Ms": {"file": str(tmp_path / "plane.npy")}, "alpha": 0.1})
    values = cell_values(material.Ms, quantity_of(Material, "Ms"), mesh)
    assert np.array_equal(values, plane[None, None])
