"""DICOM objects for `studies.fuzz`: data sets changed through pydicom, and elements rewritten with right lengths."""

from __future__ import annotations

import io
from functools import cache
from random import Random

import numpy as np
import pydicom
from PIL import Image
from pydicom import Dataset, Sequence, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from studies.fuzz_bytes import cut, havoc, resized, whole_number
from studies.fuzz_elements import rewritten

SYNTAXES = (
    ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian, RLELossless,
    JPEGBaseline8Bit, JPEG2000Lossless, "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.202", "1.2.3", "",
)  # fmt: skip
CLASSES = (
    "1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1",
    "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7", "1.2.840.10008.5.1.4.1.1.88.11",
    "1.2.840.10008.5.1.4.1.1.481.3", "1.2.840.10008.1.3.10", "1.2.3", "",
)  # fmt: skip
NUMERIC = (
    "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel",
    "PlanarConfiguration", "NumberOfFrames", "PixelPaddingValue", "PixelPaddingRangeLimit", "MaximumFractionalValue",
)  # fmt: skip
DECIMAL = ("RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth")
SPACING = ("PixelSpacing", "ImagerPixelSpacing")
WORDS = {
    "PhotometricInterpretation": ("MONOCHROME1", "MONOCHROME2", "RGB", "YBR_FULL", "YBR_FULL_422", "PALETTE COLOR", ""),
    "VOILUTFunction": ("LINEAR", "LINEAR_EXACT", "SIGMOID", "CURVE", ""),
    "PresentationLUTShape": ("IDENTITY", "INVERSE", ""),
    "SegmentationType": ("BINARY", "FRACTIONAL", "LABELMAP", ""),
    "SpecificCharacterSet": ("ISO_IR 192", "ISO_IR 100", "GB18030", "nothing"),
    "SOPClassUID": CLASSES,
    "PatientName": ("Doe^Jane", "\u5c71^\u7530"),
}  # fmt: skip
DECIMALS = ("0", "1", "-1", "0.5", "1e-30", "1e30", "1E400", "nan", "inf", "", "1\\2", "0\\0", "65535", "-32768", "x")
SEG_SIZE = (24, 32)  # (H, W) of the radiograph that segmentations are read for


def image(random: Random) -> Dataset:
    """A data set of one frame: 8, 16 or 32 bits, grey or colour, raw or compressed, with a window or lookup tables."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = random.choice(SYNTAXES[:7])
    made.SOPClassUID, made.SOPInstanceUID = CLASSES[random.randrange(3)], "1.2.3"
    made.PatientName = "Doe^Jane"
    shape, stored = (24, 32), random.choice(("u1", "u2", "i2", "u1", "u2"))
    pixels = (np.add.outer(np.arange(24) * 5, np.arange(32) * 4) % 256).astype(stored)
    syntax = made.file_meta.TransferSyntaxUID
    if syntax == JPEGBaseline8Bit or (stored == "u1" and random.random() < 0.2):
        pixels = pixels.astype(np.uint8)
        if random.random() < 0.3:
            pixels = np.stack([pixels] * 3, axis=-1)
    made.Rows, made.Columns = shape
    made.SamplesPerPixel = pixels.shape[2] if pixels.ndim == 3 else 1
    made.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else random.choice(("MONOCHROME1", "MONOCHROME2"))
    if pixels.ndim == 3:
        made.PlanarConfiguration = 0
    made.BitsAllocated = 8 * pixels.itemsize
    made.BitsStored = made.BitsAllocated if made.BitsAllocated == 8 else random.choice((8, 10, 12, 16))
    made.HighBit, made.PixelRepresentation = made.BitsStored - 1, int(pixels.dtype.kind == "i")
    _set_pixels(made, pixels, syntax)
    _set_display(random, made)
    return made


def _set_pixels(made: Dataset, pixels: np.ndarray, syntax: str) -> None:
    made.PixelData = pixels.astype(pixels.dtype.newbyteorder(">" if syntax == ExplicitVRBigEndian else "<")).tobytes()
    made["PixelData"].VR = "OB" if made.BitsAllocated == 8 else "OW"
    if syntax in (JPEGBaseline8Bit, JPEG2000Lossless):
        stream = io.BytesIO()
        unsigned = pixels.view(np.uint16) if pixels.dtype == np.int16 else pixels
        form = ("JPEG", {"quality": 95}) if syntax == JPEGBaseline8Bit else ("JPEG2000", {"no_jp2": True})
        Image.fromarray(unsigned).save(stream, form[0], **form[1])
        made.PixelData = encapsulate([stream.getvalue()])
        made["PixelData"].VR = "OB"
    elif syntax == RLELossless:
        made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        made.compress(RLELossless, generate_instance_uid=False)


def _set_display(random: Random, made: Dataset) -> None:
    if random.random() < 0.5:
        made.WindowCenter, made.WindowWidth = random.choice((1, 127, 2048)), random.choice((1, 2, 256, 4096))
    if random.random() < 0.4:
        made.RescaleSlope, made.RescaleIntercept = random.choice((1, 0, -1, 2.5)), random.choice((0, -1024, 7))
    if random.random() < 0.3:
        made.PixelPaddingValue = random.choice((0, 255, 65535)) % 2**15
    for keyword in ("ModalityLUTSequence", "VOILUTSequence"):
        if random.random() < 0.2:
            setattr(made, keyword, Sequence([_lookup_table(random)]))
    if random.random() < 0.2:
        made.add_new((0x6000, 0x0010), "US", 24)
        made.add_new((0x6000, 0x0102), "US", random.choice((0, 8, 15)))


def _lookup_table(random: Random) -> Dataset:
    item, rows = Dataset(), random.choice((0, 1, 2, 16, 256, 65535))
    item.LUTDescriptor = [rows, random.choice((0, 1, 100, 65535)), random.choice((8, 16, 0, 255))]
    item["LUTDescriptor"].VR = "US"
    item.add_new("LUTData", "OW", random.randbytes(2 * random.choice((0, 1, 16, rows))))
    return item


@cache
def segmentation(readers: int, fractional: bool = False) -> bytes:
    """A segmentation as this package writes it, of a disc by each reader."""
    from deep_pneumonia.masks.annotation import Annotation
    from deep_pneumonia.masks.dicom_seg_write import to_seg

    y, x = np.mgrid[: SEG_SIZE[0], : SEG_SIZE[1]]
    masks = [Annotation((y - 10) ** 2 + (x - 9 - n) ** 2 < 36, f"Reader {n}", "pixel") for n in range(readers)]
    data = to_seg(masks, None, np.zeros(SEG_SIZE, np.float32)).segmentation
    if fractional:
        header = dcmread(io.BytesIO(data))
        bits = np.unpackbits(np.frombuffer(header.PixelData, np.uint8), bitorder="little")
        header.PixelData = (bits[: readers * SEG_SIZE[0] * SEG_SIZE[1]] * 200).tobytes()
        header.SegmentationType, header.MaximumFractionalValue = "FRACTIONAL", 200
        header.BitsAllocated = header.BitsStored = 8
        header.HighBit = 7
        data = written(header)
    return data


def changed(random: Random, header: Dataset) -> None:
    """One change of a data set: a value, a VR, an element more or less, deeper sequences, other pixels."""
    match random.randrange(9):
        case 0 | 1:
            keyword = random.choice(NUMERIC)
            header.add_new(
                keyword, random.choice(("US", "SS")) if "Number" not in keyword else "IS", _number(random, keyword)
            )
        case 2:
            header.add_new(random.choice(DECIMAL), "DS", random.choice(DECIMALS))
        case 3:
            keyword = random.choice(tuple(WORDS))
            header.add_new(keyword, pydicom.datadict.dictionary_VR(keyword), random.choice(WORDS[keyword]))
        case 4 if len(header):
            del header[random.choice(list(header.keys()))]
        case 5:
            sequences = [e for e in header if e.VR == "SQ"]
            if sequences and sequences[0].value:
                items = random.choice(sequences).value
                changed(random, random.choice(items)) if items and random.random() < 0.8 else items.extend(items[:1])
            else:
                header.add_new("ModalityLUTSequence", "SQ", [_nested(random.randrange(6))])
        case 6:
            header.add_new(random.choice(SPACING), "DS", random.choice(DECIMALS))
        case 7 if "PixelData" in header:
            header["PixelData"].value = resized(random, bytes(header.PixelData or b""))
            header["PixelData"].is_undefined_length = random.random() < 0.2
        case _:
            header.file_meta.TransferSyntaxUID = random.choice(SYNTAXES) if hasattr(header, "file_meta") else ""


def _number(random: Random, keyword: str) -> object:
    if keyword == "NumberOfFrames":
        return random.choice((0, 1, 2, 3, 64, 65, 2**31 - 1, -1))
    usual = random.choice((0, 1, 2, 3, 7, 8, 11, 12, 15, 16, 24, 32, 64))
    return usual if random.random() < 0.8 else whole_number(random, 15)


def _nested(depth: int) -> Dataset:
    item = Dataset()
    for _ in range(depth):
        outer = Dataset()
        outer.add_new("ModalityLUTSequence", "SQ", [item])
        item = outer
    return item


def written(header: Dataset) -> bytes:
    """The file of a data set, in the transfer syntax that it states if that can be written, else in a usual one."""
    stream = io.BytesIO()
    stated = header.file_meta.get("TransferSyntaxUID") or ""
    native = stated in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian)
    implicit = stated == ImplicitVRLittleEndian
    if not native and stated != DeflatedExplicitVRLittleEndian:
        header.save_as(stream, implicit_vr=False, little_endian=True, enforce_file_format=False)
        data = stream.getvalue()
        return data if data[128:132] == b"DICM" else bytes(128) + b"DICM" + data
    header.save_as(stream, implicit_vr=implicit, little_endian=stated != ExplicitVRBigEndian, enforce_file_format=True)
    return stream.getvalue()


def any_object(random: Random, header: Dataset) -> bytes:
    """The file of a data set with no to three changes through pydicom, or rewritten at the level of bytes."""
    original = header.file_meta.get("TransferSyntaxUID")
    if random.random() < 0.3 and original not in (
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ):
        return rewritten(random, written(header))
    try:
        for _ in range(random.randint(0, 3)):
            changed(random, header)
        data = written(header)
    except Exception:  # pydicom refuses to write some changes, whatever it is told
        return rewritten(random, segmentation(1))
    return random.choice((cut, havoc))(random, data) if random.random() < 0.08 else data


def any_image(random: Random) -> bytes:
    """A DICOM radiograph."""
    return _quiet(lambda: any_object(random, image(random)))


def any_segmentation(random: Random) -> bytes:
    """A DICOM segmentation of a radiograph of SEG_SIZE."""
    base = segmentation(random.choice((1, 2, 3)), random.random() < 0.3)
    return _quiet(lambda: any_object(random, dcmread(io.BytesIO(base))))


def _quiet(make):
    """What `make` gives, while pydicom neither checks nor reports what it writes."""
    from deep_pneumonia.radiographs.silence import SILENCE

    before = pydicom.config.settings.writing_validation_mode, pydicom.config.settings.reading_validation_mode
    pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    try:
        with SILENCE:
            return make()
    finally:
        pydicom.config.settings.writing_validation_mode, pydicom.config.settings.reading_validation_mode = before
