"""Name the DICOM objects that are no radiographs by their SOP class (DICOM PS3.4 B.5, PS3.6 annex A)."""

from __future__ import annotations

from pydicom.uid import RTImageStorage, SegmentationStorage

LABEL_MAP_STORAGE = "1.2.840.10008.5.1.4.1.1.66.7"  # supplement 243; pydicom 3.0 does not name it
SEGMENTATIONS = (SegmentationStorage, LABEL_MAP_STORAGE)

STORAGE = "1.2.840.10008.5.1.4.1.1."
MASK_ADVICE = "load it as a mask of its radiograph"
IMAGE_ADVICE = "choose the radiograph itself"
# Start of the UID, what the object is, what to do. The first that fits counts.
_OTHER_OBJECTS = (
    *((uid, "a segmentation", MASK_ADVICE) for uid in SEGMENTATIONS),
    (STORAGE + "66.", "a surface segmentation or a registration", IMAGE_ADVICE),
    (STORAGE + "88.", "a structured report", IMAGE_ADVICE),
    (STORAGE + "481.3", "a structure set of radiotherapy", "export its contours as a segmentation (DICOM SEG)"),
    (STORAGE + "481.", "a plan, dose or record of radiotherapy", IMAGE_ADVICE),
    (STORAGE + "104.", "an encapsulated document such as a PDF", IMAGE_ADVICE),
    (STORAGE + "11.", "a presentation state", IMAGE_ADVICE),
    (STORAGE + "9.", "a waveform", IMAGE_ADVICE),
    (STORAGE + "30", "a parametric map", IMAGE_ADVICE),
    ("1.2.840.10008.1.3.10", "a directory of other files (DICOMDIR)", "choose one of the images that it lists"),
)


def other_object(uids: tuple[str, ...]) -> tuple[str, str] | None:
    """What an object of one of these SOP classes is and what to do with it; None for images and unknown classes."""
    for start, what, advice in _OTHER_OBJECTS:
        if any(_begins(uid, start) for uid in uids):
            return what, advice
    return None


def _begins(uid: str, start: str) -> bool:
    if uid == RTImageStorage:  # a picture of a treatment beam is still an X-ray image
        return False
    return uid == start or (start.endswith(".") and uid.startswith(start))
