"""Teaching cases: radiographs with their readers' masks and what they teach, in one folder with its cases.json.

{"format": 1, "licence": ..., "attribution": ..., "cases": [{"id", "title", "findings", "teaching_point", "difficulty",
"label", "image", "sha256", "spacing_mm", "readers": [{"name", "kind", "mask"}], ...}]}. A reader of kind "normal" has
no mask. What else stands there, such as how a case was made, is left alone.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from deep_pneumonia.errors import CasesError
from deep_pneumonia.masks.annotation import Annotation, Kind, read_as_normal, read_mask

FORMAT = 1
TEXTS = ("id", "title", "findings", "teaching_point", "difficulty", "label", "image", "sha256")


@dataclass(frozen=True)
class Drawing:
    """One reader's mask of a case: a PNG file, or None for one who read it as normal."""

    name: str
    kind: Kind
    mask: Path | None


@dataclass(frozen=True)
class TeachingCase:
    """One case: what it is called, what is seen in it, what it teaches in a sentence or two, how hard it is ("easy",
    "moderate", "hard"), the label that is true of it, the radiograph's file and its digest,
    mm a pixel at the detector (row, column), and the readers' drawings, the truth first."""

    id: str
    title: str
    findings: str
    teaching_point: str
    difficulty: str
    label: str
    image: Path
    sha256: str
    spacing_mm: tuple[float, float]
    readers: tuple[Drawing, ...]

    def annotations(self, size: tuple[int, int]) -> list[Annotation]:
        """Every reader's mask for the radiograph of `size` (H, W).

        Raises:
            AnnotationError: a mask is missing, damaged or of another size.
        """
        return [
            read_as_normal(size, reader=r.name)
            if r.mask is None
            else read_mask(r.mask, size, reader=r.name, kind=r.kind)
            for r in self.readers
        ]


def load_cases(folder: str | Path) -> list[TeachingCase]:
    """The cases of a folder, in their order.

    Raises:
        CasesError: cases.json is missing, damaged or of another format, or names a file that is not there.
    """
    folder = Path(folder)
    document = read_document(folder)
    return [_case(entry, folder) for entry in document["cases"]]


def read_document(folder: Path, name: str = "cases.json", holds: str = "cases") -> dict[str, Any]:
    """All of a folder's cases.json, or of another file of teaching cases, which `holds` a list under that key.

    Raises:
        CasesError: it is missing, damaged or of another format.
    """
    path = folder / name
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CasesError(f"{path} cannot be read ({error}); give a folder of teaching cases.") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT or not isinstance(document.get(holds), list):
        raise CasesError(f"{path} is not a list of teaching cases of format {FORMAT}; give a folder that has one.")
    return document


def _case(entry: dict[str, Any], folder: Path) -> TeachingCase:
    try:
        texts = {key: str(entry[key]) for key in TEXTS}
        row, column = (float(mm) for mm in entry["spacing_mm"])
        readers = tuple(_drawing(r, folder) for r in entry["readers"])
    except (KeyError, TypeError, ValueError) as error:
        raise CasesError(
            f"A case in {folder / 'cases.json'} lacks or garbles {error}; render the cases again."
        ) from error
    image = folder / texts.pop("image")
    missing = [p for p in (image, *(r.mask for r in readers)) if p is not None and not p.is_file()]
    if missing:
        raise CasesError(f"The case {texts['id']} names {missing[0]}, which is not there; render the cases again.")
    return TeachingCase(**texts, image=image, spacing_mm=(row, column), readers=readers)


def _drawing(entry: dict[str, Any], folder: Path) -> Drawing:
    kind, mask = entry["kind"], entry.get("mask")
    if kind not in get_args(Kind) or (kind == "normal") != (not mask):
        raise ValueError(f"the mask {mask!r} of kind {kind!r}")
    return Drawing(str(entry["name"]), kind, folder / mask if mask else None)
