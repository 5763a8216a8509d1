"""One compressed DICOM frame decoded by GDCM in a process of its own; a script that `dicom.py` starts.

GDCM reads what Pillow does not: lossless JPEG, JPEG-LS, 12-bit JPEG. But on damaged bytes it aborts or loops
instead of raising, and it writes to stderr, so it must not run where other people's work is.

stdin: a line of JSON, the arguments of pydicom's decoder, then the encoded frame. stdout: the array as .npy.
"""

import io
import json
import sys

import numpy as np
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder
from pydicom.uid import UID, JPEGExtended12Bit, JPEGLosslessSV1


def main() -> None:
    """Decode stdin to stdout."""
    options = json.loads(sys.stdin.buffer.readline())
    syntax = UID(options.pop("transfer_syntax"))
    if syntax == JPEGExtended12Bit:
        # pydicom refuses 12-bit JPEG for GDCM's sake, which has decoded it since; one decoder reads all JPEG.
        syntax = JPEGLosslessSV1
    frame = encapsulate([sys.stdin.buffer.read()])
    values, _ = get_decoder(syntax).as_array(frame, decoding_plugin="gdcm", **options)
    npy = io.BytesIO()
    np.save(npy, values)
    sys.stdout.buffer.write(npy.getvalue())


if __name__ == "__main__":
    main()
