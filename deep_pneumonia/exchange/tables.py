"""The tables of an export, CSV in UTF-8 with its mark, for people and their spreadsheets; an import does not read them.

cases.csv         one row a case: case (its number), name, key (SHA-256 of the file), source, patient, split, label,
                  sex, age, view; readers (how many); predicted, probability (of that class), evidence, warnings,
                  problem, iou, hit, disagreement (each 0 to 1, empty until read); how many reviewers agree, partly,
                  disagree, unsure.
annotations.csv   one row a version of a reader's mask: case, name, reader, version, newest (yes or no), kind, removed,
                  author, time (UTC), area (pixels), mask (its file where it is the newest, not removed), sha256; hit,
                  iou, dice of the attention with it.
verdicts.csv      one row a version of a reviewer's verdict: case, name, reviewer, version, newest, verdict, comment,
                  time (UTC).

A spreadsheet takes a cell that begins with = + - @, a tab or a line break for a formula; such text has a ' before it.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from deep_pneumonia.worklist.database import CASE
from deep_pneumonia.worklist.history import Record
from deep_pneumonia.worklist.predictions import Kept
from deep_pneumonia.worklist.records import VERDICTS
from deep_pneumonia.worklist.rows import row

Cell = str | int | float | bool | None
READ = ("predicted", "probability", "evidence", "warnings", "problem", "iou", "hit", "disagreement")
CASES = ("case", "name", "key", "source", "patient", *CASE[2:], "readers", *READ, *VERDICTS)
ANNOTATIONS = (
    "case", "name", "reader", "version", "newest", "kind", "removed", "author", "time", "area", "mask", "sha256",
    "hit", "iou", "dice",
)  # fmt: skip
JUDGED = ("case", "name", "reviewer", "version", "newest", "verdict", "comment", "time")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def write_tables(
    records: Sequence[Record],
    predictions: Mapping[int, Kept],
    files: Mapping[tuple[int, str], str],
    areas: Mapping[str, int],
    folder: Path,
) -> None:
    """Write the three tables. files: of the newest masks, by case and reader; areas: in pixels, by a mask's digest."""
    _write(folder / "cases.csv", CASES, (_case(r, predictions.get(r.item.id)) for r in records))
    drawn = (line for r in records for line in _drawings(r, predictions.get(r.item.id), files, areas))
    _write(folder / "annotations.csv", ANNOTATIONS, drawn)
    _write(folder / "verdicts.csv", JUDGED, (line for r in records for line in _verdicts(r)))


def _write(path: Path, columns: Sequence[str], lines: Iterable[Sequence[Cell]]) -> None:
    with path.open("w", newline="", encoding="utf-8-sig") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows([harmless(cell) for cell in line] for line in lines)


def harmless(cell: Cell) -> Cell:
    """A cell that no spreadsheet takes for a formula; numbers stay numbers, yes and no are words."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _case(record: Record, kept: Kept | None) -> list[Cell]:
    line = row(record.item, record.newest, kept, record.judged)
    line["warnings"] = " ".join(line["warnings"])
    said = Counter(v.verdict for v in record.judged.values())
    case = record.item.case
    own = [record.item.id, case.image.name, record.item.key, case.source, case.patient]
    more = [getattr(case, name) for name in CASE[2:]]
    return [*own, *more, len(record.newest), *(line[name] for name in READ), *(said[v] for v in VERDICTS)]


def _drawings(
    record: Record, kept: Kept | None, files: Mapping[tuple[int, str], str], areas: Mapping[str, int]
) -> Iterable[list[Cell]]:
    number, name = record.item.id, record.item.case.image.name
    last = {d.reader: d.version for d in record.drawings}
    for d in record.drawings:
        newest = last[d.reader] == d.version
        area = 0 if d.digest is None else areas[d.digest]
        file = files.get((number, d.reader), "") if newest else ""
        scores = (kept.overlaps if kept else {}).get(d.digest or "", (None, None, None))
        told: list[Cell] = [d.reader, d.version, newest, d.kind, d.removed, d.author, d.time, area, file, d.digest]
        yield [number, name, *told, *scores]


def _verdicts(record: Record) -> Iterable[list[Cell]]:
    for v in record.verdicts:
        newest = record.judged[v.reviewer] == v
        name = record.item.case.image.name
        yield [record.item.id, name, v.reviewer, v.version, newest, v.verdict, v.comment, v.time]
