"""DICOM segmentations in RLE: binary, fractional and label maps, and frames that claim more than they should."""

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, RLELossless, SegmentationStorage

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.masks.dicom_seg import read_seg
from tests.dicom_objects import data_set, written

SIZE = (5, 7)  # 35 bits: a packed frame ends within a byte
VALUES = np.random.default_rng(0).integers(0, 201, (2, *SIZE)).astype(np.uint8)
LABELS = np.random.default_rng(1).choice(np.array([0, 1, 300], np.uint16), SIZE)


def run_lengths(*planes: bytes) -> bytes:
    """An RLE frame of literal runs, as DICOM PS3.5 annex G describes it."""
    segments = []
    for plane in planes:
        segment = b"".join(bytes([len(plane[i : i + 128]) - 1]) + plane[i : i + 128] for i in range(0, len(plane), 128))
        segments.append(segment + b"\0" * (len(segment) % 2))
    starts = np.cumsum([64, *map(len, segments)])[:-1]
    header = np.zeros(16, "<u4")
    header[: len(planes) + 1] = [len(planes), *starts]
    return header.tobytes() + b"".join(segments)


def segmentation(frames: list[bytes], kind: str, bits: int, numbers: list[int]) -> Dataset:
    header = data_set(np.zeros(SIZE, np.uint8), syntax=RLELossless, SOPClassUID=SegmentationStorage)
    header.SegmentationType, header.NumberOfFrames, header.MaximumFractionalValue = kind, len(frames), 200
    header.BitsAllocated = header.BitsStored = bits
    header.SegmentSequence = [Dataset() for _ in numbers]
    for segment, number in zip(header.SegmentSequence, numbers, strict=True):
        segment.SegmentNumber, segment.SegmentLabel = number, f"Reader {number}"
    header.PerFrameFunctionalGroupsSequence = [Dataset() for _ in frames]
    for group, number in zip(header.PerFrameFunctionalGroupsSequence, numbers, strict=False):
        group.SegmentIdentificationSequence = [Dataset()]
        group.SegmentIdentificationSequence[0].ReferencedSegmentNumber = number
    header.PixelData = encapsulate(frames)
    return header


def masks(header: Dataset) -> dict[str, np.ndarray]:
    return {a.reader: a.mask for a in read_seg(written(header), SIZE, name="s.dcm")}


def test_fractions_in_rle_are_lesion_above_half() -> None:
    found = masks(segmentation([run_lengths(v.tobytes()) for v in VALUES], "FRACTIONAL", 8, [1, 2]))
    np.testing.assert_array_equal(found["Reader 1"], VALUES[0] > 100)
    np.testing.assert_array_equal(found["Reader 2"], VALUES[1] > 100)


def test_bits_in_rle_start_anew_with_each_frame() -> None:
    frames = [run_lengths(np.packbits(v > 50, bitorder="little").tobytes()) for v in VALUES]
    found = masks(segmentation(frames, "BINARY", 1, [1, 2]))
    np.testing.assert_array_equal(found["Reader 1"], VALUES[0] > 50)
    np.testing.assert_array_equal(found["Reader 2"], VALUES[1] > 50)


def test_a_label_map_of_16_bits_has_its_high_bytes_first() -> None:
    frame = run_lengths((LABELS >> 8).astype(np.uint8).tobytes(), (LABELS & 255).astype(np.uint8).tobytes())
    found = masks(segmentation([frame], "LABELMAP", 16, [1, 300]))
    np.testing.assert_array_equal(found["Reader 1"], LABELS == 1)
    np.testing.assert_array_equal(found["Reader 300"], LABELS == 300)


@pytest.mark.parametrize("frame", [
    run_lengths(VALUES[0].tobytes()[:-1]), run_lengths(bytes(35), bytes(35)), run_lengths(bytes(99)), b"\1\0",
])  # fmt: skip
def test_a_frame_of_another_length_is_damaged(frame: bytes) -> None:
    with pytest.raises(AnnotationError, match=r"^s\.dcm is damaged"):
        masks(segmentation([frame], "FRACTIONAL", 8, [1]))


def test_a_missing_frame_is_damage_and_other_compressions_are_named() -> None:
    frames = [run_lengths(v.tobytes()) for v in VALUES]
    short = segmentation(frames, "FRACTIONAL", 8, [1, 2])
    short.PixelData = encapsulate(frames[:1])
    with pytest.raises(AnnotationError, match=r"^s\.dcm is damaged"):
        masks(short)
    other = segmentation(frames, "FRACTIONAL", 8, [1, 2])
    other.file_meta.TransferSyntaxUID = JPEG2000Lossless
    with pytest.raises(AnnotationError, match=r"transfer syntax .* or with RLE"):
        masks(other)
