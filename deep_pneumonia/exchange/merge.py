"""Import an exported work list into a workspace: unknown cases and versions are added, and nothing is changed.

Cases match by the SHA-256 of the radiograph's file, or of the plain copy that was exported in its place. Versions of
masks and verdicts that a case already has are skipped. Others follow those that are there, with their authors and
times: where both sides continued from version 2, the other side's version 3 becomes version 4 here. A second import
changes nothing. An import may come from anybody: it is read within bounds and checked before the first row is
written, and all rows are written in one transaction.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection
from typing import Any, Literal

from tqdm import tqdm

from deep_pneumonia.errors import AnnotationError, ExchangeError
from deep_pneumonia.exchange.anonymous import plain_mask
from deep_pneumonia.exchange.archive import Archive, open_archive
from deep_pneumonia.exchange.state import (
    MASKS_FOLDER,
    RADIOGRAPHS_FOLDER,
    STATE_FILE,
    CaseEntry,
    DrawingEntry,
    State,
    read_state,
)
from deep_pneumonia.files import sha256, why_unwritten, write_bytes
from deep_pneumonia.limits import MAX_FILE_BYTES, MAX_STATE_BYTES
from deep_pneumonia.masks.annotation import read_mask
from deep_pneumonia.worklist.database import connection, insert, transaction
from deep_pneumonia.worklist.workspace import IMPORT_AUTHOR, Workspace

Columns = Mapping[str, Any]


@dataclass(frozen=True)
class Imported:
    """What was new: cases, versions of masks and of verdicts.

    conflicts: how many of these versions were stored beside others of the same number.
    left_out: names of radiographs that are neither here nor in the export, so that their cases were left out.
    """

    cases: int
    masks: int
    verdicts: int
    conflicts: int
    left_out: tuple[str, ...]


def import_into(workspace: Workspace, source: str | Path, *, local: bool = True, progress: bool = False) -> Imported:
    """Add the content of an exported folder or ZIP: all of it or, if something is wrong, nothing.

    Radiographs in the export are copied into the workspace.
    local: radiographs that it refers to by path are used where they lie, if their content is still the same. False
        for an export from a stranger, who must not learn about paths on this machine.
    progress: show a bar.

    Raises:
        ExchangeError: it is no export, damaged, hostile or too large, or none of its radiographs can be found.
        AnnotationError: a mask in it is not a readable PNG file.
        WorkspaceError: the workspace cannot be written to.
    """
    with open_archive(Path(source)) as archive:
        state = read_state(archive.read(STATE_FILE, MAX_STATE_BYTES))
        merge = _Merge(workspace, archive, state, local)
        merge.fetch_files(progress)
    with transaction(workspace.database) as db:
        return merge.insert_rows(db)


@dataclass
class _Merge:
    """An import in two steps: its files are fetched, then its rows are inserted."""

    workspace: Workspace
    archive: Archive
    state: State
    local: bool
    keys: set[str] = field(init=False)
    images: dict[str, Path] = field(default_factory=dict)  # radiographs of new cases, by key
    masks: dict[str, str] = field(default_factory=dict)  # digests of stored files, by those in the state
    plain_digests: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)  # names of radiographs, by key

    def __post_init__(self) -> None:
        self.keys = {case.key for case in self.state.cases}

    def fetch_files(self, progress: bool) -> None:
        """Store masks and radiographs that are not here yet. They have no effect until rows refer to them."""
        with connection(self.workspace.database) as db:
            known = _known_cases(db)
        for case in tqdm(self.state.cases, "Importing", unit="case", disable=None if progress else True):
            if self._number(known, case) is None and not self._fetch_radiograph(case):
                self.left_out[case.key] = case.name
                continue
            for digest in {d.mask for d in case.drawings if d.mask is not None} - self.masks.keys():
                self.masks[digest] = self._fetch_mask(digest)
        if self.state.cases and len(self.left_out) == len(self.state.cases):
            first = ascii(self.state.cases[0].name)[:60]
            raise ExchangeError(
                f"None of the {len(self.left_out)} radiographs, such as {first}, is in the export, in the work list or "
                "at its old path; export with the radiographs."
            )

    def _fetch_mask(self, digest: str) -> str:
        copy = self.state.copies.get(digest, digest)
        store = self.workspace.store
        for known in (digest, copy):
            if store.path(known).exists():
                return known
        data = self._verified(f"{MASKS_FOLDER}/{copy}.png", copy)
        read_mask(data, name=f"{copy[:12]} in the export")
        return store.keep(data)

    def _fetch_radiograph(self, case: CaseEntry) -> bool:
        """Whether the case's radiograph is available; it is copied into the workspace if the export has it."""
        digest = self.state.copies.get(case.key, case.key)
        if case.image.startswith(f"{RADIOGRAPHS_FOLDER}/"):
            data = self._verified(case.image, digest)
            folder = self.workspace.folder / RADIOGRAPHS_FOLDER / digest
            self.images[case.key] = write_once(data, folder / self._file_name(case))
            return True
        if not self.local:
            return False
        path = Path(case.image)
        try:
            # Only a file with exactly this content is used, so a path reveals nothing about other files here.
            usable = path.is_absolute() and path.is_file() and path.stat().st_size <= MAX_FILE_BYTES
            if usable and sha256(path) in (digest, case.key):
                self.images[case.key] = path
        except (OSError, ValueError):
            return False
        return case.key in self.images

    def _file_name(self, case: CaseEntry) -> str:
        """The radiograph's name, with the ending of the copy that was exported in its place."""
        name = re.sub(r'[\x00-\x1f/\\:*?"<>|]', "_", case.name).lstrip(".")
        if case.key in self.state.copies:
            name = Path(name).stem + Path(case.image).suffix
        return name.encode()[-200:].decode(errors="ignore") or "radiograph"

    def _verified(self, name: str, digest: str) -> bytes:
        data = self.archive.read(name, MAX_FILE_BYTES)
        if sha256(data) != digest:
            raise ExchangeError(f"{ascii(name)[1:-1]} in the export was changed after the export; export it again.")
        return data

    def _number(self, known: Mapping[str, int], case: CaseEntry) -> int | None:
        """The number here of a case in the export; None for a new one."""
        if case.key in known:
            return known[case.key]
        copy = self.state.copies.get(case.key)
        return None if copy is None or copy in self.keys else known.get(copy)

    def insert_rows(self, db: Connection) -> Imported:
        """Write all rows."""
        known, cases, counts = _known_cases(db), 0, Counter[str]()
        for case in self.state.cases:
            if case.key in self.left_out:
                continue
            number = self._number(known, case)
            if number is None:
                image = self.workspace.stored_path(self.images[case.key])
                number = insert(db, "cases", {"key": case.key, "image": image, **case.columns}).lastrowid
                cases += 1
            drawings, verdicts = map(self._drawing_columns, case.drawings), (v.model_dump() for v in case.verdicts)
            counts += _merge_versions(db, "drawings", number, drawings, self._drawing_identity)
            counts += _merge_versions(db, "verdicts", number, verdicts, _verdict_identity)
        left_out = tuple(self.left_out.values())
        return Imported(cases, counts["drawings"], counts["verdicts"], counts["conflicts"], left_out)

    def _drawing_columns(self, drawing: DrawingEntry) -> dict[str, Any]:
        return drawing.model_dump() | {"mask": self.masks[drawing.mask] if drawing.mask else None}

    def _drawing_identity(self, row: Columns) -> object:
        """What makes two versions of a mask the same: all but their numbers.

        Masks that came with their case are the same whenever that was.
        """
        time = "" if row["author"] == IMPORT_AUTHOR else row["time"]
        mask = row["mask"] and self._plain_digest(row["mask"])
        return row["reader"], row["kind"], mask, bool(row["removed"]), row["author"], time

    def _plain_digest(self, digest: str) -> str:
        """Digest of a mask's file without text in it, as an export has it."""
        if digest not in self.plain_digests:
            path = self.workspace.store.path(digest)
            copy = self.state.copies.get(digest, digest)
            if digest not in self.masks and path.exists():  # a mask that only this workspace knows
                with suppress(AnnotationError):  # a damaged mask equals no other
                    copy = sha256(plain_mask(path.read_bytes()))
            self.plain_digests[digest] = copy
        return self.plain_digests[digest]


def _known_cases(db: Connection) -> dict[str, int]:
    return {row["key"]: row["id"] for row in db.execute("SELECT key, id FROM cases")}


def _verdict_identity(row: Columns) -> object:
    return row["reviewer"], row["verdict"], row["comment"], row["time"]


def _merge_versions(
    db: Connection,
    table: Literal["drawings", "verdicts"],
    case: int | None,
    entries: Iterable[Columns],
    identity: Callable[[Columns], object],
) -> Counter[str]:
    """Insert the entries that a case lacks after those that it has; count them, and how many got another number."""
    owner = "reader" if table == "drawings" else "reviewer"
    sql = f"SELECT * FROM {table} WHERE case_id = ? ORDER BY rowid"  # noqa: S608
    rows = [dict(row) for row in db.execute(sql, (case,))]
    present = Counter(identity(row) for row in rows)
    newest = {row[owner]: row["version"] for row in rows}
    done = Counter[str]()
    for entry in entries:
        if present[identity(entry)]:
            present[identity(entry)] -= 1
            continue
        version = newest[entry[owner]] = newest.get(entry[owner], 0) + 1
        done[table] += 1
        done["conflicts"] += version != entry["version"]
        insert(db, table, {**entry, "case_id": case, "version": version})
    return done


def write_once(data: bytes, path: Path) -> Path:
    """Write a file to disk, unless there is one at this path, which names the file's digest."""
    if not path.exists():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ExchangeError(why_unwritten(path.name, error)) from error
        write_bytes(data, path, flush=True)
    return path
