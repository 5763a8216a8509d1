"""COCO JSON that is damaged or hostile is named in one sentence."""

import pytest

from deep_pneumonia.errors import AnnotationError, MaskSizeError
from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.masks.coco import is_coco, read_coco
from tests.masks.coco_documents import NAME, SIZE, document, read

HOSTILE = [
    {"segmentation": [[1, 2, 3]]}, {"segmentation": [[1, 2, 3, 4]]}, {"segmentation": [[1, 2] * 2 + ["3", 4]]},
    {"segmentation": [[1e308] * 6]}, {"segmentation": [[10**4000] * 6]}, {"segmentation": [[True] * 6]},
    {"segmentation": [[float("nan")] * 6]}, {"segmentation": [7]}, {"segmentation": "x"}, {"segmentation": 7},
    {"segmentation": {}}, {"segmentation": {"size": [4, 5]}}, {"segmentation": {"size": [4, 5], "counts": [19]}},
    {"segmentation": {"size": [4, 5], "counts": [-1, 21]}}, {"segmentation": {"size": [4, 5], "counts": [1e308]}},
    {"segmentation": {"size": [4, 5], "counts": "é"}}, {"segmentation": {"size": [4, 5], "counts": "ooooooooo0"}},
    {"segmentation": {"size": [10**9, 10**9], "counts": [10**18]}}, {"segmentation": {"size": None, "counts": [20]}},
    {}, {"bbox": None}, {"bbox": [0, 0, 1]}, {"bbox": [0, 0, -1, 1]}, {"bbox": [0, 0, float("inf"), 1]},
    {"bbox": [0, 0, 1, 1], "attributes": {"kind": "normal"}},
]  # fmt: skip


@pytest.mark.parametrize("annotation", HOSTILE, ids=range(len(HOSTILE)))
def test_a_damaged_annotation_is_named_in_one_sentence(annotation):
    with pytest.raises(AnnotationError) as caught:
        read(annotation)
    assert str(caught.value).startswith(NAME)
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("change", [
    {"images": None}, {"images": []}, {"images": [1]}, {"annotations": {}}, {"annotations": [[]]},
    {"images": [{"id": 7, "height": "4", "width": 5}]}, {"images": [{"id": 7, "height": 4}]},
    {"images": [{"id": 7, "height": 4.5, "width": 5}]}, {"images": [{"file_name": 3}, {}]},
    {"annotations": [{"image_id": 7, "bbox": [0, 0, 1, 1], "reader": str(i)} for i in range(65)]},
])  # fmt: skip
def test_a_damaged_document_is_named(change):
    with pytest.raises(AnnotationError, match=r"^dr_a\.json "):
        read_coco({**document(), **change}, SIZE, name="/secret/dr_a.json", radiograph="x.png")


def test_a_small_file_cannot_keep_a_server_busy():
    large = {
        "images": [{"id": 1}],
        "annotations": [{"image_id": 1, "segmentation": [[0, 0, 8000, 0, 8000, 8000]] * 60}],
    }
    with pytest.raises(AnnotationError, match=r"^x\.json has too many or too detailed shapes"):
        read_coco(large, (8000, 8000), name="x.json")


def test_strange_names_of_readers_become_printable():
    (found,) = read({"bbox": [0, 0, 1, 1], "reader": "A\n\ud800" + "b" * 200})
    assert found.reader == "A??" + "b" * 97
    assert [a.reader for a in read({"bbox": [0, 0, 1, 1], "reader": ["x"]})] == ["dr_a"]


IMAGE = {"id": 1, "file_name": "x.png", "height": 4, "width": 5}
BOX = {"image_id": 1, "bbox": [0, 0, 2, 1]}
NOTHING = {"image_id": 1, "segmentation": {"size": [4, 5], "counts": [20]}}


def read_all(*annotations: dict, **options: object) -> list[Annotation]:
    return read_coco({"images": [IMAGE], "annotations": list(annotations)}, (4, 5), name="/secret/a.json", **options)


def test_a_reader_who_says_normal_and_marks_lesion_contradicts_himself() -> None:
    for kind in ("box", None):
        with pytest.raises(AnnotationError, match=r"^a\.json says that a read the radiograph as normal, yet marks"):
            read_all({**NOTHING, "kind": "normal"}, {**BOX, "kind": kind})
    assert [a.kind for a in read_all({**NOTHING, "kind": "normal"})] == ["normal"]
    assert [a.kind for a in read_all({**BOX, "kind": "box"}, {**BOX, "kind": "polygon"})] == ["box"]


@pytest.mark.parametrize("count", [4, 5, 7])
def test_a_polygon_has_x_and_y_of_three_points(count: int) -> None:
    with pytest.raises(AnnotationError, match=rf"^a\.json has a polygon of {count} numbers; expected x and y"):
        read_all({"image_id": 1, "segmentation": [[0, 0, 4, 0, 4, 4, 0][:count]]})


def test_run_lengths_of_another_size_are_named() -> None:
    with pytest.raises(MaskSizeError, match=r"^a\.json has 5 x 4 pixels .* 4 x 5"):
        read_all({"image_id": 1, "segmentation": {"size": [5, 4], "counts": [20]}})


def test_readers_of_normal_images_count_too() -> None:
    both = {
        "images": [IMAGE], "categories": [{"id": 1, "name": "opacity"}, {"id": 2, "name": "normal"}],
        "annotations": [{**BOX, "category_id": 1}, {"image_id": 1, "category_id": 2, "reader": "B"}],
    }  # fmt: skip
    assert len(read_coco(both, (4, 5), name="a.json", readers=2)) == 2
    with pytest.raises(AnnotationError, match="has 2 masks of one radiograph, expected at most 1"):
        read_coco(both, (4, 5), name="a.json", readers=1)


def test_coco_is_known_by_its_keys() -> None:
    assert is_coco({"images": [], "annotations": []})
    for other in ({"images": []}, {"annotations": []}, ["images", "annotations"], None):
        assert not is_coco(other)
