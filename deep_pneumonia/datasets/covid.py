"""Adapter covid: the ieee8023 image collection, with radiologists' pixel masks if available."""

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from deep_pneumonia.datasets.publisher_tables import Crop, read_structure, read_table, years
from deep_pneumonia.datasets.source import BACTERIAL, NORMAL, VIRAL, Drawing, Find, first_existing
from deep_pneumonia.errors import PreparationError
from deep_pneumonia.masks.annotation import Annotation, Size, from_crops, read_mask
from deep_pneumonia.masks.table import Row

# The early table has "Streptococcus", the later one "Pneumonia/Bacterial/Streptococcus".
BACTERIA = {
    "Bacterial", "Chlamydophila", "E.Coli", "Klebsiella", "Legionella", "MRSA", "Mycoplasma",
    "Mycoplasma Bacterial Pneumonia", "Nocardia", "Staphylococcus", "Streptococcus",
}  # fmt: skip
VIRUSES = {
    "COVID-19", "H1N1", "Herpes", "Influenza", "MERS", "MERS-CoV", "SARS", "Varicella", "Viral",
}  # fmt: skip
VIEWS = {"PA": "PA", "AP": "AP", "AP Erect": "AP", "AP Supine": "AP Supine"}
LESIONS = ("Ground Glass Opacities", "Consolidation")
COLUMNS = ("patientid", "sex", "age", "finding", "view", "modality", "filename")


def covid(raw: Path, *, masks: Path | None = None) -> list[Find]:
    """Read the frontal radiographs of `raw`/images listed in `raw`/metadata.csv; `masks` has structure.csv.

    Raises:
        PreparationError: a part is missing.
        AnnotationError: a table or a mask cannot be read.
    """
    table = raw / "metadata.csv"
    if not table.is_file():
        raise PreparationError(f"{raw} lacks metadata.csv; give the folder that holds it and images/.")
    if masks and not (masks / "structure.csv").is_file():
        raise PreparationError(f"{masks} lacks structure.csv; give the folder that holds it, images/ and masks/.")
    rows = read_table(table, COLUMNS, strict=False)  # the notes are free text with open quotes
    crops = read_structure(masks / "structure.csv") if masks else {}
    patients = _patients(rows)
    finds = []
    for name, same in _by_file(rows).items():
        image = raw / "images" / name
        row = same[0]
        if row["modality"] == "X-ray" and row["view"] in VIEWS and image.is_file():
            labels = {label_of(r["finding"]) for r in same}
            finds.append(
                Find(
                    name,
                    image,
                    patients[row["patientid"]],
                    labels.pop() if len(labels) == 1 else "",
                    drawings=_drawings(crops.get(name, [])),
                    sex=row["sex"],
                    age=years(row["age"]),
                    view=VIEWS[row["view"]],
                )
            )
    if not finds:
        raise PreparationError(
            f"{raw / 'images'} holds none of the frontal radiographs listed in {table}; unpack the images there."
        )
    listed = {row["filename"] for row in rows}
    return finds + _unlisted({n: c for n, c in crops.items() if n not in listed}, masks)


def label_of(finding: str) -> str:
    """Class of a finding in either spelling of the table; "" if the cause is neither bacterial nor viral."""
    parts = {part.strip() for part in re.split(r"[/,]", finding)}
    classes = [
        name for name, germs in ((BACTERIAL, BACTERIA), (VIRAL, VIRUSES), (NORMAL, {"No Finding"})) if parts & germs
    ]
    return classes[0] if len(classes) == 1 else ""


def _by_file(rows: Sequence[Row]) -> dict[str, list[Row]]:
    files: dict[str, list[Row]] = {}
    for row in rows:
        files.setdefault(row["filename"], []).append(row)
    return files


def _patients(rows: Sequence[Row]) -> dict[str, str]:
    """One name for each patient id. Ids that share a file are one patient."""
    names = {row["patientid"]: row["patientid"] for row in rows}
    for same in _by_file(rows).values():
        joined = {names[row["patientid"]] for row in same}
        names = {p: min(joined) if n in joined else n for p, n in names.items()} if len(joined) > 1 else names
    return names


def _drawings(crops: Sequence[Crop]) -> tuple[Drawing, ...]:
    lesions = [c for c in crops if c.finding in LESIONS]
    return (partial(_paste, lesions),) if lesions else ()


def _paste(crops: Sequence[Crop], size: Size) -> Annotation:
    pasted = [(read_mask(c.mask).mask, c.top, c.left) for c in crops]
    return from_crops(pasted, crops[0].frame, size, reader="GeneralBlockchain")


def _unlisted(crops: dict[str, list[Crop]], masks: Path | None) -> list[Find]:
    """Images that only the publisher of the masks has. They have no label; the file name is the patient."""
    finds = []
    for name, found in crops.items():
        image = first_existing([masks / "images" / name, masks / found[0].image]) if masks else None
        if image:
            finds.append(Find(name, image, image.stem, drawings=_drawings(found)))
    return finds
