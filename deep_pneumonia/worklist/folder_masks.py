"""Match the masks of a folder with its radiographs, by names, folders, and the references of DICOM segmentations."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from deep_pneumonia.masks.any_format import looks_like_annotation
from deep_pneumonia.masks.lesion_names import is_other
from deep_pneumonia.masks.mask_names import DEFAULT_READER, Name, Role, mask_names, place
from deep_pneumonia.worklist.folder_files import FolderFile
from deep_pneumonia.worklist.listing import Listing

OTHER = "it marks lungs or something else by its name, not lesions of pneumonia"
UNNAMED = "it is a mask, but no radiograph has its name"
SEVERAL = "it is a mask, but several radiographs have its name"
FOREIGN = "it is a segmentation of an image that is not here"


@dataclass(frozen=True)
class MaskFile:
    """A mask on disk. A picture is by `reader`; a DICOM segmentation names its readers itself."""

    path: Path
    reader: str
    is_picture: bool


class FolderMasks:
    """The radiographs of a folder and the masks of each; `listing` gets what could not be matched."""

    def __init__(self, root: Path, files: Sequence[FolderFile], listing: Listing) -> None:
        self.root, self.listing = root, listing
        self.masks: dict[Path, list[MaskFile]] = defaultdict(list)
        pictures = [f for f in files if f.kind in ("picture", "dicom")]
        loose = [f for f in pictures if self._role(f) in ("", "image")]
        self._index(loose)
        named = {f.path for f in loose if self._is_named_mask(f)}
        drawn = [f for f in loose if f.path not in named and f.kind == "picture" and looks_like_annotation(f.path)]
        aside = named | {f.path for f in drawn}
        self.radiographs = [f for f in loose if f.path not in aside]
        self._index(self.radiographs)
        for file in (f for f in pictures if f.path in named or self._role(f) in ("mask", "other")):
            self._match(file)
        for file in drawn:
            self._match_single(file)
        for file in (f for f in files if f.kind == "seg"):
            self._match_segmentation(file)

    def relative(self, path: Path) -> str:
        """A path as the list shows it."""
        return path.relative_to(self.root).as_posix()

    def _place(self, file: FolderFile) -> tuple[Role, tuple[str, ...]]:
        return place(file.path.relative_to(self.root).parts[:-1])

    def _role(self, file: FolderFile) -> Role:
        return self._place(file)[0]

    def _index(self, radiographs: Iterable[FolderFile]) -> None:
        self._by_name: dict[str, list[FolderFile]] = defaultdict(list)
        self._by_uid: dict[str, list[FolderFile]] = defaultdict(list)
        self._by_folder: dict[Path, list[FolderFile]] = defaultdict(list)
        for file in radiographs:
            for name in {file.name.casefold(), file.path.name.casefold()}:
                self._by_name[name].append(file)
            if file.uid:
                self._by_uid[file.uid].append(file)
            self._by_folder[file.path.parent].append(file)

    def find(self, name: str, file: FolderFile) -> list[FolderFile]:
        """The radiographs of this name that the place of a mask or annotation file fits, the best fit only."""
        here = self._place(file)[1]
        found = [(f, self._place(f)[1]) for f in self._by_name.get(name.casefold(), []) if f.path != file.path]
        for fits in (_same, _above, _ending):
            best = [f for f, there in found if fits(here, there)]
            exact = [f for f in best if name in (f.name, f.path.name)]
            if best:
                return exact or best
        return []

    def _is_named_mask(self, file: FolderFile) -> bool:
        names = [n for n in mask_names(file.name) if self.find(n.of, file)]
        return any(n.clear for n in names) or (bool(names) and looks_like_annotation(file.path))

    def _names(self, file: FolderFile) -> Iterator[Name]:
        """The ways to read a mask's name; in a folder of masks the name may be the radiograph's own."""
        role = self._role(file)
        if role in ("mask", "other"):
            yield Name(file.name, DEFAULT_READER, True, role == "other")
        yield from mask_names(file.name)

    def _match(self, file: FolderFile) -> None:
        name = next((n for n in self._names(file) if self.find(n.of, file)), None)
        if self._role(file) == "other" or (name and name.other):
            self.listing.leave_out(self.relative(file.path), OTHER)
        elif name is None:
            self.listing.leave_out(self.relative(file.path), UNNAMED)
        else:
            self._add(file, self.find(name.of, file), name.reader)

    def _add(self, file: FolderFile, radiographs: Sequence[FolderFile], reader: str) -> None:
        if len(radiographs) > 1:
            self.listing.leave_out(self.relative(file.path), SEVERAL)
        else:
            self.masks[radiographs[0].path].append(MaskFile(file.path, reader, file.kind == "picture"))

    def _beside(self, file: FolderFile) -> list[FolderFile]:
        """The radiograph in the same folder, if it is the only one there."""
        found = self._by_folder.get(file.path.parent, [])
        return found if len(found) == 1 else []

    def _match_single(self, file: FolderFile) -> None:
        """Match a picture of two colours with the radiograph beside it."""
        beside = self._beside(file)
        if is_other(file.name):
            self.listing.leave_out(self.relative(file.path), OTHER)
        elif beside:
            self._add(file, beside, file.name)
        else:
            self.listing.leave_out(self.relative(file.path), UNNAMED)

    def _match_segmentation(self, file: FolderFile) -> None:
        """Match a DICOM segmentation: by the images it refers to, by its name, or with the radiograph beside it."""
        drawn_on = [f for uid in sorted(file.refers) for f in self._by_uid.get(uid, [])]
        names = [n for n in self._names(file) if self.find(n.of, file)]
        if self._role(file) == "other" or (not drawn_on and names and names[0].other):
            self.listing.leave_out(self.relative(file.path), OTHER)
        elif found := drawn_on or (self.find(names[0].of, file) if names else []):
            self._add(file, found, file.name)
        elif beside := [f for f in self._beside(file) if not (f.uid and file.refers)]:
            self._add(file, beside, file.name)
        else:
            self.listing.leave_out(self.relative(file.path), FOREIGN if file.refers else UNNAMED)


def _same(here: tuple[str, ...], there: tuple[str, ...]) -> bool:
    return here == there


def _above(here: tuple[str, ...], there: tuple[str, ...]) -> bool:
    """Whether a mask lies in a folder above the radiograph's, as masks/a.png of ward/a.png."""
    return there[: len(here)] == here


def _ending(here: tuple[str, ...], there: tuple[str, ...]) -> bool:
    """Whether the radiograph's folders end in the mask's, as masks/ward/a.png of images/old/ward/a.png."""
    return bool(here) and there[-len(here) :] == here
