"""Shapes: volumes against closed forms, set identities, and files; regions by number."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from micromag import geometry
from micromag.errors import ConfigError, UnreadableInputError
from micromag.geometry import SHAPES, ShapeField, parse_shape, region_index
from micromag.mesh import Mesh

NM = 1e-9
MESH = Mesh(cells=(50, 40, 6), cell_size=(2 * NM, 2 * NM, 2 * NM))
FINE = Mesh(cells=(250, 200, 1), cell_size=(0.4 * NM, 0.4 * NM, 2 * NM))


def volume(shape, mesh):
    return np.count_nonzero(shape.mask(mesh)) * mesh.cell_volume


def nm(*values):
    return tuple(value * NM for value in values)


@pytest.mark.parametrize(
    ("shape", "area"),
    [
        ({"ellipse": {"size": ["80 nm", "60 nm"]}}, math.pi * 40 * 30),
        ({"ellipse": {"size": ["30 nm", "50 nm"], "center": nm(10, -5, 0)}}, math.pi * 15 * 25),
        ({"cylinder": {"diameter": "60 nm"}}, math.pi * 30**2),
        ({"polygon": {"points": [nm(-30, -20), nm(40, -20), nm(0, 30)]}}, 70 * 50 / 2),
        ({"box": {"size": nm(33.2, 21.7, 2)}}, 33.2 * 21.7),
        ({"strip": {"normal": [1, 1, 0], "from": "0 nm"}}, 100 * 80 / 2),
        ({"rotate": {"shape": {"box": {"size": nm(40, 20, 2)}}, "angle": "30 deg"}}, 40 * 20),
        ({"translate": {"shape": {"ellipse": {"size": nm(30, 30)}}, "by": nm(20, 9, 0)}},
         math.pi * 15**2),
        ({"repeat": {"shape": {"cylinder": {"diameter": "10 nm"}}, "period": nm(20, 20, 0)}},
         20 * math.pi * 5**2),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)  # fmt: skip
def test_areas_agree_with_closed_forms(shape, area):
    # The error of counting centres grows with the length of the outline, about 0.3 % here.
    found = volume(parse_shape(shape), FINE) / (2 * NM)
    assert found == pytest.approx(area * NM**2, rel=0.01)


def test_volumes_of_solids():
    mesh = Mesh(cells=(64, 64, 64), cell_size=nm(1, 1, 1))
    ellipsoid = geometry.Ellipsoid(size=nm(60, 50, 40))
    assert volume(ellipsoid, mesh) == pytest.approx(math.pi / 6 * 60 * 50 * 40 * NM**3, rel=5e-3)
    rod = geometry.Cylinder(diameter=30 * NM, height=40 * NM, axis="x")
    assert volume(rod, mesh) == pytest.approx(math.pi * 15**2 * 40 * NM**3, rel=0.01)
    assert rod.mask(mesh).any(axis=(0, 1)).sum() == 40


def test_the_box_without_a_size_is_the_whole_mesh():
    assert geometry.Box().mask(MESH).all()


@given(shift=st.integers(-30, 30), half=st.booleans(), width=st.integers(1, 10))
def test_boxes_of_whole_cells_are_as_wide_anywhere(shift, half, width):
    center = nm(shift + half, 0, 0)
    mask = geometry.Box(center=center, size=nm(2 * width, 80, 12)).mask(MESH)
    assert mask.any(axis=(0, 1)).sum() == width


@given(cut=st.floats(-49, 49))
def test_shapes_that_touch_share_no_cell_and_leave_none_out(cut):
    left = geometry.Strip(normal="x", to=cut * NM).mask(MESH)
    right = geometry.Strip(normal="x", from_=cut * NM).mask(MESH)
    assert (left ^ right).all()


@pytest.mark.parametrize("shape", ["ellipse", "ellipsoid", "cylinder"])
def test_round_shapes_are_symmetric(shape):
    given = {"cylinder": {"diameter": 60 * NM}, "ellipse": {"size": nm(60, 36)}}
    mask = parse_shape({shape: given.get(shape, {"size": nm(60, 36, 10)})}).mask(MESH)
    for axis in range(3):
        np.testing.assert_array_equal(mask, np.flip(mask, axis))


lengths = st.floats(1, 90).map(lambda value: value * NM)
places = st.tuples(*[st.floats(-50, 50).map(lambda value: value * NM)] * 3)
shapes = st.one_of(
    st.builds(geometry.Box, center=places, size=st.tuples(lengths, lengths, lengths)),
    st.builds(geometry.Ellipse, center=places, size=st.tuples(lengths, lengths)),
    st.builds(geometry.Cylinder, center=places, diameter=lengths, axis=st.sampled_from("xyz")),
    st.builds(geometry.Strip, normal=st.just((1.0, 2.0, 0.5)), to=st.floats(-5e-8, 5e-8)),
)


@settings(max_examples=40, deadline=None)
@given(a=shapes, b=shapes, c=shapes)
def test_set_identities(a, b, c):
    def same(left, right):
        return np.array_equal(left.mask(MESH), right.mask(MESH))

    everything = geometry.Box()
    assert same(a | b, b | a)
    assert same(a & (b | c), (a & b) | (a & c))
    assert same(everything - (a | b), (everything - a) & (everything - b))
    assert same(a - b, a & (everything - b))
    assert same(geometry.Difference((a, b, c)), a - (b | c))
    np.testing.assert_array_equal((a & b).mask(MESH), a.mask(MESH) & b.mask(MESH))
    assert same(a | a, a)


@settings(max_examples=30, deadline=None)
@given(shape=shapes, cells=st.integers(-20, 20))
def test_moving_by_whole_cells_moves_the_mask(shape, cells):
    moved = geometry.Translate(shape=shape, by=nm(2 * cells, 0, 0)).mask(MESH)
    mask = shape.mask(MESH)
    overlap = slice(max(cells, 0), 50 + min(cells, 0)), slice(max(-cells, 0), 50 - max(cells, 0))
    np.testing.assert_array_equal(moved[..., overlap[0]], mask[..., overlap[1]])


def test_a_quarter_turn_is_counterclockwise():
    arm = geometry.Box(center=nm(20, 0, 0), size=nm(40, 4, 12))
    turned = geometry.Rotate(shape=arm, angle="90 deg").mask(MESH)
    np.testing.assert_array_equal(
        turned, geometry.Box(center=nm(0, 20, 0), size=nm(4, 40, 12)).mask(MESH)
    )


def test_an_outline_that_crosses_itself_leaves_a_hole():
    angle = np.pi / 2 + np.arange(5) * 4 * np.pi / 5
    star = geometry.Polygon(
        points=tuple(zip(35e-9 * np.cos(angle), 35e-9 * np.sin(angle), strict=True))
    )
    mask = star.mask(FINE)[0]
    assert not mask[100, 125]
    assert mask.any()


def test_pictures_are_upright_and_black_is_magnet(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    pixels = np.full((40, 50, 4), 255, dtype=np.uint8)
    pixels[:10, :25, :3] = 0  # black at the top left
    pixels[30:, 25:, :3] = 100  # dark grey at the bottom right
    pixels[30:, :25] = 0  # transparent at the bottom left
    pillow.fromarray(pixels, "RGBA").save(tmp_path / "mask.png")
    x, y, _ = MESH.grid()
    top_left = (x < 0) & (y > 20e-9)
    bottom_right = (x > 0) & (y < -20e-9)
    mask = parse_shape({"image": {"file": str(tmp_path / "mask.png")}}).mask(MESH)
    np.testing.assert_array_equal(mask, np.broadcast_to(top_left | bottom_right, MESH.shape))
    darker = geometry.Image(file=tmp_path / "mask.png", threshold=0.3).mask(MESH)
    np.testing.assert_array_equal(darker, np.broadcast_to(top_left, MESH.shape))


def test_masks_come_from_files(tmp_path):
    array = np.random.default_rng(3).random(MESH.shape) < 0.5
    np.save(tmp_path / "full.npy", array)
    np.save(tmp_path / "flat.npy", array[0].astype(np.float32) * 3)
    shape = parse_shape({"file": {"path": str(tmp_path / "full.npy")}})
    np.testing.assert_array_equal(shape.mask(MESH), array)
    flat = parse_shape({"file": str(tmp_path / "flat.npy")}).mask(MESH)
    np.testing.assert_array_equal(flat, np.broadcast_to(array[0], MESH.shape))
    moved = geometry.Translate(shape=shape, by=nm(4, 0, 0)).mask(MESH)
    np.testing.assert_array_equal(moved[..., 2:], array[..., :-2])
    assert not moved[..., :2].any()
    assert (shape | geometry.Box()).input_files() == (tmp_path / "full.npy",)


def test_the_magnet_of_a_magnetization_is_a_shape(tmp_path):
    m = np.zeros((3, *MESH.shape))
    m[2, :, 3:20, 5:30] = -1
    np.save(tmp_path / "m.npy", m)
    np.save(tmp_path / "last.npy", np.moveaxis(m, 0, -1))
    for name in ("m.npy", "last.npy"):
        shape = parse_shape({"file": str(tmp_path / name)})
        np.testing.assert_array_equal(shape.mask(MESH), m[2] != 0)


def test_files_that_do_not_fit_or_cannot_be_read_are_named(tmp_path):
    np.save(tmp_path / "small.npy", np.ones((2, 3)))
    with pytest.raises(ConfigError, match=r"\(6, 40, 50\)"):
        geometry.File(path=tmp_path / "small.npy").mask(MESH)
    (tmp_path / "bad").write_bytes(bytes(range(256)) * 4)
    np.save(tmp_path / "objects.npy", np.array([None, 1]), allow_pickle=True)
    for path in (tmp_path / "bad", tmp_path, tmp_path / "absent", tmp_path / "objects.npy"):
        with pytest.raises(UnreadableInputError):
            geometry.File(path=path).mask(MESH)
        with pytest.raises((UnreadableInputError, ConfigError)):
            geometry.Image(file=path).mask(MESH)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"box": {}, "ellipse": {"size": nm(10, 10)}},
        {"bx": {}},
        "box",
        {"box": {"size": nm(10, 10)}},
        {"box": {"size": nm(10, -10, 10)}},
        {"box": {"size": ["10 nm", "10 A", "10 nm"]}},
        {"box": {"sizes": nm(10, 10, 10)}},
        {"ellipse": {}},
        {"cylinder": {"diameter": "0 nm"}},
        {"cylinder": {"diameter": 1e-8, "axis": "w"}},
        {"strip": {"normal": [0, 0, 0], "to": 0}},
        {"strip": {"normal": "x"}},
        {"strip": {"normal": "x", "from": "1 nm", "to": "1 nm"}},
        {"polygon": {"points": [nm(0, 0), nm(1, 1)]}},
        {"polygon": {"points": [nm(0, 0), nm(1, 1), nm(2, 2)]}},
        {"union": []},
        {"union": {"box": {}}},
        {"difference": [{"box": {}}, {"bx": {}}]},
        {"repeat": {"shape": {"box": {}}, "period": [0, 0, 0]}},
        {"image": {"file": "mask.png", "threshold": 0}},
    ],
)
def test_wrong_shapes_are_refused(data):
    with pytest.raises(ValidationError):
        parse_shape(data)


def test_errors_inside_nested_shapes_keep_their_place():
    class Part(BaseModel):
        geometry: ShapeField

    data = {"union": [{"box": {}}, {"difference": [{"box": {}}, {"box": {"size": 3}}]}]}
    with pytest.raises(ValidationError) as caught:
        Part.model_validate({"geometry": data})
    (error,) = caught.value.errors()
    assert error["loc"] == ("geometry", "union", 1, "difference", 1, "box", "size")


def test_dumps_read_back_equal():
    box = geometry.Box(size=nm(10, 20, 30))
    shape = geometry.Union((box - geometry.Strip(normal="x", from_=0), box & geometry.Box()))
    assert parse_shape({"union": shape.model_dump(mode="json")}) == shape


def test_every_key_has_a_documented_class():
    for key in SHAPES.keys():
        cls = SHAPES.get(key)
        assert cls.__doc__
        assert getattr(geometry, cls.__name__) is cls


def test_later_regions_win():
    regions = {
        "left": geometry.Strip(normal="x", to=10 * NM),
        "spot": geometry.Cylinder(diameter=20 * NM),
    }
    numbers, names = region_index(MESH, regions)
    assert names == ("default", "left", "spot")
    spot = regions["spot"].mask(MESH)
    np.testing.assert_array_equal(numbers == 2, spot)
    np.testing.assert_array_equal(numbers == 1, regions["left"].mask(MESH) & ~spot)
    np.testing.assert_array_equal(region_index(MESH, regions).mask("default"), numbers == 0)


@pytest.mark.parametrize("shift", [(0, 0), (7, -3)])
@pytest.mark.parametrize("cells", [(40, 24, 1), (11, 9, 8)])
def test_regions_are_those_of_the_plain_evaluation_of_every_shape(cells, shift):
    mesh = Mesh(cells=cells, cell_size=nm(4, 3, 5), window={"follow": "wall"})
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(6):
        for key, shape in some_shapes(rng, mesh).items():
            expected = shape.mask(mesh, shift)
            numbers, _ = region_index(mesh, {key: shape}, shift)
            np.testing.assert_array_equal(numbers, expected, err_msg=repr(shape))
            found += expected.any()
    assert found > 40


def some_shapes(rng, mesh):
    """Return a shape of every kind that needs no file, somewhere on the mesh or beside it."""

    def place():
        return tuple(rng.uniform(-0.6, 0.6, 3) * mesh.size)

    def extents(count=3):
        return tuple(rng.uniform(2e-9, 40e-9, count))

    def box():
        return geometry.Box(center=place(), size=extents())

    return {
        "box": box(),
        "faces on centres": geometry.Box(center=nm(2, 1.5, 2.5), size=nm(8, 6, 10)),
        "cylinder": geometry.Cylinder(
            diameter=20e-9, height=12e-9, axis=rng.choice(list("xyz")), center=place()
        ),
        "endless cylinder": geometry.Cylinder(diameter=9e-9, axis="y", center=place()),
        "difference": geometry.Ellipse(size=extents(2), center=place()) - box(),
        "ellipse": geometry.Ellipse(size=extents(2), center=place()),
        "ellipsoid": geometry.Ellipsoid(size=extents(), center=place()),
        "intersection": box() & geometry.Ellipsoid(size=extents(), center=place()),
        "nothing in common": box() & geometry.Box(center=nm(500, 0, 0), size=nm(9, 9, 9)),
        "polygon": geometry.Polygon(points=[place()[:2] for _ in range(4)]),
        "repeat": geometry.Repeat(shape=geometry.Box(size=nm(3, 3, 9)), period=nm(37, 29, 0)),
        "rotate": geometry.Rotate(shape=box(), angle=0.7, axis=(1, 2, 3)),
        "strip": geometry.Strip.model_validate({"normal": [1, 2, 0], "from": 0, "to": 6e-9}),
        "translate": geometry.Translate(shape=box(), by=place()),
        "union": box() | geometry.Ellipse(size=extents(2), center=place()),
    }


def test_bounds_hold_every_shape_that_needs_no_file():
    named = {"box", "cylinder", "difference", "ellipse", "ellipsoid", "intersection", "polygon"}
    named |= {"repeat", "rotate", "strip", "translate", "union"}
    assert named | {"file", "image"} == set(SHAPES.keys())
    mesh = Mesh(cells=(80, 60, 40), cell_size=nm(1, 1, 1))
    for key, shape in some_shapes(np.random.default_rng(4), mesh).items():
        for axis, (lower, upper) in enumerate(shape.bounds(mesh)):
            where = np.moveaxis(shape.mask(mesh), 2 - axis, 0).any(axis=(1, 2))
            reached = mesh.centres(axis)[where]
            assert ((reached >= lower - 1e-12) & (reached <= upper + 1e-12)).all(), key


def test_more_than_256_regions():
    strips = {
        f"r{i}": geometry.Strip(normal="x", from_=(i - 200) * 0.4 * NM / 2, to=2e-7)
        for i in range(400)
    }
    mesh = Mesh(cells=(400, 1, 1), cell_size=nm(0.2, 1, 1))
    numbers, _ = region_index(mesh, strips)
    np.testing.assert_array_equal(np.unique(numbers), np.arange(1, 401))


def test_a_region_without_cells_is_an_error():
    with pytest.raises(ConfigError, match=r"far.*contains no cell") as caught:
        region_index(MESH, {"far": geometry.Box(center=(1e-6, 0, 0), size=nm(10, 10, 10))})
    assert "-50 to 50 nm" in str(caught.value)
