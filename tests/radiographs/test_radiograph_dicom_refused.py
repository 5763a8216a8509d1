"""DICOM objects that are refused, in a sentence that names the reason and nobody."""

import contextlib
import io
import logging
import struct
import tracemalloc
from pathlib import Path

import gdcm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from deep_pneumonia.errors import NotARadiographError, RadiographError, TooLargeError, UnsupportedDicomError
from deep_pneumonia.radiographs.radiograph import decode
from deep_pneumonia.radiographs.sop_classes import STORAGE
from tests.dicom_objects import NAME, RAMP, RAMP8, by_gdcm, by_pillow, data_set, in_fragments, written


def run_length_encoded() -> bytes:
    header = data_set(RAMP)
    header.compress(RLELossless, encoding_plugin="pydicom")
    return written(header)


def without(*keywords: str) -> Dataset:
    header = data_set(RAMP)
    for keyword in keywords:
        delattr(header, keyword)
    return header


def film() -> Dataset:
    header = data_set(RAMP)
    header.file_meta.TransferSyntaxUID = MPEG2MPML
    header.PixelData = encapsulate([bytes(64)])
    return header


@pytest.mark.parametrize(("data", "reason"), [
    (written(data_set(np.concatenate([RAMP, RAMP]), NumberOfFrames=2, Rows=48)), "2 frames"),
    (written(without("PixelData")), "without pixel data"), (written(without("Rows")), "without pixel data"),
    (written(data_set(RAMP8, PhotometricInterpretation="PALETTE COLOR")), "neither greyscale"),
    (written(without("PhotometricInterpretation")), "neither greyscale"),
    (written(film()), "transfer syntax"), (in_fragments(data_set(RAMP)), "undefined length"),
    (written(film()).replace(MPEG2MPML.encode(), b"1.2.840.10008.1.2.9.999"), "transfer syntax"),
])  # fmt: skip
def test_objects_without_one_grey_frame_are_refused_by_name(data: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "radiograph.dcm"
    path.write_bytes(data)
    with pytest.raises(UnsupportedDicomError, match=rf"^radiograph\.dcm is a DICOM object .*{reason}.*; .*\.$"):
        decode(path)


@pytest.mark.parametrize(("uid", "what"), [
    (STORAGE + "66.4", "a segmentation"), (STORAGE + "66.7", "a segmentation"), (STORAGE + "88.33", "report"),
    (STORAGE + "481.3", "structure set"), (STORAGE + "481.2", "dose"), (STORAGE + "104.1", "PDF"),
    (STORAGE + "11.1", "presentation state"), (STORAGE + "30", "parametric map"), ("1.2.840.10008.1.3.10", "DICOMDIR"),
])  # fmt: skip
def test_the_sop_class_decides_what_is_no_radiograph(uid: str, what: str) -> None:
    only_in_meta = data_set(RAMP)
    del only_in_meta.SOPClassUID
    only_in_meta.file_meta.MediaStorageSOPClassUID, only_in_meta.file_meta.MediaStorageSOPInstanceUID = uid, "1.2.3"
    for data in (written(data_set(RAMP, SOPClassUID=uid)), written(only_in_meta)):
        with pytest.raises(UnsupportedDicomError, match=rf"^The file is a DICOM object that holds .*{what}.*; .*\.$"):
            decode(data)


@pytest.mark.parametrize("uid", ["1.1", "1.1.1", "1", "7", "481.1", "3000"])
def test_other_sop_classes_are_radiographs(uid: str) -> None:
    assert decode(written(data_set(RAMP, SOPClassUID=STORAGE + uid))).source == "DICOM"


def test_pixels_are_counted_before_they_are_decoded() -> None:
    with pytest.raises(TooLargeError, match="pixels"):
        decode(written(data_set(RAMP)), max_pixels=RAMP.size - 1)
    with pytest.raises(TooLargeError, match="pixels"):
        decode(written(data_set(RAMP, Rows=60_000, Columns=60_000)))
    with pytest.raises(NotARadiographError, match="at least 16"):
        decode(written(data_set(RAMP[:15])))


def test_a_deflated_object_that_inflates_too_far_is_refused() -> None:
    header = data_set(np.zeros((2000, 2000), np.uint16), syntax=DeflatedExplicitVRLittleEndian)
    header.Rows = header.Columns = 20
    bomb = written(header)
    assert len(bomb) < 20_000
    tracemalloc.start()
    with pytest.raises(TooLargeError, match="inflates"):
        decode(bomb, max_pixels=20 * 20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000  # bytes; all of it is 8 million


@pytest.mark.parametrize("claim", [(48, 65), (65_000, 65_000)])
@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEG2000Lossless])
def test_a_frame_that_claims_another_size_is_refused(syntax: str, claim: tuple[int, int]) -> None:
    data = by_pillow(syntax)
    form, true = (">2I", (64, 48)) if syntax == JPEG2000Lossless else (">2H", (48, 64))
    claimed = claim[::-1] if syntax == JPEG2000Lossless else claim
    data = data.replace(struct.pack(form, *true), struct.pack(form, *claimed), 1)
    with pytest.raises(NotARadiographError, match="another size than its header"):
        decode(data)


def test_a_frame_that_is_no_code_stream_is_refused() -> None:
    header = film()
    header.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    with pytest.raises(NotARadiographError, match="another size than its header"):
        decode(written(header))


@pytest.mark.parametrize("share", [0.5, 0.7, 0.95])
@pytest.mark.parametrize("make", [
    lambda: written(data_set(RAMP)), run_length_encoded, lambda: by_pillow(JPEGBaseline8Bit),
    lambda: by_pillow(JPEG2000Lossless),
], ids=["raw", "rle", "jpeg", "jpeg2000"])  # fmt: skip
def test_cut_objects_are_refused(make, share: float) -> None:  # type: ignore[no-untyped-def]
    data = make()
    with pytest.raises(RadiographError, match=r"damaged|without pixel data"):
        decode(data[: int(share * len(data))])


@pytest.mark.parametrize("syntax", ["JPEGLSLossless", "JPEGLosslessProcess14_1"])
def test_a_frame_that_aborts_gdcm_harms_nobody(syntax: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    header = dcmread(io.BytesIO(by_gdcm(getattr(gdcm.TransferSyntax, syntax), RAMP8, tmp_path)))
    frame = bytearray(next(generate_frames(header.PixelData, number_of_frames=1)))
    frame[6] = 255  # the precision in the frame's header; in this process it would end the tests
    header.PixelData = encapsulate([bytes(frame)])
    with pytest.raises(NotARadiographError, match="damaged"):
        decode(written(header))
    assert capfd.readouterr() == ("", "")


@settings(max_examples=120)
@given(
    st.sampled_from([written(data_set(RAMP)), run_length_encoded(), by_pillow(JPEG2000Lossless)]),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=9),
    st.floats(0.3, 1),
)
def test_damaged_objects_decode_or_are_refused(data: bytes, flips: list[tuple[float, int]], share: float) -> None:
    damaged = bytearray(data[: int(share * len(data))])
    for place, value in flips:
        damaged[int(place**2 * len(damaged))] = value  # squared: the header is hit more often
    with contextlib.suppress(RadiographError):
        decode(bytes(damaged))


def test_nothing_of_the_patient_is_kept_told_or_logged(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    named = written(data_set(RAMP, WindowCenter=12345678, WindowWidth=1000, NumberOfFrames=1))
    badly_windowed = named.replace(b"12345678", NAME.encode())  # pydicom's complaint quotes the value
    badly_counted = written(data_set(RAMP, NumberOfFrames=12345678)).replace(b"12345678", NAME.encode())
    refused = [named[:-99], written(without("PixelData")), badly_counted]
    with caplog.at_level(logging.DEBUG):
        for data in (named, badly_windowed):
            assert NAME.encode() in data
            assert "Doe" not in repr(vars(decode(data)))
        for data in refused:
            with pytest.raises(RadiographError) as caught:
                decode(data)
            assert "Doe" not in str(caught.value)
            assert caught.value.__cause__ is None
    assert "Doe" not in caplog.text + "".join(capfd.readouterr())
