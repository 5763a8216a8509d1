"""Where a page works: its own work list, told apart by its token, or the one that all share."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deep_pneumonia import shipped
from deep_pneumonia.datasets.manifest import Case, read_manifests
from deep_pneumonia.datasets.teaching_cases import load_cases
from deep_pneumonia.errors import WorkspaceError
from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.viewer.review.workspaces import Desk
from deep_pneumonia.worklist.rows import one_row, rows
from deep_pneumonia.worklist.thumbnail import SIDE

ANA, BEN = "a" * 32, "b" * 32


@pytest.fixture(scope="module")
def predictor(trained: Path) -> Predictor:
    return Predictor.load(trained / "checkpoint", "cpu")


@pytest.fixture
def desk(predictor: Predictor) -> Desk:
    return Desk(predictor.predict, predictor.checkpoint.key, load_cases(shipped.CASES)[:2])


def test_a_page_begins_with_the_teaching_cases_already_read(desk: Desk) -> None:
    place = desk.place(ANA)
    assert not place.shared
    for row, case in zip(rows(place.workspace, place.predictions), desk.cases, strict=True):
        assert (row["key"], row["label"], row["source"]) == (case.sha256, case.label, "teaching")
        assert row["predicted"] is not None
        with Image.open(place.predictions.thumbnails / f"{case.sha256}.webp") as picture:
            assert max(picture.size) == SIDE


def test_what_one_page_writes_no_other_page_sees(desk: Desk) -> None:
    desk.place(ANA).workspace.judge(1, "Ana", "agree", version=0)
    assert desk.place(ANA).workspace.verdicts()[1]["Ana"].verdict == "agree"
    assert desk.place(BEN).workspace.verdicts() == {}
    assert desk.place(ANA).workspace.folder.name != ANA, "who sees the folder's name must not know the token"


@pytest.mark.parametrize("token", [None, 3, "", "a" * 31, "A" * 32, "../" + "a" * 29, "a" * 33])
def test_what_is_no_token_opens_nothing(desk: Desk, token: object) -> None:
    with pytest.raises(WorkspaceError, match="load it again"):
        desk.place(token)


def test_a_page_s_own_goes_away_after_its_last_use_and_others_stay(desk: Desk) -> None:
    old, new = desk.place(ANA), desk.place(BEN)
    os.utime(old.workspace.folder, (1000, 1000))
    desk.sweep(2000)
    assert not old.workspace.folder.exists()
    assert not old.predictions.thumbnails.exists()
    assert new.workspace.folder.exists()
    os.utime(new.workspace.folder, (1000, 1000))
    desk.place(BEN)
    desk.sweep(2000)
    assert new.workspace.folder.exists(), "it was used since"


def test_a_shared_folder_is_the_same_for_all_and_empty_at_first(
    predictor: Predictor, tmp_path: Path, drawn_set: Path
) -> None:
    desk = Desk(predictor.predict, predictor.checkpoint.key, load_cases(shipped.CASES)[:2], tmp_path / "shared")
    place = desk.place(None)
    assert place.shared
    assert rows(place.workspace, place.predictions) == []
    place.workspace.add(read_manifests([drawn_set]))
    image = place.workspace.item(3).case.image
    assert desk.place(BEN).workspace.item(3).case.image == image
    assert desk.holds(str(image))
    assert not desk.holds(str(image.with_name("other.png")))
    assert not desk.holds("/etc/passwd")


def test_only_files_of_its_own_folders_belong_to_a_desk(desk: Desk, tmp_path: Path) -> None:
    own = desk.place(ANA).workspace.folder / "workspace.sqlite"
    assert desk.holds(str(own))
    assert not desk.holds(str(desk.root / ".." / tmp_path.name))
    assert not desk.holds(str(tmp_path))


def test_a_file_that_cannot_be_read_is_said_and_not_tried_for_ever(
    predictor: Predictor, tmp_path: Path, drawn_set: Path
) -> None:
    desk = Desk(predictor.predict, predictor.checkpoint.key, [], tmp_path / "shared")
    place = desk.place(None)
    place.workspace.add(read_manifests([drawn_set])[:2])
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    place.workspace.add([Case(broken, "p9", "own", "test")])
    assert place.predictions.pending() == [1, 2, 3]
    for number in place.predictions.pending():
        place.predictions.make(number, desk.predict)
    assert place.predictions.pending() == []
    row = one_row(place.workspace, place.predictions, 3)
    assert row["predicted"] is None
    assert "broken.png" in row["problem"]
    place.predictions.forget_problems()
    assert place.predictions.pending() == [3]


def test_a_thumbnail_looks_like_its_radiograph(desk: Desk) -> None:
    place = desk.place(ANA)
    with Image.open(place.predictions.thumbnails / f"{desk.cases[0].sha256}.webp") as picture:
        small = np.asarray(picture.convert("L"), np.float64)
    with Image.open(desk.cases[0].image) as picture:
        same = np.asarray(picture.convert("L").resize(small.shape[::-1]), np.float64)
    assert np.corrcoef(small.ravel(), same.ravel())[0, 1] > 0.98


def test_a_mask_without_figures_waits_for_them_and_one_that_was_removed_does_not(desk: Desk) -> None:
    place = desk.place(ANA)
    assert place.predictions.pending() == []
    size = (1024, 1024)
    mask = np.zeros(size, bool)
    mask[300:500, 300:500] = True
    place.workspace.draw(2, Annotation(mask, "Ben", "pixel"), version=0, author="Ben")
    assert place.predictions.pending() == [2]
    place.predictions.make(2, desk.predict)
    assert place.predictions.pending() == []
    place.workspace.draw(1, Annotation(~mask, "Ben", "pixel"), version=0, author="Ben")
    place.workspace.remove(1, "Ben", version=1, author="Ben")
    assert place.predictions.pending() == []
