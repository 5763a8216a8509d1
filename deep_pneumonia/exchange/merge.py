"""Take an exported work list into a workspace: what is unknown there is added, nothing that is there is changed.

Cases match by the SHA-256 of the radiograph's file, or of the copy without identity that was exported in its place.
Versions of masks and verdicts that a case has already are left alone, others come after those that are there, with
their authors and times: where both sides went on from version 2, the other's version 3 becomes version 4 here. To
import twice changes nothing. What is imported may come from anybody: it is read within bounds, checked before the
first row is written, and all rows are written in one transaction.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from tqdm import tqdm

from deep_pneumonia.errors import AnnotationError, ExchangeError
from deep_pneumonia.exchange.anonymous import plain_mask
from deep_pneumonia.exchange.archive import Archive, opened
from deep_pneumonia.exchange.state import (
    MASKS,
    MAX_STATE,
    RADIOGRAPHS,
    STATE,
    DrawingRow,
    State,
    StateCase,
    VerdictRow,
    read_state,
)
from deep_pneumonia.files import MAX_FILE_BYTES, sha256, whole
from deep_pneumonia.masks.annotation import read_mask
from deep_pneumonia.worklist.database import CASE, changing, connected
from deep_pneumonia.worklist.workspace import IMPORTED, Workspace


@dataclass(frozen=True)
class Imported:
    """How many cases, versions of masks and of verdicts were new; how many of these versions were kept beside others of
    the same number; and the names of radiographs that are neither here nor in the export, whose cases were left out."""

    cases: int
    masks: int
    verdicts: int
    conflicts: int
    left_out: tuple[str, ...]


def import_into(workspace: Workspace, source: str | Path, *, local: bool = True, progress: bool = False) -> Imported:
    """Add what an exported folder or ZIP holds, all of it or, when something is wrong, nothing.

    Radiographs in the export are copied into the workspace. local: those that it refers to by path are used where they
    lie, if they are still the same; False for an export from somebody else, who has no business with paths here.

    Raises:
        ExchangeError: it is no export, damaged, hostile or too large, or none of its radiographs can be found.
        AnnotationError: a mask in it is no readable PNG.
        WorkspaceError: the workspace cannot be written to.
    """
    with opened(Path(source)) as archive:
        state = read_state(archive.read(STATE, MAX_STATE))
        coming = _Import(workspace, archive, state, local)
        coming.fetch(progress)
    with changing(workspace.database) as db:
        return coming.insert(db)


@dataclass
class _Import:
    """An import on its way: first its files are fetched, then its rows are inserted."""

    workspace: Workspace
    archive: Archive
    state: State
    local: bool
    keys: set[str] = field(init=False)
    images: dict[str, Path] = field(default_factory=dict)  # of cases that are new, by key
    masks: dict[str, str] = field(default_factory=dict)  # digest of the stored file by that in the state
    plain: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)  # names of radiographs, by key

    def __post_init__(self) -> None:
        self.keys = {case.key for case in self.state.cases}

    def fetch(self, progress: bool) -> None:
        """Bring masks and radiographs that are not here yet; without rows that name them they change nothing."""
        with connected(self.workspace.database) as db:
            here = self._known(db)
        for case in tqdm(self.state.cases, "Importing", unit="case", disable=None if progress else True):
            if self._number(here, case) is None and not self._radiograph(case):
                self.left_out[case.key] = case.name
                continue
            for digest in {d.mask for d in case.drawings if d.mask is not None} - self.masks.keys():
                self.masks[digest] = self._mask(digest)
        if self.state.cases and len(self.left_out) == len(self.state.cases):
            first = ascii(self.state.cases[0].name)[:60]
            raise ExchangeError(
                f"None of the {len(self.left_out)} radiographs, such as {first}, is in the export, in the work list or "
                "where it was; export with the radiographs."
            )

    def _mask(self, digest: str) -> str:
        copy = self.state.copies.get(digest, digest)
        store = self.workspace.store
        for known in (digest, copy):
            if store.path(known).exists():
                return known
        data = self._verified(f"{MASKS}/{copy}.png", copy, MAX_FILE_BYTES)
        read_mask(data, name=f"{copy[:12]} in the export")
        return store.keep(data)

    def _radiograph(self, case: StateCase) -> bool:
        """Whether the case's radiograph is at hand; it is copied into the workspace if the export has it."""
        digest = self.state.copies.get(case.key, case.key)
        if case.image.startswith(f"{RADIOGRAPHS}/"):
            data = self._verified(case.image, digest, MAX_FILE_BYTES)
            self.images[case.key] = _keep(data, self.workspace.folder / RADIOGRAPHS / digest / self._name(case))
            return True
        if not self.local:
            return False
        path = Path(case.image)
        try:
            # Only a file with this very content is taken, so that a path tells nobody what else lies here.
            same = path.is_absolute() and path.is_file() and path.stat().st_size <= MAX_FILE_BYTES
            if same and sha256(path.read_bytes()) in (digest, case.key):
                self.images[case.key] = path
        except (OSError, ValueError):
            return False
        return case.key in self.images

    def _name(self, case: StateCase) -> str:
        """The radiograph's name, with the ending of the copy that was exported in its place."""
        name = re.sub(r'[\x00-\x1f/\\:*?"<>|]', "_", case.name).lstrip(".")
        if case.key in self.state.copies:
            name = Path(name).stem + Path(case.image).suffix
        return name.encode()[-200:].decode(errors="ignore") or "radiograph"

    def _verified(self, name: str, digest: str, limit: int) -> bytes:
        data = self.archive.read(name, limit)
        if sha256(data) != digest:
            raise ExchangeError(f"{ascii(name)[1:-1]} in the export is not as it was exported; export it again.")
        return data

    @staticmethod
    def _known(db: Connection) -> dict[str, int]:
        return dict(db.execute("SELECT key, id FROM cases").fetchall())

    def _number(self, here: dict[str, int], case: StateCase) -> int | None:
        """The number here of a case in the export; None for a new one."""
        if case.key in here:
            return here[case.key]
        copy = self.state.copies.get(case.key)
        return None if copy is None or copy in self.keys else here.get(copy)

    def insert(self, db: Connection) -> Imported:
        """Write all rows."""
        here, cases, counts = self._known(db), 0, Counter[str]()
        for case in self.state.cases:
            if case.key in self.left_out:
                continue
            number = self._number(here, case)
            if number is None:
                image = self.workspace.inside(self.images[case.key])
                cells = (case.key, image, *case.cells)
                marks = ", ".join("?" * (len(CASE) + 2))
                number = db.execute(f"INSERT INTO cases VALUES (NULL, {marks})", cells).lastrowid  # noqa: S608
                cases += 1
            drawings = [d._replace(mask=self.masks[d.mask] if d.mask else None) for d in case.drawings]
            counts += _merged(db, "drawings", number, drawings, self._same_mask)
            counts += _merged(db, "verdicts", number, case.verdicts, lambda row: (row[0], *row[2:]))
        left_out = tuple(self.left_out.values())
        return Imported(cases, counts["drawings"], counts["verdicts"], counts["conflicts"], left_out)

    def _same_mask(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """What makes a version of a mask the same: all but its number; what came with a case came at any time."""
        reader, _, kind, mask, removed, author, time = row
        when = "" if author == IMPORTED else time
        return reader, kind, mask and self._plain(mask), bool(removed), author, when

    def _plain(self, digest: str) -> str:
        """Digest of a mask's file without words in it, as an export has it."""
        if digest not in self.plain:
            path = self.workspace.store.path(digest)
            copy = self.state.copies.get(digest, digest)
            if digest not in self.masks and path.exists():  # a mask that only this workspace knows
                with suppress(AnnotationError):  # damaged, and then like no other
                    copy = sha256(plain_mask(path.read_bytes()))
            self.plain[digest] = copy
        return self.plain[digest]


def _merged(
    db: Connection,
    table: str,
    number: int | None,
    rows: Iterable[DrawingRow | VerdictRow],
    same: Callable[[Sequence[Any]], tuple[Any, ...]],
) -> Counter[str]:
    """Insert those rows of a case that it does not have, after those that it has; how many, and how many conflicts."""
    there = db.execute(f"SELECT * FROM {table} WHERE case_id = ? ORDER BY rowid", (number,)).fetchall()  # noqa: S608
    have = Counter(same(row) for _, *row in there)
    last = {row[1]: row[2] for row in there}
    done = Counter[str]()
    for row in rows:
        if have[same(row)]:
            have[same(row)] -= 1
            continue
        version = last[row[0]] = last.get(row[0], 0) + 1
        done[table] += 1
        done["conflicts"] += version != row.version
        cells = (number, row[0], version, *row[2:])
        db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(cells))})", cells)  # noqa: S608
    return done


def _keep(data: bytes, path: Path) -> Path:
    """Have a file of these bytes at a path that names their digest, on disk."""
    if not path.exists():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ExchangeError(f"{path.parent} cannot be made ({error.strerror}); make room for it.") from error
        with whole(path) as partial, partial.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    return path
