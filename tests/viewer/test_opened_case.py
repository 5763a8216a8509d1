"""A case as a visitor opens it: files sorted and read, drawings taken over bit for bit."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deep_pneumonia.errors import AnnotationError, DeepPneumoniaError, MaskSizeError, UnreadableFileError
from deep_pneumonia.limits import MAX_CASE_READERS
from deep_pneumonia.masks.annotation import Annotation, write_mask
from deep_pneumonia.masks.coco import to_coco
from deep_pneumonia.viewer.opened_case import drawn, opened, runs, sorted_files
from tests.phantom import draw, save_png

SIZE = (300, 260)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A radiograph, doctors' masks in two formats, and what cannot be read."""
    folder = tmp_path_factory.mktemp("uploads")
    pixels, mask = draw(101, SIZE, lesion=True)
    save_png(pixels, folder / "chest.png")
    save_png(draw(102, SIZE)[0], folder / "other.png")
    write_mask(mask, folder / "doctor_a.png")
    write_mask(mask[:100, :90], folder / "small.png")
    two = [Annotation(mask, "Dr A", "pixel"), Annotation(np.roll(mask, 9, axis=0), "Dr B", "polygon")]
    (folder / "both.json").write_bytes(to_coco(two, "chest.png"))
    (folder / "notes.png").write_text("not a picture")
    (folder / "cut.png").write_bytes((folder / "chest.png").read_bytes()[:5000])
    (folder / "empty.png").write_bytes(b"")
    return folder


@given(arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_runs_and_back_are_the_same_mask(mask: np.ndarray) -> None:
    counts = runs(mask)
    assert sum(counts) == mask.size
    assert np.array_equal(drawn({"reader": "a", "counts": counts}, mask.shape).mask, mask)


def test_runs_begin_with_how_much_is_no_lesion() -> None:
    assert runs(np.array([[True, True], [False, True]])) == [0, 2, 1, 1]
    assert runs(np.zeros((2, 3), bool)) == [6]


@pytest.mark.parametrize(
    "drawing",
    [
        {}, {"reader": "a"}, {"reader": "a", "counts": "x"}, {"reader": "a", "counts": [[1, 2]]}, None, [1],
        {"reader": "a", "counts": [5]}, {"reader": "a", "counts": [-6, 12]}, {"reader": "a", "counts": [2**70]},
        {"reader": "a", "counts": [6], "size": [1, 6]}, {"reader": "a", "counts": [6], "size": "no"},
    ],
)  # fmt: skip
def test_a_malformed_drawing_is_a_named_error(drawing: dict[str, object]) -> None:
    with pytest.raises(AnnotationError, match="drawing"):
        drawn(drawing, (2, 3))


def test_a_drawing_keeps_its_kind_unless_it_contradicts_itself() -> None:
    assert drawn({"reader": "a", "kind": "normal", "counts": [6]}, (2, 3)).kind == "normal"
    assert drawn({"reader": "a", "kind": "normal", "counts": [5, 1]}, (2, 3)).kind == "pixel"
    assert drawn({"reader": "a", "kind": "<script>", "counts": [5, 1]}, (2, 3)).kind == "pixel"


def test_a_drawing_on_a_smaller_copy_covers_the_squares_it_stands_for() -> None:
    mask = drawn({"reader": "a", "size": [2, 2], "counts": [1, 2, 1]}, (3, 4)).mask
    assert mask.tolist() == [[False, False, True, True]] * 2 + [[True, True, False, False]]


def test_files_dropped_together_are_told_apart_by_their_content(files: Path) -> None:
    chest, a, both = (str(files / n) for n in ("chest.png", "doctor_a.png", "both.json"))
    assert sorted_files([a, chest, both], ["x"]) == (chest, ["x", a, both])
    assert sorted_files([chest], [a]) == (chest, [a])
    assert sorted_files([a], []) == (a, [])  # alone it is what was asked to be read
    assert sorted_files([], [a]) == (None, [a])
    with pytest.raises(UnreadableFileError, match=r"2 of these files could be radiographs \(chest.png, other.png\)"):
        sorted_files([chest, str(files / "other.png"), a], [])


def test_every_reader_of_a_file_is_taken_and_no_two_have_one_name(files: Path) -> None:
    case = opened(str(files / "chest.png"), [str(files / n) for n in ("both.json", "doctor_a.png", "doctor_a.png")])
    assert [m.reader for m in case.masks] == ["Dr A", "Dr B", "doctor_a", "doctor_a (2)"]
    assert case.masks[1].kind == "polygon"
    assert np.array_equal(case.masks[0].mask, case.masks[2].mask)


def test_what_was_found_in_each_file_of_masks_is_noted(files: Path, tmp_path: Path) -> None:
    listed = {"images": [{"id": 1, "file_name": "chest.png"}], "annotations": []}
    (tmp_path / "empty.json").write_text(json.dumps(listed))
    masks = [str(files / "both.json"), str(tmp_path / "empty.json"), str(files / "doctor_a.png")]
    case = opened(str(files / "chest.png"), masks)
    assert [m.reader for m in case.masks] == ["Dr A", "Dr B", "doctor_a"]
    assert case.notes[0] == "both.json: Dr A (pixel), Dr B (polygon)"
    assert case.notes[1].startswith("empty.json has no annotation for this radiograph and does not say")
    assert case.notes[2] == "doctor_a.png: doctor_a (pixel)"


def test_drawings_stand_instead_of_files(files: Path) -> None:
    chest = str(files / "chest.png")
    mask = draw(101, SIZE, lesion=True)[1]
    drawings = json.loads(json.dumps([{"reader": "me", "kind": "pixel", "counts": runs(mask)}]))
    case = opened(chest, [str(files / "notes.png")], drawings)
    assert [m.reader for m in case.masks] == ["me"]
    assert np.array_equal(case.masks[0].mask, mask)
    assert opened(chest, [], []).masks == ()


@pytest.mark.parametrize(
    ("file", "masks", "said"),
    [
        ("notes.png", [], "notes.png is not a PNG"),
        ("cut.png", [], "cut.png is damaged"),
        ("empty.png", [], "empty.png is empty"),
        ("gone.png", [], "gone.png is gone; upload it again"),
        ("chest.png", ["doctor_a.png", "gone.png"], "gone.png is gone"),
        ("chest.png", ["cut.png"], "cut.png is damaged"),
        ("chest.png", ["doctor_a.png"] * (MAX_CASE_READERS + 1), f"at most {MAX_CASE_READERS}"),
    ],
)
def test_a_bad_file_is_named_as_its_person_names_it(files: Path, file: str, masks: list[str], said: str) -> None:
    with pytest.raises(DeepPneumoniaError) as caught:
        opened(str(files / file), [str(files / m) for m in masks])
    assert said in str(caught.value)
    assert str(files) not in str(caught.value)


def test_a_mask_of_another_size_says_both_sizes(files: Path) -> None:
    with pytest.raises(MaskSizeError, match=r"small\.png has 100 x 90 pixels .* but its radiograph has 300 x 260"):
        opened(str(files / "chest.png"), [str(files / "small.png")])
