"""DICOM objects with one frame: how `deep_pneumonia.radiograph` reads them; nothing else imports this."""

from __future__ import annotations

import io
import struct
import zlib

import gdcm
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.encaps import generate_frames
from pydicom.filereader import read_dataset, read_preamble
from pydicom.pixels import get_decoder, pixel_array
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from deep_pneumonia.errors import NotARadiographError, TooLargeError, UnsupportedDicomError

# The only elements that are read: none of them says whose radiograph it is.
TAGS = (
    "TransferSyntaxUID SamplesPerPixel PhotometricInterpretation PlanarConfiguration NumberOfFrames Rows Columns "
    "BitsAllocated BitsStored HighBit PixelRepresentation PixelPaddingValue PixelPaddingRangeLimit PixelSpacing "
    "ImagerPixelSpacing RescaleSlope RescaleIntercept ModalityLUTSequence WindowCenter WindowWidth "
    "VOILUTFunction VOILUTSequence LUTDescriptor LUTData PixelData"
).split()
GREY = ("MONOCHROME1", "MONOCHROME2")

gdcm.Trace.WarningOff()  # gdcm writes to stderr by itself, and may quote tags there
gdcm.Trace.ErrorOff()
gdcm.Trace.DebugOff()


def may_be(data: bytes) -> bool:
    """Whether bytes without the DICM mark start like a DICOM data set: group 0002 or 0008."""
    return data[:2] in (b"\x02\x00", b"\x08\x00", b"\x00\x08")


def read_header(data: bytes, name: str, *, limit: int) -> Dataset:
    """Data set with the elements of TAGS only, its pixels still encoded.

    limit: bytes that a deflated data set may have when inflated.

    Raises:
        UnsupportedDicomError: no pixels, several frames, or a transfer syntax or colour space not known here.
        TooLargeError: inflates to more than limit bytes.
    """
    header = _data_set(data, name, limit)
    if "PixelData" not in header or not header.get("Rows") or not header.get("Columns"):
        raise UnsupportedDicomError(
            f"{name} is a DICOM object without a picture; choose one with pixel data."
        )
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
    if channels[0] == 1 and channels[1] not in GREY or channels[0] not in (1, 3):
        raise UnsupportedDicomError(
            f"{name} is a DICOM object that is neither greyscale (MONOCHROME1, MONOCHROME2) nor RGB; "
            "export it as greyscale."
        )
    return header


def _data_set(data: bytes, name: str, limit: int) -> Dataset:
    stream = io.BytesIO(data)
    read_preamble(stream, force=True)
    meta = read_dataset(
        stream, False, True, stop_when=lambda tag, _vr, _length: tag.group != 2, specific_tags=[0x00020010]
    )
    if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data[stream.tell() :], limit + 1)
        if len(data) > limit:
            raise TooLargeError(
                f"{name} inflates to more than the allowed {limit} bytes; export it uncompressed."
            )
    header = dcmread(io.BytesIO(data), force=True, specific_tags=TAGS)
    if not header.file_meta.get("TransferSyntaxUID"):
        header.file_meta.TransferSyntaxUID = _guessed_syntax(header)
    return header


def _guessed_syntax(header: Dataset) -> UID:
    implicit, little_endian = header.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little_endian else ExplicitVRBigEndian


def _decodable(syntax: UID) -> bool:
    try:
        return not syntax.is_compressed or get_decoder(syntax).is_available
    except (NotImplementedError, ValueError):
        return False


def size(header: Dataset) -> tuple[int, int]:
    """(H, W) in pixels, before anything is decoded."""
    return int(header.Rows), int(header.Columns)


def read_frame(header: Dataset, name: str) -> NDArray[np.generic]:
    """Stored values: integers (H, W), or uint8 (H, W, 3) in RGB.

    Raises:
        NotARadiographError: the encoded picture has another size than the header says.
    """
    syntax = header.file_meta.TransferSyntaxUID
    if syntax.is_encapsulated and syntax != RLELossless:
        # A few bytes can claim a picture of gigabytes: look before the decoder allocates it.
        frame = next(generate_frames(header.PixelData, number_of_frames=1))
        if _coded_size(frame) != size(header):
            raise NotARadiographError(
                f"{name} is damaged: its encoded picture has not the size that its header says; export it again."
            )
    values = pixel_array(header)
    if values.ndim == 3 and values.dtype != np.uint8:
        values = (values / (2 ** int(header.BitsStored) - 1) * 255).round().clip(0, 255).astype(np.uint8)
    return values


def _coded_size(frame: bytes) -> tuple[int, int] | None:
    """(H, W) in the head of a JPEG 2000 code stream (ISO 15444-1 A.5.1) or of a JPEG or JPEG-LS one (10918-1 B.2.2)."""
    start = frame.find(b"\xff\x4f\xff\x51", 0, 1024)
    if start >= 0:
        right, bottom, left, top = struct.unpack_from(">4I", frame, start + 8)
        return bottom - top, right - left
    at = 2
    while at + 9 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            height, width = struct.unpack_from(">2H", frame, at + 5)
            return height, width
        at += 1 if marker == 0xFF else 2 + struct.unpack_from(">H", frame, at + 2)[0]
    return None


def shown(stored: NDArray[np.generic], header: Dataset) -> NDArray[np.float32]:
    """Stored values as a person sees them: float32 (H, W) in [0, 1], bone bright.

    Modality LUT or rescale, then VOI LUT or the first window (PS3.3 C.11.1 and C.11.2), or the range of the
    pixels when there is neither, then MONOCHROME1 inverted. Padding is left out of the range and is black.
    """
    padding = _padding(stored, header)
    values = _modality(stored, header)
    seen = _voi(values, header)
    if seen is None:
        real = values[~padding] if padding.any() and not padding.all() else values
        seen = stretched(values, float(real.min()), float(real.max()))
    if header.PhotometricInterpretation == "MONOCHROME1":
        seen = 1 - seen
    seen[padding] = 0
    return seen


def _numbers(header: Dataset, keyword: str) -> list[float]:
    """The element's numbers; none when it is missing, empty or not numeric."""
    try:
        numbers = np.atleast_1d(np.asarray(header.get(keyword), dtype=np.float64))
    except (TypeError, ValueError):
        return []
    return numbers.tolist() if np.isfinite(numbers).all() else []


def _padding(stored: NDArray[np.generic], header: Dataset) -> NDArray[np.bool_]:
    value = _numbers(header, "PixelPaddingValue")
    if not value:
        return np.zeros(stored.shape, dtype=bool)
    limit = _numbers(header, "PixelPaddingRangeLimit") or value
    return (stored >= min(value[0], limit[0])) & (stored <= max(value[0], limit[0]))


def _modality(stored: NDArray[np.generic], header: Dataset) -> NDArray[np.float64]:
    if header.get("ModalityLUTSequence"):
        return _looked_up(stored.astype(np.float64), header.ModalityLUTSequence[0])
    slope, intercept = _numbers(header, "RescaleSlope"), _numbers(header, "RescaleIntercept")
    return stored.astype(np.float64) * (slope or [1.0])[0] + (intercept or [0.0])[0]


def _voi(values: NDArray[np.float64], header: Dataset) -> NDArray[np.float32] | None:
    if header.get("VOILUTSequence"):
        entries = _looked_up(values, header.VOILUTSequence[0])
        return (entries / full_scale(int(entries.max()))).astype(np.float32)
    centre, width = _numbers(header, "WindowCenter"), _numbers(header, "WindowWidth")
    if not centre or not width:
        return None
    return _windowed(values, centre[0], width[0], str(header.get("VOILUTFunction") or "LINEAR").upper())


def _windowed(values: NDArray[np.float64], c: float, w: float, function: str) -> NDArray[np.float32] | None:
    """PS3.3 C.11.2.1.2 and C.11.2.1.3; None for a width that has no meaning."""
    if w <= 0 or (function == "LINEAR" and w < 1):
        return None
    if function == "SIGMOID":
        return (1 / (1 + np.exp(-4 * (values - c) / w))).astype(np.float32)
    if function == "LINEAR":
        c, w = c - 0.5, w - 1
    low, high = c - w / 2, c + w / 2
    if high <= low:
        return (values > low).astype(np.float32)
    return stretched(values, low, high)


def _looked_up(values: NDArray[np.float64], item: Dataset) -> NDArray[np.float64]:
    """Values through a table, PS3.3 C.11.1.1; pydicom's own overflows on 8-bit entries with more than 256 rows."""
    rows, first = int(item.LUTDescriptor[0]) or 2**16, int(item.LUTDescriptor[1])
    table = item.LUTData
    if isinstance(table, bytes):
        table = np.frombuffer(table, "<u2" if len(table) >= 2 * rows else "u1")
    table = np.asarray(table, dtype=np.float64)[:rows]
    return table[np.clip(values - first, 0, len(table) - 1).astype(np.intp)]


def stretched(values: NDArray[np.floating], low: float, high: float) -> NDArray[np.float32]:
    """Linear from [low, high] to [0, 1], clipped; all zero when low equals high."""
    if not high > low:
        return np.zeros(values.shape, dtype=np.float32)
    return np.clip((values - low) / (high - low), 0, 1).astype(np.float32)


def full_scale(brightest: int) -> int:
    """2^b - 1 for the smallest b of 8, 10, 12, 14, 16 that holds the brightest value."""
    return next(2**b - 1 for b in (8, 10, 12, 14, 16) if brightest < 2**b or b == 16)


def spacing_mm(header: Dataset) -> tuple[float, float] | None:
    """Millimetres between (rows, columns): in the patient, else at the detector, else None."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        numbers = _numbers(header, keyword)
        if len(numbers) == 2 and min(numbers) > 0:
            return numbers[0], numbers[1]
    return None
