"""Uploads that a visitor adds to a work list: radiographs and masks, or the ZIP of an export.

The workspace keeps a copy of each radiograph without identity; the upload itself is deleted like all uploads.
"""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from zipfile import is_zipfile

from deep_pneumonia.datasets.manifest import Case
from deep_pneumonia.errors import RadiographError, WorkspaceError
from deep_pneumonia.exchange.anonymous import plain_radiograph
from deep_pneumonia.exchange.merge import import_into, write_once
from deep_pneumonia.exchange.state import RADIOGRAPHS_FOLDER
from deep_pneumonia.files import sha256
from deep_pneumonia.limits import MAX_UPLOADED_BYTES, MAX_UPLOADED_FILES
from deep_pneumonia.names import shown
from deep_pneumonia.viewer.opening import is_upload
from deep_pneumonia.viewer.review.requests import Upload
from deep_pneumonia.worklist.collect import cases_from
from deep_pneumonia.worklist.listing import Listing
from deep_pneumonia.worklist.workspace import Workspace

MAX_NAMES = 3  # files that a sentence names
MAX_LISTED = 10  # files of a kind that the list names


def add(workspace: Workspace, uploads: Sequence[Upload]) -> str:
    """Add uploaded files, and say in some lines what became of each of them.

    Masks are recognized by their names and folders, see `collect.cases_from`.

    Raises:
        DeepPneumoniaError: there are no files, too many or too large ones, or nothing in them can be added.
    """
    files = _checked(uploads)
    exports = [path for path, _ in files if is_zipfile(path)]
    said = [_imported(workspace, path) for path in exports]
    others = [(path, name) for path, name in files if path not in exports]
    if others:
        said.append(_collected(workspace, others))
    return "\n".join(said)


def size(upload: Upload) -> int:
    """The bytes of an uploaded file; 0 if it is gone, which `add` then says."""
    return Path(upload.path).stat().st_size if is_upload(upload.path) else 0


def _checked(uploads: Sequence[Upload]) -> list[tuple[Path, str]]:
    if not 0 < len(uploads) <= MAX_UPLOADED_FILES:
        raise WorkspaceError(f"Give 1 to {MAX_UPLOADED_FILES} files at a time; add a larger set on the command line.")
    if not all(is_upload(upload.path) for upload in uploads):
        raise WorkspaceError("A file is gone, as uploads are deleted within the hour; choose the files again.")
    files = [(Path(upload.path), upload.name or Path(upload.path).name) for upload in uploads]
    if sum(path.stat().st_size for path, _ in files) > MAX_UPLOADED_BYTES:
        raise WorkspaceError(f"These files have over {MAX_UPLOADED_BYTES // 2**30} GiB; give fewer at a time.")
    return files


def _imported(workspace: Workspace, path: Path) -> str:
    done = import_into(workspace, path, local=False)
    said = f"Imported {done.cases} cases, {done.masks} masks and {done.verdicts} verdicts that were new."
    if done.conflicts:
        said += f" {done.conflicts} of them were kept beside others of the same version."
    if done.left_out:
        said += f" {_some(done.left_out)} left out: their radiographs are not in the ZIP. Export with radiographs."
    return said


def _collected(workspace: Workspace, files: Sequence[tuple[Path, str]]) -> str:
    """Restore the files' folder, and add the cases that are found there."""
    listing = Listing()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / _folder_of(files)
        for path, name in files:
            place = root / PurePosixPath(*_parts(name))
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():
                shutil.copyfile(path, place)
        cases = cases_from(root, inside=True, listing=listing)
        added = workspace.add(_without_identity(workspace.folder, cases, root, listing))
    said = f"{added} new case{'s' * (added != 1)}."
    known = listing.count - added
    if known > 0:
        was, stays = ("was", "stays as it is") if known == 1 else ("were", "stay as they are")
        said += f" {known} {was} in the list already and {stays}: no mask was added."
    return "\n".join([said, *listing.lines(MAX_LISTED)])


def _without_identity(folder: Path, cases: Iterable[Case], root: Path, listing: Listing) -> Iterator[Case]:
    """Each case with an anonymous copy of its radiograph; unreadable radiographs below `root` are listed."""
    for case in cases:
        try:
            data, suffix = plain_radiograph(case.image.read_bytes())
        except RadiographError as error:
            listing.unread(case.image.relative_to(root).as_posix(), error)
            continue
        image = folder / RADIOGRAPHS_FOLDER / sha256(data) / f"{case.image.stem}{suffix}"
        write_once(data, image)  # the file of a case that is here already stays
        yield replace(case, image=image)


def _folder_of(files: Sequence[tuple[Path, str]]) -> str:
    """The name of the chosen folder, which becomes the source of the cases."""
    first = {parts[0] for _, name in files if len(parts := _parts(name)) > 1}
    return first.pop() if len(first) == 1 else "uploads"


def _parts(name: str) -> list[str]:
    """The folders and name of a file, without any that lead out of its folder."""
    parts = [shown(part) for part in name.replace("\\", "/").split("/") if part.strip(". ")]
    return parts or ["file"]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return ", ".join(shown(name) for name in names[:MAX_NAMES]) + more
