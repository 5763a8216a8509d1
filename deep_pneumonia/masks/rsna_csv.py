"""The boxes of one radiograph in a table of the RSNA Pneumonia Detection Challenge.

Columns: patientId,x,y,width,height,Target. Each box is a row with Target 1; a radiograph without lung opacity has one
row with Target 0 and no box. `datasets.publisher_tables` reads the whole published data set instead.
"""

import csv
import io
import math

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.masks.annotation import Annotation, Size, read_as_normal
from deep_pneumonia.masks.shapes import Shapes, Work
from deep_pneumonia.masks.untrusted import numbers
from deep_pneumonia.names import reader_name, shown, stem

BOX_COLUMNS = ("x", "y", "width", "height")
COLUMNS = ("patientId", *BOX_COLUMNS, "Target")
Row = dict[str, str]


def read_rsna(data: bytes, size: Size, *, name: str, radiograph: str = "") -> list[Annotation]:
    """Read the boxes of one radiograph of `size` (H, W), in its pixels, as one mask; Target 0 means normal.

    name: the name of this file; its stem names the reader.
    radiograph: the radiograph's file name; its stem is the patientId. A file with a single patientId needs no match.

    Raises:
        AnnotationError: not such a table, no rows of this radiograph, or a row is damaged or contradicts another.
    """
    called = shown(name)
    rows = _of_one(_rows(data, called), called, stem(radiograph))
    targets = {row["Target"].strip() for row in rows}
    reader = reader_name(None, stem(name))
    if targets == {"0"} and not any(row[c].strip() for row in rows for c in BOX_COLUMNS):
        return [read_as_normal(size, reader=reader)]
    if targets != {"1"}:
        raise AnnotationError(f"{called} has a Target that contradicts its boxes; expected 1 with a box, or 0 without.")
    shapes = Shapes(size, Work(called))
    for row in rows:
        shapes.box(*numbers([_number(row[c]) for c in BOX_COLUMNS], "a box", called, count=4))
    return [shapes.drawn(reader)]


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _rows(data: bytes, name: str) -> list[Row]:
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), restval="", strict=True)
        if not set(COLUMNS) <= set(reader.fieldnames or ()):
            raise ValueError("a column is missing")
        return list(reader)
    except (ValueError, csv.Error):
        raise AnnotationError(
            f"{name} is not in a supported format: a mask as PNG or DICOM SEG, JSON of COCO or LabelMe, "
            f"or CSV with the columns {', '.join(COLUMNS)}; export one of these."
        ) from None


def _of_one(rows: list[Row], name: str, patient: str) -> list[Row]:
    found = [row for row in rows if row["patientId"] == patient]
    patients = {row["patientId"] for row in rows}
    if not found and len(patients) == 1:
        return rows
    if not found:
        raise AnnotationError(
            f"{name} has {len(patients)} patientIds, but none is {shown(patient)}, the radiograph's name; "
            "name the radiograph by its patientId, or keep its rows only."
        )
    return found
