"""LabelMe JSON: one radiograph per file, drawn with polygons, rectangles (upright or oriented), circles and brushes.

A file belongs to one reader and is named after that reader. The image that LabelMe may embed (imageData) is never
decoded.
"""

import base64
import binascii
import math
import struct
from collections.abc import Sequence
from typing import Any

from deep_pneumonia.errors import AnnotationError, UnknownMaskError
from deep_pneumonia.masks.annotation import Annotation, Size, check_size, from_crops, read_as_normal, read_mask
from deep_pneumonia.masks.lesion_names import chosen, is_normal
from deep_pneumonia.masks.shapes import Shapes, Work
from deep_pneumonia.masks.untrusted import frame, items, numbers
from deep_pneumonia.names import reader_name, shown, stem

UNLABELLED = "no label"
MAX_CIRCLE_ERROR = 0.01  # pixels between a circle and the polygon around it

Point = tuple[float, float]


def is_labelme(document: object) -> bool:
    """Whether parsed JSON has LabelMe's key."""
    return isinstance(document, dict) and "shapes" in document


def read_labelme(document: dict[str, Any], size: Size, *, name: str, category: Sequence[str] = ()) -> list[Annotation]:
    """Read the mask of one radiograph of `size` (H, W) from parsed LabelMe JSON, all shapes of the lesion joined.

    If shapes have several labels, only the lesion's count, by the rule of `lesion_names.chosen`. A flag of the image
    that is set and named "normal", or a shape with this label, gives an empty mask.

    name: the file's name; its stem names the reader.
    category: the labels of the lesion, if the file's own do not tell.

    Raises:
        MaskSizeError: the annotated image differs in size from the radiograph.
        UnknownMaskError: there is no shape of a lesion, and nothing that says that the radiograph is normal.
        AnnotationError: the lesion's label is unclear, a shape is damaged, lies outside the picture or encloses no area
            (a point, a line), or drawing would take too long.
    """
    called = shown(name)
    drawn_on = frame(document.get("imageHeight"), document.get("imageWidth"), size, called)
    check_size(drawn_on, size, called)
    work, reader = Work(called), reader_name(None, stem(name))
    found = items(document.get("shapes"), "shapes", called)
    names = chosen(map(_label, found), category, called)
    lesions = [shape for shape in found if _label(shape) in names]
    if _states_normal(document, found):
        if lesions:
            raise AnnotationError(f"{called} says normal, yet marks lesion; correct one of the two.")
        return [read_as_normal(size, reader=reader)]
    if not lesions:
        raise UnknownMaskError(
            f"{called} has no shape of a lesion and does not say that the radiograph was read as normal, so its mask "
            "is unknown; set a flag named normal if it was."
        )
    shapes = Shapes(size, work)
    for shape in lesions:
        _add(shape, shapes, size, work)
    drawn = shapes.drawn(reader)
    if drawn.is_empty:
        raise AnnotationError(f"{called} has shapes that cover no pixel; delete them, or draw them again.")
    return [drawn]


def _label(shape: dict[str, Any]) -> str:
    given = shape.get("label")
    return given.strip() if isinstance(given, str) and given.strip() else UNLABELLED


def _states_normal(document: dict[str, Any], shapes: list[dict[str, Any]]) -> bool:
    flags = document.get("flags")
    flagged = [key for key, value in flags.items() if value is True] if isinstance(flags, dict) else []
    return any(map(is_normal, flagged)) or any(is_normal(_label(shape)) for shape in shapes)


def _add(shape: dict[str, Any], shapes: Shapes, size: Size, work: Work) -> None:
    kind, name = shape.get("shape_type") or "polygon", work.name
    points = _points(shape.get("points"), name)
    if kind == "polygon" and len(points) >= 3:
        shapes.polygon([x for x, _ in points], [y for _, y in points])
    elif kind == "rectangle" and len(points) in (2, 4):  # opposite corners; later tools write all four
        left, top, right, bottom = _around(points)
        shapes.box(left, top, right - left, bottom - top)
    elif kind == "oriented_rectangle" and len(points) == 4:
        shapes.centred([x for x, _ in points], [y for _, y in points], kind="box")
    elif kind == "circle" and len(points) == 2:
        shapes.centred(*_circle(points[0], math.dist(*points)), kind="polygon")
    elif kind == "mask" and len(points) == 2:
        _brushed(shape.get("mask"), points, shapes, size, work)
    else:
        raise AnnotationError(
            f"{name} has a shape of {len(points)} points and type {shown(str(kind))!r}; expected a polygon (three or "
            "more), rectangle, circle or mask (two) or oriented_rectangle (four), so delete or redraw it."
        )


def _points(values: object, name: str) -> list[Point]:
    if not isinstance(values, list):
        raise AnnotationError(f"{name} has a shape without a list of points; export it again.")
    pairs = (numbers(point, "a point", name, count=2) for point in values)
    return [(x, y) for x, y in pairs]


def _around(points: list[Point]) -> tuple[float, float, float, float]:
    x, y = [x for x, _ in points], [y for _, y in points]
    return min(x), min(y), max(x), max(y)


def _circle(centre: Point, radius: float) -> tuple[list[float], list[float]]:
    """x and y of the regular polygon around a circle with the fewest corners that keep MAX_CIRCLE_ERROR."""
    corners = max(8, math.ceil(math.pi / math.acos(radius / (radius + MAX_CIRCLE_ERROR))))
    angles = [2 * math.pi * k / corners for k in range(corners)]
    outer = radius / math.cos(math.pi / corners)
    return [centre[0] + outer * math.cos(a) for a in angles], [centre[1] + outer * math.sin(a) for a in angles]


def _brushed(text: object, corners: list[Point], shapes: Shapes, size: Size, work: Work) -> None:
    """Paste a mask given as a base64 PNG; the two corners are its first and last pixel."""
    left, top, right, bottom = (round(v) for v in _around(corners))
    shapes.check_inside([left, right + 1], [top, bottom + 1])
    expected = (bottom - top + 1, right - left + 1)
    work.spend(size[0] * size[1] + expected[0] * expected[1])
    try:
        png = base64.b64decode(text if isinstance(text, str) else "", validate=True)
        # Checked before it is decoded: a small PNG may claim a huge image.
        if struct.unpack_from(">II", png, 16) != expected[::-1]:
            raise AnnotationError("another size")
        crop = read_mask(png, expected).mask
    except (AnnotationError, binascii.Error, ValueError, struct.error):
        raise AnnotationError(
            f"{work.name} has a mask shape that is damaged or not of {expected[0]} x {expected[1]} pixels, as its "
            "points say; export it again."
        ) from None
    shapes.mask(from_crops([(crop, top, left)], size, size, reader="").mask)
