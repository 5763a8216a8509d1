"""Stored values after every decoder: precisions, signs and sizes that the header and the code stream disagree on."""

from typing import Any

import imagecodecs
import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from deep_pneumonia.errors import NotARadiographError, TooLargeError, UnsupportedDicomError
from deep_pneumonia.radiographs import dicom, dicom_frames
from deep_pneumonia.radiographs.code_stream import code_stream
from deep_pneumonia.radiographs.radiograph import decode
from tests.dicom_objects import RAMP, RAMP8, data_set, written


def of_precision(bits: int, *, signed: bool = False) -> np.ndarray:
    """The ramp as integers of so many bits."""
    values = (RAMP >> (12 - bits) if bits <= 12 else RAMP << (bits - 12)).astype(np.int32)
    kind = f"{'i' if signed else 'u'}{1 if bits <= 8 else 2}"
    return (values - signed * 2 ** (bits - 1)).astype(kind)


def as_stored(values: np.ndarray, bits: int) -> np.ndarray:
    """Two's complement in so many bits, as code streams without a sign hold it."""
    return (values.astype(np.int32) & (2**bits - 1)).astype(f"u{values.itemsize}")


def coded(frame: bytes, syntax: str, *, allocated: int, stored: int, signed: bool, **elements: Any) -> bytes:
    header = data_set(RAMP, syntax=syntax, BitsAllocated=allocated, BitsStored=stored, HighBit=stored - 1)
    header.PixelRepresentation = int(signed)
    header.PixelData = encapsulate([frame])
    for keyword, value in elements.items():
        setattr(header, keyword, value)
    return written(header)


def stored_values(data: bytes) -> np.ndarray:
    return dicom_frames.read_frame(dicom.read_header(data, "x", limit=2**24), "x")


ENCODERS = {
    JPEG2000Lossless: lambda v, b: imagecodecs.jpeg2k_encode(
        v, level=0, codecformat="j2k", bitspersample=b, reversible=True
    ),
    JPEGLSLossless: lambda v, b: imagecodecs.jpegls_encode(as_stored(v, b)),
    JPEGLosslessSV1: lambda v, b: imagecodecs.ljpeg_encode(as_stored(v, b), bitspersample=b),
}


@pytest.mark.parametrize("syntax", ENCODERS)
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(("bits", "allocated"), [(7, 8), (8, 16), (12, 16), (16, 16)])
def test_every_precision_and_sign_is_decoded(syntax: str, bits: int, allocated: int, signed: bool) -> None:
    values = of_precision(bits, signed=signed)
    data = coded(ENCODERS[syntax](values, bits), syntax, allocated=allocated, stored=bits, signed=signed)
    np.testing.assert_array_equal(stored_values(data), values)


@pytest.mark.parametrize("syntax", ENCODERS)
@pytest.mark.parametrize("share", [0.5, 0.98])
def test_a_frame_that_is_cut_short_is_refused(syntax: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 4096, RAMP.shape).astype(np.uint16)
    frame = ENCODERS[syntax](noise, 12)
    with pytest.raises(NotARadiographError, match="damaged"):
        decode(coded(frame[: int(share * len(frame))], syntax, allocated=16, stored=12, signed=False))


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEGLosslessSV1, HTJ2KLossless])
def test_samples_are_counted_before_a_decoder_that_copies_them(syntax: str, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = ENCODERS.get(syntax, ENCODERS[JPEG2000Lossless])(RAMP, 12)
    data = coded(frame, syntax, allocated=16, stored=12, signed=False)
    monkeypatch.setattr(dicom_frames, "MAX_CODEC_BYTES", 2 * RAMP.size)
    assert stored_values(data).shape == RAMP.shape
    monkeypatch.setattr(dicom_frames, "MAX_CODEC_BYTES", 2 * RAMP.size - 1)
    with pytest.raises(TooLargeError, match=r"^x has more than the \d+ bytes of decoded samples .* as greyscale or"):
        stored_values(data)


@pytest.mark.parametrize("stored", [8, 16])
def test_8_bits_of_jpeg_in_16_allocated(stored: int) -> None:
    frame = imagecodecs.jpeg8_encode(RAMP8, level=100)
    data = coded(frame, JPEGBaseline8Bit, allocated=16, stored=stored, signed=False)
    np.testing.assert_allclose(stored_values(data).astype(int), RAMP8, atol=2)
    with pytest.raises(NotARadiographError, match="damaged"):
        decode(coded(frame[:-300], JPEGBaseline8Bit, allocated=16, stored=stored, signed=False))


def test_the_sign_of_a_code_stream_counts_more_than_the_headers() -> None:
    values = of_precision(16, signed=True)
    frame = ENCODERS[JPEG2000Lossless](values, 16)
    data = coded(frame, JPEG2000Lossless, allocated=16, stored=16, signed=False, WindowCenter=0, WindowWidth=40_000)
    np.testing.assert_array_equal(stored_values(data), values)
    expected = np.clip((values + 0.5) / 39_999 + 0.5, 0, 1)  # DICOM PS3.3 C.11.2.1.2
    np.testing.assert_allclose(decode(data).pixels, expected, atol=1e-6)


@pytest.fixture
def no_first_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("a valid frame that this decoder does not take")

    monkeypatch.setattr(dicom_frames, "_by_pillow", refuse)
    monkeypatch.setattr(dicom_frames, "_by_gdcm", refuse)


@pytest.mark.usefixtures("no_first_decoder")
@pytest.mark.parametrize("syntax", ENCODERS)
@pytest.mark.parametrize("signed", [False, True])
def test_a_second_decoder_takes_what_the_first_refuses(syntax: str, signed: bool) -> None:
    values = of_precision(12, signed=signed)
    frame = ENCODERS[syntax](values, 12)
    np.testing.assert_array_equal(stored_values(coded(frame, syntax, allocated=16, stored=12, signed=signed)), values)
    for share in (0.5, 0.95):
        with pytest.raises(NotARadiographError, match="damaged"):
            decode(coded(frame[: int(share * len(frame))], syntax, allocated=16, stored=12, signed=signed))


@pytest.mark.usefixtures("no_first_decoder")
def test_the_second_decoder_refuses_half_a_jpeg() -> None:
    frame = imagecodecs.jpeg8_encode(RAMP, level=100, bitspersample=12)
    whole = coded(frame, JPEGExtended12Bit, allocated=16, stored=12, signed=False)
    np.testing.assert_allclose(stored_values(whole).astype(int), RAMP, atol=2)
    with pytest.raises(NotARadiographError, match="damaged"):
        decode(coded(frame[:-300], JPEGExtended12Bit, allocated=16, stored=12, signed=False))


@pytest.mark.usefixtures("no_first_decoder")
@pytest.mark.parametrize(("interpretation", "is_read"), [("RGB", True), ("YBR_RCT", True), ("YBR_FULL", False)])
def test_colour_of_the_second_decoder_is_rgb_or_refused(interpretation: str, is_read: bool) -> None:
    picture = np.dstack([RAMP8, RAMP8 // 2, 255 - RAMP8])
    header = data_set(picture, syntax=JPEG2000Lossless, PhotometricInterpretation=interpretation)
    header.PixelData = encapsulate([imagecodecs.jpeg2k_encode(picture, level=0, codecformat="j2k", reversible=True)])
    if is_read:
        np.testing.assert_array_equal(stored_values(written(header)), picture)
    else:
        with pytest.raises(NotARadiographError, match="damaged"):
            decode(written(header))


def test_high_throughput_jpeg_2000() -> None:
    frame = imagecodecs.htj2k_encode(RAMP, level=0, reversible=True)
    assert code_stream(frame) is not None
    data = coded(frame, HTJ2KLossless, allocated=16, stored=16, signed=False)
    np.testing.assert_array_equal(stored_values(data), RAMP)


@pytest.mark.parametrize("high", [11, 15])
def test_unused_bits_of_deep_colour_are_cleared(high: int) -> None:
    picture = np.dstack([RAMP, RAMP // 2, 4095 - RAMP]).astype(np.uint16)
    raw = picture << (high - 11) | (0x8000 if high == 11 else 0x000F)
    data = written(data_set(raw, HighBit=high))
    np.testing.assert_array_equal(stored_values(data), np.rint(picture / 4095 * 255))


@pytest.mark.parametrize("pixels", [RAMP8, RAMP, of_precision(12, signed=True), np.dstack([RAMP8] * 3)])
def test_run_lengths(pixels: np.ndarray) -> None:
    header = data_set(pixels, bits=8 * pixels.itemsize)
    header.compress(RLELossless, encoding_plugin="pydicom")
    np.testing.assert_array_equal(stored_values(written(header)), pixels)


def test_run_lengths_that_claim_more_than_the_image_are_refused() -> None:
    bomb = np.array([1, 64, *[0] * 14], "<u4").tobytes() + b"\x81\x00" * 100_000  # 12.8 million zeros
    header = data_set(RAMP8, syntax=RLELossless)
    header.PixelData = encapsulate([bomb])
    with pytest.raises(NotARadiographError, match="damaged"):
        decode(written(header))


@pytest.mark.parametrize(("keyword", "dtype"), [("FloatPixelData", "f4"), ("DoubleFloatPixelData", "f8")])
def test_float_pixels_are_shown_by_their_range_or_window(keyword: str, dtype: str) -> None:
    header = data_set(RAMP)
    values = RAMP.astype(dtype) / 7 - 100
    values[0, :5] = -1e6
    for element in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(header, element)
    setattr(header, keyword, values.astype("<" + dtype).tobytes())
    setattr(header, keyword.replace("Data", "PaddingValue"), -1e6)
    header.BitsAllocated = 8 * values.itemsize
    real = values[values > -1e6]
    expected = np.where(values > -1e6, (values - real.min()) / (real.max() - real.min()), 0)
    np.testing.assert_allclose(decode(written(header)).pixels, expected, atol=1e-6)
    header.VOILUTFunction, header.WindowCenter, header.WindowWidth = "LINEAR_EXACT", 100, 200
    np.testing.assert_allclose(decode(written(header)).pixels, np.clip(values / 200, 0, 1), atol=1e-6)
    values[3, 3] = np.nan
    setattr(header, keyword, values.astype("<" + dtype).tobytes())
    with pytest.raises(NotARadiographError, match="damaged"):
        decode(written(header))


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "abc"])
@pytest.mark.parametrize("keyword", ["RescaleSlope", "RescaleIntercept"])
def test_a_rescale_that_is_no_number_is_refused(number: str, keyword: str) -> None:
    data = written(data_set(RAMP, **{"RescaleSlope": "1", "RescaleIntercept": "0", keyword: "1.2345"}))
    with pytest.raises(UnsupportedDicomError, match=f"{keyword} is not a finite number"):
        decode(data.replace(b"1.2345", number.ljust(6).encode()))
