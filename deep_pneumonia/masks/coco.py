"""COCO JSON, which most annotation tools write: polygons, boxes and run-length masks of many images in one file.

COCO has no field for readers. An annotation names its reader as `attributes.reader` (where CVAT puts custom fields) or
as `reader`; without a name, all annotations belong to one reader who is named after the file.
"""

import json
from collections.abc import Iterable, Sequence
from typing import TextIO

import numpy as np

from deep_pneumonia.errors import AnnotationError, UnknownMaskError
from deep_pneumonia.limits import MAX_FILE_READERS
from deep_pneumonia.masks import rle
from deep_pneumonia.masks.annotation import (
    KINDS,
    Annotation,
    Kind,
    Mask,
    Size,
    check_masks,
    check_size,
    gathered,
    read_as_normal,
)
from deep_pneumonia.masks.coco_index import CocoIndex, Entry
from deep_pneumonia.masks.shapes import Shapes, Work
from deep_pneumonia.masks.untrusted import frame, numbers
from deep_pneumonia.names import base, distinct, reader_name, shown, stem

CATEGORIES = [{"id": 1, "name": "lesion", "supercategory": "finding"}]


def is_coco(document: object) -> bool:
    """Whether parsed JSON has COCO's keys."""
    return isinstance(document, dict) and "images" in document and "annotations" in document


def read_coco(
    document: Entry,
    size: Size,
    *,
    name: str,
    radiograph: str = "",
    category: Sequence[str] = (),
    readers: int = MAX_FILE_READERS,
) -> list[Annotation]:
    """Read the masks of one radiograph of `size` (H, W) from parsed COCO JSON, one for each reader, in file order.

    The shapes of one reader are joined. If the file uses several categories, only the lesion's counts. A category such
    as "normal" gives an empty mask; an image without annotations gives none, because exports list images that nobody
    looked at. `CocoIndex` states how images, annotations and categories are matched.

    name: the name of this file.
    radiograph: the radiograph's file name, which selects its image if the file has several.
    category: the names of the lesion's categories, if the file's own names do not tell.
    readers: how many may have drawn on the radiograph.

    Raises:
        UnknownMaskError: the image has no annotation of a lesion, and none that says it is normal.
        MaskSizeError: the image or a mask differs in size from the radiograph.
        AnnotationError: there are more readers, their masks have too many pixels in all, no image or several images
            match, annotations belong to no image, the lesion's category is unclear, a shape is damaged, or drawing
            would take too long.
    """
    index = CocoIndex(document, name, category)
    return read_image(index, _image(index, radiograph), size, name=name, readers=readers)


def read_image(
    index: CocoIndex, image: Entry, size: Size, *, name: str, readers: int = MAX_FILE_READERS
) -> list[Annotation]:
    """Read the masks of one image of an indexed file; see `read_coco`."""
    called, work = shown(name), Work(shown(name))
    check_size(frame(image.get("height"), image.get("width"), size, called), size, called)
    found: dict[str, list[Entry]] = {}
    for entry in index.lesions(image):
        found.setdefault(reader_name(_extra(entry, "reader"), stem(name)), []).append(entry)
    normal = {reader_name(_extra(entry, "reader"), stem(name)) for entry in index.normals(image)}
    if both := sorted(normal & found.keys()):
        raise AnnotationError(
            f"{called} says that {both[0]} read the radiograph as normal, yet marks lesion; correct one of the two."
        )
    if not found and not normal:
        what = "only annotations of other categories" if index.entries(image) else "no annotation"
        raise UnknownMaskError(
            f"{called} has {what} for this radiograph and does not say that it was read as normal, so its mask is "
            "unknown; annotate it with a category named normal if it was."
        )
    check_masks(len(found) + len(normal), size, called, most=readers)
    drawn = gathered(_drawn(reader, entries, size, work) for reader, entries in found.items())
    return drawn + [read_as_normal(size, reader=reader) for reader in sorted(normal)]


def _drawn(reader: str, entries: Sequence[Entry], size: Size, work: Work) -> Annotation:
    """The union of a reader's annotations; empty only if the file states its kind, as this package's exports do."""
    shapes, kind = Shapes(size, work), _one({_kind(entry) for entry in entries})
    for entry in entries:
        _add(entry, shapes, size, work)
    drawn = shapes.drawn(reader, kind)
    if drawn.is_empty and kind is None:
        raise AnnotationError(
            f"{work.name} has masks by {reader} that cover no pixel; delete them, or give them a category named normal."
        )
    return drawn


def _image(index: CocoIndex, radiograph: str) -> Entry:
    if len(index.images) == 1:
        return index.images[0]
    found = index.find(radiograph)
    if found is None:
        raise AnnotationError(
            f"{index.name} has {len(index.images)} images, none of them named {shown(radiograph)}; "
            "name the radiograph as the file does, or export its annotations alone."
        )
    return found[0]


def _extra(entry: Entry, key: str) -> object:
    attributes = entry.get("attributes")
    given = attributes.get(key) if isinstance(attributes, dict) else None
    return entry.get(key) if given is None else given


def _kind(entry: Entry) -> Kind | None:
    given = _extra(entry, "kind")
    return next((kind for kind in KINDS if kind == given), None)


def _one(kinds: set[Kind | None]) -> Kind | None:
    """The kind that all annotations of a reader state; if they differ, "normal" if one states it, or else None."""
    if len(kinds) == 1:
        return next(iter(kinds))
    return "normal" if "normal" in kinds else None  # a normal mask that marks lesion is refused


def _add(entry: Entry, shapes: Shapes, size: Size, work: Work) -> None:
    """Add the segmentation of one annotation, or its box if it has no segmentation."""
    marked, name = entry.get("segmentation"), work.name
    if isinstance(marked, dict):
        height, width = numbers(marked.get("size"), "a mask size", name, count=2)
        check_size(frame(height, width, size, name), size, name)
        work.spend(size[0] * size[1])
        shapes.mask(rle.decode(marked.get("counts"), size, name))
        return
    rotation = _rotation(entry, name)
    if isinstance(marked, list) and any(points != [] for points in marked):
        if rotation % 360:
            raise AnnotationError(f"{name} has a rotated polygon; export it with its rotation applied.")
        for points in (points for points in marked if points != []):
            found = numbers(points, "a polygon", name)
            if len(found) % 2 or len(found) < 6:
                raise AnnotationError(
                    f"{name} has a polygon of {len(found)} numbers; expected x and y of three points or more."
                )
            shapes.polygon(found[::2], found[1::2])
    elif marked is None or isinstance(marked, list):  # exporters of boxes leave the polygons out, or empty
        x, y, width, height = numbers(entry.get("bbox"), "a box", name, count=4)
        shapes.box(x, y, width, height, rotation=rotation)
    else:
        raise AnnotationError(f"{name} has a segmentation that is neither polygons nor run lengths; export it again.")


def _rotation(entry: Entry, name: str) -> float:
    """Degrees clockwise by which CVAT rotates a box around its centre (`attributes.rotation`)."""
    given = _extra(entry, "rotation")
    return 0.0 if given is None else numbers([given], "a rotation", name, count=1)[0]


def to_coco(annotations: Sequence[Annotation], file_name: str) -> bytes:
    """Encode one image as COCO JSON with one mask for each reader; `read_coco` restores the masks bit for bit.

    Masks are uncompressed run lengths with iscrowd 1, the only form of a mask that the format itself describes. Tools
    that choose by iscrowd or cannot decode the compressed string read it too. Training code that leaves out crowds must
    be told to keep them.

    file_name: the radiograph's name; its folders are not written. Readers with the same name are numbered.

    Raises:
        AnnotationError: there is no annotation, or their sizes differ.
    """
    if len({a.size for a in annotations}) != 1:
        raise AnnotationError(f"There are {len(annotations)} masks; expected one or more, all of one size.")
    height, width = annotations[0].size
    readers = distinct([a.reader for a in annotations])
    document = {
        "info": {"description": "Doctors' masks of one radiograph"},
        "images": [{"id": 1, "file_name": base(file_name), "height": height, "width": width}],
        "categories": CATEGORIES,
        "annotations": [_entry(i, a, r) for i, (a, r) in enumerate(zip(annotations, readers, strict=True), 1)],
    }
    return (json.dumps(document, allow_nan=False) + "\n").encode()


def write_coco(images: Iterable[tuple[str, Sequence[Annotation]]], stream: TextIO) -> None:
    """Write COCO JSON of many images, each before the next is taken from `images`; see `to_coco` for the masks.

    images: the file name to write and at least one mask of each image. Characters of a reader's name that cannot be
    printed are replaced. `read_coco` finds the masks of an image by its file name.
    """
    frames, number = [], 0
    stream.write(
        f'{{"info": {{"description": "Doctors\' masks"}}, "categories": {json.dumps(CATEGORIES)},\n"annotations": ['
    )
    for image, (file_name, annotations) in enumerate(images, 1):
        height, width = annotations[0].size
        frames.append({"id": image, "file_name": file_name, "height": height, "width": width})
        readers = distinct([reader_name(a.reader, "reader") for a in annotations])
        for annotation, reader in zip(annotations, readers, strict=True):
            number += 1
            entry = _entry(number, annotation, reader, image)
            stream.write((",\n" if number > 1 else "\n") + json.dumps(entry, allow_nan=False))
    stream.write(f'\n],\n"images": {json.dumps(frames)}}}\n')


def _entry(number: int, annotation: Annotation, reader: str, image: int = 1) -> Entry:
    return {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "iscrowd": 1,
        "segmentation": {"size": list(annotation.size), "counts": rle.encode(annotation.mask)},
        "bbox": _bbox(annotation.mask),
        "area": int(annotation.mask.sum()),
        "attributes": {"reader": reader, "kind": annotation.kind},
    }


def _bbox(mask: Mask) -> list[int]:
    """x, y, width and height of the smallest box around the lesion; four zeros without lesion."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return [0, 0, 0, 0]
    x, y = int(columns[0]), int(rows[0])
    return [x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y]
