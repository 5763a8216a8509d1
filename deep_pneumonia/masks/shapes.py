"""The shapes of one reader, collected from a file and drawn once, with a limit on the work."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.limits import MAX_DRAWING_WORK
from deep_pneumonia.masks.annotation import Annotation, Kind, Mask, Size, from_boxes, from_polygons

# The unit of work is a test of one point against one edge, about 1 ns. Drawing a shape takes (edges x pixels of its
# bounding box), so without a limit a few hundred bytes could keep a server busy for hours.
PIXEL_COST = 20  # to fill, copy and join a mask
SHAPE_COST = 20_000
MAX_OUTSIDE = 1.5  # pixels that a shape may leave the picture by: tools count corners from 0, from 1 and by centres


class Work:
    """The budget for drawing the shapes and masks of one file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._left: int = MAX_DRAWING_WORK

    def spend(self, pixels: int, edges: int = 0) -> None:
        """Spend the cost of one shape, whose bounding box has `pixels`, or of one mask.

        Raises:
            AnnotationError: the budget is exhausted.
        """
        self._left -= SHAPE_COST + pixels * (PIXEL_COST + edges)
        if self._left < 0:
            raise AnnotationError(
                f"{self.name} has too many or too detailed shapes; export a single radiograph with fewer points."
            )


class Shapes:
    """Polygons, boxes and masks of one reader on a radiograph of `size` (H, W), in pixels."""

    def __init__(self, size: Size, work: Work) -> None:
        self._size, self._work = size, work
        self._polygons: list[list[tuple[float, float]]] = []
        self._boxes: list[tuple[float, float, float, float]] = []
        self._centred_boxes = 0  # of the polygons
        self._mask: Mask | None = None

    def polygon(self, x: list[float], y: list[float]) -> None:
        """Add a polygon of points (x, y), with coordinates of at most a million pixels.

        Raises:
            AnnotationError: it leaves the picture by more than a rounding, so it was drawn on another one.
        """
        self.check_inside(x, y)
        self._add_polygon(x, y)

    def box(self, x: float, y: float, width: float, height: float, *, rotation: float = 0.0) -> None:
        """Add a box, rotated clockwise around its centre by an angle in degrees.

        Raises:
            AnnotationError: its width or height is negative, or it leaves the picture by more than a rounding. Of a
                rotated box only the centre must be inside, as tools let its corners leave the picture.
        """
        if width < 0 or height < 0:
            raise AnnotationError(
                f"{self._work.name} has a box with a negative width or height; expected x, y, width, height."
            )
        if rotation % 360:
            self.centred(*_rotated(x, y, width, height, rotation), kind="box")
            return
        self.check_inside([x, x + width], [y, y + height])
        self._spend([x, x, x + width, x + width], [y, y, y + height, y + height])
        self._boxes.append((x, y, width, height))

    def centred(self, x: list[float], y: list[float], *, kind: Literal["polygon", "box"]) -> None:
        """Add a shape around a centre, such as a circle or a rotated box, that the edge of the picture may cut.

        kind: what it counts as.

        Raises:
            AnnotationError: its centre lies outside the picture.
        """
        self.check_inside([sum(x) / len(x)], [sum(y) / len(y)])
        self._add_polygon(x, y)
        self._centred_boxes += kind == "box"

    def _add_polygon(self, x: list[float], y: list[float]) -> None:
        self._spend(x, y)
        self._polygons.append(list(zip(x, y, strict=True)))

    def check_inside(self, x: list[float], y: list[float]) -> None:
        """Check that the edges or corners of a shape lie in the picture, up to a rounding.

        Raises:
            AnnotationError: they do not, so the shape was drawn on another picture.
        """
        for values, end in ((x, self._size[1]), (y, self._size[0])):
            if values and (min(values) < -MAX_OUTSIDE or max(values) > end + MAX_OUTSIDE):
                raise AnnotationError(
                    f"{self._work.name} has a shape from {min(values):.6g} to {max(values):.6g} that leaves the "
                    f"picture's {end} pixels; export the annotations in the pixels of this radiograph."
                )

    def mask(self, mask: Mask) -> None:
        """Add a mask (H, W) of the radiograph's size; its decoder has spent the work."""
        self._mask = mask if self._mask is None else self._mask | mask

    def _spend(self, x: list[float], y: list[float]) -> None:
        if x:
            sides = (min(max(v) + 1, end) - max(min(v) - 1, 0) for v, end in zip((y, x), self._size, strict=True))
            height, width = (max(0, int(side)) for side in sides)
            self._work.spend(height * width, len(x))

    def drawn(self, reader: str, kind: Kind | None = None) -> Annotation:
        """Draw the union of all shapes. Without a given kind it is polygon or box if all shapes are, else pixel.

        Raises:
            AnnotationError: the kind is "normal" but there are shapes, or no centre of a pixel lies in any shape.
        """
        self._work.spend(self._size[0] * self._size[1])
        mask = np.zeros(self._size, np.bool_) if self._mask is None else self._mask
        if self._polygons:
            mask = mask | from_polygons(self._polygons, self._size, self._size, reader=reader).mask
        if self._boxes:
            mask = mask | from_boxes(self._boxes, self._size, self._size, reader=reader).mask
        if (self._polygons or self._boxes) and not mask.any():
            raise AnnotationError(
                f"{self._work.name} has shapes by {reader} that cover no pixel; delete them, or draw them again."
            )
        return checked(mask, reader, kind or self._kind(), self._work.name)

    def _kind(self) -> Kind:
        boxes = len(self._boxes) + self._centred_boxes
        polygons = len(self._polygons) - self._centred_boxes
        if self._mask is None and bool(polygons) != bool(boxes):
            return "polygon" if polygons else "box"
        return "pixel"


def _rotated(x: float, y: float, width: float, height: float, rotation: float) -> tuple[list[float], list[float]]:
    """x and y of the corners of a box rotated clockwise (x to the right, y down) around its centre by degrees."""
    cos, sin = math.cos(math.radians(rotation)), math.sin(math.radians(rotation))
    middle_x, middle_y = x + width / 2, y + height / 2
    corners = [(i * width / 2, j * height / 2) for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    return [middle_x + u * cos - v * sin for u, v in corners], [middle_y + u * sin + v * cos for u, v in corners]


def checked(mask: Mask, reader: str, kind: Kind, name: str) -> Annotation:
    """An annotation whose kind was stated by the file `name`.

    Raises:
        AnnotationError: the kind is "normal" but the mask marks lesion.
    """
    if kind == "normal" and mask.any():
        raise AnnotationError(
            f"{name} says that {reader} read the radiograph as normal, yet marks lesion; correct one of the two."
        )
    return Annotation(mask, reader, kind)
