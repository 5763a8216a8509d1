"""JPEG, TIFF and BMP pictures are masks by the stated rule, or are refused."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image
from scipy.ndimage import gaussian_filter, zoom

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.masks.annotation import read_mask, to_png
from deep_pneumonia.masks.any_format import looks_like_annotation, read_annotations
from tests.phantom import draw
from tests.pictures import encode

ROWS, COLUMNS = np.mgrid[:120, :160]
DISC = (ROWS - 60) ** 2 + (COLUMNS - 90) ** 2 < 35**2
WHITE = DISC * np.uint8(255)
THREE = WHITE.copy()
THREE[5:25, 5:25] = 128


def refused(data: bytes) -> str:
    with pytest.raises(AnnotationError) as caught:
        read_mask(data, name="x.jpg")
    assert str(caught.value).startswith("The mask x.jpg ")
    return str(caught.value)


@pytest.mark.parametrize("quality", [95, 75, 50, 30])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_jpeg_with_ringing_is_the_mask(quality: int, mode: str) -> None:
    stream = io.BytesIO()
    Image.fromarray(WHITE).convert(mode).save(stream, "JPEG", quality=quality)
    assert len(np.unique(np.asarray(Image.open(stream)))) > 12
    found = read_mask(stream.getvalue()).mask
    assert np.count_nonzero(found ^ DISC) < 0.02 * DISC.sum()
    assert looks_like_annotation(stream.getvalue())
    assert read_annotations(stream.getvalue(), DISC.shape, name="Dr A.jpg")[0].reader == "Dr A"


@pytest.mark.parametrize("kind", ["TIFF", "BMP"])
@pytest.mark.parametrize("picture", [WHITE, DISC, DISC.astype(np.uint8), np.dstack([WHITE, WHITE * 0, WHITE * 0])])
def test_tiff_and_bmp_follow_the_rule_of_png(kind: str, picture: np.ndarray) -> None:
    data = encode(picture, kind)
    np.testing.assert_array_equal(read_mask(data).mask, DISC)
    assert looks_like_annotation(data)


@pytest.mark.parametrize(
    "picture",
    [DISC.astype(np.float32), WHITE.astype(np.float32), DISC.astype(np.int32) * 7, WHITE.astype(np.uint16) * 257],
)
def test_deep_tiff_masks_of_two_values_are_read(picture: np.ndarray) -> None:
    np.testing.assert_array_equal(read_mask(encode(picture, "TIFF")).mask, DISC)


def test_a_tiff_with_white_stored_as_zero_is_the_same_mask() -> None:
    data = encode(WHITE, "TIFF", tiffinfo={262: 0})  # Pillow stores it inverted
    np.testing.assert_array_equal(read_mask(data).mask, DISC)


@pytest.mark.parametrize("picture", [
    np.where(DISC, 0.7, 0.2).astype(np.float32), np.where(DISC, 2, COLUMNS % 2).astype(np.int32),
    np.full((9, 9), np.nan, np.float32),
])  # fmt: skip
def test_deep_tiff_masks_of_other_values_are_refused(picture: np.ndarray) -> None:
    assert "more than two values" in refused(encode(picture, "TIFF"))


def test_a_tiff_of_several_pages_is_refused() -> None:
    page = Image.fromarray(WHITE)
    assert "2 pages" in refused(encode(page, "TIFF", save_all=True, append_images=[page]))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP"])
def test_radiographs_overlays_and_grey_classes_are_refused(kind: str) -> None:
    film = np.rint(draw(1, (120, 160))[0] * 255).astype(np.uint8)
    on_film = np.where(DISC, 255, film).astype(np.uint8)
    for picture in (film, on_film, THREE, np.dstack([THREE] * 3)):
        assert "grey levels, such as" in refused(encode(picture, kind, **({"quality": 75} if kind == "JPEG" else {})))


def test_a_map_of_probability_is_refused() -> None:
    soft = gaussian_filter(DISC.astype(float), 12)
    assert "grey levels" in refused(encode((soft / soft.max() * 255).astype(np.uint8)))


def test_edges_that_were_softened_or_enlarged_are_one_class() -> None:
    soft = gaussian_filter(WHITE.astype(float), 2).astype(np.uint8)
    np.testing.assert_array_equal(read_mask(encode(soft)).mask, soft > 127)
    large = zoom(WHITE.astype(float), 4, order=1).astype(np.uint8)
    np.testing.assert_array_equal(read_mask(encode(large)).mask, large > 127)


def test_a_jpeg_in_colour_or_too_dark_is_refused() -> None:
    assert "JPEG in colour" in refused(encode(np.dstack([WHITE, WHITE * 0, WHITE * 0]), "JPEG"))
    assert "brightest value" in refused(encode(DISC.astype(np.uint8), "JPEG"))
    assert read_mask(encode(WHITE * 0, "JPEG")).is_empty


def test_colours_of_several_hues_are_refused_however_many_there_are() -> None:
    shades = (ROWS + COLUMNS).astype(np.uint8) % 128 + np.uint8(127)
    two = np.dstack([np.where(COLUMNS < 80, shades, 0), np.where(COLUMNS < 80, 0, shades), WHITE * 0])
    assert len(np.unique(two.reshape(-1, 3), axis=0)) > 64
    assert "several classes (colours of different hue)" in refused(encode(two.astype(np.uint8)))


def test_a_picture_is_turned_as_its_orientation_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind in ("JPEG", "TIFF", "PNG"):
        found = read_mask(encode(np.rot90(WHITE), kind, exif=exif)).mask
        assert np.count_nonzero(found ^ DISC) < 30


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "BMP"])
def test_a_damaged_picture_is_named(kind: str) -> None:
    data = encode(WHITE, kind)
    for part in (data[:9], data[: len(data) // 3]):
        refused(part)


def test_sixteen_bits_a_channel_are_read_unless_the_mask_is_dark() -> None:
    def deep(value: int) -> bytes:
        raw = np.dstack([DISC * np.uint16(value)] * 3).astype(">u2")
        rows = b"".join(b"\0" + row.tobytes() for row in raw)
        parts = [
            (b"IHDR", struct.pack(">IIBBBBB", 160, 120, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
        ]  # fmt: skip
        chunks = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
        return to_png(DISC)[:8] + b"".join(chunks)

    np.testing.assert_array_equal(read_mask(deep(65535)).mask, DISC)
    assert "16 bits a channel" in refused(deep(255))


def test_a_big_tiff_is_a_mask_or_named() -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[4:9, 5:12] = 255
    little, big = io.BytesIO(), io.BytesIO()
    tifffile.imwrite(little, mask, bigtiff=True, byteorder="<")
    tifffile.imwrite(big, mask, bigtiff=True, byteorder=">")
    assert looks_like_annotation(little.getvalue())
    (found,) = read_annotations(little.getvalue(), mask.shape, name="mask.tif")
    np.testing.assert_array_equal(found.mask, mask > 0)
    with pytest.raises(AnnotationError, match=r"mask\.tif is not a PNG, JPEG, TIFF or BMP picture that can be read"):
        read_annotations(big.getvalue(), mask.shape, name="mask.tif")  # Pillow does not know this order
