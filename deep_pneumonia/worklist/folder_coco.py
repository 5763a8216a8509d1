"""A COCO file of a folder, and the radiographs of the folder that its images are."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deep_pneumonia.errors import AnnotationError, UnknownMaskError
from deep_pneumonia.masks.annotation import Annotation, Size
from deep_pneumonia.masks.coco import read_image
from deep_pneumonia.masks.coco_index import CocoIndex, Entry
from deep_pneumonia.names import shown
from deep_pneumonia.worklist.listing import Listing, some

MAX_NAMES = 5  # in a note


class FolderCoco:
    """The images of a COCO file by radiograph. What cannot be matched is listed under the file's `place`.

    Raises:
        AnnotationError: the file is damaged, or it is unclear which of its categories is the lesion.
    """

    def __init__(
        self, path: Path, document: dict[str, Any], radiographs: Sequence[Path], place: str,
        listing: Listing, category: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.path, self.place, self.listing = path, place, listing
        self.index = CocoIndex(document, path.name, category)
        self.index.lesion_categories()
        self.images: dict[Path, Entry] = {}
        self._unknown: list[str] = []
        matches: dict[int, list[tuple[Any, Path, Entry]]] = defaultdict(list)
        for radiograph in radiographs:
            try:
                found = self.index.find(radiograph.as_posix(), self._below(radiograph))
            except AnnotationError as error:
                listing.refuse(place, error)
                continue
            if found:
                image, grade = found
                matches[id(image)].append((grade, radiograph, image))
        for several in matches.values():
            best = min(grade for grade, _, _ in several)
            (radiograph, image), *others = [(r, i) for grade, r, i in several if grade == best]
            if others:
                listing.problem(
                    f"{place}: one image could be {len(others) + 1} radiographs named {radiograph.name}; "
                    "name the radiographs' folders in it as they are."
                )
            else:
                self.images[radiograph] = image
        self._note_absent({id(several[0][2]) for several in matches.values()})

    def _below(self, radiograph: Path) -> str:
        """The radiograph's path from the file's folder, if it is in it."""
        inside = radiograph.is_relative_to(self.path.parent)
        return radiograph.relative_to(self.path.parent).as_posix() if inside else ""

    def _note_absent(self, matched: set[int]) -> None:
        absent = [i for i in self.index.images if id(i) not in matched and self.index.is_annotated(i)]
        if absent:
            names = [shown(str(image.get("file_name") or "without a name")) for image in absent]
            self.listing.problem(
                f"{self.place}: {len(absent)} annotated image{'s' * (len(absent) != 1)} named like no radiograph here "
                f"({some(names, MAX_NAMES)})"
            )
        if self.index.lost:
            self.listing.problem(f"{self.place}: {self.index.lost} annotations whose image_id is the id of no image")

    def read(self, radiograph: Path, name: str, size: Size) -> list[Annotation]:
        """The masks of a radiograph of `size` (H, W), which the list calls `name`; none if they are unknown.

        Raises:
            AnnotationError: the annotations are damaged, contradict each other, or are for another size.
        """
        try:
            return read_image(self.index, self.images[radiograph], size, name=self.path.name)
        except UnknownMaskError:
            self._unknown.append(name)
            return []

    def finish(self) -> None:
        """List the radiographs that the file lists but does not annotate."""
        if self._unknown:
            self.listing.note(
                f"{self.place} lists {len(self._unknown)} radiograph{'s' * (len(self._unknown) != 1)} without a "
                f"lesion's annotation and does not say that anybody read them as normal, so they are unknown: "
                f"{some(self._unknown, MAX_NAMES)}"
            )
