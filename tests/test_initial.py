"""Recipes for the initial magnetization: norms, profiles, charges, signs, seeds and painting."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from micromag import geometry, initial
from micromag.errors import ConfigError, UnreadableInputError
from micromag.geometry import region_index
from micromag.initial import RECIPES, check_names, initial_magnetization
from micromag.mesh import Mesh

NM = 1e-9
MESH = Mesh(cells=(64, 48, 2), cell_size=(4 * NM, 4 * NM, 2 * NM))
STRIP = Mesh(cells=(200, 8, 1), cell_size=(2 * NM, 2 * NM, 2 * NM))
FILM = Mesh(cells=(120, 120, 1), cell_size=(1 * NM, 1 * NM, 1 * NM))
FORM: TypeAdapter[initial.InitialState] = TypeAdapter(initial.InitialField)


def make(data, mesh=MESH, seed=1, **options):
    state = FORM.validate_python(data) if isinstance(data, dict) else data
    return initial_magnetization(state, mesh, np.random.default_rng(seed), **options)


def wall(**parameters):
    return {"domain_wall": {"kind": "bloch", "from": "+z", "to": "-z", **parameters}}


def solid_angle(a, b, c):
    """Signed solid angle of spherical triangles (Berg and Luescher, Nucl. Phys. B 190, 412 (1981))."""
    dots = [(u * v).sum(axis=0) for u, v in ((a, b), (b, c), (c, a))]
    triple = (a * np.cross(b, c, axis=0)).sum(axis=0)
    return 2 * np.arctan2(triple, 1 + sum(dots))


def topological_charge(m):
    """Q of one layer, shape (3, ny, nx), from two triangles per plaquette."""
    a, b, c, d = m[:, :-1, :-1], m[:, :-1, 1:], m[:, 1:, 1:], m[:, 1:, :-1]
    return (solid_angle(a, b, c).sum() + solid_angle(a, c, d).sum()) / (4 * math.pi)


def gradients(m, mesh):
    """Return dm/dx and dm/dy of one layer by central differences."""
    dy, dx = (np.gradient(m, mesh.cell_size[k], axis=axis) for axis, k in ((1, 1), (2, 0)))
    return dx, dy


EXAMPLES = [
    {"uniform": {"direction": [1, 2, -3]}},
    {"random": {}},
    {"vortex": {}},
    {"vortex": {"center": [2 * NM, 2 * NM, 0], "core_radius": "1 nm"}},
    {"antivortex": {"polarity": -1}},
    {"skyrmion": {"kind": "neel"}},
    {"skyrmion": {"kind": "bloch", "radius": "5 nm", "width": "0.1 nm"}},
    wall(),
    wall(kind="neel", normal=[1, 1, 0], position="20 nm", width="0.1 nm", angle="30 deg"),
    wall(**{"kind": "transverse", "from": "x", "to": "-x"}),
    wall(**{"kind": "vortex", "from": "-y", "to": "y", "normal": "y", "width": "80 nm"}),
    {"two_domain": {"from": "z", "wall": "y", "to": "x"}},
    {"default": {"random": {}}},
]


@pytest.mark.parametrize("data", EXAMPLES, ids=lambda data: next(iter(data)))
def test_vectors_have_length_one_and_forms_read_back_equal(data):
    m = make(data)
    assert m.shape == (3, *MESH.shape)
    assert m.dtype == np.float64
    np.testing.assert_allclose((m * m).sum(axis=0), 1, rtol=0, atol=1e-15)
    state = FORM.validate_python(data)
    assert FORM.validate_python(FORM.dump_python(state, mode="json")) == state


def test_uniform_is_normalised():
    np.testing.assert_allclose(
        make({"uniform": {"direction": [1e-200, 0, -1e-200]}})[:, 0, 0, 0],
        [math.sqrt(0.5), 0, -math.sqrt(0.5)],
    )


def test_random_depends_on_the_seed_alone():
    first = make({"random": {}}, seed=5)
    np.testing.assert_array_equal(first, make({"random": {}}, seed=5))
    assert not np.array_equal(first, make({"random": {}}, seed=6))
    # These digits may never change: runs are repeated from their seed.
    np.testing.assert_allclose(
        first[:, 0, 0, 0],
        [0.28214421732931383, -0.7404643858111666, -0.6100058474907603],
        rtol=1e-14,
    )


def test_random_is_uniform_on_the_sphere():
    mesh = Mesh(cells=(100, 100, 10), cell_size=(NM, NM, NM))
    m = make({"random": {}}, mesh).reshape(3, -1)
    n = m.shape[1]
    np.testing.assert_allclose(m.mean(axis=1), 0, atol=5 / math.sqrt(3 * n))
    np.testing.assert_allclose(m @ m.T / n, np.eye(3) / 3, atol=5 / math.sqrt(n) / 3)
    neighbours = (m[:, 1:] * m[:, :-1]).sum(axis=0).mean()
    assert abs(neighbours) < 5 / math.sqrt(3 * n)


@pytest.mark.parametrize(
    ("kind", "middle"), [("bloch", [0, 1, 0]), ("neel", [1, 0, 0])], ids=["bloch", "neel"]
)
def test_walls_have_the_exact_profile(kind, middle):
    delta, q = 7 * NM, 33 * NM
    m = make(wall(kind=kind, width=delta, position=q), STRIP)[:, 0, 0, :]
    x = (STRIP.centres(0) - q) / delta
    theta = 2 * np.arctan(np.exp(x))
    np.testing.assert_allclose(m[2], np.cos(theta), atol=1e-14)
    np.testing.assert_allclose(m[2], -np.tanh(x), atol=1e-14)
    np.testing.assert_allclose(m[:2], np.outer(middle[:2], np.sin(theta)), atol=1e-14)


def test_the_wall_parameter_is_two_cells_by_default():
    implicit, explicit = make(wall(), STRIP), make(wall(width=4 * NM), STRIP)
    np.testing.assert_allclose(implicit, explicit, atol=1e-14)


def test_the_angle_turns_bloch_into_neel():
    for angle in (0.0, 0.4, math.pi / 2):
        bloch = make(wall(angle=angle), STRIP)
        neel = make(wall(kind="neel", angle=math.pi / 2 + angle), STRIP)
        np.testing.assert_allclose(bloch, neel, atol=1e-14)


def interfacial_dmi(m, mesh):
    """Return the mean of m_z div m - (m . grad) m_z, whose coefficient is D."""
    dx, dy = gradients(m, mesh)
    return (m[2] * (dx[0] + dy[1]) - m[0] * dx[2] - m[1] * dy[2]).mean()


def bulk_dmi(m, mesh):
    """Return the mean of m . curl m, whose coefficient is D."""
    dx, dy = gradients(m, mesh)
    curl = np.stack([dy[2], -dx[2], dx[1] - dy[0]])
    return (m * curl).sum(axis=0).mean()


def test_the_left_handed_neel_wall_is_the_one_that_interfacial_dmi_prefers():
    left = make(wall(kind="neel", angle="180 deg"), STRIP)[:, 0]
    right = make(wall(kind="neel"), STRIP)[:, 0]
    assert left[0].min() < -0.9  # up to down along x with m_x < 0, for D > 0
    assert interfacial_dmi(left, STRIP) < 0 < interfacial_dmi(right, STRIP)


@pytest.mark.parametrize("sign", [1, -1])
def test_head_to_head_walls_carry_the_magnetic_charge_of_two_ends(sign):
    names = {"from": "+x" if sign > 0 else "-x", "to": "-x" if sign > 0 else "+x"}
    for kind in ("transverse", "vortex"):
        m = make(wall(kind=kind, **names), STRIP)
        charge = -(m[0, ..., -1] - m[0, ..., 0]).mean()
        assert charge == pytest.approx(2 * sign, abs=1e-12)
    transverse = make(wall(kind="transverse", **names), STRIP)
    assert transverse[1].max() > 0.9
    np.testing.assert_allclose(transverse[2], 0, atol=1e-15)


@pytest.mark.parametrize("normal", ["x", "-x", "y", "-y"])
def test_the_vortex_wall_holds_one_vortex(normal):
    sign, axis = (-1 if normal[0] == "-" else 1), "xy".index(normal[-1])
    opposite = normal[1:] if sign < 0 else f"-{normal}"
    mesh = Mesh(cells=(120, 40, 1) if axis == 0 else (40, 120, 1), cell_size=(4 * NM,) * 3)
    data = wall(
        **{"kind": "vortex", "from": normal, "to": opposite, "normal": normal},
        circulation=-1,
        polarity=-1,
        position="40 nm",
    )
    m = make(data, mesh)
    core = np.unravel_index(np.argmin(m[2, 0]), mesh.shape[1:])
    place = mesh.centres(axis)[core[1 - axis]]
    assert place == pytest.approx(sign * 40 * NM, abs=4 * NM)
    assert m[2].min() < -0.8
    assert m[2].max() < 1e-12
    # The half below the core runs with the circulation, the half above against it.
    x, y, _ = mesh.grid()
    x, y = (x - sign * 40 * NM, y) if axis == 0 else (x, y - sign * 40 * NM)
    inside = (np.hypot(x, y) > 20 * NM) & (np.hypot(x, y) < 70 * NM)
    swirl = (x * m[1] - y * m[0]) / np.hypot(x, y)
    np.testing.assert_allclose(swirl[inside], -1, atol=1e-12)


@pytest.mark.parametrize("circulation", [1, -1])
@pytest.mark.parametrize("polarity", [1, -1])
def test_vortex_and_antivortex_cores(circulation, polarity):
    signs = {"circulation": circulation, "polarity": polarity}
    x, y, _ = FILM.grid()
    r = np.hypot(x, y)
    for name, winding in (("vortex", 1), ("antivortex", -1)):
        m = make({name: {**signs, "core_radius": 8 * NM}}, FILM)
        assert m[2, 0, 60, 60] * polarity > 0.9
        far = np.broadcast_to(r > 8 * NM, FILM.shape)
        np.testing.assert_allclose(m[2][far], 0, atol=1e-15)
        assert topological_charge(m[:, 0]) == pytest.approx(winding * polarity / 2, abs=1e-3)
        if name == "vortex":
            np.testing.assert_allclose(((x * m[1] - y * m[0]) / r)[far], circulation, atol=1e-12)
        else:
            np.testing.assert_allclose((m[0] * r / -x)[far], circulation, atol=1e-12)


@pytest.mark.parametrize("kind", ["neel", "bloch"])
@pytest.mark.parametrize("handedness", ["left", "right", None])
@pytest.mark.parametrize("polarity", [1, -1])
def test_skyrmions(kind, handedness, polarity):
    data = {"kind": kind, "polarity": polarity, "radius": 15 * NM, "width": 4 * NM}
    if handedness:
        data["handedness"] = handedness
    m = make({"skyrmion": data}, FILM)[:, 0]
    assert topological_charge(m) == pytest.approx(polarity, abs=1e-3)
    assert m[2, 60, 60] * polarity > 0.99
    assert m[2, 0, 0] * polarity < -0.999
    # m_z crosses zero at the radius: between the centres 14.5 and 15.5 nm from the middle.
    assert m[2, 60, 74] * polarity > 0 > m[2, 60, 76] * polarity
    energy = (interfacial_dmi if kind == "neel" else bulk_dmi)(m, FILM)
    preferred = {"neel": "left", "bloch": "right"}[kind]
    assert (energy < 0) == (handedness in (None, preferred))
    other = (bulk_dmi if kind == "neel" else interfacial_dmi)(m, FILM)
    assert abs(other) < 1e-6 * abs(energy)


@settings(max_examples=20, deadline=None)
@given(radius=st.floats(8, 20), ratio=st.floats(2.5, 30), cx=st.floats(-9, 9), cy=st.floats(-9, 9))
def test_every_isolated_skyrmion_has_charge_minus_one(radius, ratio, cx, cy):
    width = max(radius / ratio, 1.0)
    state = initial.Skyrmion(
        kind="neel",
        radius=radius * NM,
        width=min(width, 4.0) * NM,
        center=(cx * NM, cy * NM, 0),
    )
    assert topological_charge(make(state, FILM)[:, 0]) == pytest.approx(-1, abs=1e-3)


def test_two_domains_need_not_be_opposite():
    data = {"from": "z", "wall": "y", "to": "x", "position": "100 nm", "width": "5 nm"}
    m = make({"two_domain": data}, STRIP)[:, 0, 0]
    np.testing.assert_allclose(m[:, 0], [0, 0, 1], atol=1e-9)
    np.testing.assert_allclose(m[:, -1], [1, 0, 0], atol=1e-8)
    assert STRIP.centres(0)[m[1].argmax()] == pytest.approx(100 * NM, abs=2 * NM)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (wall(position="1 um"), "-128 nm to 128 nm"),
        (wall(normal="x", position=-129 * NM), "-128 nm to 128 nm"),
        ({"vortex": {"center": [0, 200 * NM, 0]}}, "-96 to 96 nm"),
        ({"skyrmion": {"kind": "neel", "center": [200 * NM, 0, 0]}}, "-128 to 128 nm"),
        (wall(**{"kind": "vortex", "from": "x", "to": "-x", "width": "8 nm"}), "at least 24 nm"),
    ],
)
def test_what_lies_outside_the_mesh_is_answered_with_the_range(data, words):
    for act in (make, lambda data: FORM.validate_python(data).check(MESH)):
        with pytest.raises(ConfigError) as caught:
            act(data)
        assert words in str(caught.value)


def test_a_wall_needs_cells_along_its_normal():
    with pytest.raises(ConfigError, match="only one cell along the normal"):
        make(wall(**{"normal": "z", "from": "x", "to": "-x"}), STRIP)


@pytest.mark.parametrize(
    "data",
    [
        {},
        3,
        "random",
        {"vortx": {}},
        {"vortex": {}, "random": {}},
        {"vortex": {}, "hole": {"random": {}}},
        {"default": {"random": {}}, "hole": {"rndom": {}}},
        {"default": {}},
        {"uniform": {}},
        {"uniform": {"direction": [0, 0, 0]}},
        {"uniform": {"direction": "up"}},
        {"uniform": {"direction": [1, 0]}},
        {"uniform": {"direction": [1, 0, float("nan")]}},
        {"random": {"seed": 3}},
        {"vortex": {"circulation": 2}},
        {"vortex": {"circulation": True}},
        {"vortex": {"polarity": 0}},
        {"vortex": {"core_radius": "0 nm"}},
        {"skyrmion": {}},
        {"skyrmion": {"kind": "neel", "radius": "-5 nm"}},
        {"skyrmion": {"kind": "neel", "handedness": "up"}},
        {"domain_wall": {"kind": "bloch"}},
        wall(to="+z"),
        wall(to="+x"),
        wall(kind="transverse"),
        wall(**{"from": "x", "to": "-x"}),
        wall(kind="vortex", normal="z"),
        wall(width=0),
        wall(angle="3 nm"),
        wall(circulation=1),
        wall(**{"kind": "vortex", "from": "x", "to": "-x", "angle": 0}),
        {"two_domain": {"from": "z", "wall": "z", "to": "-z"}},
        {"file": {"path": "start.ovf", "snapshot": 1.5}},
        {"file": {"path": "start.ovf", "resample": "maybe"}},
    ],
)
def test_wrong_recipes_are_refused(data):
    with pytest.raises(ValidationError):
        FORM.validate_python(data)


HOLE = geometry.Cylinder(diameter=60 * NM)


def test_regions_are_painted_apart():
    regions = region_index(MESH, {"hole": HOLE})
    hole = regions.mask("hole")
    data = {"default": {"random": {}}, "hole": {"uniform": {"direction": "z"}}}
    m = make(data, regions=regions)
    np.testing.assert_array_equal(m[:, hole], np.broadcast_to([[0], [0], [1]], (3, hole.sum())))
    np.testing.assert_array_equal(m[:, ~hole], make({"random": {}})[:, ~hole])
    # What the other regions hold, and how many are random, changes no cell's direction.
    reverse = make({"hole": {"random": {}}, "default": {"random": {}}}, regions=regions)
    np.testing.assert_array_equal(reverse, make({"random": {}}))


def test_a_painting_covers_every_cell_of_the_magnet():
    regions = region_index(MESH, {"hole": HOLE})
    only_hole = {"hole": {"random": {}}}
    with pytest.raises(ConfigError, match="no initial magnetization for default"):
        make(only_hole, regions=regions)
    m = make(only_hole, regions=regions, filled=regions.mask("hole"))
    np.testing.assert_array_equal(m.any(axis=0), regions.mask("hole"))


def test_names_of_regions_are_checked():
    painting = FORM.validate_python({"default": {"random": {}}, "hole": {"random": {}}})
    check_names(painting, ["hole", "other"])
    with pytest.raises(PydanticCustomError, match="no region is called 'hole'"):
        check_names(painting, ["hull"])
    recipe = FORM.validate_python({"vortex": {}})
    check_names(recipe, ["hole"])
    with pytest.raises(PydanticCustomError, match="'vortex' is a recipe and also a region"):
        check_names(recipe, ["vortex"])


def test_files_are_copied_or_resampled_by_position(tmp_path):
    m = make({"random": {}})
    np.save(tmp_path / "start.npy", m)
    np.testing.assert_allclose(make({"file": str(tmp_path / "start.npy")}), m, rtol=1e-15)
    coarse = Mesh(cells=(32, 24, 1), cell_size=(8 * NM, 8 * NM, 4 * NM))
    with pytest.raises(ConfigError) as caught:
        make({"file": str(tmp_path / "start.npy")}, coarse)
    assert "64 x 48 x 2" in str(caught.value)
    assert "32 x 24 x 1 cells of 8 x 8 x 4 nm" in str(caught.value)
    resampled = make({"file": {"path": str(tmp_path / "start.npy"), "resample": True}}, coarse)
    # A centre of the coarse mesh is a corner of the fine one: faces belong to the upper cell.
    np.testing.assert_allclose(resampled[:, 0], m[:, 1, 1::2, 1::2], rtol=1e-15)


def test_empty_cells_of_a_file_must_be_empty_in_the_run(tmp_path):
    mask = HOLE.mask(MESH)
    np.save(tmp_path / "disk.npy", make({"vortex": {}}, filled=mask))
    state = initial.File(path=tmp_path / "disk.npy")
    np.testing.assert_array_equal(make(state, filled=mask).any(axis=0), mask)
    with pytest.raises(ConfigError, match="no initial magnetization for") as caught:
        make(state)
    assert "geometry: {file: ...} of the same file" in str(caught.value)


def test_components_last_are_understood_and_other_shapes_are_named(tmp_path):
    film = Mesh(cells=(8, 4, 1), cell_size=(4e-9, 4e-9, 4e-9))
    m = np.zeros((3, *film.shape))
    m[1] = 1
    np.save(tmp_path / "last.npy", np.moveaxis(m, 0, -1))
    rng = np.random.default_rng(1)
    np.testing.assert_array_equal(
        initial.File(path=tmp_path / "last.npy").magnetization(film, rng), m
    )
    np.save(tmp_path / "two.npy", m[0])
    with pytest.raises(UnreadableInputError, match=r"\(3, nz, ny, nx\) or \(nz, ny, nx, 3\)"):
        initial.File(path=tmp_path / "two.npy").magnetization(film, rng)


def test_unreadable_files_are_named(tmp_path):
    (tmp_path / "noise").write_bytes(bytes(range(256)))
    for path in (tmp_path / "noise", tmp_path / "absent", tmp_path):
        with pytest.raises(UnreadableInputError):
            make(initial.File(path=path))


def test_every_key_has_a_documented_class():
    for key in RECIPES.keys():
        cls = RECIPES.get(key)
        assert cls.__doc__
        assert getattr(initial, cls.__name__) is cls
