"""Cases from a manifest, a prepared or exported folder, or a plain folder of radiographs."""

import csv
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path, PureWindowsPath
from typing import Any

from deep_pneumonia.datasets.manifest import SEPARATOR, SPLITS, Case, MaskRef, read_manifests, split_of
from deep_pneumonia.errors import AnnotationError, ManifestError
from deep_pneumonia.files import MAX_FILE_BYTES
from deep_pneumonia.masks.annotation import Annotation, read_mask, write_mask
from deep_pneumonia.masks.any_format import looks_like_annotation
from deep_pneumonia.masks.coco import is_coco, read_image
from deep_pneumonia.masks.coco_index import CocoIndex
from deep_pneumonia.masks.labelme import is_labelme, read_labelme
from deep_pneumonia.masks.untrusted import parse_json
from deep_pneumonia.radiographs.radiograph import decode

PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".dcm")
MASK_NAME = re.compile(r"(?P<of>.+)[-_]mask(?:[-_](?P<reader>.+))?", re.IGNORECASE)
BY_PATIENT = "patient"
CHOICES = (*SPLITS, BY_PATIENT)
FILE_COLUMNS = ("image", "mask", "other_mask")  # columns of a manifest that name files
VAL_SHARE, TEST_SHARE = 0.15, 0.2  # of patients, as in `prepare`


def cases_from(path: str | Path, *, split: str = "test", inside: bool = False) -> Iterator[Case]:
    """The cases of a manifest.csv, of a folder that has one (prepared or exported), or of a folder of radiographs.

    A folder of radiographs is searched with its subfolders, for pictures and DICOM files. The masks of chest.png are
    chest-mask.png or chest_mask.png (with -NAME for one of several readers), masks/chest.png beside it or masks/... in
    the top folder, its entries in COCO files anywhere in the folder, and LabelMe's chest.json. PNG files of two
    colours are not radiographs; beside a single radiograph they are its masks, and each file's name is its reader. An
    all-black PNG is no mask, as it does not tell whether anybody looked. The source is the folder's name, the patient
    the file's name without its ending, and there is no label.

    split: for a folder of radiographs. "test", as a work list shows cases that no network has seen; "train" or "val"
        for cases to train on; "patient" for 65% train, 15% val and 20% test by the patient's hash.
    inside: refuse a manifest that names files outside its folder, as a stranger's may.

    Masks from JSON lie in a temporary folder during the iteration: `workspace.add(cases_from(path))`.

    Raises:
        ManifestError: there is no such path, no radiograph in it, or the manifest contradicts itself.
        AnnotationError: a mask or an annotation file is damaged, or of another size than its radiograph.
    """
    path = Path(path).absolute()
    manifest = path if path.suffix.lower() == ".csv" else path / "manifest.csv"
    if manifest.is_file():
        if inside:
            _check_inside(manifest)
        yield from read_manifests([manifest])
    elif path.is_dir():
        with tempfile.TemporaryDirectory() as scratch:
            yield from _Folder(path, split, Path(scratch)).cases()
    else:
        raise ManifestError(f"{path} is no manifest.csv and no folder; import a ZIP instead of adding it.")


class _Folder:
    """A folder of radiographs, sorted into radiographs, their masks and annotation files."""

    def __init__(self, root: Path, split: str, scratch: Path) -> None:
        self.root, self.split, self.scratch = root, split, scratch
        files = sorted(p for p in root.rglob("*") if p.is_file() and not _hidden(p.relative_to(root)))
        pictures = [p for p in files if _is_picture(p)]
        # Masks with their readers' names, by the radiograph's path without its ending.
        self.masks_of: dict[Path, list[tuple[Path, str]]] = defaultdict(list)
        self.masks = {p for p in pictures if "masks" in p.relative_to(root).parts[:-1]}
        self.masks |= self._match_names(pictures)
        others = [p for p in pictures if p not in self.masks]
        drawn = [p for p in others if p.suffix.lower() == ".png" and looks_like_annotation(p)]
        self.radiographs = [p for p in others if p not in drawn]
        self._match_single_radiographs(drawn)
        self._read_annotations(files)

    def _match_names(self, pictures: Sequence[Path]) -> set[Path]:
        """Match masks such as chest-mask-Ana.png with their radiographs, and give these masks."""
        known = {p.with_suffix("") for p in pictures}
        matched = set()
        for path in pictures:
            name = MASK_NAME.fullmatch(path.stem)
            if name and path.suffix.lower() == ".png" and path.with_name(name["of"]) in known:
                self.masks_of[path.with_name(name["of"])].append((path, name["reader"] or "reader"))
                matched.add(path)
        return matched

    def _match_single_radiographs(self, drawn: Sequence[Path]) -> None:
        """Match files of two colours with the radiograph beside them, if it is the only one in its folder."""
        count = Counter(p.parent for p in self.radiographs)
        for image in (p for p in self.radiographs if count[p.parent] == 1):
            self.masks_of[image.with_suffix("")] += [(p, p.stem) for p in drawn if p.parent == image.parent]

    def _read_annotations(self, files: Sequence[Path]) -> None:
        documents = [(p, document) for p in files if (document := _annotations(p)) is not None]
        self.coco = [_Coco(p, document, self.radiographs) for p, document in documents if is_coco(document)]
        self.labelme = {p: document for p, document in documents if not is_coco(document)}

    def cases(self) -> Iterator[Case]:
        """One case per radiograph."""
        if not self.radiographs:
            raise ManifestError(f"{self.root} holds no radiograph; give a folder of PNG, JPEG, TIFF or DICOM files.")
        for number, image in enumerate(self.radiographs):
            masks = (*self._drawn(image), *self._told(image, number))
            split = split_of(image.stem, val=VAL_SHARE, test=TEST_SHARE) if self.split == BY_PATIENT else self.split
            yield Case(image, image.stem, self.root.name or "own", split, masks=masks)

    def _drawn(self, image: Path) -> Iterator[MaskRef]:
        """Masks that are PNG files."""
        below = image.parent.relative_to(self.root) / f"{image.stem}.png"
        within = {image.parent / "masks" / f"{image.stem}.png", self.root / "masks" / below} & self.masks
        for path, reader in (*self.masks_of[image.with_suffix("")], *((p, "reader") for p in sorted(within))):
            if not read_mask(path).is_empty:
                yield MaskRef(path, "pixel", reader)

    def _told(self, image: Path, number: int) -> Iterator[MaskRef]:
        """Masks from COCO and LabelMe files."""
        own = image.with_suffix(".json")
        found = [coco.read(image) for coco in self.coco]
        if own in self.labelme:
            found.append(read_labelme(self.labelme[own], decode(image).size, name=own.name))
        for place, annotation in enumerate(chain.from_iterable(found)):
            if annotation.is_empty:  # somebody looked and marked nothing
                yield MaskRef(None, "normal", annotation.reader)
            else:
                path = self.scratch / f"{number}-{place}.png"
                write_mask(annotation.mask, path)
                yield MaskRef(path, annotation.kind, annotation.reader)


class _Coco:
    """A COCO file and the radiographs of the folder that its images are.

    Raises:
        AnnotationError: an image could be several radiographs, or the file annotates images but none of these.
    """

    def __init__(self, path: Path, document: dict[str, Any], radiographs: Sequence[Path]) -> None:
        self.path, self.index = path, CocoIndex(document, path.name)
        self.images: dict[Path, dict[str, Any]] = {}
        matches = defaultdict(list)
        for radiograph in radiographs:
            inside = radiograph.is_relative_to(path.parent)
            here = radiograph.relative_to(path.parent).as_posix() if inside else ""
            if found := self.index.find(radiograph.as_posix(), here):
                image, grade = found
                matches[id(image)].append((grade, radiograph, image))
        for several in matches.values():
            best = min(grade for grade, _, _ in several)
            (radiograph, image), *others = [(r, i) for grade, r, i in several if grade == best]
            if others:
                raise AnnotationError(
                    f"{path.name} has one image that could be {len(others) + 1} radiographs named {radiograph.name}; "
                    "name the radiographs' folders in it as they are."
                )
            self.images[radiograph] = image
        if not matches and self.index.has_annotations:
            raise AnnotationError(
                f"{path.name} has annotations, but none of its images is named like a radiograph of this folder; "
                "name the radiographs as the file does, or remove it."
            )

    def read(self, image: Path) -> list[Annotation]:
        """The masks of one radiograph; none if the file does not have it."""
        if image not in self.images:
            return []
        return read_image(self.index, self.images[image], decode(image).size, name=self.path.name)


def _check_inside(manifest: Path) -> None:
    """Refuse a manifest that names a file outside its folder, before any of these files is looked for."""
    try:
        with manifest.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
            cells = [cell for line in csv.DictReader(stream) for cell in (line.get(name) for name in FILE_COLUMNS)]
    except (OSError, csv.Error) as error:
        raise ManifestError(f"{manifest} cannot be read as a manifest ({error}); give a manifest.csv.") from error
    for name in (name for cell in cells if cell for name in cell.split(SEPARATOR)):
        windows = PureWindowsPath(name)
        if windows.drive or windows.root or ".." in windows.parts:
            raise ManifestError(
                f"{manifest.name} names {ascii(name)[:60]}, which is not in its folder; put the file there."
            )


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in path.parts)


def _is_picture(path: Path) -> bool:
    """Whether a file may be a radiograph or a mask: by its ending, or by the DICOM prefix if it has none."""
    if path.suffix.lower() in PICTURE_ENDINGS:
        return True
    if path.suffix and not path.suffix[1:].isdigit():  # DICOM files are named by their UIDs, or not at all
        return False
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def _annotations(path: Path) -> Any:
    """The document of a COCO or LabelMe file; None for any other file."""
    if path.suffix.lower() != ".json" or path.stat().st_size > MAX_FILE_BYTES:
        return None
    try:
        document = parse_json(path.read_bytes(), path.name)
    except AnnotationError:
        return None
    return document if is_coco(document) or is_labelme(document) else None
