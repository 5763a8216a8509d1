"""The rows of a manifest.csv as texts, as spreadsheets and other programs write them."""

import csv
import io
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from deep_pneumonia.errors import ManifestError
from deep_pneumonia.files import read_bytes
from deep_pneumonia.limits import MAX_TABLE_ROWS
from deep_pneumonia.masks.table import SEPARATORS, decoded

COLUMNS = (
    "image", "patient", "source", "split", "label", "mask", "mask_kind", "reader",
    "other_mask", "sex", "age", "view", "weak_label",
)  # fmt: skip
REQUIRED = COLUMNS[:5]
MASK_COLUMNS = COLUMNS[5:8]


def manifest_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a manifest as texts by column, whose files need not exist.

    Columns may be in upper or lower case, separated by commas, semicolons or tabs, in UTF-8 or UTF-16, as spreadsheets
    save them.

    Raises:
        ManifestError: the file cannot be read as a table, lacks a column or has it twice, has more than 200,000 rows or
            64 MiB.
    """
    data = read_bytes(path, str(path), error=ManifestError)
    try:
        text = decoded(data, errors="strict")
        reader = min((_reader(text, s) for s in SEPARATORS), key=lambda r: len(_missing(r.fieldnames or ())))
        _check_header(reader.fieldnames or (), path)
        rows = list(islice(reader, MAX_TABLE_ROWS + 1))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ManifestError(f"{path} cannot be read as a manifest ({error}); give a manifest.csv.") from error
    if len(rows) > MAX_TABLE_ROWS:
        raise ManifestError(f"{path} has more than {MAX_TABLE_ROWS} rows; divide it into several manifests.")
    return rows


def _reader(text: str, separator: str) -> "csv.DictReader[str]":
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)
    reader.fieldnames = [name.strip().casefold() for name in reader.fieldnames or ()]
    return reader


def _check_header(header: Sequence[str], path: Path) -> None:
    if missing := _missing(header):
        raise ManifestError(
            f"{path} lacks the column {missing[0]!r}; a manifest has {', '.join(REQUIRED)} "
            f"and, if masks are known, {', '.join(MASK_COLUMNS)}."
        )
    twice = next((name for name in COLUMNS if list(header).count(name) > 1), None)
    if twice:
        raise ManifestError(f"{path} has the column {twice!r} twice; remove one of the two.")


def _missing(header: Sequence[str]) -> list[str]:
    """The columns that a manifest lacks. Without any of the three mask columns, all its masks are unknown."""
    has_masks = any(column in header for column in MASK_COLUMNS)
    return [c for c in (*REQUIRED, *(MASK_COLUMNS if has_masks else ())) if c not in header]
