"""The mask files of a workspace, named by their digests: each is stored once, and never changed."""

import os
from pathlib import Path

from deep_pneumonia.errors import WorkspaceError
from deep_pneumonia.files import sha256, why_unwritten
from deep_pneumonia.partial_files import partial_file, sweep


class MaskStore:
    """A folder of PNG files named SHA256.png."""

    def __init__(self, folder: Path) -> None:
        """Open the folder, or make it.

        Raises:
            WorkspaceError: it cannot be made.
        """
        self.folder = folder
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise WorkspaceError(why_unwritten(folder.name, error)) from error
        sweep(folder)

    def path(self, digest: str) -> Path:
        """Where the file with this digest lies."""
        return self.folder / f"{digest}.png"

    def keep(self, data: bytes) -> str:
        """Store a file and return its digest. The whole file is on disk when this returns.

        Raises:
            WorkspaceError: the disk is full, or the folder cannot be written to.
        """
        digest = sha256(data)
        path = self.path(digest)
        if path.exists():
            return digest
        try:
            with partial_file(path) as partial:
                with partial.open("wb") as stream:
                    stream.write(data)
                    stream.flush()
                    os.fsync(stream.fileno())
                partial.replace(path)
            _flush_names(self.folder)
        except OSError as error:
            raise WorkspaceError(why_unwritten(path.name, error)) from error
        return digest


def _flush_names(folder: Path) -> None:
    """Write a folder's new file names to disk. Windows cannot open folders, and does this by itself."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
