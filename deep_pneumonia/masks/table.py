"""Tables that other programs wrote: rows by the names of their columns, and cells read by their meaning.

A cell is a number, a flag or one of a few words. Every other value is an error that names the file, the row and the
value, because a guess could turn a finding into its opposite.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.masks.untrusted import MAX_COORDINATE

MAX_SHOWN = 60  # characters of a cell in an error
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
EMPTY = {"", "nan", "na", "null", "none"}  # how programs write a missing cell
FLAGS = {"true": True, "yes": True, "false": False, "no": False}
ROUNDING = 1  # pixels by which a box may leave the picture it was drawn on
Box = tuple[float, float, float, float]
Meaning = TypeVar("Meaning")


class NotATableError(AnnotationError):
    """The file is not a table with the expected columns."""


@dataclass(frozen=True)
class Row:
    """One row of the table `name`; `number` counts the header as row 1, as a spreadsheet does."""

    name: str
    number: int
    cells: Mapping[str, str]

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
        value = _number(self[column])
        if value is None or abs(value) > MAX_COORDINATE:
            self._fail(column, f"a number of at most {MAX_COORDINATE}")
        return value

    def flag(self, column: str) -> bool:
        """The cell as yes (1, 1.0, TRUE, YES) or no (0, 0.0, FALSE, NO).

        Raises:
            AnnotationError: the cell is something else.
        """
        value = _number(self[column])
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


def _number(cell: str) -> float | None:
    return float(cell) if NUMBER.fullmatch(cell.strip()) else None


def parse_table(data: bytes, columns: Sequence[str], name: str, *, strict: bool = True) -> list[Row]:
    """Read the rows of a CSV file with at least `columns`; `name` is what errors call the file.

    strict: refuse open quotes and rows with more cells than the header.

    Raises:
        NotATableError: the file cannot be read as CSV or lacks a column.
        AnnotationError: a row has more cells than the header.
    """
    # Free text in these files is not always valid UTF-8, and no column used here is free text.
    stream = io.StringIO(data.decode("utf-8-sig", errors="replace"), newline="")
    try:
        lines = list(csv.reader(stream, strict=strict))
    except csv.Error as error:
        raise NotATableError(f"{name} cannot be read as a table ({error}); export it again as CSV.") from error
    header = lines[0] if lines else []
    missing = [c for c in columns if c not in header]
    if missing:
        raise NotATableError(f"{name} lacks the column {missing[0]!r}; give the publisher's file unchanged.")
    places = {c: header.index(c) for c in columns}
    rows = []
    for number, cells in enumerate(lines[1:], start=2):
        if strict and any(cell.strip() for cell in cells[len(header) :]):
            raise AnnotationError(f"{name} has {len(cells)} cells in row {number}; expected {len(header)}.")
        if any(cell.strip() for cell in cells):
            rows.append(Row(name, number, {c: cells[i] if i < len(cells) else "" for c, i in places.items()}))
    return rows
