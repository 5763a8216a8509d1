"""A probe for folders whose file locks do not work, such as some network shares and mounted buckets.

SQLite keeps two writers apart with file locks. Where the locks are ignored, two reviewers can overwrite each
other's verdicts without an error, so a workspace tries them before it trusts a folder.
"""

import errno
import os
import sqlite3
import struct
import sys
from contextlib import closing
from pathlib import Path

from deep_pneumonia.errors import WorkspaceError
from deep_pneumonia.partial_files import partial_folder

# SQLite locks bytes of this range (https://www.sqlite.org/fileformat.html#the_lock_byte_page).
SQLITE_LOCK_START, SQLITE_LOCK_LENGTH = 0x40000000, 512


def check_locks(folder: Path) -> None:
    """Take a write lock on a temporary database in `folder` and check that a second writer is refused.

    Raises:
        WorkspaceError: the folder cannot be written to, or its locks fail or do nothing.
    """
    try:
        with partial_folder(folder / "locks") as scratch, (scratch / "probe").open("w+b") as file:
            refused = _tried(folder, file.fileno(), str(scratch / "probe"))
    except OSError as error:
        raise WorkspaceError(
            f"{folder.name} cannot be written to ({error.strerror}); make room on its disk, or choose another folder."
        ) from error
    if not refused:
        raise _unsafe(folder, "a second program may write at the same time")


def _tried(folder: Path, handle: int, path: str) -> bool:
    try:
        return _second_writer_is_refused(handle, path)
    except (sqlite3.Error, OSError) as error:
        raise _unsafe(folder, str(error)) from error


def _second_writer_is_refused(handle: int, path: str) -> bool:
    """`handle` is an open file, and `path` its name, which SQLite opens for itself."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        return _is_locked(handle)


def _is_locked(handle: int) -> bool:
    """Whether somebody holds a lock within SQLite's range of bytes; True on systems where this cannot be asked."""
    if sys.platform != "linux":
        return True
    import fcntl

    # A lock of an open file description, unlike a plain lock, conflicts with other locks of this same process.
    wanted = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, SQLITE_LOCK_START, SQLITE_LOCK_LENGTH, 0)
    try:
        fcntl.fcntl(handle, fcntl.F_OFD_SETLK, wanted)
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        return True
    return False


def _unsafe(folder: Path, problem: str) -> WorkspaceError:
    return WorkspaceError(
        f"The file locks in {folder.name} do not work ({problem}), so reviewers could overwrite each other's verdicts; "
        "choose a folder on a local disk instead of a network share or a mounted bucket."
    )
