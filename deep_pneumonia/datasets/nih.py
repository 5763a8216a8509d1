"""Adapter nih: ChestX-ray14 with the readings of NIH, RSNA and ChestX-Det, and RSNA's own DICOM download."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from deep_pneumonia.datasets.publisher_tables import (
    NIH_FRAME,
    Box,
    NamedBox,
    NamedPolygon,
    Person,
    read_chestx_det,
    read_nih_boxes,
    read_nih_names,
    read_panel,
    read_people,
    read_rsna_boxes,
    read_rsna_classes,
    years,
)
from deep_pneumonia.datasets.source import NORMAL, OPACITY, Drawing, Find, dicom_header, first_existing, images_below
from deep_pneumonia.errors import PreparationError
from deep_pneumonia.masks.annotation import Annotation, Size, from_boxes, from_polygons

NIH_NAME = re.compile(r"(\d{8})_\d{3}")
AIRSPACE_BOXES = ("Pneumonia", "Infiltrate", "Infiltration")
AIRSPACE_POLYGONS = ("Consolidation",)
RSNA_IMAGES = "stage_2_train_images"
RSNA_BOXES = "stage_2_train_labels.csv"
RSNA_CLASSES = "stage_2_detailed_class_info.csv"
RSNA_NAMES = ("nih_names.csv", "pneumonia-challenge-dataset-mappings_2018.json")
EXPECTED = f"BBox_List_2017.csv, ChestX_Det.json, or {RSNA_BOXES} with {RSNA_CLASSES}"


@dataclass(frozen=True)
class Readings:
    """All that was read, by image; an image that a group did not read has no entry in its table."""

    nih: dict[str, list[NamedBox]] = field(default_factory=dict)
    chestx_det: dict[str, list[NamedPolygon]] = field(default_factory=dict)
    rsna: dict[str, list[Box]] = field(default_factory=dict)
    rsna_class: dict[str, str] = field(default_factory=dict)
    panel: dict[str, set[str]] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)


def nih(raw: Path) -> list[Find]:
    """NIH images (at any depth below `raw`), or RSNA's DICOMs where there are none, with their readings.

    Raises:
        PreparationError: no images, none of the readings, or a part of RSNA's is missing.
        AnnotationError: a file of readings cannot be read.
    """
    images = [i for i in images_below(raw, deep=True) if NIH_NAME.fullmatch(i.stem)]
    dicoms = [] if images else images_below(raw / RSNA_IMAGES)
    if not images and not dicoms:
        raise PreparationError(
            f"{raw} holds neither NIH images such as 00000001_000.png nor DICOM files in {RSNA_IMAGES}/; "
            "give the folder that holds one of them."
        )
    names = _names(raw)
    if dicoms:
        names = names or {}  # RSNA's own images are found without their NIH names
        readings = _readings(raw, names)
        return [_dicom(image, names.get(image.stem, image.stem), readings) for image in dicoms]
    twice = [stem for stem, n in Counter(image.stem for image in images).items() if n > 1]
    if twice:
        raise PreparationError(f"The image {twice[0]} stands twice below {raw}; keep one of the two files.")
    readings = _readings(raw, names)
    return [_find(image.stem, image, readings) for image in images]


def _names(raw: Path) -> dict[str, str] | None:
    path = first_existing(folder / name for folder in (raw / "rsna", raw) for name in RSNA_NAMES)
    return read_nih_names(path) if path else None


def _readings(raw: Path, names: dict[str, str] | None) -> Readings:
    boxes, panel, people = (
        first_existing([raw / name]) for name in ("BBox_List_2017.csv", "google2019_labels.csv", "Data_Entry_2017.csv")
    )
    polygons = _chestx_det(raw)
    rsna = _rsna(raw, names)
    if not (boxes or polygons or rsna):
        raise PreparationError(f"{raw} holds no radiologist's readings; add at least one of {EXPECTED}.")
    return Readings(
        read_nih_boxes(boxes) if boxes else {},
        polygons,
        *(rsna or ({}, {})),
        read_panel(panel) if panel else {},
        read_people(people) if people else {},
    )


def _chestx_det(raw: Path) -> dict[str, list[NamedPolygon]]:
    polygons: dict[str, list[NamedPolygon]] = {}
    for path in sorted(raw.glob("ChestX_Det*.json")):  # in one file, or in the publisher's train and test
        polygons |= read_chestx_det(path)
    strange = next((key for key in polygons if not NIH_NAME.fullmatch(key)), None)
    if strange is not None:
        raise PreparationError(
            f"The ChestX-Det file in {raw} names an image {strange}.png, which is no NIH name; "
            "put the NIH names such as 00000017_000.png into file_name."
        )
    return polygons


def _rsna(raw: Path, names: dict[str, str] | None) -> tuple[dict[str, list[Box]], dict[str, str]] | None:
    home = next((h for h in (raw / "rsna", raw) if (h / RSNA_BOXES).is_file() or (h / RSNA_CLASSES).is_file()), None)
    if home is None:
        return None
    missing = [n for n in (RSNA_BOXES, RSNA_CLASSES) if not (home / n).is_file()]
    if names is None:
        missing.append(" or ".join(RSNA_NAMES))
    if missing or names is None:
        raise PreparationError(f"{home} lacks {missing[0]}, without which RSNA's readings cannot be used; add it.")
    boxes, classes = read_rsna_boxes(home / RSNA_BOXES), read_rsna_classes(home / RSNA_CLASSES)
    return {names.get(k, k): b for k, b in boxes.items()}, {names.get(k, k): c for k, c in classes.items()}


def _dicom(image: Path, key: str, readings: Readings) -> Find:
    header = dicom_header(image, "PatientSex", "PatientAge", "ViewPosition")
    return _find(key, image, readings, Person(header[0], years(header[1]), header[2]))


def _find(key: str, image: Path, readings: Readings, person: Person | None = None) -> Find:
    drawings, other = _drawn(key, readings)
    normal_by = () if drawings else _normal_by(key, readings)
    label = OPACITY if drawings else NORMAL if normal_by else ""
    patient = NIH_NAME.fullmatch(key)
    who = readings.people.get(key, person or Person("", "", ""))
    return Find(
        key,
        image,
        patient[1] if patient else key,
        label,
        drawings=drawings,
        normal_by=normal_by,
        other=other,
        sex=who.sex,
        age=who.age,
        view=who.view,
        weak_label=NORMAL if not label and _unread(key, readings) and who.findings == "No Finding" else "",
    )


def _unread(key: str, readings: Readings) -> bool:
    """Whether no group read the image, or only the panel, which saw nothing."""
    tables = (readings.nih, readings.chestx_det, readings.rsna_class)
    return all(key not in table for table in tables) and not readings.panel.get(key)


def _drawn(key: str, readings: Readings) -> tuple[tuple[Drawing, ...], tuple[Drawing, ...]]:
    """Airspace findings, one drawing for each group of readers; and all that is known to be none."""
    boxes, polygons = readings.nih.get(key, []), readings.chestx_det.get(key, [])
    lesions = (
        _boxes(readings.rsna.get(key, []), "RSNA"),
        _polygons([p for p in polygons if p.finding in AIRSPACE_POLYGONS]),
        _boxes([b.box for b in boxes if b.finding in AIRSPACE_BOXES], "NIH"),
    )
    # Who looked for lung opacity and drew none cleared the whole image, unless another group saw one.
    seen = any(lesions) or "Airspace opacity" in readings.panel.get(key, ())
    other = (
        _polygons([p for p in polygons if p.finding not in AIRSPACE_POLYGONS]),
        _boxes([b.box for b in boxes if b.finding not in AIRSPACE_BOXES], "NIH"),
        partial(_everywhere, reader="RSNA") if key in readings.rsna_class and not seen else None,
    )
    return tuple(d for d in lesions if d), tuple(d for d in other if d)


def _everywhere(size: Size, *, reader: str) -> Annotation:
    return Annotation(np.ones(size, np.bool_), reader, "pixel")


def _boxes(boxes: Sequence[Box], reader: str) -> Drawing | None:
    return partial(from_boxes, boxes, NIH_FRAME, reader=reader) if boxes else None


def _polygons(polygons: Sequence[NamedPolygon]) -> Drawing | None:
    points = [p.points for p in polygons]
    return partial(from_polygons, points, NIH_FRAME, reader="ChestX-Det") if points else None


def _normal_by(key: str, readings: Readings) -> tuple[str, ...]:
    """Readers that read the image as normal, none where any other group saw something in it."""
    rsna = readings.rsna_class.get(key)
    contradicted = (
        key in readings.nih or rsna not in (None, "Normal") or readings.chestx_det.get(key) or readings.panel.get(key)
    )
    if contradicted:
        return ()
    read = {"RSNA": rsna == "Normal", "ChestX-Det": key in readings.chestx_det}
    return tuple(reader for reader, normal in read.items() if normal)
