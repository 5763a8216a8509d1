"""What the header of a JPEG, JPEG-LS or JPEG 2000 code stream says, read without a decoder."""

from __future__ import annotations

import struct
from dataclasses import dataclass

JPEG2000_START = b"\xff\x4f\xff\x51"  # the markers SOC and SIZ
NO_FRAME_MARKERS = (0xC4, 0xC8, 0xCC)  # between the SOF markers: tables and an extension
JPEG_LS_MARKER = 0xF7
START_OF_SCAN, END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"


@dataclass(frozen=True)
class CodeStream:
    """The format of an encoded image.

    size: (H, W) in pixels.
    precision: bits a sample.
    signed: whether samples are signed; only JPEG 2000 has such.
    marker: the last byte of the marker that starts a JPEG frame (0xC0 baseline, 0xC1 extended, 0xC3 lossless, 0xF7
        JPEG-LS); 0 in JPEG 2000.
    """

    size: tuple[int, int]
    precision: int
    signed: bool = False
    marker: int = 0


def code_stream(data: bytes) -> CodeStream | None:
    """The format of the image that the bytes encode, or None if they hold no code stream.

    JPEG 2000: ISO 15444-1 A.5.1, also inside a JP2 file. JPEG and JPEG-LS: ISO 10918-1 B.2.2.
    """
    start = data.find(JPEG2000_START)
    if start >= 0:
        right, bottom, left, top = struct.unpack_from(">4I", data, start + 8)
        depth = data[start + 42]
        return CodeStream((bottom - top, right - left), (depth & 0x7F) + 1, signed=bool(depth & 0x80))
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == JPEG_LS_MARKER or (0xC0 <= marker <= 0xCF and marker not in NO_FRAME_MARKERS):
            precision, height, width = struct.unpack_from(">B2H", data, at + 4)
            return CodeStream((height, width), precision, marker=marker)
        at += 1 if marker == 0xFF else 2 + struct.unpack_from(">H", data, at + 2)[0]
    return None


def is_whole_jpeg(data: bytes) -> bool:
    """Whether a JPEG or JPEG-LS code stream has its end; decoders fill the rest of a cut one with grey.

    Neither marker can occur among the coded samples.
    """
    return data.rfind(END_OF_IMAGE) > data.rfind(START_OF_SCAN)
