"""Where a page works: its own work list, told apart by its token, or the one that all share."""

import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deep_pneumonia import shipped
from deep_pneumonia.datasets.manifest import Case, read_manifests
from deep_pneumonia.datasets.teaching_cases import load_cases
from deep_pneumonia.errors import WorkspaceError
from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.prediction.predictor import Prediction, Predictor
from deep_pneumonia.viewer.review.workspaces import Workspaces
from deep_pneumonia.worklist.rows import one_row, rows
from deep_pneumonia.worklist.thumbnail import MAX_SIDE

ANA, BEN = "a" * 32, "b" * 32


@pytest.fixture(scope="module")
def predictor(trained: Path) -> Predictor:
    return Predictor.load(trained / "checkpoint", "cpu")


@pytest.fixture
def workspaces(predictor: Predictor) -> Iterator[Workspaces]:
    with Workspaces(predictor.predict, predictor.checkpoint.key, load_cases(shipped.CASES)[:2]) as started:
        yield started


def without_cases(shared: Path | None = None) -> Workspaces:
    def predict(*_: object) -> Prediction:
        raise AssertionError("there is nothing to predict")

    return Workspaces(predict, "0" * 64, [], shared)


def sweepers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "work list sweeper"]


def test_a_registry_begins_nothing_before_its_start_and_leaves_nothing_after_its_end() -> None:
    registry = without_cases()
    assert (registry.root, sweepers()) == (None, [])
    with pytest.raises(WorkspaceError, match="are closed; start the server again"):
        registry.open(ANA)
    assert registry.existing(ANA) is None
    assert not registry.holds("/etc/passwd")
    with registry:
        registry.start()  # a second start changes nothing
        (sweeper,) = sweepers()
        folder = registry.open(ANA).workspace.folder
        root, download = registry.root, registry.download_folder()
        assert root is not None
        assert folder.parent == download.parent == root
    assert not sweeper.is_alive()
    assert not root.exists()
    registry.close()  # a second close changes nothing
    with pytest.raises(WorkspaceError, match="are closed"):
        registry.open(ANA)
    with registry:
        assert registry.existing(ANA) is None, "a new start begins with nothing"


def test_a_shared_list_stays_when_its_registry_is_closed(tmp_path: Path) -> None:
    with without_cases(tmp_path / "shared") as registry:
        database = registry.open(None).workspace.database
    assert database.is_file()


def test_unused_lists_are_looked_for_until_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    swept = threading.Event()
    monkeypatch.setattr("deep_pneumonia.viewer.review.workspaces.SWEEP_SECONDS", 0.01)
    monkeypatch.setattr(Workspaces, "delete_unused", lambda *_: swept.set())
    with without_cases():
        assert swept.wait(60)


def test_a_page_begins_with_the_teaching_cases_already_read(workspaces: Workspaces) -> None:
    work_list = workspaces.open(ANA)
    assert not work_list.shared
    for row, case in zip(rows(work_list.workspace, work_list.predictions), workspaces.cases, strict=True):
        assert (row["key"], row["label"], row["source"]) == (case.sha256, case.label, "teaching")
        assert row["predicted"] is not None
        with Image.open(work_list.predictions.thumbnails / f"{case.sha256}.webp") as picture:
            assert max(picture.size) == MAX_SIDE


def test_what_one_page_writes_no_other_page_sees(workspaces: Workspaces) -> None:
    workspaces.open(ANA).workspace.judge(1, "Ana", "agree", version=0)
    assert workspaces.open(ANA).workspace.verdicts()[1]["Ana"].verdict == "agree"
    assert workspaces.open(BEN).workspace.verdicts() == {}
    assert workspaces.open(ANA).workspace.folder.name != ANA, "who sees the folder's name must not know the token"


@pytest.mark.parametrize("token", [None, 3, "", "a" * 31, "A" * 32, "../" + "a" * 29, "a" * 33])
def test_what_is_no_token_opens_nothing(workspaces: Workspaces, token: object) -> None:
    with pytest.raises(WorkspaceError, match="load it again"):
        workspaces.open(token)


def test_no_list_in_use_goes_away_when_the_clock_is_set(
    workspaces: Workspaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Once:
        """Waits for one sweep."""

        times = 0

        def wait(self, _: float) -> bool:
            self.times += 1
            return self.times > 1

    used = workspaces.open(ANA)
    for now in (0.0, time.time() + 10**6):
        with monkeypatch.context() as patched:
            patched.setattr(time, "time", lambda now=now: now)
            patched.setattr(workspaces, "_closing", Once())
            workspaces._sweep()
        assert used.workspace.folder.exists()


def test_the_lists_of_a_killed_server_are_deleted_and_those_of_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "deep-pneumonia-visitors-a1b2c3_4"
    (left / "list").mkdir(parents=True)
    with without_cases() as one, without_cases() as other:
        assert not left.exists()
        assert one.root != other.root
        assert one.root is not None
        assert one.root.is_dir(), "the second start keeps what the first one uses"
    assert list(tmp_path.iterdir()) == []


def test_a_page_s_own_goes_away_after_its_last_use_and_others_stay(workspaces: Workspaces) -> None:
    old, new = workspaces.open(ANA), workspaces.open(BEN)
    workspaces._used[old.workspace.folder.name] -= 7200
    workspaces.delete_unused(time.monotonic() - 3600)
    assert not old.workspace.folder.exists()
    assert not old.predictions.thumbnails.exists()
    assert new.workspace.folder.exists()
    workspaces._used[new.workspace.folder.name] -= 7200
    workspaces.open(BEN)
    workspaces.delete_unused(time.monotonic() - 3600)
    assert new.workspace.folder.exists(), "it was used since"


def test_a_shared_folder_is_the_same_for_all_and_empty_at_first(
    predictor: Predictor, tmp_path: Path, drawn_set: Path
) -> None:
    workspaces = Workspaces(
        predictor.predict, predictor.checkpoint.key, load_cases(shipped.CASES)[:2], tmp_path / "shared"
    )
    work_list = workspaces.open(None)
    assert work_list.shared
    assert rows(work_list.workspace, work_list.predictions) == []
    work_list.workspace.add(read_manifests([drawn_set]))
    image = work_list.workspace.item(3).case.image
    assert workspaces.open(BEN).workspace.item(3).case.image == image
    assert workspaces.holds(str(image))
    assert not workspaces.holds(str(image.with_name("other.png")))
    assert not workspaces.holds("/etc/passwd")


def test_only_files_of_its_own_folders_belong_to_a_page(workspaces: Workspaces, tmp_path: Path) -> None:
    own = workspaces.open(ANA).workspace.folder / "workspace.sqlite"
    assert workspaces.holds(str(own))
    assert not workspaces.holds(f"{workspaces.root}/../{tmp_path.name}")
    assert not workspaces.holds(str(tmp_path))


def test_a_file_that_cannot_be_read_is_said_and_not_tried_for_ever(
    predictor: Predictor, tmp_path: Path, drawn_set: Path
) -> None:
    workspaces = Workspaces(predictor.predict, predictor.checkpoint.key, [], tmp_path / "shared")
    work_list = workspaces.open(None)
    work_list.workspace.add(read_manifests([drawn_set])[:2])
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    work_list.workspace.add([Case(broken, "p9", "own", "test")])
    assert work_list.predictions.pending() == [1, 2, 3]
    for number in work_list.predictions.pending():
        work_list.predictions.make(number, workspaces.predict)
    assert work_list.predictions.pending() == []
    row = one_row(work_list.workspace, work_list.predictions, 3)
    assert row["predicted"] is None
    assert "broken.png" in row["problem"]
    work_list.predictions.forget_problems()
    assert work_list.predictions.pending() == [3]


def test_a_thumbnail_looks_like_its_radiograph(workspaces: Workspaces) -> None:
    work_list = workspaces.open(ANA)
    with Image.open(work_list.predictions.thumbnails / f"{workspaces.cases[0].sha256}.webp") as picture:
        small = np.asarray(picture.convert("L"), np.float64)
    with Image.open(workspaces.cases[0].image) as picture:
        same = np.asarray(picture.convert("L").resize(small.shape[::-1]), np.float64)
    assert np.corrcoef(small.ravel(), same.ravel())[0, 1] > 0.98


def test_a_mask_without_figures_waits_for_them_and_one_that_was_removed_does_not(workspaces: Workspaces) -> None:
    work_list = workspaces.open(ANA)
    assert work_list.predictions.pending() == []
    size = (1024, 1024)
    mask = np.zeros(size, bool)
    mask[300:500, 300:500] = True
    work_list.workspace.draw(2, Annotation(mask, "Ben", "pixel"), version=0, author="Ben")
    assert work_list.predictions.pending() == [2]
    work_list.predictions.make(2, workspaces.predict)
    assert work_list.predictions.pending() == []
    work_list.workspace.draw(1, Annotation(~mask, "Ben", "pixel"), version=0, author="Ben")
    work_list.workspace.remove(1, "Ben", version=1, author="Ben")
    assert work_list.predictions.pending() == []
