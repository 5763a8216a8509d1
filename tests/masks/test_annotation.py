"""Drawn shapes: hand-worked pictures of a few pixels, and properties that hold for any shape."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.masks.annotation import KINDS, Annotation, from_boxes, from_crops, from_polygons, read_as_normal

COORDINATES = st.floats(-5, 25)
SIDES = st.integers(1, 16)


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


@given(st.integers(0, 15), st.integers(0, 15), st.integers(1, 16), st.integers(1, 16), st.sampled_from([1, 2, 4]))
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
    annotation = from_crops([(np.ones((1, 2), bool), 3, 0), (np.eye(2, dtype=bool), 0, 2)], (4, 4), (8, 4), reader="R")
    pasted = np.array([[0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [1, 1, 0, 0]], bool)
    np.testing.assert_array_equal(annotation.mask, np.repeat(pasted, 2, axis=0))
    assert annotation.kind == "pixel"


def test_overlapping_crops_are_their_union():
    crops = [(np.eye(2, dtype=bool), 0, 0), (~np.eye(2, dtype=bool), 0, 0)]
    assert from_crops(crops, (2, 2), (2, 2), reader="R").mask.all()


@pytest.mark.parametrize(("top", "left"), [(-1, -1), (3, 3), (9, 9), (-9, 0)])
def test_a_crop_over_the_edge_is_cut_off(top, left):
    mask = from_crops([(np.ones((2, 2), bool), top, left)], (4, 4), (4, 4), reader="R").mask
    expected = np.zeros((12, 12), bool)
    if top > -9:
        expected[top + 2 : top + 4, left + 2 : left + 4] = True
    np.testing.assert_array_equal(mask, expected[2:6, 2:6])


def test_a_crop_over_the_lower_edge_keeps_its_rows():
    crop = np.array([[1], [0], [1], [1]], bool)
    mask = from_crops([(crop, 0, 3)], (2, 5), (2, 5), reader="R").mask
    np.testing.assert_array_equal(np.argwhere(mask), [[0, 3]])


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
