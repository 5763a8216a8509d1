"""Pictures of every format: what their pixels become, and that nothing else comes out of `decode`."""

import contextlib
import io
import logging
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from deep_pneumonia.errors import NotARadiographError, RadiographError, TooLargeError
from deep_pneumonia.radiographs.grey_levels import stored_integers
from deep_pneumonia.radiographs.radiograph import Radiograph, decode
from tests.pictures import FORMATS, RAMP, encode


def levels(*values: float, dtype: str) -> np.ndarray:
    """A 16 x 16 picture whose first pixels are the values, the rest the first value."""
    picture = np.full((16, 16), values[0], dtype)
    picture[0, : len(values)] = values
    return picture


def deep_png(channels: np.ndarray, kind: int, exif: bytes = b"") -> bytes:
    """A PNG with 16 bits a channel (H, W, C), which Pillow cannot write."""
    height, width, _ = channels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in channels)
    header = struct.pack(">2I5B", width, height, 16, kind, 0, 0, 0)
    chunks = [
        (b"IHDR", header),
        (b"eXIf", exif.removeprefix(b"Exif\0\0")),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
        if data or name != b"eXIf"
    )


@pytest.mark.parametrize("source", FORMATS)
def test_each_format_is_told_by_content_from_path_and_bytes(source: str, tmp_path: Path) -> None:
    path = tmp_path / "radiograph.txt"
    path.write_bytes(encode(RAMP, source))
    for file in (path, str(path), path.read_bytes()):
        radiograph = decode(file)
        assert (radiograph.source, radiograph.size, radiograph.spacing_mm) == (source, (24, 32), None)
        assert radiograph.pixels.dtype == np.float32
        assert radiograph.colour == 0
        np.testing.assert_allclose(radiograph.pixels, RAMP / 255, atol=0.02 if source == "JPEG" else 1e-7)


@pytest.mark.parametrize("mode", ["L", "P", "LA", "PA", "RGB", "RGBA", "CMYK", "YCbCr"])
def test_modes_of_a_grey_picture_agree(mode: str) -> None:
    source = "TIFF" if mode in ("CMYK", "YCbCr", "PA") else "PNG"
    picture = Image.fromarray(RAMP).convert("RGB" if mode in ("CMYK", "YCbCr") else "L").convert(mode)
    options = {"compression": "jpeg"} if mode == "YCbCr" else {}  # Pillow misreads its own raw YCbCr
    radiograph = decode(encode(picture, source, **options))
    np.testing.assert_allclose(radiograph.pixels, RAMP / 255, atol=0.03 if options else 0.005)
    assert radiograph.colour == 0


def test_one_bit_is_black_and_white() -> None:
    np.testing.assert_array_equal(decode(encode(RAMP > 99)).pixels, (RAMP > 99).astype(np.float32))


@pytest.mark.parametrize(("brightest", "scale"), [
    (0, 255), (200, 255), (255, 255), (256, 1023), (1024, 4095), (4000, 4095), (5000, 16383), (40000, 65535),
])  # fmt: skip
@pytest.mark.parametrize("source", ["PNG", "TIFF"])
def test_16_bit_is_divided_by_the_smallest_scale_that_holds_it(brightest: int, scale: int, source: str) -> None:
    for dtype in ("<u2", ">u2", "<i4"):
        if dtype == "<i4" and source == "PNG":
            continue
        pixels = decode(encode(levels(0, brightest // 2, brightest, dtype=dtype), source)).pixels
        assert pixels[0, :3].tolist() == pytest.approx([0, brightest // 2 / scale, brightest / scale], abs=1e-6)


@pytest.mark.parametrize(("brightest", "mark", "side", "scale"), [
    (4000, 65535, 3, 4095), (4000, 16384, 3, 4095), (16000, 65535, 3, 16383), (200, 65535, 3, 255),
    (4000, 65535, 4, 65535),  # 6% of the pixels
    (4000, 16000, 3, 16383), (900, 65535, 0, 1023),
    (40, 65535, 3, 65535),  # a black picture with something bright
])  # fmt: skip
def test_a_bright_mark_does_not_flatten_the_film(brightest: int, mark: int, side: int, scale: int) -> None:
    film = np.linspace(0, brightest, 256).astype(np.uint16).reshape(16, 16)
    film[:side, :side] = mark
    np.testing.assert_allclose(decode(encode(film)).pixels, np.minimum(film / scale, 1), atol=1e-6)


def test_floats_in_range_stay_and_others_are_stretched() -> None:
    assert decode(encode(levels(0.25, 0.5, dtype="f4"), "TIFF")).pixels[0, :2].tolist() == [0.25, 0.5]
    assert decode(encode(levels(-2, 0, 6, dtype="f4"), "TIFF")).pixels[0, :3].tolist() == [0, 0.25, 1]
    assert decode(encode(levels(-100, 0, 300, dtype="i4"), "TIFF")).pixels[0, :3].tolist() == [0, 0.25, 1]
    assert not decode(encode(levels(7, dtype="f4"), "TIFF")).pixels.any()
    for value in (np.nan, np.inf):
        with pytest.raises(NotARadiographError):
            decode(encode(levels(0, value, dtype="f4"), "TIFF"))


@pytest.mark.parametrize("dtype", ["u1", "<u2"])
def test_tiff_with_white_as_zero_is_inverted(dtype: str) -> None:
    stored = levels(0, 255, dtype=dtype)
    # Pillow inverts 8 bits when it writes, too
    written = encode(255 - stored if dtype == "u1" else stored, "TIFF", tiffinfo={262: 0})
    assert Image.open(io.BytesIO(written)).tag_v2[262] == 0
    assert decode(written).pixels[0, :2].tolist() == [1, 0]


@pytest.mark.parametrize("kind", [2, 4, 6])
def test_16_bit_colour_keeps_its_grey_levels(kind: int) -> None:
    grey = np.linspace(0, 4000, 24 * 32).astype(np.uint16).reshape(24, 32)
    alpha = np.full_like(grey, 65535)
    channels = {2: [grey] * 3, 4: [grey, alpha], 6: [grey, grey, grey, alpha]}[kind]
    exif = Image.Exif()
    exif[0x0112] = 6
    for tagged in (b"", exif.tobytes()):
        radiograph = decode(deep_png(np.stack(channels, axis=2), kind, tagged))
        turned = np.rot90(grey, -1) if tagged else grey
        np.testing.assert_allclose(radiograph.pixels, turned / 4095, atol=1e-6)
        assert (radiograph.source, radiograph.colour) == ("PNG", 0)
    if kind != 2:
        alpha[:12] = 0
        clear = decode(deep_png(np.stack([*channels[:-1], alpha], axis=2), kind))
        np.testing.assert_allclose(clear.pixels, np.where(alpha > 0, grey, 0) / 4095, atol=1e-6)
    if kind == 2:
        channels[2] = grey // 2
        assert decode(deep_png(np.stack(channels, axis=2), kind)).colour > 0.5
        with pytest.raises(NotARadiographError, match="damaged"):
            decode(deep_png(np.stack(channels, axis=2), kind)[:-900])


@pytest.mark.parametrize("dtype", [">u2", ">f8", "<i2", ">u4"])
@pytest.mark.parametrize("photometric", ["miniswhite", "minisblack"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_tiff_that_pillow_does_not_know(dtype: str, photometric: str, orientation: int) -> None:
    film = np.linspace(0, 4095, 24 * 32).astype(dtype).reshape(24, 32)
    stream = io.BytesIO()
    options = {"photometric": photometric, "extratags": [(274, 3, 1, orientation, True)]}
    tifffile.imwrite(stream, film, byteorder=dtype[0], **options)
    expected = film.astype(np.float64) / 4095
    expected = 1 - expected if photometric == "miniswhite" else expected
    expected = np.rot90(expected, -1) if orientation == 6 else expected
    radiograph = decode(stream.getvalue())
    np.testing.assert_allclose(radiograph.pixels, expected, atol=1e-6)
    assert radiograph.source == "TIFF"
    for limit in (16 * 16, 1):
        with pytest.raises(TooLargeError, match="pixels"):
            decode(stream.getvalue(), max_pixels=limit)


def test_colour_becomes_luma_and_its_share_is_told() -> None:
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[:4] = (255, 0, 0)
    picture[4:8] = (100, 100, 124)  # a spread of 24 is not yet clear
    radiograph = decode(encode(picture))
    assert radiograph.colour == 0.25
    assert radiograph.pixels[0, 0] == pytest.approx(0.299, abs=1 / 255)


def test_transparency_lies_over_black() -> None:
    picture = np.full((16, 16, 4), 200, np.uint8)
    picture[..., 3] = 255
    picture[0, :2, 3] = (0, 51)
    assert decode(encode(picture)).pixels[0, :3].tolist() == pytest.approx([0, 40 / 255, 200 / 255], abs=0.003)


@pytest.mark.parametrize("source", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(orientation: int, source: str) -> None:
    turned = {1: RAMP, 2: RAMP[:, ::-1], 3: RAMP[::-1, ::-1], 4: RAMP[::-1], 5: RAMP.T, 6: np.rot90(RAMP),
              7: RAMP[::-1, ::-1].T, 8: np.rot90(RAMP, -1)}[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = decode(encode(np.ascontiguousarray(turned), source, exif=exif)).pixels
    np.testing.assert_allclose(pixels, RAMP / 255, atol=0.02)


def test_16_bit_orientation_is_undone_and_damaged_exif_is_passed_over() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    deep = RAMP.astype(np.uint16) * 16
    turned = encode(np.ascontiguousarray(np.rot90(deep)), exif=exif)
    np.testing.assert_allclose(decode(turned).pixels, deep / 4095, atol=1e-6)
    np.testing.assert_array_equal(decode(encode(RAMP, exif=b"Exif\0\0no tiff")).pixels, decode(encode(RAMP)).pixels)


@pytest.mark.parametrize("source", ["TIFF", "WEBP", "PNG"])
def test_several_pictures_are_refused(source: str) -> None:
    other = Image.fromarray(RAMP[::-1])
    with pytest.raises(NotARadiographError, match="several images"):
        decode(encode(RAMP, source, save_all=True, append_images=[other]))


def test_previews_behind_a_phones_jpeg_are_passed_over() -> None:
    radiograph = decode(encode(RAMP, "MPO", save_all=True, append_images=[Image.fromarray(RAMP[:16, :16])]))
    assert (radiograph.source, radiograph.size) == ("JPEG", (24, 32))


@settings(max_examples=80)
@given(st.binary(max_size=400))
def test_any_bytes_decode_or_are_refused(data: bytes) -> None:
    for head in (
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"II*\0",
        b"BM",
        b"\x08\0",
        bytes(128) + b"DICM",
    ):
        with pytest.raises(RadiographError):
            decode(head + data)


@settings(max_examples=80)
@given(st.sampled_from(FORMATS), st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=9))
def test_damaged_pictures_decode_or_are_refused(source: str, flips: list[tuple[float, int]]) -> None:
    data = bytearray(encode(RAMP, source))
    for place, value in flips:
        data[int(place * len(data))] = value
    with contextlib.suppress(RadiographError):
        decode(bytes(data))


def test_nothing_of_the_tags_is_kept_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = "Doe^Jane"
    with caplog.at_level(logging.DEBUG):
        for source in ("TIFF", "JPEG"):
            data = encode(RAMP, source, exif=exif)
            assert b"Doe^Jane" in data
            assert "Doe" not in repr(vars(decode(data)))
    assert "Doe" not in caplog.text


def test_threads_leave_the_warning_filters_as_they_were() -> None:
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(decode, [encode(RAMP)] * 64))) == 64
    assert warnings.filters == before


def test_a_radiograph_is_checked_and_locked() -> None:
    pixels = np.zeros((16, 20), np.float32)
    radiograph = Radiograph(pixels, (0.1, 0.2), "PNG", 0.0)
    assert radiograph.size == (16, 20)
    with pytest.raises(ValueError, match="read-only"):
        radiograph.pixels[0, 0] = 1
    bad = [pixels.astype(float), pixels[0], pixels - 1, pixels + 2, pixels * np.nan, pixels[:0]]
    for wrong in bad:
        with pytest.raises(ValueError, match="pixels are"):
            Radiograph(wrong, None, "PNG", 0.0)


def test_a_radiograph_does_not_change_with_the_array_it_was_made_of() -> None:
    pixels = np.zeros((16, 20), np.float32)
    radiograph = Radiograph(pixels, None, "PNG")
    pixels[0, 0] = 1
    assert radiograph.pixels.max() == 0
    pixels.setflags(write=False)
    assert Radiograph(pixels, None, "PNG").pixels is pixels


@pytest.mark.parametrize(("dtype", "full"), [(np.uint8, 255), (np.uint16, 65535)])
def test_stored_integers_are_the_ones_that_were_decoded(dtype: type[np.unsignedinteger], full: int) -> None:
    written = np.random.default_rng(0).integers(0, full + 1, (16, 40)).astype(dtype)
    written[0, 0] = full
    stored = stored_integers(decode(encode(written)).pixels)
    assert stored.dtype == dtype
    np.testing.assert_array_equal(stored, written)
