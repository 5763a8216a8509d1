"""COCO JSON: run lengths by hand, polygons, boxes, readers and images."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from deep_pneumonia.errors import AnnotationError, MaskSizeError, UnknownMaskError
from deep_pneumonia.masks import rle
from deep_pneumonia.masks.annotation import Annotation, from_boxes, from_polygons
from deep_pneumonia.masks.any_format import read_annotations
from deep_pneumonia.masks.coco import read_coco, to_coco
from tests.masks.coco_documents import NAME, SIZE, SQUARE, document, read

MASKS = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12))


def compressed(runs: list[int]) -> str:
    """The COCO API's rleToString, character by character."""
    text = ""
    for i, run in enumerate(runs):
        x, more = run - (runs[i - 2] if i > 2 else 0), True
        while more:
            group, x = x & 0x1F, x >> 5
            more = x != (-1 if group & 0x10 else 0)
            text += chr((group | (0x20 if more else 0)) + 48)
    return text


def test_runs_go_down_the_columns_and_start_with_background():
    mask = np.array([[0, 1, 1], [0, 0, 1]], bool)  # columns 00 10 11
    assert rle.encode(mask) == [2, 1, 1, 2]
    assert rle.encode(np.ones((2, 3), bool)) == [0, 6]
    for counts in ([2, 1, 1, 2], "2111", [2, 1, 1, 2, 0]):  # compressed: 2 1 1 and 2 - 1 = 1
        np.testing.assert_array_equal(rle.decode(counts, (2, 3), "x"), mask)


def test_a_compressed_string_by_hand():
    # 100 = 4 + 3 x 32: "4" + more = chr(4 + 32 + 48) = "T", then chr(3 + 48) = "3". 40 = 8 + 32: chr(88) "X", "1".
    # 16 has the sign's bit in its lowest group, so a second follows: chr(16 + 32 + 48) = "`", "0".
    # The fourth run is 8: 8 - 40 = -32, groups 0 and -1: chr(0 + 32 + 48) = "P", chr(31 + 48) = "O".
    assert compressed([100, 40, 16, 8]) == "T3X1`0PO"
    mask = rle.decode("T3X1`0PO", (164, 1), "x")
    assert np.flatnonzero(mask).tolist() == [*range(100, 140), *range(156, 164)]


@given(MASKS)
def test_both_forms_of_runs_give_the_mask_back(mask):
    runs = rle.encode(mask)
    assert sum(runs) == mask.size
    for counts in (runs, compressed(runs)):
        np.testing.assert_array_equal(rle.decode(counts, mask.shape, "x"), mask)


@given(st.lists(st.integers(0, 9), min_size=1).flatmap(lambda runs: st.tuples(st.just(runs), st.text(max_size=30))))
def test_junk_for_runs_is_a_mask_or_a_plain_error(case):
    runs, text = case
    for counts in (runs, text, compressed(runs) + text):
        said = "x has run lengths"
        try:
            assert rle.decode(counts, (3, 4), "x").shape == (3, 4)
        except AnnotationError as error:
            said = str(error)
        assert said.startswith("x has run lengths")


def test_polygons_and_boxes_follow_the_one_rule():
    (polygon,) = read({"segmentation": [SQUARE]})
    assert (polygon.reader, polygon.kind, polygon.mask.sum()) == ("dr_a", "polygon", 4)
    points = list(zip(SQUARE[::2], SQUARE[1::2], strict=True))
    np.testing.assert_array_equal(polygon.mask, from_polygons([points], SIZE, SIZE, reader="").mask)
    (box,) = read({"segmentation": [], "bbox": [1, 0, 2, 3]})
    assert box.kind == "box"
    np.testing.assert_array_equal(box.mask, from_boxes([(1, 0, 2, 3)], SIZE, SIZE, reader="").mask)
    (both,) = read({"segmentation": [SQUARE]}, {"bbox": [4, 0, 1, 1]})
    assert (both.kind, both.mask.sum()) == ("pixel", 5)


def test_a_box_rotates_clockwise_around_its_centre():
    upright = [1, 1, 3, 1]  # centre (2.5, 1.5)
    for where in ({"attributes": {"rotation": 90.0}}, {"rotation": -270}, {"attributes": {"rotation": 450}}):
        (found,) = read({"bbox": upright, "segmentation": [], **where})
        assert (found.kind, np.argwhere(found.mask).tolist()) == ("box", [[0, 2], [1, 2], [2, 2]])
    (flat,) = read({"bbox": upright, "attributes": {"rotation": 360}})
    assert np.argwhere(flat.mask).tolist() == [[1, 1], [1, 2], [1, 3]]
    (leaving,) = read({"bbox": [0, 1, 5, 1], "attributes": {"rotation": 90}})  # CVAT lets corners leave the picture
    assert np.argwhere(leaving.mask).tolist() == [[0, 2], [1, 2], [2, 2], [3, 2]]
    large = {"images": [{"id": 1}], "annotations": [{"image_id": 1, "bbox": [50, 90, 100, 20], "rotation": 45}]}
    corners = read_coco(large, (200, 200), name=NAME)[0].mask
    assert corners[130, 130]  # right of the centre turns to below it
    assert not corners[70, 130]


@pytest.mark.parametrize("annotation", [
    {"segmentation": [SQUARE], "attributes": {"rotation": 30}}, {"bbox": [0, 0, 1, 1], "rotation": "left"},
    {"bbox": [9, 9, 1, 1], "rotation": 45}, {"bbox": [0, 0, 1, 1], "rotation": float("nan")},
])  # fmt: skip
def test_a_rotation_that_cannot_be_drawn_is_rejected(annotation):
    with pytest.raises(AnnotationError, match=r"^dr_a\.json has a (rotated polygon|rotation|shape)"):
        read(annotation)


def test_a_polygon_that_turns_by_whole_circles_is_as_drawn():
    assert read({"segmentation": [SQUARE], "rotation": 720})[0].mask.sum() == 4
    with pytest.raises(AnnotationError, match="has a rotated polygon"):
        read({"segmentation": [SQUARE], "rotation": 361})


def test_empty_polygons_are_ignored():
    assert [(a.kind, a.mask.sum()) for a in read({"segmentation": [[]], "bbox": [0, 0, 2, 1]})] == [("box", 2)]
    assert [a.mask.sum() for a in read({"segmentation": [[], SQUARE]})] == [4]


@pytest.mark.parametrize("annotation", [
    {"bbox": [3, 0, 4, 1]}, {"bbox": [0, 3, 1, 3]}, {"bbox": [-2, 0, 4, 1]}, {"bbox": [8, 8, 1, 1]},
    {"segmentation": [[2 * v for v in SQUARE[:4]] + [9, 3, 1, 3]]}, {"segmentation": [[0, 0, 4, 0, 4, -2]]},
])  # fmt: skip
def test_shapes_drawn_on_a_larger_picture_are_rejected(annotation):
    with pytest.raises(AnnotationError, match=r"^dr_a\.json has a shape from .* leaves the picture's [45] pixels"):
        read(annotation)


def test_what_leaves_the_picture_by_a_rounding_is_cut_off():
    assert read({"bbox": [-1, -0.5, 7, 5.5]})[0].mask.all()


def test_shapes_that_cover_no_pixel_are_no_empty_mask():
    with pytest.raises(AnnotationError, match=r"^dr_a\.json has shapes by dr_a that cover no pixel"):
        read({"bbox": [1.1, 1.1, 0.2, 0.2]})


def test_readers_are_told_apart_where_the_file_does():
    found = read(
        {"bbox": [0, 0, 1, 1], "attributes": {"reader": "B"}},
        {"bbox": [0, 0, 2, 1], "reader": "A"},
        {"bbox": [4, 3, 1, 1], "attributes": {"reader": "B"}},
        {"bbox": [0, 0, 4, 4]},
    )
    assert [(a.reader, int(a.mask.sum())) for a in found] == [("B", 2), ("A", 2), ("dr_a", 16)]


def test_an_image_without_annotations_is_unknown_rather_than_empty():
    several = document({"bbox": [0, 0, 1, 1], "image_id": 8})
    several["images"].append({"id": 8, "file_name": "y.png", "height": 4, "width": 5})
    for each in (several, document()):
        with pytest.raises(UnknownMaskError, match=r"^dr_a\.json has no annotation for this .* its mask is unknown"):
            read_coco(each, SIZE, name=NAME, radiograph="x.png")


def test_run_lengths_without_lesion_are_empty_only_if_the_file_states_their_kind():
    empty = {"segmentation": {"size": [4, 5], "counts": [20]}}
    assert read({**empty, "attributes": {"kind": "pixel"}})[0].is_empty
    with pytest.raises(AnnotationError, match=r"^dr_a\.json has masks by dr_a that cover no pixel"):
        read(empty)


def test_the_radiographs_image_is_chosen_by_name():
    several = document({"bbox": [0, 0, 1, 1]})
    several["images"] += [
        {"id": i, "file_name": n, "height": 4, "width": 5} for i, n in ((8, "a/y.jpg"), (9, "b\\z.png"))
    ]
    several["annotations"] += [{"image_id": 8, "bbox": [0, 0, 2, 2]}, {"image_id": 9, "bbox": [0, 0, 3, 1]}]
    for radiograph, area in (("x.png", 1), ("up/y.jpg", 4), ("y.dcm", 4), ("z.png", 3)):
        assert read_coco(several, SIZE, name=NAME, radiograph=radiograph)[0].mask.sum() == area
    for radiograph in ("q.png", ""):
        with pytest.raises(AnnotationError, match=r"^dr_a\.json has 3 images, none of them"):
            read_coco(several, SIZE, name=NAME, radiograph=radiograph)
    assert read({"bbox": [0, 0, 1, 1]}, file_name="other.png")[0].mask.sum() == 1


NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=9)


@given(
    MASKS, st.lists(st.tuples(NAMES, st.sampled_from(["pixel", "polygon", "box", "normal"])), min_size=1, max_size=4)
)
def test_what_is_written_is_read_back_bit_for_bit(mask, readers):
    masks = [np.zeros_like(mask) if kind == "normal" else mask ^ (i % 2 == 1) for i, (_, kind) in enumerate(readers)]
    written = [Annotation(m, r, k) for m, (r, k) in zip(masks, readers, strict=True)]
    found = read_annotations(to_coco(written, "a/x.png"), mask.shape, name="n.json", radiograph="x.png")
    assert [a.kind for a in found] == [a.kind for a in written]
    assert len({a.reader for a in found}) == len(found)
    for new, old in zip(found, written, strict=True):
        assert new.reader == old.reader or new.reader.startswith(f"{old.reader} (")
        np.testing.assert_array_equal(new.mask, old.mask)


def test_what_is_written_names_no_folder_and_measures_right():
    mask = np.zeros(SIZE, bool)
    mask[1:3, 2:5] = True
    entry = json.loads(to_coco([Annotation(mask, "A", "pixel")], "secret/x.png"))
    assert entry["images"] == [{"id": 1, "file_name": "x.png", "height": 4, "width": 5}]
    assert (entry["annotations"][0]["bbox"], entry["annotations"][0]["area"]) == ([2, 1, 3, 2], 6)
    with pytest.raises(AnnotationError, match="0 masks"):
        to_coco([], "x.png")


def test_another_size_is_an_error():
    with pytest.raises(MaskSizeError, match=r"dr_a\.json has 9 x 5 pixels .* 4 x 5"):
        read({"bbox": [0, 0, 1, 1]}, height=9)
    with pytest.raises(MaskSizeError):
        read({"segmentation": {"size": [5, 4], "counts": [20]}})
