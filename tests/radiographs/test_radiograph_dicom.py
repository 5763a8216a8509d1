"""DICOM objects that decode: hand-worked grey levels and every transfer syntax."""

import io
from pathlib import Path

import gdcm
import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.pixels import apply_windowing
from pydicom.uid import (
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
)

from deep_pneumonia.radiographs.grey_levels import stored_bits
from deep_pneumonia.radiographs.radiograph import decode
from tests.dicom_objects import RAMP, RAMP8, by_gdcm, by_pillow, data_set, written


def seen(*stored: int, dtype: str = "u2", **elements: object) -> list[float]:
    """How stored values come out; they fill the first row of a picture of the first value."""
    picture = np.full((16, 16), stored[0], dtype)
    picture[0, : len(stored)] = stored
    return decode(written(data_set(picture, **elements))).pixels[0, : len(stored)].tolist()


def table(first: int, depth: int, entries: list[int], *, packed: bool = False) -> list[Dataset]:
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, depth]
    item.LUTData = np.array(entries, "u1" if packed else "<u2").tobytes()
    item["LUTData"].VR = "OW"
    item["LUTDescriptor"].VR = "SS" if first < 0 else "US"
    return [item]


def test_without_a_window_the_range_of_the_pixels_is_shown() -> None:
    assert seen(1000, 1500, 3000) == [0, 0.25, 1]
    assert seen(-500, 0, 1500, dtype="i2", bits=16) == [0, 0.25, 1]
    assert seen(7, 7) == [0, 0]


def test_monochrome1_is_the_inverse_of_monochrome2() -> None:
    window = {"WindowCenter": 2000, "WindowWidth": 1000}
    for elements in ({}, window):
        plain = decode(written(data_set(RAMP, **elements))).pixels
        inverse = decode(written(data_set(RAMP, PhotometricInterpretation="MONOCHROME1", **elements))).pixels
        np.testing.assert_array_equal(inverse, 1 - plain)


@pytest.mark.parametrize(("interpretation", "shape", "inverted"), [
    ("MONOCHROME1", "INVERSE", True), ("MONOCHROME1", "IDENTITY", True), ("MONOCHROME1", "", True),
    ("MONOCHROME2", "INVERSE", True), ("MONOCHROME2", "IDENTITY", False), ("MONOCHROME2", "", False),
])  # fmt: skip
def test_a_presentation_lut_of_the_shape_inverse_inverts_once(interpretation: str, shape: str, inverted: bool) -> None:
    values = seen(1000, 1500, 3000, PhotometricInterpretation=interpretation, PresentationLUTShape=shape)
    assert values == ([1, 0.75, 0] if inverted else [0, 0.25, 1])


def test_rescale_comes_before_the_window() -> None:
    # 2 x - 100: 100, 200, 300; LINEAR: (v - (c - 0.5)) / (w - 1) + 0.5 with c = 200.5, w = 201
    values = seen(100, 150, 200, 0, 4000, RescaleSlope=2, RescaleIntercept=-100, WindowCenter=200.5, WindowWidth=201)
    assert values == [0, 0.5, 1, 0, 1]


def test_window_functions_by_hand() -> None:
    exact = {"WindowCenter": 200, "WindowWidth": 200, "VOILUTFunction": "LINEAR_EXACT"}
    assert seen(50, 100, 150, 200, 300, 999, **exact) == [0, 0, 0.25, 0.5, 1, 1]
    sigmoid = seen(200, 250, **{**exact, "VOILUTFunction": "SIGMOID"})
    assert sigmoid == pytest.approx([0.5, 1 / (1 + np.exp(-1))])
    assert seen(99, 100, 101, WindowCenter=100.5, WindowWidth=1) == [0, 0, 1]
    several = seen(100, 200, 300, WindowCenter=[200.5, 9], WindowWidth=[201, 9])
    assert several == [0, 0.5, 1]


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_windows_equal_pydicoms(function: str) -> None:
    header = data_set(RAMP, WindowCenter=1800, WindowWidth=1500, VOILUTFunction=function)
    reference = apply_windowing(RAMP, header) / 4095
    np.testing.assert_allclose(decode(written(header)).pixels, reference, atol=1e-6)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("window", [(100, 0), (100, -5), ("", ""), (None, 50)])
def test_a_window_without_meaning_is_passed_over(window: tuple[object, object], function: str) -> None:
    elements = {"WindowCenter": window[0], "WindowWidth": window[1], "VOILUTFunction": function}
    assert seen(0, 1000, 4000, **elements) == [0, 0.25, 1]


def test_lookup_tables() -> None:
    descending = table(100, 8, list(range(255, -1, -1)) + [0] * 256)  # 512 rows of 8 bits
    assert seen(0, 100, 151, 355, 4000, VOILUTSequence=descending) == pytest.approx([1, 1, 0.8, 0, 0])
    packed = table(0, 8, [0, 51, 102, 255], packed=True)  # one byte an entry, as some write 8-bit tables
    assert seen(0, 1, 2, 3, VOILUTSequence=packed) == pytest.approx([0, 0.2, 0.4, 1])
    twelve = table(0, 16, [0, 1000, 4095])
    assert seen(0, 1, 2, VOILUTSequence=twelve) == pytest.approx([0, 1000 / 4095, 1])
    assert seen(0, 1, 2, ModalityLUTSequence=table(0, 16, [10, 20, 50])) == [0, 0.25, 1]


def test_a_lookup_table_without_entries_is_passed_over() -> None:
    for keyword in ("ModalityLUTSequence", "VOILUTSequence"):
        assert seen(0, 1000, 4000, **{keyword: [Dataset()]}) == [0, 0.25, 1]


def test_a_slope_of_zero_is_passed_over_with_its_intercept_as_in_dcmtk() -> None:
    window = {"WindowCenter": 2000, "WindowWidth": 4000, "VOILUTFunction": "LINEAR_EXACT"}
    assert seen(0, 1000, 4000, RescaleSlope=0, RescaleIntercept=500, **window) == [0, 0.25, 1]


@pytest.mark.parametrize(("interpretation", "expected"), [
    ("MONOCHROME2", [0, 0.25, 1, 1]), ("MONOCHROME1", [1, 0.75, 0, 0]),
])  # fmt: skip
def test_a_bright_mark_does_not_flatten_a_film_without_a_window(interpretation: str, expected: list[float]) -> None:
    assert seen(0, 1000, 4000, 65535, bits=16, PhotometricInterpretation=interpretation) == expected


def test_padding_is_black_and_outside_the_range() -> None:
    assert seen(4000, 1000, 2000, 3000, 4000, PixelPaddingValue=4000) == [0, 0, 0.5, 1, 0]
    inverted = seen(0, 1000, 2000, 3000, PixelPaddingValue=0, PhotometricInterpretation="MONOCHROME1")
    assert inverted == [0, 1, 0.5, 0]
    ranged = seen(5, 9, 10, 30, PixelPaddingValue=5, PixelPaddingRangeLimit=9)
    assert ranged == [0, 0, 0, 1]


def test_the_sign_of_a_tables_first_value_follows_the_pixels() -> None:
    ramp = [0, 85, 170, 255]
    for first in (-2, 2**16 - 2):  # SS, and the same bits as US
        stored, expected = (-2, -1, 0, 1, 500), pytest.approx([0, 1 / 3, 2 / 3, 1, 1])
        assert seen(*stored, dtype="i2", bits=16, VOILUTSequence=table(first, 8, ramp)) == expected
        assert seen(*stored, dtype="i2", bits=16, ModalityLUTSequence=table(first, 8, ramp)) == expected
        rescaled = {"RescaleIntercept": -2, "RescaleSlope": 1, "VOILUTSequence": table(first, 8, ramp)}
        assert seen(0, 1, 2, 3, 500, **rescaled) == expected
        high = {"bits": 16, "VOILUTSequence": table(first, 8, ramp)}
        assert seen(0, 2**16 - 2, 2**16 - 1, **high) == pytest.approx([0, 0, 1 / 3])


def test_the_sign_of_padding_follows_the_pixels() -> None:
    for value, vr in ((-2000, "SS"), (2**16 - 2000, "US")):
        for signed in (1, 0):
            picture = np.full((16, 16), -2000, "i2")
            picture[0, :3] = (1000, 2000, 3000)
            header = data_set(picture, bits=16, PixelRepresentation=signed)
            header.add_new("PixelPaddingValue", vr, value)
            assert decode(written(header)).pixels[0, :4].tolist() == [0, 0.5, 1, 0]


@pytest.mark.parametrize(("elements", "spacing"), [
    ({}, None), ({"PixelSpacing": [0.2, 0.1]}, (0.2, 0.1)), ({"ImagerPixelSpacing": [0.3, 0.3]}, (0.3, 0.3)),
    ({"PixelSpacing": [0.2, 0.1], "ImagerPixelSpacing": [0.3, 0.3]}, (0.2, 0.1)),
    ({"PixelSpacing": [0, 0]}, None), ({"PixelSpacing": [-1, 1]}, None), ({"PixelSpacing": 0.2}, None),
])  # fmt: skip
def test_spacing(elements: dict[str, object], spacing: tuple[float, float] | None) -> None:
    assert decode(written(data_set(RAMP, **elements))).spacing_mm == spacing


@pytest.mark.parametrize("syntax", [
    ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian,
])  # fmt: skip
def test_uncompressed_syntaxes_by_content(syntax: str, tmp_path: Path) -> None:
    path = tmp_path / "radiograph.png"
    path.write_bytes(written(data_set(RAMP, syntax=syntax)))
    radiograph = decode(path)
    assert (radiograph.source, radiograph.size, radiograph.colour) == ("DICOM", (48, 64), 0)
    np.testing.assert_allclose(radiograph.pixels, (RAMP - 17) / (RAMP.max() - 17), atol=1e-6)


@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("implicit", [True, False])
def test_a_data_set_without_preamble_is_known(implicit: bool, little: bool) -> None:
    if implicit and not little:
        return
    header = data_set(RAMP, syntax=ExplicitVRLittleEndian if little else ExplicitVRBigEndian)
    del header.file_meta
    bare = written(header, enforce_file_format=False, implicit_vr=implicit, little_endian=little)
    assert b"DICM" not in bare[:140]
    np.testing.assert_array_equal(decode(bare).pixels, decode(written(data_set(RAMP))).pixels)


def test_colour_becomes_luma() -> None:
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[:4] = (255, 0, 0)
    radiograph = decode(written(data_set(picture)))
    assert radiograph.colour == 0.25
    assert radiograph.pixels[0, 0] == pytest.approx(0.299, abs=1 / 255)
    deep = decode(written(data_set(picture.astype(np.uint16) * 16 + (picture > 0) * np.uint16(15), bits=12)))
    np.testing.assert_array_equal(deep.pixels, radiograph.pixels)


@pytest.mark.parametrize(("syntax", "off"), [(JPEGBaseline8Bit, 0.03), (JPEG2000, 0), (JPEG2000Lossless, 0)])
def test_frames_encoded_by_pillow(syntax: str, off: float) -> None:
    plain = data_set(RAMP if syntax == JPEG2000Lossless else RAMP8, bits=16)
    np.testing.assert_allclose(decode(by_pillow(syntax)).pixels, decode(written(plain)).pixels, atol=off)


@pytest.mark.parametrize(("syntax", "off"), [
    ("RLELossless", 0), ("JPEGLosslessProcess14", 0), ("JPEGLosslessProcess14_1", 0), ("JPEGLSLossless", 0),
    ("JPEGExtendedProcess2_4", 0.001),
])  # fmt: skip
def test_frames_encoded_by_gdcm(syntax: str, off: float, tmp_path: Path) -> None:
    coded = by_gdcm(getattr(gdcm.TransferSyntax, syntax), RAMP, tmp_path)
    np.testing.assert_allclose(decode(coded).pixels, decode(written(data_set(RAMP))).pixels, atol=off)


WITH_OVERLAY = RAMP | (np.indices(RAMP.shape).sum(axis=0) % 3 == 0).astype(np.uint16) << 15


@pytest.mark.parametrize("syntax", [
    None, "RLELossless", "JPEGLosslessProcess14_1", "JPEGLSLossless", "JPEG2000Lossless",
])  # fmt: skip
def test_overlays_in_unused_bits_are_masked_after_every_decoder(syntax: str | None, tmp_path: Path) -> None:
    expected = decode(written(data_set(RAMP))).pixels
    for stored, bits, high in ((WITH_OVERLAY, 12, 11), (RAMP << 4 | 5, 12, 15), (RAMP << 2 | 1 << 15, 12, 13)):
        # The code stream has 16 bits because GDCM encodes it before the header names fewer.
        whole = data_set(stored, bits=16)
        data = by_gdcm(getattr(gdcm.TransferSyntax, syntax), stored, tmp_path, bits=16) if syntax else written(whole)
        header = dcmread(io.BytesIO(data))
        header.BitsStored, header.HighBit = bits, high
        np.testing.assert_array_equal(decode(written(header)).pixels, expected)


def test_the_sign_is_the_highest_stored_bit() -> None:
    stored = (np.array([-500, 0, 1500]) & 0xFFF) | 0x4000  # 12 bits, and one that does not count
    assert seen(*stored.tolist(), dtype="u2", PixelRepresentation=1) == [0, 0.25, 1]


def test_a_code_stream_of_the_stored_bits_is_not_shifted() -> None:
    header = data_set(RAMP, HighBit=15)
    np.testing.assert_array_equal(stored_bits(RAMP, header, 12), RAMP)
    np.testing.assert_array_equal(stored_bits(RAMP << 4, header, 16), RAMP)
