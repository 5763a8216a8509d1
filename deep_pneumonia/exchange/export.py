"""A workspace as a folder or ZIP: to train on, to look at in a spreadsheet, and to import elsewhere.

manifest.csv, masks/     for `train`, `pretrain` and `evaluate`: the newest masks of every reader
cases.csv, annotations.csv, verdicts.csv     see `export_tables`
coco.json                the newest masks as COCO JSON; cases with no reader are left out, as COCO cannot say that
                         nobody looked
radiographs/, seg/       if asked for: the radiographs, without identity; DICOM segmentations
state.json, state/masks/ every version of everything, for `exchange.import_into`; see `state_file`
README.txt               all this for who finds the folder

Nothing in it says whose radiograph it is, except for what the workspace's file names and patient keys say.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tqdm import tqdm

from deep_pneumonia.datasets.manifest import Case, MaskRef, write_manifest
from deep_pneumonia.errors import DeepPneumoniaError, ExchangeError
from deep_pneumonia.exchange.anonymous import plain_mask, plain_radiograph
from deep_pneumonia.exchange.archive import written
from deep_pneumonia.exchange.notes import README, one_split
from deep_pneumonia.exchange.state import MASKS, RADIOGRAPHS, STATE, to_document
from deep_pneumonia.exchange.tables import write_tables
from deep_pneumonia.files import read_bytes, sha256, write_json
from deep_pneumonia.masks.annotation import Annotation, read_mask
from deep_pneumonia.masks.coco import write_coco
from deep_pneumonia.masks.dicom_seg_write import to_seg
from deep_pneumonia.names import distinct
from deep_pneumonia.radiographs.radiograph import decode
from deep_pneumonia.worklist.history import Record, history
from deep_pneumonia.worklist.predictions import Kept, Predictions
from deep_pneumonia.worklist.records import Drawing
from deep_pneumonia.worklist.workspace import Workspace

MAX_NAME = 80  # characters of a name that is made into a file's


@dataclass(frozen=True)
class Exported:
    """What was written: cases, versions of masks and of verdicts, and what a person should know, a sentence each."""

    path: Path
    cases: int
    masks: int
    verdicts: int
    notes: tuple[str, ...]


def export(
    workspace: Workspace,
    target: str | Path,
    *,
    predictions: Predictions | None = None,
    radiographs: bool = False,
    seg: bool = False,
    progress: bool = False,
) -> Exported:
    """Write all of a workspace to a new folder, or to a ZIP where `target` ends in .zip.

    readings: a checkpoint's, for the tables. radiographs: copy them, else they are referred to where they lie.
    seg: a DICOM segmentation of each case with a mask as well. progress: show a bar.

    A case whose radiograph is missing or damaged, or whose masks have other sizes, is in state.json and the tables
    alone, and `notes` says so.

    Raises:
        ExchangeError: the workspace is empty or has a damaged mask, or `target` cannot be written. What stood there
            stays.
    """
    records = history(workspace)
    if not records:
        raise ExchangeError(f"The work list {workspace.folder} has no case; add some before it is exported.")
    with written(Path(target)) as folder:
        writing = _Writing(folder, radiographs, seg, predictions.all() if predictions else {})
        writing.all(records, progress)
    drawings, verdicts = (sum(len(getattr(r, name)) for r in records) for name in ("drawings", "verdicts"))
    return Exported(Path(target), len(records), drawings, verdicts, tuple(writing.notes))


@dataclass
class _Writing:
    """An export on its way; what is known of the cases so far."""

    folder: Path
    radiographs: bool
    seg: bool
    predictions: Mapping[int, Kept]
    cases: list[Case] = field(default_factory=list)
    images: dict[int, str] = field(default_factory=dict)
    files: dict[tuple[int, str], str] = field(default_factory=dict)
    areas: dict[str, int] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def all(self, records: list[Record], progress: bool) -> None:
        for name in ("masks", MASKS, *([RADIOGRAPHS] if self.radiographs else []), *(["seg"] if self.seg else [])):
            (self.folder / name).mkdir(parents=True)
        with (self.folder / "coco.json").open("w", encoding="utf-8") as stream:
            write_coco(self._cases(records, progress), stream)
        cases, moved = one_split(self.cases)
        self.notes += moved
        write_manifest(cases, self.folder / "manifest.csv")
        write_tables(records, self.predictions, self.files, self.areas, self.folder)
        write_json(to_document(records, self.images, self.copies), self.folder / STATE)
        (self.folder / "README.txt").write_text(README, encoding="utf-8")

    def _cases(self, records: list[Record], progress: bool) -> Iterator[tuple[str, list[Annotation]]]:
        """Write each case's files, and give those that have readers for coco.json."""
        for record in tqdm(records, "Exporting", unit="case", disable=None if progress else True):
            self.images[record.item.id] = "" if self.radiographs else str(record.item.case.image)
            self._versions(record)
            try:
                case, drawn = self._case(record)
            except DeepPneumoniaError as error:
                self.notes.append(f"Case {record.item.id} is in {STATE} and the tables alone: {error}")
                continue
            self.cases.append(case)
            if drawn:
                yield drawn

    def _case(self, record: Record) -> tuple[Case, tuple[str, list[Annotation]] | None]:
        case = record.item.case
        image, masks = case.image, self._newest(record)
        if not image.is_file():
            raise ExchangeError(f"{image} is not there any more; put it back and export again.")
        if self.radiographs:
            image = self._copied(record)
        drawn = self._drawn(record, image) if masks else None
        patient, source = case.patient or case.image.stem, case.source or "own"
        return replace(case, image=image, patient=patient, source=source, masks=tuple(masks)), drawn

    def _versions(self, record: Record) -> None:
        """Every version's mask, once each, under the digest of what is written."""
        for drawing in record.drawings:
            if drawing.mask is None or drawing.digest is None or drawing.digest in self.areas:
                continue
            try:
                data = plain_mask(read_bytes(drawing.mask, error=ExchangeError))
                self.areas[drawing.digest] = int(read_mask(data).mask.sum())
            except DeepPneumoniaError as error:
                who = f"version {drawing.version} of {drawing.reader} in case {record.item.id}"
                raise ExchangeError(f"{error} It is {who}; nothing was exported.") from error
            digest = sha256(data)
            if digest != drawing.digest:
                self.copies[drawing.digest] = digest
            (self.folder / MASKS / f"{digest}.png").write_bytes(data)

    def _newest(self, record: Record) -> list[MaskRef]:
        masks = []
        readers = distinct([d.reader or "reader" for d in record.newest])
        for drawing, reader in zip(record.newest, readers, strict=True):
            path = None
            if drawing.digest is not None:
                path = self._free(self.folder / "masks", f"{record.item.id:05}-{_safe(reader)}", ".png")
                digest = self.copies.get(drawing.digest, drawing.digest)
                path.write_bytes((self.folder / MASKS / f"{digest}.png").read_bytes())
                self.files[record.item.id, drawing.reader] = f"masks/{path.name}"
            masks.append(MaskRef(path, drawing.kind, reader))
        return masks

    def _copied(self, record: Record) -> Path:
        data, suffix = plain_radiograph(read_bytes(record.item.case.image, error=ExchangeError))
        name = record.item.case.image
        kept = name.suffix if name.suffix.lower() in {suffix, ".jpeg" if suffix == ".jpg" else suffix} else suffix
        path = self._free(self.folder / RADIOGRAPHS, _safe(name.stem), kept)
        path.write_bytes(data)
        if (digest := sha256(data)) != record.item.key:
            self.copies[record.item.key] = digest
        self.images[record.item.id] = f"{RADIOGRAPHS}/{path.name}"
        return path

    def _drawn(self, record: Record, image: Path) -> tuple[str, list[Annotation]]:
        """The newest masks as coco.json has them; writes seg/ besides, if asked for."""
        drawings = record.newest
        if self.seg or all(d.mask is None for d in drawings):
            radiograph = decode(record.item.case.image)
            size = radiograph.size
        else:
            size = _size_of(drawings)
        annotations = [d.annotation(size) for d in drawings]
        if self.seg:
            made = to_seg(annotations, read_bytes(record.item.case.image, error=ExchangeError), radiograph.pixels)
            path = self._free(self.folder / "seg", f"{record.item.id:05}-{_safe(image.stem)}", ".dcm")
            path.write_bytes(made.segmentation)
            if made.source is not None:
                path.with_name(f"{path.stem}-radiograph.dcm").write_bytes(made.source)
        return (f"{RADIOGRAPHS}/{image.name}" if self.radiographs else str(image)), annotations

    def _free(self, folder: Path, stem: str, suffix: str) -> Path:
        """A name that no file has yet, on any system: some do not tell capitals from small letters."""
        number, path = 1, folder / f"{stem}{suffix}"
        while str(path).casefold() in self.taken:
            number += 1
            path = folder / f"{stem}-{number}{suffix}"
        self.taken.add(str(path).casefold())
        return path


def _size_of(drawings: list[Drawing]) -> tuple[int, int]:
    return next(read_mask(d.mask).size for d in drawings if d.mask is not None)


def _safe(name: str) -> str:
    """A name fit for a file on any system: letters, digits, blanks, dots, hyphens and underscores."""
    kept = "".join(c if c.isalnum() or c in " .-_" else "_" for c in name)
    return kept[:MAX_NAME].strip(" .") or "unnamed"
