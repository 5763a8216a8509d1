"""Whose uploads are whose, how much of the disk each visitor holds with them, and how they are deleted."""

import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

from deep_pneumonia.errors import LimitError
from deep_pneumonia.limits import MAX_UPLOADS_BYTES, MIN_FREE_BYTES, MIN_UPLOAD_BYTES
from deep_pneumonia.viewer.guard.visitors import Visitor, visitor

GIB = 2**30


@dataclass(frozen=True)
class Held:
    """One upload: who sent it, and its bytes."""

    sender: Visitor
    size: int


class Owners:
    """The uploads on the disk, by the name of their folder."""

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}
        self._lock = threading.Lock()

    def claim(self, folder: Path, size: int) -> None:
        """Note that the visitor who asks now is about to fill a new folder with `size` bytes.

        Raises:
            LimitError: the visitor holds too much already, or the disk is nearly full.
        """
        sender, size = visitor(), max(size, MIN_UPLOAD_BYTES)
        check_disk(folder.parent, size)
        with self._lock:
            held = sum(h.size for h in self._held.values() if h.sender.address == sender.address)
            if held + size > MAX_UPLOADS_BYTES:
                raise LimitError(
                    f"Your uploads would hold {(held + size) / GIB:.1f} GiB on this server, and "
                    f"{MAX_UPLOADS_BYTES // GIB} GiB are allowed; uploads are deleted within the hour, try again later."
                )
            self._held[folder.name] = Held(sender, size)

    def forget(self, folder: Path) -> None:
        """Note that a folder was deleted."""
        with self._lock:
            self._held.pop(folder.name, None)

    def allows(self, path: Path, uploads: Path, token: str) -> bool:
        """Whether the visitor with this token of the page sent the upload at `path`, or nobody in particular did."""
        try:
            parts = path.resolve().relative_to(uploads.resolve()).parts
        except (OSError, ValueError):
            return True
        held = self._held.get(parts[0]) if parts else None
        return held is None or held.sender.token == token


OWNERS = Owners()  # of the one folder of uploads that a process has


def check_disk(folder: Path, size: int) -> None:
    """Check that `size` more bytes fit on the disk of a folder.

    Raises:
        LimitError: they do not.
    """
    if shutil.disk_usage(folder).free - size < MIN_FREE_BYTES:
        raise LimitError("The server's disk is nearly full; try again later, or tell whoever runs the server.")


def discard(folder: Path) -> None:
    """Delete the folder of an upload."""
    shutil.rmtree(folder, ignore_errors=True)
    OWNERS.forget(folder)


def sweep(uploads: Path, before: float) -> None:
    """Delete all in the folder of uploads that was last changed before this time (seconds since 1970)."""
    for place in list(uploads.iterdir()) if uploads.is_dir() else []:
        if _newest(place) < before:
            discard(place) if place.is_dir() else place.unlink(missing_ok=True)


def _newest(place: Path) -> float:
    """When anything at a place was last changed; 0 if it is gone."""
    try:
        return max(p.stat().st_mtime for p in [place, *place.rglob("*")])
    except OSError:
        return 0.0
