"""manifest.csv, one row per image: the only input of pre-training, training and evaluation.

Columns: image, patient, source, split, label, mask, mask_kind, reader, other_mask, sex, age, view, weak_label.
Paths are absolute or relative to the manifest's folder. Several readers of one image are listed in `mask`, `mask_kind`
and `reader` in the same order, separated by ";"; a ";" in a reader's name is written %3B. A mask is *known* (drawn, or
empty with kind "normal" because a doctor read the image as normal) or *unknown* (all three cells empty or absent).
`other_mask` marks what is known not to be pneumonia. An image with an empty label is left out of classification, but
its pixels and masks are still used. A weak label was not given by a doctor and is used only by a training
that asks for it.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deep_pneumonia.datasets.manifest_rows import COLUMNS, MASK_COLUMNS, manifest_rows
from deep_pneumonia.errors import ManifestError
from deep_pneumonia.files import sha256, whole
from deep_pneumonia.masks.annotation import KINDS, Annotation, Kind, read_as_normal, read_mask

SPLITS = ("train", "val", "test")
SEPARATOR = ";"


@dataclass(frozen=True)
class MaskRef:
    """One reader's mask on disk; `path` is None if the reader read the image as normal."""

    path: Path | None
    kind: Kind
    reader: str

    def annotation(self, size: tuple[int, int]) -> Annotation:
        """Read the mask for a radiograph of `size` (H, W).

        Raises:
            AnnotationError: the file is missing, damaged or of another size.
        """
        if self.path is None:
            return read_as_normal(size, reader=self.reader)
        return read_mask(self.path, size, reader=self.reader, kind=self.kind)


@dataclass(frozen=True)
class Case:
    """One image with its patient, label and masks. An empty `label` excludes it from classification."""

    image: Path
    patient: str
    source: str
    split: str
    label: str = ""
    masks: tuple[MaskRef, ...] = ()
    other_mask: Path | None = None
    sex: str = ""
    age: str = ""
    view: str = ""
    weak_label: str = ""

    @property
    def has_lesion(self) -> bool:
        """Whether a reader drew a lesion."""
        return any(m.path is not None for m in self.masks)

    @property
    def group(self) -> str:
        """The patient's key, unique across sources."""
        return f"{self.source}/{self.patient}"

    def annotations(self, size: tuple[int, int]) -> list[Annotation]:
        """Read every reader's mask for a radiograph of `size` (H, W).

        Raises:
            AnnotationError: a mask file is missing, damaged or of another size.
        """
        return [m.annotation(size) for m in self.masks]


def split_of(patient: str, *, val: float, test: float) -> str:
    """Split of a patient by the hash of its key, so that it never depends on the other patients.

    val, test: shares of patients in [0, 1]; the rest is for training.
    """
    share = int(sha256(patient.encode())[:16], 16) / 2**64
    if share < test:
        return "test"
    return "val" if share < test + val else "train"


def write_manifest(cases: Sequence[Case], path: Path) -> None:
    """Write `cases` as a manifest. Paths below its folder become relative, others stay absolute."""
    root = path.parent.resolve()

    def cell(file: Path | None) -> str:
        if file is None:
            return ""
        absolute = file.parent.resolve() / file.name
        return str(absolute.relative_to(root) if absolute.is_relative_to(root) else absolute)

    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for c in cases:
            masks = [SEPARATOR.join(column) for column in zip(*_mask_cells(c, cell), strict=True)]
            row = [cell(c.image), c.patient, c.source, c.split, c.label, *(masks or ["", "", ""])]
            writer.writerow([*row, cell(c.other_mask), c.sex, c.age, c.view, c.weak_label])


def _mask_cells(case: Case, cell: Callable[[Path | None], str]) -> list[tuple[str, str, str]]:
    return [(cell(m.path), m.kind, _escaped(m.reader)) for m in case.masks]


def _escaped(reader: str) -> str:
    """Escape the separator and the line end of csv in a reader's name; `_unescaped` restores it."""
    return re.sub("%(?=3B|0D|25)", "%25", reader).replace(SEPARATOR, "%3B").replace("\r", "%0D")


def _unescaped(reader: str) -> str:
    return re.sub("%(3B|0D|25)", lambda found: chr(int(found[1], 16)), reader)


def read_manifests(paths: Iterable[str | Path]) -> list[Case]:
    """Read one or more manifests as one list of cases.

    Raises:
        ManifestError: a file or column is missing, a cell is not valid, an image file does not exist or is listed
            twice, or a patient is in two splits.
    """
    cases = [case for path in paths for case in _read_one(Path(path))]
    if not cases:
        raise ManifestError("The manifests list no image; run `deep-pneumonia prepare` first.")
    _check(cases)
    return cases


def _read_one(path: Path) -> list[Case]:
    return [_case(row, path, number) for number, row in enumerate(manifest_rows(path), start=2)]


def _case(row: dict[str, str], path: Path, number: int) -> Case:
    def fail(text: str) -> ManifestError:
        return ManifestError(f"{path}, line {number}: {text}")

    if None in row or None in row.values():
        raise fail("the number of cells differs from the number of columns.")
    if row["split"] not in SPLITS:
        raise fail(f"the split is {row['split']!r}, expected one of {', '.join(SPLITS)}.")
    if not (row["image"] and row["patient"] and row["source"]):
        raise fail("image, patient and source must not be empty.")
    image = path.parent / row["image"]
    if not image.is_file():
        raise fail(f"the image {image} does not exist.")
    columns = [row[c].split(SEPARATOR) if row.get(c) else [] for c in MASK_COLUMNS]
    files, kinds, readers = columns
    files = files or [""] * len(kinds)
    if not len(files) == len(kinds) == len(readers):
        raise fail("mask, mask_kind and reader must have one entry for each reader, with ';' between them.")
    masks = []
    for file, kind, reader in zip(files, kinds, readers, strict=True):
        if kind not in KINDS or (kind == "normal") != (file == ""):
            raise fail(f"mask {file!r} of kind {kind!r}: a kind is one of {', '.join(KINDS)}, only normal has no file.")
        masks.append(MaskRef(path.parent / file if file else None, kind, _unescaped(reader)))
    other = row.get("other_mask", "")
    return Case(
        image, row["patient"], row["source"], row["split"], row["label"], tuple(masks),
        path.parent / other if other else None, *(row.get(c, "") for c in COLUMNS[9:]),
    )  # fmt: skip


def _check(cases: Sequence[Case]) -> None:
    split: dict[str, str] = {}
    seen: set[Path] = set()
    for case in cases:
        if split.setdefault(case.group, case.split) != case.split:
            raise ManifestError(
                f"Patient {case.patient} of {case.source} is in {split[case.group]} and in {case.split}; "
                "all images of a patient belong to one split."
            )
        file = case.image.parent.resolve() / case.image.name  # the same file through any spelling of its folder
        if file in seen:
            raise ManifestError(f"The image {case.image} is listed twice; list each image once.")
        seen.add(file)


def table(cases: Sequence[Case]) -> str:
    """A summary as plain text: images and patients by split and label, masks by reader."""
    found: dict[tuple[str, ...], list[str]] = defaultdict(list)
    drawn: dict[tuple[str, ...], int] = defaultdict(int)
    for case in cases:
        found[case.split, case.label or "(no label)"].append(case.patient)
        for mask in case.masks:
            drawn[mask.reader, mask.kind] += 1
        drawn["(any)", "not pneumonia"] += case.other_mask is not None
        drawn["(no doctor)", f"weak label {case.weak_label}"] += bool(case.weak_label)
    lines = [f"{'split':<8}{'label':<26}{'images':>8}{'patients':>10}"]
    for split, label in sorted(found, key=lambda k: (SPLITS.index(k[0]), k[1])):
        patients = found[split, label]
        lines.append(f"{split:<8}{label:<26}{len(patients):>8}{len(set(patients)):>10}")
    lines.append(f"{'all':<34}{len(cases):>8}{len({c.patient for c in cases}):>10}")
    lines += ["", f"{'reader':<20}{'kind of mask':<26}{'images':>8}"]
    lines += [f"{reader:<20}{kind:<26}{n:>8}" for (reader, kind), n in sorted(drawn.items(), reverse=True) if n]
    unknown = sum(not c.masks for c in cases)
    return "\n".join([*lines, f"{'(nobody)':<20}{'unknown':<26}{unknown:>8}"])
