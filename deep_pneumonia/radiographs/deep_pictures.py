"""Decode PNG in 16-bit colour and JPEG of 12 bits or without loss, which Pillow cuts to 8 bits or refuses."""

from __future__ import annotations

from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from deep_pneumonia.radiographs.code_stream import CodeStream, code_stream, is_whole_jpeg
from deep_pneumonia.radiographs.picture_bounds import EXIF_START, JPEG_START, PNG_START

PNG_COLOUR_TYPES = (2, 4, 6)  # RGB, grey with alpha, RGBA; Pillow decodes 16-bit grey itself
MAX_JPEG_HEADER_BYTES = 2**17


def is_deep_colour_png(data: bytes) -> bool:
    """Whether the bytes are a PNG with 16 bits a channel that Pillow would cut to 8."""
    return data.startswith(PNG_START) and len(data) > 25 and data[24] == 16 and data[25] in PNG_COLOUR_TYPES


def png_channels(data: bytes) -> NDArray[np.uint16]:
    """Channels (H, W, C) of a PNG with 16 bits a channel: grey and alpha, RGB, or RGBA.

    Raises:
        imagecodecs.PngError: the PNG is damaged.
    """
    channels: NDArray[np.uint16] = imagecodecs.png_decode(data)
    return channels


def jpeg_stream(data: bytes) -> CodeStream | None:
    """The format of a JPEG file; None if the bytes are none."""
    return code_stream(data) if data.startswith(JPEG_START) else None


def jpeg_channels(data: bytes) -> NDArray[Any]:
    """Channels (H, W, 1 or 3) of a JPEG of any precision: grey or RGB.

    Raises:
        ValueError: the JPEG is cut short, or has other channels.
    """
    if not is_whole_jpeg(data):
        raise ValueError("a JPEG without an end")
    channels = imagecodecs.jpeg8_decode(data)
    channels = channels[..., None] if channels.ndim == 2 else channels
    if channels.shape[2] not in (1, 3):
        raise ValueError(f"{channels.shape[2]} channels, expected 1 or 3")
    return channels


def jpeg_orientation(data: bytes) -> int:
    """The EXIF orientation of a JPEG that Pillow does not open, from 1 to 8; 1 if there is none or it is damaged."""
    start = data.find(EXIF_START, 0, MAX_JPEG_HEADER_BYTES)
    exif = Image.Exif()
    try:
        exif.load(data[start : start + 2**16] if start >= 0 else b"")
        return int(exif.get(ExifTags.Base.Orientation, 1))
    except Exception:  # a damaged EXIF block does not damage the pixels
        return 1
