"""The verb review: cases from any folder, predictions that continue where they stopped, errors in one line."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deep_pneumonia import review
from deep_pneumonia.datasets.manifest import Case, MaskRef, read_manifests
from deep_pneumonia.errors import AnnotationError, ManifestError
from deep_pneumonia.masks.annotation import Annotation, read_as_normal, write_mask
from deep_pneumonia.masks.coco import to_coco, write_coco
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.worklist.collect import cases_from
from deep_pneumonia.worklist.predictions import Predictions
from deep_pneumonia.worklist.rows import one_row
from deep_pneumonia.worklist.workspace import Workspace
from tests.dicom_objects import RAMP, data_set, written
from tests.phantom import draw, save_png
from tests.work_lists import SIZE, annotation, full_state


def chest(path: Path, seed: int = 0) -> Path:
    return save_png(draw(seed, SIZE)[0], path)


def lesion(path: Path, seed: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_mask(annotation(seed).mask, path)


def found(folder: Path) -> dict[str, tuple[MaskRef, ...]]:
    return {c.image.relative_to(folder).as_posix(): c.masks for c in cases_from(folder)}


def test_a_folder_of_radiographs_gives_cases_with_the_masks_that_their_names_tell(tmp_path: Path) -> None:
    root = tmp_path / "ward"
    for name in ("a.png", "b.JPG", "sub/c.png", "sub/d.png", "masking.png", "x-mask.png", ".hidden/e.png"):
        chest(root / name)
    (root / "1.2.840").write_bytes(written(data_set(RAMP)))
    (root / "notes.txt").write_text("no radiograph")
    (root / "other.json").write_text("{}")
    for name in ("a-mask.png", "a_mask_Ben.png", "b_MASK.png", "sub/masks/c.png", "masks/sub/d.png", "masks/none.png"):
        lesion(root / name)
    Image.new("L", SIZE[::-1]).save(root / "masking_mask.png")
    readers = {name: [(m.reader, m.kind) for m in masks] for name, masks in found(root).items()}
    assert readers == {
        "1.2.840": [], "a.png": [("reader", "pixel"), ("Ben", "pixel")], "b.JPG": [("reader", "pixel")],
        "masking.png": [], "sub/c.png": [("reader", "pixel")], "sub/d.png": [("reader", "pixel")], "x-mask.png": [],
    }  # fmt: skip
    first = next(cases_from(root))
    assert (first.patient, first.source, first.split, first.label) == ("1.2", "ward", "test", "")
    assert {c.split for c in cases_from(root, split="train")} == {"train"}
    assert len({c.split for c in cases_from(root, split="patient")}) > 1


def test_masks_come_out_of_coco_and_labelme(tmp_path: Path) -> None:
    root = tmp_path / "set"
    for name in ("a.png", "b.png", "c.png", "sub/a.png"):
        chest(root / name)
    with (root / "annotations.json").open("w") as stream:
        write_coco(
            [("b.png", [annotation(1), annotation(2, "Ben")]), ("sub/a.png", [read_as_normal(SIZE, reader="Cem")])],
            stream,
        )
    corners = [[2, 2], [10, 2], [10, 9], [2, 9]]
    shape = {"label": "lesion", "points": corners, "shape_type": "polygon"}
    (root / "c.json").write_text(json.dumps({"shapes": [shape], "imageHeight": SIZE[0], "imageWidth": SIZE[1]}))
    (root / "sub" / "one.json").write_bytes(to_coco([annotation(3, "Dee")], "a.png"))
    space = Workspace(tmp_path / "space")
    assert space.add(cases_from(root)) == 1  # the same bytes are the same case
    for n, name in enumerate(("b.png", "c.png", "sub/a.png"), 1):
        chest(root / name, n)
    assert space.add(cases_from(root)) == 3
    masks = {i.case.image.relative_to(root).as_posix(): i.case.annotations(SIZE) for i in space.items()}
    assert [a.reader for a in masks["b.png"]] == ["Ana", "Ben"]
    np.testing.assert_array_equal(masks["b.png"][1].mask, annotation(2).mask)
    assert masks["c.png"][0].kind == "polygon"
    assert masks["c.png"][0].mask.sum() == 8 * 7
    assert [(a.reader, a.kind) for a in masks["sub/a.png"]] == [("Cem", "normal"), ("Dee", "pixel")]


def coco(path: Path, *names: str) -> None:
    """A file of images with these names; the first has a lesion."""
    images = [{"id": i, "file_name": n, "height": SIZE[0], "width": SIZE[1]} for i, n in enumerate(names)]
    entry = {"image_id": "0", "bbox": [2, 2, 8, 7], "segmentation": [], "score": float("nan")}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"images": images, "annotations": [entry]}))


def test_masks_are_matched_by_folder_and_by_the_names_that_other_tools_write(tmp_path: Path) -> None:
    root = tmp_path / "set"
    for name in ("images/train/a.png", "images/val/a.png", "images/b.png"):
        chest(root / name)
    coco(root / "annotations" / "default.json", "train/a.png", "val/a.png")
    coco(root / "hash.json", "images/1b6a7a5c-b.png", "images/2b6a7a5c-q.png")
    kinds = {name: [m.kind for m in masks] for name, masks in found(root).items()}
    assert kinds == {"images/b.png": ["box"], "images/train/a.png": ["box"], "images/val/a.png": ["normal"]}


def test_an_image_that_could_be_several_radiographs_is_an_error(tmp_path: Path) -> None:
    root = tmp_path / "set"
    for name in ("x/a.png", "y/a.png"):
        chest(root / name)
    coco(root / "coco.json", "a.png")
    with pytest.raises(AnnotationError, match=r"coco\.json has one image that could be 2 radiographs named a\.png"):
        found(root)
    coco(root / "coco.json", "x/a.png")
    assert {name: len(masks) for name, masks in found(root).items()} == {"x/a.png": 1, "y/a.png": 0}


def test_annotations_of_no_radiograph_in_the_folder_are_an_error(tmp_path: Path) -> None:
    chest(tmp_path / "set" / "a.png")
    coco(tmp_path / "set" / "coco.json", "b.png")
    with pytest.raises(AnnotationError, match=r"coco\.json has annotations, but none of its images is named like"):
        found(tmp_path / "set")


def test_a_manifest_a_prepared_and_an_exported_folder_give_their_cases(drawn_set: Path, tmp_path: Path) -> None:
    wanted = read_manifests([drawn_set])
    assert list(cases_from(drawn_set)) == list(cases_from(drawn_set.parent)) == wanted
    space = Workspace(tmp_path / "space")
    space.add(wanted)
    assert review.main(["export", str(tmp_path / "out"), "--workspace", str(space.folder)]) == 0
    assert Workspace(tmp_path / "other").add(cases_from(tmp_path / "out")) == 24


def test_files_of_two_colours_beside_one_radiograph_are_its_masks(tmp_path: Path) -> None:
    root = tmp_path / "set"
    for name in ("one/chest.png", "two/a.png", "two/b.png"):
        save_png(draw(len(name))[0], root / name)
    write_mask(draw(1, lesion=True)[1], root / "one" / "Dr. A.png")
    write_mask(draw(1, lesion=True)[1], root / "two" / "whose.png")
    readers = {name: [m.reader for m in masks] for name, masks in found(root).items()}
    assert readers == {"one/chest.png": ["Dr. A"], "two/a.png": [], "two/b.png": []}


@pytest.mark.parametrize("column", ["image", "mask", "other_mask"])
@pytest.mark.parametrize(
    "place", ["/etc/hostname", "../secret.png", "a/../../secret.png", "C:\\x", "\\\\host\\x", "x.png;/etc/x"]
)
def test_a_strangers_manifest_names_nothing_outside_its_folder(tmp_path: Path, column: str, place: str) -> None:
    (tmp_path / "secret.png").write_bytes(b"x")
    chest(tmp_path / "set" / "x.png")
    cells = {"image": "x.png", "patient": "p", "source": "s", "split": "test", "label": "", "mask": "x.png",
             "mask_kind": "pixel", "reader": "A", "other_mask": ""}  # fmt: skip
    manifest = tmp_path / "set" / "manifest.csv"

    def write() -> None:
        with manifest.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(cells))
            writer.writeheader()
            writer.writerow(cells)

    write()
    assert len(list(cases_from(tmp_path / "set", inside=True))) == 1
    cells[column] = place
    write()
    for path in (manifest, manifest.parent):
        with pytest.raises(ManifestError, match=r"manifest\.csv names .*, which is not in its folder"):
            list(cases_from(path, inside=True))
    manifest.write_text("image\n" + "x" * 200_000)
    with pytest.raises(ManifestError, match="cannot be read as a manifest"):
        list(cases_from(manifest, inside=True))


def test_what_gives_no_cases_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name, words in (("empty", "holds no radiograph"), ("nowhere", "no manifest.csv and no folder")):
        with pytest.raises(ManifestError, match=words):
            list(cases_from(tmp_path / name))
    chest(tmp_path / "set" / "a.png")
    (tmp_path / "set" / "a-mask.png").write_bytes(b"no mask")
    with pytest.raises(AnnotationError, match="not a PNG file"):
        list(cases_from(tmp_path / "set"))


@pytest.fixture
def listed(tmp_path: Path, drawn_set: Path) -> Path:
    cases = read_manifests([drawn_set])[:4]
    Workspace(tmp_path / "list").add(cases)
    return tmp_path / "list"


def run(*arguments: object) -> int:
    return review.main([str(a) for a in arguments])


def test_reading_goes_on_where_it_stopped_and_reads_again_what_was_changed(
    listed: Path, trained: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = trained / "checkpoint"
    options = ("--workspace", listed, "--checkpoint", checkpoint)
    read, seen = Predictor.predict, []

    def stops_at_the_third(*arguments: object) -> object:
        seen.append(1)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Predictor, "predict", stops_at_the_third)
    assert run("predict", *options, "--device", "cpu") == 130
    assert "the same command resumes" in capsys.readouterr().err
    space = Workspace(listed)
    (listed / "broken.png").write_bytes(b"no radiograph")
    space.add([Case(listed / "broken.png", "p", "own", "test")])
    assert run("predict", *options, "--device", "cpu") == 0
    assert len(seen) == 3 + 2  # two were read before
    out = capsys.readouterr().out
    assert "2 cases predicted, 1 could not be" in out
    assert "broken.png" in out
    space.draw(1, Annotation(np.eye(96, 80, dtype=bool), "Ben", "pixel"), version=0, author="Ben")
    assert run("predict", *options, "--device", "cpu") == 0
    assert "1 cases predicted, 0 could not be" in capsys.readouterr().out
    assert run("predict", *options, "--again", "--device", "cpu") == 0
    assert "0 cases predicted, 1 could not be" in capsys.readouterr().out
    assert run("status", *options) == 0
    counts = {line[:22].strip(): int(line[22:]) for line in capsys.readouterr().out.splitlines()}
    assert (counts["cases"], counts["masks"], counts["read as normal"], counts["readers"]) == (5, 3, 2, 2)
    assert (counts["predicted"], counts["could not be read"]) == (4, 1)
    assert run("report", listed / "list.pdf", *options) == 0
    assert (listed / "list.pdf").read_bytes().startswith(b"%PDF")


def test_a_refused_picture_has_no_class_in_the_list_but_opens(
    listed: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--workspace", listed, "--checkpoint", trained / "checkpoint")
    space = Workspace(listed)
    space.add([Case(save_png(np.full((96, 80), 90, np.uint8), listed / "grey.png"), "p", "own", "test")])
    assert run("predict", *options, "--device", "cpu") == 0
    out = capsys.readouterr().out
    assert "4 cases predicted, 1 could not be" in out
    assert "grey.png: This picture is blank" in out
    predictor = Predictor.load(trained / "checkpoint", "cpu")
    predictions = Predictions(space, predictor.checkpoint.key)
    line = one_row(space, predictions, 5)
    assert (line["predicted"], line["probability"], line["evidence"]) == (None, None, None)
    assert "blank" in line["warnings"]
    seen = predictions.make(5, predictor.predict)
    assert seen is not None
    assert seen.prediction.is_refused


def test_a_list_goes_out_and_comes_in_again(listed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    space = Workspace(listed)
    space.judge(1, "Ana", "agree", version=0)
    assert run("export", tmp_path / "out.zip", "--radiographs", "--seg", "--workspace", listed) == 0
    assert "4 cases, 4 versions of masks, 1 versions of verdicts" in capsys.readouterr().out
    assert run("import", tmp_path / "out.zip", "--workspace", tmp_path / "other") == 0
    assert "New: 4 cases, 4 versions of masks, 1 versions of verdicts" in capsys.readouterr().out
    assert full_state(Workspace(tmp_path / "other")) == full_state(space)


def test_cases_are_added_and_known_ones_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chest(tmp_path / "set" / "a.png")
    chest(tmp_path / "set" / "b.png", 1)
    for new in (2, 0):
        assert run("add", tmp_path / "set", "--split", "val", "--workspace", tmp_path / "list") == 0
        assert f"set: {new} new cases" in capsys.readouterr().out
    assert {i.case.split for i in Workspace(tmp_path / "list").items()} == {"val"}


@pytest.mark.parametrize(
    "verb", [["predict"], ["status"], ["report", "out"], ["export", "out"], ["import", "nowhere"], ["add", "nowhere"]]
)
def test_what_cannot_be_is_one_line(
    tmp_path: Path, verb: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*verb, "--workspace", "list") == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert not (tmp_path / "out").exists()
    assert (tmp_path / "list").exists() == (verb[0] in ("import", "add"))


def test_help_tells_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("add", "predict", "status", "report", "export", "import"):
        with pytest.raises(SystemExit) as stopped:
            run(verb, "--help")
        assert stopped.value.code == 0
        assert "--workspace DIR" in capsys.readouterr().out
