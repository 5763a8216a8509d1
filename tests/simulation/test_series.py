"""The lesson's pictures: one pneumonia that grows and nothing else changes, rendered as asked and shipped whole."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deep_pneumonia import shipped, simulate
from deep_pneumonia.datasets.teaching_cases import read_document
from deep_pneumonia.files import sha256
from deep_pneumonia.masks.annotation import read_mask
from deep_pneumonia.simulation.pneumonia import LOBAR
from tests.chest_phantom import write_ct

RECIPE = {
    "body": 1, "pose": 0, "view": "PA", "kind": LOBAR, "severity": 0, "lobes": [12], "confounders": [], "seed": 3,
}  # fmt: skip
ASKED = {"format": 1, "licence": "mine", "recipe": RECIPE, "severities": [0, 0.5, 1]}


@pytest.fixture(scope="module")
def ct(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ct(tmp_path_factory.mktemp("ct"))


def render(ct: Path, folder: Path, asked: Any) -> int:
    (folder / "lesson.json").write_text(json.dumps(asked), encoding="utf-8")
    return simulate.main(["--lesson", str(folder), "--ct", str(ct)])


@pytest.fixture(scope="module")
def made(ct: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lesson")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulate, "LESSON_SIZE", 96)
        assert render(ct, folder, ASKED) == 0
    return folder


def facts(folder: Path) -> dict[str, Any]:
    return read_document(folder, "lesson.json", "frames")


def pixels(folder: Path, image: str) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(folder / image), np.int64)


def masks(folder: Path, size: tuple[int, int]) -> list[np.ndarray[Any, Any]]:
    named = [f["mask"] for f in facts(folder)["frames"]]
    return [np.zeros(size, bool) if n is None else read_mask(folder / n, size).mask for n in named]


@pytest.mark.parametrize("size", [96, 512])
def test_the_lesion_grows_where_it_is_and_nothing_else_changes(made: Path, size: int) -> None:
    folder = made if size == 96 else shipped.LESSON
    found, frames = masks(folder, (size, size)), [pixels(folder, f["image"]) for f in facts(folder)["frames"]]
    areas = [int(m.sum()) for m in found]
    assert areas == sorted(areas)
    assert areas[0] == 0 < areas[1] < areas[-1]
    for before, after in pairwise(found[1:]):
        assert (before & ~after).sum() <= 0.03 * before.sum()
    changed = np.abs(frames[-1] - frames[0])
    assert changed[found[-1]].mean() > 2 * changed[~found[-1]].mean()
    assert frames[-1][found[-1]].mean() > frames[0][found[-1]].mean() + 5


def test_the_grain_stays() -> None:
    first, second = (pixels(shipped.LESSON, f"severity-{n}.png").astype(float) for n in (0, 1))
    grains = [(p - np.roll(p, 1, axis=0))[400:500, 100:400].ravel() for p in (first, second)]  # far from the lesion
    assert np.corrcoef(grains)[0, 1] > 0.95


@pytest.mark.parametrize("size", [96, 512])
def test_letters_change_nothing_but_where_they_stand(made: Path, size: int) -> None:
    folder = made if size == 96 else shipped.LESSON
    lettered = facts(folder)["lettered"]
    plain = pixels(folder, facts(folder)["frames"][lettered["of"]]["image"])
    changed = pixels(folder, lettered["image"]) - plain
    assert changed.min() == 0
    assert changed.max() > 50
    assert 0 < (changed > 0).mean() < 0.03
    assert not (changed > 0)[size // 4 :].any()


def test_a_second_run_writes_the_same_bytes(ct: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate, "LESSON_SIZE", 96)
    before = {p.name: p.read_bytes() for p in made.iterdir()}
    assert simulate.main(["--lesson", str(made), "--ct", str(ct)]) == 0
    assert {p.name: p.read_bytes() for p in made.iterdir()} == before


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("severities", [], "rising numbers from 0 to 1"),
        ("severities", [0.5, 0.2], "rising"),
        ("severities", [0, 1.2], "from 0 to 1"),
        ("severities", 3, "is not a list of teaching cases"),
        ("severities", ["much"], "numbers from 0 to 1"),
        ("recipe", {"body": 1}, "missing or invalid part"),
        ("format", 2, "format 1"),
    ],
)
def test_what_is_not_understood_is_refused(
    ct: Path, tmp_path: Path, part: str, value: Any, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert render(ct, tmp_path, {**ASKED, part: value}) == 2
    assert said in capsys.readouterr().err.splitlines()[-1]
    assert [p.name for p in tmp_path.iterdir()] == ["lesson.json"]


def test_what_is_shipped_is_whole_small_and_says_whose_it_is() -> None:
    document = facts(shipped.LESSON)
    entries = [*document["frames"], document["lettered"]]
    assert all(sha256(shipped.LESSON / e["image"]) == e["sha256"] for e in entries)
    named = {e["image"] for e in entries} | {e["mask"] for e in document["frames"] if e["mask"]} | {"lesson.json"}
    assert {p.name for p in shipped.LESSON.iterdir()} == named
    assert sum(p.stat().st_size for p in shipped.LESSON.iterdir()) < 1_200_000
    for number, mask in enumerate(masks(shipped.LESSON, (512, 512))):
        assert mask.mean() == pytest.approx(document["frames"][number]["area"], abs=1e-4)
    assert document["licence"] == "CC BY 3.0"
    assert "LIDC-IDRI" in document["attribution"]
