"""Files that are written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deep_pneumonia.errors import DeepPneumoniaError


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path` to write to; it takes the place of `path` when the block ends well.

    Raises:
        DeepPneumoniaError: the folder is missing or cannot be written to. What stood at `path` stays.
    """
    path = Path(path)
    if not path.name:
        raise DeepPneumoniaError(f"{path} is a folder; give a file's name.")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        raise DeepPneumoniaError(f"{path} cannot be written ({error.strerror}); choose another place.") from error
    finally:
        partial.unlink(missing_ok=True)
