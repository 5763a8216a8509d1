"""A doctor's annotation of one radiograph: a mask with its reader and kind, from pictures, polygons or boxes.

Rasterising: the centre of pixel (row i, column j) is x = j + 0.5, y = i + 0.5. Coordinates are scaled from the frame
they were drawn in to the requested size. A pixel is lesion if its centre lies inside the shape or on its edge. Parts
outside the image are cut off.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from skimage.measure import points_in_poly

from deep_pneumonia.errors import AnnotationError, MaskSizeError
from deep_pneumonia.files import read_bytes, whole
from deep_pneumonia.limits import MAX_MASK_PIXELS, MAX_PIXELS
from deep_pneumonia.masks.label_picture import lesion_pixels
from deep_pneumonia.masks.mask_picture import open_picture

Kind = Literal["pixel", "polygon", "box", "normal"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Size = tuple[int, int]
Mask = NDArray[np.bool_]

BAND_PIXELS = 2**17  # of a polygon that are tested at once, with 4 MB of coordinates


@dataclass(frozen=True, eq=False)
class Annotation:
    """What one reader marked on one radiograph.

    mask: bool (H, W), True on lesion, read-only. A writeable array is copied.
    kind: how it was drawn. "normal" means that the reader read the radiograph as normal, so the mask is empty.

    Raises:
        AnnotationError: the mask is not a bool array (H, W), the kind is unknown, or a normal mask marks lesion.
    """

    mask: Mask
    reader: str
    kind: Kind

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise AnnotationError(f"The kind of a mask is {self.kind!r}; use one of {', '.join(KINDS)}.")
        mask = np.asarray(self.mask)
        if mask.dtype != np.bool_ or mask.ndim != 2 or mask.size == 0:
            raise AnnotationError(f"A mask is a bool array (H, W); got {mask.dtype} of shape {mask.shape}.")
        if self.kind == "normal" and mask.any():
            raise AnnotationError("A mask of kind normal marks lesion; give it the kind it was drawn as.")
        if mask.flags.writeable:
            mask = mask.copy()
            mask.setflags(write=False)
        object.__setattr__(self, "mask", mask)

    @property
    def size(self) -> Size:
        """(H, W) in pixels."""
        return self.mask.shape[0], self.mask.shape[1]

    @property
    def is_empty(self) -> bool:
        """Whether no pixel is lesion."""
        return not self.mask.any()


def check_size(found: tuple[int, ...], size: tuple[int, ...], name: str) -> None:
    """Check that a mask of size `found` (H, W) belongs to a radiograph of `size` (H, W); `name` is the mask's.

    Raises:
        MaskSizeError: the sizes differ.
    """
    if found != size:
        raise MaskSizeError(
            f"{name} has {' x '.join(map(str, found))} pixels (rows x columns) but its radiograph has "
            f"{' x '.join(map(str, size))}; draw it on this radiograph, or fit it first."
        )


def check_masks(count: int, size: Size, name: str, *, most: int) -> None:
    """Check the number and the pixels of masks of `size` (H, W) before any is built; `name` is what has them.

    Raises:
        AnnotationError: there are more than `most`, or they have more than MAX_MASK_PIXELS in all.
    """
    if count > most:
        raise AnnotationError(f"{name} has {count} masks of one radiograph, expected at most {most}; give fewer.")
    if count * size[0] * size[1] > MAX_MASK_PIXELS:
        raise AnnotationError(
            f"{name} has {count} masks of {size[0]} x {size[1]} pixels, more than the {MAX_MASK_PIXELS} pixels "
            "allowed in all; give fewer."
        )


def gathered(annotations: Iterable[Annotation]) -> list[Annotation]:
    """A list of annotations that are drawn one by one, each kept in an eighth of its size until the last one is there.

    So a file whose last mask is damaged never takes the memory of all.
    """
    packed = [(np.packbits(a.mask), a.size, a.reader, a.kind) for a in annotations]
    found = []
    for bits, size, reader, kind in packed:
        mask = np.unpackbits(bits, count=size[0] * size[1]).view(np.bool_).reshape(size)
        mask.setflags(write=False)  # so that it is not copied
        found.append(Annotation(mask, reader, kind))
    return found


def read_mask(
    file: str | Path | bytes,
    size: Size | None = None,
    *,
    reader: str = "reader",
    kind: Kind = "pixel",
    fit: bool = False,
    name: str = "",
) -> Annotation:
    """Read a mask from a PNG, JPEG, TIFF or BMP or its bytes: grey, palette or colour, with or without alpha.

    The module `label_picture` states the rule by which a pixel is lesion.

    size: (H, W) of the radiograph. With `fit`, a mask of another size is resampled to it (nearest neighbour).
    name: what errors call the file; its path if empty.

    Raises:
        MaskSizeError: the mask differs in size from the radiograph and `fit` is False.
        AnnotationError: the file is missing, larger than 64 MiB or 36 megapixels, not such a picture, damaged, of
            several classes or grey levels, or so dark that lesion and background cannot be distinguished.
    """
    name = f"The mask {name or ('' if isinstance(file, bytes) else file)}".rstrip()
    mask = lesion_pixels(open_picture(read_bytes(file, name, error=AnnotationError), name), name)
    if size is not None and fit:
        mask = _nearest(mask, size)
    elif size is not None:
        check_size(mask.shape, size, name)
    return Annotation(mask, reader, kind)


def _nearest(mask: Mask, size: Size) -> Mask:
    # The centre of new pixel i lies in old pixel floor((i + 0.5) H / h), computed in integers to avoid rounding.
    rows, columns = ((2 * np.arange(new) + 1) * old // (2 * new) for new, old in zip(size, mask.shape, strict=True))
    return mask[np.ix_(rows, columns)]


def to_png(mask: ArrayLike) -> bytes:
    """Encode a bool mask (H, W) as an 8-bit PNG with 255 on lesion and 0 elsewhere."""
    stream = io.BytesIO()
    Image.fromarray(np.asarray(mask, dtype=np.bool_).astype(np.uint8) * 255).save(stream, format="PNG")
    return stream.getvalue()


def write_mask(mask: ArrayLike, path: str | Path) -> None:
    """Write a bool mask (H, W) as `to_png` encodes it, atomically."""
    with whole(path) as partial:
        partial.write_bytes(to_png(mask))


def from_polygons(
    polygons: Sequence[Sequence[tuple[float, float]]], frame: Size, size: Size, *, reader: str
) -> Annotation:
    """Draw the union of polygons, with points (x, y) in a frame of (H, W), at `size` (H, W).

    Raises:
        AnnotationError: a coordinate is not a finite number, or a size is not positive.
    """
    return Annotation(_drawn(polygons, frame, size), reader, "polygon")


def from_boxes(
    boxes: Sequence[tuple[float, float, float, float]], frame: Size, size: Size, *, reader: str
) -> Annotation:
    """Draw the union of boxes (x, y, width, height) in a frame of (H, W), at `size` (H, W).

    Raises:
        AnnotationError: a coordinate is not a finite number, or a size is not positive.
    """
    if any(w < 0 or h < 0 for _, _, w, h in boxes):
        raise AnnotationError("A box has a negative width or height; expected (x, y, width, height).")
    corners = [[(x, y), (x + w, y), (x + w, y + h), (x, y + h)] for x, y, w, h in boxes]
    return Annotation(_drawn(corners, frame, size), reader, "box")


def _drawn(polygons: Sequence[Sequence[tuple[float, float]]], frame: Size, size: Size) -> Mask:
    _check_sizes(frame, size)
    mask = np.zeros(size, dtype=np.bool_)
    for points in polygons:
        x, y = np.array(points, dtype=np.float64).reshape(-1, 2).T
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise AnnotationError("A drawn shape has a coordinate that is not a finite number; correct it.")
        if len(x) >= 3:  # fewer points enclose no area
            # `_fill` has pixel centres at whole numbers, hence the half pixel.
            _fill(mask, np.stack([x * size[1] / frame[1] - 0.5, y * size[0] / frame[0] - 0.5], axis=1))
    return mask


def _fill(mask: Mask, corners: NDArray[np.float64]) -> None:
    """Set the pixels whose centres lie in a polygon of corners (x, y) or on its edge, a band of rows at a time.

    The result equals that of `skimage.draw.polygon`, which takes 80 bytes for each pixel.
    """
    left, top = (max(0, int(low)) for low in corners.min(axis=0))
    right, bottom = (min(int(np.ceil(corners[:, k].max())) + 1, mask.shape[1 - k]) for k in (0, 1))
    if right <= left:
        return
    columns = np.arange(left, right, dtype=np.float64)
    step = max(1, BAND_PIXELS // len(columns))
    for start in range(top, bottom, step):
        end = min(start + step, bottom)
        x, y = np.meshgrid(columns, np.arange(start, end, dtype=np.float64))
        inside = points_in_poly(np.stack([x.ravel(), y.ravel()], axis=1), corners)
        mask[start:end, left:right] |= inside.reshape(x.shape)


def from_crops(crops: Sequence[tuple[Mask, int, int]], frame: Size, size: Size, *, reader: str) -> Annotation:
    """Paste crops (bool (h, w), top, left) into a frame of (H, W) and resample it to `size` (nearest neighbour).

    Raises:
        AnnotationError: a size is not positive or has more than 36 megapixels.
    """
    _check_sizes(frame, size)
    canvas = np.zeros(frame, dtype=np.bool_)
    for crop, top, left in crops:
        part = crop[max(0, -top) :, max(0, -left) :]
        target = canvas[max(0, top) :, max(0, left) :][: part.shape[0], : part.shape[1]]
        target |= part[: target.shape[0], : target.shape[1]]
    return Annotation(_nearest(canvas, size), reader, "pixel")


def _check_sizes(*sizes: Size) -> None:
    for height, width in sizes:
        if height < 1 or width < 1 or height * width > MAX_PIXELS:
            raise AnnotationError(
                f"A mask cannot have {height} x {width} pixels; expected sides of at least 1 and at most "
                f"{MAX_PIXELS} pixels in all."
            )


def read_as_normal(size: Size, *, reader: str) -> Annotation:
    """The empty mask of a radiograph of `size` (H, W) that `reader` read as normal."""
    _check_sizes(size)
    return Annotation(np.zeros(size, dtype=np.bool_), reader, "normal")
