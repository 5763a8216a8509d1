"""What is exported can be trained on at once, says whose nothing is, and harms neither spreadsheet nor disk."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from deep_pneumonia import train
from deep_pneumonia.datasets.manifest import Case, MaskRef, read_manifests, write_manifest
from deep_pneumonia.errors import ExchangeError
from deep_pneumonia.exchange.anonymous import plain_radiograph
from deep_pneumonia.exchange.export import export
from deep_pneumonia.exchange.tables import harmless
from deep_pneumonia.masks.annotation import Annotation, read_as_normal, read_mask, to_png
from deep_pneumonia.masks.coco import read_coco
from deep_pneumonia.masks.dicom_seg import read_seg
from deep_pneumonia.radiographs.radiograph import decode
from deep_pneumonia.worklist.predictions import MaskScores, Predictions, StoredPrediction
from deep_pneumonia.worklist.records import Drawing
from deep_pneumonia.worklist.workspace import Workspace
from tests.dicom_objects import NAME, RAMP, data_set, written
from tests.phantom import draw, save_png
from tests.short_training import SMALL
from tests.work_lists import SIZE, annotation, small_workspace


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.training
def test_a_corrected_mask_is_trained_on_with_no_step_between(drawn_set: Path, tmp_path: Path) -> None:
    space = Workspace(tmp_path / "space")
    space.add(read_manifests([drawn_set]))
    corrected = np.roll(space.drawings(2)[0].annotation((96, 80)).mask, 3, axis=1)
    space.draw(2, Annotation(corrected, "A", "pixel"), version=1, author="Ben")
    space.draw(2, read_as_normal((96, 80), reader="Dr. C"), version=0, author="Ben")
    made = export(space, tmp_path / "out", radiographs=True)
    assert (made.cases, made.masks, made.notes) == (24, 26, ())
    cases = read_manifests([tmp_path / "out" / "manifest.csv"])
    (case,) = [c for c in cases if c.patient == "p1"]
    assert [(m.reader, m.kind) for m in case.masks] == [("A", "pixel"), ("Dr. C", "normal")]
    np.testing.assert_array_equal(case.annotations((96, 80))[0].mask, corrected)
    np.testing.assert_array_equal(decode(case.image).pixels, decode(space.item(2).case.image).pixels)
    options = ["--manifest", str(tmp_path / "out" / "manifest.csv"), "--out", str(tmp_path / "run"), "--epochs", "1"]
    assert train.main([*options, *SMALL]) == 0
    assert (tmp_path / "run" / "checkpoint" / "model.json").is_file()


def test_coco_gives_back_every_case_by_its_name(tmp_path: Path) -> None:
    space = small_workspace(tmp_path, cases=3)
    space.draw(1, annotation(1), version=0, author="Ana")
    space.draw(1, annotation(2, "Ben"), version=0, author="Ben")
    space.draw(2, read_as_normal(SIZE, reader="Ana"), version=0, author="Ana")
    export(space, tmp_path / "out")
    document = json.loads((tmp_path / "out" / "coco.json").read_text())
    assert [Path(i["file_name"]).name for i in document["images"]] == ["chest-0.png", "chest-1.png"]  # one was not read
    for number in (1, 2):
        found = read_coco(document, SIZE, name="coco.json", radiograph=space.item(number).case.image.name)
        wanted = space.item(number).case.annotations(SIZE)
        assert [(a.reader, a.kind) for a in found] == [(a.reader, a.kind) for a in wanted]
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(a.mask, b.mask)


def test_segmentations_give_back_the_masks(tmp_path: Path) -> None:
    space = small_workspace(tmp_path)
    space.draw(1, annotation(1), version=0, author="Ana")
    export(space, tmp_path / "out", seg=True)
    assert sorted(p.name for p in (tmp_path / "out" / "seg").iterdir()) == [
        "00001-chest-0-radiograph.dcm", "00001-chest-0.dcm",
    ]  # fmt: skip
    data = (tmp_path / "out" / "seg" / "00001-chest-0.dcm").read_bytes()
    np.testing.assert_array_equal(read_seg(data, SIZE, name="x.dcm")[0].mask, annotation(1).mask)


def test_no_identity_leaves_with_a_radiograph_or_a_mask(tmp_path: Path) -> None:
    space = Workspace(tmp_path / "space")
    words = PngImagePlugin.PngInfo()
    words.add_text("Patient", "Doe, Jane")
    (tmp_path / "a.dcm").write_bytes(written(data_set(RAMP, WindowCenter=2048, WindowWidth=4096)))
    Image.fromarray((RAMP // 16).astype(np.uint8)).save(tmp_path / "b.png", pnginfo=words)
    Image.fromarray((RAMP // 16).astype(np.uint8)).save(tmp_path / "c.jpg", comment=b"Doe, Jane")
    mask = np.zeros(RAMP.shape, bool)
    mask[3:9, 4:20] = True
    Image.fromarray(mask.astype(np.uint8) * 255).save(tmp_path / "mask.png", pnginfo=words)
    masks = (MaskRef(tmp_path / "mask.png", "pixel", "Ana"),)
    space.add(Case(tmp_path / name, name[0], "own", "test", masks=masks) for name in ("a.dcm", "b.png", "c.jpg"))
    export(space, tmp_path / "out", radiographs=True, seg=True)
    assert NAME.encode() in (tmp_path / "a.dcm").read_bytes()
    for path in (p for p in (tmp_path / "out").rglob("*") if p.is_file()):
        assert b"Doe" not in path.read_bytes(), path
    for case, name in zip(
        read_manifests([tmp_path / "out" / "manifest.csv"]), ("a.dcm", "b.png", "c.jpg"), strict=True
    ):
        assert case.image.suffix == ".png"
        assert np.abs(decode(case.image).pixels - decode(tmp_path / name).pixels).max() <= 1 / 65535
        np.testing.assert_array_equal(case.annotations(RAMP.shape)[0].mask, mask)


def test_plain_files_stay_as_they_are_and_names_stay_apart(tmp_path: Path) -> None:
    space = Workspace(tmp_path / "space")
    images = [save_png(draw(n)[0], tmp_path / folder / "chest.png") for n, folder in enumerate("ab")]
    images.append(save_png(draw(2)[0], tmp_path / "a" / "CHEST.png"))
    Image.open(images[0]).save(tmp_path / "scan.jpeg")
    space.add(Case(image, "p", "own", "test") for image in (*images, tmp_path / "scan.jpeg"))
    export(space, tmp_path / "out", radiographs=True)
    cases = read_manifests([tmp_path / "out" / "manifest.csv"])
    assert [c.image.name for c in cases] == ["chest.png", "chest-2.png", "CHEST-3.png", "scan.jpeg"]
    for case, image in zip(cases, (*images, tmp_path / "scan.jpeg"), strict=True):
        assert case.image.read_bytes() == image.read_bytes()


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda d: d + b"Doe, Jane" + d[-2:],
        lambda d: d[:20] + b"\xff\xfe\x00\x0bDoe, Jane" + d[20:],
        lambda d: d[:20] + b"\xff\xe0\x00\x0bDoe, Jane" + d[20:],
        lambda d: d[:2] + b"\xff\xe1\x00\x0bDoe, Jane" + d[2:],
    ],
)
def test_words_anywhere_in_a_jpeg_stay_behind(spoilt: Callable[[bytes], bytes]) -> None:
    stream = io.BytesIO()
    Image.fromarray((RAMP // 16).astype(np.uint8)).save(stream, "JPEG")
    assert plain_radiograph(stream.getvalue()) == (stream.getvalue(), ".jpg")
    made, suffix = plain_radiograph(spoilt(stream.getvalue()))
    assert (b"Doe" in made, suffix) == (False, ".png")
    np.testing.assert_array_equal(decode(made).pixels, decode(stream.getvalue()).pixels)


def test_a_dark_radiograph_keeps_its_greys() -> None:
    dark = written(data_set(RAMP, WindowCenter=20000, WindowWidth=40000))
    assert np.abs(decode(plain_radiograph(dark)[0]).pixels - decode(dark).pixels).max() <= 1 / 500


def test_tables_hold_every_version_and_what_was_read(tmp_path: Path) -> None:
    space = small_workspace(tmp_path)
    first = space.draw(1, annotation(1), version=0, author="Ana")
    newest = space.draw(1, annotation(2), version=1, author="Ben")
    space.judge(1, "Cem", "partly", "base, left", version=0)
    space.judge(1, "Cem", "agree", version=1)
    predictions = Predictions(space, "f" * 64)
    scores = {str(newest.digest): MaskScores(1.0, 0.5, 0.75)}
    stored = StoredPrediction("Opacity", 0.75, 0.5, ("small",), scores=scores)
    predictions.store(1, stored)
    assert predictions.of(1) == stored
    export(space, tmp_path / "out", predictions=predictions)
    one, two = table(tmp_path / "out" / "cases.csv")
    assert (one["name"], one["predicted"], one["iou"], one["warnings"]) == ("chest-0.png", "Opacity", "0.5", "small")
    assert (one["disagreement"], one["agree"], one["partly"], one["readers"]) == ("0.5", "1", "0", "1")
    assert (two["predicted"], two["iou"], two["label"]) == ("", "", "Clear")
    old, new = table(tmp_path / "out" / "annotations.csv")
    assert (old["version"], old["newest"], old["author"], old["mask"], old["dice"]) == ("1", "no", "Ana", "", "")
    assert (new["version"], new["newest"], new["author"], new["dice"]) == ("2", "yes", "Ben", "0.75")
    assert (old["sha256"], int(new["area"])) == (first.digest, annotation(2).mask.sum())
    np.testing.assert_array_equal(read_mask(tmp_path / "out" / new["mask"]).mask, annotation(2).mask)
    assert [(v["verdict"], v["newest"], v["comment"]) for v in table(tmp_path / "out" / "verdicts.csv")] == [
        ("partly", "no", "base, left"), ("agree", "yes", ""),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_cell_begins_a_formula(tmp_path: Path, text: str) -> None:
    space = small_workspace(tmp_path, cases=1)
    space.judge(1, text, "agree", text, version=0)
    space.draw(1, annotation(1, text), version=0, author=text)
    export(space, tmp_path / "out")
    for name in ("cases", "annotations", "verdicts"):
        for line in table(tmp_path / "out" / f"{name}.csv"):
            assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in line.values())
    assert table(tmp_path / "out" / "verdicts.csv")[0]["comment"] == f"'{text}"
    assert [harmless(cell) for cell in (-1, 0.5, None, True, "1-1")] == [-1, 0.5, None, "yes", "1-1"]


ODD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)


@given(
    st.lists(
        ODD
        | st.sampled_from(["A;B", "A%3BB", "%", "%%3B", "%253B", "a/b", "../a", "a\nb", "a\r\nb", "\r", "%0D", '"']),
        max_size=4,
    )
)
def test_any_readers_name_survives_the_manifest(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    folder = tmp_path_factory.mktemp("names")
    (folder / "x.png").write_bytes(b"x")
    masks = tuple(MaskRef(None, "normal", name) for name in names)
    write_manifest([Case(folder / "x.png", "p", "own", "test", masks=masks)], folder / "manifest.csv")
    assert read_manifests([folder / "manifest.csv"])[0].masks == masks


def test_odd_names_become_files_that_stay_inside(tmp_path: Path) -> None:
    space = small_workspace(tmp_path, cases=1)
    readers = ["A;B", "a/b", "../a", "a\nb", "A_B", "a" * 300, " . ", "CON", "Ä ß"]
    for seed, reader in enumerate(readers):
        space.draw(1, annotation(seed, reader), version=0, author="Ana")
    export(space, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as file:
        file.extractall(tmp_path / "unpacked")
    (case,) = read_manifests([tmp_path / "unpacked" / "manifest.csv"])
    assert [m.reader for m in case.masks] == readers
    for seed, found in enumerate(case.annotations(SIZE)):
        np.testing.assert_array_equal(found.mask, annotation(seed).mask)
    assert len({str(p).casefold() for p in (tmp_path / "unpacked" / "masks").iterdir()}) == len(readers)


def test_a_manifest_can_be_read_even_of_a_patient_in_two_splits_and_a_lost_radiograph(tmp_path: Path) -> None:
    space = Workspace(tmp_path / "space")
    images = [save_png(draw(n)[0], tmp_path / f"{n}.png") for n in range(3)]
    space.add(Case(image, "", "", split) for image, split in zip(images, ("train", "test", "val"), strict=True))
    twice = [save_png(draw(n)[0], tmp_path / f"{n}.png") for n in (3, 4)]
    space.add(Case(image, "p", "own", split) for image, split in zip(twice, ("train", "val"), strict=True))
    images[1].unlink()
    made = export(space, tmp_path / "out")
    found = {c.patient: c.split for c in read_manifests([tmp_path / "out" / "manifest.csv"])}
    assert found == {"0": "train", "2": "val", "p": "val"}
    assert len(made.notes) == 2
    assert made.notes[0].startswith("Case 2 is in state.json and the tables alone: ")
    assert "1.png is not there any more" in made.notes[0]
    assert made.notes[1].startswith("Patients in two splits: 1;")
    assert len(table(tmp_path / "out" / "cases.csv")) == 5


def test_what_stood_at_the_target_stays_when_something_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = small_workspace(tmp_path)
    space.draw(1, annotation(1), version=0, author="Ana")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name, words in (("full", "not empty"), ("file", "there already"), ("file/out", "cannot be written")):
        with pytest.raises(ExchangeError, match=words):
            export(space, tmp_path / name)
    export(space, tmp_path / "out.zip")
    before = (tmp_path / "out.zip").read_bytes()

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("deep_pneumonia.exchange.export.write_tables", interrupted)
    for name in ("out.zip", "out"):
        with pytest.raises(KeyboardInterrupt):
            export(space, tmp_path / name)
    assert (tmp_path / "out.zip").read_bytes() == before
    assert (tmp_path / "full" / "thesis.txt").read_text() == (tmp_path / "file").read_text() == "mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "full", "images", "out.zip", "space"]
    with pytest.raises(ExchangeError, match="has no case"):
        export(Workspace(tmp_path / "empty"), tmp_path / "out")


def test_a_damaged_mask_is_named_and_an_empty_folder_is_taken(tmp_path: Path) -> None:
    space = small_workspace(tmp_path)
    drawing: Drawing = space.draw(1, annotation(1), version=0, author="Ana")
    (tmp_path / "out").mkdir()
    export(space, tmp_path / "out")
    assert (tmp_path / "out" / "README.txt").read_text().startswith("A work list of Deep Pneumonia")
    assert drawing.mask is not None
    drawing.mask.write_bytes(to_png(annotation(1).mask)[:60])
    with pytest.raises(ExchangeError, match=r"damaged or cut short.*version 1 of Ana in case 1; nothing was exported"):
        export(space, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_case_that_cannot_be_trained_on_does_not_hold_up_the_others(tmp_path: Path) -> None:
    space = small_workspace(tmp_path, cases=3)
    space.draw(1, annotation(1), version=0, author="Ana")
    space.draw(1, annotation(1, "Ben", size=(9, 9)), version=0, author="Ben")
    (tmp_path / "broken.tif").write_bytes(b"no radiograph")
    space.add([Case(tmp_path / "broken.tif", "p", "own", "test")])
    made = export(space, tmp_path / "out", radiographs=True)
    assert [c.patient for c in read_manifests([tmp_path / "out" / "manifest.csv"])] == ["p1", "p2"]
    assert [note.split(":")[0][:6] for note in made.notes] == ["Case 1", "Case 4"]
    assert "9 x 9 pixels" in made.notes[0]
    assert len(table(tmp_path / "out" / "annotations.csv")) == 2
