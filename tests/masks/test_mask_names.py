"""Names of files, folders and categories: which are masks of lesions, of which radiograph, and which are not."""

from pathlib import PurePath

import pytest

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.masks.lesion_names import chosen, is_normal, is_other, words
from deep_pneumonia.masks.mask_names import bare, folder_role, mask_names, place


@pytest.mark.parametrize(
    ("name", "expected"),
    [("leftMask", ["left", "mask"]), ("Left_mask", ["left", "mask"]), ("  GROUND-truth 2 ", ["ground", "truth", "2"]),
     ("u\u0308ber", ["\u00fcber"]), ("", []), ("MASK", ["mask"])],
)  # fmt: skip
def test_words_of_a_name(name: str, expected: list[str]) -> None:
    assert words(name) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a/chest.png", "chest"), ("chest.DICOM", "chest"), ("chest.v2", "chest.v2"), ("chest.1.png", "chest.1"),
     ("u\u0308.png", "\u00fc"), ("chest", "chest")],
)  # fmt: skip
def test_a_name_without_a_known_ending(path: str, expected: str) -> None:
    assert bare(PurePath(path)) == expected


@pytest.mark.parametrize(
    ("folder", "role"),
    [
        ("masks", "mask"), ("Ground-truths", "mask"), ("groundtruth", "mask"), ("gt", "mask"), ("labels", "mask"),
        ("infection masks", "mask"), ("lung lesion masks", "mask"), ("lesionmask", "mask"), ("mask of Ana", "mask"),
        ("SegmentationClass", "mask"), ("chest_annotations", "mask"), ("xgroundtruth", "mask"), ("ManualMask", "mask"),
        ("lung masks", "other"), ("lungmask", "other"), ("leftMask", "other"), ("heart_seg", "other"),
        ("lungmasks", "other"), ("mask of lungs", "other"), ("masks right", "other"), ("infection lungmask", "mask"),
        ("images", "image"), ("JPEGImages", "image"), ("CXR", "image"), ("old images", "image"),
        ("xraysimages", "image"),
        ("ward", ""), ("", ""), ("masked", ""), ("images of Ana", ""), ("lungs", ""), ("class", ""),
    ],
)  # fmt: skip
def test_what_a_folder_holds(folder: str, role: str) -> None:
    assert folder_role(folder) == role


def test_the_nearest_folder_that_tells_decides_and_the_others_are_the_place() -> None:
    assert place(["train", "images", "ward"]) == ("image", ("train", "ward"))
    assert place(["images", "masks"]) == ("mask", ())
    assert place(["masks", "images", "u\u0308"]) == ("image", ("\u00fc",))
    assert place(["ward"]) == ("", ("ward",))
    assert place([]) == ("", ())


def read(stem: str) -> list[tuple[str, str, bool, bool]]:
    return [(name.of, name.reader, name.clear, name.other) for name in mask_names(stem)]


@pytest.mark.parametrize(
    ("stem", "expected"),
    [
        ("chest", []),
        ("mask", []),
        ("chest-mask", [("chest", "reader", True, False)]),
        ("chest_MASKS", [("chest", "reader", True, False)]),
        ("chest_gt", [("chest", "reader", False, False)]),
        ("chest.mask", [("chest", "reader", True, False)]),
        ("chest_mask_Ana_B", [("chest", "Ana_B", True, False), ("Ana_B", "reader", True, False)][:1]),
        ("mask_chest", [("chest", "reader", True, False)]),
        ("ground truth-chest-1", [("chest-1", "reader", False, False)]),
        ("chest_ground-truth", [("chest", "reader", False, False)]),
        ("a_b_mask", [("a_b", "reader", True, False)]),
        ("a_b_mask_gt", [("a_b", "gt", True, False), ("a_b_mask", "reader", False, False)]),
        ("u\u0308_mask", [("\u00fc", "reader", True, False)]),
        # The name of the radiograph may end with the word, or the word tells what is marked.
        ("chest_lung_mask", [("chest_lung", "reader", True, False), ("chest", "reader", True, True)]),
        ("chest_infection_mask", [("chest_infection", "reader", True, False), ("chest", "reader", True, False)]),
        ("chest_mask_lungs", [("chest", "lungs", True, True)]),
        ("lung_mask_chest", [("lung", "chest", True, False), ("chest", "reader", True, True)]),
        ("lesion_mask_chest", [("lesion", "chest", True, False), ("chest", "reader", True, False)]),
        ("a_left_lung_mask", [
            ("a_left_lung", "reader", True, False), ("a_left", "reader", True, True), ("a", "reader", True, True),
        ]),
        ("a_lung_lesion_mask", [
            ("a_lung_lesion", "reader", True, False), ("a_lung", "reader", True, False), ("a", "reader", True, False),
        ]),
    ],
)  # fmt: skip
def test_readings_of_a_file_name(stem: str, expected: list[tuple[str, str, bool, bool]]) -> None:
    assert read(stem) == expected


def test_names_of_normal_and_of_something_else() -> None:
    assert all(map(is_normal, ("Normal", "no finding", "No_Findings", "noLesion", " healthy ")))
    assert not any(map(is_normal, ("", "abnormal", "not normal", "lesion")))
    assert all(map(is_other, ("lungs", "Left-Lung", "pneumothorax", "ribCage ribs")))
    assert not any(map(is_other, ("lung lesion", "infection", "Ana", "")))


@pytest.mark.parametrize(
    ("used", "wanted", "expected"),
    [
        ([], [], set()), (["normal"], [], set()), (["Ana"], [], {"Ana"}), (["Ana", "Ana", "normal"], [], {"Ana"}),
        (["lungs", "Pneumonia"], [], {"Pneumonia"}), (["a", "b", "lung_opacity"], [], {"lung_opacity"}),
        (["lungs"], ["Lungs"], {"lungs"}), (["a", "b", "c"], ["B", "c"], {"b", "c"}), (["a"], ["known"], set()),
        (["Ground_Glass", "ground glass", "x"], ["ground-glass"], {"Ground_Glass", "ground glass"}),
    ],
)  # fmt: skip
def test_the_lesions_name_is_the_wanted_or_the_only_one(used: list[str], wanted: list[str], expected: set[str]) -> None:
    assert chosen(used, wanted, "a.json", declared=["known"]) == expected


def test_an_unclear_lesion_is_refused() -> None:
    with pytest.raises(AnnotationError, match=r"^a\.json has no category x or y; it has a, b, known\."):
        chosen(["b", "a"], ["x", "y"], "a.json", declared=["known"])
    with pytest.raises(AnnotationError, match=r"^a\.json annotates only 'lungs', which is no lesion"):
        chosen(["lungs", "normal"], [], "a.json")
    with pytest.raises(AnnotationError, match=r"^a\.json has annotations of 2 categories \(lesion, opacity\) and"):
        chosen(["opacity", "lesion"], [], "a.json")
    with pytest.raises(AnnotationError, match=r"of 8 categories \(c1, c2, c3, c4, c5, c6, c7, c8\) and"):
        chosen([f"c{n}" for n in range(1, 9)], [], "a.json")
    with pytest.raises(AnnotationError, match=r"of 9 categories \(c1, c2, c3, c4, c5, c6, c7, c8, \.\.\.\) and"):
        chosen([f"c{n}" for n in range(1, 10)], [], "a.json")
