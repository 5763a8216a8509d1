"""Write DICOM segmentations of one radiograph that `deep_pneumonia.masks.dicom_seg` reads back unchanged.

The files do not identify the patient. From a DICOM radiograph they keep only what is needed to find it again: the UIDs
of its study, series, instance, class and frame of reference, its rows and columns, and its pixel spacing. Name and ID
are "Anonymous"; birth date, sex, accession number, study ID and study date are blank. Dates are those of the writing.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import UID, generate_uid

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.limits import MAX_FILE_BYTES, MAX_SEG_FRAMES
from deep_pneumonia.masks.annotation import Annotation, Size, check_size
from deep_pneumonia.masks.dicom_seg import KIND_PREFIX
from deep_pneumonia.names import distinct
from deep_pneumonia.radiographs import dicom, dicom_frames
from deep_pneumonia.radiographs.grey_levels import stored_integers
from deep_pneumonia.radiographs.silence import SILENCE

REFERENCE_TAGS = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
FRAME_TAG = "FrameOfReferenceUID"
GEOMETRY_TAGS = ("Rows", "Columns", "PixelSpacing", "ImagerPixelSpacing")
ANONYMOUS_NAME = "Anonymous"
ANONYMOUS_PATIENT = {
    "patient_name": f"{ANONYMOUS_NAME}^", "patient_id": ANONYMOUS_NAME, "patient_birth_date": "", "patient_sex": None,
    "accession_number": "", "study_id": "", "study_date": None, "study_time": None,
}  # fmt: skip
MANUFACTURER = "deep-pneumonia"
MAX_LABEL_LENGTH = 64  # the limit of a SegmentLabel
MAX_OVERHEAD_BYTES = 2**20  # far more than everything that is not pixels


@dataclass(frozen=True)
class SegFiles:
    """A DICOM segmentation and, if the radiograph is not a DICOM object, the Secondary Capture it refers to."""

    segmentation: bytes
    source: bytes | None


def to_seg(annotations: Sequence[Annotation], radiograph: bytes | None, pixels: NDArray[np.float32]) -> SegFiles:
    """Encode a binary DICOM segmentation, one segment for each reader; `read_seg` restores the masks bit for bit.

    The segmentation refers to a DICOM radiograph itself. For any other file, a Secondary Capture of the pixels with new
    UIDs is made, and both files belong together. Labels have at most 64 characters and no backslash; readers with the
    same name are numbered.

    radiograph: the bytes of its file, or None if they are not available.
    pixels: the radiograph, float32 (H, W) in [0, 1]. The capture has 8 bits if that loses nothing, else 16.

    Raises:
        AnnotationError: not 1 to 64 annotations, or too large to be read back.
        MaskSizeError: a mask differs in size from the pixels.
    """
    size = pixels.shape[0], pixels.shape[1]
    max_bits = 8 * (MAX_FILE_BYTES - MAX_OVERHEAD_BYTES)
    if not 0 < len(annotations) <= MAX_SEG_FRAMES or len(annotations) * pixels.size > max_bits:
        raise AnnotationError(
            f"There are {len(annotations)} masks of {size[0]} x {size[1]} pixels; expected 1 to {MAX_SEG_FRAMES} that "
            f"fit in {MAX_FILE_BYTES // 2**20} MiB, so write fewer."
        )
    for annotation in annotations:
        check_size(annotation.size, size, f"The mask of {annotation.reader}")
    with SILENCE:
        source = _reference(radiograph, size)
        if source is not None:
            return SegFiles(_written(_segmentation(annotations, source)), None)
        made = _capture(pixels)
        return SegFiles(_written(_segmentation(annotations, made)), _written(made))


def _reference(radiograph: bytes | None, size: Size) -> Dataset | None:
    """The elements that refer to a DICOM radiograph, without identity; None if there is nothing to refer to."""
    if radiograph is None or not (radiograph[128:132] == b"DICM" or dicom.may_be(radiograph)):
        return None
    try:
        tags = (*REFERENCE_TAGS, FRAME_TAG, *GEOMETRY_TAGS)
        header = dicom.elements(radiograph, "The file", tags, limit=4 * MAX_FILE_BYTES)
        if dicom_frames.size(header) != size or not all(_is_uid(header.get(keyword)) for keyword in REFERENCE_TAGS):
            return None
        return _kept(header)
    except Exception:  # a damaged header that the pixels do not need; a capture replaces it
        return None


def _kept(header: Dataset) -> Dataset:
    kept = Dataset()
    kept.PatientName, kept.PatientID = ANONYMOUS_PATIENT["patient_name"], ANONYMOUS_PATIENT["patient_id"]
    kept.PatientBirthDate = kept.PatientSex = kept.AccessionNumber = kept.StudyID = ""
    kept.StudyDate = kept.StudyTime = None
    for keyword in (*REFERENCE_TAGS, FRAME_TAG):
        if _is_uid(header.get(keyword)):
            setattr(kept, keyword, str(header.get(keyword)))
    kept.Rows, kept.Columns = dicom_frames.size(header)
    spacing = dicom.spacing_mm(header)
    if spacing:
        kept.PixelSpacing = [float(f"{mm:.6g}") for mm in spacing]
    return kept


def _is_uid(value: object) -> bool:
    """Whether a value is a UID: only digits and dots, so it cannot hold a name."""
    return isinstance(value, str) and bool(value) and UID(value).is_valid


def _capture(pixels: NDArray[np.float32]) -> Dataset:
    """A Secondary Capture of the pixels, with a window that shows them unchanged."""
    import highdicom.sc  # imported here because it takes most of a second

    stored = stored_integers(pixels)
    bits = 8 * stored.itemsize
    made: Dataset = highdicom.sc.SCImage(
        stored, "MONOCHROME2", bits, "PATIENT", generate_uid(), generate_uid(), 1, generate_uid(), 1, MANUFACTURER,
        patient_orientation=("L", "F"), **ANONYMOUS_PATIENT,
    )  # fmt: skip
    made.PatientOrientation = ""  # highdicom requires one, but the image does not state it
    made.WindowCenter, made.WindowWidth = 2 ** (bits - 1), 2**bits
    return made


def _segmentation(annotations: Sequence[Annotation], source: Dataset) -> Dataset:
    import highdicom.seg
    from pydicom.sr.codedict import codes

    readers = distinct([a.reader.replace("\\", "/").strip()[: MAX_LABEL_LENGTH - 5] or "reader" for a in annotations])
    described = []
    for number, (annotation, reader) in enumerate(zip(annotations, readers, strict=True), 1):
        one = highdicom.seg.SegmentDescription(
            number, reader, codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Lesion, "MANUAL"
        )
        one.SegmentDescription = KIND_PREFIX + annotation.kind
        described.append(one)
    return highdicom.seg.Segmentation(
        [source], np.stack([a.mask for a in annotations], axis=-1)[None], "BINARY", described, generate_uid(), 1,
        generate_uid(), 1, MANUFACTURER, MANUFACTURER, f"highdicom {highdicom.__version__}", "none",
        content_label="LESIONS", omit_empty_frames=False, specific_character_set="ISO_IR 192",
    )  # fmt: skip


def _written(header: Dataset) -> bytes:
    stream = io.BytesIO()
    header.save_as(stream)
    return stream.getvalue()
