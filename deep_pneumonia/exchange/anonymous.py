"""Pictures without identity: what a file says besides its pixels may name a patient, and does not leave with them."""

import io
import re

import numpy as np
from PIL import Image

from deep_pneumonia.masks.annotation import PNG_START, read_mask, to_png
from deep_pneumonia.radiographs.radiograph import decode

# PNG chunks that say how pixels are stored and shown; text, EXIF, dates and private chunks are not among them.
PIXEL_CHUNKS = {
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"bKGD", b"cHRM", b"gAMA", b"hIST", b"pHYs", b"sBIT", b"sRGB",
}  # fmt: skip
# JPEG's segments that may hold words, which are application segments and comments, and its end: in what is encoded
# none of these marks can occur. JFIF's own segment of 16 bytes, with which a file begins, has no room for any.
WORDS, END = re.compile(rb"\xff[\xe0-\xef\xfe]"), b"\xff\xd9"
JFIF = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
DEEP = 2**14  # 16-bit files whose brightest value is below this are taken for fewer bits


def plain_radiograph(data: bytes) -> tuple[bytes, str]:
    """A radiograph's file with nothing in it but pixels, and its suffix with the dot.

    PNG and JPEG files without words stay as they are. Of any other, DICOM above all, the decoded pixels become a grey
    PNG: of 8 bits where that loses nothing or the radiograph is very dark, else of 16. Pixel spacing and colour go.

    Raises:
        RadiographError: it has to be decoded and cannot be.
    """
    if _is_plain_png(data):
        return data, ".png"
    if data.startswith(JFIF) and data.find(END) == len(data) - len(END) and not WORDS.search(data, len(JFIF)):
        return data, ".jpg"
    pixels = decode(data).pixels
    eight = np.rint(pixels * 255).astype(np.uint8)
    deep = np.rint(pixels.astype(np.float64) * 65535).astype(np.uint16)
    same = np.array_equal(eight.astype(np.float32) / np.float32(255), pixels)
    stream = io.BytesIO()
    Image.fromarray(eight if same or deep.max() < DEEP else deep).save(stream, "PNG")
    return stream.getvalue(), ".png"


def plain_mask(data: bytes) -> bytes:
    """A mask's PNG file with nothing in it but pixels.

    Raises:
        AnnotationError: it has to be read and cannot be.
    """
    return data if _is_plain_png(data) else to_png(read_mask(data).mask)


def _is_plain_png(data: bytes) -> bool:
    """Whether a file is a PNG of chunks for pixels alone, with nothing after its end."""
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
