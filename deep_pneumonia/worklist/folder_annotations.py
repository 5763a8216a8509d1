"""The masks that COCO, LabelMe and RSNA files of a folder have for its radiographs."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from deep_pneumonia.errors import AnnotationError, NotATableError
from deep_pneumonia.files import read_bytes
from deep_pneumonia.masks.annotation import Annotation, Size
from deep_pneumonia.masks.coco import is_coco
from deep_pneumonia.masks.labelme import is_labelme, read_labelme
from deep_pneumonia.masks.mask_names import mask_names
from deep_pneumonia.masks.rsna_csv import RsnaTable
from deep_pneumonia.masks.untrusted import parse_json
from deep_pneumonia.names import base, shown, stem
from deep_pneumonia.worklist.folder_coco import FolderCoco
from deep_pneumonia.worklist.folder_files import FolderFile
from deep_pneumonia.worklist.folder_masks import SEVERAL, FolderMasks
from deep_pneumonia.worklist.listing import Listing, some

MAX_NAMES = 5  # in a note
NO_JSON_FORM = "it is JSON but neither COCO nor LabelMe"
NO_TABLE_FORM = "it is a table, but not one of boxes (patientId, x, y, width, height, Target)"
NO_RADIOGRAPH = "no radiograph here has its name"
NOTHING = "it annotates no radiograph that is here"

Read = Callable[[Size], list[Annotation]]  # the masks for a radiograph of a size (H, W)


class FolderAnnotations:
    """The annotation files of a folder. A file that cannot be used is listed, and its radiographs stay unknown.

    category: the names of the lesion's categories, if the files' own names do not tell.
    """

    def __init__(
        self, folder: FolderMasks, files: Sequence[FolderFile], listing: Listing, category: Sequence[str] = ()
    ) -> None:
        self.folder, self.listing, self.category = folder, listing, category
        self._coco: list[FolderCoco] = []
        self._others: dict[Path, list[tuple[str, Read]]] = defaultdict(list)  # LabelMe and tables, by radiograph
        for file in files:
            place = folder.relative(file.path)
            try:
                if file.kind == "json":
                    self._open_json(file, place)
                elif file.kind == "table":
                    self._open_table(file, place)
            except NotATableError:
                listing.leave_out(place, NO_TABLE_FORM)
            except AnnotationError as error:
                listing.refuse(place, error)

    def _open_json(self, file: FolderFile, place: str) -> None:
        document = parse_json(read_bytes(file.path, file.path.name, error=AnnotationError), shown(file.path.name))
        if is_coco(document):
            radiographs = [radiograph.path for radiograph in self.folder.radiographs]
            coco = FolderCoco(file.path, document, radiographs, place, self.listing, self.category)
            self._coco.append(coco)
            if not coco.images:
                self.listing.leave_out(place, NOTHING)
        elif is_labelme(document):
            self._match_labelme(file, document, place)
        else:
            self.listing.leave_out(place, NO_JSON_FORM)

    def _match_labelme(self, file: FolderFile, document: dict[str, Any], place: str) -> None:
        given = document.get("imagePath")
        names = [file.name, *(name.of for name in mask_names(file.name))]
        names += [base(given), stem(given)] if isinstance(given, str) and given else []
        found = next((found for name in names if (found := self.folder.find(name, file))), [])
        if len(found) == 1:
            read = partial(read_labelme, document, name=file.path.name, category=self.category)
            self._others[found[0].path].append((place, read))
        else:
            self.listing.leave_out(place, SEVERAL if found else NO_RADIOGRAPH)

    def _open_table(self, file: FolderFile, place: str) -> None:
        table = RsnaTable(read_bytes(file.path, file.path.name, error=AnnotationError), file.path.name)
        absent = set(table.patients)
        for radiograph in self.folder.radiographs:
            if radiograph.name in table.patients:
                absent.discard(radiograph.name)
                self._others[radiograph.path].append((place, partial(table.read, radiograph=radiograph.path.name)))
        if len(absent) == len(table.patients):
            self.listing.leave_out(place, NOTHING)
        elif absent:
            names = some(sorted(map(shown, absent)), MAX_NAMES)
            self.listing.note(f"{place}: {len(absent)} patientIds named like no radiograph here ({names})")

    def of(self, radiograph: FolderFile) -> Iterator[tuple[str, Read]]:
        """The files that have something about a radiograph, as the list shows them, and how to read it."""
        name = self.folder.relative(radiograph.path)
        for coco in self._coco:
            if radiograph.path in coco.images:
                yield coco.place, partial(coco.read, radiograph.path, name)
        yield from self._others.get(radiograph.path, [])

    def finish(self) -> None:
        """List what the files leave open, after all radiographs were asked for."""
        for coco in self._coco:
            coco.finish()
