"""The headers of written DICOM segmentations and captures, as another program reads them."""

import io

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from deep_pneumonia.errors import AnnotationError, MaskSizeError
from deep_pneumonia.masks import dicom_seg_write
from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.masks.dicom_seg_write import to_seg
from tests.dicom_objects import RAMP8, data_set, written

SIZE = RAMP8.shape
PIXELS = (RAMP8 / 255).astype(np.float32)
LESION = np.add.outer(np.arange(SIZE[0]), np.arange(SIZE[1])) % 3 == 0
MASKS = [Annotation(LESION, "Dr Ä", "polygon"), Annotation(np.zeros(SIZE, bool), " B\\C ", "normal")]
UIDS = {"StudyInstanceUID": "1.2.4", "SeriesInstanceUID": "1.2.5"}


def values(header: Dataset, expected: dict[str, object]) -> dict[str, object]:
    return {keyword: header.get(keyword) for keyword in expected}


def objects(radiograph: bytes | None = None, pixels: np.ndarray = PIXELS) -> tuple[Dataset, Dataset | None]:
    """The segmentation and the capture that it refers to."""
    files = to_seg(MASKS, radiograph, pixels)
    return dcmread(io.BytesIO(files.segmentation)), files.source and dcmread(io.BytesIO(files.source))


def test_a_segmentation_says_what_it_is() -> None:
    expected = {
        "SpecificCharacterSet": "ISO_IR 192", "Modality": "SEG", "SegmentationType": "BINARY", "NumberOfFrames": 2,
        "ContentLabel": "LESIONS", "Manufacturer": "deep-pneumonia", "ManufacturerModelName": "deep-pneumonia",
        "DeviceSerialNumber": "none", "SeriesNumber": 1, "InstanceNumber": 1, "Rows": SIZE[0], "Columns": SIZE[1],
        "PatientName": "Anonymous^", "PatientID": "Anonymous", "PatientBirthDate": "", "PatientSex": "",
        "AccessionNumber": "", "StudyID": "", "StudyDate": "", "StudyTime": "",
    }  # fmt: skip
    seg, source = objects()
    assert values(seg, expected) == expected
    assert seg.SoftwareVersions.startswith("highdicom ")
    first, second = objects(written(data_set(RAMP8, **UIDS)))[0], objects()[0]
    assert values(first, expected) == expected
    assert len({seg.SOPInstanceUID, seg.SeriesInstanceUID, source.SOPInstanceUID, source.SeriesInstanceUID}) == 4
    assert second.SOPInstanceUID != seg.SOPInstanceUID
    assert second.SeriesInstanceUID != seg.SeriesInstanceUID


def test_a_segment_for_each_reader() -> None:
    segments = objects()[0].SegmentSequence
    assert [s.SegmentNumber for s in segments] == [1, 2]
    assert [s.SegmentLabel for s in segments] == ["Dr Ä", "B/C"]
    assert [s.SegmentDescription.rpartition(" ")[2] for s in segments] == ["polygon", "normal"]
    assert {s.SegmentAlgorithmType for s in segments} == {"MANUAL"}
    assert {s.SegmentedPropertyTypeCodeSequence[0].CodeMeaning for s in segments} == {"Lesion"}
    category = {s.SegmentedPropertyCategoryCodeSequence[0].CodeMeaning for s in segments}
    assert category == {"Morphologically Abnormal Structure"}
    files = to_seg([Annotation(LESION, " ", "box")], None, PIXELS)
    assert dcmread(io.BytesIO(files.segmentation)).SegmentSequence[0].SegmentLabel == "reader"


@pytest.mark.parametrize(("depth", "window"), [(8, (128, 256)), (16, (32768, 65536))])
def test_a_capture_says_what_it_is(depth: int, window: tuple[int, int]) -> None:
    fine = np.random.default_rng(0).random(SIZE, np.float32)
    source = objects(pixels=PIXELS if depth == 8 else fine)[1]
    expected = {
        "Modality": "OT", "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": depth, "BitsStored": depth,
        "Manufacturer": "deep-pneumonia", "PatientOrientation": "", "SeriesNumber": 1, "InstanceNumber": 1,
        "PatientName": "Anonymous^", "PatientID": "Anonymous", "PatientBirthDate": "", "PatientSex": "",
        "AccessionNumber": "", "StudyID": "", "StudyDate": "", "StudyTime": "", "WindowCenter": window[0],
        "WindowWidth": window[1],
    }  # fmt: skip
    assert source is not None
    assert values(source, expected) == expected


def test_a_radiograph_is_referred_to_if_its_size_and_uids_fit() -> None:
    header = data_set(RAMP8, **UIDS, PixelSpacing=[0.1234567, 0.2])
    seg, source = objects(written(header))
    assert source is None
    assert seg.StudyInstanceUID == "1.2.4"
    measures = seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert list(measures.PixelSpacing) == [0.123457, 0.2]
    raw = io.BytesIO()  # without the preamble and its mark, as old programs write
    header.save_as(raw, enforce_file_format=False, implicit_vr=False, little_endian=True)
    assert objects(raw.getvalue()[132:] if raw.getvalue()[128:132] == b"DICM" else raw.getvalue())[1] is None
    other_size = written(data_set(RAMP8[1:], **UIDS))
    for replaced in (other_size, written(data_set(RAMP8, StudyInstanceUID="1.2.4")), written(header)[:200], b"DICM"):
        seg, source = objects(replaced)
        assert source is not None
        assert seg.StudyInstanceUID == source.StudyInstanceUID != "1.2.4"


def test_the_number_of_masks_and_pixels_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    one = MASKS[:1]
    assert to_seg(one * 64, None, PIXELS).source
    with pytest.raises(AnnotationError, match="There are 65 masks of 48 x 64 pixels; expected 1 to 64"):
        to_seg(one * 65, None, PIXELS)
    with pytest.raises(MaskSizeError, match=r"The mask of Dr Ä has 48 x 64 pixels .* 47 x 64"):
        to_seg(one, None, PIXELS[1:])
    monkeypatch.setattr(dicom_seg_write, "MAX_FILE_BYTES", 2**20 + 2 * 48 * 64 // 8)
    assert to_seg(one * 2, None, PIXELS).segmentation
    with pytest.raises(AnnotationError, match="There are 3 masks"):
        to_seg(one * 3, None, PIXELS)
