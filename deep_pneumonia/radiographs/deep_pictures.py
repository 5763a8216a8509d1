"""Decode deep pictures that Pillow refuses or cuts to 8 bits: PNG in 16-bit colour, and big-endian films in TIFF."""

from __future__ import annotations

import io
import logging

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffFile, TiffPage

logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # it logs tag values
TIFF_STARTS = (b"II*\0", b"MM\0*")
PNG_START = b"\x89PNG\r\n\x1a\n"
PNG_COLOUR_TYPES = (2, 4, 6)  # RGB, grey with alpha, RGBA; Pillow decodes 16-bit grey itself
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow


def is_deep_colour_png(data: bytes) -> bool:
    """Whether the bytes are a PNG with 16 bits a channel that Pillow would cut to 8."""
    return data.startswith(PNG_START) and len(data) > 25 and data[24] == 16 and data[25] in PNG_COLOUR_TYPES


def png_channels(data: bytes) -> NDArray[np.uint16]:
    """Channels (H, W, C) of a PNG with 16 bits a channel: grey and alpha, RGB, or RGBA.

    Raises:
        RuntimeError: the PNG is damaged.
    """
    import torch
    from torchvision.io import ImageReadMode, decode_png

    encoded = torch.frombuffer(bytearray(data), dtype=torch.uint8)
    channels: NDArray[np.uint16] = decode_png(encoded, ImageReadMode.UNCHANGED).numpy()
    return np.ascontiguousarray(channels.transpose(1, 2, 0))


def grey_tiff_page(data: bytes) -> TiffPage | None:
    """The page of an uncompressed TIFF with one grey image; None for any other file, also a damaged one.

    A compressed strip may inflate to gigabytes, and tifffile sets no bound.
    """
    if not data.startswith(TIFF_STARTS):
        return None
    try:
        with TiffFile(io.BytesIO(data)) as file:
            pages = list(file.pages)
    except Exception:  # tifffile raises many types on damaged bytes
        return None
    page = pages[0] if len(pages) == 1 else None
    if not isinstance(page, TiffPage) or page.photometric not in (0, 1) or page.compression != 1:
        return None
    return page if page.shape == (page.imagelength, page.imagewidth) else None


def luma(channels: NDArray[np.uint16]) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Grey (H, W) over black, and the range of the colours of each pixel (H, W)."""
    count = channels.shape[2]
    colours = channels[..., : 3 if count > 2 else 1]
    grey = np.zeros(channels.shape[:2], np.float32)
    for weight, index in zip(LUMA if count > 2 else (1.0,), range(3), strict=False):
        grey += np.float32(weight) * colours[..., index]
    if count in (2, 4):
        grey *= channels[..., -1].astype(np.float32) / np.float32(65535)
    return np.rint(grey).astype(np.uint16), np.ptp(colours, axis=2)
