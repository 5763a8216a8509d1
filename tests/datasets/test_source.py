"""Adapters kermany and folder, and the size of an image by its header."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deep_pneumonia.datasets.manifest import split_of
from deep_pneumonia.datasets.source import peek_size
from deep_pneumonia.errors import PreparationError
from tests.raw_sets import dicom, draw_kermany, draw_own, picture, readers_of, refused, run, text


@pytest.fixture
def kermany(tmp_path):
    return draw_kermany(tmp_path)


@pytest.fixture
def own(tmp_path):
    return draw_own(tmp_path)


def test_kermany_labels_patients_and_published_test(kermany, tmp_path):
    cases = run("kermany", kermany, tmp_path / "out")
    assert len(cases) == 123
    assert {s for s, c in cases.items() if c.split == "test"} == {"IM-0900-0001", "person300_virus_9"}
    bacteria, virus, normal = (cases[s] for s in ("person3_bacteria_1", "person3_virus_2", "NORMAL2-IM-0001-0001"))
    assert (bacteria.label, bacteria.patient, bacteria.masks) == (
        "Bacterial pneumonia",
        "person3-bacteria",
        (),
    )
    assert (virus.label, virus.patient) == ("Viral pneumonia", "person3-virus")
    assert (normal.label, normal.patient) == ("Normal", "NORMAL2-IM-0001")
    assert readers_of(normal) == [("Guangzhou", "normal")]


def test_kermany_train_and_val_share_no_person_number(kermany, tmp_path):
    cases = run("kermany", kermany, "--val", "0.5", tmp_path / "out")
    for n in range(40):
        splits = {cases[f"person{n}_{cause}"].split for cause in ("bacteria_1", "virus_2")}
        assert splits == {split_of(f"person{n}", val=0.5, test=0)}
    assert {c.split for c in cases.values()} == {"train", "val", "test"}


def test_kermany_may_be_given_by_the_folder_above_it(kermany, tmp_path):
    assert len(run("kermany", kermany.parent, tmp_path / "out")) == 123


def test_kermany_names_what_it_does_not_understand(kermany, tmp_path, capsys):
    out = tmp_path / "out"
    stranger = picture(kermany / "train" / "PNEUMONIA" / "person1_fungus_1.jpeg")
    assert "does not state the cause" in refused(capsys, "kermany", kermany, out)
    stranger.rename(stranger.with_name("chest.jpeg"))
    assert "does not name its patient" in refused(capsys, "kermany", kermany, out)
    for file in (kermany / "test" / "NORMAL").iterdir():
        file.unlink()
    stranger.with_name("chest.jpeg").unlink()
    assert str(Path("test") / "NORMAL") in refused(capsys, "kermany", kermany, out)


def test_folder_takes_classes_and_masks(own, tmp_path):
    cases = run("folder", own, tmp_path / "out")
    assert {s: c.label for s, c in cases.items()} == {
        "p1-a": "clear", "p1-b": "clear", "p2-a": "sick", "p3-a": "sick", "p4;5": "sick",
    }  # fmt: skip
    assert {c.source for c in cases.values()} == {"folder"}
    assert cases["p1-a"].patient == "p1-a"
    for stem in ("p2-a", "p4;5"):
        assert readers_of(cases[stem]) == [("reader", "pixel")]
        np.testing.assert_array_equal(cases[stem].annotations((8, 8))[0].mask, np.eye(8, dtype=bool))
    assert cases["p3-a"].masks == ()  # an empty mask of a class that is not normal says nothing


def test_folder_takes_dicom_of_every_ending_and_of_none(own, tmp_path):
    for name in ("q1.dcm", "q2.dicom", "q3.DICOM", "q4"):
        dicom(own / "sick" / name, (8, 8))
    (own / "sick" / "LICENSE").write_text("no image")
    cases = run("folder", own, tmp_path / "out")
    assert {s for s in cases if s.startswith(("q", "L"))} == {"q1", "q2", "q3", "q4"}


def test_folder_options(own, tmp_path):
    cases = run("folder", own, "--normal", "clear", "--patient-pattern", r"^(p\d+)", tmp_path / "out")
    assert readers_of(cases["p1-a"]) == [("reader", "normal")]
    assert {s: c.patient for s, c in cases.items()} == {
        "p1-a": "p1", "p1-b": "p1", "p2-a": "p2", "p3-a": "p3", "p4;5": "p4",
    }  # fmt: skip


def test_folder_names_what_does_not_fit(own, tmp_path, capsys):
    out = tmp_path / "out"
    for options, word in (
        (("--normal", "healthy"), "healthy"),
        (("--patient-pattern", "("), "not a regular expression"),
        (("--patient-pattern", "p1"), "no group"),
        (("--patient-pattern", "(x9)"), "finds no patient in p1-a.png"),
        (("--normal", "sick"), "marks a lesion"),
    ):
        assert word in refused(capsys, "folder", own, *options, out)
    assert "holds no images" in refused(capsys, "folder", own / "masks" / "sick", out)
    picture(own / "clear" / "p4;5.png")
    assert "fits several images" in refused(capsys, "folder", own, out)


@pytest.mark.parametrize("name", ["Ground-truths", "lung masks"])
def test_a_folder_of_masks_is_no_class(own, tmp_path, capsys, name):
    picture(own / name / "a.png")
    assert f"{name} looks like a folder of masks, not of a class" in refused(capsys, "folder", own, tmp_path / "out")


def test_folder_takes_masks_in_the_forms_and_names_of_other_programs(own, tmp_path, capsys):
    lesion = np.zeros((8, 8), np.uint8)
    lesion[2:5, 1:7] = 255
    for name in ("sick/p3-a_mask_Ana.tif", "sick/mask_p3-a.TIFF", "p1-a-mask.jpg", "p1-a_lung_mask.png", "p9.png"):
        path = own / "masks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(lesion).save(path, quality=100)
    dicom(own / "masks" / "p1-b.dcm", (8, 8))
    (own / "masks" / "sick" / "p3-a.png").unlink(missing_ok=True)
    (own / "masks" / "p3-a.png").unlink()
    cases = run("folder", own, tmp_path / "out")
    assert sorted(readers_of(cases["p3-a"])) == [("Ana", "pixel"), ("reader", "pixel")]
    assert readers_of(cases["p1-a"]) == [("reader", "pixel")]
    for mask in (*cases["p3-a"].annotations((8, 8)), *cases["p1-a"].annotations((8, 8))):
        np.testing.assert_array_equal(mask.mask, lesion > 0)
    masks = own / "masks"
    assert capsys.readouterr().err.splitlines() == [
        f"note: {masks / 'p1-a_lung_mask.png'} is left out: by its name it marks no lesion.",
        f"note: {masks / 'p1-b.dcm'} is left out: masks of a folder are PNG, JPEG or TIFF.",
        f"note: {masks / 'p9.png'} is left out: it has the name of no image.",
    ]


def test_folder_refuses_two_masks_of_one_reader(own, tmp_path, capsys):
    picture(own / "masks" / "p2-a_mask.png")
    assert "p2-a.png are masks of one image by one reader; keep one" in refused(capsys, "folder", own, tmp_path / "out")


def test_folder_masks_of_names_alike_stay_apart(tmp_path):
    raw = tmp_path / "alike"
    stems = ("a;b", "a%b", "a%3Bb")
    for n, stem in enumerate(stems):
        picture(raw / "sick" / f"{stem}.png", (1, 3))
        (raw / "masks").mkdir(exist_ok=True)
        Image.fromarray(np.eye(3, dtype=np.uint8)[n : n + 1] * 255).save(raw / "masks" / f"{stem}.png")
    cases = run("folder", raw, tmp_path / "out")
    masks = np.vstack([cases[stem].annotations((1, 3))[0].mask for stem in stems])
    np.testing.assert_array_equal(masks, np.eye(3, dtype=bool))


def test_folder_refuses_a_mask_of_another_size(own, tmp_path, capsys):
    picture(own / "sick" / "p2-a.jpg", (8, 9))
    assert "8 x 8 pixels" in refused(capsys, "folder", own, tmp_path / "out")


def test_peek_size_sees_rotation_and_damage(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(np.zeros((4, 6), np.uint8)).save(tmp_path / "turned.jpg", exif=turned)
    assert peek_size(tmp_path / "turned.jpg") == (6, 4)
    assert peek_size(picture(tmp_path / "straight.png", (4, 6))) == (4, 6)
    dicom(tmp_path / "x.dcm", (4, 6))
    assert peek_size(tmp_path / "x.dcm") == (4, 6)
    text(tmp_path / "damaged.png", "no picture")
    with pytest.raises(PreparationError, match=r"damaged\.png"):
        peek_size(tmp_path / "damaged.png")
