"""Deep and coloured files of the most pixels for `studies.bombs`, whose copies take the most memory, and files that are
found to be damaged, or no masks, only after they were decoded."""

import io
from collections.abc import Callable

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import DTypeLike, NDArray
from PIL import Image
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from studies.bomb_masks import RUNS, coco, seg
from studies.bomb_pictures import SIDE, dataset, written

Made = Callable[[], bytes]


def values(kind: DTypeLike, channels: int = 1, side: int = SIDE) -> NDArray[np.generic]:
    """A ramp from left to right, the same in all channels: (side, side), or (side, side, channels)."""
    ramp = (np.arange(side) // 100 % 60 * (50 if np.dtype(kind).itemsize > 1 else 4)).astype(kind)
    row = ramp if channels == 1 else np.repeat(ramp[:, None], channels, axis=1)
    return np.broadcast_to(row, (side, *row.shape))


def cut(make: Made) -> Made:
    """A file without its last bytes."""
    return lambda: make()[:-200]


def ramp(kind: DTypeLike, channels: int, form: str = "PNG") -> Made:
    """A picture of grey levels, or with three channels of colours: a radiograph or photo that is no mask."""

    def made() -> bytes:
        picture = values(kind, channels).copy(order="C")
        if channels > 2:
            picture[..., 1] = picture[::-1, ::-1, 1]
        if form == "PNG":
            return imagecodecs.png_encode(picture, level=1)
        stream = io.BytesIO()
        Image.fromarray(picture).save(stream, form)
        return stream.getvalue()

    return made


def tiff(kind: DTypeLike, channels: int = 1, *, strip: int = 64, planar: str = "contig", side: int = SIDE) -> Made:
    """A deflated TIFF: grey, or RGB with unassociated alpha and further channels; `strip` rows in a strip."""

    def made() -> bytes:
        stream, extra = io.BytesIO(), ["unassalpha", *["unspecified"] * max(0, channels - 4)]
        picture = values(kind, channels, side)
        if planar == "separate":
            picture = picture.transpose(2, 0, 1)
        tifffile.imwrite(
            stream, np.ascontiguousarray(picture), compression="zlib", rowsperstrip=strip,
            photometric="rgb" if channels > 2 else "minisblack", planarconfig=planar if channels > 1 else None,
            extrasamples=extra if channels > 3 else None,
        )  # fmt: skip
        return stream.getvalue()

    return made


def deflated_dicom() -> bytes:
    """A deflated radiograph of 32 bits."""
    header = dataset(5900, 5900)
    header.BitsAllocated, header.BitsStored, header.HighBit = 32, 32, 31
    del header.PixelPaddingValue
    return written(header, bytes(4 * 5900 * 5900), DeflatedExplicitVRLittleEndian)


def rle_colour(bits: int) -> Made:
    """RLE Lossless in RGB of 8 or 16 bits."""

    def made() -> bytes:
        header, planes = dataset(SIDE, SIDE), 3 * bits // 8
        header.SamplesPerPixel, header.PhotometricInterpretation, header.PlanarConfiguration = 3, "RGB", 0
        header.BitsAllocated, header.BitsStored, header.HighBit = bits, bits, bits - 1
        runs = b"\x81\x05" * (SIDE * SIDE // 128)
        starts = [64 + n * len(runs) for n in range(planes)]
        offsets = np.array([planes, *starts, *[0] * (15 - planes)], "<u4").tobytes()
        return written(header, offsets + runs * planes, RLELossless)

    return made


def compressed_dicom(form: str, channels: int = 1, bits: int = 16) -> Made:
    """A radiograph in lossless JPEG, JPEG-LS or JPEG 2000."""
    encode, syntax = {
        "lossless JPEG": (imagecodecs.ljpeg_encode, JPEGLosslessSV1),
        "JPEG-LS": (imagecodecs.jpegls_encode, JPEGLSLossless),
        "JPEG 2000": (lambda a: imagecodecs.jpeg2k_encode(a, codecformat="j2k", level=0), JPEG2000Lossless),
    }[form]

    def made() -> bytes:
        header = dataset(SIDE, SIDE)
        header.BitsAllocated = header.BitsStored = bits
        header.HighBit = bits - 1
        if channels > 1:
            header.SamplesPerPixel, header.PhotometricInterpretation, header.PlanarConfiguration = 3, "RGB", 0
        picture = np.ascontiguousarray(values(np.uint16 if bits > 8 else np.uint8, channels))
        return written(header, encode(picture), syntax)

    return made


EMPTY_RUNS = {"size": [SIDE, SIDE], "counts": [SIDE * SIDE]}
OUTSIDE = [[9, 9, 9.1, 9, 9.1, 9.1, 9, 9.1]]  # covers no centre of a pixel
RADIOGRAPHS: dict[str, Made] = {
    "PNG, 16-bit grey with alpha": ramp(np.uint16, 2),
    "TIFF, 16-bit RGBA": tiff(np.uint16, 4),
    "TIFF, 16-bit RGBA in one strip": tiff(np.uint16, 4, strip=SIDE),
    "TIFF, 16-bit RGBA in planes": tiff(np.uint16, 4, planar="separate"),
    "TIFF, 16 bits in eight channels": tiff(np.uint16, 8),
    "TIFF, double": tiff(np.float64),
    "TIFF, double in one strip": tiff(np.float64, strip=SIDE),
    "TIFF, float RGB of 24 megapixels": tiff(np.float32, 3, side=4890),
    "TIFF, double RGB": tiff(np.float64, 3),
    "TIFF, eight doubles in one strip": tiff(np.float64, 8, strip=4000, side=4000),
    "TIFF, double, cut short": cut(tiff(np.float64)),
    "PNG, 16-bit RGBA, cut short": cut(ramp(np.uint16, 4)),
    "DICOM, deflated 32-bit": deflated_dicom,
    "DICOM, RLE, RGB": rle_colour(8),
    "DICOM, RLE, 16-bit RGB": rle_colour(16),
    "DICOM, lossless JPEG": compressed_dicom("lossless JPEG"),
    "DICOM, JPEG-LS, RGB": compressed_dicom("JPEG-LS", 3, 8),
    "DICOM, JPEG 2000, RGB": compressed_dicom("JPEG 2000", 3, 8),
    "DICOM, JPEG 2000, 16-bit RGB": compressed_dicom("JPEG 2000", 3),
}
MASKS: dict[str, Made] = {
    "mask, a grey radiograph in PNG": ramp(np.uint8, 1),
    "mask, a 16-bit radiograph in PNG": ramp(np.uint16, 1),
    "mask, a photo in PNG": ramp(np.uint8, 3),
    "mask, a photo in JPEG": ramp(np.uint8, 3, "JPEG"),
    "mask, a grey radiograph in JPEG": ramp(np.uint8, 1, "JPEG"),
    "mask, a float TIFF": tiff(np.float32),
    "mask, COCO, 8 readers, the last empty": coco(8, RUNS, last=EMPTY_RUNS),
    "mask, COCO, 8 polygons, the last too small": coco(8, [[0, 0, SIDE, 0, SIDE, SIDE, 0, SIDE]], last=OUTSIDE),
    "mask, SEG, 8 frames, the last normal": seg(8, SIDE, normal=True),
    "mask, JSON, three million texts": lambda: (
        '{"shapes": [' + ",".join(f'"{n:05x}"' for n in range(3_000_000)) + "]}"
    ).encode(),
    "mask, JSON, two million objects": lambda: ('{"shapes": [' + ",".join(['{"a":1}'] * 1_900_000) + "]}").encode(),
    "mask, COCO, run lengths of 4 MB that are damaged": coco(1, {"size": [SIDE, SIDE], "counts": "1" * 4_000_000}),
}
