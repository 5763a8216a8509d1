"""state.json of an export: what a workspace held, every version of it, from which an import gives the same again.

{"format": 1, "cases": [{"key", "image", "name", "patient", "source", "split", "label", "sex", "age", "view",
"drawings": [{"reader", "version", "kind", "mask", "removed", "author", "time"}], "verdicts": [{"reviewer", "version",
"verdict", "comment", "time"}]}], "copies": {digest: digest}}

key, mask: SHA-256 of the files in the workspace. image: "radiographs/..." in the export, or where it lies on the
machine of the export. Masks stand in state/masks/SHA256.png. copies: of files that held more than pixels another was
written in their place; its SHA-256 by theirs. Readings are left out: a checkpoint computes them again, and numbers
that somebody else says a checkpoint gave could not be told from those that it did give.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from deep_pneumonia.datasets.manifest import SPLITS
from deep_pneumonia.errors import ExchangeError
from deep_pneumonia.masks.annotation import KINDS
from deep_pneumonia.worklist.database import CASE
from deep_pneumonia.worklist.history import Record
from deep_pneumonia.worklist.records import VERDICTS

FORMAT = 1
STATE, MASKS, RADIOGRAPHS = "state.json", "state/masks", "radiographs"
MAX_STATE = 512 * 2**20  # bytes; ten thousand cases with ten versions each have a tenth of it
MAX_TEXT = 100_000  # characters
DIGEST = re.compile(r"[0-9a-f]{64}")


class DrawingRow(NamedTuple):
    """One version of a reader's mask; `mask` is the digest of its file."""

    reader: str
    version: int
    kind: str
    mask: str | None
    removed: bool
    author: str
    time: str


class VerdictRow(NamedTuple):
    """One version of a reviewer's verdict."""

    reviewer: str
    version: int
    verdict: str
    comment: str
    time: str


@dataclass(frozen=True)
class StateCase:
    """A case; `cells` are its columns as in `workspace_schema.CASE`, `name` that of its file in the workspace."""

    key: str
    image: str
    name: str
    cells: tuple[str, ...]
    drawings: tuple[DrawingRow, ...]
    verdicts: tuple[VerdictRow, ...]


@dataclass(frozen=True)
class State:
    """All cases, and the digests of written copies by those of the files in the workspace."""

    cases: tuple[StateCase, ...]
    copies: Mapping[str, str]


def to_document(records: Sequence[Record], images: Mapping[int, str], copies: Mapping[str, str]) -> dict[str, Any]:
    """What state.json holds; `images` is what stands for a case's image, by its number."""
    return {"format": FORMAT, "cases": [_case(r, images[r.item.id]) for r in records], "copies": dict(copies)}


def _case(record: Record, image: str) -> dict[str, Any]:
    drawings = [DrawingRow(d.reader, d.version, d.kind, d.digest, d.removed, d.author, d.time) for d in record.drawings]
    case = record.item.case
    return {
        "key": record.item.key,
        "image": image,
        "name": case.image.name,
        **{name: getattr(case, name) for name in CASE},
        "drawings": [d._asdict() for d in drawings],
        "verdicts": [
            VerdictRow(v.reviewer, v.version, v.verdict, v.comment, v.time)._asdict() for v in record.verdicts
        ],
    }


def read_state(data: bytes) -> State:
    """What a state.json of unknown origin says, every entry of it checked.

    Raises:
        ExchangeError: it is no JSON, of a newer format, or an entry is missing, of another type or contradicts others.
    """
    try:
        document = json.loads(data.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ExchangeError(f"{STATE} is no JSON or is damaged; export the work list again.") from error
    if not isinstance(document, dict) or type(document.get("format")) is not int:
        raise ExchangeError(f"{STATE} is not that of a work list; give a folder or ZIP that `review export` wrote.")
    if document["format"] != FORMAT:
        raise ExchangeError(f"{STATE} has format {document['format']}, known is {FORMAT}; use the newer program.")
    cases = tuple(_checked_case(e, f"cases[{i}]") for i, e in enumerate(_listed(document.get("cases"), "cases")))
    copies = document.get("copies")
    if not isinstance(copies, dict) or not all(_is_digest(d) for pair in copies.items() for d in pair):
        raise _wrong("copies", copies, "SHA-256 digests by SHA-256 digests")
    if len({case.key for case in cases}) != len(cases):
        raise ExchangeError(f"{STATE} has a case twice; export the work list again.")
    return State(cases, copies)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _checked_case(entry: dict[str, Any], where: str) -> StateCase:
    texts = {name: _text(entry, name, where) for name in ("key", "image", "name", *CASE)}
    if not _is_digest(texts["key"]):
        raise _wrong(f"{where}.key", texts["key"], "a SHA-256 digest")
    if texts["split"] not in SPLITS:
        raise _wrong(f"{where}.split", texts["split"], f"one of {', '.join(SPLITS)}")
    drawings = tuple(_checked_rows(entry, "drawings", where, _drawing))
    verdicts = tuple(_checked_rows(entry, "verdicts", where, _verdict))
    return StateCase(texts["key"], texts["image"], texts["name"], tuple(texts[c] for c in CASE), drawings, verdicts)


def _checked_rows(entry: dict[str, Any], name: str, where: str, row: Callable[[dict[str, Any], str], Any]) -> list[Any]:
    """Rows whose versions count up by one from 1 for each reader or reviewer."""
    found: list[Any] = []
    last: dict[str, int] = {}
    for number, one in enumerate(_listed(entry.get(name), f"{where}.{name}")):
        place = f"{where}.{name}[{number}]"
        found.append(row(one, place))
        who, version = found[-1][:2]
        if type(one.get("version")) is not int or version != last.get(who, 0) + 1:
            raise _wrong(f"{place}.version", one.get("version"), f"{last.get(who, 0) + 1}, the next of {who!r}")
        last[who] = version
    return found


def _drawing(entry: dict[str, Any], where: str) -> DrawingRow:
    texts = {name: _text(entry, name, where) for name in ("reader", "kind", "author", "time")}
    mask, removed = entry.get("mask"), entry.get("removed")
    _check_time(texts["time"], where)
    if texts["kind"] not in KINDS or not isinstance(removed, bool):
        raise _wrong(where, (texts["kind"], removed), f"a kind of {', '.join(KINDS)}, and removed true or false")
    if (mask is None) != (texts["kind"] == "normal") or not (mask is None or _is_digest(mask)):
        raise _wrong(f"{where}.mask", mask, "a SHA-256 digest, and null for kind normal alone")
    version = entry.get("version", 0)
    return DrawingRow(texts["reader"], version, texts["kind"], mask, removed, texts["author"], texts["time"])


def _verdict(entry: dict[str, Any], where: str) -> VerdictRow:
    texts = {name: _text(entry, name, where) for name in ("reviewer", "verdict", "comment", "time")}
    _check_time(texts["time"], where)
    if texts["verdict"] not in VERDICTS or not texts["reviewer"]:
        raise _wrong(where, (texts["reviewer"], texts["verdict"]), f"a name and one of {', '.join(VERDICTS)}")
    return VerdictRow(texts["reviewer"], entry.get("version", 0), texts["verdict"], texts["comment"], texts["time"])


def _check_time(text: str, where: str) -> None:
    try:
        datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        raise _wrong(f"{where}.time", text, "a time in UTC such as 2026-01-31T09:30:00Z") from None


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and DIGEST.fullmatch(value) is not None


def _listed(value: object, where: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise _wrong(where, value, "a list of objects")
    return value


def _text(entry: dict[str, Any], name: str, where: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or len(value) > MAX_TEXT or not _in_unicode(value):
        raise _wrong(f"{where}.{name}", value, f"text of at most {MAX_TEXT} characters")
    return value


def _in_unicode(text: str) -> bool:
    """Whether it is text that can be stored: JSON can spell halves of characters, which cannot."""
    return not any("\ud800" <= c <= "\udfff" for c in text)


def _wrong(where: str, got: object, expected: str) -> ExchangeError:
    return ExchangeError(f"{STATE}: {where} is {ascii(got)[:60]}, expected {expected}; export the work list again.")
