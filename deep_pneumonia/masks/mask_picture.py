"""Open a mask that was saved as a picture: PNG, JPEG, TIFF or BMP, within the limits and the right way up."""

from __future__ import annotations

import io
import struct
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from deep_pneumonia.errors import AnnotationError, RadiographError
from deep_pneumonia.limits import MAX_PIXELS
from deep_pneumonia.radiographs.deep_pictures import is_deep_colour_png
from deep_pneumonia.radiographs.picture_bounds import JPEG_START, PNG_START, TIFF_STARTS, check_picture
from deep_pneumonia.radiographs.silence import SILENCE

PICTURE_STARTS = (PNG_START, JPEG_START, *TIFF_STARTS, b"BM")
FORMATS = ("PNG", "JPEG", "TIFF", "BMP")
WHITE_IS_ZERO_TAG, WHITE_IS_ZERO = 262, 0  # PhotometricInterpretation of TIFF


def is_picture(data: bytes) -> bool:
    """Whether a file starts like a picture that a mask may be saved as."""
    return data.startswith(PICTURE_STARTS)


def is_png(path: Path) -> bool:
    """Whether a file starts like a PNG."""
    with path.open("rb") as stream:
        return stream.read(len(PNG_START)) == PNG_START


def open_picture(data: bytes, name: str) -> Image.Image:
    """Decode a picture; `format` of the result is one of `FORMATS`. EXIF orientation is applied.

    name: what errors call the picture.

    Raises:
        AnnotationError: the picture has more than 36 megapixels, several pages, deep samples that Pillow would cut, or
            another format, or it is damaged. The number of pixels is checked before they are decoded.
    """
    try:
        check_picture(data, name)
    except RadiographError as error:
        raise AnnotationError(str(error)) from None
    if data.startswith(PNG_START):
        _check_png_header(data, name)
    with SILENCE:
        return _opened(data, name)


def _opened(data: bytes, name: str) -> Image.Image:
    try:
        image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
        _check_pixels(image.height, image.width, name)
        _check_form(image, name)
        kind = "JPEG" if image.format == "MPO" else image.format  # phones append previews to a JPEG
        image.load()
        _check_palette(image)
        if is_deep_colour_png(data) and _is_black(image):  # Pillow keeps the upper 8 bits
            raise AnnotationError(
                f"{name} has 16 bits a channel but is dark; save the lesion with 8 bits, as 255 on 0."
            )
        ImageOps.exif_transpose(image, in_place=True)
        image.format = kind
        return image
    except UnidentifiedImageError:
        raise AnnotationError(
            f"{name} is not a PNG, JPEG, TIFF or BMP picture that can be read; save the mask as PNG, lesion white on "
            "black."
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError, KeyError, struct.error, Image.DecompressionBombError) as error:
        raise AnnotationError(f"{name} is damaged or cut short; save it again as PNG.") from error


def _check_palette(image: Image.Image) -> None:
    if "P" in image.mode:
        if image.palette is None:
            raise ValueError("no palette")
        image.crop((0, 0, 1, 1)).convert("RGBA")  # raises ValueError if more colours are transparent than there are


def _is_black(image: Image.Image) -> bool:
    colours = image.getbands()[: 1 if image.mode == "LA" else 3]
    return all(image.getchannel(colour).getextrema() == (0, 0) for colour in colours)


def _check_png_header(data: bytes, name: str) -> None:
    # Pillow believes whichever header it finds, so the first chunk must be one; `check_picture` refuses a second.
    if data[12:16] != b"IHDR" or len(data) < 24:
        raise AnnotationError(f"{name} is damaged or cut short; save it again as PNG.")
    width, height = struct.unpack(">II", data[16:24])
    _check_pixels(height, width, name)


def _check_pixels(height: int, width: int, name: str) -> None:
    if width * height > MAX_PIXELS:
        raise AnnotationError(
            f"{name} has {height} x {width} pixels, more than the {MAX_PIXELS} allowed; give a smaller one."
        )


def _check_form(image: Image.Image, name: str) -> None:
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise AnnotationError(
            f"{name} has {getattr(image, 'n_frames', 1)} pages or frames, expected one; save the lesion alone."
        )
    inverted = getattr(image, "tag_v2", {}).get(WHITE_IS_ZERO_TAG) == WHITE_IS_ZERO
    if inverted and image.mode not in ("1", "L"):  # Pillow inverts these two itself
        raise AnnotationError(f"{name} has white stored as 0 in deep samples; save it as PNG, lesion white on black.")
