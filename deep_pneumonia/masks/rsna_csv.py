"""The boxes of one radiograph in a table of the RSNA Pneumonia Detection Challenge.

Columns: patientId,x,y,width,height,Target, separated by commas, semicolons or tabs. Each box is a row with Target 1; a
radiograph without lung opacity has one row with Target 0 and no box. `datasets.publisher_tables` reads the whole
published data set instead.

Boxes are in the radiograph's pixels, except in the challenge's own tables, which are known by their patientIds: RSNA
drew on pictures of 1024 x 1024 pixels. These boxes are scaled to a smaller or larger square radiograph, and the
reader's name says so.
"""

import re

from deep_pneumonia.errors import AnnotationError, NotATableError
from deep_pneumonia.limits import MAX_NAME_LENGTH
from deep_pneumonia.masks.annotation import Annotation, Size, read_as_normal
from deep_pneumonia.masks.shapes import Shapes, Work
from deep_pneumonia.masks.table import Row, leaves, parse_table
from deep_pneumonia.names import reader_name, shown, stem

BOX_COLUMNS = ("x", "y", "width", "height")
RSNA_FRAME = (1024, 1024)
RSNA_TABLE = "stage_2_train_labels"
RSNA_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
COLUMNS = ("patientId", *BOX_COLUMNS, "Target")


def read_rsna(data: bytes, size: Size, *, name: str, radiograph: str = "") -> list[Annotation]:
    """Read the boxes of one radiograph of `size` (H, W) as one mask; Target 0 means normal.

    name: the name of this file; its stem names the reader.
    radiograph: the radiograph's file name; its stem is the patientId. A file with a single patientId needs no match.

    Raises:
        AnnotationError: not such a table, no rows of this radiograph, a row is damaged or contradicts another, a box
            leaves the picture by more than one pixel, or it is unknown on which picture the boxes were drawn.
    """
    return RsnaTable(data, name).read(size, radiograph)


class RsnaTable:
    """A table of boxes, parsed once for all radiographs.

    patients: its patientIds.

    Raises:
        NotATableError: the file is not such a table.
        AnnotationError: a row has no patientId.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self.name, self._stem = shown(name), stem(name)
        self._rows = _rows(data, self.name)
        self.patients: dict[str, list[Row]] = {}
        for row in self._rows:
            self.patients.setdefault(row.text("patientId"), []).append(row)
        self._has_rsna_ids = all(map(RSNA_ID.fullmatch, self.patients))
        self._leaves: dict[Size, bool] = {}

    def read(self, size: Size, radiograph: str) -> list[Annotation]:
        """The boxes of one radiograph of `size` (H, W); see `read_rsna`."""
        rows = self._of_one(stem(radiograph))
        reader = reader_name(None, self._stem)
        lesion = [row for row in rows if _target(row)]
        if not lesion:
            return [read_as_normal(size, reader=reader)]
        if len(lesion) < len(rows):
            raise AnnotationError(f"{self.name} has Target 0 and Target 1 for one radiograph; correct one of the two.")
        frame = self._frame(size)
        picture = "the radiograph" if frame == size else "RSNA's picture"
        shapes = Shapes(size, Work(self.name))
        for row in lesion:
            x, y, width, height = row.box_within(BOX_COLUMNS, frame, picture)
            down, across = size[0] / frame[0], size[1] / frame[1]
            shapes.box(x * across, y * down, width * across, height * down)
        scaled = "" if frame == size else f" (boxes scaled from {frame[1]} x {frame[0]} pixels)"
        return [shapes.drawn(reader_name(None, reader[: MAX_NAME_LENGTH - len(scaled)] + scaled))]

    def _frame(self, size: Size) -> Size:
        """(H, W) of the picture that the boxes were drawn on: the radiograph, or RSNA's picture if that is certain."""
        if size == RSNA_FRAME or not self._has_rsna_ids:
            return size
        if size not in self._leaves:
            self._leaves[size] = any(leaves(r.box(BOX_COLUMNS), size) for r in self._rows if r.flag("Target"))
        if size[0] == size[1] and (self._stem.startswith(RSNA_TABLE) or self._leaves[size]):
            return RSNA_FRAME
        raise AnnotationError(
            f"{self.name} has patientIds of the RSNA challenge, whose boxes are in 1024 x 1024 pixels, but the "
            f"radiograph has {size[1]} x {size[0]}; give RSNA's own picture, or name the patientIds as your "
            "radiographs if the boxes are in their pixels."
        )

    def _of_one(self, patient: str) -> list[Row]:
        if patient in self.patients:
            return self.patients[patient]
        if len(self.patients) == 1:
            return self._rows
        raise AnnotationError(
            f"{self.name} has {len(self.patients)} patientIds, but none is {shown(patient)}, the radiograph's name; "
            "name the radiograph by its patientId, or keep its rows only."
        )


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
        raise NotATableError(
            f"{name} is not in a supported format: a mask as PNG, JPEG, TIFF or DICOM SEG, JSON of COCO or LabelMe, "
            f"or CSV with the columns {', '.join(COLUMNS)}; export one of these."
        ) from None
