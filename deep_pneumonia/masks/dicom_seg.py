"""Read DICOM segmentations of one radiograph: one segment for each reader, named by its SegmentLabel.

`deep_pneumonia.masks.dicom_seg_write` writes them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.encaps import generate_frames
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from deep_pneumonia.errors import AnnotationError, TooLargeError, UnsupportedDicomError
from deep_pneumonia.limits import MAX_FILE_BYTES, MAX_FILE_READERS, MAX_SEG_FRAMES
from deep_pneumonia.masks.annotation import KINDS, Annotation, Kind, Mask, Size, check_masks, check_size, gathered
from deep_pneumonia.masks.lesion_names import is_other
from deep_pneumonia.masks.shapes import checked
from deep_pneumonia.names import reader_name, shown, stem
from deep_pneumonia.radiographs import dicom, dicom_frames
from deep_pneumonia.radiographs.silence import SILENCE
from deep_pneumonia.radiographs.sop_classes import SEGMENTATIONS

TAGS = [
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "BitsAllocated", "PixelData", "SOPClassUID"),
    "PixelPaddingValue",
    *("SegmentationType", "MaximumFractionalValue", "SegmentSequence"),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
]
BITS = {"BINARY": (1,), "FRACTIONAL": (8,), "LABELMAP": (8, 16)}  # allowed in BitsAllocated
NATIVE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
MaskOf = Callable[[int], Mask | None]
KIND_PREFIX = "Kind: "  # starts the SegmentDescription of segments that this package writes


def is_seg(head: bytes) -> bool:
    """Whether a file that starts with these bytes is a DICOM segmentation."""
    return head[128:132] == b"DICM" and dicom.sop_class(head) in SEGMENTATIONS


def read_seg(data: bytes, size: Size, *, name: str, readers: int = MAX_FILE_READERS) -> list[Annotation]:
    """Read the masks of one radiograph of `size` (H, W) from a DICOM segmentation, in the order of its segments.

    A segment's label names the reader, or else its description, or else the file name. Segments of one reader are
    joined, and a segment without a frame is an empty mask. Fractional values above half of their full scale are lesion.
    A label map (DICOM supplement 243) gives a mask for each number of a segment but its background, the padding value
    or else 0.

    readers: how many readers the segmentation may have.

    Raises:
        MaskSizeError: the segmentation differs in size from the radiograph.
        AnnotationError: not a DICOM segmentation, larger than 64 MiB (also when inflated) or 64 frames, damaged,
            of more readers, compressed other than by RLE, with pixels in fragments without RLE, or of a volume. All of
            this is checked before pixels are unpacked.
    """
    called = shown(name)
    with SILENCE:
        try:
            header = _header(data, size, called)
            return _joined(header, size, called, stem(name), readers)
        except AnnotationError:
            raise
        except (TooLargeError, UnsupportedDicomError) as error:
            raise AnnotationError(str(error)) from None
        except Exception:  # pydicom raises many types on damaged bytes, and their messages may quote tags
            raise AnnotationError(f"{called} is damaged and could not be read as DICOM; export it again.") from None


def _header(data: bytes, size: Size, name: str) -> Dataset:
    """Check a segmentation and return its data set, whose pixels can be unpacked safely."""
    header = dicom.elements(data, name, TAGS, limit=MAX_FILE_BYTES)
    if header.get("SOPClassUID") not in SEGMENTATIONS:
        raise AnnotationError(
            f"{name} is a DICOM object but not a segmentation; export the mask as DICOM SEG (binary), or as PNG."
        )
    check_size((int(header.Rows), int(header.Columns)), size, name)
    frames = int(header.get("NumberOfFrames") or 1)
    if not 0 < frames <= MAX_SEG_FRAMES or len(header.SegmentSequence) > MAX_SEG_FRAMES:
        raise AnnotationError(f"{name} has {frames} frames, expected 1 to {MAX_SEG_FRAMES}; export one radiograph's.")
    bits = int(header.BitsAllocated)
    if bits not in BITS.get(header.get("SegmentationType"), ()) or header.get("SamplesPerPixel", 1) != 1:
        raise AnnotationError(f"{name} is no binary, fractional or label map segmentation; export it as binary.")
    if header.SegmentationType == "LABELMAP" and frames > 1:
        raise AnnotationError(f"{name} is a label map of {frames} frames, expected 1; export one radiograph's.")
    if header.file_meta.TransferSyntaxUID not in (*NATIVE, RLELossless):
        raise AnnotationError(
            f"{name} is in a transfer syntax that masks are not read in; export it uncompressed "
            "(Explicit VR Little Endian) or with RLE."
        )
    if header.file_meta.TransferSyntaxUID in NATIVE and 8 * len(header.PixelData) < frames * size[0] * size[1] * bits:
        raise AnnotationError(f"{name} is cut short: it has fewer pixels than its {frames} frames; export it again.")
    return header


def _joined(header: Dataset, size: Size, name: str, otherwise: str, most: int) -> list[Annotation]:
    """One annotation for each reader, joined from all segments with the reader's name; at most `most` readers."""
    label_map = header.SegmentationType == "LABELMAP"
    background = int(header.get("PixelPaddingValue") or 0) if label_map else None
    segments: dict[str, list[tuple[int, Kind]]] = {}
    others: list[str] = []
    for segment in header.SegmentSequence:
        if (number := int(segment.SegmentNumber)) != background:
            if _is_other(segment):
                others.append(str(segment.SegmentLabel))
                continue
            reader, kind = _reader(segment, otherwise)
            segments.setdefault(reader, []).append((number, kind))
    if others and not segments:
        raise AnnotationError(
            f"{name} has only segments such as {shown(others[0])!r}, which are no lesions of pneumonia."
        )
    check_masks(len(segments), size, name, most=most)
    mask_of = _labels(header, size, name, background) if label_map else _masks(header, size, name)
    return gathered(_annotation(reader, found, mask_of, size, name) for reader, found in segments.items())


def _is_other(segment: Dataset) -> bool:
    """Whether another tool labelled a segment as the lungs or something else that is no lesion."""
    own = str(segment.get("SegmentDescription") or "").startswith(KIND_PREFIX)
    return not own and is_other(str(segment.get("SegmentLabel") or ""))


def _reader(segment: Dataset, otherwise: str) -> tuple[str, Kind]:
    """Who drew a segment, and how."""
    label, text = str(segment.get("SegmentLabel") or ""), str(segment.get("SegmentDescription") or "")
    reader = reader_name(label, otherwise if text.startswith(KIND_PREFIX) else text.split("\n")[0] or otherwise)
    return reader, next((k for k in KINDS if text == KIND_PREFIX + k), "pixel")


def _annotation(reader: str, segments: list[tuple[int, Kind]], mask_of: MaskOf, size: Size, name: str) -> Annotation:
    """The union of a reader's segments, given as (number, kind)."""
    joined = np.zeros(size, dtype=np.bool_)
    for number, _ in segments:
        if (mask := mask_of(number)) is not None:
            joined |= mask
    joined.setflags(write=False)
    kinds = {kind for _, kind in segments}
    mixed: Kind = "normal" if "normal" in kinds else "pixel"  # `checked` refuses a normal mask that marks lesion
    return checked(joined, reader, kinds.pop() if len(kinds) == 1 else mixed, name)


def _masks(header: Dataset, size: Size, name: str) -> MaskOf:
    """Check the frames, and give a function from a segment's number to its mask (H, W), or None without a frame."""
    numbers = [_segment(header, frame) for frame in range(int(header.get("NumberOfFrames") or 1))]
    if len(set(numbers)) != len(numbers):
        raise AnnotationError(
            f"{name} has several frames of one segment, like a volume or a tiled image; expected one frame each, "
            "so export a single radiograph."
        )
    if not set(numbers) <= {int(segment.SegmentNumber) for segment in header.SegmentSequence}:
        raise AnnotationError(f"{name} has a frame of a segment that it does not describe; export it again.")
    above = int(header.MaximumFractionalValue) // 2 if header.SegmentationType == "FRACTIONAL" else 0
    stored = _frames(header, len(numbers), size)
    return lambda number: stored(numbers.index(number)).reshape(size) > above if number in numbers else None


def _labels(header: Dataset, size: Size, name: str, background: int | None) -> MaskOf:
    """The same as `_masks`, for a label map whose pixels are the numbers."""
    stored = _frames(header, 1, size)(0)
    described = {int(segment.SegmentNumber) for segment in header.SegmentSequence} - {background}
    unknown = set(np.unique(stored).tolist()) - described - {background}
    if unknown:
        raise AnnotationError(
            f"{name} has pixels of the segment {min(unknown)}, which it does not describe; export it again."
        )
    return lambda number: (stored == number).reshape(size)


def _segment(header: Dataset, frame: int) -> int:
    """Number of the segment that a frame belongs to."""
    per_frame, shared = header.get("PerFrameFunctionalGroupsSequence"), header.get("SharedFunctionalGroupsSequence")
    for group in (*(per_frame or [])[frame : frame + 1], *(shared or [])[:1]):
        if group.get("SegmentIdentificationSequence"):
            return int(group.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
    if len(header.SegmentSequence) == 1:
        return int(header.SegmentSequence[0].SegmentNumber)
    raise ValueError("a frame without segment")


def _frames(header: Dataset, count: int, size: Size) -> Callable[[int], NDArray[np.integer]]:
    """A function from a frame's place to its stored values, flat: 0 or 1 in binary segmentations, else uint8 or uint16.

    Binary frames are packed bit by bit, lowest bit first. Uncompressed ones have no padding between them; in RLE each
    starts with a byte.
    """
    pixels, bits = size[0] * size[1], int(header.BitsAllocated)
    if header.file_meta.TransferSyntaxUID == RLELossless:
        encoded = list(generate_frames(header.PixelData, number_of_frames=count))

        def decoded(place: int) -> NDArray[np.integer]:
            length = (pixels * min(bits, 8) + 7) // 8
            planes = dicom_frames.run_length_planes(encoded[place], max(1, bits // 8), length)
            return (
                _unpacked(planes[0], 0, pixels) if bits == 1 else np.ascontiguousarray(planes.T).view(f">u{bits // 8}")
            )

        return decoded
    stored = np.frombuffer(header.PixelData, dtype="<u2" if bits == 16 else np.uint8)
    if bits == 1:
        return lambda place: _unpacked(stored, place * pixels, pixels)
    return lambda place: stored[place * pixels : (place + 1) * pixels]


def _unpacked(packed: NDArray[np.uint8], start: int, count: int) -> NDArray[np.uint8]:
    """`count` bits from the bit `start` on."""
    return np.unpackbits(packed[start // 8 : (start + count + 7) // 8], bitorder="little")[start % 8 :][:count]
