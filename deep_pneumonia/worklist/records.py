"""What a workspace holds, as records, and the one place where rows of the database become records."""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from deep_pneumonia.datasets.manifest import SPLITS, Case, MaskRef
from deep_pneumonia.errors import WorkspaceError
from deep_pneumonia.masks.annotation import KINDS, Annotation, Kind, read_mask
from deep_pneumonia.worklist.database import CASE_COLUMNS
from deep_pneumonia.worklist.mask_store import MaskStore

VERDICTS = ("agree", "partly", "disagree", "unsure")
DIGEST = re.compile(r"[0-9a-z]{64}")

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
        if self.mask is None:
            return self.reference.annotation(size)
        name = f"of {self.reader} in the work list"
        return read_mask(self.mask, size, reader=self.reader, kind=self.kind, name=name)


@dataclass(frozen=True)
class Verdict:
    """One version of a reviewer's verdict, one of `VERDICTS`, and a comment. `time`: UTC, ISO 8601."""

    reviewer: str
    version: int
    verdict: str
    comment: str
    time: str


def item_from_row(row: sqlite3.Row, folder: Path, drawings: Iterable[Drawing]) -> Item:
    """A row of `cases` in the workspace `folder`, with the newest drawings of its readers.

    Raises:
        WorkspaceError: the row is damaged.
    """
    columns: dict[str, Any] = {name: text_in(row, name, row["id"]) for name in CASE_COLUMNS}
    one_of(SPLITS, row, "split", row["id"])
    image = text_in(row, "image", row["id"])
    if not image or "\0" in image:
        raise damaged_row(row["id"], "image", image, "the path of a file")
    key = digest_in(row, "key", row["id"])
    return Item(row["id"], key, Case(folder / image, masks=tuple(d.reference for d in drawings), **columns))


def drawing_from_row(row: sqlite3.Row, store: MaskStore) -> Drawing:
    """A row of `drawings`, whose masks lie in `store`.

    Raises:
        WorkspaceError: the row is damaged.
    """
    case = row["case_id"]
    digest = None if row["mask"] is None else digest_in(row, "mask", case)
    kind: Any = one_of(KINDS, row, "kind", case)
    if (digest is None) != (kind == "normal"):  # nobody may be taken to have seen no lesion
        raise damaged_row(case, "mask", row["mask"], f"one for the kind {kind}")
    return Drawing(
        reader=text_in(row, "reader", case),
        version=_version(row),
        kind=kind,
        mask=None if digest is None else store.path(digest),
        digest=digest,
        removed=bool(row["removed"]),
        author=text_in(row, "author", case),
        time=text_in(row, "time", case),
    )


def verdict_from_row(row: sqlite3.Row) -> Verdict:
    """A row of `verdicts`.

    Raises:
        WorkspaceError: the row is damaged.
    """
    case = row["case_id"]
    reviewer, comment, time = (text_in(row, name, case) for name in ("reviewer", "comment", "time"))
    return Verdict(reviewer, _version(row), one_of(VERDICTS, row, "verdict", case), comment, time)


def damaged_row(case: object, column: str, got: object, expected: str) -> WorkspaceError:
    """The error for a row that this program cannot have written."""
    return WorkspaceError(
        f"Case {case!a} of the work list is damaged: its {column} is {ascii(got)[:60]}, expected {expected}; restore "
        "the folder of the work list from a copy."
    )


def text_in(row: sqlite3.Row, column: str, case: object) -> str:
    """A text of a row of `case`.

    Raises:
        WorkspaceError: it is none.
    """
    value = row[column]
    if not isinstance(value, str):
        raise damaged_row(case, column, value, "a text")
    return value


def digest_in(row: sqlite3.Row, column: str, case: object) -> str:
    """A SHA-256 digest of a row; it becomes a file's name, so nothing else may stand there.

    Raises:
        WorkspaceError: it is none.
    """
    value = text_in(row, column, case)
    if not DIGEST.fullmatch(value):
        raise damaged_row(case, column, value, "a SHA-256 digest")
    return value


def one_of(choices: Sequence[str], row: sqlite3.Row, column: str, case: object) -> str:
    """A word of a row that must be among `choices`.

    Raises:
        WorkspaceError: it is not.
    """
    value = text_in(row, column, case)
    if value not in choices:
        raise damaged_row(case, column, value, f"one of {', '.join(choices)}")
    return value


def _version(row: sqlite3.Row) -> int:
    if not isinstance(row["version"], int):
        raise damaged_row(row["case_id"], "version", row["version"], "a whole number")
    return int(row["version"])


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
