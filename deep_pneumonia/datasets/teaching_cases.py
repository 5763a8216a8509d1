"""Teaching cases: radiographs with their readers' masks and a lesson each, in one folder with its cases.json.

{"format": 1, "licence": ..., "attribution": ..., "cases": [{"id", "title", "findings", "teaching_point", "difficulty",
"label", "image", "sha256", "spacing_mm", "readers": [{"name", "kind", "mask"}], ...}]}. A reader of kind "normal" has
no mask. Other keys, such as how a case was made, are ignored.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from deep_pneumonia.datasets.manifest import MaskRef
from deep_pneumonia.errors import CasesError
from deep_pneumonia.limits import MAX_LESSON_CASES, MAX_LESSON_LENGTH, MAX_LESSON_READERS
from deep_pneumonia.masks.annotation import Annotation, Kind
from deep_pneumonia.strict_json import StrictModel, first_problem

FORMAT = 1

Text = Annotated[str, Field(max_length=MAX_LESSON_LENGTH)]
Spacing = Annotated[float, Field(allow_inf_nan=False)]


class ReaderEntry(StrictModel):
    """One reader's mask in cases.json; `mask` is a file in the folder of the cases."""

    name: Text
    kind: Kind
    mask: Text | None = None


class CaseEntry(StrictModel):
    """One case in cases.json."""

    id: Text
    title: Text
    findings: Text
    teaching_point: Text
    difficulty: Text
    label: Text
    image: Text
    sha256: Text
    spacing_mm: Annotated[list[Spacing], Field(min_length=2, max_length=2)]
    readers: Annotated[list[ReaderEntry], Field(max_length=MAX_LESSON_READERS)]


class _Cases(StrictModel):
    cases: Annotated[list[CaseEntry], Field(max_length=MAX_LESSON_CASES)]


@dataclass(frozen=True)
class TeachingCase:
    """One case.

    title: what it is called. findings: what is visible. teaching_point: its lesson, in a sentence or two.
    difficulty: "easy", "moderate" or "hard". label: the true class. sha256: that of the radiograph's file.
    spacing_mm: millimetres per pixel at the detector (row, column). masks: of the readers, the truth first.
    """

    id: str
    title: str
    findings: str
    teaching_point: str
    difficulty: str
    label: str
    image: Path
    sha256: str
    spacing_mm: tuple[float, float]
    masks: tuple[MaskRef, ...]

    def annotations(self, size: tuple[int, int]) -> list[Annotation]:
        """Every reader's mask for the radiograph of `size` (H, W).

        Raises:
            AnnotationError: a mask is missing, damaged or of another size.
        """
        return [mask.annotation(size) for mask in self.masks]


def load_cases(folder: str | Path) -> list[TeachingCase]:
    """The cases of a folder, in their order.

    Raises:
        CasesError: cases.json is missing, damaged or of another format, or names a file that does not exist.
    """
    folder = Path(folder)
    document = read_document(folder)
    try:
        entries = _Cases.model_validate(document).cases
    except ValidationError as error:
        raise CasesError(f"{folder / 'cases.json'}: {first_problem(error)}; render the cases again.") from None
    return [_case(entry, folder) for entry in entries]


def read_document(folder: Path, name: str = "cases.json", key: str = "cases") -> dict[str, Any]:
    """The whole document in a folder's cases.json, or in another file of teaching cases that has a list under `key`.

    Raises:
        CasesError: the file is missing, damaged or of another format.
    """
    path = folder / name
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CasesError(f"{path} cannot be read ({error}); give a folder of teaching cases.") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT or not isinstance(document.get(key), list):
        raise CasesError(f"{path} is not a list of teaching cases of format {FORMAT}; give a folder that has one.")
    return document


def _case(entry: CaseEntry, folder: Path) -> TeachingCase:
    image = folder / entry.image
    masks = tuple(_mask(entry, reader, folder) for reader in entry.readers)
    missing = [p for p in (image, *(m.path for m in masks)) if p is not None and not p.is_file()]
    if missing:
        raise CasesError(f"The case {entry.id} names {missing[0]}, which does not exist; render the cases again.")
    row, column = entry.spacing_mm
    texts = entry.model_dump(exclude={"image", "spacing_mm", "readers"})
    return TeachingCase(**texts, image=image, spacing_mm=(row, column), masks=masks)


def _mask(case: CaseEntry, reader: ReaderEntry, folder: Path) -> MaskRef:
    if (reader.kind == "normal") != (not reader.mask):
        raise CasesError(
            f"{folder / 'cases.json'}: the mask of {reader.name} in the case {case.id} is {ascii(reader.mask)[:60]}, "
            f"of kind {reader.kind!r}; expected a file, and null for kind 'normal' alone; render the cases again."
        )
    return MaskRef(folder / reader.mask if reader.mask else None, reader.kind, reader.name)
