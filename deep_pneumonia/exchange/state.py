"""state.json of an export: everything a workspace held, in every version, so that an import gives the same again.

{"format": 1, "cases": [{"key", "image", "name", "patient", "source", "split", "label", "sex", "age", "view",
"drawings": [{"reader", "version", "kind", "mask", "removed", "author", "time"}], "verdicts": [{"reviewer", "version",
"verdict", "comment", "time"}]}], "copies": {digest: digest}}

key, mask: SHA-256 of the files in the workspace. image: "radiographs/..." in the export, or the path on the machine
of the export. Masks lie in state/masks/SHA256.png. copies: files that held more than pixels were replaced by plain
copies; this gives the copy's SHA-256 by the original's. Predictions are left out: a checkpoint computes them again,
and invented numbers could not be told from real ones.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, FailFast, Field, ValidationError

from deep_pneumonia.datasets.manifest import SPLITS
from deep_pneumonia.errors import ExchangeError
from deep_pneumonia.limits import MAX_STATE_CASES, MAX_STATE_TEXT_LENGTH, MAX_STATE_VERSIONS
from deep_pneumonia.masks.annotation import Kind
from deep_pneumonia.strict_json import MismatchError, StrictModel, first_problem, one_of
from deep_pneumonia.worklist.database import CASE_COLUMNS
from deep_pneumonia.worklist.history import Record
from deep_pneumonia.worklist.records import VERDICTS

FORMAT = 1
STATE_FILE, MASKS_FOLDER, RADIOGRAPHS_FOLDER = "state.json", "state/masks", "radiographs"
DIGEST = re.compile(r"[0-9a-f]{64}")
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def _checked_digest(text: str) -> str:
    if not DIGEST.fullmatch(text):
        raise ValueError("a SHA-256 digest of 64 hexadecimal digits")
    return text


def _checked_time(text: str) -> str:
    try:
        if TIME.fullmatch(text) and datetime.fromisoformat(text):
            return text
    except ValueError:  # a month 13, say
        pass
    raise ValueError("a time in UTC such as 2026-01-31T09:30:00Z")


Text = Annotated[str, Field(max_length=MAX_STATE_TEXT_LENGTH)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_STATE_TEXT_LENGTH)]
Digest = Annotated[str, AfterValidator(_checked_digest)]
Time = Annotated[str, AfterValidator(_checked_time)]


class DrawingEntry(StrictModel):
    """One version of a reader's mask; `mask` is the digest of its file."""

    reader: Text
    version: int
    kind: Kind
    mask: Digest | None = None
    removed: bool
    author: Text
    time: Time


class VerdictEntry(StrictModel):
    """One version of a reviewer's verdict."""

    reviewer: Name
    version: int
    verdict: Annotated[str, one_of(VERDICTS)]
    comment: Text
    time: Time


Entry = TypeVar("Entry", DrawingEntry, VerdictEntry)


def _counted_up(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Check that each reader's or reviewer's versions count up by one from 1."""
    last: dict[str, int] = {}
    for number, entry in enumerate(entries):
        name = entry.reader if isinstance(entry, DrawingEntry) else entry.reviewer
        expected = last.get(name, 0) + 1
        if entry.version != expected:
            raise MismatchError(f"[{number}].version", entry.version, f"{expected}, the next of {name!a:.60}")
        last[name] = expected
    return entries


def _with_masks(drawings: tuple[DrawingEntry, ...]) -> tuple[DrawingEntry, ...]:
    for number, drawing in enumerate(drawings):
        if (drawing.mask is None) != (drawing.kind == "normal"):
            raise MismatchError(f"[{number}].mask", drawing.mask, "a SHA-256 digest, and null for kind normal alone")
    return drawings


def _checked_copies(copies: object) -> object:
    if isinstance(copies, dict):
        wrong = next((text for pair in copies.items() for text in pair if not _is_digest(text)), None)
        if wrong is not None:
            raise MismatchError("", wrong, "SHA-256 digests by SHA-256 digests")
    return copies


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and DIGEST.fullmatch(value) is not None


# FailFast: a hostile file has millions of problems, and one is enough to refuse it.
Versions = Field(max_length=MAX_STATE_VERSIONS)
Drawings = Annotated[
    tuple[DrawingEntry, ...], FailFast(), Versions, AfterValidator(_counted_up), AfterValidator(_with_masks)
]
Verdicts = Annotated[tuple[VerdictEntry, ...], FailFast(), Versions, AfterValidator(_counted_up)]


class CaseEntry(StrictModel):
    """A case with all its versions. `name` is that of its file in the workspace."""

    key: Digest
    image: Text
    name: Text
    patient: Text
    source: Text
    split: Annotated[str, one_of(SPLITS)]
    label: Text
    sex: Text
    age: Text
    view: Text
    drawings: Drawings
    verdicts: Verdicts

    @property
    def columns(self) -> dict[str, str]:
        """The columns of the case besides its key and image."""
        return {name: getattr(self, name) for name in CASE_COLUMNS}


class State(StrictModel):
    """All cases, and the digests of exported copies by those of the files in the workspace."""

    cases: Annotated[tuple[CaseEntry, ...], FailFast(), Field(max_length=MAX_STATE_CASES)]
    copies: Annotated[dict[str, str], BeforeValidator(_checked_copies)]


class _Header(StrictModel):
    """What tells a state from another file, and a newer state from one that this program knows."""

    format: int


def to_document(records: Sequence[Record], images: Mapping[int, str], copies: Mapping[str, str]) -> dict[str, Any]:
    """The content of state.json. `images`: what stands for a case's image, by the case's number."""
    return {"format": FORMAT, "cases": [_case(r, images[r.item.id]) for r in records], "copies": dict(copies)}


def _case(record: Record, image: str) -> dict[str, Any]:
    case = record.item.case
    return {
        "key": record.item.key,
        "image": image,
        "name": case.image.name,
        **{name: getattr(case, name) for name in CASE_COLUMNS},
        "drawings": [
            {
                "reader": d.reader,
                "version": d.version,
                "kind": d.kind,
                "mask": d.digest,
                "removed": d.removed,
                "author": d.author,
                "time": d.time,
            }
            for d in record.drawings
        ],
        "verdicts": [vars(verdict) for verdict in record.verdicts],
    }


def read_state(data: bytes) -> State:
    """Read a state.json of unknown origin, and check every entry of it.

    Raises:
        ExchangeError: it is not JSON, has a newer format, or an entry is missing, has another type or contradicts
            others.
    """
    try:
        header = _Header.model_validate_json(data)
    except ValidationError as error:
        if error.errors(include_url=False)[0]["type"] == "json_invalid":
            raise ExchangeError(f"{STATE_FILE} is not JSON or is damaged; export the work list again.") from None
        raise ExchangeError(
            f"{STATE_FILE} is not that of a work list; give a folder or ZIP that `review export` wrote."
        ) from None
    if header.format != FORMAT:
        raise ExchangeError(f"{STATE_FILE} has format {header.format}, expected {FORMAT}; use the newer program.")
    try:
        state = State.model_validate_json(data)
    except ValidationError as error:
        raise ExchangeError(f"{STATE_FILE}: {first_problem(error)}; export the work list again.") from None
    if len({case.key for case in state.cases}) != len(state.cases):
        raise ExchangeError(f"{STATE_FILE} has a case twice; export the work list again.")
    return state
