"""Which frame of a DICOM segmentation is whose segment, and what a segment's texts say of its reader."""

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import SegmentationStorage

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.masks import dicom_seg
from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.masks.dicom_seg import read_seg
from deep_pneumonia.masks.dicom_seg_write import to_seg
from deep_pneumonia.radiographs.sop_classes import LABEL_MAP_STORAGE
from tests.dicom_objects import data_set, written

FRAMES = np.random.default_rng(0).random((2, 4, 6)) > 0.5
SIZE = (4, 6)


def identified(number: int) -> Dataset:
    group = Dataset()
    group.SegmentIdentificationSequence = [Dataset()]
    group.SegmentIdentificationSequence[0].ReferencedSegmentNumber = number
    return group


def segmentation(count: int, *segments: dict[str, object], **elements: object) -> Dataset:
    """A binary segmentation of `count` frames, whose segments have the numbers from 1 on."""
    header = data_set(np.zeros(SIZE, np.uint8), SOPClassUID=SegmentationStorage)
    header.SegmentationType, header.NumberOfFrames = "BINARY", count
    header.BitsAllocated = header.BitsStored = 1
    header.HighBit = 0
    header.SegmentSequence = [Dataset() for _ in segments]
    for number, (item, texts) in enumerate(zip(header.SegmentSequence, segments, strict=True), 1):
        item.SegmentNumber = number
        for keyword, value in texts.items():
            setattr(item, keyword, value)
    header.PixelData = np.packbits(FRAMES[:count].ravel(), bitorder="little").tobytes()
    for keyword, value in elements.items():
        setattr(header, keyword, value)
    return header


def read(header: Dataset) -> list[Annotation]:
    return read_seg(written(header), SIZE, name="/secret/s.dcm")


A, B = {"SegmentLabel": "A"}, {"SegmentLabel": "B"}


def test_the_frame_of_an_only_segment_needs_no_number() -> None:
    header = segmentation(1, A)
    del header.NumberOfFrames, header.SamplesPerPixel  # then they are one
    (found,) = read(header)
    assert found.reader == "A"
    np.testing.assert_array_equal(found.mask, FRAMES[0])


def test_a_frame_of_one_of_several_segments_needs_a_number() -> None:
    with pytest.raises(AnnotationError, match=r"^s\.dcm is damaged"):
        read(segmentation(1, A, B))
    a, b = read(segmentation(1, A, B, SharedFunctionalGroupsSequence=[identified(2)]))
    assert (a.reader, a.is_empty, b.reader) == ("A", True, "B")
    np.testing.assert_array_equal(b.mask, FRAMES[0])


def test_the_number_of_a_frame_itself_is_nearer_than_the_shared_one() -> None:
    own = {"PerFrameFunctionalGroupsSequence": [identified(2), identified(1)]}
    a, b = read(segmentation(2, A, B, SharedFunctionalGroupsSequence=[identified(1)], **own))
    np.testing.assert_array_equal(a.mask, FRAMES[1])
    np.testing.assert_array_equal(b.mask, FRAMES[0])


def test_the_number_of_another_frame_is_not_taken() -> None:
    own = {"PerFrameFunctionalGroupsSequence": [Dataset(), identified(2)]}
    with pytest.raises(AnnotationError, match=r"^s\.dcm is damaged"):
        read(segmentation(2, A, B, **own))


def test_frames_segments_and_readers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    header = segmentation(2, A, B, PerFrameFunctionalGroupsSequence=[identified(1), identified(2)])
    with pytest.raises(AnnotationError, match=r"^s\.dcm has 2 masks of one radiograph, expected at most 1"):
        read_seg(written(header), SIZE, name="s.dcm", readers=1)
    monkeypatch.setattr(dicom_seg, "MAX_SEG_FRAMES", 2)
    assert len(read(header)) == 2
    monkeypatch.setattr(dicom_seg, "MAX_SEG_FRAMES", 1)
    with pytest.raises(AnnotationError, match=r"^s\.dcm has 2 frames, expected 1 to 1"):
        read(header)


def test_the_padding_value_is_the_background_of_label_maps_alone() -> None:
    (found,) = read(segmentation(1, A, PixelPaddingValue=1))
    np.testing.assert_array_equal(found.mask, FRAMES[0])


def test_frames_that_are_cut_short_are_said_before_they_are_read() -> None:
    header = segmentation(2, A, B, PerFrameFunctionalGroupsSequence=[identified(1), identified(2)])
    assert len(read(header)) == 2
    header.PixelData = header.PixelData[:4]  # of 6 bytes
    with pytest.raises(AnnotationError, match=r"^s\.dcm is cut short: it has fewer pixels than its 2 frames"):
        read(header)
    header = segmentation(1, A, SegmentationType="FRACTIONAL", MaximumFractionalValue=255, PixelData=bytes(22))
    header.BitsAllocated = 8
    with pytest.raises(AnnotationError, match=r"^s\.dcm is cut short"):
        read(header)


def test_a_label_map_has_one_frame() -> None:
    header = segmentation(2, A, SOPClassUID=LABEL_MAP_STORAGE, SegmentationType="LABELMAP")
    header.BitsAllocated, header.PixelData = 8, bytes(48)
    with pytest.raises(AnnotationError, match=r"^s\.dcm is a label map of 2 frames, expected 1"):
        read(header)


def test_a_description_names_the_reader_if_the_label_does_not() -> None:
    texts = [{"SegmentDescription": "Dr C\nsecond line"}, {"SegmentDescription": "Kind: box"}]
    own = [identified(1), identified(2)]
    found = read(segmentation(2, *texts, PerFrameFunctionalGroupsSequence=own))
    assert [(a.reader, a.kind) for a in found] == [("Dr C", "pixel"), ("s", "box")]


def test_a_reader_whose_name_is_that_of_an_organ_is_a_reader() -> None:
    mask = Annotation(FRAMES[0], "Heart", "pixel")
    (found,) = read_seg(to_seg([mask], None, np.zeros(SIZE, np.float32)).segmentation, SIZE, name="s.dcm")
    assert found.reader == "Heart"
    np.testing.assert_array_equal(found.mask, FRAMES[0])


def test_a_normal_segment_that_marks_lesion_is_named() -> None:
    normal = {**A, "SegmentDescription": "Kind: normal"}
    assert [a.kind for a in read(segmentation(1, normal, PixelData=bytes(4)))] == ["normal"]
    with pytest.raises(AnnotationError, match=r"^s\.dcm says that A read the radiograph as normal, yet marks"):
        read(segmentation(1, normal))


def test_segments_of_one_reader_and_several_kinds_are_pixels_or_contradict_each_other() -> None:
    def kinds(*words: str) -> Dataset:
        texts = [{**A, "SegmentDescription": f"Kind: {word}"} for word in words]
        return segmentation(2, *texts, PerFrameFunctionalGroupsSequence=[identified(1), identified(2)])

    (found,) = read(kinds("box", "polygon"))
    assert (found.reader, found.kind) == ("A", "pixel")
    np.testing.assert_array_equal(found.mask, FRAMES.any(axis=0))
    for words in (("box", "normal"), ("normal", "polygon")):
        with pytest.raises(AnnotationError, match=r"^s\.dcm says that A read the radiograph as normal, yet marks"):
            read(kinds(*words))
