"""The database of a workspace: its tables, how older ones become newer ones, and how it is opened."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from deep_pneumonia.errors import WorkspaceError

DATABASE = "workspace.sqlite"
WAIT = 30.0  # seconds to wait for another process that is writing
CASE = ("patient", "source", "split", "label", "sex", "age", "view")

# One list of statements a version, never changed once published: a database of version n gets those after it.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE cases (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, image TEXT NOT NULL, "
        + ", ".join(f"{name} TEXT NOT NULL" for name in CASE)
        + ")",
        "CREATE TABLE drawings (case_id INTEGER NOT NULL REFERENCES cases, reader TEXT NOT NULL, "
        "version INTEGER NOT NULL, kind TEXT NOT NULL, mask TEXT, removed INTEGER NOT NULL, author TEXT NOT NULL, "
        "time TEXT NOT NULL, UNIQUE (case_id, reader, version))",
        "CREATE TABLE verdicts (case_id INTEGER NOT NULL REFERENCES cases, reviewer TEXT NOT NULL, "
        "version INTEGER NOT NULL, verdict TEXT NOT NULL, comment TEXT NOT NULL, time TEXT NOT NULL, "
        "UNIQUE (case_id, reviewer, version))",
    ),
    (
        # What a checkpoint reads can be computed again, so one row a case and checkpoint is enough.
        "CREATE TABLE readings (case_id INTEGER NOT NULL REFERENCES cases, checkpoint TEXT NOT NULL, predicted TEXT, "
        "probability REAL, evidence REAL, warnings TEXT NOT NULL, problem TEXT NOT NULL, UNIQUE (case_id, checkpoint))",
        # By the mask's digest: a mask that is taken back has its figures still.
        "CREATE TABLE agreements (case_id INTEGER NOT NULL REFERENCES cases, checkpoint TEXT NOT NULL, "
        "mask TEXT NOT NULL, hit REAL, iou REAL, dice REAL, UNIQUE (case_id, checkpoint, mask))",
    ),
    # Since then a refused picture has no class, and a map is shown by another rule: every case is to be read again.
    ("DELETE FROM readings",),
)


def prepared(folder: Path) -> None:
    """Make the folder and its database, or bring an older one to the newest version.

    Raises:
        WorkspaceError: the folder cannot be written to, or its database is damaged or of a newer version.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkspaceError(f"{folder} cannot be made a folder ({error.strerror}); choose another.") from error
    with connected(folder / DATABASE) as db:
        db.execute("PRAGMA journal_mode = WAL")
    # Of two processes that open it first, one makes the tables.
    with changing(folder / DATABASE) as db:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise WorkspaceError(
                f"The workspace {folder} was written in version {version}, and this program knows "
                f"{len(MIGRATIONS)}; use the newer program."
            )
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of one's own, whose changes are on disk when they are committed.

    Raises:
        WorkspaceError: the database cannot be opened, is damaged, refers to nothing, or is locked too long.
    """
    try:
        with closing(sqlite3.connect(path, timeout=WAIT, isolation_level=None)) as db:
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA foreign_keys = ON")
            yield db
    except sqlite3.IntegrityError as error:
        raise WorkspaceError(f"The work list {path} has no such case ({error}); open the list again.") from error
    except sqlite3.Error as error:
        raise WorkspaceError(
            f"The work list {path} cannot be used ({error}); is it a workspace, whole, and may it be written to?"
        ) from error


@contextmanager
def changing(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection for one change, whole or not at all; it waits for the others', and is on disk when the block ends.

    Raises:
        WorkspaceError: as from `connected`.
    """
    with connected(path) as db:
        db.execute("BEGIN IMMEDIATE")
        with db:  # commits, or rolls back
            yield db
