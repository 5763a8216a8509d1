"""The boxes of one radiograph in a table of the RSNA Pneumonia Detection Challenge.

Columns: patientId,x,y,width,height,Target. Each box is a row with Target 1; a radiograph without lung opacity has one
row with Target 0 and no box. `datasets.publisher_tables` reads the whole published data set instead.
"""

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.masks.annotation import Annotation, Size, read_as_normal
from deep_pneumonia.masks.shapes import Shapes, Work
from deep_pneumonia.masks.table import NotATableError, Row, parse_table
from deep_pneumonia.names import reader_name, shown, stem

BOX_COLUMNS = ("x", "y", "width", "height")
COLUMNS = ("patientId", *BOX_COLUMNS, "Target")


def read_rsna(data: bytes, size: Size, *, name: str, radiograph: str = "") -> list[Annotation]:
    """Read the boxes of one radiograph of `size` (H, W), in its pixels, as one mask; Target 0 means normal.

    name: the name of this file; its stem names the reader.
    radiograph: the radiograph's file name; its stem is the patientId. A file with a single patientId needs no match.

    Raises:
        AnnotationError: not such a table, no rows of this radiograph, or a row is damaged or contradicts another.
    """
    called = shown(name)
    rows = _of_one(_rows(data, called), called, stem(radiograph))
    reader = reader_name(None, stem(name))
    lesion = [row for row in rows if _target(row)]
    if not lesion:
        return [read_as_normal(size, reader=reader)]
    if len(lesion) < len(rows):
        raise AnnotationError(f"{called} has Target 0 and Target 1 for one radiograph; correct one of the two.")
    shapes = Shapes(size, Work(called))
    for row in lesion:
        shapes.box(*row.box(BOX_COLUMNS))
    return [shapes.drawn(reader)]


def _target(row: Row) -> bool:
    found = row.flag("Target")
    if found == row.is_empty(*BOX_COLUMNS):
        raise AnnotationError(
            f"{row.name} has a Target of {row['Target']!r} that contradicts the box in row {row.number}; "
            "expected 1 with a box, or 0 without."
        )
    return found


def _rows(data: bytes, name: str) -> list[Row]:
    try:
        return parse_table(data, COLUMNS, name)
    except NotATableError:
        raise AnnotationError(
            f"{name} is not in a supported format: a mask as PNG or DICOM SEG, JSON of COCO or LabelMe, "
            f"or CSV with the columns {', '.join(COLUMNS)}; export one of these."
        ) from None


def _of_one(rows: list[Row], name: str, patient: str) -> list[Row]:
    found = [row for row in rows if row.text("patientId") == patient]
    patients = {row.text("patientId") for row in rows}
    if not found and len(patients) == 1:
        return rows
    if not found:
        raise AnnotationError(
            f"{name} has {len(patients)} patientIds, but none is {shown(patient)}, the radiograph's name; "
            "name the radiograph by its patientId, or keep its rows only."
        )
    return found
