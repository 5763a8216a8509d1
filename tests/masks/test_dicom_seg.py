"""DICOM segmentations: written and read back, without identity, and files that are damaged or hostile."""

import ast
import io
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless, SegmentationStorage

from deep_pneumonia.errors import AnnotationError, MaskSizeError
from deep_pneumonia.masks import dicom_seg_write as dicom_export
from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.masks.dicom_seg import is_seg, read_seg
from deep_pneumonia.masks.dicom_seg_write import to_seg
from deep_pneumonia.radiographs.radiograph import decode
from deep_pneumonia.radiographs.sop_classes import LABEL_MAP_STORAGE
from tests.dicom_objects import NAME, RAMP, data_set, in_fragments, written

SIZE = RAMP.shape
RNG = np.random.default_rng(0)
MASKS = [Annotation(RNG.random(SIZE) > 0.5, "Dr Ä", "polygon"), Annotation(np.zeros(SIZE, bool), "B", "normal"),
         Annotation(np.zeros(SIZE, bool), "C", "box")]  # fmt: skip
PIXELS = (RNG.integers(0, 256, SIZE) / 255).astype(np.float32)
UIDS = {"StudyInstanceUID": "1.2.4", "SeriesInstanceUID": "1.2.5", "FrameOfReferenceUID": "1.2.6"}
RADIOGRAPH = written(data_set(RAMP, PatientBirthDate="19700101", StudyDate="20200101", AccessionNumber="Doe7",
                              InstitutionName="Doe Clinic", PixelSpacing=[0.2, 0.3], **UIDS))  # fmt: skip


def by_hand(frames: np.ndarray, segments: list[dict], numbers: list[int], **elements: object) -> Dataset:
    """A segmentation whose bits are packed here."""
    header = data_set(np.zeros(frames.shape[1:], np.uint8))
    header.SOPClassUID, header.SegmentationType, header.NumberOfFrames = SegmentationStorage, "BINARY", len(frames)
    header.BitsAllocated = header.BitsStored = 1
    header.HighBit = 0
    header.SegmentSequence = []
    for number, segment in enumerate(segments, 1):
        header.SegmentSequence.append(Dataset())
        header.SegmentSequence[-1].SegmentNumber = number
        header.SegmentSequence[-1].update(segment)
    header.PerFrameFunctionalGroupsSequence = [Dataset() for _ in numbers]
    for group, number in zip(header.PerFrameFunctionalGroupsSequence, numbers, strict=True):
        group.SegmentIdentificationSequence = [Dataset()]
        group.SegmentIdentificationSequence[0].ReferencedSegmentNumber = number
    header.PixelData = np.packbits(frames.ravel(), bitorder="little").tobytes() + b"\0"
    for keyword, value in elements.items():
        setattr(header, keyword, value)
    return header


def labelled(**texts: str) -> Dataset:
    segment = Dataset()
    for keyword, value in texts.items():
        setattr(segment, keyword, value)
    return segment


FRAMES = RNG.random((3, 5, 7)) > 0.5  # 35 bits a frame: none but the first starts with a byte
SEGMENTS = [labelled(SegmentLabel="A"), labelled(SegmentDescription="Dr B"), labelled(), labelled(SegmentLabel="A")]


def read(header: Dataset, size: tuple[int, int] = (5, 7)) -> list[Annotation]:
    return read_seg(written(header), size, name="/secret/s.dcm")


def same(found: list[Annotation], expected: list[Annotation]) -> None:
    assert [(a.reader, a.kind) for a in found] == [(a.reader, a.kind) for a in expected]
    for new, old in zip(found, expected, strict=True):
        np.testing.assert_array_equal(new.mask, old.mask)


@pytest.mark.parametrize("radiograph", [RADIOGRAPH, None, b"\x89PNG\r\n\x1a\n"], ids=["dicom", "none", "png"])
def test_what_is_written_is_read_back_bit_for_bit(radiograph):
    files = to_seg(MASKS, radiograph, PIXELS)
    same(read_seg(files.segmentation, SIZE, name="x.dcm"), MASKS)
    assert (files.source is None) == (radiograph is RADIOGRAPH)


def test_a_dicom_radiograph_is_referred_to_and_nothing_of_its_patient_is_kept():
    seg = to_seg(MASKS, RADIOGRAPH, PIXELS).segmentation
    for secret in (NAME, "Doe", "1970", "20200101"):
        assert secret.encode() in RADIOGRAPH
        assert secret.encode() not in seg
    header = dcmread(io.BytesIO(seg))
    assert (header.PatientName, header.PatientID, header.PatientBirthDate) == ("Anonymous^", "Anonymous", "")
    assert (header.StudyInstanceUID, header.FrameOfReferenceUID, header.SeriesInstanceUID == "1.2.5") == (
        "1.2.4", "1.2.6", False,
    )  # fmt: skip
    reference = header.ReferencedSeriesSequence[0]
    assert (reference.SeriesInstanceUID, reference.ReferencedInstanceSequence[0].ReferencedSOPInstanceUID) == (
        "1.2.5", "1.2.3",
    )  # fmt: skip
    assert header.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing == [0.2, 0.3]


def test_a_dicom_radiograph_without_its_uids_is_replaced_by_a_capture():
    for uids in ({}, {**UIDS, "StudyInstanceUID": "1..2"}):
        plain = data_set(RAMP)
        for keyword, value in uids.items():
            plain.add_new(keyword, "UI", "1.2.9")
            plain[keyword]._value = value
        source = to_seg(MASKS, written(plain), PIXELS).source
        assert source is not None
        assert b"Doe" not in source


@pytest.mark.parametrize(("pixels", "off"), [(PIXELS, 0), (RNG.random(SIZE, np.float32), 0.51 / 65535)])
def test_a_capture_is_the_radiograph_that_the_segmentation_refers_to(pixels, off):
    files = to_seg(MASKS, None, pixels)
    np.testing.assert_allclose(decode(files.source).pixels, pixels, rtol=0, atol=off)
    source, seg = dcmread(io.BytesIO(files.source)), dcmread(io.BytesIO(files.segmentation))
    assert seg.StudyInstanceUID == source.StudyInstanceUID
    assert seg.SourceImageSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert (source.PatientName, source.PatientID, source.PatientOrientation) == ("Anonymous^", "Anonymous", "")


def test_readers_of_one_name_and_long_names_stay_apart():
    names = ["A", "A", "x" * 90, "x" * 91, "a\\b"]
    written_ = [Annotation(MASKS[0].mask, name, "pixel") for name in names]
    found = read_seg(to_seg(written_, None, PIXELS).segmentation, SIZE, name="s.dcm")
    assert [a.reader for a in found] == ["A", "A (2)", "x" * 59, "x" * 59 + " (2)", "a/b"]


def test_what_cannot_be_written_is_said():
    with pytest.raises(AnnotationError, match="0 masks"):
        to_seg([], None, PIXELS)
    with pytest.raises(AnnotationError, match="65 masks"):
        to_seg(MASKS[:1] * 65, None, PIXELS)
    with pytest.raises(MaskSizeError):
        to_seg(MASKS, None, PIXELS[1:])


def test_packed_bits_are_read_across_bytes_and_segments_of_one_label_are_joined():
    found = read(by_hand(FRAMES, SEGMENTS, [4, 2, 1]))
    empty = np.zeros((5, 7), bool)
    expected = [(FRAMES[0] | FRAMES[2], "A"), (FRAMES[1], "Dr B"), (empty, "s")]
    same(found, [Annotation(mask, reader, "pixel") for mask, reader in expected])


def test_fractions_are_lesion_above_half():
    values = np.array([[0, 100, 101, 200, 255]], np.uint8)
    header = by_hand(values[None] > 0, SEGMENTS[:1], [1], SegmentationType="FRACTIONAL", MaximumFractionalValue=200)
    header.BitsAllocated, header.PixelData = 8, values.tobytes() + b"\0"
    assert read(header, (1, 5))[0].mask.tolist() == [[False, False, True, True, True]]


def deflated(header: Dataset, extra: int = 0) -> bytes:
    header.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    header.PixelData += bytes(extra)
    return written(header)


def test_a_deflated_segmentation_is_read_within_the_bound():
    (found,) = read_seg(deflated(by_hand(FRAMES[:1], SEGMENTS[:1], [1])), (5, 7), name="s.dcm")
    np.testing.assert_array_equal(found.mask, FRAMES[0])
    with pytest.raises(AnnotationError, match=r"^s\.dcm inflates to more"):
        read_seg(deflated(by_hand(FRAMES[:1], SEGMENTS[:1], [1]), 2**26), (5, 7), name="s.dcm")


def test_another_size_is_an_error():
    with pytest.raises(MaskSizeError, match=r"^s\.dcm has 5 x 7 pixels .* 7 x 5"):
        read(by_hand(FRAMES, SEGMENTS, [1, 2, 3]), (7, 5))


@pytest.mark.parametrize("change", [
    {"NumberOfFrames": 65}, {"NumberOfFrames": -1}, {"NumberOfFrames": 4}, {"PixelData": b"12"}, {"BitsAllocated": 8},
    {"SegmentationType": "LABELMAP"}, {"SegmentSequence": []}, {"SegmentSequence": [Dataset()]},
    {"SegmentSequence": [SEGMENTS[0]] * 65}, {"PerFrameFunctionalGroupsSequence": []}, {"SamplesPerPixel": 3},
    {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, {"Rows": None},
])  # fmt: skip
def test_a_damaged_segmentation_is_named_in_one_sentence(change):
    with pytest.raises(AnnotationError) as caught:
        read(by_hand(FRAMES, SEGMENTS, [1, 2, 3], **change))
    assert str(caught.value).startswith("s.dcm ")
    assert "\n" not in str(caught.value)


def test_what_is_not_one_mask_a_segment_is_refused():
    for numbers in ([1, 1, 2], [1, 2, 9]):
        with pytest.raises(AnnotationError, match=r"^s\.dcm has "):
            read(by_hand(FRAMES, SEGMENTS, numbers))
    with pytest.raises(AnnotationError, match="20000 items"):
        read_seg(RADIOGRAPH + b"\xfe\xff\x00\xe0" * 20_001, SIZE, name="s.dcm")
    header = by_hand(FRAMES, SEGMENTS, [1, 2, 3])
    data = written(header).replace(b"1.2.840.10008.1.2.1\0", RLELossless.encode() + b"\0")
    with pytest.raises(AnnotationError, match=r"^s\.dcm (is in a transfer syntax|is damaged)"):
        read_seg(data, (5, 7), name="s.dcm")


def test_damage_gives_masks_or_a_plain_error():
    whole = written(by_hand(FRAMES, SEGMENTS, [1, 2, 3]))
    for _ in range(150):
        damaged = bytearray(whole[: RNG.integers(1, len(whole))] if RNG.random() < 0.5 else whole)
        for at in RNG.integers(0, len(damaged), 4):
            damaged[at] = RNG.integers(0, 256)
        said = "s.dcm "
        try:
            assert all(a.size == (5, 7) for a in read_seg(bytes(damaged), (5, 7), name="s.dcm"))
        except AnnotationError as error:
            said = str(error)
        assert said.startswith("s.dcm ")


LABELS = np.array([[0, 1, 2, 2, 255]])


@pytest.mark.parametrize("dtype", ["u1", "<u2"])
def test_a_label_map_gives_its_segments(dtype: str):
    labels = LABELS.astype(dtype)
    header = by_hand(labels[None] > 0, [labelled(SegmentLabel=name) for name in ("Background", "A", "B", "C")], [1])
    header.SOPClassUID, header.SegmentationType = LABEL_MAP_STORAGE, "LABELMAP"
    header.BitsAllocated, header.PixelData = 8 * labels.itemsize, labels.tobytes() + b"\0" * (labels.size % 2)
    for segment, number in zip(header.SegmentSequence, (0, 1, 2, 255), strict=True):
        segment.SegmentNumber = number
    assert is_seg(written(header))
    found = read(header, (1, 5))
    same(found, [Annotation(labels == n, reader, "pixel") for reader, n in (("A", 1), ("B", 2), ("C", 255))])
    header.PixelPaddingValue = 255  # the background need not be 0
    assert [a.reader for a in read(header, (1, 5))] == ["Background", "A", "B"]
    header.NumberOfFrames = 2
    with pytest.raises(AnnotationError, match="2 frames"):
        read(header, (1, 5))
    header.NumberOfFrames, header.PixelPaddingValue, header.SegmentSequence = 1, 0, header.SegmentSequence[:3]
    with pytest.raises(AnnotationError, match=r"^s\.dcm has pixels of the segment 255, which it does not"):
        read(header, (1, 5))


def test_pixels_in_fragments_of_an_uncompressed_syntax_are_refused():
    fragments = in_fragments(by_hand(FRAMES, SEGMENTS, [1, 2, 3]))
    with pytest.raises(AnnotationError, match=r"^s\.dcm is a DICOM object with pixel data of undefined length"):
        read_seg(fragments, (5, 7), name="s.dcm")


def test_highdicom_is_loaded_by_writing_alone():
    tree = ast.parse(Path(dicom_export.__file__).read_text(encoding="utf-8"))
    at_once = [ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not [line for line in at_once if "highdicom" in line]
    assert "import highdicom" in ast.unparse(tree)


def test_segments_of_the_lungs_are_no_masks_of_lesions():
    names = ("Left lung", "Lesion")
    header = by_hand(FRAMES[:2], [labelled(SegmentLabel=name) for name in names], [1, 2])
    same(read(header), [Annotation(FRAMES[1], "Lesion", "pixel")])
    header = by_hand(FRAMES[:1], [labelled(SegmentLabel="Left lung")], [1])
    with pytest.raises(AnnotationError, match=r"^s\.dcm has only segments such as 'Left lung', which are no lesions"):
        read(header)
