"""A folder whose file locks do not work is named when a workspace is opened in it."""

import errno
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from deep_pneumonia import review
from deep_pneumonia.errors import WorkspaceError
from deep_pneumonia.worklist import locks
from deep_pneumonia.worklist.database import DATABASE_FILE
from deep_pneumonia.worklist.workspace import Workspace

REAL_CONNECT = sqlite3.connect


def without_locks(path: Any, **options: Any) -> sqlite3.Connection:
    """SQLite as on a disk whose locks do nothing."""
    return REAL_CONNECT(f"file:{path}?nolock=1", uri=True, **options)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells one process of its own locks")
def test_a_folder_whose_locks_do_nothing_is_named_when_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "connect", without_locks)
    for _ in range(2):
        with pytest.raises(
            WorkspaceError, match=r"file locks in .*space do not work .* choose a folder on a local disk"
        ):
            Workspace(tmp_path / "space")
    assert list((tmp_path / "space").iterdir()) == [], "nothing is begun there"


def test_a_command_says_it_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(locks, "_is_locked", lambda _: False)
    assert review.main(["import", str(tmp_path), "--workspace", str(tmp_path / "space")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: The file locks in ")


def test_locks_that_fail_are_named_with_the_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(_: int) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks, "_is_locked", no_locks)
    with pytest.raises(WorkspaceError, match=r"do not work \(.*No locks available\)"):
        Workspace(tmp_path / "space")

    def broken(*_: Any, **__: Any) -> sqlite3.Connection:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(sqlite3, "connect", broken)
    with pytest.raises(WorkspaceError, match=r"do not work \(disk I/O error\)"):
        Workspace(tmp_path / "space")


def test_a_folder_that_may_not_be_written_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(_: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(locks, "partial_folder", read_only)
    with pytest.raises(WorkspaceError, match=r"space cannot be written to \(Permission denied\)"):
        Workspace(tmp_path / "space")


def test_the_check_leaves_nothing_behind_and_disturbs_no_writer(tmp_path: Path) -> None:
    space = Workspace(tmp_path / "space")
    before = sorted(p.name for p in space.folder.iterdir())
    with closing(sqlite3.connect(space.database, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        locks.check_locks(space.folder)
        other = sqlite3.connect(space.database, timeout=0, isolation_level=None)
        with closing(other), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        db.execute("ROLLBACK")
    assert {p.name for p in space.folder.iterdir()} - set(before) <= {f"{DATABASE_FILE}-wal", f"{DATABASE_FILE}-shm"}


def test_a_disk_without_shared_memory_keeps_the_rollback_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "connect", without_locks)  # SQLite uses no shared memory then
    monkeypatch.setattr("deep_pneumonia.worklist.database.check_locks", lambda _: None)
    space = Workspace(tmp_path / "space")
    with closing(REAL_CONNECT(space.database)) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert space.items() == []
