"""The shapes of one reader, collected from a file and drawn once, with a limit on the work."""

from __future__ import annotations

import numpy as np

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.masks.annotation import Annotation, Kind, Mask, Size, from_boxes, from_polygons

# The unit is a test of one point against one edge, about 2 ns. Drawing a shape takes (edges x pixels of its bounding
# box), so without a limit a few hundred bytes could keep a server busy for hours.
MAX_WORK = 10_000_000_000
PIXEL_COST = 20  # to fill, copy and join a mask
SHAPE_COST = 20_000
MAX_READERS = 64


class Work:
    """The budget for drawing one file; it also limits the masks in memory to 500 million pixels."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._left = MAX_WORK

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
        self._mask: Mask | None = None

    def polygon(self, x: list[float], y: list[float]) -> None:
        """Add a polygon of points (x, y), with coordinates of at most a million pixels."""
        self._spend(x, y)
        self._polygons.append(list(zip(x, y, strict=True)))

    def box(self, x: float, y: float, width: float, height: float) -> None:
        """Add a box.

        Raises:
            AnnotationError: its width or height is negative.
        """
        if width < 0 or height < 0:
            raise AnnotationError(
                f"{self._work.name} has a box with a negative width or height; expected x, y, width, height."
            )
        self._spend([x, x, x + width, x + width], [y, y, y + height, y + height])
        self._boxes.append((x, y, width, height))

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
            AnnotationError: the kind is "normal" but there are shapes.
        """
        self._work.spend(self._size[0] * self._size[1])
        mask = np.zeros(self._size, np.bool_) if self._mask is None else self._mask
        if self._polygons:
            mask = mask | from_polygons(self._polygons, self._size, self._size, reader=reader).mask
        if self._boxes:
            mask = mask | from_boxes(self._boxes, self._size, self._size, reader=reader).mask
        return checked(mask, reader, kind or self._kind(), self._work.name)

    def _kind(self) -> Kind:
        if self._mask is None and bool(self._polygons) != bool(self._boxes):
            return "polygon" if self._polygons else "box"
        return "pixel"


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
