"""Tables that other programs wrote: rows by the names of their columns, and cells read by their meaning.

A cell is a number, a flag or one of a few words. Every other value is an error that names the file, the row and the
value, because a guess could turn a finding into its opposite.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from deep_pneumonia.errors import AnnotationError, NotATableError, TooLargeAnnotationError
from deep_pneumonia.limits import (
    MAX_COORDINATE,
    MAX_LINE_LENGTH,
    MAX_TABLE_BYTES,
    MAX_TABLE_COLUMNS,
    MAX_TABLE_ROWS,
)

MAX_SHOWN = 60  # characters of a cell in an error
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
EMPTY = {"", "nan", "na", "null", "none"}  # how programs write a missing cell
FLAGS = {"true": True, "yes": True, "false": False, "no": False}
SEPARATORS = (",", ";", "\t")
ZIP_START = b"PK\x03\x04"
OLE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # the old .xls
WORKBOOK_PARTS = (b"xl/workbook", b"opendocument.spreadsheet")
ROUNDING = 1  # pixels by which a box may leave the picture it was drawn on
Box = tuple[float, float, float, float]
Meaning = TypeVar("Meaning")


@dataclass(frozen=True)
class Row:
    """One row of the table `name`; `number` counts the header as row 1, as a spreadsheet does."""

    name: str
    number: int
    cells: Mapping[str, str]
    decimal_comma: bool = False

    def __getitem__(self, column: str) -> str:
        """The cell as it is written; "" if the row is shorter."""
        return self.cells[column]

    def is_empty(self, *columns: str) -> bool:
        """Whether all of these cells are missing values, such as "" or "NaN"."""
        return all(self[c].strip().casefold() in EMPTY for c in columns)

    def text(self, column: str) -> str:
        """The cell without surrounding spaces.

        Raises:
            AnnotationError: nothing else is in the cell.
        """
        return self[column].strip() or self._fail(column, "a name")

    def number_in(self, column: str) -> float:
        """The cell as a finite number of at most a million.

        Raises:
            AnnotationError: the cell is something else.
        """
        value = self._number(column)
        if value is None or abs(value) > MAX_COORDINATE:
            self._fail(column, f"a number of at most {MAX_COORDINATE}")
        return value

    def flag(self, column: str) -> bool:
        """The cell as yes (1, 1.0, TRUE, YES) or no (0, 0.0, FALSE, NO).

        Raises:
            AnnotationError: the cell is something else.
        """
        value = self._number(column)
        if value in (0, 1):
            return value == 1
        return self.one_of(column, FLAGS, "0 or 1")

    def box(self, columns: Sequence[str]) -> Box:
        """The four cells x, y, width and height.

        Raises:
            AnnotationError: one is not a number, or the width or height is not above 0.
        """
        x, y, width, height = map(self.number_in, columns)
        if width <= 0 or height <= 0:
            raise AnnotationError(
                f"{self.name} has a box of {width:g} x {height:g} in row {self.number}; "
                "expected a width and a height above 0."
            )
        return x, y, width, height

    def box_within(self, columns: Sequence[str], frame: tuple[int, int], picture: str) -> Box:
        """The box in these cells, in a frame of (H, W) that errors call `picture`.

        Raises:
            AnnotationError: it is no box, or leaves the frame by more than a rounding.
        """
        box = self.box(columns)
        if leaves(box, frame):
            x, y, width, height = box
            raise AnnotationError(
                f"{self.name} has a box from ({x:g}, {y:g}) to ({x + width:g}, {y + height:g}) in row {self.number}, "
                f"which leaves {picture} of {frame[1]} x {frame[0]} pixels; "
                "give the radiograph that it was drawn on, or scale the boxes to this one."
            )
        return box

    def one_of(self, column: str, meanings: Mapping[str, Meaning], expected: str = "") -> Meaning:
        """What the cell means by `meanings`, whose keys are words as `plain` writes them.

        Raises:
            AnnotationError: the word is none of them.
        """
        found = meanings.get(plain(self[column]))
        return self._fail(column, expected or f"one of {', '.join(meanings)}") if found is None else found

    def _number(self, column: str) -> float | None:
        cell = self[column].strip()
        if self.decimal_comma:
            cell = cell.replace(",", ".")
        return float(cell) if NUMBER.fullmatch(cell) else None

    def _fail(self, column: str, expected: str) -> NoReturn:
        raise AnnotationError(
            f"{self.name} has {self[column][:MAX_SHOWN]!r} as {column} in row {self.number}; expected {expected}."
        )


def leaves(box: Box, frame: tuple[int, int]) -> bool:
    """Whether a box leaves a frame of (H, W) by more than a rounding."""
    x, y, width, height = box
    return min(x, y) < -ROUNDING or x + width > frame[1] + ROUNDING or y + height > frame[0] + ROUNDING


def plain(word: str) -> str:
    """A word in lower case with single spaces, so that spellings of one word compare equal."""
    return " ".join(re.sub(r"[_/\s]+", " ", word).split()).casefold()


def decoded(data: bytes, *, errors: str = "replace") -> str:
    """The text of a table in UTF-8 or UTF-16, with or without a byte order mark.

    errors: what becomes of damaged characters, as in `bytes.decode`. By default they are replaced, because free text
        in these files is not always valid, and no column used here is free text.
    """
    return data.decode(_encoding(data), errors=errors)


def _encoding(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if data[1:2] == b"\0" or data[:1] == b"\0":
        return "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    return "utf-8-sig"


def parse_table(data: bytes, columns: Sequence[str], name: str, *, strict: bool = True) -> list[Row]:
    """Read the rows of a table with at least `columns`, which are found by name in upper or lower case.

    Cells are separated by commas, semicolons (numbers may then have a decimal comma) or tabs. `name` is what errors
    call the file.

    strict: refuse open quotes and rows with more cells than the header.

    Raises:
        NotATableError: the file cannot be read as a table or lacks a column.
        TooLargeAnnotationError: it has more bytes or rows than allowed.
        AnnotationError: the file is an Excel workbook, has a column twice, or a row with more cells than the header.
    """
    if data.startswith(OLE_START) or (data.startswith(ZIP_START) and any(part in data for part in WORKBOOK_PARTS)):
        raise AnnotationError(f"{name} is a workbook of Excel or another spreadsheet; save it as CSV and give that.")
    if len(data) > MAX_TABLE_BYTES:
        raise TooLargeAnnotationError(f"{name} has more than {MAX_TABLE_BYTES} bytes; give fewer rows.")
    separator, missing = min(((s, _missing(data, s, columns)) for s in SEPARATORS), key=lambda found: len(found[1]))
    if missing:
        raise NotATableError(f"{name} lacks the column {missing[0]!r}; give the publisher's file unchanged.")
    try:
        return _rows(data, separator, columns, name, strict=strict)
    except csv.Error as error:
        raise NotATableError(f"{name} cannot be read as a table ({error}); export it again as CSV.") from error


def _rows(data: bytes, separator: str, columns: Sequence[str], name: str, *, strict: bool) -> list[Row]:
    lines = _lines(data, separator, strict=strict)
    header = next(lines)
    places = _places(_header(header), columns, name)
    rows = []
    for number, cells in enumerate(lines, start=2):
        if strict and any(cell.strip() for cell in cells[len(header) :]):
            raise AnnotationError(f"{name} has {len(cells)} cells in row {number}; expected {len(header)}.")
        if any(cell.strip() for cell in cells):
            found = {c: cells[i] if i < len(cells) else "" for c, i in places.items()}
            rows.append(Row(name, number, found, decimal_comma=separator == ";"))
        if len(rows) > MAX_TABLE_ROWS:
            raise TooLargeAnnotationError(f"{name} has more than {MAX_TABLE_ROWS} rows; give fewer.")
    return rows


def _lines(data: bytes, separator: str, *, strict: bool) -> Iterator[list[str]]:
    return csv.reader(_short_lines(data), strict=strict, delimiter=separator)


def _short_lines(data: bytes) -> Iterator[str]:
    """The lines of a table, decoded one at a time."""
    stream = io.TextIOWrapper(io.BytesIO(data), _encoding(data), errors="replace", newline="")
    while line := stream.readline(MAX_LINE_LENGTH):
        if len(line) == MAX_LINE_LENGTH:
            raise csv.Error(f"a line has {MAX_LINE_LENGTH} characters or more")
        yield line


def _missing(data: bytes, separator: str, columns: Sequence[str]) -> list[str]:
    try:
        header = _header(next(_lines(data, separator, strict=False), []))
    except csv.Error:
        header = []
    return [c for c in columns if plain(c) not in header]


def _header(cells: Sequence[str]) -> list[str]:
    """The names of the columns as `plain` writes them.

    A name such as "Bbox [x,y,w,h]", with as many empty names after it as it holds commas, names these columns too.
    """
    if len(cells) > MAX_TABLE_COLUMNS:
        raise csv.Error(f"it has more than {MAX_TABLE_COLUMNS} columns")
    names = list(cells)
    for place, cell in enumerate(cells):
        parts = cell.split(",")
        if len(parts) > 1 and [c.strip() for c in cells[place + 1 : place + len(parts)]] == [""] * (len(parts) - 1):
            names[place : place + len(parts)] = parts
    return [plain(name) for name in names]


def _places(header: Sequence[str], columns: Sequence[str], name: str) -> dict[str, int]:
    twice = next((c for c in columns if header.count(plain(c)) > 1), None)
    if twice is not None:
        raise AnnotationError(f"{name} has the column {twice!r} twice; remove one of the two.")
    return {c: header.index(plain(c)) for c in columns}
