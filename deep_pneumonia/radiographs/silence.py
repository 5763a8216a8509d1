"""Silence for decoders: warnings and logs of Pillow and pydicom may quote tags, and tags may name a patient."""

import logging
import threading
import warnings

# Both log tag values at lower levels.
logging.getLogger("PIL").setLevel(logging.ERROR)
logging.getLogger("pydicom").setLevel(logging.CRITICAL)


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
