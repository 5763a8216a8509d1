"""Files: read within a bound, hashed in one way, and written whole or not at all."""

import hashlib
import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deep_pneumonia.errors import DeepPneumoniaError

PICTURE_SUFFIXES = (".png", ".pdf")  # of reports and charts
MAX_FILE_BYTES = 64 * 2**20


def sha256(source: Path | bytes | memoryview) -> str:
    """SHA-256 of a file's content or of bytes, as 64 hexadecimal digits.

    Raises:
        OSError: the file cannot be read.
    """
    if not isinstance(source, Path):
        return hashlib.sha256(source).hexdigest()
    with source.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_bytes(
    file: str | Path | bytes,
    name: str = "",
    *,
    error: type[DeepPneumoniaError],
    too_large: type[DeepPneumoniaError] | None = None,
    limit: int = MAX_FILE_BYTES,
) -> bytes:
    """Read a whole file of at most `limit` bytes; bytes are checked in the same way and returned.

    name: what errors call the file; its path, or "The file" for bytes, where none is given.
    error: the class to raise; `too_large` replaces it for a file over the limit.

    Raises:
        error: the file is missing, unreadable, empty, a folder or a device.
        too_large: the file has more than `limit` bytes.
    """
    name = name or ("The file" if isinstance(file, bytes) else str(file))
    data = file if isinstance(file, bytes) else _read(Path(file), name, error, limit + 1)
    if not data:
        raise error(f"{name} is empty; choose another file.")
    if len(data) > limit:
        allowed = f"{limit} bytes" if limit % 2**20 else f"{limit // 2**20} MiB"
        raise (too_large or error)(f"{name} has more than {allowed}; choose a smaller file.")
    return data


def _read(path: Path, name: str, error: type[DeepPneumoniaError], count: int) -> bytes:
    try:
        if path.exists() and not path.is_file():  # opening a pipe would wait for its writer
            raise error(f"{name} is a folder or a device; choose a file.")
        with path.open("rb") as stream:
            return stream.read(count)
    except FileNotFoundError:
        raise error(f"{name} does not exist; check the path.") from None
    except (OSError, ValueError):  # ValueError: a NUL in the path
        raise error(f"{name} cannot be read; check that it is a file and that you may read it.") from None


def check_suffix(path: str | Path, suffixes: Collection[str]) -> None:
    """Check that a file to be written has a name that ends in one of `suffixes`, such as ".png", in any case.

    Raises:
        DeepPneumoniaError: it ends in something else.
    """
    if Path(path).suffix.lower() not in suffixes:
        raise DeepPneumoniaError(f"{path} does not end in {' or '.join(suffixes)}; choose a name that does.")


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, which replaces `path` when the block ends without an error.

    Raises:
        DeepPneumoniaError: the folder is missing or cannot be written to. An earlier file at `path` stays.
    """
    path = Path(path)
    if not path.name:
        raise DeepPneumoniaError(f"{path} is a folder; give the name of a file.")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        raise DeepPneumoniaError(f"{path} cannot be written ({error.strerror}); choose another place.") from error
    finally:
        partial.unlink(missing_ok=True)


def write_json(value: Any, path: Path) -> None:
    """Write JSON atomically.

    Raises:
        ValueError: a number is NaN or infinite, which JSON cannot hold.
        DeepPneumoniaError: the file cannot be written.
    """
    with whole(path) as partial:
        partial.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", encoding="utf-8")
