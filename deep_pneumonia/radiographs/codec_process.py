"""Decode one compressed DICOM frame in its own process; a script that `dicom_frames.py` starts.

GDCM reads lossless JPEG, JPEG-LS and 12-bit JPEG, which Pillow does not. On damaged bytes it aborts or loops instead
of raising an error, and it writes to stderr, so it must not run inside the app's process. imagecodecs is the second
decoder, for frames that the first one does not take.

stdin: one line of JSON with the name of the decoder, the transfer syntax and the arguments of pydicom's decoder, then
the encoded frame. stdout: one line of JSON with the shape and the type of the array, then its bytes.
"""

import json
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray


def main() -> None:
    """Decode the frame on stdin and write the array to stdout."""
    options = json.loads(sys.stdin.buffer.readline())
    frame = sys.stdin.buffer.read()
    values = by_gdcm(frame, **options) if options.pop("decoder") == "gdcm" else by_imagecodecs(frame)
    sys.stdout.buffer.write(json.dumps({"shape": values.shape, "type": values.dtype.str}).encode() + b"\n")
    sys.stdout.buffer.write(np.ascontiguousarray(values).data.cast("B"))
    sys.stdout.buffer.flush()


def by_gdcm(frame: bytes, *, transfer_syntax: str, **options: Any) -> NDArray[Any]:
    """Decode a frame by pydicom's GDCM plugin: (H, W) or (H, W, 3) in the type of Bits Allocated."""
    from pydicom.encaps import encapsulate
    from pydicom.pixels import get_decoder
    from pydicom.uid import UID, JPEGExtended12Bit, JPEGLosslessSV1

    syntax = UID(transfer_syntax)
    if syntax == JPEGExtended12Bit:
        # pydicom does not offer GDCM for 12-bit JPEG, although GDCM decodes it with the same decoder as lossless JPEG.
        syntax = JPEGLosslessSV1
    values, _ = get_decoder(syntax).as_array(encapsulate([frame]), decoding_plugin="gdcm", **options)
    return values


def by_imagecodecs(frame: bytes) -> NDArray[Any]:
    """Decode a frame by what its code stream says: (H, W) or (H, W, C) in the stream's own precision and sign."""
    import imagecodecs

    if not frame.startswith(b"\xff\xd8"):
        return imagecodecs.jpeg2k_decode(frame)
    if b"\xff\xf7" in frame[:1024]:
        return imagecodecs.jpegls_decode(frame)
    if b"\xff\xc3" in frame[:1024]:
        return imagecodecs.ljpeg_decode(frame)
    return imagecodecs.jpeg8_decode(frame)


if __name__ == "__main__":
    main()
