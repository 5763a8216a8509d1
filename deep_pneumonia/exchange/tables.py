"""The tables of an export, CSV in UTF-8 with a byte order mark, for spreadsheets. An import does not read them.

cases.csv         one row per case: case (its number), name, key (SHA-256 of the file), source, patient, split, label,
                  sex, age, view; readers (how many); predicted, probability (of that class), evidence, warnings,
                  problem, iou, hit, disagreement (each 0 to 1, empty until predicted); how many reviewers agree,
                  partly, disagree, unsure.
annotations.csv   one row per version of a reader's mask: case, name, reader, version, newest (yes or no), kind,
                  removed, author, time (UTC), area (pixels), mask (the file of the newest version, unless removed),
                  sha256; hit, iou, dice: scores of the attention.
verdicts.csv      one row per version of a reviewer's verdict: case, name, reviewer, version, newest, verdict, comment,
                  time (UTC).

Spreadsheets take a cell that begins with = + - @, a tab or a line break for a formula; such text has a ' before it.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from deep_pneumonia.worklist.database import CASE_COLUMNS
from deep_pneumonia.worklist.history import Record
from deep_pneumonia.worklist.predictions import MaskScores, StoredPrediction
from deep_pneumonia.worklist.records import VERDICTS
from deep_pneumonia.worklist.rows import to_row

Cell = str | int | float | bool | None
CASES_HEADER = (
    "case", "name", "key", "source", "patient", *CASE_COLUMNS[2:], "readers", "predicted", "probability", "evidence",
    "warnings", "problem", "iou", "hit", "disagreement", *VERDICTS,
)  # fmt: skip
ANNOTATIONS_HEADER = (
    "case", "name", "reader", "version", "newest", "kind", "removed", "author", "time", "area", "mask", "sha256",
    "hit", "iou", "dice",
)  # fmt: skip
VERDICTS_HEADER = ("case", "name", "reviewer", "version", "newest", "verdict", "comment", "time")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def write_tables(
    records: Sequence[Record],
    predictions: Mapping[int, StoredPrediction],
    newest_masks: Mapping[tuple[int, str], str],
    areas: Mapping[str, int],
    folder: Path,
) -> None:
    """Write the three tables.

    newest_masks: names of files, by case and reader. areas: in pixels, by a mask's digest.
    """
    _write(folder / "cases.csv", CASES_HEADER, (_case(r, predictions.get(r.item.id)) for r in records))
    drawn = (line for r in records for line in _drawings(r, predictions.get(r.item.id), newest_masks, areas))
    _write(folder / "annotations.csv", ANNOTATIONS_HEADER, drawn)
    _write(folder / "verdicts.csv", VERDICTS_HEADER, (line for r in records for line in _verdicts(r)))


def _write(path: Path, header: Sequence[str], lines: Iterable[Mapping[str, Cell]]) -> None:
    with path.open("w", newline="", encoding="utf-8-sig") as stream:
        writer = csv.DictWriter(stream, header)
        writer.writeheader()
        writer.writerows({name: harmless(cell) for name, cell in line.items()} for line in lines)


def harmless(cell: Cell) -> Cell:
    """A cell that no spreadsheet takes for a formula; numbers stay numbers, and truth values become words."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell


def _case(record: Record, prediction: StoredPrediction | None) -> dict[str, Cell]:
    row = to_row(record.item, record.newest, prediction, record.judged)
    said = Counter(v.verdict for v in record.judged.values())
    return {
        "case": record.item.id,
        "name": row["name"],
        "key": row["key"],
        **{name: getattr(record.item.case, name) for name in CASE_COLUMNS},
        "readers": len(record.newest),
        "predicted": row["predicted"],
        "probability": row["probability"],
        "evidence": row["evidence"],
        "warnings": " ".join(row["warnings"]),
        "problem": row["problem"],
        "iou": row["iou"],
        "hit": row["hit"],
        "disagreement": row["disagreement"],
        **{verdict: said[verdict] for verdict in VERDICTS},
    }


def _drawings(
    record: Record,
    prediction: StoredPrediction | None,
    newest_masks: Mapping[tuple[int, str], str],
    areas: Mapping[str, int],
) -> Iterable[dict[str, Cell]]:
    newest = {d.reader: d.version for d in record.drawings}
    scores = prediction.scores if prediction else {}
    for d in record.drawings:
        is_newest = newest[d.reader] == d.version
        found = scores.get(d.digest or "", MaskScores())
        yield {
            "case": record.item.id,
            "name": record.item.case.image.name,
            "reader": d.reader,
            "version": d.version,
            "newest": is_newest,
            "kind": d.kind,
            "removed": d.removed,
            "author": d.author,
            "time": d.time,
            "area": 0 if d.digest is None else areas[d.digest],
            "mask": newest_masks.get((record.item.id, d.reader), "") if is_newest else "",
            "sha256": d.digest,
            "hit": found.hit,
            "iou": found.iou,
            "dice": found.dice,
        }


def _verdicts(record: Record) -> Iterable[dict[str, Cell]]:
    for v in record.verdicts:
        yield {
            "case": record.item.id,
            "name": record.item.case.image.name,
            "reviewer": v.reviewer,
            "version": v.version,
            "newest": record.judged[v.reviewer] == v,
            "verdict": v.verdict,
            "comment": v.comment,
            "time": v.time,
        }
