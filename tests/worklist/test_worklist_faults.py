"""Faults of a work list: a full disk and damaged rows are named, and nothing is lost."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deep_pneumonia.datasets.manifest import Case
from deep_pneumonia.errors import DeepPneumoniaError, WorkspaceError
from deep_pneumonia.exchange.export import export
from deep_pneumonia.exchange.merge import import_into
from deep_pneumonia.worklist import database, workspace
from deep_pneumonia.worklist.database import DATABASE_FILE
from deep_pneumonia.worklist.history import history
from deep_pneumonia.worklist.predictions import MaskScores, Predictions, StoredPrediction
from deep_pneumonia.worklist.rows import rows
from deep_pneumonia.worklist.thumbnail import keep_thumbnail
from deep_pneumonia.worklist.workspace import Workspace
from tests.full_disk import room_for
from tests.phantom import draw, save_png
from tests.work_lists import SIZE, annotation, full_state, small_workspace

KEY = "c" * 64


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    """Two cases, one with a mask, a verdict and a prediction."""
    made = small_workspace(tmp_path)
    mask = made.draw(1, annotation(1), version=0, author="Ana")
    made.judge(1, "Ana", "agree", "fine", version=0)
    scores = {str(mask.digest): MaskScores(1.0, 0.5, 0.75)}
    Predictions(made, KEY).store(1, StoredPrediction("Opacity", 0.75, 0.5, ("low_contrast",), scores=scores))
    return made


def everything(space: Workspace) -> list[Any]:
    return [history(space), rows(space, Predictions(space, KEY))]


def no_path(error: BaseException, folder: Path) -> bool:
    return str(folder) not in str(error)


def test_a_full_disk_keeps_what_the_list_has(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    before = full_state(space)
    size = (space.folder / DATABASE_FILE).stat().st_size
    connect: Callable[..., sqlite3.Connection] = sqlite3.connect

    def small(*arguments: Any, **options: Any) -> sqlite3.Connection:
        db = connect(*arguments, **options)
        db.execute(f"PRAGMA max_page_count = {size // 4096}")
        return db

    with monkeypatch.context() as patched:
        patched.setattr(database.sqlite3, "connect", small)
        with pytest.raises(WorkspaceError, match=r"no room left .*full\); make room and try again") as failed:
            space.judge(2, "Ana", "agree", "long " * 2000, version=0)
    assert no_path(failed.value, space.folder)
    assert full_state(space) == before
    assert space.judge(2, "Ana", "agree", "long " * 2000, version=0).version == 1


@pytest.mark.parametrize("room", [0, 20])
def test_a_mask_for_which_there_is_no_room_is_not_stored(room: int, space: Workspace) -> None:
    before = full_state(space)
    with room_for(room), pytest.raises(WorkspaceError, match="no room left on its disk") as failed:
        space.draw(1, annotation(2), version=1, author="Ana")
    assert no_path(failed.value, space.folder)
    assert full_state(space) == before
    assert [p for p in (space.folder / "masks").iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize("name", ["list.zip", "list"])
def test_an_export_for_which_there_is_no_room_leaves_nothing(name: str, space: Workspace, tmp_path: Path) -> None:
    target, noise = tmp_path / "out" / name, np.random.default_rng(0).random((300, 300), np.float32)
    space.add([Case(save_png(noise, tmp_path / "noise.png"), "p9", "own", "test")])
    with room_for(50_000), pytest.raises(DeepPneumoniaError, match="no room left on its disk") as failed:
        export(space, target, radiographs=True)
    assert no_path(failed.value, tmp_path)
    assert list(target.parent.iterdir()) == []
    assert export(space, target).cases == 3


def test_an_import_for_which_there_is_no_room_changes_nothing(space: Workspace, tmp_path: Path) -> None:
    export(space, tmp_path / "list.zip", radiographs=True)
    other = Workspace(tmp_path / "other")
    with room_for(200), pytest.raises(DeepPneumoniaError, match="no room left on its disk") as failed:
        import_into(other, tmp_path / "list.zip")
    assert no_path(failed.value, tmp_path)
    assert history(other) == []
    assert import_into(other, tmp_path / "list.zip").cases == 2


def test_a_thumbnail_that_cannot_be_written_is_named_without_its_folder(tmp_path: Path) -> None:
    from deep_pneumonia.radiographs.radiograph import decode

    radiograph = decode(save_png(draw(1, (64, 64))[0], tmp_path / "a.png"))
    (tmp_path / "file").touch()
    with pytest.raises(DeepPneumoniaError, match="file cannot be written") as failed:
        keep_thumbnail(radiograph, tmp_path / "file" / "a.webp")
    assert no_path(failed.value, tmp_path)
    with room_for(10), pytest.raises(DeepPneumoniaError, match=r"a\.webp cannot be written, as there is no room"):
        keep_thumbnail(radiograph, tmp_path / "a.webp")


DAMAGES = [
    ("cases", "key", "../../etc/passwd"),
    ("cases", "image", b"\xff"),
    ("cases", "image", "a\0b"),
    ("cases", "patient", b"1"),
    ("cases", "split", "other"),
    ("drawings", "kind", "normal"),
    ("drawings", "kind", "polygons"),
    ("drawings", "mask", "../x"),
    ("drawings", "mask", None),
    ("drawings", "reader", b"Ana"),
    ("drawings", "version", "first"),
    ("drawings", "time", b""),
    ("verdicts", "verdict", "yes"),
    ("verdicts", "comment", b"\xff"),
    ("verdicts", "version", "first"),
    ("readings", "predicted", b"Opacity"),
    ("readings", "probability", "much"),
    ("readings", "probability", 7.0),
    ("readings", "evidence", None),
    ("readings", "warnings", "{"),
    ("readings", "warnings", '{"a": 1}'),
    ("readings", "warnings", "[1]"),
    ("readings", "problem", b""),
    ("agreements", "iou", -0.5),
    ("agreements", "hit", "yes"),
    ("agreements", "mask", b"x"),
]


@pytest.mark.parametrize(("table", "column", "value"), DAMAGES, ids=str)
def test_a_damaged_row_is_named_by_its_case(table: str, column: str, value: Any, space: Workspace) -> None:
    everything(space)
    with closing(sqlite3.connect(space.database, isolation_level=None)) as db:
        db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = 1", (value,))
    with pytest.raises(WorkspaceError, match=r"^Case 1 of the work list is damaged: its .*; restore") as failed:
        everything(space)
    assert no_path(failed.value, space.folder)


def test_text_that_is_no_text_is_named(space: Workspace) -> None:
    with closing(sqlite3.connect(space.database, isolation_level=None)) as db:
        db.execute("UPDATE cases SET patient = CAST(x'ff' AS TEXT)")
    with pytest.raises(WorkspaceError, match="cannot be used"):
        everything(space)


@pytest.mark.parametrize(
    "ask",
    [
        lambda s: s.judge(1, "Ben", "agree", "\ud800", version=0),
        lambda s: s.judge(2**70, "Ben", "agree", version=0),
        lambda s: s.item(2**70),
    ],
)
def test_half_a_character_and_too_large_a_number_are_named(ask: Callable[[Workspace], Any], space: Workspace) -> None:
    with pytest.raises(WorkspaceError, match="cannot keep a text or number"):
        ask(space)


def test_a_file_name_that_is_no_text_is_named(space: Workspace, tmp_path: Path) -> None:
    image = save_png(draw(7, SIZE)[0], tmp_path / "a.png")
    try:
        image = image.rename(tmp_path / "b\udce9.png")
    except OSError:
        pytest.skip("this disk has no such names")
    with pytest.raises(WorkspaceError, match="cannot keep a text or number"):
        space.add([Case(image, "p", "own", "test")])


def test_a_missing_file_is_named_without_its_folder(space: Workspace, tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"^gone\.png does not exist"):
        space.add([Case(tmp_path / "gone.png", "p", "own", "test")])
    drawing = space.drawings(1)[0]
    assert drawing.mask is not None
    drawing.mask.unlink()
    with pytest.raises(DeepPneumoniaError, match=r"The mask of Ana in the work list does not exist") as failed:
        drawing.annotation(SIZE)
    assert no_path(failed.value, tmp_path)


def test_versions_stay_in_their_order_when_the_clock_goes_back(
    space: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Past(datetime):
        year_now = 2030

        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            Past.year_now -= 1
            return datetime(Past.year_now, 1, 1, tzinfo=tz or UTC)

    monkeypatch.setattr(workspace, "datetime", Past)
    for version, verdict in enumerate(("partly", "unsure", "disagree"), start=1):
        space.judge(1, "Ana", verdict, version=version)
        space.draw(1, annotation(10 + version), version=version, author="Ana")
    assert space.verdicts(1)[1]["Ana"].verdict == "disagree"
    assert [d.version for d in space.versions(1, "Ana")] == [1, 2, 3, 4]
    assert space.drawings(1)[0].version == 4
    export(space, tmp_path / "list.zip", radiographs=True)
    other = Workspace(tmp_path / "other")
    import_into(other, tmp_path / "list.zip")
    assert [r.verdicts for r in history(other)] == [r.verdicts for r in history(space)]
    assert import_into(space, tmp_path / "list.zip").verdicts == 0
