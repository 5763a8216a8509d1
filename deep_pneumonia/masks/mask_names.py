"""Which files are masks, and of which radiographs, by the names of files and folders.

chest-mask.png, chest_mask_Ana.png, mask_chest.png and chest-mask.dcm are masks of chest.png; so are chest.png and the
names above in a folder such as masks/, Ground-truths/ or "infection masks"/. Names that tell of lungs, hearts or
devices, such as "lung masks"/ and leftMask/, are no masks of lesions.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from typing import Literal

from deep_pneumonia.masks.lesion_names import LESION_WORDS, OTHER_WORDS, is_other, words

Role = Literal["mask", "other", "image", ""]  # "other": a mask of something that is no lesion

MASK_WORDS = {
    "mask", "masks", "annotation", "annotations", "label", "labels", "segmentation", "segmentations", "seg", "truth",
    "truths", "groundtruth", "groundtruths", "gt", "gts",
}  # fmt: skip
IMAGE_WORDS = {"image", "images", "img", "imgs", "radiograph", "radiographs", "cxr", "xray", "xrays", "films"}
CLEAR_WORDS = {"mask", "masks"}  # other words in a file's name need a picture that looks like a mask
NAME_PART = re.compile(r"ground[-_ ]?truths?|[^\W_]+")
KNOWN_ENDINGS = {
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".webp", ".bmp", ".dib", ".dcm", ".dicom", ".dic",
    ".ima", ".json", ".csv",
}  # fmt: skip
DEFAULT_READER = "reader"


@dataclass(frozen=True)
class Name:
    """One way to read the name of a mask: the radiograph's name without ending, and the reader's.

    clear: whether the name alone makes it a mask. other: whether it marks something that is no lesion.
    """

    of: str
    reader: str
    clear: bool
    other: bool


def bare(path: PurePath) -> str:
    """A file's name without a known ending, in Unicode's composed form."""
    name = path.stem if path.suffix.lower() in KNOWN_ENDINGS else path.name
    return unicodedata.normalize("NFC", name)


@lru_cache(4096)
def folder_role(name: str) -> Role:
    """What the files in a folder of this name are; "" if the name does not say."""
    found = words(name)
    last = found[-1] if found else ""
    if found == ["segmentation", "class"] or last in MASK_WORDS or last.endswith(("mask", "masks", "groundtruth")):
        glued = re.sub(r"(masks?|groundtruth)$", "", last) if last not in MASK_WORDS else ""
        other = is_other(name) or (glued in OTHER_WORDS and not set(found) & LESION_WORDS)
        return "other" if other else "mask"
    if "mask" in found or "masks" in found:
        return "other" if is_other(name) else "mask"
    return "image" if last in IMAGE_WORDS or last.endswith("images") else ""


def place(folders: Sequence[str]) -> tuple[Role, tuple[str, ...]]:
    """The role that the nearest telling folder gives, and the folders that have none, to compare places by."""
    roles = [folder_role(name) for name in folders]
    role: Role = next((role for role in reversed(roles) if role), "")
    rest = (unicodedata.normalize("NFC", f) for f, r in zip(folders, roles, strict=True) if not r)
    return role, tuple(rest)


def mask_names(stem: str) -> Iterator[Name]:
    """Every way to read a file's name without ending as the name of a mask."""
    stem = unicodedata.normalize("NFC", stem)
    parts = list(NAME_PART.finditer(stem))
    for number, part in enumerate(parts):
        word = re.sub(r"[-_ ]", "", part[0]).casefold()
        if word not in MASK_WORDS:
            continue
        clear, before, after = word in CLEAR_WORDS, parts[:number], parts[number + 1 :]
        told = {p[0].casefold() for p in after}
        for end in range(len(before), 0, -1):  # chest_lung_mask may be of chest_lung, or the lungs of chest
            between = {p[0].casefold() for p in before[end:]}
            if between - OTHER_WORDS - LESION_WORDS:
                break
            reader = stem[after[0].start() :] if after else DEFAULT_READER
            yield Name(stem[: before[end - 1].end()], reader, clear, _is_other(between) or _is_other(told))
        qualifiers = {p[0].casefold() for p in before}
        if after and not qualifiers - OTHER_WORDS - LESION_WORDS:
            yield Name(stem[after[0].start() :], DEFAULT_READER, clear, _is_other(qualifiers))


def _is_other(found: set[str]) -> bool:
    return bool(found & OTHER_WORDS) and not found & LESION_WORDS
