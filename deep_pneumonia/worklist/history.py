"""All that a workspace holds, every version of it, as it was at one moment."""

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

from deep_pneumonia.datasets.manifest import Case, MaskRef
from deep_pneumonia.worklist.database import CASE, connected
from deep_pneumonia.worklist.records import Drawing, Item, Verdict
from deep_pneumonia.worklist.workspace import Workspace


@dataclass(frozen=True)
class Record:
    """A case with every version of its masks and verdicts, in the order in which they were kept.

    item: the case with the newest mask of each of its readers.
    """

    item: Item
    drawings: tuple[Drawing, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def newest(self) -> list[Drawing]:
        """The newest mask of each reader; who was removed is left out."""
        return _newest(self.drawings)

    @property
    def judged(self) -> dict[str, Verdict]:
        """The newest verdict of each reviewer."""
        return {v.reviewer: v for v in self.verdicts}


def history(workspace: Workspace) -> list[Record]:
    """Every case, in the order in which they came, read in one transaction: what others change meanwhile is left out.

    Raises:
        WorkspaceError: the database cannot be read.
    """
    with connected(workspace.database) as db:
        db.execute("BEGIN")
        cases = db.execute("SELECT * FROM cases ORDER BY id").fetchall()
        drawn = _by_case(db.execute("SELECT * FROM drawings ORDER BY rowid").fetchall())
        judged = _by_case(db.execute("SELECT * FROM verdicts ORDER BY rowid").fetchall())
        db.execute("COMMIT")
    return [_record(workspace, row, drawn[row[0]], judged[row[0]]) for row in cases]


Rows = list[tuple[Any, ...]]


def _by_case(rows: Rows) -> dict[int, Rows]:
    found: dict[int, Rows] = defaultdict(list)
    for number, *cells in rows:
        found[number].append(tuple(cells))
    return found


def _record(workspace: Workspace, row: tuple[Any, ...], drawn: Rows, judged: Rows) -> Record:
    number, key, image, *cells = row
    drawings = tuple(_drawing(workspace, *cells) for cells in drawn)
    masks = tuple(MaskRef(d.mask, d.kind, d.reader) for d in _newest(drawings))
    case = Case(workspace.folder / image, **dict(zip(CASE, cells, strict=True)))
    return Record(Item(number, key, replace(case, masks=masks)), drawings, tuple(Verdict(*v) for v in judged))


def _drawing(
    workspace: Workspace, reader: str, version: int, kind: Any, digest: str | None, removed: int, author: str, time: str
) -> Drawing:
    mask = None if digest is None else workspace.store.path(digest)
    return Drawing(reader, version, kind, mask, digest, bool(removed), author, time)


def _newest(drawings: tuple[Drawing, ...]) -> list[Drawing]:
    last = {drawing.reader: drawing for drawing in drawings}
    return [d for d in last.values() if not d.removed]
