"""The process that decodes a DICOM frame, without the process: each kind of code stream, and its answer on stdout."""

import io
import json
import sys
from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.uid import JPEGLosslessSV1

from deep_pneumonia.radiographs import codec_process

FRAME = (np.arange(64 * 48).reshape(64, 48) % 4096).astype(np.uint16)


@pytest.mark.parametrize(
    "encode",
    [
        lambda: imagecodecs.jpeg2k_encode(FRAME, codecformat="j2k", level=0),
        lambda: imagecodecs.jpegls_encode(FRAME),
        lambda: imagecodecs.ljpeg_encode(FRAME),
    ],
    ids=["JPEG 2000", "JPEG-LS", "lossless JPEG"],
)
def test_the_code_stream_says_which_decoder_reads_it(encode: Callable[[], bytes]) -> None:
    np.testing.assert_array_equal(codec_process.by_imagecodecs(encode()), FRAME)


def test_a_plain_jpeg_is_read_by_the_plain_decoder() -> None:
    flat = np.full((32, 32), 77, np.uint8)
    found: NDArray[Any] = codec_process.by_imagecodecs(imagecodecs.jpeg8_encode(flat))
    np.testing.assert_array_equal(found, flat)


@pytest.mark.parametrize("decoder", ["gdcm", "imagecodecs"])
def test_the_frame_on_stdin_is_the_array_on_stdout(decoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {
        "transfer_syntax": str(JPEGLosslessSV1), "rows": 64, "columns": 48, "bits_allocated": 16, "bits_stored": 16,
        "samples_per_pixel": 1, "pixel_representation": 0, "photometric_interpretation": "MONOCHROME2",
        "number_of_frames": 1, "pixel_keyword": "PixelData",
    }  # fmt: skip
    asked = {"decoder": decoder, **options}
    given = json.dumps(asked).encode() + b"\n" + imagecodecs.ljpeg_encode(FRAME)
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out))
    codec_process.main()
    line, pixels = out.getvalue().split(b"\n", 1)
    stated = json.loads(line)
    np.testing.assert_array_equal(np.frombuffer(pixels, stated["type"]).reshape(stated["shape"]), FRAME)
