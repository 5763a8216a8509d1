"""DICOM segmentations of one radiograph, written so that `deep_pneumonia.masks.dicom_seg` reads the same masks back.

What is written holds nothing that says whose radiograph it is. Of a DICOM radiograph only these are kept, since
without them nothing could find the radiograph that is meant: the UIDs of its study, series, instance, class and frame
of reference, its rows and columns, and the millimetres a pixel. Name and ID are "Anonymous"; birth date, sex, accession
number, study ID and study date are blank. Dates are those of the writing.
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
from deep_pneumonia.files import MAX_FILE_BYTES
from deep_pneumonia.masks.annotation import Annotation, Size, check_size
from deep_pneumonia.masks.dicom_seg import KIND, MAX_FRAMES
from deep_pneumonia.names import distinct
from deep_pneumonia.radiographs import dicom
from deep_pneumonia.radiographs.grey_levels import stored_integers
from deep_pneumonia.radiographs.silence import SILENCE

REFERENCE = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
FRAME = "FrameOfReferenceUID"
GEOMETRY = ("Rows", "Columns", "PixelSpacing", "ImagerPixelSpacing")
ANONYMOUS = "Anonymous"
NOBODY = {
    "patient_name": f"{ANONYMOUS}^", "patient_id": ANONYMOUS, "patient_birth_date": "", "patient_sex": None,
    "accession_number": "", "study_id": "", "study_date": None, "study_time": None,
}  # fmt: skip
MAKER = "deep-pneumonia"
LABEL = 64  # characters that a SegmentLabel may have
OVERHEAD = 2**20  # bytes; far more than all that is not pixels


@dataclass(frozen=True)
class SegFiles:
    """A DICOM segmentation and, where the radiograph is no DICOM object, the one made of it that it refers to."""

    segmentation: bytes
    source: bytes | None


def to_seg(annotations: Sequence[Annotation], radiograph: bytes | None, pixels: NDArray[np.float32]) -> SegFiles:
    """A binary DICOM segmentation, a segment each reader, from which `read_seg` gives the same masks bit for bit.

    radiograph: the file's bytes, None if not at hand. A DICOM radiograph is what the segmentation refers to. For any
    other a Secondary Capture of the pixels is made, with new UIDs; both files belong together.
    pixels: the radiograph, (H, W) in [0, 1]; the capture has 8 bits where that loses nothing, else 16.

    A label has at most 64 characters and no backslash; readers of one name are numbered.

    Raises:
        AnnotationError: not 1 to 64 annotations, or so large that they could not be read back.
        MaskSizeError: a mask has another size than the pixels.
    """
    size = pixels.shape[0], pixels.shape[1]
    if not 0 < len(annotations) <= MAX_FRAMES or len(annotations) * pixels.size > 8 * (MAX_FILE_BYTES - OVERHEAD):
        raise AnnotationError(
            f"There are {len(annotations)} masks of {size[0]} x {size[1]} pixels; expected 1 to {MAX_FRAMES} that fit "
            f"in {MAX_FILE_BYTES // 2**20} MiB, so write fewer."
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
    """What a DICOM radiograph is referred to by, without identity; None where it cannot be."""
    if radiograph is None or not (radiograph[128:132] == b"DICM" or dicom.may_be(radiograph)):
        return None
    try:
        header = dicom.elements(radiograph, "The file", (*REFERENCE, FRAME, *GEOMETRY), limit=4 * MAX_FILE_BYTES)
        if dicom.size(header) != size or not all(_is_uid(header.get(keyword)) for keyword in REFERENCE):
            return None
        return _kept(header)
    except Exception:  # damaged in what nobody needs to see the picture; a capture takes its place
        return None


def _kept(header: Dataset) -> Dataset:
    kept = Dataset()
    kept.PatientName, kept.PatientID = NOBODY["patient_name"], NOBODY["patient_id"]
    kept.PatientBirthDate = kept.PatientSex = kept.AccessionNumber = kept.StudyID = ""
    kept.StudyDate = kept.StudyTime = None
    for keyword in (*REFERENCE, FRAME):
        if _is_uid(header.get(keyword)):
            setattr(kept, keyword, str(header.get(keyword)))
    kept.Rows, kept.Columns = dicom.size(header)
    spacing = dicom.spacing_mm(header)
    if spacing:
        kept.PixelSpacing = [float(f"{mm:.6g}") for mm in spacing]
    return kept


def _is_uid(value: object) -> bool:
    """Whether it is a UID: digits and dots, no room for a name."""
    return isinstance(value, str) and bool(value) and UID(value).is_valid


def _capture(pixels: NDArray[np.float32]) -> Dataset:
    """A Secondary Capture of the pixels, whose window shows them as they are."""
    import highdicom.sc  # takes most of a second, so only where it is used

    stored = stored_integers(pixels)
    bits = 8 * stored.itemsize
    made: Dataset = highdicom.sc.SCImage(
        stored, "MONOCHROME2", bits, "PATIENT", generate_uid(), generate_uid(), 1, generate_uid(), 1, MAKER,
        patient_orientation=("L", "F"), **NOBODY,
    )  # fmt: skip
    made.PatientOrientation = ""  # highdicom wants one, and a picture does not tell
    made.WindowCenter, made.WindowWidth = 2 ** (bits - 1), 2**bits
    return made


def _segmentation(annotations: Sequence[Annotation], source: Dataset) -> Dataset:
    import highdicom.seg
    from pydicom.sr.codedict import codes

    readers = distinct([a.reader.replace("\\", "/").strip()[: LABEL - 5] or "reader" for a in annotations])
    described = []
    for number, (annotation, reader) in enumerate(zip(annotations, readers, strict=True), 1):
        one = highdicom.seg.SegmentDescription(
            number, reader, codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Lesion, "MANUAL"
        )
        one.SegmentDescription = KIND + annotation.kind
        described.append(one)
    return highdicom.seg.Segmentation(
        [source], np.stack([a.mask for a in annotations], axis=-1)[None], "BINARY", described, generate_uid(), 1,
        generate_uid(), 1, MAKER, MAKER, f"highdicom {highdicom.__version__}", "none",
        content_label="LESIONS", omit_empty_frames=False, specific_character_set="ISO_IR 192",
    )  # fmt: skip


def _written(header: Dataset) -> bytes:
    stream = io.BytesIO()
    header.save_as(stream)
    return stream.getvalue()
