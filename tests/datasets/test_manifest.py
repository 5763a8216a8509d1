"""The manifest: there and back, one plain sentence for every mistake, splits that stay as they are."""

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deep_pneumonia.datasets import manifest_rows
from deep_pneumonia.datasets.manifest import COLUMNS, SPLITS, Case, MaskRef, read_manifests, split_of, write_manifest
from deep_pneumonia.errors import AnnotationError, DeepPneumoniaError, ManifestError, MaskSizeError
from deep_pneumonia.masks.annotation import write_mask

few = settings(max_examples=30)
# Without a lone carriage return, which Python 3.11's csv writer does not quote.
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=8)
READERS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r;"), min_size=1, max_size=8)
HEADER = "image,patient,source,split,label,mask,mask_kind,reader"


def read(folder: Path, *rows: str, header: str = HEADER) -> list[Case]:
    for name in ("a.png", "b.png"):
        (folder / name).touch()
    (folder / "manifest.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return read_manifests([folder / "manifest.csv"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place with a few images; a manifest asks only whether they are there."""
    root = tmp_path_factory.mktemp("manifest").resolve()
    for name in ("a.png", "b.png", "in/c, d.png", 'in/"e".png'):
        (root / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "set" / name).touch()
    (root / "elsewhere.png").touch()
    return root / "set"


def images(folder: Path) -> list[Path]:
    return [*sorted(p for p in folder.rglob("*.png") if p.is_file()), folder.parent / "elsewhere.png"]


@st.composite
def masks(draw: st.DrawFn) -> tuple[MaskRef, ...]:
    path = st.sampled_from([Path("m.png"), Path("in/m n.png"), Path("../m.png")])
    lesion = st.builds(MaskRef, path, st.sampled_from(["pixel", "polygon", "box"]), READERS)
    normal = st.builds(MaskRef, st.none(), st.just("normal"), READERS)
    return tuple(draw(st.lists(lesion | normal, max_size=3)))


def placed(path: Path | None, folder: Path) -> Path | None:
    return None if path is None else (folder / path).resolve()


@few
@given(st.data())
def test_a_manifest_is_read_as_it_was_written(folder: Path, data: st.DataObject) -> None:
    cases = []
    for number, image in enumerate(images(folder)):
        refs = tuple(MaskRef(placed(m.path, folder), m.kind, m.reader) for m in data.draw(masks()))
        label, source, sex, age, view = (data.draw(CELLS) for _ in range(5))
        split, other = data.draw(st.sampled_from(SPLITS)), placed(data.draw(st.none() | st.just(Path("o.png"))), folder)
        cases.append(Case(image, f"{number}{label}", f"s{source}", split, label, refs, other, sex, age, view))
    write_manifest(cases, folder / "manifest.csv")
    assert read_manifests([folder / "manifest.csv"]) == cases


def test_paths_below_the_manifest_travel_with_it(folder: Path) -> None:
    inside, outside = folder / "a.png", folder.parent / "elsewhere.png"
    mask = MaskRef(folder / "in" / "m.png", "box", "A")
    write_manifest([Case(inside, "1", "s", "val", "x", (mask,)), Case(outside, "2", "s", "val")], folder / "m.csv")
    with (folder / "m.csv").open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert tuple(rows[0]) == COLUMNS
    assert rows[1] == ["a.png", "1", "s", "val", "x", "in/m.png", "box", "A", "", "", "", "", ""]
    assert rows[2] == [str(outside), "2", "s", "val", *[""] * 9]


def test_only_the_first_eight_columns_are_needed(tmp_path: Path) -> None:
    (case,) = read(tmp_path, "a.png,1,s,test,,m.png;;n.png,pixel;normal;box,A;B;C")
    refs = (
        MaskRef(tmp_path / "m.png", "pixel", "A"),
        MaskRef(None, "normal", "B"),
        MaskRef(tmp_path / "n.png", "box", "C"),
    )
    assert case == Case(tmp_path / "a.png", "1", "s", "test", masks=refs)
    (normal,) = read(tmp_path, "a.png,1,s,test,Clear,,normal,A")
    assert normal.masks == (MaskRef(None, "normal", "A"),)
    assert not normal.has_lesion
    assert case.has_lesion


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("gone.png,1,s,train,,,,", r"line 2: the image .*gone\.png does not exist"),
        (".,1,s,train,,,,", "line 2: the image .* does not exist"),
        ("a.png,1,s,dev,,,,", "line 2: the split is 'dev', expected one of train, val, test"),
        ("a.png,1,s,,,,,", "the split is ''"),
        ("a.png,1,s,train,,m.png;n.png,pixel,A", "one entry for each reader"),
        ("a.png,1,s,train,,m.png,pixel,A;B", "one entry for each reader"),
        ("a.png,1,s,train,,,normal;normal,A", "one entry for each reader"),
        ("a.png,1,s,train,,m.png,,", "one entry for each reader"),
        ("a.png,1,s,train,,m.png,pen,A", "kind 'pen': a kind is one of pixel, polygon, box, normal"),
        ("a.png,1,s,train,,m.png,normal,A", "only normal has no file"),
        ("a.png,1,s,train,,,pixel,A", "only normal has no file"),
        ("a.png,,s,train,,,,", "image, patient and source must not be empty"),
        ("a.png,1,,train,,,,", "image, patient and source must not be empty"),
        (",1,s,train,,,,", "image, patient and source must not be empty"),
        ("a.png,1,s,train", "line 2: the number of cells"),
        ("a.png,1,s,train,,,,,", "line 2: the number of cells"),
    ],
)
def test_a_wrong_row_is_named(row: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=said):
        read(tmp_path, row)
    assert len(read(tmp_path, "a.png,1,s,train,,,,")) == 1


@pytest.mark.parametrize("column", HEADER.split(","))
def test_a_missing_column_is_named(column: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=f"lacks the column '{column}'"):
        read(tmp_path, header=HEADER.replace(column, "other", 1))


def test_without_mask_columns_every_mask_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "manifest.csv").write_text("image,patient,source,split,label\na.png,p,s,train,x\n", encoding="utf-8")
    (case,) = read_manifests([tmp_path / "manifest.csv"])
    assert (case.label, case.masks, case.has_lesion) == ("x", (), False)


def test_a_manifest_saved_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    text = f"{HEADER}\na.png,p,s,train,x,,,\n"
    (tmp_path / "manifest.csv").write_text(text, encoding="utf-8-sig")
    assert [c.patient for c in read_manifests([tmp_path / "manifest.csv"])] == ["p"]


@pytest.mark.parametrize(
    ("encoding", "separator"), [("utf-8-sig", ";"), ("utf-16", "\t"), ("utf-16-le", ","), ("utf-8", ";")]
)
def test_separators_encodings_and_headers_of_spreadsheets(tmp_path: Path, encoding: str, separator: str) -> None:
    read(tmp_path, "a.png,p,s,test,x,,,")
    header = separator.join(("Image", "PATIENT", "Source", " split ", "Label", "Mask", "mask_kind", "Reader"))
    row = separator.join(("a.png", "p", "M\u00fcnster", "test", "x", '"m.png;n.png"', '"box;pixel"', '"A;B"'))
    (tmp_path / "manifest.csv").write_text(f"{header}\r\n{row}\r\n", encoding=encoding)
    (case,) = read_manifests([tmp_path / "manifest.csv"])
    assert (case.source, [(m.kind, m.reader) for m in case.masks]) == ("M\u00fcnster", [("box", "A"), ("pixel", "B")])


def test_a_column_that_is_there_twice_or_too_many_rows_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ManifestError, match="has the column 'label' twice"):
        read(tmp_path, header=f"{HEADER},LABEL")
    monkeypatch.setattr(manifest_rows, "MAX_TABLE_ROWS", 1)
    with pytest.raises(ManifestError, match="more than 1 rows"):
        read(tmp_path, "a.png,p,s,test,x,,,", "b.png,p,s,test,x,,,")


def test_a_file_that_is_no_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\xff\xfe")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "endless.csv").write_text("x" * (csv.field_size_limit() + 1))
    for name in ("gone.csv", "picture.png", "empty.csv", "endless.csv", "."):
        with pytest.raises(ManifestError, match=str(tmp_path / name)):
            read_manifests([tmp_path / name])
    with pytest.raises(ManifestError, match="list no image"):
        read(tmp_path)


def test_a_patient_belongs_to_one_split(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="Patient 1 of s is in train and in test"):
        read(tmp_path, "a.png,1,s,train,,,,", "b.png,1,s,test,,,,")
    same, other = read(tmp_path, "a.png,1,s,train,,,,", "b.png,1,t,test,,,,")
    assert (same.group, other.group) == ("s/1", "t/1")
    assert replace(other, source="s").group == same.group


def test_an_image_stands_once_however_it_is_spelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ManifestError, match=r"a\.png is listed twice"):
        read(tmp_path, "a.png,1,s,train,,,,", "a.png,1,s,train,,,,")
    with pytest.raises(ManifestError, match=r"a\.png is listed twice"):
        read(tmp_path, "a.png,1,s,train,,,,", f"../{tmp_path.name}/a.png,1,s,train,,,,")
    read(tmp_path, "a.png,1,s,train,,,,", "b.png,1,s,train,,,,")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ManifestError, match=r"a\.png is listed twice"):
        read_manifests(["manifest.csv", tmp_path / "manifest.csv"])


def test_a_patient_in_two_manifests_belongs_to_one_split_too(tmp_path: Path) -> None:
    for name, split in (("one", "train"), ("two", "val")):
        (tmp_path / name).mkdir()
        read(tmp_path / name, f"a.png,1,s,{split},,,,")
    with pytest.raises(ManifestError, match="Patient 1 of s is in train and in val"):
        read_manifests([tmp_path / "one" / "manifest.csv", tmp_path / "two" / "manifest.csv"])


def test_masks_are_read_for_their_radiograph(tmp_path: Path) -> None:
    mask = np.eye(20, 30, dtype=bool)
    write_mask(mask, tmp_path / "m.png")
    (case,) = read(tmp_path, "a.png,1,s,train,,m.png;,box;normal,A;B")
    drawn, normal = case.annotations((20, 30))
    assert (drawn.mask == mask).all()
    assert (drawn.kind, drawn.reader, normal.kind, normal.reader) == ("box", "A", "normal", "B")
    assert normal.is_empty
    with pytest.raises(MaskSizeError, match=r"m\.png"):
        case.annotations((30, 20))
    (tmp_path / "m.png").unlink()
    with pytest.raises(AnnotationError, match=r"m\.png"):
        case.annotations((20, 30))


def test_a_manifest_that_cannot_be_written_leaves_the_old_one(folder: Path, tmp_path: Path) -> None:
    write_manifest([Case(folder / "a.png", "1", "s", "val")], tmp_path / "manifest.csv")
    before = (tmp_path / "manifest.csv").read_bytes()
    with pytest.raises(UnicodeEncodeError):
        write_manifest([Case(folder / "b.png", "\ud800", "s", "val")], tmp_path / "manifest.csv")
    assert [p.name for p in tmp_path.iterdir()] == ["manifest.csv"]
    assert (tmp_path / "manifest.csv").read_bytes() == before
    (tmp_path / "taken").mkdir()
    with pytest.raises(DeepPneumoniaError, match="taken cannot be written"):
        write_manifest([], tmp_path / "taken")


def test_splits_are_the_same_for_ever() -> None:
    # `printf p0 | sha256sum` and so on: 0.0883, 0.9620, 0.2237, 0.2646, 0.6697, 0.3259, 0.4884, 0.0156 of 2^64
    expected = ["test", "train", "val", "val", "train", "val", "train", "test"]
    assert [split_of(f"p{i}", val=0.15, test=0.2) for i in range(8)] == expected


@few
@given(st.text(st.characters(exclude_categories=["Cs"])), st.floats(0, 0.5), st.floats(0, 0.5), st.floats(0, 0.5))
def test_a_larger_share_only_adds_patients(patient: str, val: float, test: float, more: float) -> None:
    here = split_of(patient, val=val, test=test)
    assert here == split_of(patient, val=val, test=test)
    assert here in SPLITS
    if here == "test":
        assert split_of(patient, val=val, test=test + more) == "test"
    if here == "train":
        assert split_of(patient, val=0, test=test) == "train"
    assert split_of(patient, val=0, test=0) == "train"
    assert split_of(patient, val=1, test=0) == "val"
    assert split_of(patient, val=val, test=1) == "test"


def test_shares_of_patients_are_about_those_asked_for() -> None:
    found = Counter(split_of(f"{i:08}", val=0.15, test=0.2) for i in range(4000))
    assert found["test"] / 4000 == pytest.approx(0.2, abs=0.02)
    assert found["val"] / 4000 == pytest.approx(0.15, abs=0.02)
