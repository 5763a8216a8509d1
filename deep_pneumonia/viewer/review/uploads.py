"""What a visitor adds to a work list: radiographs and masks that were uploaded, or the ZIP of an export.

Of a radiograph a copy without identity is kept in the workspace, and the upload goes the way of all uploads.
"""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import is_zipfile

from deep_pneumonia.datasets.manifest import Case
from deep_pneumonia.errors import RadiographError, WorkspaceError
from deep_pneumonia.exchange.anonymous import plain_radiograph
from deep_pneumonia.exchange.merge import import_into
from deep_pneumonia.exchange.state import RADIOGRAPHS
from deep_pneumonia.files import sha256
from deep_pneumonia.names import shown
from deep_pneumonia.viewer.opening import is_upload
from deep_pneumonia.worklist.collect import cases_from
from deep_pneumonia.worklist.workspace import Workspace

MOST_FILES = 4000
MOST_BYTES = 4 * 2**30  # of one call's uploads; each alone has at most the 64 MiB of any upload
NAMED = 3  # files that a sentence names


def add(workspace: Workspace, files: Any) -> str:
    """Add uploaded files, each {"path", "name"}, and say in a sentence or two what became of them.

    `name` is the file's own, with its folders when a folder was chosen; masks are told by it, see
    `collect.cases_from`.

    Raises:
        DeepPneumoniaError: there are no files, too many or too large ones, or nothing in them can be added.
    """
    given = _checked(files)
    exports = [path for path, _ in given if is_zipfile(path)]
    said = [_imported(workspace, path) for path in exports]
    others = [(path, name) for path, name in given if path not in exports]
    if others:
        said.append(_collected(workspace, others))
    return " ".join(said)


def _checked(files: Any) -> list[tuple[Path, str]]:
    if not isinstance(files, list) or not 0 < len(files) <= MOST_FILES:
        raise WorkspaceError(f"Give 1 to {MOST_FILES} files at a time; a larger set is added with the command line.")
    given = [_upload(file) for file in files]
    if sum(path.stat().st_size for path, _ in given) > MOST_BYTES:
        raise WorkspaceError(f"These files have over {MOST_BYTES // 2**30} GiB; give fewer at a time.")
    return given


def _upload(file: Any) -> tuple[Path, str]:
    path = file.get("path") if isinstance(file, Mapping) else None
    if not isinstance(path, str) or not is_upload(path):
        raise WorkspaceError("A file is gone, as uploads are within the hour; choose the files again.")
    return Path(path), str(file.get("name") or Path(path).name)


def _imported(workspace: Workspace, path: Path) -> str:
    done = import_into(workspace, path, local=False)
    said = f"Imported {done.cases} cases, {done.masks} masks and {done.verdicts} verdicts that were new."
    if done.conflicts:
        said += f" {done.conflicts} of them were kept beside others of the same version."
    if done.left_out:
        said += f" {_some(done.left_out)} left out: their radiographs are not in the ZIP. Export with radiographs."
    return said


def _collected(workspace: Workspace, files: Sequence[tuple[Path, str]]) -> str:
    """Lay the files out as they were in their folder, and add the cases that are found there."""
    refused: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / _folder_of(files)
        for path, name in files:
            place = root / PurePosixPath(*_parts(name))
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():
                shutil.copyfile(path, place)
        added = workspace.add(_kept(workspace.folder, cases_from(root, inside=True), refused))
    said = f"{added} new case{'s' * (added != 1)}."
    return f"{said} {_some(refused)} could not be read." if refused else said


def _kept(folder: Path, cases: Iterable[Case], refused: list[str]) -> Iterator[Case]:
    """Each case with a copy of its radiograph that says nothing of a person; who cannot be read joins `refused`."""
    for case in cases:
        try:
            data, suffix = plain_radiograph(case.image.read_bytes())
        except RadiographError:
            refused.append(case.image.name)
            continue
        image = folder / RADIOGRAPHS / sha256(data) / f"{case.image.stem}{suffix}"
        image.parent.mkdir(parents=True, exist_ok=True)
        image.write_bytes(data)
        yield replace(case, image=image)


def _folder_of(files: Sequence[tuple[Path, str]]) -> str:
    """The name of the folder that was chosen, which becomes the cases' source."""
    first = {parts[0] for _, name in files if len(parts := _parts(name)) > 1}
    return first.pop() if len(first) == 1 else "uploads"


def _parts(name: str) -> list[str]:
    """A file's name and folders, none of which leads out of where it is put."""
    parts = [shown(part) for part in name.replace("\\", "/").split("/") if part.strip(". ")]
    return parts or ["file"]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(shown(name) for name in names[:NAMED]) + more
