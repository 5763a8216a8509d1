"""Decode the stored values of a DICOM object with one frame, whatever its transfer syntax."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO, cast

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels import get_decoder, pixel_array
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    RLELossless,
)

from deep_pneumonia.errors import NotARadiographError, TooLargeError
from deep_pneumonia.limits import MAX_CODEC_BYTES, MAX_DECODING_SECONDS
from deep_pneumonia.radiographs.bands import bands
from deep_pneumonia.radiographs.code_stream import CodeStream, code_stream, is_whole_jpeg
from deep_pneumonia.radiographs.grey_levels import stored_bits

JPEG_SYNTAXES = (JPEGBaseline8Bit, JPEGExtended12Bit)
HIGH_THROUGHPUT_SYNTAXES = (HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K)  # only imagecodecs decodes them
# Colour of a decoded frame that is RGB, because JPEG 2000 undoes its own transforms.
RGB_INTERPRETATIONS = ("RGB", "YBR_RCT", "YBR_ICT")


def is_decodable(syntax: UID) -> bool:
    """Whether frames in this transfer syntax can be decoded."""
    if syntax in HIGH_THROUGHPUT_SYNTAXES:
        return True
    try:
        return not syntax.is_compressed or get_decoder(syntax).is_available
    except (NotImplementedError, ValueError):
        return False


def size(header: Dataset) -> tuple[int, int]:
    """(H, W) in pixels, from the header."""
    return int(header.Rows), int(header.Columns)


def read_frame(header: Dataset, name: str) -> NDArray[Any]:
    """Decode the stored values: integers or floats (H, W), or uint8 (H, W, 3) in RGB.

    If a JPEG 2000 code stream is signed and the header is not, PixelRepresentation of the header is set to 1: the code
    stream decides (DICOM PS3.5 A.4).

    Raises:
        NotARadiographError: the encoded frame is damaged or differs in size from the header.
        TooLargeError: it is in a compression whose decoder takes too much memory for its colours.
    """
    syntax = header.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        values, precision = (
            pixel_array(header, correct_unused_bits=_is_converted(header)),
            header.get("BitsAllocated", 0),
        )
    elif syntax == RLELossless:
        values, precision = _by_run_lengths(header), int(header.BitsAllocated)
    else:
        values, precision = _decoded(header, name)
    if values.dtype.kind == "f":
        return values
    if not _is_converted(header):
        values = stored_bits(values, header, precision)
    return _in_bytes(values, int(header.BitsStored)) if values.ndim == 3 and values.dtype != np.uint8 else values


def _in_bytes(values: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    """Colours (H, W, 3) of `bits` a channel, scaled to 8 bits a band of rows at a time."""
    scaled = np.empty(values.shape, np.uint8)
    for rows in bands(values.shape):
        scaled[rows] = (values[rows] / (2**bits - 1) * 255).round().clip(0, 255).astype(np.uint8)
    return scaled


def _decoded(header: Dataset, name: str) -> tuple[NDArray[Any], int]:
    """Values and bits a sample of an encapsulated frame, by the first decoder that takes it."""
    frame = next(generate_frames(header.PixelData, number_of_frames=1))
    stream = code_stream(frame)
    # A few bytes can claim an image of gigabytes, so the size is checked before a decoder allocates memory.
    if stream is None or stream.size != size(header):
        raise NotARadiographError(
            f"{name} is damaged: its encoded image has another size than its header; export it again."
        )
    if stream.marker and not is_whole_jpeg(frame):
        raise NotARadiographError(f"{name} is damaged: its encoded image is cut short; export it again.")
    for_pillow = _is_for_pillow(header, stream)
    samples = header.Rows * header.Columns * header.SamplesPerPixel
    if not for_pillow and samples * (2 if stream.precision > 8 else 1) > MAX_CODEC_BYTES:
        raise TooLargeError(
            f"{name} has more than the {MAX_CODEC_BYTES} bytes of decoded samples that its compression is read with; "
            "export it as greyscale or uncompressed."
        )
    if stream.signed:
        header.PixelRepresentation = 1
    try:
        if header.file_meta.TransferSyntaxUID in HIGH_THROUGHPUT_SYNTAXES:
            return _by_imagecodecs(frame, header, stream), stream.precision
        if for_pillow:
            return _by_pillow(header), stream.precision
        return _by_gdcm(frame, header, stream), stream.precision
    except Exception:  # decoders raise many types; the second one decides whether the frame is damaged
        if stream.precision <= 8 and header.file_meta.TransferSyntaxUID in JPEG_SYNTAXES:
            raise  # every decoder takes such a frame unless it is damaged, and imagecodecs would guess what is missing
        return _by_imagecodecs(frame, header, stream), stream.precision


def _by_run_lengths(header: Dataset) -> NDArray[Any]:
    width, channels = int(header.BitsAllocated) // 8, int(header.SamplesPerPixel)
    pixels = header.Rows * header.Columns
    frame = next(generate_frames(header.PixelData, number_of_frames=1))
    planes = run_length_planes(frame, width * channels, pixels)
    if _is_converted(header):
        return pixel_array(header, correct_unused_bits=True)
    samples = planes.reshape(channels, width, pixels)[:, ::-1].transpose(2, 0, 1)  # the lowest byte first
    kind = "i" if header.PixelRepresentation == 1 else "u"
    values = np.ascontiguousarray(samples).view(f"<{kind}{width}").astype(f"{kind}{width}", copy=False)
    return values.reshape(*size(header), channels) if channels > 1 else values.reshape(size(header))


def run_length_planes(frame: bytes, planes: int, length: int) -> NDArray[np.uint8]:
    """Decode an RLE frame (DICOM PS3.5 annex G): uint8 (planes, length), the highest byte of a sample first.

    It never decodes more than `length` bytes a plane, while a few bytes can claim gigabytes.

    Raises:
        ValueError: the frame has another number of planes, or a plane another length.
    """
    count, *starts = np.frombuffer(frame[:64], "<u4").tolist()
    if count != planes:
        raise ValueError(f"{count} planes, expected {planes}")
    decoded = np.zeros((planes, length), np.uint8)
    for plane, start, end in zip(decoded, starts, [*starts[1:planes], len(frame)], strict=False):
        data = imagecodecs.packbits_decode(frame[start:end], out=length + 1)  # one more may come of a padding byte
        if len(data) < length:
            raise ValueError(f"a plane of {len(data)} bytes, expected {length}")
        plane[:] = np.frombuffer(data, np.uint8, length)
    return decoded


def _in_colour(header: Dataset) -> bool:
    return int(header.get("SamplesPerPixel", 1)) > 1


def _is_converted(header: Dataset) -> bool:
    """Whether pydicom converts the colours, so that it must clear unused bits itself before that."""
    return _in_colour(header) and header.PhotometricInterpretation != "RGB"


def _is_for_pillow(header: Dataset, stream: CodeStream) -> bool:
    """Whether Pillow decodes the frame. It is safe with damaged bytes but does not know every syntax."""
    syntax = header.file_meta.TransferSyntaxUID
    if syntax in JPEG_SYNTAXES:
        return stream.precision <= 8
    deep = max(header.BitsStored, stream.precision) > 8
    return syntax in (JPEG2000Lossless, JPEG2000) and not (deep and _in_colour(header))


def _by_pillow(header: Dataset) -> NDArray[Any]:
    options = {}
    if header.file_meta.TransferSyntaxUID in JPEG_SYNTAXES and header.BitsAllocated > 8:
        # Pillow gives bytes, and pydicom would expect as many as the header allocates.
        options = {"bits_allocated": 8, "bits_stored": min(header.BitsStored, 8)}
    return pixel_array(header, decoding_plugin="pillow", correct_unused_bits=_is_converted(header), **options)


def _by_gdcm(frame: bytes, header: Dataset, stream: CodeStream) -> NDArray[Any]:
    # GDCM returns no bits above these, so it gets those of the code stream; `stored_bits` masks them afterwards.
    bits = min(max(header.BitsStored, 0 if _in_colour(header) else stream.precision), header.BitsAllocated)
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
        "correct_unused_bits": _is_converted(header),
    }
    return _in_own_process("gdcm", frame, **options)


def _by_imagecodecs(frame: bytes, header: Dataset, stream: CodeStream) -> NDArray[Any]:
    """Decode with the second decoder; a header that reads the samples with another sign than the stream is followed.

    Raises:
        ValueError: the frame is in another colour space than RGB, or has other channels than the header says.
    """
    channels = (3,) if _in_colour(header) else ()
    if channels and header.PhotometricInterpretation not in RGB_INTERPRETATIONS:
        raise ValueError("a colour space that only the header names")
    values = _in_own_process("imagecodecs", frame)
    if values.shape != (*stream.size, *channels):
        raise ValueError(f"decoded {values.shape}, expected {(*stream.size, *channels)}")
    signed = values.dtype.kind == "u" and header.PixelRepresentation == 1
    return values.view(values.dtype.str.replace("u", "i")) if signed else values


def _in_own_process(decoder: str, frame: bytes, **options: object) -> NDArray[Any]:
    # -P keeps the script's folder out of sys.path, so that its modules cannot shadow the standard library.
    command = [sys.executable, "-P", str(Path(__file__).with_name("codec_process.py"))]
    with subprocess.Popen(  # noqa: S603  (no shell, no argument from outside)
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        timer = threading.Timer(MAX_DECODING_SECONDS, process.kill)
        timer.start()
        try:
            stdin, stdout = cast(BinaryIO, process.stdin), cast(io.BufferedReader, process.stdout)
            stdin.write(json.dumps({"decoder": decoder, **options}).encode() + b"\n" + frame)
            stdin.close()
            stated = json.loads(stdout.readline())
            values = np.empty(stated["shape"], stated["type"])
            if stdout.readinto(values.data.cast("B")) != values.nbytes:
                raise EOFError
        finally:
            timer.cancel()
            process.kill()
    return values
