"""What a workspace holds, as records, and the one place where rows of the database become records."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from deep_pneumonia.datasets.manifest import Case, MaskRef
from deep_pneumonia.masks.annotation import Annotation, Kind
from deep_pneumonia.worklist.database import CASE_COLUMNS
from deep_pneumonia.worklist.mask_store import MaskStore

VERDICTS = ("agree", "partly", "disagree", "unsure")

T = TypeVar("T")


@dataclass(frozen=True)
class Item:
    """A case of the work list. `key`: SHA-256 of the radiograph's file; the same bytes are the same case."""

    id: int
    key: str
    case: Case


@dataclass(frozen=True)
class Drawing:
    """One version of a reader's mask.

    mask: its PNG file; None where the reader read the radiograph as normal, or was `removed`.
    digest: SHA-256 of that file, under which scores are stored.
    author: who saved this version. time: UTC, ISO 8601.
    """

    reader: str
    version: int
    kind: Kind
    mask: Path | None
    digest: str | None
    removed: bool
    author: str
    time: str

    @property
    def reference(self) -> MaskRef:
        """The mask as a case of a manifest refers to it."""
        return MaskRef(self.mask, self.kind, self.reader)

    def annotation(self, size: tuple[int, int]) -> Annotation:
        """The mask, for a radiograph of `size` (H, W).

        Raises:
            AnnotationError: the file is missing, damaged or of another size.
        """
        return self.reference.annotation(size)


@dataclass(frozen=True)
class Verdict:
    """One version of a reviewer's verdict, one of `VERDICTS`, and a comment. `time`: UTC, ISO 8601."""

    reviewer: str
    version: int
    verdict: str
    comment: str
    time: str


def item_from_row(row: sqlite3.Row, folder: Path, drawings: Iterable[Drawing]) -> Item:
    """A row of `cases` in the workspace `folder`, with the newest drawings of its readers."""
    columns: dict[str, Any] = {name: row[name] for name in CASE_COLUMNS}
    return Item(
        row["id"], row["key"], Case(folder / row["image"], masks=tuple(d.reference for d in drawings), **columns)
    )


def drawing_from_row(row: sqlite3.Row, store: MaskStore) -> Drawing:
    """A row of `drawings`, whose masks lie in `store`."""
    digest = row["mask"]
    return Drawing(
        reader=row["reader"],
        version=row["version"],
        kind=row["kind"],
        mask=None if digest is None else store.path(digest),
        digest=digest,
        removed=bool(row["removed"]),
        author=row["author"],
        time=row["time"],
    )


def verdict_from_row(row: sqlite3.Row) -> Verdict:
    """A row of `verdicts`."""
    return Verdict(row["reviewer"], row["version"], row["verdict"], row["comment"], row["time"])


def by_case(rows: Iterable[sqlite3.Row], record: Callable[[sqlite3.Row], T]) -> dict[int, list[T]]:
    """Rows as records, in their order, by the case that they belong to."""
    found: dict[int, list[T]] = defaultdict(list)
    for row in rows:
        found[row["case_id"]].append(record(row))
    return dict(found)


def newest_drawings(versions: Sequence[Drawing]) -> list[Drawing]:
    """The newest of each reader's `versions`, oldest first, without removed readers.

    Readers stay in the order of their first versions, whichever mask changed last.
    """
    newest = {drawing.reader: drawing for drawing in versions}
    return [drawing for drawing in newest.values() if not drawing.removed]
