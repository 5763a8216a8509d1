"""Bounds of PNG, JPEG, WebP and TIFF files that are checked in their bytes, before a decoder reads them.

Decoders read some parts without a bound of their own: each of millions of empty chunks, the pages of a TIFF one after
the other, and each tag of a directory in full, although thousands of tags may refer to the same megabytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from deep_pneumonia.errors import NotARadiographError, TooLargeError
from deep_pneumonia.limits import MAX_CHUNKS, MAX_JPEG_SCANS, MAX_PAGES, MAX_PIXELS, MAX_TAG_BYTES

PNG_START = b"\x89PNG\r\n\x1a\n"
JPEG_START = b"\xff\xd8\xff"
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
EXIF_START, MPF_START = b"Exif\0\0", b"MPF\0"
START_OF_SCAN = b"\xff\xda"
BYTES_OF_TYPE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
TILE_WIDTH, TILE_LENGTH = 322, 323
NUMBER_TYPES = {1: "B", 3: "H", 4: "I", 16: "Q"}


def check_picture(data: bytes, name: str) -> None:
    """Check the parts of a picture file that cost more to read than they have bytes; other files pass.

    Raises:
        NotARadiographError: a PNG has several headers.
        TooLargeError: it has more chunks, scans, pages or bytes in tags than allowed.
    """
    if data.startswith(PNG_START):
        parts = [part for part in _counted(_png_chunks(data), name) if part[0] in (b"IHDR", b"eXIf")]
        if sum(kind == b"IHDR" for kind, _ in parts) > 1:  # decoders differ in which of them they believe
            raise NotARadiographError(f"{name} has several PNG headers, expected one; save it again.")
        _check_tags([body for kind, body in parts if kind == b"eXIf"], name)
    elif data.startswith(JPEG_START):
        check_jpeg(data, name)
    elif data.startswith(b"RIFF"):
        _check_tags([body for kind, body in _counted(_riff_chunks(data), name) if kind == b"EXIF"], name)
    elif data.startswith(TIFF_STARTS):
        _check_tags([data], name)


def check_jpeg(data: bytes, name: str) -> None:
    """Check a JPEG file or code stream.

    Raises:
        TooLargeError: it has more segments, scans or bytes in tags than allowed.
    """
    if data.count(START_OF_SCAN) > MAX_JPEG_SCANS:
        raise TooLargeError(f"{name} has more than the allowed {MAX_JPEG_SCANS} JPEG scans; save it again.")
    exif, others = b"", []
    for kind, body in _counted(_jpeg_segments(data), name):
        if kind == b"\xe1" and body.startswith(EXIF_START):
            exif += body.removeprefix(EXIF_START) if exif else body  # Pillow joins them, too
        elif kind == b"\xe2" and body.startswith(MPF_START):
            others.append(body.removeprefix(MPF_START))
    _check_tags([exif, *others], name)


def _counted(chunks: Iterator[tuple[bytes, bytes]], name: str) -> Iterator[tuple[bytes, bytes]]:
    for number, chunk in enumerate(chunks):
        if number == MAX_CHUNKS:
            raise TooLargeError(f"{name} has more than the allowed {MAX_CHUNKS} chunks; save it again.")
        yield chunk


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and content of each chunk; the content of the pixels is left out."""
    at = len(PNG_START)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, b"" if kind == b"IDAT" else data[at + 8 : at + 8 + length]
        at += length + 12


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        yield kind, data[at + 8 : at + 8 + length] if kind == b"EXIF" else b""
        at += 8 + length + length % 2


def _jpeg_segments(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Marker and content of each segment before the first scan; a fill byte counts as a segment."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1 : at + 2]
        if marker == b"\xda":
            return
        if marker in (b"\xff", b"\0", b"\x01") or 0xD0 <= marker[0] <= 0xD8:  # these have no content
            yield marker, b""
            at += 1 if marker == b"\xff" else 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        yield marker, data[at + 4 : at + 2 + length]
        at += 2 + max(2, length)


def _check_tags(blocks: list[bytes], name: str) -> None:
    """Check the directories of tags in each block, which starts like a TIFF file."""
    for block in (block.removeprefix(EXIF_START) for block in blocks):
        total = 0
        for page, entries in enumerate(_directories(block)):
            total += sum(count * BYTES_OF_TYPE.get(kind, 0) for _, kind, count, _ in entries)
            if page == MAX_PAGES or total > MAX_TAG_BYTES:
                raise TooLargeError(
                    f"{name} has more than the allowed {MAX_PAGES} pages or {MAX_TAG_BYTES} bytes in tags; "
                    "save it again."
                )
            tile = {tag: value for tag, _, _, value in entries if tag in (TILE_WIDTH, TILE_LENGTH)}
            if tile.get(TILE_WIDTH, 0) * tile.get(TILE_LENGTH, 0) > MAX_PIXELS:
                raise TooLargeError(f"{name} has tiles of more than the allowed {MAX_PIXELS} pixels; save it again.")


def _directories(block: bytes) -> Iterator[list[tuple[int, int, int, int]]]:
    """The directories of a TIFF, each a list of (tag, type, count, value); the value of a long tag is its offset."""
    if not block.startswith(TIFF_STARTS):
        return
    order = "<" if block.startswith(b"I") else ">"
    big = block[2:4] in (b"+\0", b"\0+")
    number, entry, link = ("Q", "HHQ8s", "Q") if big else ("H", "HHI4s", "I")
    try:
        (at,) = struct.unpack_from(order + link, block, 8 if big else 4)
        while at:
            (count,) = struct.unpack_from(order + number, block, at)
            at += struct.calcsize(order + number)
            size = struct.calcsize(order + entry)
            found = [struct.unpack_from(order + entry, block, at + size * n) for n in range(min(count, 2**16))]
            yield [(tag, kind, length, _number(order, kind, value)) for tag, kind, length, value in found]
            (at,) = struct.unpack_from(order + link, block, at + size * count)
    except struct.error:  # cut short: decoders find the same
        return


def _number(order: str, kind: int, value: bytes) -> int:
    form = NUMBER_TYPES.get(kind)
    if form is None or struct.calcsize(form) > len(value):
        return 0
    found: int = struct.unpack_from(order + form, value)[0]
    return found
