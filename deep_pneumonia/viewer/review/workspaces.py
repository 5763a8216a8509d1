"""The work lists of a server: one that all visitors share, or one per page that is deleted after its last use.

A page names its own work list by a token that it draws at random and keeps for its tab. The folder's name is the
token's digest, so that no other page can name it. Such a list begins with the teaching cases, already predicted.
"""

import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from deep_pneumonia.datasets.manifest import Case
from deep_pneumonia.datasets.teaching_cases import TeachingCase
from deep_pneumonia.errors import LimitError, WorkspaceError
from deep_pneumonia.files import sha256
from deep_pneumonia.limits import MAX_LISTS, MAX_LISTS_BYTES, MAX_VISITOR_LISTS
from deep_pneumonia.masks.reading_apart import decode_apart
from deep_pneumonia.partial_files import locked_folder
from deep_pneumonia.viewer.guard.owners import check_disk
from deep_pneumonia.viewer.guard.visitors import visitor
from deep_pneumonia.worklist.predictions import Predict, Predictions
from deep_pneumonia.worklist.workspace import Workspace

LIFETIME_SECONDS = 3600.0  # of a page's own work list after its last use
SWEEP_SECONDS = 300.0  # between two searches for unused lists
TOKEN = re.compile(r"[0-9a-f]{32}")
DOWNLOAD_PREFIX = "download-"
ROOT_PREFIX = "deep-pneumonia-visitors-"
TEACHING_SOURCE = "teaching"  # the source of the shipped cases


@dataclass(frozen=True)
class WorkList:
    """A workspace with its predictions; `shared` if every visitor sees it."""

    name: str
    workspace: Workspace
    predictions: Predictions
    shared: bool


class Workspaces:
    """Gives every page its work list.

    Use it as a context manager, or call `start` and `close`: pages' own lists lie in a temporary folder, which `close`
    deletes, and a thread deletes unused ones in the meantime.
    """

    def __init__(
        self, predict: Predict, checkpoint: str, cases: Sequence[TeachingCase], shared: str | Path | None = None
    ):
        """Prepare a registry without starting it.

        predict: predicts radiographs with the checkpoint that has this key. cases: those that a page's own list begins
        with. shared: the folder of one work list for all; None for one list per page.

        Raises:
            WorkspaceError: the shared folder cannot be used.
        """
        self.predict, self.checkpoint, self.cases = predict, checkpoint, cases
        self.shared: WorkList | None = None
        if shared is not None:
            workspace = Workspace(shared)
            predictions = Predictions(workspace, checkpoint, read=decode_apart)
            self.shared = WorkList(workspace.folder.name, workspace, predictions, shared=True)
        self.root: Path | None = None
        self._held: int | None = None
        # Seconds of a clock that nobody sets, at the last use of each folder: the time of day may be put back.
        self._used: dict[str, float] = {}
        self._begun: dict[str, str] = {}  # the visitor's address, by the name of each page's own list
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._sweeper: threading.Thread | None = None

    def start(self) -> None:
        """Make the temporary folder, and begin to delete unused lists from it."""
        if self.root is not None:
            return
        self.root, self._held = locked_folder(ROOT_PREFIX)  # those of killed servers are deleted
        self._closing.clear()
        self._sweeper = threading.Thread(target=self._sweep, name="work list sweeper", daemon=True)
        self._sweeper.start()

    def close(self) -> None:
        """Stop the thread and delete all pages' own lists. A shared list stays."""
        self._closing.set()
        if self._sweeper is not None:
            self._sweeper.join()
            self._sweeper = None
        with self._lock:
            if self.root is not None:
                shutil.rmtree(self.root, ignore_errors=True)
                self.root = None
                if self._held is not None:
                    os.close(self._held)
                    self._held = None
                self._begun.clear()

    def __enter__(self) -> "Workspaces":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def served_folder(self) -> Path:
        """The folder whose files the pages may fetch, which holds only thumbnails."""
        return self.shared.predictions.thumbnails if self.shared else self._started_root() / "thumbnails"

    def open(self, token: object) -> WorkList:
        """The work list of the page with this token of 32 hexadecimal digits. Its own list begins here.

        Raises:
            WorkspaceError: this is no token, or the workspace cannot be used.
            LimitError: there are too many lists, of this visitor or of all.
        """
        if self.shared:
            return self.shared
        with self._lock:
            folder = self._folder(token)
            if folder is None:
                raise WorkspaceError("This page has no work list of its own; load it again.")
            if not folder.exists():
                self._check_number(visitor().address)
                self._begin(folder)
                self._begun[folder.name] = visitor().address
            return self._own_list(folder)

    def check_room(self, work_list: WorkList, size: int) -> None:
        """Check that `size` more bytes may be added to a work list.

        Raises:
            LimitError: the visitor's own lists would hold too much, or the disk is nearly full.
        """
        check_disk(work_list.workspace.folder, size)
        if work_list.shared:
            return
        address = self._begun.get(work_list.name)
        with self._lock:
            own = [name for name, begun in self._begun.items() if begun == address]
            held = sum(_size(work_list.workspace.folder.parent / name) for name in own)
        if held + size > MAX_LISTS_BYTES:
            raise LimitError(
                f"Your work lists would hold {(held + size) / 2**30:.1f} GiB on this server, and "
                f"{MAX_LISTS_BYTES // 2**30} GiB are allowed; export your work, and try again later."
            )

    def existing(self, token: object) -> WorkList | None:
        """The work list of the page with this token, if it has begun."""
        if self.shared:
            return self.shared
        if self.root is None:
            return None
        folder = self._folder(token)
        return self._own_list(folder) if folder and folder.exists() else None

    def holds(self, path: str) -> bool:
        """Whether a file that a page names is the radiograph of a case in one of the lists.

        The folder of a page's own list is known to that page alone, so whoever names a file in it may have it.
        """
        if self.shared:
            return self.shared.workspace.has(Path(path))
        return self.root is not None and Path(path).resolve().is_relative_to(self.root.resolve())

    def download_folder(self) -> Path:
        """A new folder for a file that a page downloads; it is deleted as an unused list is."""
        folder = Path(tempfile.mkdtemp(prefix=DOWNLOAD_PREFIX, dir=self._started_root()))
        self._used[folder.name] = time.monotonic()
        return folder

    def delete_unused(self, before: float) -> None:
        """Delete pages' own lists and downloads that were last used before this time of `time.monotonic`."""
        with self._lock:
            for folder in list(self.root.iterdir()) if self.root else []:
                if _is_temporary(folder) and self._used.setdefault(folder.name, time.monotonic()) < before:
                    self._used.pop(folder.name)
                    shutil.rmtree(folder, ignore_errors=True)
                    shutil.rmtree(folder.parent / "thumbnails" / folder.name, ignore_errors=True)
                    self._begun.pop(folder.name, None)

    def _check_number(self, address: str) -> None:
        own = sum(begun == address for begun in self._begun.values())
        if own >= MAX_VISITOR_LISTS or len(self._begun) >= MAX_LISTS:
            raise LimitError(
                "This server keeps as many work lists as it can; they are deleted an hour after their last use, so try "
                "again later."
            )

    def _sweep(self) -> None:
        while not self._closing.wait(SWEEP_SECONDS):
            self.delete_unused(time.monotonic() - LIFETIME_SECONDS)

    def _started_root(self) -> Path:
        if self.root is None:
            raise WorkspaceError("The work lists of this server are closed; start the server again.")
        return self.root

    def _folder(self, token: object) -> Path | None:
        is_token = isinstance(token, str) and TOKEN.fullmatch(token)
        return self._started_root() / sha256(str(token).encode())[:32] if is_token else None

    def _own_list(self, folder: Path) -> WorkList:
        self._used[folder.name] = time.monotonic()
        workspace = Workspace(folder)
        thumbnails = self._started_root() / "thumbnails" / folder.name
        predictions = Predictions(workspace, self.checkpoint, thumbnails, read=decode_apart)
        return WorkList(folder.name, workspace, predictions, shared=False)

    def _begin(self, folder: Path) -> None:
        """Copy a page's list from one with the teaching cases, which are predicted once for all pages."""
        model = self._own_list(folder.parent / "teaching")
        model.workspace.add(as_case(case) for case in self.cases)
        for number in model.predictions.pending():
            model.predictions.make(number, self.predict)
        if self.cases:
            shutil.copytree(
                model.predictions.thumbnails, folder.parent / "thumbnails" / folder.name, dirs_exist_ok=True
            )
        partial = folder.with_suffix(".partial")
        shutil.copytree(model.workspace.folder, partial, dirs_exist_ok=True)
        partial.rename(folder)


def _is_temporary(folder: Path) -> bool:
    return bool(TOKEN.fullmatch(folder.name)) or folder.name.startswith(DOWNLOAD_PREFIX)


def _size(folder: Path) -> int:
    """The bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def as_case(case: TeachingCase) -> Case:
    """A teaching case as a case of a work list."""
    return Case(case.image, case.id, TEACHING_SOURCE, "test", case.label, case.masks)
