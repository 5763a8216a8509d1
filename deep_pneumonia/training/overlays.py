"""Augmentation with letters, masked borders and erased corners, which carry no information on the disease.

The public data sets differ in what surrounds the chest: burnt-in letters, lead markers, black borders. As the class
depends on the source, a network can learn these instead of the lungs. Overlays on images of every class and source
make them useless. They are added before the random view (`augment.jitter`), so they are rotated, cropped and blurred
like real ones.
"""

import string
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from deep_pneumonia.training.draws import integer, uniform

# Lengths are shares of the image's side. The lungs in the model's frame are a superellipse of order 3 around its
# middle with these half axes (down, across). Less than 1% of the lesion area drawn in the training images of
# ChestX-ray14 and of the covid collection lies outside.
LUNG_AXES = (0.44, 0.46)
BORDER_WIDTHS = (0.01, 0.08)
ERASED_SIDES = (0.04, 0.16)
MAX_INSET = 0.08  # distance of a patch from the nearest side
PLACE_ATTEMPTS = 10  # places tried for a patch; it is left out if all of them touch the lungs or a drawn lesion
WORDS = ("AP", "PA", "ERECT", "SUPINE", "SITTING", "MOBILE", "ICU 3", "kV 85", "10:47", "2016-08-21", "left", "A1")

Box = tuple[int, int, int, int]  # first row and column, then the row and column after the last, pixels


def overlaid(images: torch.Tensor, masks: torch.Tensor, share: float, generator: torch.Generator) -> torch.Tensor:
    """Images with overlays of each of three kinds on a share of them.

    images: (B, 1, S, S) in [0, 1]. masks: (B, 1, S, S) in [0, 1]; pixels of a drawn lesion are never covered. share:
    in [0, 1], the probability of each kind for each image. generator: the source of all random numbers, on the CPU.
    Returns new images, or the given ones, without using the generator, if share is 0.
    """
    if share == 0:
        return images
    images = images.clone()
    kinds: tuple[Callable[[torch.Tensor, Box | None, torch.Generator], None], ...] = (_border, _erase, _write)
    for image, lesion in zip(images[:, 0], _boxes(masks), strict=True):
        for lay in kinds:
            if uniform(0, 1, generator) < share:
                lay(image, lesion, generator)
    return images


def _border(image: torch.Tensor, lesion: Box | None, generator: torch.Generator) -> None:
    """Mask one to four borders of an image (S, S), in place, except where that would cover the lesion."""
    size = len(image)
    drawn = torch.rand(4, generator=generator) < 0.5
    drawn[integer(4, generator)] = True
    level = integer(3, generator)
    for side in drawn.nonzero().flatten().tolist():
        width = max(1, round(uniform(*BORDER_WIDTHS, generator) * size))
        near = (0, 0, width, size), (0, 0, size, width), (size - width, 0, size, size), (0, size - width, size, size)
        if lesion is None or not _touch(near[side], lesion):
            _flatten(_part(image, near[side]), level)


def _erase(image: torch.Tensor, lesion: Box | None, generator: torch.Generator) -> None:
    """Erase one to four rectangles of an image (S, S) outside the lungs, in place."""
    for _ in range(1 + integer(4, generator)):
        height, width = (max(1, round(uniform(*ERASED_SIDES, generator) * len(image))) for _ in range(2))
        level = integer(3, generator)
        place = _place(height, width, len(image), lesion, generator)
        if place is not None:
            _flatten(_part(image, place), level)


def _write(image: torch.Tensor, lesion: Box | None, generator: torch.Generator) -> None:
    """Write one to three words, letters or bars, bright or dark, on an image (S, S) outside the lungs, in place."""
    stamps = _stamps(len(image))
    for _ in range(1 + integer(3, generator)):
        stamp = stamps[integer(len(stamps), generator)]
        level = abs(integer(2, generator) - uniform(0, 0.2, generator))
        place = _place(stamp.shape[0], stamp.shape[1], len(image), lesion, generator)
        if place is not None:
            part = _part(image, place)
            part.lerp_(torch.full_like(part, level), stamp.to(part))


@cache
def _stamps(size: int) -> tuple[torch.Tensor, ...]:
    """Texts and bars for images of `size` pixels a side, each float32 (h, w) in [0, 1], where 1 is ink."""
    letters = [(c, h) for c in string.ascii_uppercase + string.digits for h in (0.04, 0.06, 0.09)]
    written = [_rendered(text, h * size) for text, h in [*letters, *((w, h) for w in WORDS for h in (0.025, 0.04))]]
    lines = [torch.ones(max(1, round(0.01 * size)), max(1, round(length * size))) for length in (0.05, 0.1, 0.2)]
    return (*written, *(part for line in lines for part in (line, line.T) for _ in range(6)))


def _rendered(text: str, height: float) -> torch.Tensor:
    """A text in letters of `height` pixels, cropped to its ink."""
    font = ImageFont.load_default(size=max(6.0, height * 1.35))
    left, top, right, bottom = (round(edge) for edge in font.getbbox(text))
    canvas = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(canvas).text((-left, -top), text, fill=255, font=font)
    return torch.from_numpy(np.asarray(canvas, np.float32) / np.float32(255))


def _place(height: int, width: int, size: int, lesion: Box | None, generator: torch.Generator) -> Box | None:
    """A random box near a side of the image, clear of lungs and lesion; None if no place was found."""
    if max(height, width) > size:
        return None
    for _ in range(PLACE_ATTEMPTS):
        near = integer(3, generator)  # 0: near top or bottom, 1: near left or right, 2: in a corner
        top = _along(height, size, near != 1, generator)
        left = _along(width, size, near != 0, generator)
        box = (top, left, top + height, left + width)
        if not _in_lungs(box, size) and (lesion is None or not _touch(box, lesion)):
            return box
    return None


def _along(extent: int, size: int, near: bool, generator: torch.Generator) -> int:
    """First pixel of a patch of `extent` pixels along one axis, near one of its ends or anywhere."""
    room = size - extent
    begin = integer(1 + (min(room, round(MAX_INSET * size)) if near else room), generator)
    return room - begin if near and integer(2, generator) else begin


def _in_lungs(box: Box, size: int) -> bool:
    """Whether a box touches the lungs: its point nearest to the middle of the frame lies in them."""
    away = (max(box[i] / size - 0.5, 0.5 - box[i + 2] / size, 0) for i in (0, 1))
    return sum((a / axis) ** 3 for a, axis in zip(away, LUNG_AXES, strict=True)) < 1


def _boxes(masks: torch.Tensor) -> list[Box | None]:
    """The bounding box of each mask (B, 1, S, S), None for an empty one."""
    drawn = masks[:, 0] > 0
    spans = [[np.flatnonzero(line) for line in drawn.any(dim).cpu().numpy()] for dim in (2, 1)]
    return [
        (int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1) if len(rows) else None
        for rows, columns in zip(*spans, strict=True)
    ]


def _touch(a: Box, b: Box) -> bool:
    return all(a[i] < b[i + 2] and b[i] < a[i + 2] for i in (0, 1))


def _part(image: torch.Tensor, box: Box) -> torch.Tensor:
    return image[box[0] : box[2], box[1] : box[3]]


def _flatten(part: torch.Tensor, level: int) -> None:
    """Fill a part of an image with black (level 0), white (1) or its own mean (2), in place."""
    part.copy_(part.mean() if level == 2 else torch.full_like(part, level))
