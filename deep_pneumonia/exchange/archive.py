"""An export as a folder or a ZIP: written whole or not at all, and read as if a stranger had made it."""

import io
import os
import stat
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from deep_pneumonia.errors import ExchangeError
from deep_pneumonia.files import whole, why_unwritten
from deep_pneumonia.limits import (
    MAX_MEMBER_LIST_BYTES,
    MAX_MEMBERS,
    MAX_UNPACKED_BYTES,
    MAX_UNPACKED_RATIO,
    MIN_RATIO_BYTES,
)
from deep_pneumonia.partial_files import partial_folder

READ_BYTES = 2**20  # that are unpacked at once
ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
DAMAGE_ERRORS = (OSError, EOFError, RuntimeError, ValueError, NotImplementedError, zipfile.BadZipFile, zlib.error)


class Archive(ABC):
    """The files of an export, by their names with "/" between folders; at most `MAX_UNPACKED_BYTES` are read."""

    bytes_left: int = MAX_UNPACKED_BYTES

    @abstractmethod
    def has(self, name: str) -> bool:
        """Whether a file exists."""

    @abstractmethod
    def read_start(self, name: str, limit: int) -> bytes:
        """The first `limit` bytes of a file."""

    def read(self, name: str, limit: int) -> bytes:
        """All bytes of a file.

        Raises:
            ExchangeError: the file is missing, a link, damaged or has more than `limit` bytes, or all files have too
                many.
        """
        if not self.has(name):
            raise ExchangeError(f"The export has no file {ascii(name)[1:-1]}; export the work list again.")
        try:
            data = self.read_start(name, limit + 1)
        except DAMAGE_ERRORS as error:
            raise ExchangeError(f"{name} in the export is damaged ({error}); export the work list again.") from error
        self.bytes_left -= len(data)
        if len(data) > limit or self.bytes_left < 0:
            raise ExchangeError(f"{name} in the export has more bytes than the {limit} allowed; export fewer cases.")
        return data


class _FolderArchive(Archive):
    def __init__(self, root: Path) -> None:
        self.root = root

    def has(self, name: str) -> bool:
        steps = [self.root.joinpath(*PurePosixPath(name).parts[: n + 1]) for n in range(name.count("/") + 1)]
        if not _stays_inside(name) or any(step.is_symlink() for step in steps):
            raise ExchangeError(
                f"{ascii(name)[:60]} in the export is a link or lies outside its folder; do not trust it."
            )
        return steps[-1].is_file()

    def read_start(self, name: str, limit: int) -> bytes:
        with (self.root / name).open("rb") as stream:
            return stream.read(limit)


class _ZipArchive(Archive):
    def __init__(self, file: zipfile.ZipFile, packed: int) -> None:
        members = file.infolist()
        total = sum(m.file_size for m in members)
        if len(members) > MAX_MEMBERS or total > min(MAX_UNPACKED_BYTES, MAX_UNPACKED_RATIO * packed + MIN_RATIO_BYTES):
            raise ExchangeError(
                f"The ZIP has {len(members)} files that unpack from {packed} to {total} bytes, more than any export; "
                "do not trust it."
            )
        for member in members:
            _check(member)
        self.file, self.members = file, {m.filename: m for m in members}
        if len(self.members) < len(members):
            raise ExchangeError("The ZIP has two files of one name; export the work list again.")

    def has(self, name: str) -> bool:
        return name in self.members

    def read_start(self, name: str, limit: int) -> bytes:
        found = io.BytesIO()
        with self.file.open(self.members[name]) as stream:
            while found.tell() < limit and (part := stream.read(min(READ_BYTES, limit - found.tell()))):
                found.write(part)
        return found.getvalue()


def _check(member: zipfile.ZipInfo) -> None:
    name, mode = member.filename, member.external_attr >> 16
    if not _stays_inside(name) or (stat.S_IFMT(mode) and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))):
        raise ExchangeError(f"{ascii(name)[:60]} in the ZIP is a link or lies outside its folder; do not trust it.")
    if member.flag_bits & 1 or member.compress_type not in ZIP_METHODS:
        raise ExchangeError(
            f"{ascii(name)[:60]} in the ZIP is encrypted or packed by a rare method; pack it by the usual one."
        )


def _stays_inside(name: str) -> bool:
    windows = PureWindowsPath(name)
    return not (windows.drive or windows.root or ".." in windows.parts or "\0" in name or not name)


class _BoundedFile(io.FileIO):
    """A file that refuses to read much in one call, as `zipfile` reads a ZIP's whole list of members."""

    def read(self, size: int | None = -1) -> Any:
        """At most `size` bytes, or all that follow."""
        asked = os.fstat(self.fileno()).st_size - self.tell() if size is None or size < 0 else size
        if asked > MAX_MEMBER_LIST_BYTES:
            raise ExchangeError("The ZIP has a list of members that is too long; do not trust it.")
        return super().read(asked)


@contextmanager
def open_archive(source: Path) -> Iterator[Archive]:
    """Open an export for reading.

    Raises:
        ExchangeError: it is neither a folder nor a ZIP, or a ZIP that is damaged, hostile or too large.
    """
    if source.is_dir():
        yield _FolderArchive(source)
        return
    try:
        with _BoundedFile(source) as stream:
            packed = stream.seek(0, os.SEEK_END)
            with zipfile.ZipFile(stream) as file:
                yield _ZipArchive(file, packed)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise ExchangeError(
            f"{source} is not a ZIP or is damaged ({error}); give an exported folder or ZIP."
        ) from error
    except OSError as error:
        raise ExchangeError(f"{source} cannot be read ({error.strerror}); give an exported folder or ZIP.") from error


@contextmanager
def new_export(target: Path) -> Iterator[Path]:
    """Give a temporary folder beside `target`, which becomes `target` when the block ends without an error.

    It is packed if `target` ends in .zip. A ZIP replaces an earlier one; a folder that holds something is not touched.

    Raises:
        ExchangeError: the folder holds something, or nothing can be written there. An earlier file stays.
    """
    packs = target.suffix.lower() == ".zip"
    try:
        if packs and target.is_dir():
            raise ExchangeError(f"{target} is a folder; give another name to the ZIP.")
        if not packs and target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise ExchangeError(f"{target} is there already and not empty; give the name of a new folder.")
        with partial_folder(_beside(target)) as partial:
            yield partial
            if packs:
                _pack(partial, target)
            else:
                if target.exists():
                    target.rmdir()  # empty; some systems cannot rename onto a folder
                partial.rename(target)
    except OSError as error:
        raise ExchangeError(why_unwritten(target.name, error)) from error


def _beside(target: Path) -> Path:
    """The name of the folder that is written first: not that of the ZIP, which is written whole at the end."""
    return target.with_suffix("") if target.suffix.lower() == ".zip" else target


def _pack(folder: Path, target: Path) -> None:
    with whole(target) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            file.write(path, path.relative_to(folder).as_posix())
