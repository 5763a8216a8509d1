"""Cases from any folder: which files are radiographs, which are their masks, and what is said of the others."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deep_pneumonia.datasets.manifest import MaskRef
from deep_pneumonia.errors import ManifestError
from deep_pneumonia.masks.annotation import read_as_normal, write_mask
from deep_pneumonia.masks.coco import to_coco, write_coco
from deep_pneumonia.worklist.collect import cases_from
from deep_pneumonia.worklist.listing import Listing
from deep_pneumonia.worklist.workspace import Workspace
from tests.dicom_objects import RAMP, data_set, written
from tests.phantom import draw, save_png
from tests.work_lists import SIZE, annotation


def chest(path: Path, seed: int = 0) -> Path:
    return save_png(draw(seed, SIZE)[0], path)


def lesion(path: Path, seed: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_mask(annotation(seed).mask, path)


def found(folder: Path, **options: Any) -> dict[str, tuple[MaskRef, ...]]:
    return {c.image.relative_to(folder).as_posix(): c.masks for c in cases_from(folder, **options)}


def listed(folder: Path, **options: Any) -> tuple[dict[str, list[str]], str]:
    """The readers of each radiograph of a folder, and the list of what was found."""
    listing = Listing()
    readers = {name: [m.reader for m in masks] for name, masks in found(folder, listing=listing, **options).items()}
    return readers, "\n".join(listing.lines())


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
    assert kinds == {"images/b.png": ["box"], "images/train/a.png": ["box"], "images/val/a.png": []}


def test_an_image_that_could_be_several_radiographs_is_left_out(tmp_path: Path) -> None:
    root = tmp_path / "set"
    for name in ("x/a.png", "y/a.png"):
        chest(root / name)
    coco(root / "coco.json", "a.png")
    readers, said = listed(root)
    assert readers == {"x/a.png": [], "y/a.png": []}
    assert "Left out: coco.json: one image could be 2 radiographs named a.png" in said
    coco(root / "coco.json", "x/a.png")
    assert {name: len(masks) for name, masks in found(root).items()} == {"x/a.png": 1, "y/a.png": 0}


def test_annotations_of_no_radiograph_in_the_folder_are_listed(tmp_path: Path) -> None:
    chest(tmp_path / "set" / "a.png")
    coco(tmp_path / "set" / "coco.json", "b.png")
    readers, said = listed(tmp_path / "set")
    assert readers == {"a.png": []}
    assert "Left out because it annotates no radiograph that is here: coco.json" in said
    assert "coco.json: 1 annotated image named like no radiograph here (b.png)" in said


def test_an_error_in_one_file_leaves_the_others_and_makes_nothing_normal(tmp_path: Path) -> None:
    root = tmp_path / "set"
    for name in ("a.png", "b.png", "c.png", "d.png"):
        chest(root / name)
    (root / "damaged.json").write_text('{"images": [')
    coco(root / "good.json", "a.png", "d.png")
    coco(root / "two.json", "b.png")
    document = json.loads((root / "two.json").read_text())
    document["categories"] = [{"id": 1, "name": "opacity"}, {"id": 2, "name": "consolidation"}]
    document["annotations"] = [{**document["annotations"][0], "category_id": i} for i in (1, 2)]
    (root / "two.json").write_text(json.dumps(document))
    coco(root / "wide.json", "c.png")
    (root / "wide.json").write_text((root / "wide.json").read_text().replace("[2, 2, 8, 7]", "[2, 2, 800, 7]"))
    (root / "boxes.csv").write_text("patientId,x,y,width,height,Target\nd,1,1,4,4,1\ne,1,1,4,4,1\n")
    (root / "other.csv").write_text("name,age\nx,3\n")
    readers, said = listed(root)
    assert readers == {"a.png": ["good"], "b.png": [], "c.png": [], "d.png": ["boxes"]}
    for line in (
        "2 radiographs with masks: a.png (good.json), d.png (boxes.csv)",
        "2 radiographs without a mask, so unknown: b.png, c.png",
        "Left out because it is a table, but not one of boxes (patientId, x, y, width, height, Target): other.csv",
        "Left out: damaged.json is not JSON, or is damaged",
        "Left out: two.json has annotations of 2 categories (consolidation, opacity) and the lesion's is unclear",
        "Left out: wide.json has a shape from 2 to 802 that leaves the picture's 20 pixels",
        "good.json lists 1 radiograph without a lesion's annotation",
        "boxes.csv: 1 patientIds named like no radiograph here (e)",
    ):
        assert line in said
    readers, _ = listed(root, category=["Opacity"])
    assert readers["b.png"] == ["two"]


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
    for encoding, separator in (("utf-16", "\t"), ("utf-8-sig", ";")):
        head = separator.join(name.upper() for name in cells)
        row = separator.join(place.split(";")[-1] if name == column else cell for name, cell in cells.items())
        manifest.write_text(f"{head}\n{row}\n", encoding=encoding)
        with pytest.raises(ManifestError, match=r"manifest\.csv names .*, which is not in its folder"):
            list(cases_from(manifest, inside=True))
    manifest.write_text(",".join(cells) + "\n" + "x" * 200_000)
    with pytest.raises(ManifestError, match="cannot be read as a manifest"):
        list(cases_from(manifest, inside=True))


def test_what_gives_no_cases_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name, words in (("empty", "holds no radiograph"), ("nowhere", "no manifest.csv and no folder")):
        with pytest.raises(ManifestError, match=words):
            list(cases_from(tmp_path / name))
    (tmp_path / "empty" / "notes.txt").write_text("x")
    with pytest.raises(
        ManifestError, match=r"holds no radiograph; .* Left out because text is not read .*: notes\.txt"
    ):
        list(cases_from(tmp_path / "empty"))
