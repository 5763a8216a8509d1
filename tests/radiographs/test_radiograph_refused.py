"""Files that are too large, cut short or no radiograph: refused by name before they do harm."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import PngImagePlugin

from deep_pneumonia.errors import NotARadiographError, RadiographError, TooLargeError, UnreadableFileError
from deep_pneumonia.radiographs.radiograph import decode
from tests.pictures import FORMATS, RAMP, encode

GIF = b"GIF89a" + bytes(99)


def claiming(width: int, height: int) -> bytes:
    """A small PNG whose header claims another size."""
    header = b"IHDR" + struct.pack(">2I", width, height) + b"\x08\x00\x00\x00\x00"
    return b"".join([encode(RAMP)[:12], header, struct.pack(">I", zlib.crc32(header)), encode(RAMP)[33:]])


def test_a_file_over_the_limit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "big.png").write_bytes(bytes(100))
    with pytest.raises(TooLargeError, match=r"big\.png has more than 99 bytes;"):
        decode(tmp_path / "big.png", max_bytes=99)


def test_limits_hold_before_anything_is_decoded() -> None:
    data = encode(RAMP)
    assert decode(data, max_bytes=len(data), max_pixels=24 * 32).size == (24, 32)
    with pytest.raises(TooLargeError, match="bytes"):
        decode(data, max_bytes=len(data) - 1)
    with pytest.raises(TooLargeError, match="pixels"):
        decode(data, max_pixels=24 * 32 - 1)
    for side in (8001, 12_000, 100_000):  # over our limit, over Pillow's warning, over Pillow's error
        with pytest.raises(TooLargeError, match="pixels"):
            decode(claiming(side, side))
    with pytest.raises(NotARadiographError, match="at least 16"):
        decode(encode(RAMP[:15]))


def test_text_chunk_bomb_is_refused() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "x" * 2**24, zip=True)
    with pytest.raises(NotARadiographError):
        decode(encode(RAMP, pnginfo=text))


@pytest.mark.parametrize(("file", "error"), [
    ("missing.png", UnreadableFileError), (".", UnreadableFileError), ("a\0b.png", UnreadableFileError),
    ("/dev/null", UnreadableFileError), ("new\nline", UnreadableFileError), (b"", UnreadableFileError),
    (GIF, NotARadiographError),
])  # fmt: skip
def test_bad_files_are_named_in_one_sentence(file: str | bytes, error: type[RadiographError]) -> None:
    with pytest.raises(error) as caught:
        decode(file)
    text = str(caught.value)
    assert text.startswith("The file " if file in (b"", GIF, ".") else Path(file).name[0])
    assert text.endswith(".")
    assert "\n" not in text
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_cut_files_are_refused(source: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    data = encode(noise, source)
    with pytest.raises(NotARadiographError):
        decode(data[: int(share * len(data))])
