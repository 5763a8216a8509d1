"""Decoders are silent: what Pillow and pydicom warn of or log may quote tags, and those may name a patient."""

import logging
import threading
import warnings

# Both log tag values at lower levels.
logging.getLogger("PIL").setLevel(logging.ERROR)
logging.getLogger("pydicom").setLevel(logging.CRITICAL)


class Silence:
    """No warnings while anyone decodes: they may quote tags. catch_warnings alone is not safe in threads."""

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
