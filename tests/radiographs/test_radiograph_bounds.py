"""Files that claim, repeat or inflate more than they hold are refused before that takes memory or time."""

import io
import struct
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from imagecodecs import png_encode
from PIL import Image, ImageOps
from pydicom import Dataset

from deep_pneumonia.errors import NotARadiographError, TooLargeError
from deep_pneumonia.limits import MAX_CHUNKS, MAX_PIXELS
from deep_pneumonia.radiographs import bands, dicom_bounds, picture_bounds, pictures
from deep_pneumonia.radiographs.channels import colour_share, over_black
from deep_pneumonia.radiographs.picture_bounds import check_picture
from deep_pneumonia.radiographs.radiograph import decode
from tests.dicom_objects import RAMP, data_set, written
from tests.pictures import RAMP as PICTURE
from tests.pictures import encode

MEGABYTE = 2**20


def tags(entries: list[tuple[int, int, int]], following: int = 0, order: str = "<") -> bytes:
    """A TIFF with one directory of (tag, type, count), whose values are all at offset 8."""
    packed = b"".join(struct.pack(f"{order}HHII", *entry, 8) for entry in entries)
    start = b"II*\0" if order == "<" else b"MM\0*"
    return start + struct.pack(f"{order}IH", 8, len(entries)) + packed + struct.pack(f"{order}I", following)


def png_with(kind: bytes, content: bytes, times: int = 1) -> bytes:
    plain = encode(PICTURE)
    return plain[:33] + (struct.pack(">I", len(content)) + kind + content + bytes(4)) * times + plain[33:]


def jpeg_with(marker: bytes, content: bytes, times: int = 1) -> bytes:
    plain = encode(PICTURE, "JPEG")
    return plain[:2] + (b"\xff" + marker + struct.pack(">H", len(content) + 2) + content) * times + plain[2:]


def repeated_scans() -> bytes:
    plain = encode(PICTURE, "JPEG", progressive=True)
    at = plain.rindex(b"\xff\xda")
    return plain[:-2] + plain[at:-2] * 100 + plain[-2:]


SHARED = tags([(n, 7, MEGABYTE) for n in range(100)])  # a hundred tags that refer to the same megabyte


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: png_with(b"tEXt", b"a\0", MAX_CHUNKS), "chunks"),
        (lambda: png_with(b"eXIf", SHARED), "bytes in tags"),
        (lambda: jpeg_with(b"\xfe", b"", MAX_CHUNKS), "chunks"),
        (lambda: jpeg_with(b"\xe1", b"Exif\0\0" + SHARED), "bytes in tags"),
        (lambda: jpeg_with(b"\xe2", b"MPF\0" + SHARED), "bytes in tags"),
        (lambda: encode(PICTURE, "JPEG")[:2] + b"\xff" * 2 * MAX_CHUNKS, "chunks"),
        (repeated_scans, "64 JPEG scans"),
        (lambda: b"RIFF\0\0\0\0WEBPEXIF" + struct.pack("<I", len(SHARED)) + SHARED, "bytes in tags"),
        (lambda: SHARED, "bytes in tags"),
        (lambda: tags([(n, 7, MEGABYTE) for n in range(100)], order=">"), "bytes in tags"),
        (lambda: tags([(256, 3, 1)], following=8), "100 pages"),
        (
            lambda: tags([(322, 4, 1), (323, 4, 1)]).replace(struct.pack("<II", 1, 8), struct.pack("<II", 1, 40000)),
            "tiles",
        ),
    ],
)
def test_bombs_are_refused_before_a_decoder_reads_them(make: Callable[[], bytes], said: str) -> None:
    data = make()
    tracemalloc.start()
    with pytest.raises(TooLargeError, match=said):
        check_picture(data, "a")
    assert tracemalloc.get_traced_memory()[1] < len(data) + 2 * MEGABYTE
    tracemalloc.stop()


@pytest.mark.parametrize("source", ["PNG", "JPEG", "TIFF", "WEBP", "BMP"])
def test_ordinary_files_pass(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = Image.fromarray(PICTURE)
    exif = picture.getexif()
    exif[0x0112], exif[0x010E] = 6, "a text of the camera"
    options = {} if source == "BMP" else {"exif": exif}
    seen = []
    monkeypatch.setattr(picture_bounds, "_directories", lambda block: seen.append(block) or [])
    check_picture(encode(picture, source, **options), "a")
    assert len([block for block in seen if block]) == (source != "BMP")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "I", "F"])
def test_bands_give_the_same_pixels(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (40, 30, 4), np.uint8), "RGBA").convert(
        "RGB" if mode != "LA" else "LA"
    )
    image = image.convert("L").convert(mode) if mode in ("PA", "I", "F") else image.convert(mode)
    if mode == "P":
        image.info["transparency"] = 7
    whole, colour = pictures.grey_pixels(image)
    monkeypatch.setattr(bands, "BAND_PIXELS", 7 * 30)
    pixels, share = pictures.grey_pixels(image)
    np.testing.assert_array_equal(pixels, whole)
    assert share == colour


@pytest.mark.parametrize("elements", [{}, {"WindowCenter": 60, "WindowWidth": 80}, {"PixelPaddingValue": 0}])
def test_bands_give_the_same_dicom_pixels(elements: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    data = written(data_set(RAMP, RescaleSlope=2, RescaleIntercept=-7, **elements))
    whole = decode(data).pixels
    monkeypatch.setattr(bands, "BAND_PIXELS", 3 * RAMP.shape[1])
    np.testing.assert_array_equal(decode(data).pixels, whole)


def with_private(content: bytes) -> bytes:
    """A radiograph with a private sequence of undefined length that holds this."""
    data = written(data_set(RAMP))
    at = data.index(b"\x28\x00\x02\x00")
    return data[:at] + b"\x09\x00\x10\x10SQ\0\0\xff\xff\xff\xff" + content + b"\xfe\xff\xdd\xe0\0\0\0\0" + data[at:]


def test_items_are_counted_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    item = b"\xfe\xff\x00\xe0\0\0\0\0"
    monkeypatch.setattr(dicom_bounds, "MAX_DICOM_ITEMS", 20)
    assert decode(with_private(item * 20)).size == RAMP.shape
    monkeypatch.setattr(dicom_bounds, "dcmread", None)
    with pytest.raises(TooLargeError, match="20 items"):
        decode(with_private(item * 21))


def test_elements_are_counted_while_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    element = b"\x09\x00\x10\x10CS\0\0"
    monkeypatch.setattr(dicom_bounds, "MAX_DICOM_READS", 300)
    inside = b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + element * 10 + b"\xfe\xff\x0d\xe0\0\0\0\0"
    assert decode(with_private(inside)).size == RAMP.shape
    for data in (
        with_private(inside.replace(element * 10, element * 1000)),
        with_private(b"").replace(b"\x28\x00\x02\x00", element * 1000 + b"\x28\x00\x02\x00", 1),
    ):
        with pytest.raises(TooLargeError, match="elements"):
            decode(data)


def test_long_values_are_refused_before_numbers_are_made_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom_bounds, "MAX_DICOM_VALUE_BYTES", 100)
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [64, 0, 8], bytes(200)
    item["LUTData"].VR = "OW"
    long_table = data_set(RAMP)
    long_table.ModalityLUTSequence = [item]
    long_table["ModalityLUTSequence"].is_undefined_length = True
    for made in (data_set(RAMP, WindowCenter=[1] * 100, WindowWidth=50), long_table):
        with pytest.raises(TooLargeError, match="more than the 100 allowed"):
            decode(written(made))


def test_a_picture_of_too_many_pixels_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO()
    Image.new("1", (6001, 6000)).save(stream, "PNG")
    monkeypatch.setattr(Image.Image, "load", None)
    with pytest.raises(TooLargeError, match=f"{MAX_PIXELS} pixels"):
        decode(stream.getvalue())


def test_a_png_with_two_headers_is_refused_as_decoders_believe_different_ones() -> None:
    header = encode(PICTURE)[8:33]
    other = struct.pack(">II", 2 * PICTURE.shape[1], PICTURE.shape[0]) + header[16:21]
    with pytest.raises(NotARadiographError, match="several PNG headers"):
        decode(png_with(b"IHDR", other))


@pytest.mark.parametrize("kind", ["u2", "i4", "f8"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_bands_give_the_same_grey_and_colour(kind: str, channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    values = (np.random.default_rng(1).random((40, 30, channels)) * 9000).astype(kind)
    colours, alpha = values[..., : 3 if channels > 2 else 1], values[..., -1] if channels in (2, 4) else None
    whole = over_black(colours, alpha)
    share = colour_share(colours, whole)
    monkeypatch.setattr(bands, "BAND_PIXELS", 7 * 30)
    np.testing.assert_array_equal(over_black(colours, alpha), whole)
    assert (whole.dtype, colour_share(colours, whole)) == (np.dtype(kind), share)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_values_are_turned_as_pillow_turns_pictures(orientation: int) -> None:
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    stream, exif = io.BytesIO(), Image.Exif()
    exif[0x112] = orientation
    Image.fromarray(values).save(stream, "PNG", exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(stream)))
    np.testing.assert_array_equal(pictures.upright(values, orientation), expected)


def test_deep_colour_takes_no_more_than_its_values_and_its_pixels() -> None:
    side = 2000
    data = png_encode(np.full((side, side, 3), 900, np.uint16))
    tracemalloc.start()
    decode(data)
    assert tracemalloc.get_traced_memory()[1] < (6 + 2 + 4) * side * side + 40 * MEGABYTE  # before, 130 MB
    tracemalloc.stop()
