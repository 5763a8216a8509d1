"""Teaching cases: read or refused, rendered as their recipes ask, and those that are shipped, whole."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deep_pneumonia import shipped, simulate
from deep_pneumonia.datasets.manifest import MaskRef
from deep_pneumonia.datasets.teaching_cases import (
    TeachingCase,
    load_cases,
    read_document,
)
from deep_pneumonia.errors import CasesError, MaskSizeError
from deep_pneumonia.files import sha256
from deep_pneumonia.masks.annotation import write_mask
from deep_pneumonia.simulation.confounders import KINDS
from deep_pneumonia.simulation.pneumonia import BRONCHO, INTERSTITIAL, LOBAR, NORMAL, ROUND
from tests.chest_phantom import write_ct

Document = dict[str, Any]
READERS = ["Truth", "Simulated reader A", "Simulated reader B"]
WORDS = {"title": "Häufig", "findings": "an opacity", "teaching_point": "look twice", "difficulty": "hard"}
RECIPE = {
    "body": 1, "pose": 0, "view": "PA", "kind": LOBAR, "severity": 0.7, "lobes": [12], "confounders": [], "seed": 3,
}  # fmt: skip


def write(folder: Path, document: Any) -> Path:
    (folder / "cases.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two cases of 8 x 6 pixels, one ill and one normal."""
    lesion = np.eye(8, 6, dtype=bool)
    for name in ("a.png", "b.png"):
        Image.fromarray(np.arange(48, dtype=np.uint8).reshape(8, 6)).save(tmp_path / name)
    write_mask(lesion, tmp_path / "truth.png")
    readers = [{"name": "Truth", "kind": "pixel", "mask": "truth.png"}]
    known = {"sha256": "0", "spacing_mm": [0.3, 0.4]}
    ill = WORDS | known | {"id": "ill", "label": "Opacity", "image": "a.png", "readers": readers, "note": "kept"}
    well = (
        WORDS | known | {"id": "well", "label": NORMAL, "image": "b.png", "readers": [{"name": "N", "kind": "normal"}]}
    )
    return write(tmp_path, {"format": 1, "cases": [ill, well]})


def test_cases_are_read_in_their_order(folder: Path) -> None:
    ill, well = load_cases(folder)
    truth = MaskRef(folder / "truth.png", "pixel", "Truth")
    assert ill == TeachingCase("ill", *WORDS.values(), "Opacity", folder / "a.png", "0", (0.3, 0.4), (truth,))
    np.testing.assert_array_equal(ill.annotations((8, 6))[0].mask, np.eye(8, 6, dtype=bool))
    (empty,) = well.annotations((8, 6))
    assert (empty.kind, empty.reader, empty.is_empty, empty.size) == ("normal", "N", True, (8, 6))
    with pytest.raises(MaskSizeError, match="8 x 6 pixels"):
        ill.annotations((6, 8))
    assert load_cases(str(folder)) == [ill, well]
    assert load_cases(write(folder, {"format": 1, "cases": []})) == []


DAMAGE: dict[str, tuple[Callable[[Document, Document], object], str]] = {
    "an older format": (lambda d, _: d.update(format=0), "of format 1"),
    "no cases": (lambda d, _: d.pop("cases"), "of format 1"),
    "a case that is a text": (lambda d, _: d["cases"].append("ill"), "cases[2] is 'ill', expected an object"),
    "one length": (lambda _, c: c.update(spacing_mm=0.3), "spacing_mm is 0.3, expected a list"),
    "three lengths": (lambda _, c: c.update(spacing_mm=[1, 1, 1]), "expected at most 2 entries"),
    "a title that is a number": (lambda _, c: c.update(title=3), "cases[0].title is 3, expected text"),
    "an endless text": (lambda _, c: c.update(findings="x" * 2001), "expected text of at most 2000 characters"),
    "a wide pixel": (lambda _, c: c.update(spacing_mm=["wide", 1]), "spacing_mm[0] is 'wide', expected a number"),
    "a reader that is a name": (lambda _, c: c.update(readers=["Truth"]), "readers[0] is 'Truth', expected an object"),
    "a reader without a kind": (lambda _, c: c["readers"][0].pop("kind"), "readers[0].kind is missing"),
    "another kind": (lambda _, c: c["readers"][0].update(kind="dots"), "kind is 'dots', expected 'pixel'"),
    "normal with a mask": (lambda _, c: c["readers"][0].update(kind="normal"), "of kind 'normal'"),
    "a drawing without a mask": (lambda _, c: c["readers"][0].pop("mask"), "the mask of Truth in the case ill is None"),
    "a drawing with an empty name": (lambda _, c: c["readers"][0].update(mask=""), "of Truth in the case ill is ''"),
    "a lost mask": (lambda _, c: c["readers"][0].update(mask="gone.png"), "ill names"),
    "a lost image": (lambda _, c: c.update(image="gone.png"), "ill names"),
} | {
    f"no {key}": (lambda _, c, key=key: c.pop(key), f"cases[0].{key} is missing")
    for key in ("id", *WORDS, "label", "image", "sha256", "spacing_mm", "readers")
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_list_is_refused_in_one_sentence(folder: Path, damage: str) -> None:
    document = read_document(folder)
    change, said = DAMAGE[damage]
    change(document, document["cases"][0])
    refused(write(folder, document), said)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[]", b"null"])
def test_what_is_no_list_of_cases_is_refused(tmp_path: Path, text: bytes) -> None:
    refused(tmp_path, "give a folder of teaching cases")
    (tmp_path / "cases.json").write_bytes(text)
    refused(tmp_path, "give a folder")


def refused(folder: Path, said: str) -> None:
    with pytest.raises(CasesError) as error:
        load_cases(folder)
    assert said in str(error.value)
    assert str(folder) in str(error.value)
    assert str(error.value).endswith(".")
    assert "\n" not in str(error.value)


@pytest.fixture(scope="module")
def ct(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ct(tmp_path_factory.mktemp("ct"))


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that asks for an ill case and a normal one."""
    monkeypatch.setattr(simulate, "CASE_SIZE", 96)
    well = RECIPE | {"kind": NORMAL, "lobes": [], "confounders": ["electrodes"], "view": "AP"}
    cases = [WORDS | {"id": name, "recipe": recipe, "note": 7} for name, recipe in (("ill", RECIPE), ("well", well))]
    return write(tmp_path, {"format": 1, "licence": "mine", "cases": cases})


def render(ct: Path, folder: Path) -> int:
    return simulate.main(["--cases", str(folder), "--ct", str(ct)])


def test_cases_are_rendered_as_asked_and_words_are_kept(ct: Path, asked: Path) -> None:
    before = read_document(asked)
    assert render(ct, asked) == 0
    after = read_document(asked)
    assert after["licence"] == "mine"
    for old, new in zip(before["cases"], after["cases"], strict=True):
        assert {key: new[key] for key in old} == old
        assert new.keys() - old.keys() == {"label", "image", "sha256", "spacing_mm", "contrast", "readers"}
    ill, well = load_cases(asked)
    for case in (ill, well):
        assert np.asarray(Image.open(case.image)).shape == (96, 96)
        assert case.sha256 == hashlib.sha256(case.image.read_bytes()).hexdigest()
        assert 2 < case.spacing_mm[0] == case.spacing_mm[1] < 5
        assert [m.reader for m in case.masks] == READERS
    assert (ill.label, well.label) == (LOBAR, NORMAL)
    assert after["cases"][0]["contrast"] > 0.1 > after["cases"][1]["contrast"] == 0
    assert all(not a.is_empty for a in ill.annotations((96, 96)))
    assert all(a.kind == "normal" for a in well.annotations((96, 96)))


def test_a_second_run_writes_the_same_bytes(ct: Path, asked: Path) -> None:
    runs = []
    for _ in range(2):
        assert render(ct, asked) == 0
        runs.append({p: p.read_bytes() for p in asked.rglob("*") if p.is_file()})
    assert runs[0] == runs[1]
    assert len(runs[0]) == 1 + 4 + 1


def test_a_case_that_is_ill_no_more_keeps_no_mask(ct: Path, asked: Path) -> None:
    assert render(ct, asked) == 0
    document = read_document(asked)
    document["cases"][0]["recipe"].update(kind=NORMAL)
    assert render(ct, write(asked, document)) == 0
    assert [p.name for p in (asked / "ill").iterdir()] == ["ill.png"]


@pytest.mark.parametrize(
    ("part", "value"),
    [
        *((part, None) for part in RECIPE),
        ("severity", "much"),
        ("seed", []),
        ("lobes", 12),
        ("kind", "Flu"),
        ("lobes", [99]),  # a rib
        ("body", -1),
        ("severity", 1.5),
        ("view", "LAT"),
        ("confounders", ["earring"]),
    ],
)
def test_a_recipe_that_lacks_or_garbles_a_part_is_refused(
    ct: Path, asked: Path, part: str, value: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    document = read_document(asked)
    document["cases"].reverse()  # the first one can be rendered
    recipe = document["cases"][1]["recipe"]
    recipe.pop(part) if value is None else recipe.update({part: value})
    before = (write(asked, document) / "cases.json").read_bytes()
    assert render(ct, asked) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: ")
    assert (asked / "cases.json").read_bytes() == before
    assert [p.name for p in asked.iterdir()] == ["cases.json"], "nothing is rendered before all is understood"


@pytest.mark.parametrize("name", ["../outside", "a/b", "..", ""])
def test_a_case_stays_in_its_folder(ct: Path, asked: Path, name: str) -> None:
    document = read_document(asked)
    document["cases"][0]["id"] = name
    assert render(ct, write(asked, document)) == 2
    assert [p.name for p in asked.iterdir()] == ["cases.json"]


def test_shipped_cases_cover_what_they_teach() -> None:
    cases, document = load_cases(shipped.CASES), read_document(shipped.CASES)
    labels = [c.label for c in cases]
    assert 12 <= len(cases) <= 14
    assert set(labels) == {NORMAL, LOBAR, BRONCHO, INTERSTITIAL, ROUND}
    assert labels.count(NORMAL) >= 2
    assert {c.difficulty for c in cases} == {"easy", "moderate", "hard"}
    assert {e["recipe"]["view"] for e in document["cases"]} == {"PA", "AP"}
    assert set() < {kind for e in document["cases"] for kind in e["recipe"]["confounders"]} <= set(KINDS)
    assert all(len({getattr(c, key) for c in cases}) == len(cases) for key in ("id", "title", "sha256"))
    assert all(30 < len(text) < 300 for c in cases for text in (c.findings, c.teaching_point))


@pytest.mark.parametrize("name", sorted(p.name for p in shipped.CASES.glob("*/")))
def test_a_shipped_case_is_whole(name: str) -> None:
    (case,) = (c for c in load_cases(shipped.CASES) if c.id == name)
    with Image.open(case.image) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "L", (1024, 1024))
        assert np.asarray(image).std() > 20
    assert sha256(case.image) == case.sha256
    assert 0.2 < case.spacing_mm[0] == case.spacing_mm[1] < 0.5
    truth, *drawn = case.annotations((1024, 1024))
    assert [truth.reader, *(a.reader for a in drawn)] == READERS
    normal = case.label == NORMAL
    assert [truth.kind, *{a.kind for a in drawn}] == (["normal"] * 2 if normal else ["pixel", "polygon"])
    assert truth.is_empty == normal
    assert normal or all(0.4 < (truth.mask & a.mask).sum() / (truth.mask | a.mask).sum() < 1 for a in drawn)


def test_the_shipped_folder_is_small_holds_nothing_else_and_says_whose_it_is() -> None:
    found = {p for p in shipped.CASES.rglob("*") if p.is_file()}
    cases = load_cases(shipped.CASES)
    named = {c.image for c in cases} | {m.path for c in cases for m in c.masks if m.path}
    assert found == named | {shipped.CASES / "cases.json"}
    assert sum(p.stat().st_size for p in found) < 8_000_000
    document = read_document(shipped.CASES)
    assert document["licence"] == "CC BY 3.0"
    assert "LIDC-IDRI" in document["attribution"]
    sources = (shipped.CASES.parent / "SOURCES.md").read_text(encoding="utf-8")
    assert all(words in sources for words in ("CC BY 3.0", "LIDC-IDRI"))
