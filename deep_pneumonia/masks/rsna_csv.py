"""A table of boxes as the RSNA Pneumonia Detection Challenge publishes it, for one radiograph.

patientId,x,y,width,height,Target: a row a box, with Target 1; a radiograph without lung opacity has one row with
Target 0 and no box. `datasets.publisher_tables` reads the whole published set; this reads what a person gives.
"""

import csv
import io
import math

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.masks.annotation import Annotation, Size, read_as_normal
from deep_pneumonia.masks.shapes import Shapes, Work
from deep_pneumonia.masks.untrusted import numbers
from deep_pneumonia.names import reader_name, shown, stem

BOX = ("x", "y", "width", "height")
COLUMNS = ("patientId", *BOX, "Target")
Row = dict[str, str]


def read_rsna(data: bytes, size: Size, *, name: str, radiograph: str = "") -> list[Annotation]:
    """The boxes of one radiograph of `size` (H, W), in its own pixels, as one mask; read as normal where Target is 0.

    name, radiograph: the names of this file, whose stem names the reader, and of the radiograph, whose stem is its
    patientId. Where the file has one patientId only, that one is taken.

    Raises:
        AnnotationError: not such a table, without rows of this radiograph, or a row is damaged or contradicts
            another.
    """
    called = shown(name)
    rows = _of_one(_rows(data, called), called, stem(radiograph))
    targets = {row["Target"].strip() for row in rows}
    reader = reader_name(None, stem(name))
    if targets == {"0"} and not any(row[c].strip() for row in rows for c in BOX):
        return [read_as_normal(size, reader=reader)]
    if targets != {"1"}:
        raise AnnotationError(f"{called} has a Target that contradicts its boxes; expected 1 with a box, or 0 without.")
    shapes = Shapes(size, Work(called))
    for row in rows:
        shapes.box(*numbers([_number(row[c]) for c in BOX], "a box", called, count=4))
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
            f"{name} is no annotation that is known here: a mask as PNG or DICOM SEG, JSON of COCO or LabelMe, "
            f"or CSV with the columns {', '.join(COLUMNS)}; export one of these."
        ) from None


def _of_one(rows: list[Row], name: str, patient: str) -> list[Row]:
    found = [row for row in rows if row["patientId"] == patient]
    patients = {row["patientId"] for row in rows}
    if not found and len(patients) == 1:
        return rows
    if not found:
        raise AnnotationError(
            f"{name} has {len(patients)} patientIds and none is {shown(patient)}, the radiograph's name; "
            "name the radiograph by its patientId, or keep its rows only."
        )
    return found
