"""TIFF of every depth, byte order, compression and colour: pixels written by tifffile or packed by hand."""

import io
import struct
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile

from deep_pneumonia.errors import NotARadiographError, RadiographError, TooLargeError
from deep_pneumonia.radiographs import tiff as tiff_module
from deep_pneumonia.radiographs.radiograph import decode

FILM = (np.add.outer(np.arange(40) * 60, np.arange(56) * 28) + 17).astype(np.uint16)  # 17 to 3897: 12 bits
OPAQUE = np.full_like(FILM, 65535)


def tiff(pixels: np.ndarray, **options: Any) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, metadata=None, **{"rowsperstrip": None if "tile" in options else 16, **options})
    return stream.getvalue()


def by_hand(order: str, strip: bytes, tags: dict[int, int]) -> bytes:
    """A TIFF of one strip; each tag has one number of 32 bits."""
    tags = {256: 56, 257: 40, 259: 1, 262: 1, 273: 8, 277: 1, 278: 40, 279: len(strip), **tags}
    strip += bytes(len(strip) % 2)
    entries = [struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in sorted(tags.items())]
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(strip))
    return start + strip + struct.pack(order + "H", len(tags)) + b"".join(entries) + bytes(4)


def packed(values: np.ndarray, bits: int) -> bytes:
    """Rows of integers bit by bit, the highest first, each row filled up to a byte (TIFF 6.0, section 8)."""
    rows = ("".join(format(value, f"0{bits}b") for value in row) for row in values.tolist())
    return b"".join(int(row.ljust(-(-len(row) // 8) * 8, "0"), 2).to_bytes(-(-len(row) // 8), "big") for row in rows)


def as_type(dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """The film in a type, and the pixels that are right."""
    if dtype[0] == "f":
        return (FILM / 4095).astype(dtype), FILM / 4095
    if dtype == "u2":
        return FILM, FILM / 4095
    values = {"u1": FILM >> 4, "i1": (FILM >> 4).astype(int) - 128, "i2": FILM.astype(int) - 2000,
              "u4": FILM.astype(np.int64) * 100_000}[dtype].astype(dtype)  # fmt: skip
    exact = values.astype(np.float64)
    return values, exact / 255 if dtype == "u1" else (exact - exact.min()) / np.ptp(exact)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "f2", "f4", "f8"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("options", [
    {}, {"compression": "lzw", "predictor": True}, {"compression": "deflate", "predictor": True},
    {"compression": "packbits", "tile": (16, 32)}, {"compression": "zstd"}, {"bigtiff": True},
], ids=lambda options: "-".join(map(str, options.values())) or "plain")  # fmt: skip
def test_every_type_byte_order_and_compression(dtype: str, order: str, options: dict[str, Any]) -> None:
    values, expected = as_type(dtype)
    atol = 1e-3 if dtype == "f2" else 0.003 if dtype == "u1" else 1e-6
    colour = np.dstack([values] * 3)
    for form, pixels in (("minisblack", values), ("miniswhite", values), ("rgb", colour)):
        radiograph = decode(tiff(pixels, byteorder=order, photometric=form, **options))
        right = 1 - expected if form == "miniswhite" else expected
        np.testing.assert_allclose(radiograph.pixels, right, atol=atol)
        assert (radiograph.source, radiograph.colour) == ("TIFF", 0)
    planes = tiff(np.stack([values] * 3), byteorder=order, photometric="rgb", planarconfig="separate", **options)
    np.testing.assert_allclose(decode(planes).pixels, expected, atol=atol)


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("order", ["<", ">"])
def test_packed_bits(bits: int, order: str) -> None:
    values = FILM >> 12 - bits if bits < 12 else FILM << bits - 12
    data = by_hand(order, packed(values, bits), {258: bits})
    np.testing.assert_allclose(decode(data).pixels, values / (2**bits - 1), atol=1e-6)


def test_colour_keeps_its_depth_and_its_share_is_told() -> None:
    coloured = np.dstack([FILM, FILM // 2, FILM // 4])
    radiograph = decode(tiff(coloured, photometric="rgb"))
    expected = np.rint(0.299 * FILM + 0.587 * (FILM // 2) + 0.114 * (FILM // 4))
    np.testing.assert_allclose(radiograph.pixels, expected / 4095, atol=1e-6)
    assert len(np.unique(radiograph.pixels)) > 256
    assert radiograph.colour > 0.5
    assert decode(tiff((coloured / 4095).astype("f4"), photometric="rgb")).colour > 0.5


def test_a_bright_mark_does_not_flatten_a_film_in_colour() -> None:
    marked = FILM.copy()
    marked[:5, :10] = 65535
    pixels = decode(tiff(np.dstack([marked] * 3), photometric="rgb", compression="lzw")).pixels
    np.testing.assert_allclose(pixels, np.minimum(marked / 4095, 1), atol=1e-6)


@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha", "unspecified"])
def test_extra_samples(kind: str, colours: int) -> None:
    alpha = OPAQUE.copy()
    alpha[:20] = 0
    pixels = np.dstack([*[FILM] * colours, alpha])
    form = "rgb" if colours == 3 else "minisblack"
    found = decode(tiff(pixels, photometric=form, planarconfig="contig", extrasamples=[kind])).pixels
    shown = np.where(alpha > 0, FILM, 0) if kind == "unassalpha" else FILM
    np.testing.assert_allclose(found, shown / 4095, atol=1e-6)


def test_jpeg_2000_and_12_bit_jpeg_inside() -> None:
    np.testing.assert_allclose(decode(tiff(FILM, compression="jpeg2000")).pixels, FILM / 4095, atol=1e-6)
    eight = (FILM >> 4).astype(np.uint8)
    np.testing.assert_allclose(decode(tiff(eight, compression="jpeg2000")).pixels, eight / 255, atol=1e-6)
    deep = tiff(FILM, compression="jpeg", bitspersample=12, compressionargs={"level": 100, "bitspersample": 12})
    np.testing.assert_allclose(decode(deep).pixels, FILM / 4095, atol=0.001)


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
@pytest.mark.parametrize("compression", [None, "lzw", "deflate", "packbits", "zstd", "jpeg2000", "jpeg"])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.98])
def test_cut_files_are_refused(dtype: str, compression: str | None, share: float) -> None:
    if dtype == "f4" and compression in ("jpeg2000", "jpeg"):
        return
    options = {}
    if (compression, dtype) == ("jpeg", "u2"):
        options = {"bitspersample": 12, "compressionargs": {"bitspersample": 12}}
    data = tiff(as_type(dtype)[0], compression=compression, **options)
    with pytest.raises(NotARadiographError, match="damaged"):
        decode(data[: int(share * len(data))])


@pytest.mark.parametrize(("tags", "error", "said"), [
    ({279: 0}, NotARadiographError, "damaged"),
    ({278: 20}, NotARadiographError, "damaged"),
    ({273: 10**6}, NotARadiographError, "damaged"),
    ({322: 60_000, 323: 60_000, 324: 8, 325: 4480}, TooLargeError, "tiles of more than"),
], ids=["no bytes", "a strip too few", "outside the file", "a tile of gigabytes"])  # fmt: skip
def test_strips_and_tiles_that_cannot_be_are_refused(
    tags: dict[int, int], error: type[RadiographError], said: str
) -> None:
    whole = by_hand(">", FILM.astype(">u2").tobytes(), {258: 16})
    np.testing.assert_allclose(decode(whole).pixels, FILM / 4095, atol=1e-6)
    with pytest.raises(error, match=said):
        decode(by_hand(">", FILM.astype(">u2").tobytes(), {258: 16, **tags}))


def test_a_code_stream_larger_than_its_strip_is_refused_before_it_is_decoded() -> None:
    bomb = imagecodecs.jpeg2k_encode(np.zeros((2000, 2000), np.uint16), codecformat="j2k")
    with pytest.raises(NotARadiographError, match="damaged"):
        decode(by_hand("<", bomb, {258: 16, 259: 34712}))


@pytest.mark.parametrize("data", [
    tiff(np.dstack([FILM] * 4), photometric="separated", extrasamples=()),
    tiff(FILM, photometric="palette", colormap=np.zeros((3, 65536), np.uint16)),
    tiff(np.dstack([FILM.astype(np.uint8)] * 3), photometric="ycbcr", subsampling=(1, 1)),
    tiff(FILM.astype(np.complex64)), by_hand("<", FILM.tobytes(), {258: 16, 259: 50001}),
], ids=["16-bit CMYK", "16-bit palette", "raw YCbCr", "complex", "WebP"])  # fmt: skip
def test_forms_that_are_not_supported_are_named(data: bytes) -> None:
    with pytest.raises(NotARadiographError, match=r"^The file is a TIFF in a colour space, depth or compression .*; "):
        decode(data)


def test_several_pages_and_large_pages_are_refused() -> None:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        for _ in range(2):
            writer.write(FILM.byteswap().view(">u2"), metadata=None)
    with pytest.raises(NotARadiographError, match="several images"):
        decode(stream.getvalue())
    for data in (tiff(FILM, byteorder=">"), tiff(FILM.astype("f8")), tiff(np.dstack([FILM] * 3), photometric="rgb")):
        with pytest.raises(TooLargeError, match="pixels"):
            decode(data, max_pixels=FILM.size - 1)


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_samples_are_counted_before_they_are_decoded(planar: str, monkeypatch: pytest.MonkeyPatch) -> None:
    colours = np.zeros((5, 20, 30) if planar == "separate" else (20, 30, 5), np.uint16)
    data = tiff(
        colours,
        photometric="rgb",
        planarconfig=planar,
        extrasamples=["unassalpha", 0],
        compression="zlib",
        rowsperstrip=20,
    )
    kept = 4 if planar == "separate" else 5  # planes of no use are left out, but a strip holds all channels
    monkeypatch.setattr(tiff_module, "MAX_SAMPLE_BYTES", 20 * 30 * kept * 2)
    assert decode(data).size == (20, 30)
    monkeypatch.setattr(tiff_module, "MAX_SAMPLE_BYTES", 20 * 30 * kept * 2 - 1)
    monkeypatch.setattr(tifffile.TiffPage, "decode", None)
    with pytest.raises(TooLargeError, match="bytes of samples; save it in grey with 16 bits"):
        decode(data)
