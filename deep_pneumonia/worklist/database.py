"""The SQLite database of a workspace: its tables, the migrations between their versions, and its connections."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

from deep_pneumonia.errors import WorkspaceError
from deep_pneumonia.worklist.locks import check_locks

DATABASE_FILE = "workspace.sqlite"
# SQLite reports a full disk as such, and a quota or limit as an error of its input and output.
NO_ROOM_CODES = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)
LOCK_TIMEOUT = 30.0  # seconds to wait for another process that is writing
# Columns of a case that are fields of `manifest.Case` as well.
CASE_COLUMNS = ("patient", "source", "split", "label", "sex", "age", "view")

# One tuple of statements per version. A published tuple never changes: a database of version n runs those after it.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE cases (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, image TEXT NOT NULL, "
        + ", ".join(f"{name} TEXT NOT NULL" for name in CASE_COLUMNS)
        + ")",
        "CREATE TABLE drawings (case_id INTEGER NOT NULL REFERENCES cases, reader TEXT NOT NULL, "
        "version INTEGER NOT NULL, kind TEXT NOT NULL, mask TEXT, removed INTEGER NOT NULL, author TEXT NOT NULL, "
        "time TEXT NOT NULL, UNIQUE (case_id, reader, version))",
        "CREATE TABLE verdicts (case_id INTEGER NOT NULL REFERENCES cases, reviewer TEXT NOT NULL, "
        "version INTEGER NOT NULL, verdict TEXT NOT NULL, comment TEXT NOT NULL, time TEXT NOT NULL, "
        "UNIQUE (case_id, reviewer, version))",
    ),
    (
        # Predictions can be computed again, so one row per case and checkpoint is enough.
        "CREATE TABLE readings (case_id INTEGER NOT NULL REFERENCES cases, checkpoint TEXT NOT NULL, predicted TEXT, "
        "probability REAL, evidence REAL, warnings TEXT NOT NULL, problem TEXT NOT NULL, UNIQUE (case_id, checkpoint))",
        # By the mask's digest: a mask that is restored still has its scores.
        "CREATE TABLE agreements (case_id INTEGER NOT NULL REFERENCES cases, checkpoint TEXT NOT NULL, "
        "mask TEXT NOT NULL, hit REAL, iou REAL, dice REAL, UNIQUE (case_id, checkpoint, mask))",
    ),
    # Version 3 stores no class for a rejected radiograph and shows maps by another rule, so every case is predicted
    # again.
    ("DELETE FROM readings",),
)


def prepare_database(folder: Path) -> None:
    """Make the folder and its database, or bring an older database to the newest version.

    Raises:
        WorkspaceError: the folder cannot be written to, its file locks do not work, or its database is damaged or of
            a newer version.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkspaceError(f"{folder.name} cannot be made a folder ({error.strerror}); choose another.") from error
    check_locks(folder)
    with connection(folder / DATABASE_FILE) as db:
        # Where the shared memory of WAL is not supported, SQLite keeps its rollback journal: slower, and as safe.
        db.execute("PRAGMA journal_mode = WAL")
        if _version(db) == len(MIGRATIONS):
            return
    # One of two processes that open the folder at the same time makes the tables; the other waits.
    with transaction(folder / DATABASE_FILE) as db:
        version = _version(db)
        if version > len(MIGRATIONS):
            raise WorkspaceError(
                f"The workspace {folder.name} was written in version {version}, and this program knows versions up to "
                f"{len(MIGRATIONS)}; use the newer program."
            )
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _version(db: sqlite3.Connection) -> int:
    version: int = db.execute("PRAGMA user_version").fetchone()["user_version"]
    return version


@contextmanager
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    """A new connection whose rows are read by the names of their columns, closed when the block ends.

    Committed changes are on disk.

    Raises:
        WorkspaceError: the database cannot be opened, is damaged, is locked for too long, or a row refers to a case
            that does not exist, a text is half a character, or the disk is full.
    """
    try:
        with closing(sqlite3.connect(path, timeout=LOCK_TIMEOUT, isolation_level=None)) as db:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA foreign_keys = ON")
            yield db
    except sqlite3.IntegrityError as error:
        raise WorkspaceError(f"The work list has no such case ({error}); open the list again.") from error
    except sqlite3.Error as error:
        raise WorkspaceError(_why_unusable(error, path)) from error
    except (UnicodeEncodeError, OverflowError) as error:  # half of a character, or a number of more than 64 bits
        raise WorkspaceError(f"The work list cannot keep a text or number ({error}); correct it.") from error


def _why_unusable(error: sqlite3.Error, path: Path) -> str:
    """What is wrong, without the path: a visitor of the viewer reads it."""
    code = getattr(error, "sqlite_errorcode", None)
    if code in NO_ROOM_CODES:
        return (
            f"The work list cannot be written, as there is no room left on its disk, or the disk fails ({error}); make "
            "room and try again. Nothing was changed."
        )
    return (
        f"The work list in {path.name} cannot be used ({error}); check that it is an undamaged work list, that it may "
        "be written to, and that it lies on a local disk."
    )


@contextmanager
def transaction(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection for one change, which is kept whole or not at all. It waits for other writers.

    Raises:
        WorkspaceError: as from `connection`.
    """
    with connection(path) as db:
        db.execute("BEGIN IMMEDIATE")
        with db:  # commits, or rolls back
            yield db


def insert(
    db: sqlite3.Connection,
    table: str,
    values: Mapping[str, object],
    *,
    on_conflict: Literal["ABORT", "IGNORE", "REPLACE"] = "ABORT",
) -> sqlite3.Cursor:
    """Insert one row by the names of its columns, which must come from this program."""
    columns, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
    return db.execute(f"INSERT OR {on_conflict} INTO {table} ({columns}) VALUES ({marks})", values)  # noqa: S608
