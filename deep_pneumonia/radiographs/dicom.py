"""Headers and pixels of DICOM objects with one frame.

`radiographs.radiograph` decodes radiographs with this module; `masks` reads and writes segmentations with it.
"""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.encaps import generate_frames
from pydicom.filereader import read_dataset, read_preamble
from pydicom.pixels import get_decoder, pixel_array
from pydicom.uid import (
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    RLELossless,
)

from deep_pneumonia.errors import NotARadiographError, TooLargeError, UnsupportedDicomError
from deep_pneumonia.radiographs.grey_levels import numbers, stored_bits
from deep_pneumonia.radiographs.sop_classes import other_object

# The only elements that are read. None of them identifies the patient.
TAGS = [
    *(
        "SOPClassUID",
        "PixelData",
        "NumberOfFrames",
        "SamplesPerPixel",
        "PhotometricInterpretation",
        "PlanarConfiguration",
    ),
    *("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *("PixelPaddingValue", "PixelPaddingRangeLimit", "PixelSpacing", "ImagerPixelSpacing"),
    *("RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "LUTDescriptor", "LUTData"),
    *("WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence", "PresentationLUTShape"),
]
GREY_INTERPRETATIONS = ("MONOCHROME1", "MONOCHROME2")
MAX_GDCM_SECONDS = 30  # a large radiograph takes one or two; a damaged one may never end


def may_be(data: bytes) -> bool:
    """Whether bytes without the DICM marker start like a DICOM data set, with group 0002 or 0008."""
    return data[:2] in (b"\x02\x00", b"\x08\x00", b"\x00\x08")


def read_header(data: bytes, name: str, *, limit: int) -> Dataset:
    """Read the elements of TAGS; the pixels stay encoded.

    limit: the most bytes that a deflated data set may inflate to.

    Raises:
        UnsupportedDicomError: the SOP class is not that of an image, or there are no pixels, several frames, or an
            unsupported transfer syntax or colour space.
        TooLargeError: the data set inflates to more than `limit` bytes.
    """
    header = elements(data, name, TAGS, limit=limit)
    classes = (str(header.get("SOPClassUID") or ""), str(header.file_meta.get("MediaStorageSOPClassUID") or ""))
    if other := other_object(classes):
        raise UnsupportedDicomError(
            f"{name} is a DICOM object that holds {other[0]}, expected a radiograph; {other[1]}."
        )
    if "PixelData" not in header or not header.get("Rows") or not header.get("Columns"):
        raise UnsupportedDicomError(f"{name} is a DICOM object without pixel data; choose one with an image.")
    if int(header.get("NumberOfFrames") or 1) > 1:
        raise UnsupportedDicomError(
            f"{name} is a DICOM object with {int(header.NumberOfFrames)} frames, expected exactly one; "
            "export one frame."
        )
    if not _decodable(header.file_meta.TransferSyntaxUID):
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
    return header


def elements(data: bytes, name: str, tags: Sequence[str], *, limit: int) -> Dataset:
    """Read the elements of `tags` and set the transfer syntax if the file does not state it.

    limit: the most bytes that a deflated data set may inflate to.

    Raises:
        TooLargeError: the data set inflates to more than `limit` bytes.
        UnsupportedDicomError: the pixels are in fragments, although the transfer syntax is uncompressed.
    """
    meta, start = _file_meta(data)
    if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data[start:], limit + 1)
        if len(data) > limit:
            raise TooLargeError(f"{name} inflates to more than the allowed {limit} bytes; export it uncompressed.")
    header = dcmread(io.BytesIO(data), force=True, specific_tags=list(tags))
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


def _decodable(syntax: UID) -> bool:
    try:
        return not syntax.is_compressed or get_decoder(syntax).is_available
    except (NotImplementedError, ValueError):
        return False


def size(header: Dataset) -> tuple[int, int]:
    """(H, W) in pixels, from the header."""
    return int(header.Rows), int(header.Columns)


def read_frame(header: Dataset, name: str) -> NDArray[np.integer]:
    """Decode the stored values: integers (H, W), or uint8 (H, W, 3) in RGB.

    Raises:
        NotARadiographError: the encoded frame is damaged or differs in size from the header.
    """
    syntax = header.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated or syntax == RLELossless:
        values, precision = pixel_array(header, correct_unused_bits=_in_colour(header)), int(header.BitsAllocated)
    else:
        frame = next(generate_frames(header.PixelData, number_of_frames=1))
        # A few bytes can claim an image of gigabytes, so the size is checked before a decoder allocates memory.
        coded_size, precision = _coded_format(frame)
        if coded_size != size(header):
            raise NotARadiographError(
                f"{name} is damaged: its encoded image has another size than its header; export it again."
            )
        values = _by_pillow(header) if _for_pillow(header) else _by_gdcm(frame, header, precision)
    if values.ndim == 2:
        return stored_bits(values, header, precision)
    if values.dtype != np.uint8:
        values = (values / (2 ** int(header.BitsStored) - 1) * 255).round().clip(0, 255).astype(np.uint8)
    return values


def _in_colour(header: Dataset) -> bool:
    return int(header.SamplesPerPixel) > 1


def _for_pillow(header: Dataset) -> bool:
    """Whether Pillow decodes the frame. It is safe with damaged bytes but does not know every syntax."""
    syntax, deep = header.file_meta.TransferSyntaxUID, header.BitsStored > 8
    if syntax in (JPEGBaseline8Bit, JPEGExtended12Bit):
        return not deep
    return syntax in (JPEG2000Lossless, JPEG2000) and not (deep and header.SamplesPerPixel > 1)


def _by_pillow(header: Dataset) -> NDArray[np.integer]:
    return pixel_array(header, decoding_plugin="pillow", correct_unused_bits=_in_colour(header))


def _by_gdcm(frame: bytes, header: Dataset, precision: int) -> NDArray[np.integer]:
    # GDCM returns no bits above these, so it gets those of the code stream; `stored_bits` masks them afterwards.
    bits = header.BitsStored if _in_colour(header) else min(max(header.BitsStored, precision), header.BitsAllocated)
    options = {
        "transfer_syntax": header.file_meta.TransferSyntaxUID,
        "rows": header.Rows,
        "columns": header.Columns,
        "number_of_frames": 1,
        "samples_per_pixel": header.SamplesPerPixel,
        "photometric_interpretation": header.PhotometricInterpretation,
        "planar_configuration": header.get("PlanarConfiguration", 0),
        "bits_allocated": header.BitsAllocated,
        "bits_stored": bits,
        "pixel_representation": header.PixelRepresentation,
        "pixel_keyword": "PixelData",
        "correct_unused_bits": _in_colour(header),
    }
    # -P keeps the script's folder out of sys.path, so that its modules cannot shadow the standard library.
    decoded = subprocess.run(  # noqa: S603  (no shell, no argument from outside)
        [sys.executable, "-P", str(Path(__file__).with_name("gdcm_process.py"))],
        input=json.dumps(options).encode() + b"\n" + frame,
        capture_output=True,
        timeout=MAX_GDCM_SECONDS,
        check=True,
    )
    return np.load(io.BytesIO(decoded.stdout), allow_pickle=False)


def _coded_format(frame: bytes) -> tuple[tuple[int, int] | None, int]:
    """(H, W) and bits a sample in the header of a code stream; (None, 0) if there is none.

    JPEG 2000: ISO 15444-1 A.5.1. JPEG and JPEG-LS: ISO 10918-1 B.2.2.
    """
    start = frame.find(b"\xff\x4f\xff\x51")
    if start >= 0:
        right, bottom, left, top = struct.unpack_from(">4I", frame, start + 8)
        return (bottom - top, right - left), (frame[start + 42] & 0x7F) + 1
    at = 2
    while at + 9 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            precision, height, width = struct.unpack_from(">B2H", frame, at + 4)
            return (height, width), precision
        at += 1 if marker == 0xFF else 2 + struct.unpack_from(">H", frame, at + 2)[0]
    return None, 0


def spacing_mm(header: Dataset) -> tuple[float, float] | None:
    """Millimetres between (rows, columns): in the patient if stated, else at the detector, else None."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        found = numbers(header, keyword)
        if len(found) == 2 and min(found) > 0:
            return found[0], found[1]
    return None
