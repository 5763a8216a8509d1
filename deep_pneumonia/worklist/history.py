"""All that a workspace holds, in every version, as it was at one moment."""

from dataclasses import dataclass

from deep_pneumonia.worklist.database import connection
from deep_pneumonia.worklist.records import (
    Drawing,
    Item,
    Verdict,
    by_case,
    drawing_from_row,
    item_from_row,
    newest_drawings,
    verdict_from_row,
)
from deep_pneumonia.worklist.workspace import Workspace


@dataclass(frozen=True)
class Record:
    """A case with every version of its masks and verdicts, oldest first.

    item: the case with the newest mask of each of its readers.
    """

    item: Item
    drawings: tuple[Drawing, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def newest(self) -> list[Drawing]:
        """The newest mask of each reader, without removed readers."""
        return newest_drawings(self.drawings)

    @property
    def judged(self) -> dict[str, Verdict]:
        """The newest verdict of each reviewer."""
        return {v.reviewer: v for v in self.verdicts}


def history(workspace: Workspace) -> list[Record]:
    """Every case, in the order of addition, read in one transaction: simultaneous changes are left out.

    Raises:
        WorkspaceError: the database cannot be read.
    """
    with connection(workspace.database) as db:
        db.execute("BEGIN")
        cases = db.execute("SELECT * FROM cases ORDER BY id").fetchall()
        drawn = by_case(
            db.execute("SELECT * FROM drawings ORDER BY rowid"), lambda row: drawing_from_row(row, workspace.store)
        )
        judged = by_case(db.execute("SELECT * FROM verdicts ORDER BY rowid"), verdict_from_row)
        db.execute("COMMIT")
    records = []
    for row in cases:
        drawings, verdicts = drawn.get(row["id"], []), judged.get(row["id"], [])
        item = item_from_row(row, workspace.folder, newest_drawings(drawings))
        records.append(Record(item, tuple(drawings), tuple(verdicts)))
    return records
