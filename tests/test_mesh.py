"""The mesh: where its cells lie, and which descriptions of it are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micromag.errors import ConfigErrors
from micromag.mesh import Mesh

counts = st.integers(1, 40)
edges = st.floats(1e-10, 1e-7)


@given(cells=st.tuples(counts, counts, counts), cell_size=st.tuples(edges, edges, edges))
def test_cells_fill_the_mesh_symmetrically(cells, cell_size):
    mesh = Mesh(cells=cells, cell_size=cell_size)
    assert mesh.shape == cells[::-1]
    assert mesh.count == np.prod(cells)
    for axis in range(3):
        x = mesh.centres(axis)
        assert len(x) == cells[axis]
        np.testing.assert_array_equal(x, -x[::-1])
        np.testing.assert_allclose(np.diff(x), cell_size[axis], rtol=1e-12)
        assert x[0] - cell_size[axis] / 2 == pytest.approx(mesh.lower_corner[axis], rel=1e-12)
        assert mesh.upper_corner[axis] == -mesh.lower_corner[axis]
    assert mesh.volume == pytest.approx(np.prod(mesh.size), rel=1e-12)


@given(cells=st.tuples(counts, counts, counts), size=st.tuples(edges, edges, edges))
def test_the_dump_reads_back_equal_when_the_size_was_given(cells, size):
    mesh = Mesh(cells=cells, size=size, periodic=(1, 0, 2))
    np.testing.assert_allclose(mesh.size, size, rtol=1e-15)
    dump = mesh.model_dump()
    assert set(dump) == {"cells", "cell_size", "periodic"}
    assert Mesh(**dump) == mesh


def test_the_grid_broadcasts_with_x_fastest():
    mesh = Mesh(cells=(4, 3, 2), cell_size=("4 nm", "2 nm", "1 nm"))
    x, y, z = mesh.grid()
    assert np.broadcast_shapes(x.shape, y.shape, z.shape) == mesh.shape == (2, 3, 4)
    np.testing.assert_allclose(x.ravel(), [-6e-9, -2e-9, 2e-9, 6e-9])
    np.testing.assert_allclose(y.ravel(), [-2e-9, 0, 2e-9], atol=1e-24)
    np.testing.assert_allclose(z.ravel(), [-0.5e-9, 0.5e-9])
    np.testing.assert_array_equal(mesh.centres("y"), mesh.centres(1))
    assert mesh.cell_volume == pytest.approx(8e-27)


def test_numpy_integers_count_cells():
    assert Mesh(cells=np.array([3, 2, 1]), cell_size=(1e-9, 1e-9, 1e-9)).cells == (3, 2, 1)


GOOD = {"cells": [4, 4, 1], "cell_size": [1e-9, 1e-9, 1e-9]}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"cells": [0, 4, 1]}, "cells[0]"),
        ({"cells": [4, -4, 1]}, "cells[1]"),
        ({"cells": [4.5, 4, 1]}, "cells[0]"),
        ({"cells": [True, 4, 1]}, "cells[0]"),
        ({"cells": ["4", 4, 1]}, "cells[0]"),
        ({"cells": [4, 4]}, "cells"),
        ({"cell_size": [0, 1e-9, 1e-9]}, "cell_size[0]"),
        ({"cell_size": [1e-9, "1 s", 1e-9]}, "cell_size[1]"),
        ({"cell_size": [1e-9, 1e-9, float("nan")]}, "cell_size[2]"),
        ({"cell_size": 1e-9}, "cell_size"),
        ({"size": [1e-8, 1e-8, 1e-9]}, ""),
        ({"periodic": [-1, 0, 0]}, "periodic[0]"),
        ({"period": [1, 0, 0]}, "period"),
    ],
)
def test_wrong_meshes_are_refused_where_they_are_wrong(change, place):
    with pytest.raises(ConfigErrors) as caught:
        Mesh(**{**GOOD, **change})
    (problem,) = caught.value.problems
    assert problem.startswith(f"Mesh(...)  {place}: " if place else "Mesh(...): ")
    assert str(caught.value).endswith("1 problem in the arguments")


def test_one_of_the_two_sizes_is_needed():
    with pytest.raises(ConfigErrors, match="neither of cell_size and size"):
        Mesh(cells=(4, 4, 1))
    with pytest.raises(ConfigErrors, match="both of cell_size and size"):
        Mesh(**GOOD, size=(1e-8, 1e-8, 1e-9))
