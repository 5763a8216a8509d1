"""Where a page works: in the one workspace that all share, or in one of its own that goes away.

A page names its own workspace by a token that it draws at random and keeps for its tab; the folder's name is the
token's digest, so that no other page can name it. Such a workspace begins with the teaching cases, already read.
"""

import atexit
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deep_pneumonia.datasets.manifest import Case, MaskRef
from deep_pneumonia.datasets.teaching_cases import TeachingCase
from deep_pneumonia.errors import WorkspaceError
from deep_pneumonia.files import sha256
from deep_pneumonia.worklist.predictions import Predict, Predictions
from deep_pneumonia.worklist.workspace import Workspace

STAYS = 3600.0  # seconds from the last use of a page's own workspace until it goes away
SWEEP = 300.0  # seconds between looks for those
TOKEN = re.compile(r"[0-9a-f]{32}")
SCRATCH = "taken-"
TEACHING = "teaching"  # the source of the shipped cases


@dataclass(frozen=True)
class Place:
    """A workspace and the readings in it; `shared` with all who open the page."""

    name: str
    workspace: Workspace
    predictions: Predictions
    shared: bool


class Desk:
    """Gives every page its place to work."""

    def __init__(
        self, predict: Predict, checkpoint: str, cases: Sequence[TeachingCase], shared: str | Path | None = None
    ):
        """`predict` reads radiographs with the checkpoint of that SHA-256; `shared`: a folder for all, or one a page.

        Raises:
            WorkspaceError: the shared folder cannot be used.
        """
        self.predict, self.checkpoint, self.cases = predict, checkpoint, cases
        self.root = Path(tempfile.mkdtemp(prefix="deep-pneumonia-"))
        atexit.register(shutil.rmtree, self.root, ignore_errors=True)
        self.lock = threading.Lock()
        self.shared = self._place(Path(shared).absolute(), shared=True) if shared else None
        threading.Thread(target=self._sweep, daemon=True).start()

    @property
    def served(self) -> Path:
        """The folder whose files the pages may fetch; thumbnails alone lie there."""
        return self.shared.predictions.thumbnails if self.shared else self.root / "thumbnails"

    def place(self, token: object) -> Place:
        """The workspace of the page with this token; 32 hexadecimal digits.

        Raises:
            WorkspaceError: it is no token, or the workspace cannot be used.
        """
        if self.shared:
            return self.shared
        folder = self._folder(token)
        if folder is None:
            raise WorkspaceError("This page has no work list of its own; load it again.")
        with self.lock:
            if not folder.exists():
                self._begin(folder)
            folder.touch()
        return self._place(folder)

    def begun(self, token: object) -> Place | None:
        """The workspace of the page with this token if there is one already; none is begun."""
        if self.shared:
            return self.shared
        folder = self._folder(token)
        return self._place(folder) if folder and folder.exists() else None

    def holds(self, path: str) -> bool:
        """Whether a file that a page names is the radiograph of a case on this desk.

        The folder of a page's own is a secret of that page: who names a file in it has it open.
        """
        file = Path(path)
        return self.shared.workspace.has(file) if self.shared else file.resolve().is_relative_to(self.root.resolve())

    def scratch(self) -> Path:
        """A new folder for a file that a page takes along; it goes away as a page's own workspace does."""
        return Path(tempfile.mkdtemp(prefix=SCRATCH, dir=self.root))

    def _folder(self, token: object) -> Path | None:
        is_token = isinstance(token, str) and TOKEN.fullmatch(token)
        return self.root / sha256(str(token).encode())[:32] if is_token else None

    def _place(self, folder: Path, *, shared: bool = False) -> Place:
        workspace = Workspace(folder)
        thumbnails = None if shared else self.root / "thumbnails" / folder.name
        return Place(folder.name, workspace, Predictions(workspace, self.checkpoint, thumbnails), shared)

    def _begin(self, folder: Path) -> None:
        """Make a page's workspace from the one with the teaching cases, which are read once for all pages."""
        model = self._place(self.root / "teaching")
        model.workspace.add(as_case(case) for case in self.cases)
        for number in model.predictions.pending():
            model.predictions.make(number, self.predict)
        if self.cases:
            shutil.copytree(model.predictions.thumbnails, self.root / "thumbnails" / folder.name, dirs_exist_ok=True)
        partial = folder.with_suffix(".partial")
        shutil.copytree(model.workspace.folder, partial, dirs_exist_ok=True)
        partial.rename(folder)

    def _sweep(self) -> None:
        while self.root.exists():
            time.sleep(SWEEP)
            self.sweep(time.time() - STAYS)

    def sweep(self, before: float) -> None:
        """Delete pages' own workspaces, and files they took along, last used before this time (seconds since 1970)."""
        with self.lock:
            for folder in list(self.root.iterdir()) if self.root.exists() else []:
                if _is_own(folder) and folder.stat().st_mtime < before:
                    shutil.rmtree(folder, ignore_errors=True)
                    shutil.rmtree(self.root / "thumbnails" / folder.name, ignore_errors=True)


def _is_own(folder: Path) -> bool:
    return bool(TOKEN.fullmatch(folder.name)) or folder.name.startswith(SCRATCH)


def as_case(case: TeachingCase) -> Case:
    """A teaching case as a case of a work list."""
    masks = tuple(MaskRef(r.mask, r.kind, r.name) for r in case.readers)
    return Case(case.image, case.id, TEACHING, "test", case.label, masks)
