"""Silence for decoders: warnings and logs of Pillow and pydicom may quote tags, and tags may name a patient."""

import ctypes
import ctypes.util
import logging
import threading
import warnings
from pathlib import Path

import PIL
import pydicom.config  # noqa: F401  sets the level of its logger when it is imported, so it comes first

# Both log tag values, and one line or more for each damaged file.
for name in ("PIL", "pydicom"):
    logging.getLogger(name).setLevel(logging.CRITICAL)


def silence_libtiff() -> None:
    """Stop libtiff, which Pillow contains or links to, from writing to standard error about every damaged tag."""
    folder = Path(PIL.__file__).parent
    bundled = [*folder.parent.glob("pillow.libs/libtiff*"), *folder.glob(".dylibs/libtiff*")]
    found = str(bundled[0]) if bundled else ctypes.util.find_library("tiff")
    if found is None:
        return
    try:
        library = ctypes.CDLL(found)
        library.TIFFSetErrorHandler(None)
        library.TIFFSetWarningHandler(None)
    except (OSError, AttributeError):  # another build of the library: its lines stay
        return


silence_libtiff()


class Silence:
    """A context that ignores all warnings while any thread is inside it; `catch_warnings` alone is not thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filters = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._filters.__exit__(None, None, None)


SILENCE = Silence()
