"""Tables for `studies.fuzz`: those of the publishers and manifests, with odd cells, separators and encodings."""

from __future__ import annotations

import csv
import io
from random import Random

from studies.fuzz_bytes import TEXTS, cut, havoc

CELLS = (
    *TEXTS, "1.0", "0.0", "2", "-0", "+1", "1e2", ".5", "5.", "1_000", "\uff11", "YES", "No", "N/A", "Lung Opacity",
    "Normal", "Not Normal", "normal", "train", "test", "Pneumonia", "Mass", "12x8", "058Y", "1000000", "1000001",
)  # fmt: skip
Table = list[list[str]]
RSNA = (
    "rsna",
    [
        ["patientId", "x", "y", "width", "height", "Target"],
        ["chest", "4", "5", "10.0", "6", "1"],
        ["chest", "18", "2", "3", "3", "1"],
        ["other", "", "", "", "", "0"],
    ],
)
TABLES = (
    RSNA,
    RSNA,
    ("rsna", [RSNA[1][0], ["chest", "", "", "", "", "0"], ["other", "1", "1", "9", "9", "1"]]),
    (
        "nih_boxes",
        [
            ["Image Index", "Finding Label", "Bbox [x", "y", "w", "h]"],
            ["00000001_000.png", "Mass", "1", "2", "30", "40"],
        ],
    ),
    ("rsna_boxes", [RSNA[1][0], ["a", "512", "512", "256", "128", "1"], ["b", "", "", "", "", "0"]]),
    ("rsna_classes", [["patientId", "class"], ["a", "Lung Opacity"], ["b", "Normal"]]),
    (
        "panel",
        [
            ["Image Index", "Fracture", "Pneumothorax", "Airspace opacity", "Nodule or mass"],
            ["00000001_000.png", "NO", "NO", "YES", "NO"],
        ],
    ),
    (
        "people",
        [
            ["Image Index", "Finding Labels", "Patient Age", "Patient Gender", "View Position"],
            ["00000001_000.png", "No Finding", "58", "M", "PA"],
        ],
    ),
    (
        "structure",
        [
            ["Class", "Filename", "Image", "Mask", "Resolution", "Top", "Left"],
            ["COVID-19 Consolidation", "one.jpg", "images/a.jpg", "masks/m1.png", "12x8", "2", "4"],
        ],
    ),
    (
        "manifest",
        [
            ["image", "patient", "source", "split", "label", "mask", "mask_kind", "reader", "other_mask", "sex", "age"],
            ["chest.png", "p1", "own", "train", "Opacity", "mask.png", "pixel", "Ana", "", "F", "50"],
            ["other.png", "p2", "own", "test", "Normal", ";mask.png", "normal;pixel", "Ana;Ben", "", "", ""],
        ],
    ),
)


def changed(random: Random, table: Table) -> Table:
    """The table with one change: a cell, a row or a column."""
    rows = [list(row) for row in table]
    at = random.randrange(len(rows) or 1)
    row = rows[at] if rows else []
    column = random.randrange(len(row) or 1)
    match random.randrange(7):
        case 0 | 1 | 2 if row:
            row[column] = random.choice(CELLS)
        case 3:
            rows[at:at] = [list(row)] * random.choice((1, 1, 300))
        case 4:
            rows[at : at + 1] = []
        case 5:
            for each in rows:
                del each[column : column + 1]
        case _ if row:
            row.insert(column, random.choice(CELLS))
    return rows


def encoded(random: Random, table: Table) -> bytes:
    """The bytes of a table, with one of many separators, line ends, quotes and encodings."""
    stream = io.StringIO()
    separator = random.choice((",",) * 6 + (";", "\t", "|"))
    ends = random.choice(("\n", "\r\n", "\n", "\r"))
    quoting = random.choice((csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    csv.writer(stream, delimiter=separator, lineterminator=ends, quoting=quoting).writerows(table)
    encoding = random.choice(("utf-8",) * 12 + ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "utf-32"))
    data = stream.getvalue().encode(encoding, "replace")
    return random.choice((cut, havoc))(random, data) if random.random() < 0.08 else data


def any_table(random: Random) -> bytes:
    """The name of a reader of tables, a line end, and a table for it."""
    name, table = random.choice(TABLES)
    for _ in range(random.randint(0, 3)):
        table = changed(random, table)
    return name.encode() + b"\n" + encoded(random, table)
