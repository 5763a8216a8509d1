"""Workspace: cases, masks and verdicts that outlive a session, for several reviewers at once on one machine.

DIR/workspace.sqlite    the database, in WAL mode; its `user_version` is that of the schema (workspace_schema.py)
DIR/masks/SHA256.png    every mask once, by its digest, on disk before the row that names it

Nothing is overwritten: a changed mask or verdict is a new version beside the old ones. Who changes something says
which version they saw; if another came between, they get a `ConflictError` and nothing is lost. A call that has
returned is on disk: a process that is killed afterwards loses none of it. A network disk is no place for it, as
SQLite's locks may not hold there.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deep_pneumonia.datasets.manifest import Case, MaskRef
from deep_pneumonia.errors import ConflictError, WorkspaceError
from deep_pneumonia.files import read_bytes, sha256
from deep_pneumonia.masks.annotation import Annotation, to_png
from deep_pneumonia.names import distinct
from deep_pneumonia.worklist.database import CASE, DATABASE, changing, connected, prepared
from deep_pneumonia.worklist.mask_store import MaskStore
from deep_pneumonia.worklist.records import VERDICTS, Drawing, Item, Verdict

DRAWN = "SELECT * FROM drawings"
# SQLite gives the other columns of the row that has the maximum.
JUDGED = "SELECT case_id, reviewer, max(version), verdict, comment, time FROM verdicts"
IMPORTED = "import"  # the author of masks that came with their case


class Workspace:
    """A folder that holds a work list. Safe to use from several threads and processes at once."""

    def __init__(self, folder: str | Path) -> None:
        """Open a workspace, or begin one in a folder that is new or has none.

        Raises:
            WorkspaceError: the folder cannot be written to, or its database is damaged or of a newer version.
        """
        self.folder = Path(folder).absolute()
        prepared(self.folder)
        self.database = self.folder / DATABASE
        self.store = MaskStore(self.folder / "masks")

    def add(self, cases: Iterable[Case]) -> int:
        """Add cases with their readers' masks, and return how many were new; one that is known stays as it is.

        Masks are told apart by their readers' names: the second of one name gets a number.

        Raises:
            WorkspaceError: a radiograph or a mask cannot be read.
        """
        added = 0
        for case in cases:
            key = sha256(read_bytes(case.image, error=WorkspaceError))
            kept = [(m, m.path and self.store.keep(read_bytes(m.path, error=WorkspaceError))) for m in case.masks]
            with changing(self.database) as db:
                cells = (key, self.inside(case.image), *(getattr(case, name) for name in CASE))
                marks = ", ".join("?" * len(cells))
                made = db.execute(f"INSERT OR IGNORE INTO cases VALUES (NULL, {marks})", cells)  # noqa: S608
                if made.rowcount:
                    added += 1
                    for reader, (mask, digest) in zip(distinct([m.reader for m in case.masks]), kept, strict=True):
                        row = (made.lastrowid, reader, 1, mask.kind, digest, False, IMPORTED, _now())
                        db.execute("INSERT INTO drawings VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        return added

    def items(self, drawn: Mapping[int, list[Drawing]] | None = None) -> list[Item]:
        """Every case, in the order in which they came, with the newest mask of each of its readers.

        `drawn`: what `all_drawings` gave, for who has asked for it already.
        """
        with connected(self.database) as db:
            rows = db.execute("SELECT * FROM cases ORDER BY id").fetchall()
        drawn = self.all_drawings() if drawn is None else drawn
        return [self._item(row, drawn.get(row[0], [])) for row in rows]

    def item(self, number: int) -> Item:
        """One case.

        Raises:
            WorkspaceError: there is none of this number.
        """
        with connected(self.database) as db:
            row = db.execute("SELECT * FROM cases WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise WorkspaceError(f"The work list has no case {number}; open the list again.")
        return self._item(row, self.drawings(number))

    def has(self, image: Path) -> bool:
        """Whether a file is the radiograph of a case."""
        with connected(self.database) as db:
            named = (self.inside(image), str(image))
            return db.execute("SELECT 1 FROM cases WHERE image IN (?, ?)", named).fetchone() is not None

    def all_drawings(self) -> dict[int, list[Drawing]]:
        """What `drawings` gives of every case that has a mask."""
        with connected(self.database) as db:
            rows = db.execute(f"{DRAWN} ORDER BY rowid").fetchall()
        drawn = defaultdict(list)
        for number, *cells in _newest(rows):
            drawn[number].append(self._drawing(cells))
        return dict(drawn)

    def newest(self, number: int) -> dict[str, int]:
        """The number of the newest version of each reader who ever drew on a case; who was removed is among them."""
        with connected(self.database) as db:
            sql = "SELECT reader, max(version) FROM drawings WHERE case_id = ? GROUP BY reader"
            return dict(db.execute(sql, (number,)).fetchall())

    def drawings(self, number: int) -> list[Drawing]:
        """The newest mask of each reader of a case; who was removed is left out."""
        with connected(self.database) as db:
            rows = db.execute(f"{DRAWN} WHERE case_id = ? ORDER BY rowid", (number,)).fetchall()
        return [self._drawing(cells) for _, *cells in _newest(rows)]

    def versions(self, number: int, reader: str) -> list[Drawing]:
        """Every version of a reader's mask, the first one first; removals among them."""
        with connected(self.database) as db:
            rows = db.execute(
                "SELECT * FROM drawings WHERE case_id = ? AND reader = ? ORDER BY version", (number, reader)
            ).fetchall()
        return [self._drawing(cells) for _, *cells in rows]

    def draw(self, number: int, annotation: Annotation, *, version: int, author: str) -> Drawing:
        """Keep a reader's changed mask; `version` is the one that `author` saw, 0 for a new reader.

        Raises:
            ConflictError: somebody else changed it since.
        """
        digest = None if annotation.kind == "normal" else self.store.keep(to_png(annotation.mask))
        return self._draw(number, annotation.reader, version, (annotation.kind, digest, False), author)

    def remove(self, number: int, reader: str, *, version: int, author: str) -> Drawing:
        """Take a reader off a case; the versions before stay.

        Raises:
            WorkspaceError: the case has no such reader.
            ConflictError: somebody else changed the mask since.
        """
        if not self.versions(number, reader):
            raise WorkspaceError(f"The case {number} has no mask of {reader}; open the case again.")
        return self._draw(number, reader, version, ("normal", None, True), author)

    def _draw(
        self, number: int, reader: str, version: int, content: tuple[str, str | None, bool], author: str
    ) -> Drawing:
        with changing(self.database) as db:
            last = db.execute(
                "SELECT * FROM drawings WHERE case_id = ? AND reader = ? ORDER BY version DESC LIMIT 1",
                (number, reader),
            ).fetchone()
            now = self._drawing(last[1:]) if last else None
            if last and (*last[3:5], bool(last[5])) == content:
                return self._drawing(last[1:])  # said twice, as when the first answer was lost
            if version != (now.version if now else 0):
                raise _conflict(f"The mask of {reader}", (now.author, now.time) if now else None)
            row = (number, reader, version + 1, *content, author, _now())
            db.execute("INSERT INTO drawings VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        return self._drawing(row[1:])

    def judge(self, number: int, reviewer: str, verdict: str, comment: str = "", *, version: int) -> Verdict:
        """Keep a reviewer's verdict; `version` is the one they saw, 0 where there was none.

        Raises:
            WorkspaceError: the verdict is none of `VERDICTS`, or the reviewer has no name.
            ConflictError: it was changed since, in another window under the same name.
        """
        if verdict not in VERDICTS or not reviewer:
            raise WorkspaceError(
                f"{reviewer or 'Nobody'} judged {verdict!r}; a verdict is one of {', '.join(VERDICTS)}, with a name."
            )
        with changing(self.database) as db:
            found = db.execute(f"{JUDGED} WHERE case_id = ? AND reviewer = ?", (number, reviewer)).fetchone()
            now = Verdict(*found[1:]) if found and found[1] is not None else None
            if now and (now.verdict, now.comment) == (verdict, comment):
                return now
            if version != (now.version if now else 0):
                raise _conflict(f"The verdict of {reviewer}", (reviewer, now.time) if now else None)
            made = Verdict(reviewer, version + 1, verdict, comment, _now())
            row = (number, reviewer, made.version, verdict, comment, made.time)
            db.execute("INSERT INTO verdicts VALUES (?, ?, ?, ?, ?, ?)", row)
        return made

    def verdicts(self, number: int | None = None) -> dict[int, dict[str, Verdict]]:
        """The newest verdict of each reviewer, by case and reviewer; of one case, or of all."""
        one, values = ("", ()) if number is None else ("WHERE case_id = ?", (number,))
        with connected(self.database) as db:
            rows = db.execute(f"{JUDGED} {one} GROUP BY case_id, reviewer", values).fetchall()
        found: dict[int, dict[str, Verdict]] = defaultdict(dict)
        for number, *cells in rows:
            found[number][cells[0]] = Verdict(*cells)
        return dict(found)

    def _item(self, row: tuple[Any, ...], drawings: list[Drawing]) -> Item:
        number, key, image, *cells = row
        masks = tuple(MaskRef(d.mask, d.kind, d.reader) for d in drawings)
        return Item(number, key, Case(self.folder / image, masks=masks, **dict(zip(CASE, cells, strict=True))))

    def _drawing(self, cells: Iterable[Any]) -> Drawing:
        reader, version, kind, digest, removed, author, time = cells
        mask = None if digest is None else self.store.path(digest)
        return Drawing(reader, version, kind, mask, digest, bool(removed), author, time)

    def inside(self, image: Path) -> str:
        """A path within the folder as one relative to it, so that the folder can be moved; others are absolute."""
        path = image.absolute()
        return str(path.relative_to(self.folder) if path.is_relative_to(self.folder) else path)


def _newest(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Of rows of drawings in the order in which they came the newest of each reader, who was removed left out.

    Readers stay in the order in which they first came, whoever's mask is changed.
    """
    last = {(row[0], row[1]): row for row in rows}
    return [row for row in last.values() if not row[5]]


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _conflict(what: str, last: tuple[str, str] | None) -> ConflictError:
    if last is None:
        return ConflictError(f"{what} has no version yet; open the case again.")
    by, when = last
    return ConflictError(f"{what} was changed by {by} at {when}, after it was opened here; open the case again.")
