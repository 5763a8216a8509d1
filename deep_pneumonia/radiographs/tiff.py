"""Decode TIFF that Pillow refuses, cuts to 8 bits or misreads: tifffile reads the tags, imagecodecs the strips."""

from __future__ import annotations

import io
import logging
import math
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags
from tifffile import TiffFile, TiffPage

from deep_pneumonia.errors import NotARadiographError, TooLargeError
from deep_pneumonia.limits import MAX_SAMPLE_BYTES
from deep_pneumonia.radiographs.code_stream import code_stream, is_whole_jpeg

logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # it logs tag values

TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two are BigTIFF
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, MASK, CMYK, YCBCR = range(7)  # values of PhotometricInterpretation
NO_COMPRESSION, LZW, JPEG, DEFLATE, OLD_DEFLATE, PACK_BITS = 1, 5, 7, 8, 32946, 32773
JPEG_2000 = (33004, 33005, 34712)
LZMA, ZSTD = 34925, 50000
COMPRESSIONS = (NO_COMPRESSION, LZW, JPEG, DEFLATE, OLD_DEFLATE, PACK_BITS, *JPEG_2000, LZMA, ZSTD)
UNASSOCIATED_ALPHA = 2  # of ExtraSamples; colours with associated alpha (1) are blended with black already
MAX_CHANNELS = 8
MAX_FREE_TILE_SIDE = 512  # tiles may be as large for a small image, too


def is_tiff(data: bytes) -> bool:
    """Whether the bytes start like a TIFF."""
    return data.startswith(TIFF_STARTS)


def first_pages(data: bytes) -> list[TiffPage]:
    """The first page, and the second if there is one; empty if the tags are damaged."""
    try:
        with TiffFile(io.BytesIO(data)) as file:
            return [page for page in islice(file.pages, 2) if isinstance(page, TiffPage)]
    except Exception:  # tifffile raises many types on damaged bytes
        return []


def size(page: TiffPage) -> tuple[int, int]:
    """(H, W) in pixels."""
    return page.imagelength, page.imagewidth


def is_for_pillow(page: TiffPage) -> bool:
    """Whether Pillow keeps all of a page: it has unsigned samples of at most 8 bits.

    Pillow takes YCbCr for RGB's size unless JPEG holds it, so that colour space is for it only there.
    """
    samples_fit = np.max(page.bitspersample) <= 8 and page.sampleformat == 1
    return bool(samples_fit and (page.photometric != YCBCR or page.compression in (6, JPEG)))


def orientation(page: TiffPage) -> int:
    """The orientation tag, from 1 to 8; 1 if there is none."""
    return int(page.tags.valueof(ExifTags.Base.Orientation, default=1))


def split_channels(page: TiffPage, data: bytes, name: str) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Colours (H, W, 1 or 3) of a page, bright where the film is, and alpha (H, W) if they must be blended with it.

    Values keep the type of the file; white-as-zero is not inverted.

    Raises:
        NotARadiographError: the page is in a colour space, depth or compression that is not supported.
        TooLargeError: the values take more bytes than MAX_SAMPLE_BYTES.
        ValueError: the page is damaged.
    """
    colours = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3}.get(page.photometric)
    if page.photometric == YCBCR and page.compression == JPEG:
        colours = 3  # tifffile converts it to RGB
    samples = page.samplesperpixel
    known = page.dtype is not None and page.dtype.kind in "uif" and page.compression in COMPRESSIONS
    known = known and np.min(page.bitspersample) >= 8
    if colours is None or not known or not colours <= samples <= MAX_CHANNELS or page.imagedepth != 1:
        raise NotARadiographError(
            f"{name} is a TIFF in a colour space, depth or compression that is not supported; "
            "save it in grey without compression."
        )
    has_alpha = samples > colours and (*page.extrasamples, 0)[0] == UNASSOCIATED_ALPHA
    channels = _channels(page, data, name, colours + has_alpha)
    return channels[..., :colours], channels[..., colours] if has_alpha else None


def _channels(page: TiffPage, data: bytes, name: str, count: int) -> NDArray[Any]:
    """The first `count` channels (H, W, count) of a page, from its strips or tiles.

    `TiffPage.asarray` fills missing strips with zeros; here they are an error.
    """
    places = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    separate, _, height, width, contiguous = page.shaped
    tile = (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, width)
    if tile[0] * tile[1] > 4 * max(height, MAX_FREE_TILE_SIDE) * max(width, MAX_FREE_TILE_SIDE):
        raise ValueError("a tile much larger than the image")
    expected = separate * math.ceil(height / tile[0]) * math.ceil(width / tile[1])
    if len(places) != expected:
        raise ValueError(f"{len(places)} strips or tiles, expected {expected}")
    if any(not length or start + length > len(data) for start, length in places):
        raise ValueError("a strip or tile is cut short")
    found = np.empty((height, width, count), page.dtype)
    if max(found.size, tile[0] * tile[1] * contiguous) * found.itemsize > MAX_SAMPLE_BYTES:
        raise TooLargeError(
            f"{name} has more than the allowed {MAX_SAMPLE_BYTES} bytes of samples; save it in grey with 16 bits."
        )
    for index, (start, length) in enumerate(places):
        segment = data[start : start + length]
        if page.compression in (JPEG, *JPEG_2000):
            stream = code_stream(segment)  # before a decoder allocates what a few bytes claim
            if stream is None or stream.size[0] > tile[0] or stream.size[1] > tile[1]:
                raise ValueError("a strip or tile of another size")
            if page.compression == JPEG and not is_whole_jpeg(segment):
                raise ValueError("a strip or tile without an end")
        values, (plane, _, top, left, _), _ = page.decode(segment, index, jpegtables=page.jpegtables)
        if values is None:
            raise ValueError("a strip or tile is missing")
        place = slice(top, top + tile[0]), slice(left, left + tile[1])
        part = values[0, : height - top, : width - left]
        if separate == 1:
            found[place] = part[..., :count]
        elif plane < count:
            found[(*place, plane)] = part[..., 0]
    return found
