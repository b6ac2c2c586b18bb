"""Fields and energies of uniform magnets and of a helix, through the whole engine."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from reference import MU_0, NM, check

import micromag as mm

MS = 8e5


def demag_factors(
    cells: tuple[int, int, int],
    size: tuple[float, float, float],
    precision: str = "double",
    periodic: tuple[int, int, int] = (0, 0, 0),
) -> NDArray[np.float64]:
    """Return the demagnetizing tensor of a uniform box, -<B_i>/(mu_0 Ms) for m along j."""
    sim = mm.Simulation(
        device="cpu",
        precision=precision,
        mesh=mm.Mesh(cells=cells, size=size, periodic=periodic),
        material={"Ms": MS, "alpha": 0.1},
        energy=[mm.Demag()],
        initial={"uniform": {"direction": [1, 0, 0]}},
    )
    tensor = np.zeros((3, 3))
    for j, direction in enumerate(np.eye(3)):
        sim.m = direction.reshape(3, 1, 1, 1)
        field = sim.field("demag").astype(np.float64)
        tensor[:, j] = -field.mean(axis=(1, 2, 3)) / (MU_0 * MS)
        energy = sim.energies()["demag"] / (MU_0 * MS**2 * sim.config.mesh.volume / 2)
        assert energy == pytest.approx(tensor[j, j], rel=1e-12 if precision == "double" else 1e-5)
    return tensor


@pytest.mark.parametrize(("precision", "limit"), [("double", "1e-12"), ("single", "1e-6")])
def test_a_cube_has_a_third_in_every_direction(precision, limit):
    entry = check("d_cube")
    assert entry.expected == "1/3; 0"
    tensor = demag_factors((8, 8, 8), (16 * NM,) * 3, precision)
    atol = entry.number(limit)
    entry.agrees(np.diag(tensor), [1 / 3] * 3, f"N diagonal, {precision}", atol=atol)
    off_diagonal = tensor[~np.eye(3, dtype=bool)]
    entry.agrees(off_diagonal, [0] * 6, f"N off the diagonal, {precision}", atol=atol)


@pytest.mark.parametrize(
    ("sides", "cells", "listed"),
    [
        ((2, 1, 1), (16, 8, 8), (".1983162", ".4008419", ".4008419")),
        ((5, 1, 0.1), (50, 10, 1), (".0218296", ".1152240", ".8629465")),
        ((100, 100, 10), (40, 40, 4), (".0974612", ".0974612", ".8050776")),
        ((500, 125, 3), (128, 32, 1), (".0091797", ".0381761", ".9526442")),
    ],
    ids=["2:1:1", "5:1:0.1", "100:100:10", "500:125:3"],
)
def test_demagnetizing_factors_of_boxes(sides, cells, listed):
    entry = check("d_prism")
    name = ":".join(f"{side:g}" for side in sides)
    assert name in entry.setup
    tensor = demag_factors(cells, tuple(side * NM for side in sides))
    entry.agrees(np.diag(tensor), entry.numbers(*listed), f"N of {name}")


def test_a_film_repeated_in_its_plane_has_the_whole_factor_across():
    entry = check("d_film_pbc")
    assert "10 images each side of 128 cells" in entry.tolerance
    tensor = demag_factors((128, 128, 1), (256 * NM, 256 * NM, 2 * NM), periodic=(10, 10, 0))
    entry.agrees(tensor[2, 2], what="Nzz")


def test_exchange_energy_of_a_helix():
    lattice_form, order = check("ex_helix"), check("ex_order")
    A, length = 1.3e-11, 64 * NM
    k = 2 * np.pi / length
    deficits = []
    for cells in (16, 32, 64):
        a = length / cells
        sim = mm.Simulation(
            device="cpu",
            precision="double",
            mesh=mm.Mesh(cells=(cells, 1, 1), cell_size=(a, a, a), periodic=(1, 0, 0)),
            material={"Ms": MS, "alpha": 0.1},
            energy=[mm.Exchange(A=A)],
            initial={"uniform": {"direction": [1, 0, 0]}},
        )
        phase = k * a * np.arange(cells)
        helix = np.array([np.cos(phase), np.sin(phase), 0 * phase]).reshape(3, 1, 1, cells)
        sim.m = helix
        density = sim.energies()["exchange"] / sim.config.mesh.volume
        expected = A * (2 - 2 * np.cos(k * a)) / a**2
        lattice_form.agrees(density, expected, f"density, {cells} cells [J/m^3]")
        # The field, too, is along m, and -(1/2) Ms m.B averages to the energy density.
        B = -2 / MS * A * (2 - 2 * np.cos(k * a)) / a**2 * helix
        np.testing.assert_allclose(sim.field("exchange"), B, atol=1e-9 * np.abs(B).max())
        deficits.append(A * k**2 - density)
        # (k a)^2 / 12 is the first term of a series: the next one is (k a)^2 / 30 of it.
        assert deficits[-1] / (A * k**2) == pytest.approx((k * a) ** 2 / 12, rel=(k * a) ** 2)
    order.agrees(deficits[0] / deficits[1], what="errors at 16 and 32 cells")
    order.agrees(deficits[1] / deficits[2], what="errors at 32 and 64 cells")
