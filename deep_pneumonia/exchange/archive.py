"""An export as a folder or a ZIP: written whole or not at all, and read as what a stranger may have made."""

import io
import os
import shutil
import stat
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from deep_pneumonia.errors import ExchangeError
from deep_pneumonia.files import whole

MAX_MEMBERS = 500_000
MAX_TOTAL = 256 * 2**30  # bytes of all files, unpacked
MAX_RATIO = 200  # unpacked to packed; PNG files hardly shrink, JSON and CSV at most fifty times
SLACK = 64 * 2**20  # bytes that are allowed whatever the ratio
MAX_CALL = 64 * 2**20  # bytes of a ZIP's list of members
STEP = 2**20
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
DAMAGE = (OSError, EOFError, RuntimeError, ValueError, NotImplementedError, zipfile.BadZipFile, zlib.error)


class Archive(ABC):
    """The files of an export, by their names with "/" in it; all that is read has at most `MAX_TOTAL` bytes."""

    left = MAX_TOTAL

    @abstractmethod
    def has(self, name: str) -> bool:
        """Whether there is such a file."""

    @abstractmethod
    def take(self, name: str, most: int) -> bytes:
        """The first `most` bytes of a file."""

    def read(self, name: str, limit: int) -> bytes:
        """All bytes of a file.

        Raises:
            ExchangeError: it is missing, a link, damaged or has more than `limit` bytes, or all have too many.
        """
        if not self.has(name):
            raise ExchangeError(f"The export has no file {ascii(name)[1:-1]}; export the work list again.")
        try:
            data = self.take(name, limit + 1)
        except DAMAGE as error:
            raise ExchangeError(f"{name} in the export is damaged ({error}); export the work list again.") from error
        self.left -= len(data)
        if len(data) > limit or self.left < 0:
            raise ExchangeError(f"{name} in the export has more bytes than the {limit} allowed; export fewer cases.")
        return data


class _Folder(Archive):
    def __init__(self, root: Path) -> None:
        self.root = root

    def has(self, name: str) -> bool:
        steps = [self.root.joinpath(*PurePosixPath(name).parts[: n + 1]) for n in range(name.count("/") + 1)]
        if not _stays_inside(name) or any(step.is_symlink() for step in steps):
            raise ExchangeError(f"{ascii(name)[:60]} in the export is a link or leaves its folder; do not trust it.")
        return steps[-1].is_file()

    def take(self, name: str, most: int) -> bytes:
        with (self.root / name).open("rb") as stream:
            return stream.read(most)


class _Zip(Archive):
    def __init__(self, file: zipfile.ZipFile, packed: int) -> None:
        members = file.infolist()
        total = sum(m.file_size for m in members)
        if len(members) > MAX_MEMBERS or total > min(MAX_TOTAL, MAX_RATIO * packed + SLACK):
            raise ExchangeError(
                f"The ZIP has {len(members)} files that unpack from {packed} to {total} bytes, which no export does; "
                "do not trust it."
            )
        for member in members:
            _check(member)
        self.file, self.members = file, {m.filename: m for m in members}
        if len(self.members) < len(members):
            raise ExchangeError("The ZIP has two files of one name; export the work list again.")

    def has(self, name: str) -> bool:
        return name in self.members

    def take(self, name: str, most: int) -> bytes:
        found = io.BytesIO()
        with self.file.open(self.members[name]) as stream:
            while found.tell() < most and (part := stream.read(min(STEP, most - found.tell()))):
                found.write(part)
        return found.getvalue()


def _check(member: zipfile.ZipInfo) -> None:
    name, mode = member.filename, member.external_attr >> 16
    if not _stays_inside(name) or (stat.S_IFMT(mode) and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))):
        raise ExchangeError(f"{ascii(name)[:60]} in the ZIP is a link or leaves its folder; do not trust it.")
    if member.flag_bits & 1 or member.compress_type not in METHODS:
        raise ExchangeError(f"{ascii(name)[:60]} in the ZIP is encrypted or packed in a rare way; pack it plainly.")


def _stays_inside(name: str) -> bool:
    windows = PureWindowsPath(name)
    return not (windows.drive or windows.root or ".." in windows.parts or "\0" in name or not name)


class _Bounded(io.FileIO):
    """A file of which nobody takes much in one call: a ZIP's list of members is read so, before it can be judged."""

    def read(self, size: int | None = -1) -> Any:
        """At most `size` bytes, or all that follow."""
        asked = os.fstat(self.fileno()).st_size - self.tell() if size is None or size < 0 else size
        if asked > MAX_CALL:
            raise ExchangeError("The ZIP has a list of members that is too long; do not trust it.")
        return super().read(asked)


@contextmanager
def opened(source: Path) -> Iterator[Archive]:
    """An export to read from.

    Raises:
        ExchangeError: it is neither a folder nor a ZIP, or a ZIP that is damaged, hostile or too large.
    """
    if source.is_dir():
        yield _Folder(source)
        return
    try:
        with _Bounded(source) as stream:
            packed = stream.seek(0, os.SEEK_END)
            with zipfile.ZipFile(stream) as file:
                yield _Zip(file, packed)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise ExchangeError(f"{source} is no ZIP or is damaged ({error}); give an exported folder or ZIP.") from error
    except OSError as error:
        raise ExchangeError(f"{source} cannot be read ({error.strerror}); give an exported folder or ZIP.") from error


@contextmanager
def written(target: Path) -> Iterator[Path]:
    """A new folder beside `target` to write to, which becomes `target`, packed if that ends in .zip, when all went
    well. A ZIP takes the place of an earlier one; a folder that holds something is not touched.

    Raises:
        ExchangeError: the folder holds something, or nothing can be written there. What stood there stays.
    """
    packs = target.suffix.lower() == ".zip"
    partial = target.with_name(f".{target.name}.{os.getpid()}.{os.urandom(4).hex()}.partial")
    try:
        if packs and target.is_dir():
            raise ExchangeError(f"{target} is a folder; give another name to the ZIP.")
        if not packs and target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise ExchangeError(f"{target} is there already and not empty; give a new folder's name.")
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir()
        yield partial
        if packs:
            _pack(partial, target)
        else:
            if target.exists():
                target.rmdir()  # empty; some systems rename onto no folder at all
            partial.rename(target)
    except OSError as error:
        raise ExchangeError(f"{target} cannot be written ({error.strerror}); make room or choose another.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _pack(folder: Path, target: Path) -> None:
    with whole(target) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            file.write(path, path.relative_to(folder).as_posix())
