"""Adapter nih: ChestX-ray14 with the annotations of NIH, RSNA and ChestX-Det, and RSNA's own DICOM download."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from deep_pneumonia.datasets import publisher_tables as tables
from deep_pneumonia.datasets.source import NORMAL, OPACITY, Drawing, Find, dicom_header, first_existing, images_below
from deep_pneumonia.errors import PreparationError
from deep_pneumonia.masks.annotation import Annotation, Size, from_boxes, from_polygons
from deep_pneumonia.masks.table import Box

NIH_NAME = re.compile(r"(\d{8})_\d{3}")
AIRSPACE_BOXES = ("Pneumonia", "Infiltrate", "Infiltration")
AIRSPACE_POLYGONS = ("Consolidation",)
RSNA_IMAGES = "stage_2_train_images"
RSNA_BOXES = "stage_2_train_labels.csv"
RSNA_CLASSES = "stage_2_detailed_class_info.csv"
RSNA_NAMES = ("nih_names.csv", "pneumonia-challenge-dataset-mappings_2018.json")
# The names of one table in the publisher's releases, the newest first.
NIH_BOXES = ("BBox_List_2017_Official_NIH.csv", "BBox_List_2017.csv")
NIH_PEOPLE = ("Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv")
PANEL = ("google2019_labels.csv",)
EXPECTED_FILES = f"BBox_List_2017.csv, ChestX_Det.json, or {RSNA_BOXES} with {RSNA_CLASSES}"


@dataclass(frozen=True)
class Published:
    """All published annotations by image. An image that a group did not read has no entry in its table."""

    nih: dict[str, list[tables.NamedBox]] = field(default_factory=dict)
    chestx_det: dict[str, list[tables.NamedPolygon]] = field(default_factory=dict)
    rsna: dict[str, list[Box]] = field(default_factory=dict)
    rsna_class: dict[str, str] = field(default_factory=dict)
    panel: dict[str, set[str]] = field(default_factory=dict)
    people: dict[str, tables.Person] = field(default_factory=dict)


def nih(raw: Path) -> list[Find]:
    """Read NIH images (at any depth below `raw`) or, if there are none, RSNA's DICOM files, with their annotations.

    Raises:
        PreparationError: no images, no annotations, or a part of RSNA's files is missing.
        AnnotationError: an annotation file cannot be read.
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
        names = names or {}  # RSNA's own images do not need their NIH names
        published = _annotations(raw, names)
        return [_dicom(image, names.get(image.stem, image.stem), published) for image in dicoms]
    twice = [stem for stem, n in Counter(image.stem for image in images).items() if n > 1]
    if twice:
        raise PreparationError(f"The image {twice[0]} exists twice below {raw}; keep one of the two files.")
    published = _annotations(raw, names)
    return [_find(image.stem, image, published) for image in images]


def missing_tables(raw: Path) -> list[str]:
    """Sentences about tables of NIH that `nih` would use and that are not in `raw`."""
    if any(_table(raw, (name,)) for name in NIH_PEOPLE) or images_below(raw / RSNA_IMAGES):
        return []
    return [f"{raw} has no {' or '.join(NIH_PEOPLE)}, so sex, age, view and weak labels are unknown."]


def _names(raw: Path) -> dict[str, str] | None:
    path = first_existing(folder / name for folder in (raw / "rsna", raw) for name in RSNA_NAMES)
    return tables.read_nih_names(path) if path else None


def _annotations(raw: Path, names: dict[str, str] | None) -> Published:
    boxes, panel, people = (_table(raw, names_of_table) for names_of_table in (NIH_BOXES, PANEL, NIH_PEOPLE))
    polygons = _chestx_det(raw)
    rsna = _rsna(raw, names)
    if not (boxes or polygons or rsna):
        raise PreparationError(f"{raw} holds no annotations of radiologists; add at least one of {EXPECTED_FILES}.")
    return Published(
        tables.read_nih_boxes(boxes) if boxes else {},
        polygons,
        *(rsna or ({}, {})),
        tables.read_panel(panel) if panel else {},
        tables.read_people(people) if people else {},
    )


def _table(raw: Path, names: Sequence[str]) -> Path | None:
    """The first of `names` that is a file in `raw`, in upper or lower case.

    Raises:
        PreparationError: the table is there only as an Excel workbook.
    """
    files = {path.name.casefold(): path for path in sorted(raw.iterdir()) if path.is_file()}
    found = next((files[name.casefold()] for name in names if name.casefold() in files), None)
    workbook = next((w for name in names if (w := files.get(Path(name).stem.casefold() + ".xlsx"))), None)
    if workbook and not found:
        raise PreparationError(f"{workbook} is an Excel workbook; save it as {names[-1]}.")
    return found


def _chestx_det(raw: Path) -> dict[str, list[tables.NamedPolygon]]:
    polygons: dict[str, list[tables.NamedPolygon]] = {}
    for path in sorted(raw.glob("ChestX_Det*.json")):  # in one file, or in the publisher's train and test
        polygons |= tables.read_chestx_det(path)
    strange = next((key for key in polygons if not NIH_NAME.fullmatch(key)), None)
    if strange is not None:
        raise PreparationError(
            f"The ChestX-Det file in {raw} names an image {strange}.png, which is not an NIH name; "
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
        raise PreparationError(f"{home} lacks {missing[0]}, which RSNA's annotations need; add it.")
    boxes, classes = tables.read_rsna_boxes(home / RSNA_BOXES), tables.read_rsna_classes(home / RSNA_CLASSES)
    return {names.get(k, k): b for k, b in boxes.items()}, {names.get(k, k): c for k, c in classes.items()}


def _dicom(image: Path, key: str, published: Published) -> Find:
    header = dicom_header(image, "PatientSex", "PatientAge", "ViewPosition")
    return _find(key, image, published, tables.Person(header[0], tables.years(header[1]), header[2]))


def _find(key: str, image: Path, published: Published, person: tables.Person | None = None) -> Find:
    drawings, other = _drawn(key, published)
    normal_by = () if drawings else _normal_by(key, published)
    label = OPACITY if drawings else NORMAL if normal_by else ""
    patient = NIH_NAME.fullmatch(key)
    who = published.people.get(key, person or tables.Person("", "", ""))
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
        weak_label=NORMAL if not label and _unread(key, published) and who.findings == "No Finding" else "",
    )


def _unread(key: str, published: Published) -> bool:
    """Whether no group read the image, or only the panel did and saw nothing."""
    groups = (published.nih, published.chestx_det, published.rsna, published.rsna_class)
    return all(key not in group for group in groups) and not published.panel.get(key)


def _drawn(key: str, published: Published) -> tuple[tuple[Drawing, ...], tuple[Drawing, ...]]:
    """Drawings of airspace findings, one for each group of readers, and drawings of everything else."""
    boxes, polygons = published.nih.get(key, []), published.chestx_det.get(key, [])
    lesions = (
        _boxes(published.rsna.get(key, []), "RSNA"),
        _polygons([p for p in polygons if p.finding in AIRSPACE_POLYGONS]),
        _boxes([b.box for b in boxes if b.finding in AIRSPACE_BOXES], "NIH"),
    )
    seen = any(lesions) or "Airspace opacity" in published.panel.get(key, ())
    other = (
        _polygons([p for p in polygons if p.finding not in AIRSPACE_POLYGONS]),
        _boxes([b.box for b in boxes if b.finding not in AIRSPACE_BOXES], "NIH"),
        partial(_everywhere, reader="RSNA") if _rsna_saw_none(key, published) and not seen else None,
    )
    return tuple(d for d in lesions if d), tuple(d for d in other if d)


def _rsna_saw_none(key: str, published: Published) -> bool:
    """Whether RSNA's readers stated, by Target 0 or by a class, that the whole image has no lung opacity."""
    found, boxes = published.rsna_class.get(key), published.rsna.get(key)
    return found != "Lung Opacity" and not boxes and (found is not None or boxes is not None)


def _everywhere(size: Size, *, reader: str) -> Annotation:
    return Annotation(np.ones(size, np.bool_), reader, "pixel")


def _boxes(boxes: Sequence[Box], reader: str) -> Drawing | None:
    return partial(from_boxes, boxes, tables.NIH_FRAME, reader=reader) if boxes else None


def _polygons(polygons: Sequence[tables.NamedPolygon]) -> Drawing | None:
    points = [p.points for p in polygons]
    return partial(from_polygons, points, tables.NIH_FRAME, reader="ChestX-Det") if points else None


def _normal_by(key: str, published: Published) -> tuple[str, ...]:
    """Readers who read the image as normal; empty if any other group saw something in it."""
    rsna = published.rsna_class.get(key)
    contradicted = (
        key in published.nih
        or rsna not in (None, "Normal")
        or published.chestx_det.get(key)
        or published.panel.get(key)
    )
    if contradicted:
        return ()
    read = {"RSNA": rsna == "Normal", "ChestX-Det": key in published.chestx_det}
    return tuple(reader for reader, normal in read.items() if normal)
