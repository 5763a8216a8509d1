"""Headers of DICOM objects with one frame; `dicom_frames` decodes their pixels.

`radiographs.radiograph` decodes radiographs with this module; `masks` reads and writes segmentations with it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from pydicom import Dataset
from pydicom.filereader import read_dataset, read_preamble
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian

from deep_pneumonia.errors import UnsupportedDicomError
from deep_pneumonia.radiographs import dicom_bounds
from deep_pneumonia.radiographs.dicom_frames import is_decodable
from deep_pneumonia.radiographs.grey_levels import numbers
from deep_pneumonia.radiographs.sop_classes import other_object

# The only elements that are read. None of them identifies the patient.
TAGS = [
    *(
        "SOPClassUID",
        "PixelData",
        "FloatPixelData",
        "DoubleFloatPixelData",
        "NumberOfFrames",
        "SamplesPerPixel",
        "PhotometricInterpretation",
        "PlanarConfiguration",
    ),
    *("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *("PixelPaddingValue", "PixelPaddingRangeLimit", "PixelSpacing", "ImagerPixelSpacing"),
    *("FloatPixelPaddingValue", "FloatPixelPaddingRangeLimit"),
    *("DoubleFloatPixelPaddingValue", "DoubleFloatPixelPaddingRangeLimit"),
    *("RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "LUTDescriptor", "LUTData"),
    *("WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence", "PresentationLUTShape"),
]
PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
GREY_INTERPRETATIONS = ("MONOCHROME1", "MONOCHROME2")


def may_be(data: bytes) -> bool:
    """Whether bytes without the DICM marker start like a DICOM data set, with group 0002 or 0008."""
    return data[:2] in (b"\x02\x00", b"\x08\x00", b"\x00\x08")


def read_header(data: bytes, name: str, *, limit: int) -> Dataset:
    """Read the elements of TAGS; the pixels stay encoded.

    limit: the most bytes that a deflated data set may inflate to.

    Raises:
        UnsupportedDicomError: the SOP class is not that of an image, or there are no pixels, several frames, an
            unsupported transfer syntax or colour space, or a rescale that is not a finite number.
        TooLargeError: the data set inflates to more than `limit` bytes.
    """
    header = elements(data, name, TAGS, limit=limit)
    classes = (str(header.get("SOPClassUID") or ""), str(header.file_meta.get("MediaStorageSOPClassUID") or ""))
    if other := other_object(classes):
        raise UnsupportedDicomError(
            f"{name} is a DICOM object that holds {other[0]}, expected a radiograph; {other[1]}."
        )
    if not any(keyword in header for keyword in PIXEL_KEYWORDS) or not header.get("Rows") or not header.get("Columns"):
        raise UnsupportedDicomError(f"{name} is a DICOM object without pixel data; choose one with an image.")
    if int(header.get("NumberOfFrames") or 1) > 1:
        raise UnsupportedDicomError(
            f"{name} is a DICOM object with {int(header.NumberOfFrames)} frames, expected exactly one; "
            "export one frame."
        )
    if not is_decodable(header.file_meta.TransferSyntaxUID):
        raise UnsupportedDicomError(
            f"{name} is a DICOM object in a transfer syntax that is not supported; "
            "export it uncompressed (Explicit VR Little Endian)."
        )
    channels = (header.get("SamplesPerPixel", 1), header.get("PhotometricInterpretation"))
    if (channels[0] == 1 and channels[1] not in GREY_INTERPRETATIONS) or channels[0] not in (1, 3):
        raise UnsupportedDicomError(
            f"{name} is a DICOM object that is neither greyscale (MONOCHROME1, MONOCHROME2) nor RGB; "
            "export it as greyscale."
        )
    for keyword in ("RescaleSlope", "RescaleIntercept"):
        if header.get_item(keyword) and header.get_item(keyword).value and not numbers(header, keyword):
            raise UnsupportedDicomError(
                f"{name} is a DICOM object whose {keyword} is not a finite number, so its grey levels are unknown; "
                "export it again."
            )
    return header


def elements(data: bytes, name: str, tags: Sequence[str], *, limit: int) -> Dataset:
    """Read the elements of `tags` and set the transfer syntax if the file does not state it.

    limit: the most bytes that a deflated data set may inflate to.

    Raises:
        TooLargeError: the data set inflates to more than `limit` bytes, or has more items, elements or bytes in a value
            than allowed.
        UnsupportedDicomError: the pixels are in fragments, although the transfer syntax is uncompressed.
    """
    meta, start = _file_meta(data)
    if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        data = dicom_bounds.inflated(data[start:], limit, name)
    header = dicom_bounds.read(data, tags, name)
    if not header.file_meta.get("TransferSyntaxUID"):  # only the byte order matters below
        little = header.original_encoding[1]
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    if "PixelData" in header and header["PixelData"].is_undefined_length and _native(header):
        # DICOM PS3.5 A.4 allows fragments only in encapsulated syntaxes; their item headers would be read as pixels.
        raise UnsupportedDicomError(
            f"{name} is a DICOM object with pixel data of undefined length, which its uncompressed transfer syntax "
            "does not allow; export it again."
        )
    return header


def _native(header: Dataset) -> bool:
    syntax = header.file_meta.TransferSyntaxUID
    return not syntax.is_private and syntax.is_transfer_syntax and not syntax.is_encapsulated


def sop_class(head: bytes) -> str:
    """The SOP class UID in the meta header of the object that starts with these bytes, or ""."""
    return str(_file_meta(head)[0].get("MediaStorageSOPClassUID") or "")


def _file_meta(data: bytes) -> tuple[Dataset, int]:
    """SOP class and transfer syntax from the meta header, and the offset of the data set after it."""
    stream = io.BytesIO(data)
    read_preamble(stream, force=True)
    meta = read_dataset(
        stream, False, True, stop_when=lambda tag, _vr, _length: tag.group != 2, specific_tags=[0x00020002, 0x00020010]
    )
    return meta, stream.tell()


def spacing_mm(header: Dataset) -> tuple[float, float] | None:
    """Millimetres between (rows, columns): in the patient if stated, else at the detector, else None."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        found = numbers(header, keyword)
        if len(found) == 2 and min(found) > 0:
            return found[0], found[1]
    return None
