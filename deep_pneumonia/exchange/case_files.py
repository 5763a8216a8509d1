"""Writes the files of an export's cases: masks in every version, newest masks, radiographs, segmentations."""

from dataclasses import dataclass, replace
from pathlib import Path

from deep_pneumonia.datasets.manifest import Case, MaskRef
from deep_pneumonia.errors import DeepPneumoniaError, ExchangeError
from deep_pneumonia.exchange.anonymous import plain_mask, plain_radiograph
from deep_pneumonia.exchange.state import MASKS_FOLDER, RADIOGRAPHS_FOLDER
from deep_pneumonia.files import read_bytes, sha256
from deep_pneumonia.masks.annotation import read_mask
from deep_pneumonia.masks.dicom_seg_write import to_seg
from deep_pneumonia.names import distinct
from deep_pneumonia.radiographs.radiograph import decode
from deep_pneumonia.worklist.history import Record
from deep_pneumonia.worklist.records import Drawing

MAX_FILE_NAME_LENGTH = 80  # characters of a name that becomes a file's


@dataclass(frozen=True)
class ExportedCase:
    """A case as manifest.csv and coco.json have it.

    file_name: the radiograph's in coco.json. size: (H, W) of its masks; None if it has no readers.
    """

    case: Case
    file_name: str
    drawings: tuple[Drawing, ...]
    size: tuple[int, int] | None


class CaseFiles:
    """The files written so far, and what the tables and state.json must know about them.

    images: what state.json refers to as a case's image, by the case's number.
    newest_masks: names of files, by case and reader.
    areas: pixels of each mask, by its digest.
    copies: digests of plain copies that were written in place of files, by the digests of these files.
    """

    def __init__(self, folder: Path, *, radiographs: bool, seg: bool) -> None:
        self.folder, self.radiographs, self.seg = folder, radiographs, seg
        self.images: dict[int, str] = {}
        self.newest_masks: dict[tuple[int, str], str] = {}
        self.areas: dict[str, int] = {}
        self.copies: dict[str, str] = {}
        self.taken: set[str] = set()  # paths, in small letters
        for name in ("masks", MASKS_FOLDER, *[RADIOGRAPHS_FOLDER] * radiographs, *["seg"] * seg):
            (folder / name).mkdir(parents=True)

    def write_versions(self, record: Record) -> None:
        """Write the mask of every version, once per digest.

        Raises:
            ExchangeError: a mask is missing or damaged.
        """
        self.images[record.item.id] = "" if self.radiographs else str(record.item.case.image)
        for drawing in record.drawings:
            if drawing.mask is None or drawing.digest is None or drawing.digest in self.areas:
                continue
            try:
                data = plain_mask(read_bytes(drawing.mask, error=ExchangeError))
                self.areas[drawing.digest] = int(read_mask(data).mask.sum())
            except DeepPneumoniaError as error:
                which = f"version {drawing.version} of {drawing.reader} in case {record.item.id}"
                raise ExchangeError(f"{error} It is {which}; nothing was exported.") from error
            digest = sha256(data)
            if digest != drawing.digest:
                self.copies[drawing.digest] = digest
            (self.folder / MASKS_FOLDER / f"{digest}.png").write_bytes(data)

    def write_case(self, record: Record) -> ExportedCase:
        """Write the newest masks of a case and, if requested, its radiograph and segmentation.

        Raises:
            DeepPneumoniaError: the radiograph is missing or damaged, or a mask has another size.
        """
        case, drawings = record.item.case, tuple(record.newest)
        masks = self._write_masks(record)
        if not case.image.is_file():
            raise ExchangeError(f"{case.image} is not there any more; put it back and export again.")
        image = self._copy_radiograph(record) if self.radiographs else case.image
        size = self._checked_size(record, image) if drawings else None
        exported = replace(
            case,
            image=image,
            patient=case.patient or case.image.stem,
            source=case.source or "own",
            masks=tuple(masks),
        )
        return ExportedCase(exported, self._coco_name(image), drawings, size)

    def _coco_name(self, image: Path) -> str:
        return f"{RADIOGRAPHS_FOLDER}/{image.name}" if self.radiographs else str(image)

    def _write_masks(self, record: Record) -> list[MaskRef]:
        masks = []
        readers = distinct([d.reader or "reader" for d in record.newest])
        for drawing, reader in zip(record.newest, readers, strict=True):
            path = None
            if drawing.digest is not None:
                path = self._free_path("masks", f"{record.item.id:05}-{_safe(reader)}", ".png")
                digest = self.copies.get(drawing.digest, drawing.digest)
                path.write_bytes((self.folder / MASKS_FOLDER / f"{digest}.png").read_bytes())
                self.newest_masks[record.item.id, drawing.reader] = f"masks/{path.name}"
            masks.append(MaskRef(path, drawing.kind, reader))
        return masks

    def _copy_radiograph(self, record: Record) -> Path:
        original = record.item.case.image
        data, suffix = plain_radiograph(read_bytes(original, error=ExchangeError))
        same = {suffix, ".jpeg"} if suffix == ".jpg" else {suffix}
        kept = original.suffix if original.suffix.lower() in same else suffix
        path = self._free_path(RADIOGRAPHS_FOLDER, _safe(original.stem), kept)
        path.write_bytes(data)
        if (digest := sha256(data)) != record.item.key:
            self.copies[record.item.key] = digest
        self.images[record.item.id] = f"{RADIOGRAPHS_FOLDER}/{path.name}"
        return path

    def _checked_size(self, record: Record, image: Path) -> tuple[int, int]:
        """The size (H, W) that all newest masks have; the segmentation is written here, as it needs them decoded."""
        drawings, original = record.newest, record.item.case.image
        files = [d.mask for d in drawings if d.mask is not None]
        if not self.seg and files:
            size = read_mask(files[0]).size
            for drawing in drawings[1:]:
                drawing.annotation(size)
            return size
        radiograph = decode(original)
        annotations = [d.annotation(radiograph.size) for d in drawings]
        if self.seg:
            made = to_seg(annotations, read_bytes(original, error=ExchangeError), radiograph.pixels)
            path = self._free_path("seg", f"{record.item.id:05}-{_safe(image.stem)}", ".dcm")
            path.write_bytes(made.segmentation)
            if made.source is not None:
                path.with_name(f"{path.stem}-radiograph.dcm").write_bytes(made.source)
        return radiograph.size

    def _free_path(self, folder: str, stem: str, suffix: str) -> Path:
        """A path that no file has yet, even where capital and small letters are the same."""
        number, path = 1, self.folder / folder / f"{stem}{suffix}"
        while str(path).casefold() in self.taken:
            number += 1
            path = self.folder / folder / f"{stem}-{number}{suffix}"
        self.taken.add(str(path).casefold())
        return path


def _safe(name: str) -> str:
    """A name fit for a file on any system: letters, digits, blanks, dots, hyphens and underscores."""
    kept = "".join(c if c.isalnum() or c in " .-_" else "_" for c in name)
    return kept[:MAX_FILE_NAME_LENGTH].strip(" .") or "unnamed"
