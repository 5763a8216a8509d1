"""A workspace keeps every version, tells of conflicts, and loses nothing that it said it has kept."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deep_pneumonia.datasets.manifest import Case, MaskRef, read_manifests
from deep_pneumonia.errors import ConflictError, WorkspaceError
from deep_pneumonia.masks.annotation import Annotation, Mask, read_as_normal, to_png
from deep_pneumonia.worklist.database import DATABASE_FILE, MIGRATIONS
from deep_pneumonia.worklist.records import VERDICTS, Verdict
from deep_pneumonia.worklist.workspace import Workspace
from tests.work_lists import SIZE, annotation


def mask(seed: int) -> Mask:
    return annotation(seed).mask


@pytest.fixture
def space(tmp_path: Path, drawn_set: Path) -> Workspace:
    space = Workspace(tmp_path / "space")
    assert space.add(read_manifests([drawn_set])) == 24
    return space


def test_cases_come_back_as_they_were_given(space: Workspace, drawn_set: Path) -> None:
    given_cases = read_manifests([drawn_set])
    found = [item.case for item in Workspace(space.folder).items()]
    for case, wanted in zip(found, given_cases, strict=True):
        assert (case.image, case.patient, case.split, case.label) == (
            wanted.image, wanted.patient, wanted.split, wanted.label,
        )  # fmt: skip
        assert [(m.reader, m.kind) for m in case.masks] == [(m.reader, m.kind) for m in wanted.masks]
        for own, other in zip(case.annotations((96, 80)), wanted.annotations((96, 80)), strict=True):
            np.testing.assert_array_equal(own.mask, other.mask)
    assert space.add(given_cases) == 0
    assert space.item(5).case == found[4]


def test_a_folder_that_is_moved_keeps_its_own_radiographs(tmp_path: Path) -> None:
    space = Workspace(tmp_path / "before")
    (space.folder / "chest.png").write_bytes(to_png(mask(1)))
    space.add([Case(space.folder / "chest.png", "p", "own", "test")])
    space.folder.rename(tmp_path / "after")
    assert Workspace(tmp_path / "after").item(1).case.image == tmp_path / "after" / "chest.png"


def test_every_version_of_a_mask_is_kept_and_the_original_is_not_overwritten(space: Workspace) -> None:
    first = space.drawings(2)[0]
    original = first.annotation((96, 80)).mask
    for version in (1, 2):
        changed = Annotation(np.roll(original, version, axis=0), "A", "pixel")
        assert space.draw(2, changed, version=version, author="Ben").version == version + 1
    assert [(d.version, d.author) for d in space.versions(2, "A")] == [(1, "import"), (2, "Ben"), (3, "Ben")]
    np.testing.assert_array_equal(space.versions(2, "A")[0].annotation((96, 80)).mask, original)
    np.testing.assert_array_equal(space.drawings(2)[0].annotation((96, 80)).mask, np.roll(original, 2, axis=0))


def test_a_reader_is_added_removed_and_added_again(space: Workspace) -> None:
    assert space.draw(1, annotation(1), version=0, author="Ana").version == 1
    assert [d.reader for d in space.drawings(1)] == ["A", "Ana"]
    assert space.remove(1, "Ana", version=1, author="Ana").removed
    assert [d.reader for d in space.drawings(1)] == ["A"]
    assert space.draw(1, read_as_normal(SIZE, reader="Ana"), version=2, author="Ana").mask is None
    assert [d.kind for d in space.drawings(1)] == ["normal", "normal"]
    assert [m.reader for m in space.item(1).case.masks] == ["A", "Ana"]


def test_two_who_change_one_mask_are_told_and_both_versions_stay(space: Workspace) -> None:
    space.draw(1, annotation(1), version=0, author="Ana")
    space.draw(1, annotation(2), version=1, author="Ben")
    with pytest.raises(ConflictError, match=r"mask of Ana was changed by Ben at 20.*open the case again"):
        space.draw(1, annotation(3), version=1, author="Ana")
    with pytest.raises(ConflictError, match="changed by Ben"):
        space.remove(1, "Ana", version=1, author="Ana")
    assert [d.version for d in space.versions(1, "Ana")] == [1, 2]
    np.testing.assert_array_equal(space.drawings(1)[-1].annotation(SIZE).mask, mask(2))


def test_what_is_said_twice_is_kept_once(space: Workspace) -> None:
    assert space.draw(1, annotation(1), version=0, author="Ana") == space.draw(
        1, annotation(1), version=0, author="Ana"
    )
    said = space.judge(1, "Ana", "agree", "clear", version=0)
    assert space.judge(1, "Ana", "agree", "clear", version=0) == said
    assert said.version == 1


def test_two_masks_of_one_reader_are_told_apart(tmp_path: Path) -> None:
    space = Workspace(tmp_path / "space")
    (space.folder / "chest.png").write_bytes(to_png(mask(1)))
    masks = tuple(MaskRef(space.folder / "chest.png", "pixel", "A") for _ in range(2))
    assert space.add([Case(space.folder / "chest.png", "p", "own", "test", masks=masks)]) == 1
    assert [d.reader for d in space.drawings(1)] == ["A", "A (2)"]


def test_what_was_never_drawn_or_judged_cannot_be_changed(space: Workspace) -> None:
    with pytest.raises(WorkspaceError, match="has no mask of Nobody; open the case again"):
        space.remove(1, "Nobody", version=0, author="Ana")
    with pytest.raises(ConflictError, match="mask of Nobody has no version yet; open"):
        space.draw(1, annotation(1, "Nobody"), version=4, author="Ana")
    with pytest.raises(ConflictError, match="verdict of Ana has no version yet; open"):
        space.judge(1, "Ana", "agree", version=2)
    assert [d.reader for d in space.drawings(1)] == ["A"]


def test_verdicts_have_versions_for_each_reviewer(space: Workspace) -> None:
    space.judge(1, "Ana", "agree", version=0)
    space.judge(1, "Ben", "disagree", "misses the base", version=0)
    space.judge(1, "Ana", "unsure", version=1)
    with pytest.raises(ConflictError, match="verdict of Ana was changed by Ana"):
        space.judge(1, "Ana", "partly", version=1)
    found = space.verdicts()
    assert {name: (v.verdict, v.comment, v.version) for name, v in found[1].items()} == {
        "Ana": ("unsure", "", 2),
        "Ben": ("disagree", "misses the base", 1),
    }
    assert set(found) == {1}


@pytest.mark.parametrize(("reviewer", "verdict"), [("Ana", "fine"), ("", "agree")])
def test_a_verdict_is_one_of_four_and_has_a_name(space: Workspace, reviewer: str, verdict: str) -> None:
    with pytest.raises(WorkspaceError, match="one of agree, partly, disagree, unsure, with a name"):
        space.judge(1, reviewer, verdict, version=0)
    assert space.verdicts() == {}


def test_a_case_that_is_not_there_is_named(space: Workspace) -> None:
    with pytest.raises(WorkspaceError, match="no case 99; open the list again"):
        space.item(99)
    with pytest.raises(WorkspaceError, match="no such case"):
        space.judge(99, "Ana", "agree", version=0)
    with pytest.raises(WorkspaceError, match=r"gone\.png does not exist"):
        space.add([Case(space.folder / "gone.png", "p", "own", "test")])


def test_a_newer_a_damaged_and_an_impossible_workspace_are_refused(space: Workspace, tmp_path: Path) -> None:
    database = space.folder / DATABASE_FILE
    with closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(WorkspaceError, match="written in version 99, and this program knows"):
        Workspace(space.folder)
    database.write_bytes(b"no database" * 500)
    with pytest.raises(WorkspaceError, match="undamaged work list"):
        Workspace(space.folder)
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="cannot be made a folder"):
        Workspace(tmp_path / "file")


def test_an_older_database_gets_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "space"
    folder.mkdir()
    (folder / "chest.png").write_bytes(to_png(mask(1)))
    Workspace(folder).add([Case(folder / "chest.png", "p", "own", "test")])
    new = ("ALTER TABLE cases ADD COLUMN note TEXT NOT NULL DEFAULT 'as before'",)
    monkeypatch.setattr("deep_pneumonia.worklist.database.MIGRATIONS", (*MIGRATIONS, new))
    for _ in range(2):  # once only
        Workspace(folder)
    with closing(sqlite3.connect(folder / DATABASE_FILE)) as db:
        assert db.execute("SELECT patient, note FROM cases").fetchall() == [("p", "as before")]
        assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)


def test_what_an_earlier_version_read_is_read_again_and_verdicts_stay(space: Workspace) -> None:
    space.judge(1, "Ana", "agree", version=0)
    with closing(sqlite3.connect(space.folder / DATABASE_FILE)) as db:
        db.execute("INSERT INTO readings VALUES (1, 'sha', 'Opacity', 0.8, 0.9, '[]', '')")
        db.execute("PRAGMA user_version = 2")
        db.commit()
    again = Workspace(space.folder)
    with closing(sqlite3.connect(space.folder / DATABASE_FILE)) as db:
        assert db.execute("SELECT * FROM readings").fetchall() == []
    assert again.verdicts(1)[1]["Ana"].verdict == "agree"


def test_threads_of_one_program_wait_for_each_other(space: Workspace) -> None:
    def judge(reviewer: str) -> None:
        for number in range(1, 25):
            space.judge(number, reviewer, "agree", version=0)

    threads = [threading.Thread(target=judge, args=[f"reviewer {n}"]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(len(v) for v in space.verdicts().values()) == 96


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["Ana", "Ben"]), st.sampled_from(VERDICTS), st.integers(0, 3)), max_size=12))
def test_versions_count_up_by_one_and_only_the_newest_may_be_changed(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[str, str, int]]
) -> None:
    space = Workspace(tmp_path_factory.mktemp("space"))
    (space.folder / "chest.png").write_bytes(to_png(mask(1)))
    space.add([Case(space.folder / "chest.png", "p", "own", "test")])
    kept: dict[str, Verdict] = {}
    for reviewer, verdict, version in said:
        now = kept.get(reviewer)
        try:
            made = space.judge(1, reviewer, verdict, version=version)
        except ConflictError:
            assert version != (now.version if now else 0)
            continue
        assert made == now if now and now.verdict == verdict else made.version == version + 1
        kept[reviewer] = made
    assert space.verdicts() == ({1: kept} if kept else {})


def test_a_name_that_cannot_be_printed_is_not_repeated_in_a_message(space: Workspace) -> None:
    with pytest.raises(WorkspaceError, match=r"^\? judged 'no'; a verdict is one of") as refused:
        space.judge(1, "\u202e", "no", version=0)
    assert str(refused.value).isprintable()
