"""DICOM objects built in memory for the tests of the decoder."""

import io
from pathlib import Path

import gdcm
import numpy as np
from PIL import Image
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
    SecondaryCaptureImageStorage,
)

NAME = "Doe^Jane"
RAMP = (np.add.outer(np.arange(48) * 30, np.arange(64) * 42) + 17).astype(np.uint16)  # 17 to 4073: 12 bits
RAMP8 = (RAMP // 16).astype(np.uint8)


def data_set(pixels: np.ndarray, bits: int = 12, syntax: str = ExplicitVRLittleEndian, **elements: object) -> Dataset:
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = syntax
    header.SOPClassUID, header.SOPInstanceUID = SecondaryCaptureImageStorage, "1.2.3"
    header.PatientName, header.PatientID = NAME, NAME
    header.Rows, header.Columns = pixels.shape[:2]
    header.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    if pixels.ndim == 3:
        header.PlanarConfiguration = 0
    header.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    header.BitsAllocated = 8 * pixels.itemsize
    header.BitsStored = 8 * pixels.itemsize if pixels.itemsize == 1 else bits
    header.HighBit = header.BitsStored - 1
    header.PixelRepresentation = int(pixels.dtype.kind == "i")
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    header.PixelData = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    for keyword, value in elements.items():
        setattr(header, keyword, value)
    return header


def written(header: Dataset, **options: object) -> bytes:
    stream = io.BytesIO()
    header.save_as(stream, **{"enforce_file_format": True, **options})
    return stream.getvalue()


def in_fragments(header: Dataset) -> bytes:
    """The object in Explicit VR Little Endian with its pixels in one fragment, as if it were compressed."""
    header.PixelData = encapsulate([header.PixelData])
    header["PixelData"].VR = "OB"
    header.file_meta.TransferSyntaxUID = RLELossless  # pydicom writes fragments only in such a syntax
    assert len(RLELossless) == len(ExplicitVRLittleEndian)
    return written(header).replace(RLELossless.encode(), ExplicitVRLittleEndian.encode(), 1)


def by_pillow(syntax: str) -> bytes:
    """An object whose frame Pillow encoded: JPEG, or a JPEG 2000 code stream."""
    stream, deep = io.BytesIO(), syntax == JPEG2000Lossless
    if syntax == JPEGBaseline8Bit:
        Image.fromarray(RAMP8).save(stream, "JPEG", quality=95)
    else:
        Image.fromarray(RAMP if deep else RAMP8).save(stream, "JPEG2000", no_jp2=True)
    header = data_set(RAMP if deep else RAMP8, syntax=syntax, bits=16)
    header.PixelData = encapsulate([stream.getvalue()])
    return written(header)


def by_gdcm(syntax: int, pixels: np.ndarray, folder: Path, bits: int = 12) -> bytes:
    """An object that GDCM transcoded."""
    (folder / "plain.dcm").write_bytes(written(data_set(pixels, bits)))
    reader, writer, change = gdcm.ImageReader(), gdcm.ImageWriter(), gdcm.ImageChangeTransferSyntax()
    reader.SetFileName(str(folder / "plain.dcm"))
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    writer.SetFileName(str(folder / "coded.dcm"))
    assert writer.Write()
    return (folder / "coded.dcm").read_bytes()
