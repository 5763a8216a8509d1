"""LabelMe JSON: each shape by hand, and files that are damaged or hostile."""

import base64
import json

import numpy as np
import pytest

from deep_pneumonia.errors import AnnotationError, MaskSizeError, UnknownMaskError
from deep_pneumonia.masks.annotation import Annotation, to_png
from deep_pneumonia.masks.labelme import is_labelme, read_labelme

SIZE = (6, 8)
CROP = np.array([[1, 0, 1], [0, 1, 0]], bool)


def read(*shapes: dict, size: tuple[int, int] = SIZE, **keys: object) -> Annotation:
    document = {"shapes": list(shapes), "imageHeight": size[0], "imageWidth": size[1], **keys}
    (found,) = read_labelme(document, size, name="/secret/dr_a.json")
    return found


def shape(kind: str | None, points: object, **keys: object) -> dict:
    return {"label": "opacity", "shape_type": kind, "points": points, **keys}


def brushed(crop: np.ndarray, points: list, **keys: object) -> dict:
    return shape("mask", points, mask=base64.b64encode(to_png(crop)).decode(), **keys)


def test_a_polygon_and_a_rectangle_by_hand():
    for kind in ("polygon", None, ""):
        found = read(shape(kind, [[1, 1], [4, 1], [4, 3], [1, 3]]), imageData="never decoded")
        assert (found.reader, found.kind, np.argwhere(found.mask).tolist()) == (
            "dr_a", "polygon", [[1, 1], [1, 2], [1, 3], [2, 1], [2, 2], [2, 3]],
        )  # fmt: skip
    for corners in ([[4, 3], [1, 1]], [[1, 1], [4, 1], [4, 3], [1, 3]]):
        box = read(shape("rectangle", corners))
        assert box.kind == "box"
        np.testing.assert_array_equal(box.mask, found.mask)


def test_an_oriented_rectangle_is_drawn_among_the_other_shapes():
    diamond = shape("oriented_rectangle", [[3, 0], [6, 3], [3, 6], [0, 3]])
    found = read(diamond)
    assert (found.kind, found.mask.sum()) == ("box", 24)
    assert found.mask[2, 1]
    assert not found.mask[0, 0]
    both = read(diamond, shape("polygon", [[6, 4], [8, 4], [8, 6], [6, 6]]))
    assert (both.kind, both.mask.sum()) == ("pixel", 28)


@pytest.mark.parametrize(
    "outside",
    [
        shape("polygon", [[1, 1], [16, 1], [16, 3]]),
        shape("rectangle", [[1, 1], [3, 8]]),
        shape("circle", [[20, 2], [24, 2]]),
        shape("oriented_rectangle", [[20, 2], [24, 2], [24, 4], [20, 4]]),
        brushed(CROP, [[8, 1], [10, 2]]),
        brushed(CROP, [[1, 9], [3, 10]]),
    ],
)
def test_a_shape_drawn_on_a_larger_picture_is_rejected(outside):
    with pytest.raises(AnnotationError, match=r"^dr_a\.json has a shape from .* leaves the picture's [68] pixels"):
        read(outside)


def test_the_edge_of_the_picture_may_cut_a_circle():
    found = read(shape("circle", [[0, 3], [4, 3]]))
    assert (found.kind, found.is_empty) == ("polygon", False)


@pytest.mark.parametrize("radius", [0.0, 0.4, 1.0, 2.0, 17.3, 40.0])
def test_a_circle_is_every_pixel_whose_centre_lies_in_it(radius):
    size, centre = (100, 90), (45.5, 50.5)
    found = read(shape("circle", [centre, (centre[0] + radius, centre[1])]), size=size)
    y, x = np.mgrid[:100, :90] + 0.5
    away = np.hypot(x - centre[0], y - centre[1])
    assert found.mask[away <= radius].all()
    assert not found.mask[away > radius + 0.01].any()


def test_a_brushed_mask_is_pasted_where_its_points_say():
    found = read(brushed(CROP, [[2, 1], [4, 2]]))
    expected = np.zeros(SIZE, bool)
    expected[1:3, 2:5] = CROP
    np.testing.assert_array_equal(found.mask, expected)
    assert found.kind == "pixel"
    np.testing.assert_array_equal(read(brushed(CROP, [[-1, -1], [1, 0]])).mask[:1, :2], CROP[1:, 1:])


SQUARE = [[0, 0], [2, 0], [2, 2], [0, 2]]
LARGE = [[0, 0], [8, 0], [8, 6], [0, 6]]


def test_a_missing_size_is_the_radiographs():
    assert read(shape("polygon", SQUARE), imageHeight=None, imageWidth=None).mask.sum() == 4


def test_no_shapes_are_unknown_unless_a_flag_or_a_shape_says_normal():
    for flags in ({}, {"normal": False}, {"good quality": True}, None):
        with pytest.raises(UnknownMaskError, match=r"^dr_a\.json has no shape of a lesion .* set a flag named normal"):
            read(flags=flags)
    for found in (read(flags={"Normal": True}), read(shape("rectangle", [[0, 0], [8, 6]], label="normal"))):
        assert (found.kind, found.is_empty, found.reader) == ("normal", True, "dr_a")
    with pytest.raises(AnnotationError, match="says normal, yet marks lesion"):
        read(shape("polygon", SQUARE), flags={"normal": True})


def test_of_several_labels_the_lesions_counts_or_the_chosen_one():
    opacity, lung = shape("polygon", SQUARE), shape("polygon", LARGE, label="lung")
    assert read(opacity, lung).mask.sum() == 4
    assert read(shape("polygon", SQUARE, label=None)).mask.sum() == 4
    document = {"shapes": [opacity, lung, shape("polygon", LARGE, label="consolidation")]}
    with pytest.raises(AnnotationError, match=r"3 categories \(consolidation, lung, opacity\).*choose with --category"):
        read_labelme(document, SIZE, name="a.json")
    assert read_labelme(document, SIZE, name="a.json", category=["Opacity"])[0].mask.sum() == 4
    with pytest.raises(AnnotationError, match=r"^dr_a\.json annotates only 'lung'"):
        read(lung)
    with pytest.raises(AnnotationError, match="has no category rib"):
        read_labelme(document, SIZE, name="a.json", category=["rib"])


def test_another_size_is_an_error():
    with pytest.raises(MaskSizeError, match=r"^dr_a\.json has 7 x 8 pixels"):
        read(shape("polygon", SQUARE), imageHeight=7)


HOSTILE = [
    shape("line", [[0, 0], [1, 1]]), shape("point", [[0, 0]]), shape("polygon", [[0, 0], [1, 1]]),
    shape("polygon", [[0, 0], [1, 1], [1e308, 0]]), shape("polygon", [[0, 0], [1, 1], [float("nan"), 0]]),
    shape("polygon", [[0, 0], [1, 1], [1]]), shape("polygon", None), shape("polygon", [1, 2, 3]),
    shape("circle", [[0, 0]]), shape("rectangle", [[0, 0]] * 3), shape(["polygon"], [[0, 0]] * 3), {},
    shape("x" * 10_000, []), shape("mask", [[0, 0], [2, 1]]), shape("mask", [[0, 0], [2, 1]], mask="no base64!"),
    shape("mask", [[0, 0], [2, 1]], mask=7), shape("mask", [[0, 0], [2, 1]], mask="AAAA"),
    brushed(CROP, [[0, 0], [3, 1]]), brushed(CROP, [[0, 0], [1e6, 1e6]]),
    shape("mask", [[0, 0], [2, 1]], mask=base64.b64encode(to_png(CROP)[:-30]).decode()),
    shape("mask", [[0, 0], [2, 1]], mask="!" + base64.b64encode(to_png(CROP)).decode()),
]  # fmt: skip


@pytest.mark.parametrize("damaged", HOSTILE, ids=range(len(HOSTILE)))
def test_a_damaged_shape_is_named_in_one_sentence(damaged):
    with pytest.raises(AnnotationError) as caught:
        read(damaged)
    assert str(caught.value).startswith("dr_a.json has ")
    assert len(str(caught.value)) < 350
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("kind", "count"), [("line", 2), ("circle", 4), ("mask", 4), ("oriented_rectangle", 2)])
def test_a_kind_of_shape_with_other_points_is_said(kind, count):
    with pytest.raises(AnnotationError, match=rf"^dr_a\.json has a shape of {count} points and type '{kind}'"):
        read(shape(kind, SQUARE[:count]))


def test_labelme_is_known_by_its_shapes():
    assert is_labelme({"shapes": []})
    for other in ({}, ["shapes"], "shapes", None):
        assert not is_labelme(other)


@pytest.mark.parametrize("change", [{"shapes": None}, {"shapes": [[]]}, {"imageWidth": None}, {"imageHeight": "6"}])
def test_a_damaged_document_is_named(change):
    with pytest.raises(AnnotationError, match=r"^dr_a\.json "):
        read(**change)


def test_what_labelme_writes_is_plain_json():
    assert read(*json.loads(json.dumps([brushed(CROP, [[2, 1], [4, 2]])]))).mask.sum() == 3
