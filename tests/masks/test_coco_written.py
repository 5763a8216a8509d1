"""COCO files that are written: every field of one image and of many, by hand."""

import io
import json

import numpy as np

from deep_pneumonia.masks.annotation import Annotation, read_as_normal
from deep_pneumonia.masks.coco import read_coco, to_coco, write_coco

MASK = np.array([[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0]], bool)
DRAWN = {
    "image_id": 1,
    "category_id": 1,
    "iscrowd": 1,
    "segmentation": {"size": [3, 4], "counts": [4, 1, 2, 2, 3]},  # column by column
    "bbox": [1, 1, 2, 2],
    "area": 3,
}
EMPTY = {
    "image_id": 1,
    "category_id": 1,
    "iscrowd": 1,
    "segmentation": {"size": [3, 4], "counts": [12]},
    "bbox": [0, 0, 0, 0],
    "area": 0,
}
CATEGORIES = [{"id": 1, "name": "lesion", "supercategory": "finding"}]


def test_the_fields_of_one_image() -> None:
    masks = [Annotation(MASK, "A", "polygon"), read_as_normal((3, 4), reader="A")]
    assert json.loads(to_coco(masks, "/ward/x.png")) == {
        "info": {"description": "Doctors' masks of one radiograph"},
        "images": [{"id": 1, "file_name": "x.png", "height": 3, "width": 4}],
        "categories": CATEGORIES,
        "annotations": [
            {"id": 1, **DRAWN, "attributes": {"reader": "A", "kind": "polygon"}},
            {"id": 2, **EMPTY, "attributes": {"reader": "A (2)", "kind": "normal"}},
        ],
    }


def test_the_fields_of_many_images_and_their_masks() -> None:
    stream = io.StringIO()
    large = Annotation(np.eye(5, dtype=bool), "\0", "pixel")
    first = [Annotation(MASK, "A", "box"), Annotation(MASK, "A", "pixel")]
    write_coco([("a/x.png", first), ("b/x.png", [large])], stream)
    document = json.loads(stream.getvalue())
    assert document["info"] == {"description": "Doctors' masks"}
    assert document["categories"] == CATEGORIES
    assert document["images"] == [
        {"id": 1, "file_name": "a/x.png", "height": 3, "width": 4},
        {"id": 2, "file_name": "b/x.png", "height": 5, "width": 5},
    ]
    one, two, three = document["annotations"]
    assert one == {"id": 1, **DRAWN, "attributes": {"reader": "A", "kind": "box"}}
    assert two == {"id": 2, **DRAWN, "attributes": {"reader": "A (2)", "kind": "pixel"}}
    assert (three["id"], three["image_id"], three["area"]) == (3, 2, 5)
    assert three["attributes"] == {"reader": "?", "kind": "pixel"}
    (found,) = read_coco(document, (5, 5), name="all.json", radiograph="b/x.png")
    np.testing.assert_array_equal(found.mask, large.mask)
    assert len(stream.getvalue().splitlines()) == 7  # one for each annotation


def test_no_image_is_a_file_without_images() -> None:
    stream = io.StringIO()
    write_coco([], stream)
    document = json.loads(stream.getvalue())
    assert (document["images"], document["annotations"]) == ([], [])


def test_a_reader_without_a_name_is_called_reader() -> None:
    stream = io.StringIO()
    write_coco([("x.png", [Annotation(MASK, " ", "pixel")])], stream)
    assert json.loads(stream.getvalue())["annotations"][0]["attributes"]["reader"] == "reader"
