"""Handmade pictures and DICOM objects for `studies.bombs`: the largest that are accepted, and small files that claim,
inflate or repeat much more than they hold."""

import io
import struct
import zlib
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

SIDE = 6000  # pixels; its square is the most that is accepted
Made = Callable[[], bytes]
Flat = tuple[int, ...] | int | float


def flat(mode: str, colour: Flat, form: str, side: int = SIDE, **options: object) -> Made:
    """A picture of one colour but for a few pixels, which packs well."""

    def made() -> bytes:
        image = Image.new(mode, (side, side), colour)  # type: ignore[arg-type]
        image.paste(Image.new(mode, (side // 2, side // 2)), (side // 4, side // 4))
        stream = io.BytesIO()
        image.save(stream, form, **options)  # type: ignore[arg-type]
        return stream.getvalue()

    return made


def png(chunks: Iterator[tuple[bytes, bytes]] | list[tuple[bytes, bytes]]) -> bytes:
    """A PNG of these chunks."""
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, data in chunks:
        parts.append(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
    return b"".join(parts)


def _ihdr(side: int, depth: int = 8, colour: int = 0) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, 0)


def _rows(size: int, bytes_a_row: int) -> bytes:
    packer, row = zlib.compressobj(9), bytes(1 + bytes_a_row)
    return b"".join([packer.compress(row) for _ in range(size)]) + packer.flush()


def deep_png(colour: int, channels: int) -> Made:
    """A PNG of 16 bits a channel."""
    return lambda: png([_ihdr(SIDE, 16, colour), (b"IDAT", _rows(SIDE, 2 * channels * SIDE)), (b"IEND", b"")])


def many_chunks() -> bytes:
    """A PNG with five million empty texts before its pixels."""
    return png([_ihdr(64), *[(b"tEXt", b"a\0")] * 4_500_000, (b"IDAT", _rows(64, 64)), (b"IEND", b"")])


def claimed(form: str) -> Made:
    """A header that claims a picture of 60000 x 60000 pixels, or as many as its format can."""

    def made() -> bytes:
        side = {"WEBP": 16383, "JPEG": 60000}.get(form, 16)
        data = flat("L", 9, form, 16)() if form != "WEBP" else flat("RGB", (9, 9, 9), "WEBP", 16, lossless=True)()
        if form == "PNG":
            return png([_ihdr(60000), (b"IDAT", _rows(60000, 60000)), (b"IEND", b"")])
        if form == "JPEG":
            at = data.index(b"\xff\xc0")
            return data[: at + 5] + struct.pack(">HH", side, side) + data[at + 9 :]
        if form == "BMP":
            return data[:18] + struct.pack("<ii", 60000, 60000) + data[26:]
        if form == "GIF":
            return data[:6] + struct.pack("<HH", 60000, 60000) + data[10:]
        bits = (side - 1) | (side - 1) << 14
        return data[:21] + struct.pack("<I", bits) + data[25:]

    return made


def repeated_scans() -> bytes:
    """A progressive JPEG whose last scan is repeated ten thousand times."""
    data = flat("L", 9, "JPEG", 4096, progressive=True)()
    start = data.rindex(b"\xff\xda")
    return data[:-2] + data[start:-2] * 10_000 + data[-2:]


def many_segments() -> bytes:
    """A JPEG with ten million empty comments."""
    data = flat("L", 9, "JPEG", 64)()
    return data[:2] + b"\xff\xfe\0\2" * 10_000_000 + data[2:]


def tiff(entries: list[tuple[int, int, int, int]], rest: bytes = b"", following: int = 0) -> bytes:
    """A little-endian TIFF with one directory of (tag, type, count, value or offset) and bytes after it."""
    packed = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + packed + struct.pack("<I", following) + rest


def _grey(side: int) -> list[tuple[int, int, int, int]]:
    short = [(258, 8), (259, 1), (262, 1), (277, 1)]
    return [(256, 4, 1, side), (257, 4, 1, side), *((tag, 3, 1, value) for tag, value in short)]


def repeated_tags() -> bytes:
    """A TIFF whose four thousand tags all refer to the same eight megabytes."""
    start = 14 + 12 * 4009
    tags = [(1000 + n, 7, 2**23, start) for n in range(4000)]
    return tiff([*_grey(64), (273, 4, 1, start), (278, 4, 1, 64), (279, 4, 1, 4096), *tags], bytes(2**23))


def many_pages() -> bytes:
    """A TIFF of half a million pages."""
    entries = [*_grey(64), (273, 4, 1, 8), (278, 4, 1, 64), (279, 4, 1, 4096)]
    length = 6 + 12 * len(entries)
    pages = [tiff(entries, following=8 + length * (n + 1))[8:] for n in range(500_000)]
    return b"II*\0" + struct.pack("<I", 8) + b"".join(pages)


def huge_tile() -> bytes:
    """A TIFF of 64 x 64 pixels in one tile of 40000 x 40000, deflated."""
    packer, row = zlib.compressobj(9), bytes(40000)
    packed = b"".join([packer.compress(row) for _ in range(40000)]) + packer.flush()
    kept = [entry for entry in _grey(64) if entry[0] != 259]
    tile = [(259, 3, 1, 8), (322, 4, 1, 40000), (323, 4, 1, 40000), (325, 4, 1, len(packed))]
    return tiff([*kept, *tile, (324, 4, 1, 14 + 12 * 10)], packed)


def exif_block() -> bytes:
    """A JPEG whose EXIF data have five thousand tags that refer to the same 4 KB."""
    data = flat("L", 9, "JPEG", 64)()
    block = b"Exif\0\0" + tiff([(1000 + n, 7, 60_000, 0) for n in range(5000)])
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]


def dataset(rows: int = 64, columns: int = 64) -> Dataset:
    """A digital radiograph of 16 bits, without pixels."""
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = DigitalXRayImageStorageForPresentation, "1.2.3"
    made.Rows, made.Columns, made.SamplesPerPixel = rows, columns, 1
    made.PhotometricInterpretation, made.PixelRepresentation = "MONOCHROME1", 0
    made.BitsAllocated, made.BitsStored, made.HighBit = 16, 12, 11
    made.WindowCenter, made.WindowWidth, made.RescaleSlope, made.RescaleIntercept = 2000, 3000, 1, -5
    made.PixelPaddingValue = 4000
    return made


def written(made: Dataset, pixels: bytes, syntax: UID = ExplicitVRLittleEndian) -> bytes:
    """A DICOM file."""
    made.PixelData = encapsulate([pixels]) if syntax.is_encapsulated else pixels
    made["PixelData"].VR = "OB" if syntax.is_encapsulated else "OW"
    made["PixelData"].is_undefined_length = syntax.is_encapsulated
    stream = io.BytesIO()
    made.file_meta = Dataset()  # type: ignore[assignment]
    made.file_meta.TransferSyntaxUID = syntax
    made.save_as(stream, enforce_file_format=True, implicit_vr=False, little_endian=True)
    return stream.getvalue()


def native() -> bytes:
    """The largest uncompressed radiograph that fits into a file."""
    return written(dataset(5700, 5700), np.arange(5700 * 5700, dtype=np.uint16).tobytes())


def j2k(side: int, claim: int = 0) -> Made:
    """JPEG 2000 in DICOM; `claim` is the side that its headers state."""

    def made() -> bytes:
        stream = io.BytesIO()
        Image.new("I;16", (side, side), 900).save(stream, "JPEG2000", no_jp2=True)
        code = stream.getvalue()
        if claim:
            start = code.index(b"\xff\x4f\xff\x51") + 8
            size = struct.pack(">II", claim, claim)
            code = code[:start] + size + bytes(8) + size + code[start + 24 :]
        return written(dataset(claim or side, claim or side), code, JPEG2000Lossless)

    return made


def rle() -> bytes:
    """RLE Lossless of the most pixels."""
    runs = (b"\x81\x05" * (SIDE * SIDE // 128)) * 2
    half = len(runs) // 2
    header = struct.pack("<16I", 2, 64, 64 + half, *[0] * 13)
    return written(dataset(SIDE, SIDE), header + runs, RLELossless)


def inflating() -> bytes:
    """A deflated data set that inflates to two gigabytes."""
    meta = bytes(128) + b"DICM\2\0\x10\0UI\x16\0" + DeflatedExplicitVRLittleEndian.encode()
    packer, zeros = zlib.compressobj(9, wbits=-15), bytes(2**20)
    packed = b"".join([packer.compress(zeros) for _ in range(2048)]) + packer.flush()
    return meta + packed


def inflating_items() -> bytes:
    """A deflated data set of a few kilobytes with a million items."""
    whole = in_front(MANY_ITEMS[: 8 * 1_000_000])()
    packer = zlib.compressobj(9, wbits=-15)
    packed = packer.compress(whole[whole.index(b"\x08\x00\x16\x00") :]) + packer.flush()
    return bytes(128) + b"DICM\2\0\x10\0UI\x16\0" + DeflatedExplicitVRLittleEndian.encode() + packed


def in_front(element: bytes) -> Made:
    """A radiograph with an element of group 0009 in front of its pixels."""

    def made() -> bytes:
        whole = written(dataset(), bytes(8192))
        at = whole.index(b"\x28\x00\x02\x00")
        return whole[:at] + element + whole[at:]

    return made


NESTED = b"\x09\x00\x10\x10SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 600
MANY_ITEMS = b"\x09\x00\x10\x10SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\0\0\0\0" * 7_000_000
MANY_ELEMENTS = b"\x09\x00\x10\x10CS\0\0" * 7_000_000


def long_window() -> bytes:
    """A window with ten million centres."""
    made = dataset()
    del made.WindowCenter
    whole = written(made, bytes(8192))
    at = whole.index(b"\x28\x00\x51\x10")
    text = b"1\\" * 10_000_000
    return whole[:at] + b"\x28\x00\x50\x10UN\0\0" + struct.pack("<I", len(text)) + text + whole[at:]


def long_table() -> bytes:
    """A lookup table of thirty million entries."""
    item, made = Dataset(), dataset()
    item.LUTDescriptor, item.ModalityLUTType = [0, 0, 16], "US"
    item.add_new(0x00283006, "OW", bytes(60_000_000))
    made.ModalityLUTSequence = [item]
    return written(made, bytes(8192))
