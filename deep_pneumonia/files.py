"""Files: read within a bound, hashed in one way, and written whole or not at all."""

import errno
import hashlib
import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.limits import MAX_FILE_BYTES
from deep_pneumonia.partial_files import partial_file

PICTURE_SUFFIXES = (".png", ".pdf")  # of reports and charts
# What the system says where there is no room left: the disk is full, or a quota or a limit is reached.
NO_ROOM_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


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


def why_unwritten(path: str | Path, error: OSError) -> str:
    """Why a file or folder could not be written and what to do, in one sentence."""
    why = error.strerror or str(error) or type(error).__name__
    if error.errno in NO_ROOM_ERRORS:
        return f"{path} cannot be written, as there is no room left on its disk ({why}); make room and try again."
    return f"{path} cannot be written ({why}); choose another place."


def check_new_file(path: str | Path) -> None:
    """Check, before the work, that a file can be written: its folder exists and may be written to.

    Raises:
        DeepPneumoniaError: it cannot.
    """
    path = Path(path)
    _check_name(path)
    if path.is_dir() or not path.name:
        raise DeepPneumoniaError(f"{path} is a folder; give the name of a file.")
    if not path.parent.is_dir():
        raise DeepPneumoniaError(
            f"{path} cannot be written, as {path.parent} is no folder; make it, or choose another."
        )
    _check_writable(path.parent, path)


def check_new_folder(path: str | Path) -> None:
    """Check, before the work, that a folder can be written to, or be made with the folders above it.

    Raises:
        DeepPneumoniaError: it cannot.
    """
    _check_name(path)
    existing = next(p for p in (Path(path).absolute(), *Path(path).absolute().parents) if os.path.lexists(p))
    if not existing.is_dir():
        raise DeepPneumoniaError(f"{path} cannot be a folder, as {existing} is a file; choose another place.")
    _check_writable(existing, path)


def _check_name(path: str | Path) -> None:
    try:
        valid = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:  # half of a character, as JSON can hold it
        valid = False
    if not valid:
        raise DeepPneumoniaError(f"{str(path)!a} cannot be the name of a file; choose another.")


def _check_writable(folder: Path, wanted: str | Path) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DeepPneumoniaError(f"{wanted} cannot be written, as {folder} is write-protected; choose another place.")


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, which replaces `path` when the block ends without an error.

    Raises:
        DeepPneumoniaError: the folder is missing or cannot be written to, or the disk is full. An earlier file at
            `path` stays. The message names the file without its folder, as a visitor of the viewer may read it.
    """
    path = Path(path)
    _check_name(path)
    if not path.name:
        raise DeepPneumoniaError(f"{path} is a folder; give the name of a file.")
    try:
        with partial_file(path) as partial:
            yield partial
            partial.replace(path)
    except OSError as error:
        raise DeepPneumoniaError(why_unwritten(path.name, error)) from error


def write_bytes(data: bytes, path: str | Path, *, flush: bool = False) -> None:
    """Write a whole file or nothing. With `flush`, it is on the disk when this returns, and survives a power failure.

    Raises:
        DeepPneumoniaError: as from `whole`.
    """
    with whole(path) as partial, partial.open("wb") as stream:
        stream.write(data)
        if flush:
            stream.flush()
            os.fsync(stream.fileno())


def write_json(value: Any, path: Path) -> None:
    """Write JSON atomically.

    Raises:
        ValueError: a number is NaN or infinite, which JSON cannot hold.
        DeepPneumoniaError: the file cannot be written.
    """
    with whole(path) as partial:
        partial.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", encoding="utf-8")
