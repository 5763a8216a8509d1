"""Decode one compressed DICOM frame with GDCM in its own process; a script that `dicom.py` starts.

GDCM reads lossless JPEG, JPEG-LS and 12-bit JPEG, which Pillow does not. On damaged bytes it aborts or loops instead
of raising an error, and it writes to stderr, so it must not run inside the app's process.

stdin: one line of JSON with the arguments of pydicom's decoder, then the encoded frame. stdout: the array as .npy.
"""

import io
import json
import sys

import numpy as np
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder
from pydicom.uid import UID, JPEGExtended12Bit, JPEGLosslessSV1


def main() -> None:
    """Decode the frame on stdin and write the array to stdout."""
    options = json.loads(sys.stdin.buffer.readline())
    syntax = UID(options.pop("transfer_syntax"))
    if syntax == JPEGExtended12Bit:
        # pydicom does not offer GDCM for 12-bit JPEG, although GDCM decodes it with the same decoder as lossless JPEG.
        syntax = JPEGLosslessSV1
    frame = encapsulate([sys.stdin.buffer.read()])
    values, _ = get_decoder(syntax).as_array(frame, decoding_plugin="gdcm", **options)
    npy = io.BytesIO()
    np.save(npy, values)
    sys.stdout.buffer.write(npy.getvalue())


if __name__ == "__main__":
    main()
