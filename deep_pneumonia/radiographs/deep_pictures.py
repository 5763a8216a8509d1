"""Decode deep pictures that Pillow cuts to 8 bits: PNG in 16-bit colour or with transparency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
