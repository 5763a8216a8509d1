"""The only decoder of radiographs: a file becomes pixels in [0, 1] and a pixel spacing, without identity."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deep_pneumonia import names
from deep_pneumonia.errors import NotARadiographError, RadiographError, TooLargeError, UnreadableFileError
from deep_pneumonia.files import read_bytes
from deep_pneumonia.limits import MAX_FILE_BYTES, MAX_PIXELS
from deep_pneumonia.radiographs import dicom, dicom_frames
from deep_pneumonia.radiographs.grey_levels import displayed
from deep_pneumonia.radiographs.pictures import check_size, grey_pixels, read_picture, too_many_pixels
from deep_pneumonia.radiographs.silence import SILENCE


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
    orientation is applied. In TIFF, white as zero is inverted.
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
            raise too_many_pixels(name, max_pixels) from None
        except MemoryError:
            raise TooLargeError(f"{name} needs more memory than there is; export a smaller copy.") from None
        except Exception:  # decoders raise many types on damaged bytes, and their messages may quote tags
            raise NotARadiographError(
                f"{name} is damaged and could not be decoded; export or download it again."
            ) from None


def _decode(data: bytes, name: str, max_pixels: int) -> Radiograph:
    if data[128:132] == b"DICM":
        return _from_dicom(data, name, max_pixels)
    if picture := read_picture(data, name, max_pixels):
        picture.pixels.setflags(write=False)
        return Radiograph(picture.pixels, None, picture.source, picture.colour)
    if dicom.may_be(data):
        return _from_dicom(data, name, max_pixels)
    raise NotARadiographError(
        f"{name} is not a PNG, JPEG, TIFF, WebP, BMP or DICOM image, or is badly damaged; "
        "choose a radiograph in one of these formats."
    )


def _from_dicom(data: bytes, name: str, max_pixels: int) -> Radiograph:
    header = dicom.read_header(data, name, limit=4 * max_pixels)
    check_size(dicom_frames.size(header), name, max_pixels)
    frame = dicom_frames.read_frame(header, name)
    if frame.ndim == 3:
        pixels, colour = grey_pixels(Image.fromarray(frame))
    else:
        pixels, colour = displayed(frame, header), 0.0
    pixels.setflags(write=False)
    return Radiograph(pixels, dicom.spacing_mm(header), "DICOM", colour)
