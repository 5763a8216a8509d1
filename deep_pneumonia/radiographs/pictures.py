"""Decode PNG, JPEG, TIFF, WebP and BMP into grey pixels in [0, 1], the right way up."""

from __future__ import annotations

import io
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError
from tifffile import TiffPage

from deep_pneumonia.errors import NotARadiographError, TooLargeError
from deep_pneumonia.radiographs import deep_pictures, tiff
from deep_pneumonia.radiographs.bands import image_bands, image_values
from deep_pneumonia.radiographs.channels import MIN_COLOUR_RANGE, colour_share, over_black, scaled
from deep_pneumonia.radiographs.picture_bounds import check_picture

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")
MIN_SIDE = 16  # pixels; smaller images are icons, and the model's map has no cell for them

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Picture(NamedTuple):
    """Pixels float32 (H, W) in [0, 1], the share of clearly coloured pixels, and the format of the file."""

    pixels: NDArray[np.float32]
    colour: float
    source: str


def check_size(size: tuple[int, int], name: str, max_pixels: int) -> None:
    """Check a size (H, W) before anything is decoded.

    Raises:
        TooLargeError: more than `max_pixels` pixels.
        NotARadiographError: a side is below 16 pixels.
    """
    if size[0] * size[1] > max_pixels:
        raise too_many_pixels(name, max_pixels)
    if min(size) < MIN_SIDE:
        raise NotARadiographError(
            f"{name} has {size[0]} x {size[1]} pixels, expected at least {MIN_SIDE} on each side; "
            "choose the radiograph itself, not a thumbnail."
        )


def too_many_pixels(name: str, max_pixels: int) -> TooLargeError:
    """The error of an image with more than `max_pixels` pixels."""
    return TooLargeError(f"{name} has more than the allowed {max_pixels} pixels; export a smaller copy.")


def read_picture(data: bytes, name: str, max_pixels: int) -> Picture | None:
    """Decode a picture; None if the bytes are in none of the formats.

    Raises:
        NotARadiographError: several images, a side below 16 pixels, or a form of TIFF that is not supported.
        TooLargeError: more than `max_pixels` pixels, or a part over its bound; both are checked before decoding.
    """
    check_picture(data, name)
    if tiff.is_tiff(data) and (pages := tiff.first_pages(data)):
        return _read_tiff(pages, data, name, max_pixels)
    try:
        image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        stream = deep_pictures.jpeg_stream(data)
        if stream is None:
            return None
        check_size(stream.size, name, max_pixels)
        channels = deep_pictures.jpeg_channels(data)
        return _from_channels(channels, None, "JPEG", deep_pictures.jpeg_orientation(data))
    check_size((image.height, image.width), name, max_pixels)
    # Phones append previews to a JPEG, which Pillow calls MPO. The first image is the photo itself.
    source = "JPEG" if image.format == "MPO" else str(image.format)
    if source != "JPEG" and getattr(image, "is_animated", False):
        raise _several_images(name)
    if deep_pictures.is_deep_colour_png(data):
        image.load()  # finds damage, and the EXIF data that may follow the pixels
        orientation = _orientation(image)
        image.close()  # frees its 8-bit pixels
        channels = deep_pictures.png_channels(data)
        colours = channels[..., : 3 if channels.shape[2] > 2 else 1]
        alpha = channels[..., -1] if channels.shape[2] in (2, 4) else None
        return _from_channels(colours, alpha, source, orientation)
    return _by_pillow(image, source)


def _several_images(name: str) -> NotARadiographError:
    return NotARadiographError(
        f"{name} holds several images (pages or an animation), expected one; export a single image."
    )


def _read_tiff(pages: list[TiffPage], data: bytes, name: str, max_pixels: int) -> Picture:
    page = pages[0]
    check_size(tiff.size(page), name, max_pixels)
    if len(pages) > 1:
        raise _several_images(name)
    if tiff.is_for_pillow(page):
        try:
            return _by_pillow(Image.open(io.BytesIO(data), formats=["TIFF"]), "TIFF")
        except UnidentifiedImageError:  # a form that Pillow does not know
            pass
    colours, alpha = tiff.split_channels(page, data, name)
    picture = _from_channels(colours, alpha, "TIFF", tiff.orientation(page))
    if page.photometric == tiff.WHITE_IS_ZERO:
        np.subtract(1, picture.pixels, out=picture.pixels)
    return picture


def _from_channels(colours: NDArray[Any], alpha: NDArray[Any] | None, source: str, orientation: int) -> Picture:
    grey = over_black(colours, alpha)
    return Picture(scaled(upright(grey, orientation)), colour_share(colours, grey), source)


def _by_pillow(image: Image.Image, source: str) -> Picture:
    image.load()
    turn = _UPRIGHT.get(_orientation(image))
    return Picture(*grey_pixels(image if turn is None else image.transpose(turn)), source)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # a damaged EXIF block does not damage the pixels
        return 1


def upright(values: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Values (H, W) turned and flipped as an EXIF orientation says."""
    if orientation in (5, 6, 7, 8):  # the rows of the file are columns
        values = values.T
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    return np.ascontiguousarray(values)


def grey_pixels(image: Image.Image) -> tuple[NDArray[np.float32], float]:
    """Pixels (H, W) in [0, 1] of a loaded image and the share of clearly coloured pixels."""
    if image.mode == "F" or image.mode.startswith("I"):
        return scaled(image_values(image)), 0.0
    pixels, coloured = np.empty((image.height, image.width), np.float32), 0
    for rows, band in image_bands(image):
        pixels[rows], count = _grey_band(band)
        coloured += count
    pixels /= np.float32(255)
    return pixels, coloured / pixels.size


def _grey_band(image: Image.Image) -> tuple[NDArray[np.uint8], int]:
    """Luma (H, W) over black, and the number of clearly coloured pixels."""
    coloured = 0
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    if image.mode not in ("1", "L"):
        image = image.convert("RGB")
        coloured = int(np.count_nonzero(np.ptp(np.asarray(image), axis=2) > MIN_COLOUR_RANGE))
    return np.asarray(image.convert("L")), coloured
