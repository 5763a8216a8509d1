"""JPEG of 12 bits and without loss, which Pillow does not open."""

import io

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from deep_pneumonia.errors import NotARadiographError, TooLargeError
from deep_pneumonia.radiographs.radiograph import decode

FILM = (np.add.outer(np.arange(40) * 60, np.arange(56) * 28) + 17).astype(np.uint16)  # 17 to 3897: 12 bits


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    block = exif.tobytes()
    return jpeg[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + jpeg[2:]


@pytest.mark.parametrize("colours", [1, 3])
def test_12_bits(colours: int) -> None:
    pixels = FILM if colours == 1 else np.dstack([FILM] * 3)
    radiograph = decode(imagecodecs.jpeg8_encode(pixels, level=100, bitspersample=12))
    np.testing.assert_allclose(radiograph.pixels, FILM / 4095, atol=0.001)
    assert (radiograph.source, radiograph.colour) == ("JPEG", 0)
    assert len(np.unique(radiograph.pixels)) > 256


def test_without_loss() -> None:
    for bits in (12, 16):
        radiograph = decode(imagecodecs.ljpeg_encode(FILM, bitspersample=bits))
        np.testing.assert_allclose(radiograph.pixels, FILM / 4095, atol=1e-6)


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_the_exif_orientation_is_undone(orientation: int) -> None:
    turned = {1: FILM, 3: FILM[::-1, ::-1], 6: np.rot90(FILM, -1)}[orientation]
    jpeg = with_orientation(imagecodecs.ljpeg_encode(FILM, bitspersample=12), orientation)
    np.testing.assert_allclose(decode(jpeg).pixels, turned / 4095, atol=1e-6)


def test_a_damaged_exif_block_is_passed_over() -> None:
    jpeg = imagecodecs.ljpeg_encode(FILM, bitspersample=12)
    block = b"Exif\0\0no tiff"
    damaged = jpeg[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + jpeg[2:]
    np.testing.assert_allclose(decode(damaged).pixels, FILM / 4095, atol=1e-6)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_cut_files_are_refused(share: float) -> None:
    for jpeg in (
        imagecodecs.jpeg8_encode(FILM, bitspersample=12),
        imagecodecs.ljpeg_encode(FILM, bitspersample=12),
    ):
        with pytest.raises(NotARadiographError):
            decode(jpeg[: int(share * len(jpeg))])


def test_the_size_is_checked_first() -> None:
    jpeg = imagecodecs.jpeg8_encode(FILM, bitspersample=12)
    with pytest.raises(TooLargeError, match="pixels"):
        decode(jpeg, max_pixels=FILM.size - 1)
    with pytest.raises(NotARadiographError, match="at least 16"):
        decode(imagecodecs.jpeg8_encode(FILM[:9], bitspersample=12))


def test_ink_is_the_opposite_of_light() -> None:
    black = 255 - (FILM >> 4).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(np.dstack([np.zeros_like(black)] * 3 + [black]), "CMYK").save(stream, "JPEG", quality=100)
    np.testing.assert_allclose(decode(stream.getvalue()).pixels, (FILM >> 4) / 255, atol=0.02)
