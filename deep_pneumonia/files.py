"""Files that are written whole or not at all."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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


def write_json(value: Any, path: Path) -> None:
    """Write JSON atomically; NaN is refused."""
    with whole(path) as partial:
        partial.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", encoding="utf-8")
