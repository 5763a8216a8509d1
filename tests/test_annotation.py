"""Masks: hand-drawn pictures of a few pixels, and properties that hold for any shape."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from deep_pneumonia.annotation import (
    KINDS,
    MAX_BYTES,
    Annotation,
    from_boxes,
    from_crops,
    from_polygons,
    read_as_normal,
    read_mask,
    write_mask,
)
from deep_pneumonia.errors import AnnotationError, MaskSizeError

MASKS = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12))
COORDINATES = st.floats(-5, 25)
SIDES = st.integers(1, 16)
LESION = np.array([[0, 0, 0], [0, 1, 1]], dtype=np.bool_)


def png(pixels: np.ndarray | Image.Image) -> bytes:
    stream = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(stream, "PNG")
    return stream.getvalue()


def rgba(colour: tuple[int, int, int], alpha: np.ndarray) -> np.ndarray:
    return np.dstack([np.full(alpha.shape, c, np.uint8) for c in colour] + [alpha.astype(np.uint8)])


def test_a_box_covers_the_pixels_whose_centre_it_holds():
    # 4 x 4 frame at 8 x 8: x from 1 to 3 holds the centres of columns 2 to 5, y from 0.5 to 1.5 of rows 1, 2.
    mask = from_boxes([(1, 0.5, 2, 1)], (4, 4), (8, 8), reader="R").mask
    expected = np.zeros((8, 8), bool)
    expected[1:3, 2:6] = True
    np.testing.assert_array_equal(mask, expected)


def test_frame_and_picture_may_have_other_shapes():
    mask = from_boxes([(0, 0, 50, 20)], (20, 100), (2, 4), reader="R").mask
    np.testing.assert_array_equal(mask, [[1, 1, 0, 0], [1, 1, 0, 0]])


def test_a_box_over_the_edge_is_cut_off():
    mask = from_boxes([(-5, -5, 7, 7), (50, 50, 9, 9)], (4, 4), (4, 4), reader="R").mask
    np.testing.assert_array_equal(np.argwhere(mask), [[0, 0], [0, 1], [1, 0], [1, 1]])


def test_a_triangle_by_hand():
    # Right angle at the upper left: the hypotenuse runs through the centres of the diagonal, which count.
    mask = from_polygons([[(0, 0), (4, 0), (0, 4)]], (4, 4), (4, 4), reader="R").mask
    np.testing.assert_array_equal(mask, [[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]])


@given(COORDINATES, COORDINATES, st.floats(0, 20), st.floats(0, 20), SIDES, SIDES)
def test_a_rectangular_polygon_is_the_box(x, y, w, h, height, width):
    frame, size = (20, 20), (height, width)
    corners = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
    box = from_boxes([(x, y, w, h)], frame, size, reader="R")
    polygon = from_polygons([corners], frame, size, reader="R")
    np.testing.assert_array_equal(box.mask, polygon.mask)
    assert (box.kind, polygon.kind) == ("box", "polygon")


@given(
    st.integers(0, 15), st.integers(0, 15), st.integers(1, 16), st.integers(1, 16), st.sampled_from([1, 2, 4])
)
def test_a_whole_numbered_box_is_a_slice_at_any_zoom(x, y, w, h, zoom):
    mask = from_boxes([(x, y, w, h)], (16, 16), (16 * zoom, 16 * zoom), reader="R").mask
    expected = np.zeros_like(mask)
    expected[y * zoom : (y + h) * zoom, x * zoom : (x + w) * zoom] = True
    np.testing.assert_array_equal(mask, expected)


@given(st.lists(st.lists(st.tuples(COORDINATES, COORDINATES), max_size=6), max_size=3), SIDES, SIDES)
def test_several_polygons_are_their_union(polygons, height, width):
    size = (height, width)
    together = from_polygons(polygons, (20, 20), size, reader="R").mask
    single = [from_polygons([p], (20, 20), size, reader="R").mask for p in polygons]
    np.testing.assert_array_equal(together, np.logical_or.reduce([np.zeros(size, bool), *single]))


def test_no_shape_and_a_line_enclose_nothing():
    assert from_boxes([], (4, 4), (4, 4), reader="R").is_empty
    assert from_polygons([[], [(0, 0), (4, 4)]], (4, 4), (4, 4), reader="R").is_empty


@pytest.mark.parametrize(
    "draw",
    [
        lambda: from_boxes([(0, 0, -1, 2)], (4, 4), (4, 4), reader="R"),
        lambda: from_boxes([(float("nan"), 0, 1, 2)], (4, 4), (4, 4), reader="R"),
        lambda: from_polygons([[(0, 0), (4, 0), (0, float("inf"))]], (4, 4), (4, 4), reader="R"),
        lambda: from_polygons([], (0, 4), (4, 4), reader="R"),
        lambda: from_crops([], (4, 4), (4, 0), reader="R"),
        lambda: from_crops([], (100_000, 100_000), (4, 4), reader="R"),
        lambda: read_as_normal((0, 4), reader="R"),
    ],
)
def test_impossible_shapes_and_sizes_are_refused(draw):
    with pytest.raises(AnnotationError):
        draw()


def test_crops_are_pasted_then_fitted():
    annotation = from_crops(
        [(np.ones((1, 2), bool), 3, 0), (np.eye(2, dtype=bool), 0, 2)], (4, 4), (8, 4), reader="R"
    )
    pasted = np.array([[0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [1, 1, 0, 0]], bool)
    np.testing.assert_array_equal(annotation.mask, np.repeat(pasted, 2, axis=0))
    assert annotation.kind == "pixel"


@pytest.mark.parametrize(("top", "left"), [(-1, -1), (3, 3), (9, 9), (-9, 0)])
def test_a_crop_over_the_edge_is_cut_off(top, left):
    mask = from_crops([(np.ones((2, 2), bool), top, left)], (4, 4), (4, 4), reader="R").mask
    expected = np.zeros((12, 12), bool)
    if top > -9:
        expected[top + 2 : top + 4, left + 2 : left + 4] = True
    np.testing.assert_array_equal(mask, expected[2:6, 2:6])


@given(mask=MASKS)
def test_a_written_mask_is_read_back(mask, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "written.png"
    write_mask(mask, path)
    np.testing.assert_array_equal(read_mask(path).mask, mask)
    with Image.open(path) as picture:
        assert picture.mode == "L"
        assert set(np.unique(np.asarray(picture))) <= {0, 255}


def test_writing_leaves_one_file_and_replaces_an_old_one(tmp_path):
    for mask in (LESION, ~LESION):
        write_mask(mask, tmp_path / "m.png")
    assert [p.name for p in tmp_path.iterdir()] == ["m.png"]
    np.testing.assert_array_equal(read_mask(str(tmp_path / "m.png")).mask, ~LESION)


@pytest.mark.parametrize(
    "pixels",
    [
        LESION,
        LESION.astype(np.uint8),
        LESION * np.uint8(255),
        LESION * np.uint8(127) + np.uint8(64),
        LESION.astype(np.uint16),
        LESION * np.uint16(65535),
        LESION * np.uint16(40000),
        np.dstack([LESION * np.uint8(200), LESION * np.uint8(0), LESION * np.uint8(30)]),
        np.dstack([LESION * np.uint8(255), np.full((2, 3), 255, np.uint8)]),
        rgba((0, 0, 0), LESION * 255),
        rgba((255, 255, 255), LESION * 255),
        np.dstack([LESION * np.uint8(255)] * 3 + [np.full((2, 3), 255, np.uint8)]),
        np.dstack([LESION * np.uint8(255), *[np.zeros((2, 3), np.uint8)] * 2, LESION * np.uint8(200)]),
    ],
    ids=[
        "1-bit", "label 0/1", "0/255", "64/191", "16-bit label", "16-bit full", "16-bit", "red",
        "grey, alpha", "black ink on nothing", "white ink on nothing", "opaque colour", "red ink on nothing",
    ],
)  # fmt: skip
def test_every_form_of_png_gives_the_same_mask(pixels):
    np.testing.assert_array_equal(read_mask(png(pixels)).mask, LESION)


def test_a_palette_mask_is_read_by_its_colours():
    image = Image.fromarray(LESION.astype(np.uint8))
    image.putpalette([0, 0, 0, 128, 0, 0])
    np.testing.assert_array_equal(read_mask(png(image)).mask, LESION)


@pytest.mark.parametrize("value", [0, 255])
def test_an_opaque_picture_of_one_colour_is_all_or_nothing(value):
    pixels = rgba((value, value, value), np.full((2, 3), 255))
    assert read_mask(png(pixels)).mask.mean() == (value > 0)


def test_a_mask_too_dark_to_tell_is_refused_instead_of_read_as_empty():
    with pytest.raises(AnnotationError, match="3 of 255"):
        read_mask(png(LESION * np.uint8(3)))


def test_another_size_is_an_error_unless_asked_to_fit():
    data = png(LESION * np.uint8(255))
    assert read_mask(data, (2, 3)).size == (2, 3)
    with pytest.raises(MaskSizeError, match=r"2 rows x 3 columns.*3 x 2"):
        read_mask(data, (3, 2))
    fitted = read_mask(data, (4, 6), fit=True, reader="Dr A", kind="polygon")
    np.testing.assert_array_equal(fitted.mask, LESION.repeat(2, 0).repeat(2, 1))
    assert (fitted.reader, fitted.kind) == ("Dr A", "polygon")


@given(MASKS, st.integers(1, 5))
def test_fitting_to_a_multiple_and_back_changes_nothing(mask, times):
    height, width = mask.shape
    large = read_mask(png(mask), (height * times, width * times), fit=True).mask
    np.testing.assert_array_equal(large, mask.repeat(times, 0).repeat(times, 1))
    np.testing.assert_array_equal(read_mask(png(large), mask.shape, fit=True).mask, mask)


def test_a_huge_picture_in_a_small_file_is_never_unfolded():
    data = png(np.zeros((1, 1), np.uint8))
    huge = data[:16] + (10**5).to_bytes(4, "big") * 2 + data[24:]
    with pytest.raises(AnnotationError, match="more than the 64000000 allowed"):
        read_mask(huge)
    with pytest.raises(AnnotationError, match="damaged"):  # a second header contradicts the first
        read_mask(data[:33] + huge[8:33] + data[33:])
    with pytest.raises(AnnotationError, match="more than 64 MiB"):
        read_mask(data + bytes(MAX_BYTES))


def test_bad_files_are_named(tmp_path):
    jpeg = tmp_path / "mask.jpg"
    Image.fromarray(LESION.astype(np.uint8)).save(jpeg)
    for path in (jpeg, tmp_path / "absent.png", tmp_path):
        with pytest.raises(AnnotationError) as caught:
            read_mask(path)
        assert str(path) in str(caught.value)
        assert str(caught.value).count("\n") == 0
    with pytest.raises(AnnotationError):
        read_mask(b"")


@given(st.data())
def test_damage_gives_a_mask_or_a_plain_error(data):
    whole = bytearray(png(np.tile(LESION * np.uint8(255), (4, 4))))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    with contextlib.suppress(AnnotationError):
        assert read_mask(cut).mask.ndim == 2


def test_an_annotation_owns_its_mask():
    mask = np.zeros((2, 3), bool)
    annotation = Annotation(mask, "Dr A", "pixel")
    mask[0, 0] = True
    assert annotation.is_empty
    assert annotation.size == (2, 3)
    with pytest.raises(ValueError, match="read-only"):
        annotation.mask[0, 0] = True


@pytest.mark.parametrize(
    ("mask", "kind"),
    [
        (np.zeros((2, 3), np.uint8), "pixel"),
        (np.zeros((2, 3, 1), bool), "pixel"),
        (np.zeros((0, 3), bool), "pixel"),
        (np.zeros((2, 3), bool), "circle"),
        (np.ones((2, 3), bool), "normal"),
    ],
)
def test_an_annotation_that_contradicts_itself_is_refused(mask, kind):
    with pytest.raises(AnnotationError):
        Annotation(mask, "Dr A", kind)


def test_read_as_normal_is_known_and_empty():
    annotation = read_as_normal((2, 3), reader="Dr A")
    assert annotation.is_empty
    assert (annotation.size, annotation.kind, annotation.reader) == ((2, 3), "normal", "Dr A")
    assert KINDS == ("pixel", "polygon", "box", "normal")
