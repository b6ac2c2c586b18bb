"""The demagnetizing tensor: closed forms, high-precision values, periodic sums, its spectrum."""

from __future__ import annotations

import csv
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import yaml

from micromag.demag import ODD_AXES, demag_tensor, padded_lengths, tensor_spectrum
from micromag.demag.asymptotic import MAX_TERMS, FarField
from micromag.demag.cell_pair import CellPair
from micromag.demag.newell import newell_tensor
from micromag.demag.quadrature import triangle_rule
from micromag.errors import ConfigError

HERE = Path(__file__).parent
CHECKS = {c["id"]: c for c in yaml.safe_load((HERE / "checks.yaml").read_text())["checks"]}
DIAGONAL, OFF_DIAGONAL = slice(0, 3), slice(3, 6)
INDEX = [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]


def tolerance_of(check: str) -> float:
    """Return the absolute tolerance of a check; YAML 1.1 reads ``1e-12`` as text."""
    return float(CHECKS[check]["atol"])


def at(pair: CellPair, *offset: float) -> np.ndarray:
    """Return the six components at one offset in cells."""
    return pair(*(np.array([float(o)]) for o in offset))[:, 0]


def reference_rows() -> list[tuple[tuple[float, ...], tuple[int, ...], np.ndarray]]:
    """Return (cell edges, offset in cells, components) of the high-precision table."""
    lines = (HERE / "data" / "demag_tensor_reference.csv").read_text().splitlines()
    rows = csv.reader(line for line in lines[1:] if not line.startswith(("#", "dx")))
    return [
        (
            tuple(float(v) for v in row[:3]),
            tuple(int(v) for v in row[3:6]),
            np.array([float(v) for v in row[6:]]),
        )
        for row in rows
    ]


def test_cube_has_a_third_along_each_axis() -> None:
    check = CHECKS["d_cube"]
    tensor = demag_tensor((1, 1, 1), (3e-9, 3e-9, 3e-9))[:, 0, 0, 0]
    assert tensor[DIAGONAL] == pytest.approx([1 / 3] * 3, abs=tolerance_of(check["id"]))
    assert tensor[OFF_DIAGONAL] == pytest.approx([0, 0, 0], abs=tolerance_of(check["id"]))


@pytest.mark.parametrize("number", range(4))
def test_demagnetizing_factors_of_prisms(number: int) -> None:
    check = CHECKS["d_prism"]
    box = check["setup"].removeprefix("box ").split("; ")[number]
    edges = tuple(float(v) * 1e-9 for v in box.split(":"))
    expected = [float(v) for v in check["expected"].split("; ")[number].strip("()").split(",")]
    tensor = demag_tensor((1, 1, 1), edges)[:, 0, 0, 0]  # type: ignore[arg-type]
    assert tensor[DIAGONAL] == pytest.approx(expected, abs=tolerance_of(check["id"]))


def test_newell_values_between_cubes() -> None:
    check = CHECKS["d_newell_cube"]
    self_term, neighbour, edge, corner = (
        [float(v) for v in part.split(",") if "/" not in v]
        for part in check["expected"].split("; ")
    )
    assert self_term == []
    n = demag_tensor((2, 2, 2), (4e-9, 4e-9, 4e-9))
    tolerance = tolerance_of(check["id"])
    assert n[0, 0, 0, 0] == pytest.approx(1 / 3, abs=tolerance)
    assert n[[0, 1], 0, 0, 1] == pytest.approx(neighbour, abs=tolerance)
    assert n[[0, 2, 3], 0, 1, 1] == pytest.approx(edge, abs=tolerance)
    assert n[[0, 3], 1, 1, 1] == pytest.approx(corner, abs=tolerance)


@pytest.mark.parametrize("edges", [(1, 1, 1), (1, 1, 0.1), (4, 4, 1), (1, 1, 10), (50, 50, 1)])
def test_trace_vanishes_between_different_cells(edges: tuple[float, float, float]) -> None:
    n = demag_tensor((40, 30, 20), edges)
    trace = n[DIAGONAL].sum(axis=0)
    assert trace[0, 0, 0] == pytest.approx(1.0, abs=1e-12)
    trace[0, 0, 0] = 0.0
    assert np.abs(trace).max() < tolerance_of("d_trace")
    # Far away against the dipole, whose components are of the order V / (4 pi r^3).
    pair = CellPair(edges)
    for k in (30, 100, 1000, 10000):
        offset = (k * max(edges) / edges[0], 7, 3)
        far = at(pair, *offset)
        r = math.hypot(*(o * e for o, e in zip(offset, edges, strict=True)))
        assert abs(far[DIAGONAL].sum()) < 1e-12 * math.prod(edges) / (4 * math.pi * r**3)


@pytest.mark.parametrize(("edges", "offset", "expected"), reference_rows())
def test_against_sixty_digit_arithmetic(
    edges: tuple[float, float, float], offset: tuple[int, int, int], expected: np.ndarray
) -> None:
    tolerance = 1e-9 if max(edges) / min(edges) > 20 else 1e-11
    error = np.abs(at(CellPair(edges), *offset) - expected).max()
    assert error < tolerance * np.linalg.norm(expected)


@pytest.mark.parametrize("edges", [(1.0, 1.0, 1.0), (1.0, 1.0, 0.1)])
def test_no_cancellation_at_a_thousand_cells(edges: tuple[float, float, float]) -> None:
    assert "must be avoided" in CHECKS["d_cancel"]["tolerance"]
    exact = {e: n for e, o, n in reference_rows() if o == (1000, 0, 0)}[edges]
    ours = at(CellPair(edges), 1000, 0, 0)
    assert ours[DIAGONAL] == pytest.approx(exact[DIAGONAL], rel=1e-9)
    # The trap itself: the closed form alone is useless there.
    naive = newell_tensor(np.array([1000.0]), np.zeros(1), np.zeros(1), edges)
    assert abs(naive[0, 0] / exact[0] - 1) > 10


@pytest.mark.parametrize("edges", [(1, 1, 1), (1, 1, 0.1), (4, 4, 1), (1, 1, 10)])
@pytest.mark.parametrize("distance", [5, 8, 12, 20, 40, 100, 1000])
def test_against_direct_integration_over_both_cells(
    edges: tuple[float, float, float], distance: float
) -> None:
    """The six-fold integral of the dipole kernel by Gauss-Legendre, without the triangle weight."""
    direction = np.array([0.48, 0.6, 0.64])
    offset = np.maximum(np.rint(distance * max(edges) * direction / edges), 0)
    nodes, weights = np.polynomial.legendre.leggauss(5)
    difference = (nodes[:, None] - nodes[None, :]).ravel() / 2
    weight = (weights[:, None] * weights[None, :]).ravel() / 4
    s = [
        (o + difference).reshape([-1 if a == axis else 1 for a in range(3)]) * edges[axis]
        for axis, o in enumerate(offset)
    ]
    s2 = s[0] ** 2 + s[1] ** 2 + s[2] ** 2
    expected = np.array(
        [
            np.einsum(
                "ijk,i,j,k->",
                (float(a == b) - 3 * s[a] * s[b] / s2) / s2**1.5,
                weight,
                weight,
                weight,
            )
            for a, b in INDEX
        ]
    )
    expected *= math.prod(edges) / (4 * math.pi)
    error = np.abs(at(CellPair(edges), *offset) - expected).max()
    assert error < 1e-9 * np.linalg.norm(expected)


@pytest.mark.parametrize("edges", [(1, 1, 1), (1, 1, 0.02), (1, 1, 50), (2, 1, 3)])
def test_uniform_prism_is_the_sum_of_its_cells(edges: tuple[float, float, float]) -> None:
    """The mean field of a uniformly magnetized prism cut into cells equals that of the whole."""
    cells = (12, 9, 7)
    n = demag_tensor(cells, edges)
    # Every offset occurs (n - |i|) times, on both sides: off-diagonal components cancel.
    count = [np.array([m, *(2 * (m - i) for i in range(1, m))]) for m in cells]
    mean = np.einsum("czyx,z,y,x->c", n[DIAGONAL], count[2], count[1], count[0]) / math.prod(cells)
    whole = demag_tensor((1, 1, 1), tuple(m * e for m, e in zip(cells, edges, strict=True)))  # type: ignore[arg-type]
    assert mean == pytest.approx(whole[DIAGONAL, 0, 0, 0], rel=1e-9)


def test_far_series_gains_with_every_term() -> None:
    cell = (2.0, 1.0, 0.5)
    point = np.array([9.0]), np.array([7.0]), np.array([5.0])
    exact = newell_tensor(*point, cell)
    errors = [
        np.abs(FarField(cell)(*point, terms=terms) - exact).max() / np.abs(exact).max()
        for terms in range(1, 5)
    ]
    assert all(later < 0.1 * earlier for earlier, later in itertools.pairwise(errors))
    assert FarField(cell).reach(MAX_TERMS, 1e-11) < 5 * math.hypot(*cell)


@pytest.mark.parametrize("count", [1, 2, 5, 12, 64])
def test_triangle_rule_integrates_polynomials_exactly(count: int) -> None:
    nodes, weights = triangle_rule(count)
    for k in range(count):
        exact = 2 / ((2 * k + 1) * (2 * k + 2))
        assert weights @ nodes ** (2 * k) == pytest.approx(exact, rel=1e-12)
        assert weights @ nodes ** (2 * k + 1) == pytest.approx(0.0, abs=1e-16)


def test_film_with_periodic_images() -> None:
    """d_film_pbc, and the same number from the solid angle of a square plate of all the images."""
    check = CHECKS["d_film_pbc"]
    cells, images = 128, 10
    spectrum = tensor_spectrum((cells, cells, 1), (1e-9, 1e-9, 1e-9), (images, images, 0))
    n_zz = spectrum.octant[2, 0, 0, 0]
    assert n_zz == pytest.approx(check["expected"], abs=tolerance_of(check["id"]))
    half_side, half_thickness = (images + 0.5) * cells, 0.5
    plate = 2 / math.pi * math.asin(half_side**2 / (half_side**2 + half_thickness**2))
    assert n_zz == pytest.approx(plate, abs=1e-6)
    assert spectrum.octant[DIAGONAL, 0, 0, 0].sum() == pytest.approx(1.0, abs=1e-12)


def signed(pair: CellPair, offset: tuple[int, ...]) -> np.ndarray:
    """Return the components at an offset of any sign."""
    values = at(pair, *(abs(o) for o in offset))
    for row, axes in enumerate(ODD_AXES):
        values[row] *= math.prod(math.copysign(1, offset[axis]) for axis in axes)
    return values


def images_of(offset: int, n: int, images: int) -> list[tuple[int, float]]:
    """Return the offsets and weights of a cell and its images in the window about the target."""
    if images == 0:
        return [(offset, 1.0)]
    window = (images + 0.5) * n
    copies = [offset % n + k * n for k in range(-images - 2, images + 2)]
    return [(c, 0.5 if abs(c) == window else 1.0) for c in copies if abs(c) <= window]


def field_by_sums(
    m: np.ndarray, edges: tuple[float, float, float], periodic: tuple[int, int, int]
) -> np.ndarray:
    """Return H = -sum N M by direct sums over all pairs of cells and images."""
    pair = CellPair(edges)
    cells = m.shape[:0:-1]
    field = np.zeros_like(m)
    spans = [range(-n + 1, n) for n in cells]
    for offset in itertools.product(*spans):
        copies = [images_of(o, n, p) for o, n, p in zip(offset, cells, periodic, strict=True)]
        n6 = sum(
            math.prod(weight for _, weight in copy) * signed(pair, tuple(o for o, _ in copy))
            for copy in itertools.product(*copies)
        )
        assert isinstance(n6, np.ndarray)
        tensor = np.empty((3, 3))
        for value, (a, b) in zip(n6, INDEX, strict=True):
            tensor[a, b] = tensor[b, a] = value
        target = [slice(max(0, o), n + min(0, o)) for o, n in zip(offset, cells, strict=True)]
        source = [slice(max(0, -o), n + min(0, -o)) for o, n in zip(offset, cells, strict=True)]
        to, of = (slice(None), *target[::-1]), (slice(None), *source[::-1])
        field[to] -= np.einsum("ab,bzyx->azyx", tensor, m[of])
    return field


def field_by_spectrum(
    m: np.ndarray, edges: tuple[float, float, float], periodic: tuple[int, int, int]
) -> np.ndarray:
    """Return H = -N M through the octant, with the signs that its class documents."""
    cells = m.shape[:0:-1]
    spectrum = tensor_spectrum(cells, edges, periodic)  # type: ignore[arg-type]
    shape = spectrum.lengths[::-1]
    frequency = [np.arange(length) for length in shape]
    fold = [np.minimum(k, length - k) for k, length in zip(frequency, shape, strict=True)]
    sign = [
        np.where(k > length // 2, -1.0, 1.0) for k, length in zip(frequency, shape, strict=True)
    ]
    transform = np.fft.fftn(m, s=shape, axes=(1, 2, 3))
    field = np.zeros_like(transform)
    for row, (a, b) in enumerate(INDEX):
        n = spectrum.octant[row][np.ix_(*fold)].copy()
        for axis in ODD_AXES[row]:
            n *= sign[2 - axis].reshape([-1 if d == 2 - axis else 1 for d in range(3)])
        field[a] -= n * transform[b]
        if a != b:
            field[b] -= n * transform[a]
    whole = np.fft.ifftn(field, axes=(1, 2, 3))
    assert np.abs(whole.imag).max() < 1e-13
    return whole.real[:, : cells[2], : cells[1], : cells[0]]


@pytest.mark.parametrize(
    ("cells", "edges", "periodic"),
    [
        ((5, 4, 3), (1.0, 2.0, 3.0), (0, 0, 0)),
        ((7, 5, 1), (1.0, 1.0, 0.2), (0, 0, 0)),
        ((6, 1, 1), (1.0, 1.0, 1.0), (0, 0, 0)),
        ((1, 1, 4), (5.0, 5.0, 1.0), (0, 0, 0)),
        ((4, 3, 2), (1.0, 1.5, 1.0), (1, 0, 0)),
        ((5, 4, 1), (1.0, 1.0, 0.5), (2, 1, 0)),
        ((3, 4, 2), (1.0, 1.0, 2.0), (1, 1, 1)),
        ((1, 6, 1), (2.0, 1.0, 1.0), (2, 1, 0)),
    ],
)
def test_spectrum_is_the_convolution(
    cells: tuple[int, int, int], edges: tuple[float, float, float], periodic: tuple[int, int, int]
) -> None:
    m = np.random.default_rng(7).normal(size=(3, *cells[::-1]))
    expected = field_by_sums(m, edges, periodic)
    assert field_by_spectrum(m, edges, periodic) == pytest.approx(expected, abs=1e-12)


def test_padded_lengths() -> None:
    assert padded_lengths((256, 64, 1), (0, 0, 0)) == (512, 128, 1)
    assert padded_lengths((100, 61, 7), (0, 0, 3)) == (200, 126, 7)
    assert padded_lengths((1, 2, 11), (5, 0, 0)) == (1, 4, 24)
    for n in range(2, 400):
        length = padded_lengths((n, 1, 1), (0, 0, 0))[0]
        assert length % 2 == 0
        assert 2 * n - 1 <= length <= 2 * n + n // 4 + 4


@pytest.mark.parametrize(
    ("cells", "edges", "periodic", "key"),
    [
        ((0, 1, 1), (1.0, 1.0, 1.0), (0, 0, 0), "mesh.cells"),
        ((1, 1, 1), (1.0, -1.0, 1.0), (0, 0, 0), "mesh.cell_size"),
        ((1, 1, 1), (1.0, math.nan, 1.0), (0, 0, 0), "mesh.cell_size"),
        ((1, 1, 1), (1.0, 1.0, 1.0), (0, -1, 0), "mesh.periodic"),
    ],
)
def test_nonsense_is_refused(
    cells: tuple[int, int, int],
    edges: tuple[float, float, float],
    periodic: tuple[int, int, int],
    key: str,
) -> None:
    with pytest.raises(ConfigError, match=key):
        tensor_spectrum(cells, edges, periodic)
