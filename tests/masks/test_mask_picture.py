"""Pictures that masks are saved as: which formats are opened, and the forms of JPEG and TIFF that need care."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.masks.annotation import read_mask
from deep_pneumonia.masks.mask_picture import is_picture, open_picture
from tests.pictures import encode

ROWS, COLUMNS = np.mgrid[:60, :80]
DISC = (ROWS - 30) ** 2 + (COLUMNS - 45) ** 2 < 18**2
WHITE = DISC * np.uint8(255)


def refused(data: bytes) -> str:
    with pytest.raises(AnnotationError) as caught:
        open_picture(data, "m.x")
    assert str(caught.value).startswith("m.x ")
    return str(caught.value)


@pytest.mark.parametrize("source", ["GIF", "WEBP"])
def test_other_formats_are_refused(source: str) -> None:
    data = encode(WHITE, source)
    assert not is_picture(data)
    assert "is not a PNG, JPEG, TIFF or BMP picture that can be read" in refused(data)


def indexed_png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of 2 x 2 palette indices 0 and 1 with these chunks before its pixels."""
    header = struct.pack(">IIBBBBB", 2, 2, 8, 3, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(b"\0\0\1\0\1\0")), (b"IEND", b"")]
    stored = [struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(stored)


def test_a_palette_that_is_missing_or_shorter_than_its_transparency_is_refused() -> None:
    palette = (b"PLTE", bytes([0, 0, 0, 255, 255, 255]))
    np.testing.assert_array_equal(read_mask(indexed_png(palette)).mask, [[False, True], [True, False]])
    for chunks in ((), (palette, (b"tRNS", bytes(300))), ((b"tRNS", b"\0"),)):
        assert "is damaged or cut short" in refused(indexed_png(*chunks))


def test_a_jpeg_with_the_preview_of_a_phone_is_a_jpeg() -> None:
    pages = {"save_all": True, "append_images": [Image.fromarray(WHITE[::4, ::4])], "quality": 40}
    stream = io.BytesIO()
    Image.fromarray(WHITE).save(stream, "MPO", **pages)
    assert Image.open(stream).format == "MPO"
    assert open_picture(stream.getvalue(), "m.jpg").format == "JPEG"
    assert np.count_nonzero(read_mask(stream.getvalue()).mask ^ DISC) < 0.03 * DISC.sum()


def test_white_stored_as_zero_is_the_lesion_or_refused() -> None:
    def stored(pixels: np.ndarray) -> bytes:
        stream = io.BytesIO()
        tifffile.imwrite(stream, pixels, photometric="miniswhite")
        return stream.getvalue()

    np.testing.assert_array_equal(read_mask(stored(255 - WHITE)).mask, DISC)
    np.testing.assert_array_equal(read_mask(stored(~DISC)).mask, DISC)
    assert "has white stored as 0 in deep samples" in refused(stored(~DISC * np.uint16(65535)))


def test_a_picture_with_bounds_that_are_exceeded_is_named() -> None:
    data = encode(WHITE)
    assert "several PNG headers" in refused(data[:33] + data[8:])


def test_a_png_starts_with_its_header() -> None:
    data = encode(WHITE)
    text = b"\0\0\0\4tEXta\0bc"
    text += zlib.crc32(text[4:]).to_bytes(4, "big")
    assert "damaged or cut short" in refused(data[:8] + text + data[8:])
    assert "damaged or cut short" in refused(data[:20])
