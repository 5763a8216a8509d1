"""Read the annotation files of four publishers into plain records keyed by image.

Coordinates stay as published; `deep_pneumonia.masks.annotation` draws them. The key is the stem ("00000017_000") for
NIH, the patientId for RSNA, and the file name for covid images.
"""

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deep_pneumonia.errors import AnnotationError, NotATableError
from deep_pneumonia.files import read_bytes
from deep_pneumonia.masks.table import Box, Row, parse_table, plain

NIH_FRAME = (1024, 1024)  # every NIH-based publisher drew on the 1024 x 1024 release
Point = tuple[float, float]


def _spellings(*words: str) -> dict[str, str]:
    return {plain(word): word for word in words}


# Everything that a publisher draws is either an airspace finding or known not to be pneumonia, so a finding of another
# name must not be taken for the second.
NIH_FINDINGS = _spellings(
    "Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Effusion", "Emphysema", "Fibrosis", "Hernia",
    "Infiltrate", "Infiltration", "Mass", "Nodule", "Pleural_Thickening", "Pneumonia", "Pneumothorax",
)  # fmt: skip
CHESTX_DET_FINDINGS = _spellings(
    "Atelectasis", "Calcification", "Cardiomegaly", "Consolidation", "Diffuse Nodule", "Effusion", "Emphysema",
    "Fibrosis", "Fracture", "Mass", "Nodule", "Pleural Thickening", "Pneumothorax",
)  # fmt: skip
RSNA_CLASSES = _spellings("Normal", "No Lung Opacity / Not Normal", "Lung Opacity")


@dataclass(frozen=True)
class NamedBox:
    """A box of a named finding: (x, y, width, height) in NIH_FRAME."""

    finding: str
    box: Box


@dataclass(frozen=True)
class NamedPolygon:
    """A polygon of a named finding: points (x, y) in NIH_FRAME."""

    finding: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Person:
    """What the NIH table states about an image.

    sex: F, M or "". age: years or "". view: PA, AP or "". findings: mined from the report, such as "Effusion|Mass" or
    "No Finding".
    """

    sex: str
    age: str
    view: str
    findings: str = ""


@dataclass(frozen=True)
class Crop:
    """A mask of structure.csv: a PNG to paste at (top, left) into a frame of (H, W)."""

    finding: str
    image: str
    mask: Path
    top: int
    left: int
    frame: tuple[int, int]


def read_table(path: Path, columns: Sequence[str], *, strict: bool = True) -> list[Row]:
    """Read the rows of a CSV file with at least `columns`; `strict` as in `parse_table`.

    Raises:
        AnnotationError: the file is missing, has more than 64 MiB, cannot be read as CSV or lacks a column.
    """
    data = read_bytes(path, str(path), error=AnnotationError)
    return parse_table(data, columns, str(path), strict=strict)


def read_nih_boxes(path: Path) -> dict[str, list[NamedBox]]:
    """Read BBox_List_2017.csv: boxes of named findings by NIH image.

    Raises:
        AnnotationError: the file is not readable or not this publisher's.
    """
    # One header cell, "Bbox [x,y,w,h]", holds commas without quotes and so names four columns.
    columns = ("Bbox [x", "y", "w", "h]")
    boxes: dict[str, list[NamedBox]] = defaultdict(list)
    for row in read_table(path, ("Image Index", "Finding Label", *columns)):
        finding = row.one_of("Finding Label", NIH_FINDINGS)
        box = row.box_within(columns, NIH_FRAME, "NIH's picture")
        boxes[Path(row.text("Image Index")).stem].append(NamedBox(finding, box))
    return dict(boxes)


def read_rsna_boxes(path: Path) -> dict[str, list[Box]]:
    """Read stage_2_train_labels.csv: boxes of lung opacity by patientId, an empty list where Target is 0.

    Raises:
        AnnotationError: the file is not readable or not this publisher's, or rows contradict each other.
    """
    columns = ("x", "y", "width", "height")
    targets: dict[str, bool] = {}
    boxes: dict[str, list[Box]] = defaultdict(list)
    for row in read_table(path, ("patientId", *columns, "Target")):
        patient, target = row.text("patientId"), row.flag("Target")
        if targets.setdefault(patient, target) != target or (not target and not row.is_empty(*columns)):
            raise AnnotationError(
                f"{path} has a Target of {row['Target']!r} in row {row.number} that contradicts a box of {patient}; "
                "expected 1 with a box, or 0 without."
            )
        boxes[patient] += [row.box_within(columns, NIH_FRAME, "RSNA's picture")] if target else []
    return dict(boxes)


def read_rsna_classes(path: Path) -> dict[str, str]:
    """Read stage_2_detailed_class_info.csv: one of RSNA_CLASSES by patientId.

    Raises:
        AnnotationError: the file is not readable or not this publisher's, or a patientId has two classes.
    """
    classes: dict[str, str] = {}
    for row in read_table(path, ("patientId", "class")):
        found = row.one_of("class", RSNA_CLASSES)
        if classes.setdefault(row.text("patientId"), found) != found:
            raise AnnotationError(
                f"{path} has {found!r} as class in row {row.number} but {classes[row.text('patientId')]!r} in a row "
                "before it for the same patientId; correct one of the two."
            )
    return classes


def read_nih_names(path: Path) -> dict[str, str]:
    """Read the stem of the NIH image by RSNA patientId, from the published JSON or a CSV "patientId,nih_image".

    Raises:
        AnnotationError: the file is not readable as either format.
    """
    if path.suffix == ".csv":
        rows = read_table(path, ("patientId", "nih_image"))
        return {row.text("patientId"): Path(row.text("nih_image")).stem for row in rows}
    try:
        entries = json.loads(read_bytes(path, str(path), error=AnnotationError))
        return {str(entry["subset_img_id"]): Path(entry["img_id"]).stem for entry in entries}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AnnotationError(f"{path} cannot be read as RSNA's mapping to NIH images ({error}).") from error


def read_chestx_det(path: Path) -> dict[str, list[NamedPolygon]]:
    """Read ChestX_Det.json: polygons of named findings by image, an empty list if nothing was drawn.

    Raises:
        AnnotationError: the file is not readable or not this publisher's.
    """
    try:
        entries = json.loads(read_bytes(path, str(path), error=AnnotationError))
        return {
            Path(entry["file_name"]).stem: [
                NamedPolygon(CHESTX_DET_FINDINGS[plain(finding)], tuple((float(x), float(y)) for x, y in points))
                for finding, points in zip(entry["syms"], entry["polygons"], strict=True)
            ]
            for entry in entries
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise AnnotationError(
            f"{path} cannot be read as ChestX-Det annotations ({error}); give the publisher's JSON file."
        ) from error


def read_panel(path: Path) -> dict[str, set[str]]:
    """Read google2019_labels.csv: the findings that the panel of radiologists saw (YES) by NIH image.

    Raises:
        AnnotationError: the file is not readable or not this publisher's.
    """
    findings = ("Fracture", "Pneumothorax", "Airspace opacity", "Nodule or mass")
    rows = read_table(path, ("Image Index", *findings))
    return {Path(row.text("Image Index")).stem: {f for f in findings if row.flag(f)} for row in rows}


def read_people(path: Path) -> dict[str, Person]:
    """Read Data_Entry_2017.csv: sex, age, view and text-mined findings by NIH image.

    Raises:
        AnnotationError: the file is not readable or not this publisher's.
    """
    rows, sex = _people(path)
    return {
        Path(row["Image Index"]).stem: Person(
            row[sex], years(row["Patient Age"]), row["View Position"], row["Finding Labels"]
        )
        for row in rows
    }


def _people(path: Path) -> tuple[list[Row], str]:
    """The rows, and the name of the column of the sex, which differs between releases."""
    columns = ("Image Index", "Patient Age", "View Position", "Finding Labels")
    try:
        return read_table(path, (*columns, "Patient Gender")), "Patient Gender"
    except NotATableError as error:
        try:
            return read_table(path, (*columns, "Patient Sex")), "Patient Sex"
        except NotATableError:
            raise error from None


def years(cell: str) -> str:
    """Age in whole years from "58", "58.0" or "058Y"; "" for other text and above 120."""
    digits = cell.strip().removesuffix("Y").split(".")[0]
    return str(int(digits)) if digits.isdecimal() and int(digits) <= 120 else ""


def read_structure(path: Path) -> dict[str, list[Crop]]:
    """Read structure.csv of the covid masks: the crops of each covid image. The masks lie beside the file.

    Raises:
        AnnotationError: the file is not readable or not this publisher's.
    """
    columns = ("Class", "Filename", "Image", "Mask", "Resolution", "Top", "Left")
    crops: dict[str, list[Crop]] = defaultdict(list)
    for row in read_table(path, columns):
        if not row["Mask"]:  # some devices are listed without a mask
            continue
        resolution = re.fullmatch(r"(\d+)x(\d+)", row.text("Resolution"))
        if resolution is None:
            raise AnnotationError(
                f"{path} has {row['Resolution']!r} as Resolution in row {row.number}; expected WIDTHxHEIGHT."
            )
        width, height = resolution.groups()
        top, left = row.number_in("Top"), row.number_in("Left")
        finding = row["Class"].removeprefix("COVID-19 ")
        frame = (int(height), int(width))
        crop = Crop(finding, row["Image"], path.parent / row["Mask"], int(top), int(left), frame)
        crops[row["Filename"]].append(crop)
    return dict(crops)
