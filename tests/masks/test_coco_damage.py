"""COCO JSON that is damaged or hostile is named in one sentence."""

import pytest

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.masks.coco import read_coco
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
