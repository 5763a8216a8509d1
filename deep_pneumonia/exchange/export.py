"""A workspace as a folder or ZIP: to train on, to read in a spreadsheet, and to import elsewhere.

manifest.csv, masks/     for `train`, `pretrain` and `evaluate`: the newest masks of every reader
cases.csv, annotations.csv, verdicts.csv     see `tables`
coco.json                the newest masks as COCO JSON; cases without a reader are left out, as COCO cannot say that
                         nobody looked
radiographs/, seg/       on request: the radiographs without identity; DICOM segmentations
state.json, state/masks/ everything in every version, for `merge.import_into`; see `state`
README.txt               explains these files to whoever finds the folder

Only the workspace's file names and patient keys could identify a patient.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from deep_pneumonia.datasets.manifest import write_manifest
from deep_pneumonia.errors import DeepPneumoniaError, ExchangeError
from deep_pneumonia.exchange.archive import new_export
from deep_pneumonia.exchange.case_files import CaseFiles, ExportedCase
from deep_pneumonia.exchange.notes import README, one_split
from deep_pneumonia.exchange.state import STATE_FILE, to_document
from deep_pneumonia.exchange.tables import write_tables
from deep_pneumonia.files import write_json
from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.masks.coco import write_coco
from deep_pneumonia.worklist.history import Record, history
from deep_pneumonia.worklist.predictions import Predictions
from deep_pneumonia.worklist.workspace import Workspace


@dataclass(frozen=True)
class Exported:
    """What was written: cases, versions of masks and of verdicts. `notes`: what a person should know, in sentences."""

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
    """Write a whole workspace to a new folder, or to a ZIP if `target` ends in .zip.

    predictions: those of a checkpoint, for the tables.
    radiographs: copy them; otherwise the export refers to their paths.
    seg: write a DICOM segmentation of each case with a mask as well.
    progress: show a bar.

    A case whose radiograph is missing or damaged, or whose masks have another size, is in state.json and the tables
    alone, and `notes` says so.

    Raises:
        ExchangeError: the workspace is empty or has a damaged mask, or `target` cannot be written. An earlier file
            stays.
    """
    records = history(workspace)
    if not records:
        raise ExchangeError(f"The work list {workspace.folder} has no case; add some before you export it.")
    with new_export(Path(target)) as folder:
        files = CaseFiles(folder, radiographs=radiographs, seg=seg)
        cases, notes = _write_cases(files, records, progress)
        with (folder / "coco.json").open("w", encoding="utf-8") as stream:
            write_coco(_annotated(cases), stream)
        manifest, moved = one_split([exported.case for exported in cases])
        write_manifest(manifest, folder / "manifest.csv")
        write_tables(records, predictions.all() if predictions else {}, files.newest_masks, files.areas, folder)
        write_json(to_document(records, files.images, files.copies), folder / STATE_FILE)
        (folder / "README.txt").write_text(README, encoding="utf-8")
    masks, verdicts = sum(len(r.drawings) for r in records), sum(len(r.verdicts) for r in records)
    return Exported(Path(target), len(records), masks, verdicts, (*notes, *moved))


def _write_cases(files: CaseFiles, records: Iterable[Record], progress: bool) -> tuple[list[ExportedCase], list[str]]:
    """Write each case's files; give the cases that can be trained on, and a sentence for each that cannot."""
    cases, notes = [], []
    for record in tqdm(records, "Exporting", unit="case", disable=None if progress else True):
        files.write_versions(record)
        try:
            cases.append(files.write_case(record))
        except DeepPneumoniaError as error:
            notes.append(f"Case {record.item.id} is in {STATE_FILE} and the tables alone: {error}")
    return cases, notes


def _annotated(cases: Iterable[ExportedCase]) -> Iterator[tuple[str, list[Annotation]]]:
    """The newest masks of each case that has readers, under its file name; one case is in memory at a time."""
    for exported in cases:
        if exported.size is not None:
            yield exported.file_name, [drawing.annotation(exported.size) for drawing in exported.drawings]
