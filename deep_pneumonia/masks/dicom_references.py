"""Which images a DICOM segmentation belongs to."""

from pydicom import Dataset

from deep_pneumonia.limits import MAX_FILE_BYTES
from deep_pneumonia.radiographs import dicom
from deep_pneumonia.radiographs.silence import SILENCE

REFERENCE = "ReferencedSOPInstanceUID"
# The ways from a segmentation to the images that it was drawn on (DICOM PS3.3 C.12.4, C.7.6.16.2.6).
WAYS = (
    ("ReferencedSeriesSequence", "ReferencedInstanceSequence"),
    ("SharedFunctionalGroupsSequence", "DerivationImageSequence", "SourceImageSequence"),
    ("PerFrameFunctionalGroupsSequence", "DerivationImageSequence", "SourceImageSequence"),
    ("SourceImageSequence",),
)


def referenced_images(data: bytes, name: str) -> frozenset[str]:
    """The SOP Instance UIDs of the images that a segmentation says it was drawn on; none if it is damaged."""
    with SILENCE:
        try:
            header = dicom.elements(data, name, [way[0] for way in WAYS], limit=MAX_FILE_BYTES)
            found = [item for way in WAYS for item in _below(header, way)]
            return frozenset(str(item.get(REFERENCE)) for item in found if item.get(REFERENCE))
        except Exception:  # pydicom raises many types on damaged bytes
            return frozenset()


def _below(header: Dataset, way: tuple[str, ...]) -> list[Dataset]:
    """The items at the end of a way of sequences."""
    items = [header]
    for keyword in way:
        items = [below for item in items for below in item.get(keyword) or []]
    return items
