"""Adapters that turn a publisher's folder into a list of finds, one per image, and the names of all classes.

This module holds the shared parts and the smallest adapter, kermany; the others have their own modules.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pydicom
from PIL import Image

from deep_pneumonia.errors import PreparationError, RadiographError
from deep_pneumonia.masks.annotation import Annotation, Size
from deep_pneumonia.radiographs.radiograph import decode

NORMAL = "Normal"
BACTERIAL = "Bacterial pneumonia"
VIRAL = "Viral pneumonia"
OPACITY = "Lung opacity"

DICOM_ENDINGS = (".dcm", ".dicom")
IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".webp", ".bmp", *DICOM_ENDINGS)
Drawing = Callable[[Size], Annotation]  # draws a reader's mask at the size (H, W) of the radiograph


@dataclass(frozen=True)
class Find:
    """One image of a raw data set with everything that its publisher states about it.

    key: unique in the data set; names the mask files.
    split: the published split, or "" for a split by the hash of `hash_key` (the patient if empty).
    drawings: draw the readers' masks. normal_by: readers who read the image as normal.
    other: draw what is known not to be pneumonia. weak_label: a label that was not given by a doctor.
    """

    key: str
    image: Path
    patient: str
    label: str = ""
    split: str = ""
    hash_key: str = ""
    drawings: tuple[Drawing, ...] = ()
    normal_by: tuple[str, ...] = ()
    other: tuple[Drawing, ...] = ()
    sex: str = ""
    age: str = ""
    view: str = ""
    weak_label: str = ""


def peek_size(image: Path) -> Size:
    """Read the size (H, W) of the decoded radiograph from its header alone.

    Raises:
        PreparationError: the file has no readable header.
    """
    if _is_marked_dicom(image) or image.suffix.lower() in DICOM_ENDINGS:
        rows, columns = dicom_header(image, "Rows", "Columns")
        return int(rows or 0), int(columns or 0)
    try:
        with Image.open(image) as picture:
            width, height = picture.size
            turned = picture.getexif().get(0x0112, 1) >= 5  # EXIF orientations 5 to 8 swap the sides
            return (width, height) if turned else (height, width)
    except (OSError, ValueError, SyntaxError):
        return _decoded_size(image)


def _is_marked_dicom(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def _decoded_size(image: Path) -> Size:
    """The size of a file whose header Pillow does not know."""
    try:
        return decode(image).size
    except RadiographError as error:
        raise PreparationError(f"{image} cannot be read as an image: {error}") from error


def dicom_header(image: Path, *tags: str) -> list[str]:
    """Read the values of `tags` as text, "" for absent ones, without reading the pixels.

    Raises:
        PreparationError: the file is not readable as DICOM.
    """
    try:
        header = pydicom.dcmread(image, stop_before_pixels=True, specific_tags=list(tags))
        return [str(header.get(tag, "")) for tag in tags]
    except Exception as error:  # pydicom raises many types on damaged headers
        raise PreparationError(f"{image} cannot be read as DICOM ({error}); download it again.") from error


def images_below(folder: Path, *, deep: bool = False) -> list[Path]:
    """Image files in `folder` (at any depth if `deep`), sorted, without hidden files and __MACOSX.

    They are known by their ending. A file without one is an image if its content says that it is DICOM.
    """
    files = folder.rglob("*") if deep else folder.glob("*")
    return sorted(
        f
        for f in files
        if not any(part.startswith((".", "__MACOSX")) for part in f.relative_to(folder).parts)
        and f.is_file()
        and (f.suffix.lower() in IMAGE_ENDINGS or (not f.suffix and _is_marked_dicom(f)))
    )


def first_existing(candidates: Iterable[Path]) -> Path | None:
    """The first candidate that is a file, or None."""
    return next((c for c in candidates if c.is_file()), None)


def kermany(raw: Path) -> list[Find]:
    """Read the Guangzhou children's radiographs, {train,test[,val]}/{NORMAL,PNEUMONIA}, with the published test split.

    Raises:
        PreparationError: a part is missing or a file name is not valid.
    """
    root = raw if (raw / "train").is_dir() else raw / "chest_xray"
    finds = []
    for split in ("train", "val", "test"):
        for group in ("NORMAL", "PNEUMONIA"):
            images = images_below(root / split / group)
            if not images and split != "val":
                raise PreparationError(
                    f"{raw / split / group} holds no images; unpack the publisher's chest_xray folder there."
                )
            finds += [_child(image, split) for image in images]
    return finds


def _child(image: Path, split: str) -> Find:
    name = re.match(r"(person\d+|(?:NORMAL2-)?IM-\d+|(?:BACTERIA|VIRUS|NORMAL)-\d+)", image.name)
    if name is None:
        raise PreparationError(f"{image} does not name its patient; expected person<N>, IM-<N> or NORMAL2-IM-<N>.")
    number = name[1]
    published = "test" if split == "test" else ""
    if image.parent.name == "NORMAL":
        # Two physicians graded each image, so a normal image has a known, empty mask.
        return Find(image.name, image, number, NORMAL, published, normal_by=("Guangzhou",))
    cause = re.search(r"bacteria|virus", image.name, re.IGNORECASE)
    if cause is None:
        raise PreparationError(f"{image} does not state the cause; expected bacteria or virus in its name.")
    label = BACTERIAL if cause[0].lower() == "bacteria" else VIRAL
    # person<N> restarts for each cause. The hash uses the number alone, in case both are one patient.
    return Find(image.name, image, f"{number}-{cause[0].lower()}", label, published, hash_key=number)
