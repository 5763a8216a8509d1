"""Partial files and folders: written under a hidden name beside their target, and cleaned up after a killed process.

While `a.png` is written, it is `.a.png.partial`, and its writer holds a lock on it. The system releases the lock when
the process ends, however it ends. The next writer of `a.png` then takes the leftover over, and `sweep` deletes what
nobody writes any more. Neither depends on clocks or process numbers. A second writer of the same file at the same time
gets `.a.png.2.partial`. Where there are no such locks (Windows, some network disks), names are random and nothing is
swept.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PATTERN = ".*.partial"
RANDOM_LENGTH = 8  # characters that tempfile adds to a prefix


@contextmanager
def partial_file(path: Path) -> Iterator[Path]:
    """Give an empty file beside `path` to write to; it is deleted at the end, unless it was renamed.

    Raises:
        OSError: the file cannot be made.
    """
    with _claimed(path, folder=False) as partial:
        yield partial


@contextmanager
def partial_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder beside `path` to write into; it is deleted at the end, unless it was renamed.

    The folder of `path` is made where it is missing.

    Raises:
        OSError: the folder cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _claimed(path, folder=True) as partial:
        yield partial


def sweep(folder: Path) -> None:
    """Delete the partial files and folders in `folder` that killed processes left; those being written stay."""
    if fcntl is None:
        return
    for partial in folder.glob(PATTERN):
        with suppress(OSError):
            _sweep_one(partial)


def locked_folder(prefix: str, parent: Path | None = None) -> tuple[Path, int | None]:
    """A new folder for temporary files, and the handle whose lock tells that its process lives.

    Folders of this prefix that killed processes of this user left are deleted first, so the prefix must be one that
    nobody else uses. parent: the folder it lies in; by default the system's for temporary files.

    Raises:
        OSError: it cannot be made.
    """
    parent = parent or Path(tempfile.gettempdir())
    if fcntl is not None and hasattr(os, "geteuid"):
        for folder in parent.glob(f"{prefix}{'?' * RANDOM_LENGTH}"):
            with suppress(OSError):
                if folder.lstat().st_uid == os.geteuid() and folder.is_dir() and not folder.is_symlink():
                    _sweep_one(folder)
    while True:
        made = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        if fcntl is None:
            return made, None
        try:
            handle = os.open(made, os.O_RDONLY)
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:  # no such locks here, or it was swept before it was locked
            if made.exists():
                return made, None
            continue
        if _is_at(handle, made):
            return made, handle
        os.close(handle)


def _sweep_one(path: Path) -> None:
    """Delete a file or folder that nobody holds.

    Raises:
        OSError: it is gone, or there are no locks.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        if _lock(handle):
            _delete(path)
    finally:
        os.close(handle)


@contextmanager
def _claimed(path: Path, *, folder: bool) -> Iterator[Path]:
    partial, handle = _claim(path, folder)
    try:
        yield partial
    finally:
        # After a rename the name is free, and may already be another writer's.
        if handle is None or _is_at(handle, partial):
            _delete(partial)
        if handle is not None:
            os.close(handle)


def _claim(path: Path, folder: bool) -> tuple[Path, int | None]:
    """An empty partial file or folder, and the handle that holds its lock; None where there are no locks."""
    for number in count(1):
        partial = path.with_name(f".{path.name}{f'.{number}' if number > 1 else ''}.partial")
        if fcntl is None or (handle := _locked(partial, folder)) is None:
            break
        if handle >= 0:
            _empty(partial, handle, folder)
            return partial, handle
    partial = path.with_name(f".{path.name}.{os.urandom(4).hex()}.partial")
    if folder:
        partial.mkdir()
    return partial, None


def _locked(partial: Path, folder: bool) -> int | None:
    """A handle that holds the lock of a partial file; -1 if somebody else does, None if locks do not work here."""
    if folder:
        partial.mkdir(exist_ok=True)
    handle = os.open(partial, os.O_RDONLY if folder else os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if _lock(handle) and _is_at(handle, partial):  # it may have been swept before it was locked
            return handle
    except OSError:
        os.close(handle)
        _delete(partial)
        return None
    os.close(handle)
    return -1


def _lock(handle: int) -> bool:
    """Take the lock, unless somebody holds it.

    Raises:
        OSError: the disk has no such locks.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(handle: int, path: Path) -> bool:
    """Whether an open file or folder is the one that has this name now."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False


def _empty(partial: Path, handle: int, folder: bool) -> None:
    if not folder:
        os.ftruncate(handle, 0)
        return
    for child in partial.iterdir():
        _delete(child)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
