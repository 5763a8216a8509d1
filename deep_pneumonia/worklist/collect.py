"""Cases from a manifest, a prepared or exported folder, or a plain folder of radiographs."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PureWindowsPath

from deep_pneumonia.datasets.manifest import SEPARATOR, SPLITS, Case, MaskRef, read_manifests, split_of
from deep_pneumonia.datasets.manifest_rows import manifest_rows
from deep_pneumonia.datasets.source import peek_size
from deep_pneumonia.errors import AnnotationError, ManifestError, PreparationError
from deep_pneumonia.masks.annotation import Annotation, Size, write_mask
from deep_pneumonia.masks.any_format import read_annotations
from deep_pneumonia.masks.mask_picture import is_png
from deep_pneumonia.worklist.folder_annotations import FolderAnnotations, Read
from deep_pneumonia.worklist.folder_files import FolderFile, files_below
from deep_pneumonia.worklist.folder_masks import FolderMasks, MaskFile
from deep_pneumonia.worklist.listing import Listing

BY_PATIENT = "patient"
CHOICES = (*SPLITS, BY_PATIENT)
FILE_COLUMNS = ("image", "mask", "other_mask")  # columns of a manifest that name files
MAX_LISTED = 5  # lines and names in an error
EMPTY = "it is an empty mask, which does not say whether anybody looked"
VAL_SHARE, TEST_SHARE = 0.15, 0.2  # of patients, as in `prepare`


def cases_from(
    path: str | Path,
    *,
    split: str = "test",
    inside: bool = False,
    category: Sequence[str] = (),
    listing: Listing | None = None,
) -> Iterator[Case]:
    """The cases of a manifest.csv, of a folder that has one (prepared or exported), or of a folder of radiographs.

    A folder of radiographs is searched with its subfolders, for pictures and DICOM files of any ending. Their masks are
    found by name (`masks.mask_names`): chest-mask.png, mask_chest.tif, masks/chest.png beside it or in the top folder,
    "infection masks"/chest.jpg beside images/chest.jpg; as DICOM segmentations of the radiograph; as entries in COCO
    files and RSNA tables anywhere in the folder; and in LabelMe files of the radiograph's name. Pictures of two
    colours are not radiographs; beside a single radiograph they are its masks, and each file's name is its reader. An
    empty mask is no mask, as it does not tell whether anybody looked. The source is the folder's name, the patient the
    file's name without its ending, and there is no label.

    split: for a folder of radiographs. "test", as a work list shows cases that no network has seen; "train" or "val"
        for cases to train on; "patient" for 65% train, 15% val and 20% test by the patient's hash.
    inside: refuse a manifest that names files outside its folder, as a stranger's may.
    category: the names of the lesion's categories in COCO and LabelMe files.
    listing: gets what became of every file of a folder. A mask that cannot be read or matched is listed with its reason
        and left out, so its radiograph is unknown and never normal.

    Masks lie in a temporary folder during the iteration: `workspace.add(cases_from(path))`.

    Raises:
        ManifestError: there is no such path, no radiograph in it, or the manifest contradicts itself.
    """
    path = Path(path).absolute()
    manifest = path if path.suffix.lower() == ".csv" else path / "manifest.csv"
    if manifest.is_file():
        if inside:
            _check_inside(manifest)
        yield from read_manifests([manifest])
    elif path.is_dir():
        with tempfile.TemporaryDirectory() as scratch:
            yield from _Folder(path, split, Path(scratch), listing or Listing(), category).cases()
    else:
        raise ManifestError(f"{path} is no manifest.csv and no folder; import a ZIP instead of adding it.")


class _Folder:
    """A folder of radiographs, sorted into radiographs, their masks and annotation files."""

    def __init__(self, root: Path, split: str, scratch: Path, listing: Listing, category: Sequence[str]) -> None:
        self.root, self.split, self.scratch, self.listing = root, split, scratch, listing
        files = list(files_below(root))
        for file in files:
            if file.kind == "other":
                listing.leave_out(file.path.relative_to(root).as_posix(), file.why)
        self.folder = FolderMasks(root, files, listing)
        self.annotations = FolderAnnotations(self.folder, files, listing, category)

    def cases(self) -> Iterator[Case]:
        """One case per radiograph."""
        if not self.folder.radiographs:
            left = " ".join(f"{line}." for line in self.listing.lines(MAX_LISTED)[:MAX_LISTED])
            raise ManifestError(
                f"{self.root} holds no radiograph; give a folder of PNG, JPEG, TIFF or DICOM files. {left}".rstrip()
            )
        for number, file in enumerate(self.folder.radiographs):
            image, sources, refs = file.path, [], []
            for source, ref in self._masks(file, number):
                sources.append(source)
                refs.append(ref)
            self.listing.found(self.folder.relative(image), sources, is_normal=all(ref.path is None for ref in refs))
            split = split_of(image.stem, val=VAL_SHARE, test=TEST_SHARE) if self.split == BY_PATIENT else self.split
            yield Case(image, image.stem, self.root.name or "own", split, masks=tuple(refs))
        self.annotations.finish()

    def _masks(self, file: FolderFile, number: int) -> Iterator[tuple[str, MaskRef]]:
        """The masks of a radiograph with the files they come from; those that cannot be read are listed."""
        masks = self.folder.masks.get(file.path, [])
        drawn = [(self.folder.relative(m.path), partial(_read, m, file)) for m in masks]
        reads: list[tuple[str, Read]] = [*drawn, *self.annotations.of(file)]
        if not reads:
            return
        name = self.folder.relative(file.path)
        try:
            size = peek_size(file.path)
        except PreparationError as error:
            for source, _ in reads:
                self.listing.refuse(source, error, of=name)
            return
        for place, (source, read) in enumerate(reads):
            try:
                found = read(size)
            except AnnotationError as error:
                self.listing.refuse(source, error, of=name)
                continue
            for which, annotation in enumerate(found):
                path = self.scratch / f"{number}-{place}-{which}.png"
                if ref := self._reference(source, annotation, path):
                    yield source, ref

    def _reference(self, source: str, annotation: Annotation, path: Path) -> MaskRef | None:
        """The mask as a file: the PNG it is, or `path`. None if it is empty and nothing says that anybody looked."""
        if annotation.kind == "normal" or (annotation.is_empty and source.lower().endswith(".json")):
            return MaskRef(None, "normal", annotation.reader)  # COCO files state whether an empty mask is meant
        if annotation.is_empty:
            self.listing.leave_out(source, EMPTY)
            return None
        if is_png(self.root / source):
            path = self.root / source
        else:
            write_mask(annotation.mask, path)
        return MaskRef(path, annotation.kind, annotation.reader)


def _read(mask: MaskFile, radiograph: FolderFile, size: Size) -> list[Annotation]:
    """The masks of a radiograph of `size` (H, W) in a picture or a DICOM segmentation."""
    found = read_annotations(mask.path, size, name=mask.path.name, radiograph=radiograph.path.name)
    return [replace(a, reader=mask.reader) for a in found] if mask.is_picture else found


def _check_inside(manifest: Path) -> None:
    """Refuse a manifest that names a file outside its folder, before any of these files is looked for."""
    cells = [cell for row in manifest_rows(manifest) for cell in (row.get(name) for name in FILE_COLUMNS)]
    for name in (name for cell in cells if cell for name in cell.split(SEPARATOR)):
        windows = PureWindowsPath(name)
        if windows.drive or windows.root or ".." in windows.parts:
            raise ManifestError(
                f"{manifest.name} names {ascii(name)[:60]}, which is not in its folder; put the file there."
            )
