"""Your own folder of radiographs: a folder for each class, and masks of lesions beside them."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from deep_pneumonia.datasets.source import DICOM_ENDINGS, Find, images_below
from deep_pneumonia.errors import PreparationError
from deep_pneumonia.masks.annotation import read_mask
from deep_pneumonia.masks.mask_names import DEFAULT_READER, Name, bare, folder_role, mask_names

MASKS = "masks"
Masks = Mapping[Path, Mapping[str, Path]]  # the files of an image's masks by reader


def folder(
    raw: Path, *, normal: str | None = None, patient_pattern: str | None = None, note: Callable[[str], object] = print
) -> list[Find]:
    """Read your own RAW/<class>/<images> with optional masks in RAW/masks/<class>/ or RAW/masks/.

    A mask is a PNG, JPEG or TIFF that has the name of its image, or one such as NAME_mask, mask_NAME and
    NAME_mask_READER.

    normal: the class whose images a doctor read as normal.
    patient_pattern: a regular expression whose first group, found in the file's stem, is the patient; without it, each
    image is a patient.
    note: told of each file in masks/ that is left out, and why.

    Raises:
        PreparationError: no class, a class named like masks, an unknown `normal`, a pattern that does not match, or a
            mask that fits several images or whose reader has two.
        AnnotationError: a mask cannot be read.
    """
    classes = sorted(
        d.name for d in raw.glob("*") if d.is_dir() and d.name != MASKS and not d.name.startswith((".", "__MACOSX"))
    )
    images = [image for name in classes for image in images_below(raw / name)]
    if not images:
        raise PreparationError(f"{raw} holds no images; put them into one folder for each class: {raw}/<class>/.")
    if masks := [name for name in classes if folder_role(name) in ("mask", "other")]:
        raise PreparationError(
            f"{raw / masks[0]} looks like a folder of masks, not of a class; move masks of lesions to {raw / MASKS}, "
            "and others elsewhere."
        )
    if normal and normal not in classes:
        raise PreparationError(
            f"The normal class {normal!r} is not a folder of {raw}; choose from {', '.join(classes)}."
        )
    drawn = _matched(raw / MASKS, images, note)
    pattern = _compiled(patient_pattern)
    return [_find(image, image.parent.name == normal, pattern, drawn.get(image, {})) for image in images]


def _matched(folder: Path, images: Sequence[Path], note: Callable[[str], object]) -> Masks:
    """The masks below `folder`, each with the one image whose name it has."""
    named: defaultdict[tuple[str, str], list[Path]] = defaultdict(list)  # by class ("." for any) and name
    for image in images:
        for label in (".", image.parent.name):
            named[label, bare(image)].append(image)
    found: defaultdict[Path, dict[str, Path]] = defaultdict(dict)
    for file in images_below(folder, deep=True):
        label = file.parent.relative_to(folder).as_posix()
        name, fits = _named(file, label, named)
        if file.suffix.lower() in DICOM_ENDINGS or not file.suffix:
            note(f"{file} is left out: masks of a folder are PNG, JPEG or TIFF.")
        elif name is None:
            note(f"{file} is left out: it has the name of no image{'' if label == '.' else f' of the class {label}'}.")
        elif name.other:
            note(f"{file} is left out: by its name it marks no lesion.")
        elif len(fits) > 1:
            raise PreparationError(f"{file} fits several images; move it to {folder}/<class>/{file.name}.")
        elif (one := found[fits[0]].setdefault(name.reader, file)) != file:
            raise PreparationError(f"{one} and {file} are masks of one image by one reader; keep one.")
    return found


def _named(
    file: Path, label: str, images: Mapping[tuple[str, str], Sequence[Path]]
) -> tuple[Name | None, Sequence[Path]]:
    """How to read a mask's name so that an image has it, and the images that have it."""
    own = Name(bare(file), DEFAULT_READER, clear=True, other=False)
    for name in (own, *mask_names(own.of)):
        if fits := images.get((label, name.of)):
            return name, fits
    return None, ()


def _find(image: Path, is_normal: bool, pattern: re.Pattern[str] | None, masks: Mapping[str, Path]) -> Find:
    label = image.parent.name
    # An empty file may mean that nobody looked. Only the normal class has known, empty masks.
    drawn = {reader: mask for reader, mask in masks.items() if not read_mask(mask).is_empty}
    if drawn and is_normal:
        raise PreparationError(
            f"{next(iter(drawn.values()))} marks a lesion on an image of the normal class {label!r}; correct one."
        )
    return Find(
        f"{label}/{image.name}", image, _patient(image, pattern), label,
        drawings=tuple(partial(read_mask, mask, reader=reader) for reader, mask in drawn.items()),
        normal_by=(DEFAULT_READER,) if is_normal else (),
    )  # fmt: skip


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    if not pattern:
        return None
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise PreparationError(
            f"The patient pattern {pattern!r} is not a regular expression ({error}); correct it."
        ) from error
    if not compiled.groups:
        raise PreparationError(f"The patient pattern {pattern!r} has no group; put the patient in ( ).")
    return compiled


def _patient(image: Path, pattern: re.Pattern[str] | None) -> str:
    if pattern is None:
        return image.stem
    found = pattern.search(image.stem)
    if found is None or not found[1]:
        raise PreparationError(f"The patient pattern {pattern.pattern!r} finds no patient in {image.name}.")
    return found[1]
