"""A workspace: a folder that holds a work list for several reviewers, and outlives the program that writes it.

DIR/workspace.sqlite    the database; its `user_version` is the version of the tables (see `database`)
DIR/masks/SHA256.png    every mask once, named by its digest, on disk before a row refers to it

Nothing is overwritten: a changed mask or verdict becomes a new version beside the old ones. Whoever changes something
names the version they saw; if somebody else saved another version since, they get a `ConflictError` and nothing is
lost. A change is on disk when its call returns, so a killed process loses nothing that it confirmed. The folder must
lie on a disk whose file locks work; opening a workspace checks them (see `locks`).
"""

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from deep_pneumonia.datasets.manifest import Case
from deep_pneumonia.errors import ConflictError, WorkspaceError
from deep_pneumonia.files import read_bytes, sha256
from deep_pneumonia.masks.annotation import Annotation, to_png
from deep_pneumonia.names import distinct, reader_name, shown
from deep_pneumonia.partial_files import sweep
from deep_pneumonia.worklist.database import (
    CASE_COLUMNS,
    DATABASE_FILE,
    connection,
    insert,
    prepare_database,
    transaction,
)
from deep_pneumonia.worklist.mask_store import MaskStore
from deep_pneumonia.worklist.records import (
    VERDICTS,
    Drawing,
    Item,
    Verdict,
    by_case,
    drawing_from_row,
    item_from_row,
    newest_drawings,
    verdict_from_row,
)

THUMBNAILS_FOLDER = "thumbnails"
IMPORT_AUTHOR = "import"  # the author of masks that came with their case


class Workspace:
    """A folder that holds a work list. Safe to use from several threads and processes at once."""

    def __init__(self, folder: str | Path) -> None:
        """Open a workspace, or begin an empty one in a folder that has none.

        Raises:
            WorkspaceError: the folder cannot be written to, its file locks do not work, or its database is damaged or
                of a newer version.
        """
        self.folder = Path(folder).absolute()
        prepare_database(self.folder)
        self.database = self.folder / DATABASE_FILE
        self.store = MaskStore(self.folder / "masks")
        for folder in (self.folder, self.folder / THUMBNAILS_FOLDER):
            sweep(folder)

    def add(self, cases: Iterable[Case]) -> int:
        """Add cases with their readers' masks, and return how many were new. A known case stays as it is.

        Masks are told apart by their readers' names: the second of one name gets a number.

        Raises:
            WorkspaceError: a radiograph or a mask cannot be read.
        """
        return sum(self._add(case) for case in cases)

    def _add(self, case: Case) -> bool:
        key = sha256(_read(case.image))
        digests = [m.path and self.store.keep(_read(m.path)) for m in case.masks]
        columns = {name: getattr(case, name) for name in CASE_COLUMNS}
        columns |= {"key": key, "image": self.stored_path(case.image)}
        readers = distinct([m.reader for m in case.masks])
        with transaction(self.database) as db:
            made = insert(db, "cases", columns, on_conflict="IGNORE")
            if not made.rowcount:
                return False
            for mask, reader, digest in zip(case.masks, readers, digests, strict=True):
                drawing = {"reader": reader, "version": 1, "kind": mask.kind, "mask": digest, "removed": False}
                who = {"case_id": made.lastrowid, "author": IMPORT_AUTHOR, "time": _now()}
                insert(db, "drawings", drawing | who)
        return True

    def items(self, drawn: Mapping[int, list[Drawing]] | None = None) -> list[Item]:
        """Every case, in the order of addition, with the newest mask of each of its readers.

        `drawn`: the result of `all_drawings`, if it is already known.
        """
        with connection(self.database) as db:
            rows = db.execute("SELECT * FROM cases ORDER BY id").fetchall()
        drawn = self.all_drawings() if drawn is None else drawn
        return [item_from_row(row, self.folder, drawn.get(row["id"], [])) for row in rows]

    def item(self, number: int) -> Item:
        """One case.

        Raises:
            WorkspaceError: the list has no case of this number.
        """
        with connection(self.database) as db:
            row = db.execute("SELECT * FROM cases WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise WorkspaceError(f"The work list has no case {number}; open the list again.")
        return item_from_row(row, self.folder, self.drawings(number))

    def has(self, image: Path) -> bool:
        """Whether a file is the radiograph of a case."""
        with connection(self.database) as db:
            paths = (self.stored_path(image), str(image))
            return db.execute("SELECT 1 FROM cases WHERE image IN (?, ?)", paths).fetchone() is not None

    def all_drawings(self) -> dict[int, list[Drawing]]:
        """The newest drawings, as from `drawings`, of every case that was ever drawn on."""
        with connection(self.database) as db:
            rows = db.execute("SELECT * FROM drawings ORDER BY rowid").fetchall()
        return {number: newest_drawings(found) for number, found in by_case(rows, self._drawing).items()}

    def newest_versions(self, number: int) -> dict[str, int]:
        """The newest version of each reader who ever drew on a case, including removed readers."""
        with connection(self.database) as db:
            sql = "SELECT reader, max(version) AS version FROM drawings WHERE case_id = ? GROUP BY reader"
            return {row["reader"]: row["version"] for row in db.execute(sql, (number,))}

    def drawings(self, number: int) -> list[Drawing]:
        """The newest drawing of each reader of a case, without removed readers."""
        with connection(self.database) as db:
            rows = db.execute("SELECT * FROM drawings WHERE case_id = ? ORDER BY rowid", (number,)).fetchall()
        return newest_drawings([self._drawing(row) for row in rows])

    def versions(self, number: int, reader: str) -> list[Drawing]:
        """Every version of a reader's mask, oldest first, including removals."""
        with connection(self.database) as db:
            return self._versions(db, number, reader)

    def _versions(self, db: sqlite3.Connection, number: int, reader: str) -> list[Drawing]:
        sql = "SELECT * FROM drawings WHERE case_id = ? AND reader = ? ORDER BY version"
        return [self._drawing(row) for row in db.execute(sql, (number, reader))]

    def draw(self, number: int, annotation: Annotation, *, version: int, author: str) -> Drawing:
        """Store a reader's changed mask. `version` is the one that `author` saw, 0 for a new reader.

        Raises:
            ConflictError: somebody else changed it since.
        """
        digest = None if annotation.kind == "normal" else self.store.keep(to_png(annotation.mask))
        content = {"kind": annotation.kind, "mask": digest, "removed": False}
        return self._draw(number, annotation.reader, version, content, author)

    def remove(self, number: int, reader: str, *, version: int, author: str) -> Drawing:
        """Take a reader off a case. Earlier versions stay.

        Raises:
            WorkspaceError: the case has no such reader.
            ConflictError: somebody else changed the mask since.
        """
        if not self.versions(number, reader):
            raise WorkspaceError(f"Case {number} has no mask of {reader}; open the case again.")
        return self._draw(number, reader, version, {"kind": "normal", "mask": None, "removed": True}, author)

    def _draw(self, number: int, reader: str, version: int, content: Mapping[str, object], author: str) -> Drawing:
        with transaction(self.database) as db:
            versions = self._versions(db, number, reader)
            last = versions[-1] if versions else None
            if last and {"kind": last.kind, "mask": last.digest, "removed": last.removed} == content:
                return last  # sent twice, as after a lost answer
            if version != (last.version if last else 0):
                raise _conflict(f"The mask of {reader}", (last.author, last.time) if last else None)
            who = {"case_id": number, "reader": reader, "version": version + 1, "author": author, "time": _now()}
            insert(db, "drawings", who | dict(content))
            return self._versions(db, number, reader)[-1]

    def judge(self, number: int, reviewer: str, verdict: str, comment: str = "", *, version: int) -> Verdict:
        """Store a reviewer's verdict. `version` is the one they saw, 0 where there was none.

        Raises:
            WorkspaceError: the verdict is none of `VERDICTS`, or the reviewer has no name.
            ConflictError: it was changed since, in another window under the same name.
        """
        if verdict not in VERDICTS or not reviewer:
            raise WorkspaceError(
                f"{reader_name(reviewer, 'Nobody')} judged {verdict!r:.60}; a verdict is one of "
                f"{', '.join(VERDICTS)}, with a name."
            )
        sql = "SELECT * FROM verdicts WHERE case_id = ? AND reviewer = ? ORDER BY version DESC LIMIT 1"
        with transaction(self.database) as db:
            row = db.execute(sql, (number, reviewer)).fetchone()
            last = verdict_from_row(row) if row else None
            if last and (last.verdict, last.comment) == (verdict, comment):
                return last
            if version != (last.version if last else 0):
                raise _conflict(f"The verdict of {reviewer}", (reviewer, last.time) if last else None)
            made = Verdict(reviewer, version + 1, verdict, comment, _now())
            insert(db, "verdicts", {"case_id": number} | vars(made))
        return made

    def verdicts(self, number: int | None = None) -> dict[int, dict[str, Verdict]]:
        """The newest verdict of each reviewer, by case and reviewer, for one case or for all."""
        where, values = ("", ()) if number is None else ("WHERE case_id = ?", (number,))
        # SQLite takes the other columns from the row that has the maximum.
        sql = f"SELECT *, max(version) FROM verdicts {where} GROUP BY case_id, reviewer"  # noqa: S608
        with connection(self.database) as db:
            found = by_case(db.execute(sql, values), verdict_from_row)
        return {case: {verdict.reviewer: verdict for verdict in verdicts} for case, verdicts in found.items()}

    def _drawing(self, row: sqlite3.Row) -> Drawing:
        return drawing_from_row(row, self.store)

    def stored_path(self, image: Path) -> str:
        """A path as the database has it: relative to the folder, so that the folder can move, or absolute outside."""
        path = image.absolute()
        return str(path.relative_to(self.folder) if path.is_relative_to(self.folder) else path)


def _read(path: Path) -> bytes:
    """A file that becomes part of the list; errors name it without its folder, as visitors read them."""
    return read_bytes(path, shown(path.name), error=WorkspaceError)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _conflict(what: str, last: tuple[str, str] | None) -> ConflictError:
    if last is None:
        return ConflictError(f"{what} has no version yet; open the case again.")
    author, time = last
    return ConflictError(f"{what} was changed by {author} at {time}, after it was opened here; open the case again.")
