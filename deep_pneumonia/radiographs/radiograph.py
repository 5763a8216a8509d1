"""The only decoder of radiographs: a file becomes pixels in [0, 1] and a pixel spacing, without identity."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError
from tifffile import TiffPage

from deep_pneumonia import names
from deep_pneumonia.errors import NotARadiographError, RadiographError, TooLargeError, UnreadableFileError
from deep_pneumonia.files import read_bytes
from deep_pneumonia.limits import MAX_FILE_BYTES, MAX_PIXELS
from deep_pneumonia.radiographs import deep_pictures, dicom, dicom_frames
from deep_pneumonia.radiographs.grey_levels import displayed, full_scale, scaled_floats, scaled_integers
from deep_pneumonia.radiographs.silence import SILENCE

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")
MIN_SIDE = 16  # pixels; smaller images are icons, and the model's map has no cell for them
MIN_COLOUR_RANGE = 24  # of 255, between the channels of a pixel; JPEG noise in a grey image stays below

# TIFF tag 262: a film digitiser may write white as 0, as MONOCHROME1 does in DICOM.
PHOTOMETRIC_TAG, WHITE_IS_ZERO = 262, 0

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, eq=False)
class Radiograph:
    """One frame with dark air and bright bone, without anything that identifies the patient.

    pixels: float32 (H, W) in [0, 1], read-only. A writeable array is copied.
    spacing_mm: millimetres between (rows, columns); None if unknown. Only DICOM files state it.
    source: the format of the file: "PNG", "JPEG", "TIFF", "WEBP", "BMP" or "DICOM".
    colour: share of pixels in [0, 1] whose channels clearly differ, which hints at a photo.

    Raises:
        ValueError: the pixels are not float32 (H, W), finite and in [0, 1].
    """

    pixels: NDArray[np.float32]
    spacing_mm: tuple[float, float] | None
    source: str
    colour: float = 0.0

    def __post_init__(self) -> None:
        """Check the pixels, and copy them unless they are read-only already."""
        pixels = self.pixels
        if pixels.ndim != 2 or pixels.dtype != np.float32:
            raise ValueError(f"pixels are {pixels.dtype} {pixels.shape}, expected float32 (H, W)")
        if not (pixels.size and pixels.min() >= 0 and pixels.max() <= 1):  # NaN fails both comparisons
            raise ValueError("pixels are empty, not finite or not in [0, 1]")
        if pixels.flags.writeable:  # the caller may still change this array
            pixels = pixels.copy()
            pixels.setflags(write=False)
        object.__setattr__(self, "pixels", pixels)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]


def decode(file: str | Path | bytes, *, max_bytes: int = MAX_FILE_BYTES, max_pixels: int = MAX_PIXELS) -> Radiograph:
    """Decode one image by its content, whatever its name.

    PNG, JPEG, TIFF, WebP and BMP: 8-bit values are divided by 255. Deeper integers are divided by 2^b - 1, where b is
    the smallest of 8, 10, 12, 14 and 16 bits that holds the brightest pixel, because detectors store 10 to 14 bits in
    16-bit files. Floats in [0, 1] stay as they are; other floats and 32-bit integers are stretched from their minimum
    to their maximum. Colour becomes ITU-R BT.601 luma, transparent pixels are blended with black, and the EXIF
    orientation is applied. PNG keeps 16 bits in colour, too; TIFF keeps only the upper 8 bits of deeper colour.
    DICOM: see `grey_levels.displayed`.

    Raises:
        UnreadableFileError: the file is missing, unreadable or empty.
        NotARadiographError: not an image in a supported format, damaged, animated, or a side is below 16 pixels.
        TooLargeError: more than `max_bytes` bytes or `max_pixels` pixels; both are checked before decoding.
        UnsupportedDicomError: the DICOM object does not have exactly one frame that can be decoded.
    """
    name = "The file" if isinstance(file, bytes) else names.shown(str(file))
    data = read_bytes(file, name, error=UnreadableFileError, too_large=TooLargeError, limit=max_bytes)
    with SILENCE:
        try:
            return _decode(data, name, max_pixels)
        except RadiographError:
            raise
        except Image.DecompressionBombError:
            raise _too_many_pixels(name, max_pixels) from None
        except Exception:  # decoders raise many types on damaged bytes, and their messages may quote tags
            raise NotARadiographError(
                f"{name} is damaged and could not be decoded; export or download it again."
            ) from None


def _too_many_pixels(name: str, max_pixels: int) -> TooLargeError:
    return TooLargeError(f"{name} has more than the allowed {max_pixels} pixels; export a smaller copy.")


def _decode(data: bytes, name: str, max_pixels: int) -> Radiograph:
    if data[128:132] == b"DICM":
        return _from_dicom(data, name, max_pixels)
    try:
        image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        if dicom.may_be(data):
            return _from_dicom(data, name, max_pixels)
        if page := deep_pictures.grey_tiff_page(data):
            return _from_tiff(page, name, max_pixels)
        raise NotARadiographError(
            f"{name} is not a PNG, JPEG, TIFF, WebP, BMP or DICOM image, or is badly damaged; "
            "choose a radiograph in one of these formats."
        ) from None
    _check_size((image.height, image.width), name, max_pixels)
    # Phones append previews to a JPEG, which Pillow calls MPO. The first image is the photo itself.
    source = "JPEG" if image.format == "MPO" else str(image.format)
    if source != "JPEG" and getattr(image, "is_animated", False):
        raise NotARadiographError(
            f"{name} holds several images (pages or an animation), expected one; export a single image."
        )
    if deep_pictures.is_deep_colour_png(data):
        pixels, colour = _deep_grey(data, image)
        pixels.setflags(write=False)
        return Radiograph(pixels, None, source, colour)
    image.load()
    pixels, colour = _grey(_upright(image, image))
    if image.mode not in ("1", "L") and getattr(image, "tag_v2", {}).get(PHOTOMETRIC_TAG) == WHITE_IS_ZERO:
        pixels = 1 - pixels  # Pillow inverts only 1 and 8 bits itself
    pixels.setflags(write=False)
    return Radiograph(pixels, None, source, colour)


def _from_dicom(data: bytes, name: str, max_pixels: int) -> Radiograph:
    header = dicom.read_header(data, name, limit=4 * max_pixels)
    _check_size(dicom_frames.size(header), name, max_pixels)
    frame = dicom_frames.read_frame(header, name)
    if frame.ndim == 3:
        pixels, colour = _grey(Image.fromarray(frame))
    else:
        pixels, colour = displayed(frame, header), 0.0
    pixels.setflags(write=False)
    return Radiograph(pixels, dicom.spacing_mm(header), "DICOM", colour)


def _check_size(size: tuple[int, int], name: str, max_pixels: int) -> None:
    if size[0] * size[1] > max_pixels:
        raise _too_many_pixels(name, max_pixels)
    if min(size) < MIN_SIDE:
        raise NotARadiographError(
            f"{name} has {size[0]} x {size[1]} pixels, expected at least {MIN_SIDE} on each side; "
            "choose the radiograph itself, not a thumbnail."
        )


def _from_tiff(page: TiffPage, name: str, max_pixels: int) -> Radiograph:
    """Decode a page that Pillow does not know, such as big-endian integers with white as zero."""
    _check_size((page.imagelength, page.imagewidth), name, max_pixels)
    stored = page.asarray()
    pixels = scaled_floats(stored.astype(np.float64)) if stored.dtype.kind == "f" else scaled_integers(stored)
    if page.photometric == WHITE_IS_ZERO:
        pixels = 1 - pixels
    orientation = page.tags.valueof(ExifTags.Base.Orientation, default=1)
    if orientation in _UPRIGHT:
        pixels = np.array(Image.fromarray(pixels).transpose(_UPRIGHT[orientation]))
    pixels.setflags(write=False)
    return Radiograph(pixels, None, "TIFF")


def _deep_grey(data: bytes, image: Image.Image) -> tuple[NDArray[np.float32], float]:
    """The same as `_grey`, for PNG with 16 bits a channel; `image` is the file as Pillow opened it."""
    image.load()  # finds damage, and the EXIF data that may follow the pixels
    grey, colour_range = deep_pictures.luma(deep_pictures.png_channels(data))
    colour = float(np.mean(colour_range / full_scale(int(grey.max())) * 255 > MIN_COLOUR_RANGE))
    return scaled_integers(np.asarray(_upright(Image.fromarray(grey), image))), colour


def _upright(image: Image.Image, tagged: Image.Image) -> Image.Image:
    try:
        turn = _UPRIGHT.get(tagged.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # a damaged EXIF block does not damage the pixels
        return image
    return image if turn is None else image.transpose(turn)


def _grey(image: Image.Image) -> tuple[NDArray[np.float32], float]:
    """Pixels in [0, 1] and the share of clearly coloured pixels."""
    if image.mode.startswith("I"):
        return scaled_integers(np.asarray(image)), 0.0
    if image.mode == "F":
        return scaled_floats(np.asarray(image)), 0.0
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    if image.mode in ("1", "L"):
        colour = 0.0
    else:
        image = image.convert("RGB")
        channels = np.asarray(image)
        colour = float(np.mean(np.ptp(channels, axis=2) > MIN_COLOUR_RANGE))
    return np.asarray(image.convert("L")).astype(np.float32) / np.float32(255), colour
