"""Files reduced to their pixels: anything else in a file may name a patient, and is not exported."""

import io
import re

import numpy as np
from PIL import Image

from deep_pneumonia.masks.annotation import read_mask, to_png
from deep_pneumonia.radiographs.picture_bounds import PNG_START
from deep_pneumonia.radiographs.radiograph import decode

# PNG chunks that say how pixels are stored and shown. Text, EXIF, dates and private chunks are left out.
PIXEL_CHUNKS = {
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"bKGD", b"cHRM", b"gAMA", b"hIST", b"pHYs", b"sBIT", b"sRGB",
}  # fmt: skip
# JPEG segments that may hold text are application segments and comments. Encoded pixels contain none of these markers.
# The JFIF segment of 16 bytes, with which a file begins, has no room for text.
TEXT_MARKERS, END_MARKER = re.compile(rb"\xff[\xe0-\xef\xfe]"), b"\xff\xd9"
JFIF_START = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
MIN_DEEP_VALUE = 2**14  # 16-bit files whose brightest value is lower are taken for files of fewer bits


def plain_radiograph(data: bytes) -> tuple[bytes, str]:
    """A radiograph's file with nothing in it but pixels, and its suffix with the dot.

    PNG and JPEG files without text stay as they are. Any other file, such as DICOM, is decoded to a grey PNG of 8 bits
    if that loses nothing or the radiograph is very dark, and of 16 bits otherwise. Pixel spacing and colour are lost.

    Raises:
        RadiographError: the file must be decoded and cannot be.
    """
    if _is_plain_png(data):
        return data, ".png"
    if _is_plain_jpeg(data):
        return data, ".jpg"
    pixels = decode(data).pixels
    eight = np.rint(pixels * 255).astype(np.uint8)
    deep = np.rint(pixels.astype(np.float64) * 65535).astype(np.uint16)
    same = np.array_equal(eight.astype(np.float32) / np.float32(255), pixels)
    stream = io.BytesIO()
    Image.fromarray(eight if same or deep.max() < MIN_DEEP_VALUE else deep).save(stream, "PNG")
    return stream.getvalue(), ".png"


def plain_mask(data: bytes) -> bytes:
    """A mask's PNG file with nothing in it but pixels.

    Raises:
        AnnotationError: the file must be decoded and cannot be.
    """
    return data if _is_plain_png(data) else to_png(read_mask(data).mask)


def _is_plain_png(data: bytes) -> bool:
    """Whether a file is a PNG whose chunks all describe pixels, with nothing after its end."""
    at = len(PNG_START)
    if not data.startswith(PNG_START):
        return False
    while at < len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        at += length + 12
        if kind not in PIXEL_CHUNKS:
            return False
        if kind == b"IEND":
            return length == 0 and at == len(data)
    return False


def _is_plain_jpeg(data: bytes) -> bool:
    """Whether a file is a JPEG without segments for text, with nothing after its end."""
    ends = data.find(END_MARKER) == len(data) - len(END_MARKER)
    return data.startswith(JFIF_START) and ends and not TEXT_MARKERS.search(data, len(JFIF_START))
